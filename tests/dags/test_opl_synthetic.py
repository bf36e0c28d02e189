"""The synthetic benchmark as a user runs it: mapped over settings and seeds, reused, extended by a seed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.airflow
PRESET = """
summary: two settings, two seeds
seeds: [0, 1]
grid:
  synthetic.run: [{n_rounds: [60, 120]}]
steps:
  synthetic.run:
    n_actions: 6
    n_contexts: 30
    n_online_contexts: 40
    learners:
      online: {method: online, n_steps: 40, eval_every: 20}
      ips_published: {method: ips, published: true, n_steps: 40, eval_every: 20}
      sentence_greedy: {method: sentence_greedy, reward_model: bilinear}
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "LAMPWORKS_STORE": str(folder / "store"),
        "AIRFLOW_HOME": str(folder / "airflow"),
    }
    command = [sys.executable, str(ROOT / "lampworks.py"), "run", "opl_synthetic", "--preset", str(folder / "p.yaml")]
    return subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("synthetic")
    (made / "p.yaml").write_text(PRESET)
    return made


@pytest.fixture(scope="module")
def first(folder) -> subprocess.CompletedProcess[str]:
    done = run(folder)
    assert done.returncode == 0, done.stderr[-3000:]
    return done


def test_a_run_ends_with_tables_and_a_page(first) -> None:
    assert "published n_rounds=60, 2 seeds" in first.stdout
    assert "Sentence greedy" in first.stdout and "IPS), as published" in first.stdout
    page = Path(first.stdout.rsplit("Report: ", 1)[1].split()[0])
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_another_seed_costs_only_its_own_runs(folder, first) -> None:
    done = run(folder, "--json", "--set", "seeds=[0, 1, 2]")
    assert done.returncode == 0, done.stderr[-3000:]
    events = [event for event in json.loads(done.stdout) if "name" in event]
    made = [event["step"] for event in events if event["cached"] is False]
    assert sorted(step for step in made if step.startswith("run[")) == ["run[2]", "run[5]"]
    assert {"results", "report"} <= set(made)
    assert sum(event["step"].startswith("score[") for event in events) == 6


def test_mistakes_are_told_before_anything_runs(folder) -> None:
    done = run(folder, "--set", "synthetic.run.n_actions=1")
    assert done.returncode == 2
    assert "synthetic.run: n_actions: Input should be greater than or equal to 2" in done.stderr
    assert "Traceback" not in done.stderr
    done = run(folder, "--set", 'grid={"synthetic.run": [{"n_round": [3]}]}')
    assert done.returncode == 2
    assert "unknown key n_round (did you mean n_rounds?)" in done.stderr
