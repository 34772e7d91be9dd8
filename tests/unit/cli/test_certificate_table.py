"""What `certs show` prints for people, programs and Prometheus."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kubikk.cli.certificate_table import as_dicts, print_certificates, print_metrics
from kubikk.operations.certificates import Found
from kubikk.pki import CertificateInfo

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def found(*days: int, silent: dict[str, str] | None = None) -> Found:
    certificates = tuple(
        ("cp1", CertificateInfo(f"/etc/{each}.crt", "name", (), (), "ca", NOW, NOW + timedelta(days=each), False))
        for each in days
    )
    return Found("lab", NOW, certificates, silent or {})


@pytest.mark.parametrize(("days", "within", "expected"), [((10, 40), 30, 1), ((10, 40), 5, 0), ((-1, 10), 0, 1)])
def test_expiring(days: tuple[int, ...], within: int, expected: int) -> None:
    assert len(found(*days).expiring(within)) == expected
    assert as_dicts(found(*days), within)["expiring"] == expected


def test_table(capsys: pytest.CaptureFixture[str]) -> None:
    print_certificates(found(10, silent={"w1": "no route to host"}), 30)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["2026-01-11", "10", "cp1", "/etc/10.crt", "name", "ca"]
    assert lines[2:] == [
        "w1 does not answer: no route to host",
        "1 expire within 30 days: `kubikk certs renew` issues new ones",
    ]


def test_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    print_metrics(found(10))
    last = capsys.readouterr().out.splitlines()[-1]
    labels = 'cluster="lab",host="cp1",path="/etc/10.crt"'
    assert last == f"kubikk_certificate_expiry_seconds{{{labels}}} {(NOW + timedelta(days=10)).timestamp():.0f}"
