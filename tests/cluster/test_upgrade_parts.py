"""etcd, containerd and CNI plugins are upgraded, Kubernetes stays: the same gates, and nothing else is touched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.support.access import Access
from tests.cluster.support.api import Api
from tests.cluster.support.description import Description
from tests.cluster.support.labs import OwnLab, own_lab
from tests.cluster.support.runs import kubikk
from tests.cluster.support.units import invocations
from tests.cluster.support.upgrading import guarded_service, running_versions
from tests.cluster.support.uptime import measured

pytestmark = [pytest.mark.full, pytest.mark.timeout(1800)]

_KUBERNETES = "v1.37.2"
_OLD = {"etcd": "3.6.14", "containerd": "2.3.4"}
_OTHER_CNI = "1.8.0"
_NEW = {"etcd": "3.7.3", "containerd": "2.4.2"}


def _choose(versions: dict[str, str], content: dict[str, Any]) -> None:
    for component in _OLD:
        setting = content["components"].setdefault(component, {})
        setting.pop("version", None)
        if component in versions:
            setting["version"] = versions[component]
        if not setting:
            del content["components"][component]


@pytest.fixture(scope="module")
def own(lab_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnLab]:
    """A cluster with older versions of both."""
    with own_lab(f"{lab_name}-parts", tmp_path_factory.mktemp("parts"), control_planes=3, workers=2) as own:
        own.edit(lambda content: _choose(_OLD, content))
        result = kubikk("up", "-f", str(own.file), timeout=1500)
        assert result.returncode == 0, result.stdout
        yield own


@pytest.fixture(scope="module")
def backend(own_cluster: Description, own_hosts: Access, own_api: Api) -> str:
    """Address of a Service; see ``guarded_service``."""
    return guarded_service(own_cluster, own_hosts, own_api, _KUBERNETES)


def _say_bad_flag(content: dict[str, Any]) -> None:
    content["components"]["etcd"] = {"flags": {"no-such-flag": "1"}}


def test_a_member_that_does_not_get_healthy_is_given_back_what_it_had(
    own: OwnLab, own_cluster: Description, own_hosts: Access, backend: str
) -> None:
    text = own.file.read_text()
    own.edit(lambda content: _choose({}, content))
    wanted = own.file.read_text()
    own.edit(_say_bad_flag)
    before = invocations(own_cluster, own_hosts)
    first = own_cluster.etcd_hosts[0].name
    endpoint = own_cluster.variables["kubikk_api_endpoint"]
    urls = {"API": f"{endpoint}/api/v1/nodes/w1", "Service": f"http://{backend}/hostname"}
    with measured(own_hosts.output, "w1", urls) as uptime:
        failed = kubikk("upgrade", "-f", str(own.file), "--wait", "15")
    print(failed.stdout)
    own.file.write_text(wanted)
    assert text != wanted
    assert failed.returncode == 1, failed.stdout
    assert "KBK-602" in failed.stdout, failed.stdout
    assert "no-such-flag" in failed.stdout, failed.stdout
    assert set(running_versions(own_hosts, own_cluster, "etcd").values()) == {_OLD["etcd"]}
    after = invocations(own_cluster, own_hosts)
    assert {key for key in before if before[key] != after.get(key)} == {(first, "etcd")}
    assert uptime["API"].failed == 0, uptime["API"]
    assert uptime["Service"].failed == 0, uptime["Service"]


def test_both_come_and_nothing_else_is_touched(
    own: OwnLab, own_cluster: Description, own_hosts: Access, backend: str
) -> None:
    before = invocations(own_cluster, own_hosts)
    endpoint = own_cluster.variables["kubikk_api_endpoint"]
    urls = {"API": f"{endpoint}/api/v1/nodes/w1", "Service": f"http://{backend}/hostname"}
    with measured(own_hosts.output, "w1", urls) as uptime:
        # On the first worker there is a pod that may not be evicted.
        done = kubikk("upgrade", "-f", str(own.file), "--batch", "50%", "--drain-timeout", "25", "--force-drain")
    print(done.stdout)
    assert done.returncode == 0, done.stdout
    for component, version in _NEW.items():
        assert set(running_versions(own_hosts, own_cluster, component).values()) == {version}
    after = invocations(own_cluster, own_hosts)
    touched = {key for key in before if before[key] != after.get(key)}
    assert {unit for _, unit in touched} == set(_NEW)
    assert touched >= {(host.name, "etcd") for host in own_cluster.etcd_hosts}
    assert touched >= {(host.name, "containerd") for host in own_cluster.nodes}
    assert uptime["API"].failed == 0, uptime["API"]
    assert uptime["Service"].failed == 0, uptime["Service"]
    again = kubikk("up", "-f", str(own.file))
    assert "nothing to do" in again.stdout, again.stdout


def test_cni_plugins_alone(own: OwnLab, own_cluster: Description, own_hosts: Access, backend: str) -> None:
    before = invocations(own_cluster, own_hosts)
    endpoint = own_cluster.variables["kubikk_api_endpoint"]
    urls = {"API": f"{endpoint}/api/v1/nodes/w1", "Service": f"http://{backend}/hostname"}
    text = own.file.read_text()
    for version in (_OTHER_CNI, None):
        if version:
            own.edit(lambda content: content["components"].update({"cni-plugins": {"version": _OTHER_CNI}}))
        else:
            own.file.write_text(text)
        with measured(own_hosts.output, "w1", urls) as uptime:
            done = kubikk("upgrade", "-f", str(own.file))
        assert done.returncode == 0, done.stdout
        for host in own_cluster.nodes:
            found = own_hosts.output(host.name, "readlink -f /opt/cni/bin/bridge").split("/")
            assert (_OTHER_CNI in found) == bool(version), found
        assert "drain" not in done.stdout
        assert invocations(own_cluster, own_hosts) == before
        assert uptime["API"].failed == 0, uptime["API"]
        assert uptime["Service"].failed == 0, uptime["Service"]
    print(done.stdout)


def test_etcd_does_not_go_back(own: OwnLab) -> None:
    text = own.file.read_text()
    own.edit(lambda content: _choose(_OLD, content))
    refused = kubikk("upgrade", "-f", str(own.file))
    own.file.write_text(text)
    assert refused.returncode == 1
    assert "no way back to 3.6.14" in refused.stdout, refused.stdout
