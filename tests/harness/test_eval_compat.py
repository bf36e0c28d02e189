"""LaMP's command lines: 40 probes of what LaMP's own scorer does with odd input, and its numbers on the reference cases.

`PROBES` says for each what this harness does: "number" gives LaMP's number, anything else begins with "error: " or
"number: " and says how and why the two differ.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from harness import eval_all, eval_task

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases" / "lamp"

OUTPUTS = {f"LaMP_{number}": "a b" for number in range(4, 8)} | {"LaMP_1": "[1]", "LaMP_2": "comedy", "LaMP_3": "3"}
ALL_RIGHT = {
    "LaMP_1": {"accuracy": 1.0, "f1": 1 / 2},
    "LaMP_2": {"accuracy": 1.0, "f1": 1 / 15},
    "LaMP_3": {"MAE": 0.0, "RMSE": 0.0},
    **{f"LaMP_{number}": {"rouge-1": 1.0, "rouge-L": 1.0} for number in range(4, 8)},
}

# probe -> (what we do, the words of the error or our own numbers where they are not LaMP's)
PROBES: dict[str, tuple[str, object]] = {
    "l3_nan": ("error: a rating that is no finite number", "id '1': output is nan, infinite or too large"),
    "l3_inf": ("error: a rating that is no finite number", "id '1': output is nan, infinite or too large"),
    "l3_1e39_overflows_float32": (
        "error: a rating too large for single precision",
        "id '1': output is nan, infinite or too",
    ),
    "l3_bad_gold": ("error: a gold that is no number", "golds .*id '1': the gold 'three' is not a number"),
    "l3_bad_gold_and_bad_pred": ("error: a gold that is no number", "golds .*id '1': the gold 'three' is not a number"),
    "l3_single": ("number", None),
    "gen_none": ("error: null is no string", "id '1': output is null, not a string"),
    "gen_int": ("error: an integer is no string", "id '2': output is int, not a string"),
    "gen_list_pred": ("error: a list is no string", "id '1': output is list, not a string"),
    "gen_single_exact": ("number", None),
    "missing_id": ("error: the missing ids are named", "1 id is missing: '2'"),
    "extra_id": ("error: the unknown ids are named", "1 id is not in the golds: '2'"),
    "int_vs_str_id": (
        "error: ids are strings on one side, integers on the other",
        "its ids are integers, but .* are strings",
    ),
    "int_ids": ("number", None),
    "dup_pred_last_wins": (
        "error: an id given twice (LaMP's scorer takes the last)",
        "1 id is given more than once: '1'",
    ),
    "dup_gold_last_wins": (
        "error: an id given twice (LaMP's scorer takes the last)",
        "golds .*given more than once: '1'",
    ),
    "empty_lists": ("error: nothing to score", "a list of at least one item"),
    "empty_lists_gen": ("error: nothing to score", "a list of at least one item"),
    "empty_lists_l3": ("error: nothing to score", "a list of at least one item"),
    "task_mismatch": (
        "error: predictions of another task",
        "predictions .*holds 'LaMP_2', but 'LaMP_1' is to be scored",
    ),
    "gold_task_mismatch": ("error: golds of another task", "golds .*holds 'LaMP_2', but 'LaMP_1' is to be scored"),
    "hyphen_everywhere_goes_to_rouge": (
        "number: LaMP-1 is LaMP_1 (LaMP's scorer takes it for an unknown task and reports ROUGE)",
        {"accuracy": 0.5, "f1": 1 / 3},
    ),
    "unknown_task_goes_to_rouge": ("error: an unknown task (LaMP's scorer reports ROUGE)", "unknown task 'Foo'"),
    "l1_all_right": ("number", None),
    "l1_one_class_only": ("number", None),
    "l1_case": ("number", None),
    "l2_case_sensitive": ("number", None),
    "l2_list_output": ("number", None),
    "ALL_ok": ("number", None),
    "ALL_six_tasks": ("error: a task is missing", "holds no 'LaMP_7'; give the seven tasks"),
    "ALL_seven_with_foo": (
        "error: a task is missing and an unknown one there (LaMP's scorer counts seven names)",
        "holds no 'LaMP_7' and holds 'Foo' besides",
    ),
    "ALL_preds_unknown_task": ("number: LaMP-7 is LaMP_7 (LaMP's scorer fails)", ALL_RIGHT),
    "ALL_macosx_junk": ("number", None),
    "ALL_other_json_junk": ("error: a JSON that is no predictions", "predictions .*meta.json: must be {"),
    "ALL_golds_extra_json_list": ("error: a JSON that is no golds", "golds .*x.json: must be {"),
    "ALL_dup_task_two_files": (
        "error: two files of one task (LaMP's scorer takes the later)",
        "'LaMP_1.json', 'again.json' are both of the task 'LaMP_1'",
    ),
    "ALL_jsonl_and_txt_ignored": ("number", None),
    "ALL_preexisting_files_deleted_and_read": ("number", None),
    "ALL_uppercase_ext": ("error: a file that would be passed over in silence", "holds 'LaMP_7.JSON'; name it .json"),
    "ALL_golds_more_than_seven": ("number", None),
}


@pytest.fixture(scope="module")
def probes() -> Mapping[str, Mapping[str, object]]:
    """What LaMP's own scorer did."""
    return _cases("edge_probes.json")


def _cases(name: str) -> dict[str, dict[str, object]]:
    if not CASES.is_dir():
        pytest.skip(f"no reference cases at {CASES}")
    loaded: dict[str, dict[str, object]] = json.loads((CASES / name).read_text())
    return loaded


def _body(task: str, rows: Sequence[Sequence[object]]) -> dict[str, object]:
    return {"task": task, "golds": [{"id": name, "output": output} for name, output in rows]}


def _golds(body: object) -> bytes:
    return json.dumps(body).encode()


def _predictions(body: object) -> bytes:
    """The same values in other bytes, as a system writes them: predictions that are the golds file itself are refused."""
    return json.dumps(body, indent=1).encode()


def _zip(path: Path, members: Mapping[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


FOO = _body("Foo", [("1", "a b")])
LAST = "LaMP_7.json"
# probe -> what is taken out of the predictions for the seven tasks, and put into golds and predictions
ODD: dict[str, tuple[list[str], dict[str, bytes], dict[str, bytes]]] = {
    "ALL_six_tasks": ([LAST], {}, {}),
    "ALL_seven_with_foo": ([LAST], {"Foo.json": _golds(FOO)}, {"Foo.json": _predictions(FOO)}),
    "ALL_preds_unknown_task": ([LAST], {}, {"x.json": _predictions(_body("LaMP-7", [("1", "a b")]))}),
    "ALL_macosx_junk": ([], {}, {"__MACOSX/._LaMP_1.json": b"\0\5\26\7not JSON"}),
    "ALL_other_json_junk": ([], {}, {"meta.json": b'{"model": "mine"}'}),
    "ALL_golds_extra_json_list": ([], {"x.json": b'["1", "2"]'}, {}),
    "ALL_dup_task_two_files": ([], {}, {"again.json": _predictions(_body("LaMP_1", [("1", "[2]")]))}),
    "ALL_jsonl_and_txt_ignored": ([], {}, {"notes.txt": b"hello", "log.jsonl": b"{}\n{}\n"}),
    "ALL_uppercase_ext": ([LAST], {}, {"LaMP_7.JSON": _predictions(_body("LaMP_7", [("1", "a b")]))}),
    "ALL_golds_more_than_seven": ([], {"Foo.json": _golds(FOO)}, {}),
}


def _judge(
    probe: str, status: int, output: Path, told: str, reference: Mapping[str, object], ok: object = None
) -> None:
    """Hold exit status, output and messages of one run to the table and to LaMP's own numbers."""
    done, detail = PROBES[probe]
    if done.startswith("error: "):
        assert status == 2 and not output.exists()
        assert told.startswith("error: ") and told.count("\n") == 1 and "Traceback" not in told
        assert re.search(str(detail), told), told
        return
    assert status == 0 and told == ""
    expected = json.loads(str(reference["output_file"])) if done == "number" else detail
    assert json.loads(output.read_text()) == expected


def test_every_probe_has_its_line(probes: Mapping[str, object]) -> None:
    assert PROBES.keys() == probes.keys()
    assert all(done == "number" or done.startswith(("error: ", "number: ")) for done, _ in PROBES.values())


@pytest.mark.parametrize("probe", [name for name in PROBES if not name.startswith("ALL_")])
def test_probes_of_one_task(
    probe: str, probes: Mapping[str, Mapping[str, object]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = probes[probe]
    task = str(given["task"])
    tasks = {"task_mismatch": (task, "LaMP_2"), "gold_task_mismatch": ("LaMP_2", task)}.get(probe, (task, task))
    golds, predictions, output = tmp_path / "golds.json", tmp_path / "preds.json", tmp_path / "scores.json"
    golds.write_bytes(_golds(_body(tasks[0], given["golds"])))  # type: ignore[arg-type]
    predictions.write_bytes(_predictions(_body(tasks[1], given["preds"])))  # type: ignore[arg-type]
    options = ["--golds_json", golds, "--preds_json", predictions, "--task_name", task, "--output_file", output]
    status = eval_task.main([str(option) for option in options])
    told = capsys.readouterr()
    assert told.out == ""
    _judge(probe, status, output, told.err, given)


@pytest.mark.parametrize("probe", [name for name in PROBES if name.startswith("ALL_")])
def test_probes_of_all_tasks(
    probe: str, probes: Mapping[str, Mapping[str, object]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    golds = {f"{task}.json": _golds(_body(task, [("1", text)])) for task, text in sorted(OUTPUTS.items())}
    predictions = {f"{task}.json": _predictions(_body(task, [("1", text)])) for task, text in sorted(OUTPUTS.items())}
    dropped, more_golds, more_predictions = ODD.get(probe, ([], {}, {}))
    for name in dropped:
        del predictions[name]
    golds |= more_golds
    predictions |= more_predictions
    _zip(tmp_path / "golds.zip", golds)
    _zip(tmp_path / "preds.zip", predictions)
    temporary, output = tmp_path / "tmp", tmp_path / "scores.json"
    before = {"kept.json": json.dumps(_body("LaMP_1", [("1", "[2]")])), "kept.txt": "mine"}
    if probe == "ALL_preexisting_files_deleted_and_read":
        temporary.mkdir()
        for name, text in before.items():
            (temporary / name).write_text(text)
    options = [
        "--golds_zip",
        "golds.zip",
        "--preds_zip",
        "preds.zip",
        "--temp_dir",
        "tmp",
        "--output_file",
        "scores.json",
    ]
    status = eval_all.main([str(tmp_path / word) if not word.startswith("--") else word for word in options])
    told = capsys.readouterr()
    assert told.out == ""
    _judge(probe, status, output, told.err, probes[probe])
    if probe == "ALL_preexisting_files_deleted_and_read":
        assert {entry.name: entry.read_text() for entry in temporary.iterdir()} == before
    else:
        assert not temporary.exists()


def _all(golds: Path, predictions: Path, output: Path, arguments: Sequence[str] = ()) -> dict[str, dict[str, float]]:
    options = ["--golds_zip", str(golds), "--preds_zip", str(predictions), "--output_file", str(output), *arguments]
    assert eval_all.main(options) == 0
    scores: dict[str, dict[str, float]] = json.loads(output.read_text())
    return scores


def _bodies(path: Path) -> dict[str, dict[str, object]]:
    with zipfile.ZipFile(path) as archive:
        bodies = [json.loads(archive.read(name)) for name in archive.namelist()]
    return {body["task"]: body for body in bodies}


def _task_by_task(golds: Path, predictions: Path, folder: Path, arguments: Sequence[str] = ()) -> dict[str, object]:
    scores = {}
    answers = _bodies(predictions)
    for task, body in _bodies(golds).items():
        gold, prediction, output = folder / "gold.json", folder / "prediction.json", folder / "one.json"
        gold.write_text(json.dumps(body))
        prediction.write_text(json.dumps(answers[task]))
        options = ["--golds_json", str(gold), "--preds_json", str(prediction), "--task_name", task.replace("_", "-")]
        assert eval_task.main([*options, "--output_file", str(output), *arguments]) == 0
        scores[task] = json.loads(output.read_text())
    return scores


def test_numbers_of_the_reference_cases(tmp_path: Path) -> None:
    expected = _cases("expected.json")
    scores = _all(CASES / "golds.zip", CASES / "preds.zip", tmp_path / "all.json")
    assert scores == expected["exact"] | expected["rouge_plain_mean"]
    assert _task_by_task(CASES / "golds.zip", CASES / "preds.zip", tmp_path) == scores


@pytest.mark.parametrize("hash_seed", [0, 1, 2])
@pytest.mark.parametrize("seed", [42, 7])
def test_reference_rouge_to_the_last_bit(hash_seed: int, seed: int, tmp_path: Path) -> None:
    expected = _cases("expected.json")
    of_seed: object = expected["rouge_reference_seeded_bit_exact"][f"PYTHONHASHSEED={hash_seed},np.random.seed({seed})"]
    # LaMP's scorer goes through the ids in the order of a set, which its process draws; ours in the order of the golds.
    golds = tmp_path / "golds.zip"
    members = {}
    for task, body in _bodies(CASES / "golds.zip").items():
        rows = {row["id"]: row for row in body["golds"]}  # type: ignore[attr-defined]
        members[f"{task}.json"] = _golds(body | {"golds": [rows[name] for name in _set_order(list(rows), hash_seed)]})
    _zip(golds, members)
    arguments = ["--rouge", "reference", "--seed", str(seed)]
    scores = _all(golds, CASES / "preds.zip", tmp_path / "all.json", arguments)
    assert scores == expected["exact"] | of_seed  # type: ignore[operator]
    assert _task_by_task(golds, CASES / "preds.zip", tmp_path, arguments) == scores


def _set_order(ids: list[str], hash_seed: int) -> list[str]:
    """The ids as a fresh process of that PYTHONHASHSEED gives them back from a set."""
    code = "import json, sys; print(json.dumps(list(set(json.load(sys.stdin)))))"
    environment = os.environ | {"PYTHONHASHSEED": str(hash_seed)}
    ran = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(ids), capture_output=True, text=True, check=True, env=environment
    )
    order: list[str] = json.loads(ran.stdout)
    return order


@pytest.mark.parametrize("module", ["harness.eval_all", "harness.eval_task"])
def test_as_a_process(module: str, tmp_path: Path) -> None:
    _cases("expected.json")
    everything = module == "harness.eval_all"
    kind = "zip" if everything else "json"
    golds, predictions = CASES / "golds.zip", CASES / "preds.zip"
    if not everything:
        for path, name in ((golds, "golds.json"), (predictions, "preds.json")):
            (tmp_path / name).write_text(json.dumps(_bodies(path)["LaMP_3"]))
        golds, predictions = tmp_path / "golds.json", tmp_path / "preds.json"
    options = [f"--golds_{kind}", golds, f"--preds_{kind}", predictions, "--output_file", tmp_path / "o.json"]
    options += [] if everything else ["--task_name", "LaMP_3"]
    command = [sys.executable, "-m", module, *map(str, options)]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    scores = json.loads((tmp_path / "o.json").read_text())
    assert (scores["LaMP_3"] if everything else scores) == {"MAE": 2.0385714230792864, "RMSE": 2.946729419579967}


def test_an_older_output_stays_where_scoring_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "golds.json").write_bytes(_golds(_body("LaMP_1", [("1", "[1]")])))
    (tmp_path / "preds.json").write_bytes(_golds(_body("LaMP_1", [("2", "[1]")])))
    (tmp_path / "o.json").write_text("older")
    options = ["--golds_json", "golds.json", "--preds_json", "preds.json", "--output_file", "o.json"]
    options = [str(tmp_path / word) if not word.startswith("--") else word for word in options]
    assert eval_task.main([*options, "--task_name", "LaMP_1"]) == 2
    assert (tmp_path / "o.json").read_text() == "older"
    assert eval_task.main([*options, "--task_name", "ranking"]) == 2
    assert "LaMP_1 to LaMP_7 are scored here" in capsys.readouterr().err
