"""Stands in for the go program: knows modules from a directory, and "compiles" by writing what it was asked to.

Environment: FAKE_GO_STATE, a directory with ``modules/<path>@<version>/`` and ``calls.jsonl``; FAKE_GO_FAIL, a word; a
``go build`` with that word in a package's name fails; FAKE_GO_HANG, likewise, never ends.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

STATE = Path(os.environ["FAKE_GO_STATE"])


def download(module: str) -> None:
    directory = STATE / "modules" / module
    if not directory.is_dir():
        sys.exit(f"go: {module}: no such module")
    # As with go itself, each module has a file of its own: several are downloaded at a time.
    info = STATE / f"{module.replace('/', '_')}.info"
    info.write_text(json.dumps({"Version": module.split("@")[1], "Time": "2026-01-02T03:04:05Z"}))
    print(json.dumps({"Dir": str(directory), "Info": str(info)}))


def edit_json(path: str) -> None:
    words = [line.split() for line in Path(path).read_text().splitlines()]
    replaces = [{"Old": {"Path": line[1]}, "New": {"Path": line[3]}} for line in words if line and line[0] == "replace"]
    print(json.dumps({"Go": next(line[1] for line in words if line and line[0] == "go"), "Replace": replaces}))


def build(arguments: list[str]) -> None:
    packages = [each for each in arguments if not each.startswith("-") and "/" in each and not each.endswith("/")]
    output = Path(arguments[arguments.index("-o") + 1])
    for package in packages:
        print(package, file=sys.stderr, flush=True)
        if os.environ.get("FAKE_GO_HANG", "nothing") in package:
            (STATE / "starting").write_text(str(os.getpid()))
            (STATE / "starting").rename(STATE / "hanging")
            time.sleep(60)
        if os.environ.get("FAKE_GO_FAIL", "nothing") in package:
            sys.exit(f"{package}/main.go:1:1: syntax error")
        parts = package.split("/")
        name = parts[-2] if parts[-1].startswith("v") and parts[-1][1:].isdigit() else parts[-1]
        (output / name).write_text(f"{package} {os.environ['GOARCH']}")


def main(arguments: list[str]) -> None:
    with (STATE / "calls.jsonl").open("a") as file:
        watched = ("GOCACHE", "GOMODCACHE", "CGO_ENABLED", "GOARCH", "GOPROXY", "GOROOT")
        env = {name: os.environ[name] for name in watched if name in os.environ}
        file.write(json.dumps({"arguments": arguments, "env": env, "cwd": str(Path.cwd())}) + "\n")
    match arguments:
        case ["env", "GOVERSION"]:
            print(os.environ.get("FAKE_GO_VERSION", "go1.99.0"))
        case ["mod", "download", *_, module]:
            download(module)
        case ["mod", "edit", "-json", path]:
            edit_json(path)
        case ["list", *_]:
            print("true\ntrue\nfalse\nfalse")
        case ["build", *rest]:
            build(rest)


main(sys.argv[1:])
