"""An EC2 endpoint on this machine (moto), in which a lab's hosts are instances."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

import httpx

from tests.cluster.support.runs import PROGRAMS
from tests.cluster.support.waiting import until

REGION = "eu-west-1"
ZONE = "eu-west-1b"
_REQUIREMENTS = Path(__file__).with_name("moto.txt")
# moto looks for the service's and region's name in it, at nothing else.
_AUTHORIZATION = f"AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/ec2/aws4_request, SignedHeaders=host, Signature=0"


@dataclass(frozen=True)
class Ec2:
    """The endpoint.

    Attributes:
        address: its URL.
        network: of its only subnet.
        vpc: the id of its only VPC.
        subnet: the id of that subnet.
    """

    address: str
    network: IPv4Network
    vpc: str
    subnet: str

    def run_instance(self, address: str, kind: str, cluster: str) -> str:
        """Makes an instance with this address that belongs to a cluster; returns its id."""
        answer = _ask(
            self.address,
            "RunInstances",
            ImageId="ami-12c6146b",
            MinCount="1",
            MaxCount="1",
            InstanceType=kind,
            SubnetId=self.subnet,
            PrivateIpAddress=address,
            **{
                "TagSpecification.1.ResourceType": "instance",
                "TagSpecification.1.Tag.1.Key": f"kubernetes.io/cluster/{cluster}",
                "TagSpecification.1.Tag.1.Value": "owned",
            },
        )
        return _element(answer, "instanceId")

    def terminate(self, instance: str) -> None:
        """Ends an instance."""
        _ask(self.address, "TerminateInstances", **{"InstanceId.1": instance})


@contextmanager
def ec2(network: IPv4Network, directory: Path) -> Iterator[Ec2]:
    """Runs the endpoint at the machine's own address in a lab's network, the first one.

    Args:
        network: the lab's.
        directory: an empty one, for the endpoint's programs and log.
    """
    uv, python = str(PROGRAMS / "uv"), directory / "env" / "bin" / "python"
    subprocess.run([uv, "venv", "--quiet", "--python", str(PROGRAMS / "python"), str(directory / "env")], check=True)
    install = [uv, "pip", "install", "--quiet", "--python", str(python), "--requirement", str(_REQUIREMENTS)]
    subprocess.run(install, check=True)
    host, port = str(network[1]), _free_port(str(network[1]))
    with (directory / "moto.log").open("w") as log:
        server = subprocess.Popen(
            [str(python.with_name("moto_server")), "-H", host, "-p", str(port)], stdout=log, stderr=log
        )
        try:
            address = f"http://{host}:{port}"
            until(lambda: _ask(address, "DescribeVpcs"), "the EC2 endpoint", within=60)
            vpc = _element(_ask(address, "CreateVpc", CidrBlock=str(network)), "vpcId")
            place = {"VpcId": vpc, "CidrBlock": str(network), "AvailabilityZone": ZONE}
            yield Ec2(address, network, vpc, _element(_ask(address, "CreateSubnet", **place), "subnetId"))
        finally:
            server.terminate()
            server.wait(30)


def _free_port(host: str) -> int:
    with socket.socket() as free:
        free.bind((host, 0))
        return int(free.getsockname()[1])


def _ask(address: str, action: str, **parameters: str) -> str:
    """The XML that an action answers with."""
    response = httpx.post(
        address,
        data={"Action": action, "Version": "2016-11-15", **parameters},
        headers={"Authorization": _AUTHORIZATION},
        timeout=60,
        trust_env=False,
    )
    assert response.status_code == 200, f"{action}: {response.status_code} {response.text[:2000]}"
    return response.text


def _element(answer: str, name: str) -> str:
    found = re.search(f"<{name}>([^<]+)</{name}>", answer)
    assert found, f"no {name} in {answer[:2000]}"
    return found[1]
