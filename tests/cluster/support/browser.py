"""Looks at a page in a real browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

_PACKAGES = ("chromium", "fonts-dejavu-core")
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
_MEASURED = re.compile(r'<pre id="measured">(.*?)</pre>', re.DOTALL)
_CONSOLE = re.compile(r'CONSOLE[^"]*"(.*)", source')

# What a person would see at a glance: what lies on what, and what sticks out.
_MEASURE = """
<script>
addEventListener("load", () => {
  const box = node => {
    const r = node.getBoundingClientRect();
    return [r.left, r.top, r.right, r.bottom].map(Math.round);
  };
  const texts = [...document.querySelectorAll("svg text")].map(node => ({text: node.firstChild.data, box: box(node)}));
  const overlapping = [];
  texts.forEach((a, i) => texts.slice(i + 1).forEach(b => {
    if (a.box[0] < b.box[2] && b.box[0] < a.box[2] && a.box[1] + 2 < b.box[3] && b.box[1] + 2 < a.box[3])
      overlapping.push([a.text, b.text]);
  }));
  const bars = [...document.querySelectorAll("svg .bar")].map(node => {
    const label = node.querySelector("text");
    return {host: node.dataset.host, phase: node.dataset.phase, state: node.classList[2],
            box: box(node.querySelector("rect")), label: label ? label.textContent : "",
            labelBox: label ? box(label) : null};
  });
  const style = getComputedStyle(document.body);
  const svg = document.querySelector("svg");
  const result = {
    texts, overlapping, bars, svg: svg ? box(svg) : null, color: style.color, background: style.backgroundColor,
    resources: performance.getEntriesByType("resource").map(entry => entry.name),
    scripts: document.scripts.length - 1, width: document.documentElement.scrollWidth, visible: document.body.innerText,
    hosts: [...document.querySelectorAll("svg .host")].map(node => ({text: node.firstChild.data, box: box(node)})),
  };
  const out = document.createElement("pre");
  out.id = "measured";
  out.textContent = JSON.stringify(result);
  document.body.append(out);
});
</script></body>"""


@dataclass(frozen=True)
class Look:
    """What there was to see.

    Attributes:
        console: the browser's own complaints, and what scripts wrote.
        measured: positions of bars and labels, colours, what was loaded.
    """

    console: list[str]
    measured: dict[str, Any]


class Browser:
    """Headless Chromium, installed where it is missing.

    Raises:
        AssertionError: it is not there and cannot be installed.
    """

    def __init__(self) -> None:
        if shutil.which("chromium") is None:
            install = [
                "apt-get",
                "-o",
                "DPkg::Lock::Timeout=300",
                "-qy",
                "--no-install-recommends",
                "install",
                *_PACKAGES,
            ]
            if subprocess.run(install, check=False, capture_output=True).returncode != 0:
                subprocess.run(["apt-get", "-q", "update"], check=True, capture_output=True)
                subprocess.run(install, check=True, capture_output=True)
        program = shutil.which("chromium")
        assert program, "there is no chromium"
        self._program = program

    def look(self, page: Path, *, dark: bool = False, width: int = 1500) -> Look:
        """Opens a page and measures it.

        Args:
            page: an HTML file. Its policy forbids scripts: it is opened as it is for what the browser complains of, and
                a copy without policy is measured.
            dark: whether the system asks for dark colours.
            width: of the window, in pixels.
        """
        as_it_is = self._run(["--dump-dom"], page, dark=dark, width=width)
        with tempfile.TemporaryDirectory(prefix="kubikk-page-") as name:
            copy = Path(name) / "page.html"
            text = page.read_text()
            assert _POLICY.search(text), "the page has no policy"
            copy.write_text(_POLICY.sub("", text).replace("</body>", _MEASURE))
            measured = self._run(["--dump-dom", "--virtual-time-budget=3000"], copy, dark=dark, width=width)
        found = _MEASURED.search(measured.stdout)
        assert found, f"nothing was measured:\n{measured.stderr}"
        return Look(_CONSOLE.findall(as_it_is.stderr), json.loads(unescape(found[1])))

    def photograph(
        self, page: Path, picture: Path, *, dark: bool = False, width: int = 1500, height: int = 1400
    ) -> None:
        """Takes a picture (PNG) of a page.

        Args:
            page: an HTML file.
            picture: the file to write.
            dark: whether the system asks for dark colours.
            width: of the window, in pixels.
            height: of the window, in pixels.
        """
        self._run([f"--screenshot={picture}"], page, dark=dark, width=width, height=height)

    def _run(
        self, arguments: list[str], page: Path, *, dark: bool, width: int, height: int = 1400
    ) -> subprocess.CompletedProcess[str]:
        with tempfile.TemporaryDirectory(prefix="kubikk-chromium-") as profile:
            command = [self._program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
            command += ["--disable-background-networking", "--disable-component-update", "--no-first-run"]
            command += ["--enable-logging=stderr", f"--user-data-dir={profile}", f"--window-size={width},{height}"]
            command += ["--force-dark-mode"] if dark else []
            return subprocess.run(
                [*command, *arguments, page.as_uri()], check=True, capture_output=True, text=True, timeout=120
            )
