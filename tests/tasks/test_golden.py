"""A small golden run of the tasks: when what a task computes changes, its version in the registry must go up.

After a deliberate change raise the version, then write the new values with `python -m tests.tasks.test_golden`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from store import Store
from tasks.api import Runtime
from tasks.registry import TASKS
from tasks.runner import prepare, run_job
from tests.tasks.opl.made_pipeline import pipeline

GOLDEN = Path(__file__).with_name("golden.json")
# Sums of floats differ in their last bits between processors, and training carries that on.
TOLERANCE = 1e-2


def measure(root: Path) -> dict[str, dict[str, object]]:
    """By artifact: the version of its task, and its metrics or, where all of it is text, its digest."""
    keywords = run_job(prepare("prompts.keywords", {"limit": 16}, {}), Store.open(str(root / "k")), Runtime()).artifact
    found: dict[str, dict[str, object]] = {
        "prompts/keywords": {"version": TASKS["prompts.keywords"].version, "digest": keywords.digest}
    }
    for name, artifact in sorted(pipeline(root / "p").items()):
        if name.startswith("opl/"):
            task = "opl.learn" if name.startswith("opl/policy/") else name.replace("/", ".")
            found[name] = {"version": TASKS[task].version, "metrics": artifact.manifest.made_by.metrics}
    return found


@pytest.fixture(scope="module")
def measured(tmp_path_factory) -> dict[str, dict[str, object]]:
    return measure(tmp_path_factory.mktemp("golden"))


@pytest.mark.parametrize("name", sorted(json.loads(GOLDEN.read_text())))
def test_the_same_version_computes_the_same(measured, name):
    golden, now = json.loads(GOLDEN.read_text())[name], measured[name]
    assert now["version"] == golden["version"], "the version went up: write the golden values anew"
    advice = f"{name}: the output changed and its version did not; raise it in tasks/registry.py"
    assert now.get("digest") == golden.get("digest"), advice
    for metric, value in golden.get("metrics", {}).items():
        assert now["metrics"][metric] == pytest.approx(value, rel=TOLERANCE, abs=TOLERANCE), f"{advice} ({metric})"


if __name__ == "__main__":
    import tempfile

    sys.stderr.write("writing tests/tasks/golden.json\n")
    with tempfile.TemporaryDirectory() as folder:
        GOLDEN.write_text(json.dumps(measure(Path(folder)), indent=1, sort_keys=True) + "\n")
