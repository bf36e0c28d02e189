"""The whole way: results that repeat to the byte, tables, the command, and how fast it starts."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import numpy as np
import pytest

import harness
from harness import (
    HarnessError,
    Result,
    SubmissionError,
    compare,
    registry,
    score,
    write_envelope,
    write_envelopes,
)
from harness.cli import main

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str, hash_seed: str = "0") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=environment, check=False)


def test_result_holds_what_repeats_it(example: tuple[Path, Path]) -> None:
    scores = score(*example, n_bootstrap=100, seed=3)
    result = scores.only
    table = json.loads(scores.to_json())["results"]["opl_policy"]
    assert table == json.loads(result.to_json()) and list(scores) == ["opl_policy"] and len(scores) == 1
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


@pytest.mark.parametrize(
    "options", [{"n_bootstrap": -1}, {"n_bootstrap": 10**9}, {"seed": -1}, {"seed": 0.5}, {"seed": True}]
)
def test_refuses_options(example: tuple[Path, Path], options: dict[str, int]) -> None:
    with pytest.raises(HarnessError, match=r"is .*: give an integer from 0 to"):
        score(*example, **options)  # type: ignore[arg-type]


def test_command_prints_a_table_and_writes_bare_values(
    example: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--golds", str(example[0]), "--preds", str(example[1])]
    assert main([*arguments, "--output", str(tmp_path / "scores.json")]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("opl_policy version 1, 6 samples, 3 clusters by user_id\n")
    assert "optimality *" in printed.out and "\x1b" not in printed.out and printed.err == ""
    assert json.loads((tmp_path / "scores.json").read_text()) == {"opl_policy": score(*example).only.bare()}
    assert main(["score", *arguments, "--json"]) == 0
    assert capsys.readouterr().out == score(*example).to_json()


def lamp(path: Path, **tasks: dict[str, object]) -> Path:
    """A zip of LaMP outputs: task -> id -> output."""
    write_envelopes(path, {task: [{"id": i, "output": o} for i, o in items.items()] for task, items in tasks.items()})
    return path


def test_all_tasks_of_the_golds_are_scored(tmp_path: Path) -> None:
    golds = lamp(tmp_path / "g.zip", LaMP_1={"1": "[1]", "2": "[2]"}, LaMP_4={"1": "a b", "2": "c"}, LaMP_3={"1": "3"})
    preds = lamp(tmp_path / "p.zip", LaMP_4={"1": "a"}, LaMP_1={"1": "[1]", "2": "[1]"})
    with pytest.raises(SubmissionError, match="holds no 'LaMP_3'; add what is missing$"):
        score(golds, preds)
    with pytest.raises(SubmissionError, match=r"1 id is missing: '2'; give each gold id once$"):
        score(golds, preds, task="LaMP-4")
    assert list(score(golds, preds, task="LaMP-1")) == ["LaMP_1"]
    scores = score(golds, preds, allow_missing=True)
    assert (list(scores), scores.missing) == (["LaMP_1", "LaMP_4"], ("LaMP_3",))
    partial = scores["LaMP_4"]
    assert (partial.n, partial.n_golds, partial.metrics["rouge-1"].value) == (1, 2, 2 / 3)
    assert partial.notes == ("1 of 2 golds (50.0 %) have no prediction and are not scored: '2'",)
    assert scores.to_dict()["missing_tasks"] == ["LaMP_3"]
    with pytest.raises(SubmissionError, match="its task is 'LaMP_5', but the golds hold 'LaMP_1', 'LaMP_3', 'LaMP_4'"):
        score(golds, lamp(tmp_path / "q.zip", LaMP_5={"1": "a"}), allow_missing=True)
    with pytest.raises(SubmissionError, match="holds 'LaMP_1', 'LaMP_4', but 'LaMP_3' is to be scored"):
        score(golds, preds, task="LaMP_3", allow_missing=True)
    with pytest.raises(HarnessError, match="unknown task 'Foo'"):
        score(lamp(tmp_path / "f.zip", Foo={"1": "a"}), preds)


def test_a_choice_of_samples_that_cannot_be_scored_is_the_submitters_fault(tmp_path: Path) -> None:
    write_envelope(tmp_path / "g.zip", "click", [{"id": "1", "output": [0, 1]}, {"id": "2", "output": [0, 0]}])
    write_envelope(tmp_path / "p.zip", "click", [{"id": "2", "output": [0.1, 0.2]}])
    with pytest.raises(
        SubmissionError, match="the samples it answers cannot be scored by themselves; answer all of them"
    ):
        score(tmp_path / "g.zip", tmp_path / "p.zip", allow_missing=True)


def test_options_reach_every_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    golds = lamp(tmp_path / "g.zip", LaMP_4={str(i): f"a b {i}" for i in range(9)})
    one, two = (lamp(tmp_path / f"{n}.zip", LaMP_4={str(i): f"a {i} {n}" for i in range(9)}) for n in ("one", "two"))
    both = ["--golds", str(golds), "--preds", str(one), str(two), "--n-bootstrap", "50"]
    for option, begins in {"--json": "{", "--markdown": "|", "--latex": "%", "--csv": "system"}.items():
        assert main([*both, option, "-o", str(tmp_path / "values.json")]) == 0
        assert capsys.readouterr().out.startswith(begins)
        assert set(json.loads((tmp_path / "values.json").read_text())) == {"one", "two"}
    comparison = compare(golds, {"one": one, "two": two}, n_bootstrap=50)
    assert main([*both, "--json"]) == 0 and capsys.readouterr().out == comparison.to_json()
    assert main([*both[:4], "--anchors"]) == 0 and "arXiv 2404.05970" in capsys.readouterr().out
    assert main([*both[:4], "--rouge", "reference", "--seed", "7"]) == 0
    assert "median of 1000 resamples as in LaMP's scorer, seed 7" in capsys.readouterr().out
    assert main([*both[:5], str(one)]) == 2 and "given more than once" in capsys.readouterr().err
    assert main([*both, "-o", str(tmp_path)]) == 2 and "is not the name of a file" in capsys.readouterr().err
    assert main([*both, "--report", str(tmp_path / "report.html")]) == 0
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")


def test_no_system_takes_the_name_of_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    golds = lamp(tmp_path / "g.zip", LaMP_3={"1": "3"})
    paths = []
    for number, name in enumerate(("a.zip", "d/a.zip", "a.zip.zip")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        paths.append(str(lamp(tmp_path / name, LaMP_3={"1": str(number)})))
    assert main(["-g", str(golds), "-p", paths[0], "-p", *paths[1:], "--csv", "--n-bootstrap", "0"]) == 0
    rows = [line.split(",")[:4] for line in capsys.readouterr().out.splitlines() if ",MAE," in line]
    assert [(row[0], float(row[3])) for row in rows] == list(zip(paths, (3.0, 2.0, 1.0), strict=True))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["-o", "{p}"], "is {p}, which is used already; name another file"),
        (["--report", "{g}"], "is {g}, which is used already"),
        (["-o", "{d}/x", "--report", "{d}/x"], "is {d}/x, which is used already"),
        (["-o", "{p}/x.json"], "there is no directory {p}; make it first"),
        (["-o", "-"], "is not the name of a file"),
        (["--golds", "{g}"], "--golds is given twice; give it once"),
        (["--seed", "x"], "argument --seed: invalid int value: 'x'; see python -m harness score --help"),
        (["--tas", "LaMP_4"], "unrecognized arguments: --tas LaMP_4"),
        (["--per-sample"], "--per-sample goes with --json alone"),
        (["--csv", "--anchors"], "--anchors with --csv"),
        (["-p", ""], "predictions '': give the path of a file"),
        (["-p", "x.jsonl"], "lampworks make-predictions TASK=x.jsonl -o preds.zip"),
        (["--task", "lamp-4"], "unknown task 'lamp-4': did you mean 'LaMP_4'?"),
    ],
)
def test_refuses_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], message: str) -> None:
    golds, preds = (lamp(tmp_path / f"{name}.zip", LaMP_4={"1": name}) for name in "gp")
    places = {"g": str(golds), "p": str(preds), "d": str(tmp_path)}
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert main(["-g", str(golds), "-p", str(preds), *[word.format(**places) for word in more]]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("error: ") and printed.err.count("\n") == 1 and printed.out == ""
    assert message.format(**places) in printed.err
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_output_that_cannot_be_written_is_no_traceback(tmp_path: Path) -> None:
    golds, preds = (lamp(tmp_path / f"{name}.zip", LaMP_4={"1": f"{name} a"}) for name in "gp")
    command = f"{sys.executable} -m harness -g {golds} -p {preds}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""}

    def shell(line: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", line], capture_output=True, text=True, env={**environment, **more}, check=False
        )

    full = shell(f"{command} > /dev/full")
    assert full.returncode == 2 and full.stderr == "error: standard output: No space left on device\n"
    assert shell(f"{command} >&-").stderr == ""
    assert shell(f"{command} --markdown | true").stderr == ""
    ascii_only = shell(f"{command} --markdown", PYTHONIOENCODING="ascii")
    assert (ascii_only.returncode, ascii_only.stderr) == (0, "") and "rouge-1 ?" in ascii_only.stdout
    shell(f"{command} -o /dev/stdout > {tmp_path}/log.txt")
    assert "rouge-1 *" in (tmp_path / "log.txt").read_text() and '"rouge-1": ' in (tmp_path / "log.txt").read_text()


def test_ctrl_c_stops_in_one_line(tmp_path: Path) -> None:
    golds = lamp(tmp_path / "g.zip", LaMP_4={"1": "a"})
    command = [sys.executable, "-m", "harness", "-g", str(golds), "-p", "-"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, text=True)
    time.sleep(1.5)  # it waits for its input by then, or still starts; both must end without a traceback
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 130 and told in ("", "stopped; nothing was written\n")


def test_scores_are_found_by_either_spelling_and_print_as_a_table(tmp_path: Path) -> None:
    golds, preds = (lamp(tmp_path / f"{name}.zip", LaMP_4={"1": f"{name} a"}) for name in "gp")
    scores = score(golds, preds)
    assert scores["LaMP-4"] is scores["LaMP_4"] and "LaMP_5" not in scores and scores.get("Foo") is None
    assert str(scores).startswith("LaMP_4 version 1, 1 sample")


def test_what_a_notebook_gets_wrong(tmp_path: Path) -> None:
    golds = lamp(tmp_path / "g.zip", LaMP_4={"1": "a"})
    for wrong in (None, ["p.zip"], {"a": 1}):
        with pytest.raises(HarnessError, match="predictions .*: give the path of a file"):
            score(golds, wrong)  # type: ignore[arg-type]
    for wrong in ({}, ["p.zip"], {1: "p.zip"}):
        with pytest.raises(HarnessError, match="systems are given by name"):
            compare(golds, wrong)  # type: ignore[arg-type]
    with pytest.raises(HarnessError, match="the task is None: give its name"):
        registry.get(None)  # type: ignore[arg-type]


def test_reference_rouge_takes_the_order_of_the_file(tmp_path: Path) -> None:
    outputs = {str(i): "a b" + " x" * (i % 7) for i in range(30)}
    preds = lamp(tmp_path / "p.zip", LaMP_4={i: f"a x {i}" for i in outputs})
    ahead = lamp(tmp_path / "g.zip", LaMP_4=outputs)
    back = lamp(tmp_path / "b.zip", LaMP_4=dict(reversed(outputs.items())))
    medians = [score(golds, preds, rouge="reference").only.bare() for golds in (ahead, back)]
    means = [score(golds, preds).only.bare() for golds in (ahead, back)]
    assert medians[0] != medians[1] and means[0] == means[1]
    assert score(ahead, preds, rouge="reference").only.compat == ("reference_rouge",)


def test_validate_checks_and_scores_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    golds = lamp(tmp_path / "g.zip", LaMP_3={"1": "3", "2": "4"}, LaMP_4={"1": "a"})
    preds = lamp(tmp_path / "p.zip", LaMP_3={"1": "three"})
    assert main(["validate", str(preds), "--golds", str(golds)]) == 2
    told = capsys.readouterr().err
    assert "holds no 'LaMP_4'; add what is missing, or take less with --task or --allow-missing" in told
    assert main(["validate", str(preds), "--golds", str(golds), "--allow-missing"]) == 0
    told = capsys.readouterr().out
    assert (
        told.startswith("LaMP_3: 1 of 2 golds have a prediction that can be scored\n")
        and "LaMP_4: no predictions" in told
    )
    assert "1 prediction is not a number" in told


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


@pytest.mark.parametrize(
    ("imported", "absent"),
    [
        ("harness", "numpy rich pydantic typer json zipfile argparse importlib.metadata"),
        ("harness.cli, harness.registry, harness.opl, harness.errors", "numpy rich pydantic typer json zipfile"),
        (
            "harness.scoring, harness.formats, harness.comparison, harness.opl.task, harness.lamp.tasks, harness.envelope_writer",
            "rich pydantic scipy torch pandas sklearn evaluate jinja2 rouge_score",
        ),
    ],
)
def test_imports_stay_light(imported: str, absent: str) -> None:
    loaded = run("-c", f"import sys, {imported}; print(*sys.modules)").stdout.split()
    assert "harness" in loaded
    assert not set(absent.split()) & set(loaded)
    assert not {name for name in loaded if name.split(".")[0] in ("store", "tasks", "expectations", "spark_jobs")}


@pytest.mark.parametrize("command", ["-m harness score --help", "-m lampworks score --help"])
def test_help_is_instant(command: str) -> None:
    code = """
import runpy, sys
sys.argv = sys.argv[2:]
try:
    runpy.run_module(sys.argv[0], run_name="__main__")
finally:
    print(*sys.modules)
"""
    loaded = run("-c", code, *command.split()).stdout.split()
    assert "--allow-missing" in loaded
    heavy = {"numpy", "torch", "pandas", "sklearn", "evaluate", "rich", "pydantic", "jinja2", "boto3", "pyarrow"}
    assert not heavy & set(loaded)


def test_the_bare_install_scores_every_task(tmp_path: Path) -> None:
    """Whatever lies outside the dependencies of a bare install cannot be imported here."""
    golds = lamp(tmp_path / "g.zip", LaMP_1={"1": "[1]"}, LaMP_3={"1": "3"}, LaMP_4={"1": "a b"})
    preds = lamp(tmp_path / "p.zip", LaMP_1={"1": "[2]"}, LaMP_3={"1": "4"}, LaMP_4={"1": "a"})
    code = f"""
import importlib.metadata, re, sys
sys.path.insert(0, {str(ROOT)!r})
BARE = {{"numpy", "harness", "lampworks", "store"}}
known = {{name for names in importlib.metadata.packages_distributions() for name in [names]}}
class Bare:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in known - BARE:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Bare())
from harness.cli import main
sys.exit(main(["--golds", {str(golds)!r}, "--preds", {str(preds)!r}, "--markdown", "--anchors"]))
"""
    done = run("-c", code)
    assert (done.returncode, done.stderr) == (0, "") and "| LaMP_4 | rouge-1" in done.stdout


def test_registry_suggests() -> None:
    assert {"LaMP_1", "LaMP_7", "click", "opl_policy", "opl_synthetic", "ranking"} < set(registry.names())
    assert registry.get("LaMP-2-old") is registry.get("LaMP_2_news") and registry.get("LaMP-3") is registry.get(
        "LaMP_3"
    )
    assert registry.get("opl_policy").higher_is_better
    with pytest.raises(HarnessError, match=r"unknown task 'opl_polcy': did you mean 'opl_policy'\?"):
        registry.get("opl_polcy")
    with pytest.raises(AttributeError, match="has no attribute 'scores'"):
        harness.scores  # noqa: B018


def test_the_examples_of_the_docs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "docs" / "scoring.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(code, {})
    told = capsys.readouterr().out
    assert told.startswith("0.574") and "'LaMP_4_rouge-1': 0.5" in told
    (table,) = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    assert main(["--golds", "golds.zip", "--preds", "preds.zip"]) == 0
    assert capsys.readouterr().out == table
