"""Names that follow from a lab's name."""

from __future__ import annotations

import pytest

from kubikk.errors import KubikkError
from kubikk.lab import names

_LONG = "a-lab-with-a-name-of-30-chars0"


@pytest.mark.parametrize("name", ["lab", "a", "ci-2", _LONG])
def test_good_lab_names(name: str) -> None:
    assert names.check_lab_name(name) == name


@pytest.mark.parametrize("name", ["", "-a", "a-", "Lab", "a.b", "a_b", "../x", ".hidden", _LONG + "x"])
def test_bad_lab_names(name: str) -> None:
    with pytest.raises(KubikkError, match="no name for a lab"):
        names.check_lab_name(name)


@pytest.mark.parametrize(("lab", "host"), [("lab", "cp1"), (_LONG, "cp30"), (_LONG, "w150"), ("twelve-chars", "w1")])
def test_interfaces_fit_the_kernels_limit(lab: str, host: str) -> None:
    assert len(names.veth(lab, host)) <= 15
    assert len(names.bridge(lab)) <= 15


def test_machine_name_is_plain_where_it_fits() -> None:
    assert names.machine("lab", "cp1") == "lab-cp1"
    assert names.machine("long-lab-name", "cp1") != names.machine("long-lab-nama", "cp1")


def test_bridge_mac_is_fixed_local_and_unicast() -> None:
    first = int(names.bridge_mac("lab").split(":")[0], 16)
    assert first & 0b11 == 0b10
    assert names.bridge_mac("lab") == names.bridge_mac("lab")
    assert len(names.bridge_mac("lab")) == 17


def test_no_labs_groups_begin_with_anothers_prefix() -> None:
    assert not names.cgroup("lab2", "cp1").startswith(names.cgroup_prefix("lab"))
    assert names.cgroup("lab", "cp1").startswith(names.cgroup_prefix("lab"))
