"""The page in a real browser, where one is installed: nothing sticks out on a phone, and the console stays silent."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest

from harness.report import write_report

_BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(_BROWSER is None, reason="no Chromium")

# Headless windows are never narrower than 500 px, a frame is.
_FRAME = """<!doctype html><iframe id="f" src="page.html" width="{width}" height="800"></iframe><pre id="found"></pre><script>
onload = () => {{
  const page = document.getElementById("f").contentDocument, root = page.documentElement;
  const sizes = [root.scrollWidth];
  page.querySelectorAll("details").forEach(one => one.open = true);
  sizes.push(root.scrollWidth);
  const named = page.querySelectorAll("[role=region] table").length;
  document.getElementById("found").textContent = JSON.stringify({{sizes, named, height: root.scrollHeight}});
}};
</script>"""


@pytest.mark.parametrize("width", [375, 1000])
def test_nothing_sticks_out_and_nothing_fails(lamp: tuple[Path, dict[str, Path]], tmp_path: Path, width: int) -> None:
    golds, systems = lamp
    write_report(
        tmp_path / "page.html", golds, {**systems, "name_without_a_space" * 6: systems["base"]}, n_bootstrap=20
    )
    (tmp_path / "frame.html").write_text(_FRAME.format(width=width), encoding="utf-8")
    run = subprocess.run(
        [
            str(_BROWSER),
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--allow-file-access-from-files",
            "--enable-logging=stderr",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--window-size=1200,900",
            "--virtual-time-budget=10000",
            "--dump-dom",
            f"file://{tmp_path / 'frame.html'}",
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    found = re.search(r'<pre id="found">(\{.*?\})</pre>', run.stdout)
    assert found, run.stderr[-2000:]
    sizes = json.loads(unescape(found[1]))
    assert all(size <= width for size in sizes["sizes"]) and sizes["named"] > 4 and sizes["height"] > 2000
    assert "CONSOLE" not in run.stderr
