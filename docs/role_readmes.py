"""Writes roles/*/README.md from the roles' argument specs, defaults and descriptions: `make docs`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROLES = Path(__file__).parents[1] / "roles"


def text(value: str | list[str]) -> str:
    """A description of an argument spec, with Ansible's C() and V() marks as Markdown's."""
    joined = " ".join(value) if isinstance(value, list) else value
    for mark in ("C(", "V("):
        while mark in joined:
            before, rest = joined.split(mark, 1)
            inside, after = rest.split(")", 1)
            joined = f"{before}`{inside}`{after}"
    return joined.replace("|", "\\|")


def default(value: Any) -> str:
    """A default as one line; what is long or computed is said to be so."""
    if isinstance(value, str) and "{{" in value:
        return "from the inventory"
    line = yaml.safe_dump(value, default_flow_style=True, width=1000).removesuffix("\n...\n").strip()
    return f"`{line}`" if len(line) <= 60 else "see [defaults/main.yml](defaults/main.yml)"


def render(role: Path) -> str:
    """The README of one role."""
    spec = yaml.safe_load((role / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]
    defaults = yaml.safe_load((role / "defaults/main.yml").read_text()) or {}
    lines = [f"# {role.name}", "", text(spec["short_description"]) + ".", ""]
    lines += [text(line) for line in spec["description"]]
    lines += ["", "| variable | type | default | |", "|---|---|---|---|"]
    for name, option in spec["options"].items():
        kind = option["type"] + (f" of {option['elements']}" if "elements" in option else "")
        choices = f" One of {', '.join(f'`{choice}`' for choice in option['choices'])}." if "choices" in option else ""
        shown = default(defaults[name]) if name in defaults else "required" if option.get("required") else ""
        lines.append(f"| `{name}` | {kind} | {shown} | {text(option['description'])}{choices} |")
    lines += ["", "Written by `make docs` from `meta/argument_specs.yml` and `defaults/main.yml`."]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Writes all of them."""
    for role in sorted(path for path in ROLES.iterdir() if path.is_dir()):
        (role / "README.md").write_text(render(role))


if __name__ == "__main__":
    main()
