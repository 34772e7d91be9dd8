"""Runs on a host: state, version and health of every component, and the certificates there. Changes nothing.

``INPUT`` is {components: [{name, unit, binary, health}], certificates: [glob pattern]}. A health check is
{url, ca, cert, key, expect}, {command: [argument]}, {file: path} or null.
"""

# ruff: noqa: B905 - zip() has no strict in Python 3.9

from __future__ import annotations

import json
import os
import re
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

INPUT: dict[str, Any] = globals().get("INPUT", {})
TIMEOUT = 5
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.DOTALL)
LONGEST = 300


def units(names: list[str]) -> dict[str, dict[str, str]]:
    """What systemd knows of services."""
    properties = "LoadState,ActiveState,SubState,UnitFileState,ActiveEnterTimestampMonotonic,NRestarts"
    command = ["systemctl", "show", "--property=" + properties, *[f"{name}.service" for name in names]]
    try:
        text = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired):
        return {}
    blocks = [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in text.split("\n\n")]
    return dict(zip(names, blocks))


def version(binary: str) -> str:
    """The version a symlink in /usr/local/bin points to: /opt/kubikk/<component>/<version>/<file>."""
    try:
        target = os.path.realpath(binary)
    except OSError:
        return ""
    match = re.fullmatch(r"/opt/kubikk/[^/]+/([^/]+)/[^/]+", target)
    return match.group(1) if match and Path(target).exists() else ""


def own_version(command: list[str]) -> str:
    """The version that a program of the distribution tells of itself."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    match = re.search(r"\bv?(\d+\.\d+[.\d]*)", done.stdout + done.stderr)
    return match.group(1) if match else ""


def fetch(check: dict[str, Any]) -> str:
    """What is wrong with a health endpoint; "" where nothing is."""
    # Whatever proxy the host is set up with, these addresses are its own.
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    if check["url"].startswith("https"):
        for kind in ("ca", "cert", "key"):
            if check.get(kind):
                # Without this, a missing file's error does not say which it is.
                Path(check[kind]).stat()
        context = ssl.create_default_context(cafile=check["ca"])
        if check.get("cert"):
            context.load_cert_chain(check["cert"], check["key"])
        handlers.append(urllib.request.HTTPSHandler(context=context))
    try:
        with urllib.request.build_opener(*handlers).open(check["url"], timeout=TIMEOUT) as answer:
            text = answer.read(65536).decode(errors="replace")
    except urllib.error.HTTPError as error:
        said = error.read(65536).decode(errors="replace").strip()
        return f"answers {error.code}: {short(said) or error.reason}"
    expected = check.get("expect") or ""
    return "" if expected in text else "answers " + short(text)


def short(text: str) -> str:
    """Failed lines of a list of checks, or the beginning."""
    failed = [line for line in text.splitlines() if line.startswith("[-]")]
    return "; ".join(failed)[:LONGEST] if failed else " ".join(text.split())[:LONGEST]


def examine(check: dict[str, Any]) -> str:
    """What a health check finds; it may raise."""
    if "url" in check:
        return fetch(check)
    if "file" in check:
        Path(check["file"]).stat()
        return ""
    done = subprocess.run(check["command"], capture_output=True, text=True, check=False, timeout=TIMEOUT)
    return "" if done.returncode == 0 else short(done.stderr or done.stdout) or f"exit status {done.returncode}"


def health(check: dict[str, Any] | None) -> str:
    """What is wrong with a component; "" where nothing is known to be."""
    try:
        return examine(check) if check else ""
    except FileNotFoundError as error:
        return f"{error.filename or 'a file'} does not exist"
    except subprocess.TimeoutExpired:
        return f"no answer within {TIMEOUT} s"
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        return f"does not answer: {reason}"


def certificates() -> dict[str, str]:
    """The certificates on this host, path -> PEM; whatever else is in a file stays here."""
    found = {}
    for pattern in INPUT["certificates"]:
        for path in Path("/").glob(pattern.lstrip("/")):
            try:
                match = CERTIFICATE.search(path.read_text(errors="replace"))
            except OSError:
                continue
            if match:
                found[str(path)] = match.group(0)
    return found


def main() -> None:
    """Looks at everything."""
    components = INPUT["components"]
    states = units([item["unit"] for item in components])
    with ThreadPoolExecutor(max_workers=8) as pool:
        problems = list(pool.map(health, [item["health"] for item in components]))
    found = {}
    for item, problem in zip(components, problems):
        state = states.get(item["unit"], {})
        entered = int(state.get("ActiveEnterTimestampMonotonic") or 0) / 1e6
        found[item["name"]] = {
            "installed": state.get("LoadState") == "loaded",
            "active": state.get("ActiveState", "unknown"),
            "detail": state.get("SubState", ""),
            "enabled": state.get("UnitFileState", "") == "enabled",
            "restarts": int(state.get("NRestarts") or 0),
            "seconds": time.monotonic() - entered if entered else None,
            "version": own_version(item["version"]) if item.get("version") else version(item["binary"]),
            "problem": problem,
        }
    print(json.dumps({"components": found, "certificates": certificates(), "time": time.time()}), flush=True)


if __name__ == "__main__":
    main()
