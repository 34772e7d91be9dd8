# make lab: a cluster on this machine.  make test: lint, unit tests, cluster tests.  make clean: every trace gone.
LAB ?= lab
PYTHON ?= python3
VENV := .venv
KUBIKK := $(VENV)/bin/kubikk
PYTEST := $(VENV)/bin/python -m pytest
CLUSTER := inventory/$(LAB)

.PHONY: lab test test-full chaos lint unit cluster labs molecule vm matrix bench clean requirements docs
.DEFAULT_GOAL := lab

lab: $(VENV)/ready
	$(KUBIKK) lab up --name $(LAB)

# What makes labs of its own runs beside the cluster's tests, which are what is shown; of the others only how they ended, or
# all that they said. The roles' scenarios take longer than all of it: `make molecule`.
test: lint unit
	$(MAKE) --jobs=2 --no-print-directory cluster labs

# What takes too long for every day: also the rows marked "full".
test-full: lint unit molecule lab
	$(PYTEST) tests/cluster --cluster-dir $(CLUSTER) --ignore tests/cluster/chaos

# Faults during `up`, each kind and each phase; a table at the end, and faults.json. KUBIKK_CHAOS_SEED=n repeats a run.
chaos: lab
	$(PYTEST) tests/cluster/chaos --cluster-dir $(CLUSTER)

lint: $(VENV)/ready
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/yamllint --strict .
	$(VENV)/bin/ansible-lint --offline --strict

unit: $(VENV)/ready
	$(PYTEST) tests/unit --numprocesses=2

cluster: lab
	$(PYTEST) tests/cluster --cluster-dir $(CLUSTER) -m "not full and not own_lab" --durations=15

labs: $(VENV)/ready
	$(PYTEST) tests/cluster --cluster-dir $(CLUSTER) -m "not full and own_lab" --durations=15 >$(CLUSTER)-labs.log 2>&1 \
	    || { cat $(CLUSTER)-labs.log; exit 1; }
	sed -n '/slowest 15/,$$p' $(CLUSTER)-labs.log

# Each role by itself, on hosts of its own. SCENARIO=etcd for one of them.
molecule: $(VENV)/ready
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" KUBIKK_MOLECULE_LAB=$(LAB)-molecule \
	    $(VENV)/bin/molecule test --no-command-borders $(if $(SCENARIO),-s $(SCENARIO),--all)

# A cluster on a virtual machine with a kernel of its own, and vagrant/: half an hour of emulation.
vm: $(VENV)/ready
	$(PYTEST) tests/vm -m vm

# Every ansible-core and Python that is supported and can be had here.
matrix: lab
	$(PYTEST) tests/matrix --cluster-dir $(CLUSTER)

# Kubikk, kubeadm and the floor on the same hosts, on a machine with nothing else to do: about two hours.
bench: $(VENV)/ready
	$(VENV)/bin/python -m bench run all --repeat 3 --lab $(LAB)-bench
	$(VENV)/bin/python -m bench show
	$(VENV)/bin/python -m bench draw docs/images

# Everything but the artifact cache in the user's cache directory.
clean:
	if [ -x $(KUBIKK) ]; then $(KUBIKK) lab down --name $(LAB) --family; fi
	rm -rf $(CLUSTER) $(CLUSTER)-* bench/out $(VENV) .mypy_cache .pytest_cache .ruff_cache .ansible dist

requirements: $(VENV)/ready
	$(VENV)/bin/uv pip compile --quiet --universal --no-header --no-emit-index-url --no-emit-find-links \
	    --extra dev --output-file requirements.txt pyproject.toml

docs: $(VENV)/ready
	$(VENV)/bin/python -m kubikk.cluster.publishing
	$(VENV)/bin/python -m kubikk.cli.publishing
	$(VENV)/bin/python docs/role_readmes.py

# Debian's python3 comes without venv; the stamp is written last, so that an interrupted installation is done again.
$(VENV)/ready: requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV) || { apt-get update -qq && apt-get install -qq -y python3-venv && $(PYTHON) -m venv $(VENV); }
	$(VENV)/bin/pip install --quiet --requirement requirements.txt
	$(VENV)/bin/pip install --quiet --no-deps --editable .
	# Python may be told to keep no bytecode: then every start of kubikk would compile all of it.
	$(VENV)/bin/python -m compileall -q installer plugins
	touch $@
