"""AWS's cloud-controller-manager against a local EC2 endpoint in which the lab's hosts are instances."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

import pytest
import yaml

from kubikk.operations.workspace import open_workspace
from tests.cluster.support.api import Api, administrator
from tests.cluster.support.ec2 import REGION, ZONE, Ec2, ec2
from tests.cluster.support.labs import OwnLab, own_lab
from tests.cluster.support.runs import changes, kubikk, runs
from tests.cluster.support.waiting import until

# The cloud-controller-manager is compiled first where the cache does not have it.
pytestmark = pytest.mark.timeout(3600)

_SECRET = "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY"
_UNINITIALISED = "node.cloudprovider.kubernetes.io/uninitialized"
_KINDS = {"cp1": "m5.large", "w1": "c5.xlarge", "w2": "t3.medium"}


@dataclass(frozen=True)
class CloudLab:
    """A cluster whose hosts are instances.

    Attributes:
        own: its hosts.
        cloud: their cloud.
        instances: host -> instance.
        api: its API.
    """

    own: OwnLab
    cloud: Ec2
    instances: dict[str, str]
    api: Api

    def provider_id(self, host: str) -> str:
        """What the cloud calls a host."""
        return f"aws:///{ZONE}/{self.instances[host]}"

    def node(self, name: str) -> dict[str, Any]:
        """A Node object."""
        return self.api.get(f"/api/v1/nodes/{name}")


def _waits(node: dict[str, Any]) -> bool:
    return any(taint["key"] == _UNINITIALISED for taint in node["spec"].get("taints", []))


@pytest.fixture(scope="module")
def lab(lab_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudLab]:
    """A cluster of cp1 and w1 that then enters the cloud, together with w2, which is new."""
    directory = tmp_path_factory.mktemp("cloud")
    with own_lab(f"{lab_name}-cloud", directory, control_planes=1, workers=2) as own:
        network = IPv4Network(f"{own.lab.hosts()[0].address}/24", strict=False)
        with ec2(network, directory) as cloud:
            hosts = {host.name: host.address for host in own.lab.hosts()}
            instances = {name: cloud.run_instance(hosts[name], kind, own.lab.name) for name, kind in _KINDS.items()}
            _write_settings(own, cloud)
            every_host = yaml.safe_load(own.file.read_text())["hosts"]
            own.edit(lambda content: content.update(hosts=every_host[:2]))
            _up(own)
            workspace = open_workspace(own.file)
            api = administrator(f"https://{hosts['cp1']}:6443", workspace.pki)
            own.edit(lambda content: _enter_cloud(content, every_host, instances))
            _up(own)
            yield CloudLab(own, cloud, instances, api)
            api.close()


def _up(own: OwnLab) -> None:
    """Applies the cluster file."""
    done = kubikk("up", "-f", str(own.file), timeout=3000)
    assert done.returncode == 0, done.stdout


def _write_settings(own: OwnLab, cloud: Ec2) -> None:
    """What an operator writes for AWS, and the address of this EC2."""
    config = own.directory / "cloud.conf"
    config.write_text(
        f"[Global]\nZone={ZONE}\nVPC={cloud.vpc}\nSubnetID={cloud.subnet}\n"
        f"KubernetesClusterID={own.lab.name}\nNodeIPFamilies=ipv4\n"
    )
    environment = own.directory / "aws.env"
    environment.write_text(
        f"AWS_REGION={REGION}\nAWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE\nAWS_SECRET_ACCESS_KEY={_SECRET}\n"
        f"AWS_EC2_METADATA_DISABLED=true\nAWS_ENDPOINT_URL_EC2={cloud.address}\n"
    )
    for path in (config, environment):
        path.chmod(0o600)


def _enter_cloud(content: dict[str, Any], hosts: list[dict[str, Any]], instances: dict[str, str]) -> None:
    content["cloud"] = {"provider": "aws", "config": "cloud.conf", "environment": "aws.env"}
    # This EC2 has no load balancers.
    flags = {"controllers": ["*", "-service-lb-controller"], "v": 2}
    content["components"]["cloud-controller-manager"] = {"flags": flags}
    content["hosts"] = [{**host, "provider_id": f"aws:///{ZONE}/{instances[host['name']]}"} for host in hosts]


def _assert_initialised(lab: CloudLab, name: str) -> None:
    def initialised() -> bool:
        return not _waits(lab.node(name))

    until(initialised, f"{name} is initialised", within=120)
    node = lab.node(name)
    labels, address = node["metadata"]["labels"], lab.own.lab.hosts()
    assert node["spec"]["providerID"] == lab.provider_id(name)
    assert labels["topology.kubernetes.io/zone"] == ZONE
    assert labels["topology.kubernetes.io/region"] == REGION
    assert labels["node.kubernetes.io/instance-type"] == _KINDS[name]
    internal = {each["address"] for each in node["status"]["addresses"] if each["type"] == "InternalIP"}
    assert internal == {host.address for host in address if host.name == name}


@pytest.mark.parametrize("name", ["cp1", "w1", "w2"])
def test_nodes_are_initialised(lab: CloudLab, name: str) -> None:
    _assert_initialised(lab, name)


def test_it_leads_and_is_well(lab: CloudLab) -> None:
    lease = lab.api.get("/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/cloud-controller-manager")
    assert lease["spec"]["holderIdentity"].startswith("cp1_")
    status = kubikk("status", "-f", str(lab.own.file))
    assert status.returncode == 0, status.stdout
    assert "cloud-controller-manager" in status.stdout
    command = lab.own.run("cp1", "ps -o user:32=,args= -C cloud-controller-manager")
    assert command.startswith("cloud-controller-manager ")
    assert "--leader-elect=true" in command
    for name in ("kubelet", "kube-controller-manager"):
        assert "--cloud-provider=external" in lab.own.run("cp1", f"ps -o args= -C {name} || ps -o args= -C {name[:15]}")


def test_credentials_stay_closed(lab: CloudLab) -> None:
    """On the host only root reads them, and no log, inventory or process list shows them."""
    folder = "/etc/kubernetes/cloud-controller-manager"
    modes = lab.own.run("cp1", f"stat -c '%n %a %U' {folder}/environment {folder}/cloud.conf").splitlines()
    assert modes == [f"{folder}/environment 600 root", f"{folder}/cloud.conf 600 cloud-controller-manager"]
    assert _SECRET in lab.own.run("cp1", f"cat {folder}/environment")
    assert _SECRET not in lab.own.run("cp1", "ps -eo args=; journalctl --no-pager --boot")
    written = [path for path in lab.own.directory.rglob("*") if path.is_file() and path.name != "aws.env"]
    assert not [path for path in written if _SECRET in path.read_text(errors="replace")]


def test_who_named_the_machine(lab: CloudLab) -> None:
    """A new node's kubelet did; nodes from before the cloud were told."""
    for name, expected in (("w2", "kubelet"), ("cp1", "kubectl-patch"), ("w1", "kubectl-patch")):
        fields = lab.node(name)["metadata"]["managedFields"]
        owners = {each["manager"] for each in fields if "f:providerID" in each["fieldsV1"].get("f:spec", {})}
        assert owners == {expected}, name


def test_nothing_is_left_to_do(lab: CloudLab) -> None:
    _up(lab.own)
    assert changes(runs(lab.own.directory)[-1]) == []


def test_node_of_terminated_instance_is_deleted(lab: CloudLab) -> None:
    """While the instance exists, a node that is down stays."""
    lab.own.lab.power_off("w2")

    def down() -> bool:
        conditions = {each["type"]: each["status"] for each in lab.node("w2")["status"]["conditions"]}
        return bool(conditions["Ready"] != "True")

    until(down, "w2 is noticed to be down", within=120)
    lab.cloud.terminate(lab.instances["w2"])
    until(lambda: lab.api.status("/api/v1/nodes/w2") == 404, "the node is deleted", within=120)
    assert {node["metadata"]["name"] for node in lab.api.items("/api/v1/nodes")} == {"cp1", "w1"}

    def forget(content: dict[str, Any]) -> None:
        content["hosts"] = [host for host in content["hosts"] if host["name"] != "w2"]

    lab.own.edit(forget)


def test_a_program_of_ones_own(lab: CloudLab) -> None:
    """Any other provider: its program by file and sha256, told its cloud by a flag."""
    variables = yaml.safe_load((lab.own.directory / "group_vars" / "all.yml").read_text())
    file = variables["kubikk_artifacts"]["aws-cloud-controller-manager"]["amd64"]["files"][
        "aws-cloud-controller-manager"
    ]

    def own_program(content: dict[str, Any]) -> None:
        content["cloud"]["provider"] = "external"
        content["cloud"]["program"] = {"source": file["path"], "sha256": "0" * 63 + "1"}
        content["components"]["cloud-controller-manager"]["flags"]["cloud-provider"] = "aws"

    lab.own.edit(own_program)
    refused = kubikk("up", "-f", str(lab.own.file))
    assert refused.returncode == 1
    assert "is not the program that the cluster file means" in " ".join(refused.stdout.split())
    lab.own.edit(lambda content: content["cloud"]["program"].update(sha256=file["sha256"]))
    _up(lab.own)
    running = lab.own.run("cp1", "readlink -f /usr/local/bin/cloud-controller-manager").strip()
    assert running == f"/opt/kubikk/cloud-controller-manager/{file['sha256'][:12]}/cloud-controller-manager"
    status = kubikk("status", "-f", str(lab.own.file))
    assert status.returncode == 0, status.stdout


def test_leaving_the_cloud(lab: CloudLab) -> None:
    def leave(content: dict[str, Any]) -> None:
        del content["cloud"], content["components"]["cloud-controller-manager"]
        for host in content["hosts"]:
            del host["provider_id"]

    lab.own.edit(leave)
    _up(lab.own)
    assert lab.own.run("cp1", "systemctl cat cloud-controller-manager 2>/dev/null || echo gone").strip() == "gone"
    assert lab.own.run("cp1", "ls /etc/kubernetes/cloud-controller-manager") == ""
    assert "cloud-controller-manager" not in lab.own.run("cp1", "ls /usr/local/bin")
    assert lab.own.run("cp1", "ps -o args= -C cloud-controller-manager || true") == ""
    assert "cloud-provider" not in lab.own.run("w1", "ps -o args= -C kubelet")
    _up(lab.own)
    assert changes(runs(lab.own.directory)[-1]) == []
