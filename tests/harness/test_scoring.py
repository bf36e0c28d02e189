"""The whole way: results that repeat to the byte, tables, the command, and how fast it starts."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import numpy as np
import pytest

import harness
from harness import HarnessError, Result, registry, score
from harness.cli import main, score_command
from harness.render import render

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str, hash_seed: str = "0") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=environment, check=False)


def test_result_holds_what_repeats_it(example: tuple[Path, Path]) -> None:
    result = score(*example, n_bootstrap=100, seed=3)
    table = json.loads(result.to_json())
    assert set(table) == {field.name for field in fields(Result)} - {"per_sample"}
    assert (table["task"], table["task_version"], table["n"], table["n_clusters"]) == ("opl_policy", 1, 6, 3)
    assert list(table["metrics"]) == sorted(metric.name for metric in registry.get("opl_policy").metrics)
    for metric in table["metrics"].values():
        assert metric["standard_error"] > 0 and metric["interval"][0] <= metric["interval"][1]
    with pytest.raises(FrozenInstanceError):
        result.n = 7  # type: ignore[misc]
    assert harness.__version__ == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_json_is_the_same_bytes_in_every_process(example: tuple[Path, Path]) -> None:
    arguments = ("-m", "harness", "--golds", str(example[0]), "--preds", str(example[1]), "--json", "--per-sample")
    outputs = {run(*arguments, hash_seed=hash_seed).stdout for hash_seed in ("0", "1", "random")}
    assert len(outputs) == 1
    assert outputs.pop() == score(*example, per_sample=True).to_json()


def test_seed_moves_the_interval_alone(score_policy: Callable[..., Result]) -> None:
    rewards = np.random.default_rng(0).random((30, 4))
    first, second, again = (score_policy(rewards, [0] * 30, seed=seed).metrics["regret"] for seed in (1, 2, 1))
    assert (first.value, first.standard_error) == (second.value, second.standard_error)
    assert first.interval != second.interval and first == again


def test_what_has_no_spread_says_so(score_policy: Callable[..., Result]) -> None:
    alone = score_policy(np.eye(3), [0, 0, 0], users=["u", "u", "u"]).metrics["optimality"]
    assert (alone.standard_error, alone.interval, alone.note) == (None, None, "a single user or sample has no spread")
    none = score_policy(np.eye(3), [0, 0, 0], n_bootstrap=0).metrics["optimality"]
    assert none.interval is None and none.note is None and none.standard_error is not None
    flat = score_policy(np.array([[0.1, 0.1, 0.1], [0, 1, 0]]), [0, 0]).metrics["optimality"]
    assert flat.interval is None and "undefined in" in str(flat.note)


@pytest.mark.parametrize("options", [{"n_bootstrap": -1}, {"n_bootstrap": 10**9}, {"seed": -1}])
def test_refuses_options(example: tuple[Path, Path], options: dict[str, int]) -> None:
    with pytest.raises(HarnessError, match="give 0 to 100,000 resamples and a seed from 0"):
        score(*example, **options)  # type: ignore[arg-type]


def test_command_prints_a_table_and_writes_json(
    example: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score_command(*example, output=tmp_path / "scores.json") == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("opl_policy version 1, 6 samples, 3 clusters by user_id\n")
    assert "optimality *" in printed.out and "\x1b" not in printed.out and printed.err == ""
    assert (tmp_path / "scores.json").read_text() == score(*example).to_json()


def test_a_mistake_is_one_line_and_exit_2(
    example: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = str(tmp_path / "no" / "scores.json")
    for arguments in (
        ["--golds", str(example[0]), "--preds", "no.zip", "--output", str(tmp_path / "x.json")],
        ["--golds", str(example[0]), "--preds", str(example[1]), "--output", missing],
        ["--golds", str(example[0]), "--preds", str(example[1]), "--task", "opl"],
    ):
        assert main(arguments) == 2
        printed = capsys.readouterr()
        assert printed.out == "" and printed.err.startswith("error: ") and printed.err.count("\n") == 1
    assert not (tmp_path / "x.json").exists()
    whole = run("-m", "harness", "--golds", "no.zip", "--preds", "no.zip")
    assert whole.returncode == 2 and whole.stderr == "error: golds no.zip: No such file or directory\n"


def test_a_terminal_gets_a_rich_table(example: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("COLUMNS", "120")
    stream = Terminal()
    render(score(*example), stream)
    assert "optimality *" in stream.getvalue() and "┃" in stream.getvalue()


@pytest.mark.parametrize(
    ("imported", "absent"),
    [
        ("harness", "numpy rich pydantic typer json zipfile argparse importlib.metadata"),
        ("harness.cli, harness.registry, harness.opl, harness.errors", "numpy rich pydantic typer json zipfile"),
        (
            "harness.scoring, harness.render, harness.opl.task, harness.envelope_writer",
            "rich pydantic scipy torch pandas",
        ),
    ],
)
def test_imports_stay_light(imported: str, absent: str) -> None:
    loaded = run("-c", f"import sys, {imported}; print(*sys.modules)").stdout.split()
    assert "harness" in loaded
    assert not set(absent.split()) & set(loaded)
    assert not {name for name in loaded if name.split(".")[0] in ("store", "tasks", "expectations", "spark_jobs")}


def test_registry_suggests() -> None:
    assert registry.names() == ["opl_policy"]
    assert registry.get("opl_policy").higher_is_better
    with pytest.raises(HarnessError, match=r"unknown task 'opl_polcy': did you mean 'opl_policy'\?"):
        registry.get("opl_polcy")
    with pytest.raises(AttributeError, match="has no attribute 'scores'"):
        harness.scores  # noqa: B018


def test_the_example_of_the_docs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "docs" / "scoring.md").read_text(encoding="utf-8")
    code, table = (text.split(f"```{language}\n")[1].split("```")[0] for language in ("python", "text"))
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    assert main(["--golds", "golds.zip", "--preds", "preds.zip"]) == 0
    assert capsys.readouterr().out == table
