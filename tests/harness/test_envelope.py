"""The envelope: one shape for golds and predictions, ids that agree, zips of the same bytes."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import HarnessError, SubmissionError, read_golds, read_predictions, write_envelope, write_envelopes
from harness.envelope import matched, open_golds, open_predictions
from harness.members import Limits

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NEAR = st.fixed_dictionaries(
    {
        "task": st.just("opl_policy") | JSON,
        "golds": st.lists(
            st.fixed_dictionaries({"id": st.sampled_from("01") | JSON, "output": st.integers(-1, 2) | JSON}), max_size=3
        )
        | JSON,
    }
)


def body(*items: object, task: object = "opl_policy") -> dict[str, object]:
    return {"task": task, "golds": list(items)}


def item(name: object, output: object = 0, **more: object) -> dict[str, object]:
    return {"id": name, "output": output, **more}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], 'must be {"task": "<name>", "golds": [{"id": "...", "output": ...}]}'),
        ([{"id": "0", "input": "x", "profile": []}], "holds questions, not outputs"),
        ({"golds": []}, 'must be {"task"'),
        ({"task": 3, "golds": []}, '"task" must be a string'),
        ({**body(item("0")), "settings": {"a": 1}}, '"settings" are no part of predictions of opl_policy'),
        ({**body(item("0")), "note": 1}, 'must be {"task"'),
        (body(), '"golds" must be a list of at least one item'),
        (body(3), 'item 0 of "golds" must be an object'),
        (body(item("0"), {"id": "1"}), 'item 1 of "golds" must be an object with "id" and "output"'),
        (body(item(7), item(8)), "its ids are integers, but those of the golds are strings"),
        (body(item("0"), item(7)), 'item 1 of "golds" has the id 7; write all ids as strings'),
        (body(item(0), item(True)), 'item 1 of "golds" has the id True; write all ids as integers'),
        (body(item(0.5), item(None)), 'item 0 of "golds" has the id 0.5; write all ids as integers'),
        (
            body({"ID": "0", "output": 1}),
            "must be an object with \"id\" and \"output\", but its keys are 'ID', 'output'",
        ),
        ({"task": "opl_policy", "preds": []}, "golds and predictions alike, but its keys are 'preds', 'task'"),
        (body(item("0"), item("0")), "1 id is given more than once: '0'"),
        (
            body(*[item(str(i % 9)) for i in range(18)]),
            "9 ids are given more than once: '0', '1', '2', '3', '4' and 4 more",
        ),
        (body(item("0"), task="LaMP_1"), "holds 'LaMP_1', but 'opl_policy' is to be scored"),
        (body(item("0")), "1 id is missing: '1'; give each gold id once"),
        (body(*[item(str(i)) for i in range(2)], item("x\n")), "1 id is not in the golds: 'x\\n'"),
        (
            body(*[item(f"b{i}") for i in range(7)]),
            "2 ids are missing: '0', '1'; 7 ids are not in the golds: 'b0', 'b1'",
        ),
    ],
)
def test_refuses_predictions(tmp_path: Path, write_golds: Callable[..., Path], value: object, message: str) -> None:
    golds = read_golds(write_golds(tmp_path / "g.zip", np.eye(2)))
    (tmp_path / "preds.json").write_text(json.dumps(value))
    with pytest.raises(SubmissionError) as caught:
        read_predictions(tmp_path / "preds.json", golds)
    assert message in str(caught.value)


def test_golds_name_their_task(tmp_path: Path) -> None:
    path = tmp_path / "g.json"
    path.write_text(json.dumps(body(item("0"), task="opl_polici")))
    with pytest.raises(HarnessError, match=r"unknown task 'opl_polici': did you mean 'opl_policy'\?"):
        read_golds(path)
    with pytest.raises(HarnessError, match="unknown task 'x': the tasks are: LaMP_1, LaMP_2, "):
        read_golds(path, "x")
    path.write_text(json.dumps(body(item("0"))))
    with pytest.raises(HarnessError, match=r"there is no 'opl_policy.rewards.npy' beside it"):
        read_golds(path)


def test_tasks_are_found_by_what_they_say(tmp_path: Path) -> None:
    path = tmp_path / "two.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("deep/er/x.json", json.dumps({"golds": [item("0", "[1]")], "task": "LaMP-1"}))
        archive.writestr("y.json", json.dumps(body(item("0", "a b"), task="LaMP_4")))
        archive.writestr("__MACOSX/._y.json", "junk")
        archive.writestr(".hidden/z.json", "junk")
        archive.writestr("notes.txt", "junk")
    assert read_golds(path, "LaMP-1").outputs == read_golds(path, "LaMP_1").outputs == ("[1]",)
    with pytest.raises(HarnessError, match="holds 'LaMP_1', 'LaMP_4': name the task to score"):
        read_golds(path)
    with pytest.raises(HarnessError, match="holds 'LaMP_1', 'LaMP_4', but 'LaMP_5' is to be scored"):
        read_golds(path, "LaMP_5")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("again.json", json.dumps(body(item("1", "c"), task="LaMP_4")))
    with pytest.raises(HarnessError, match="'again.json', 'y.json' are both of the task 'LaMP_4'; give each task once"):
        read_golds(path, "LaMP_1")


def test_a_task_given_twice_in_one_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "g.json").write_text('{"task": "LaMP_4", "golds": [{"id": "0", "output": "a"}], "task": "LaMP_5"}')
    with pytest.raises(HarnessError, match="'task' twice"):
        read_golds(tmp_path / "g.json")


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([item("0", user_id=None)], "every user_id must be a string, or every one an integer"),
        ([item("0"), item("1", user_id="u")], "1 of 2 items carry a user_id"),
    ],
)
def test_golds_name_all_users_or_none(tmp_path: Path, items: list[dict[str, object]], message: str) -> None:
    (tmp_path / "g.json").write_text(json.dumps(body(*items, task="LaMP_1")))
    with pytest.raises(HarnessError, match=message):
        read_golds(tmp_path / "g.json")


def test_a_json_read_twice_for_its_task_is_counted_once(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "g.zip", "w") as archive:
        for number in (4, 5, 6):
            text = json.dumps({"golds": [item("0", "x" * 100_000)], "task": f"LaMP_{number}"})
            archive.writestr(f"{number}.json", text)
    with open_golds(tmp_path / "g.zip", Limits(total_bytes=400_000)) as file:
        assert [len(str(file.read(task).outputs[0])) for task in file.tasks] == [100_000] * 3


def test_what_is_written_can_be_read_again(tmp_path: Path) -> None:
    for task, output, message in (
        ("LaMP_4", "x" * 1_000_001, "1,000,000"),
        ("../x", "a", "unknown task"),
        ("LaMP_9", "a", "unknown"),
    ):
        with pytest.raises(HarnessError, match=message):
            write_envelope(tmp_path / "x.zip", task, [item("0", output)])
    with pytest.raises(HarnessError, match="give each task once"):
        write_envelopes(tmp_path / "x.zip", {"LaMP_4": [item("0", "a")], "LaMP-4": [item("0", "b")]})
    with pytest.raises(HarnessError, match="writing .*: Not a directory"):
        write_envelope(Path(__file__) / "x.zip", "LaMP_4", [item("0", "a")])
    assert not list(tmp_path.iterdir())


def test_other_keys_of_an_item_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "g.json").write_text(json.dumps(body(item("0", "a", index=3), task="LaMP_4")))
    golds = read_golds(tmp_path / "g.json")
    assert golds.outputs == ("a",)
    (tmp_path / "p.json").write_text(json.dumps(body(item("0", "b", user_id=None), task="LaMP_4")))
    assert read_predictions(tmp_path / "p.json", golds).outputs == ("b",)


def test_missing_ids_may_be_allowed_unknown_ones_never(tmp_path: Path) -> None:
    for name, ids in {"g": "abcd", "p": "db", "q": "dx"}.items():
        write_envelope(tmp_path / f"{name}.zip", "LaMP_4", [item(i, f"{name} {i}", user_id=i) for i in ids])
    golds = read_golds(tmp_path / "g.zip")
    with open_predictions(tmp_path / "p.zip") as file:
        scored, predictions = matched(golds, file.read("LaMP_4"), allow_missing=True)
    assert scored.ids == predictions.ids == ("b", "d") and scored.outputs == ("g b", "g d")
    assert (scored.positions, scored.users, scored.size) == ((1, 3), ("b", "d"), 4)
    with (
        open_predictions(tmp_path / "q.zip") as file,
        pytest.raises(SubmissionError, match="not in the golds: 'x'; give each gold id once$"),
    ):
        matched(golds, file.read("LaMP_4"), allow_missing=True)


def test_the_golds_are_no_predictions(tmp_path: Path) -> None:
    for name in "gp":
        write_envelope(tmp_path / f"{name}.zip", "LaMP_4", [item("0", "a")])
    with pytest.raises(SubmissionError, match="is the file of golds itself, byte for byte"):
        read_predictions(tmp_path / "p.zip", read_golds(tmp_path / "g.zip"))


def test_zip_directory_and_json_are_read_alike(tmp_path: Path, write_golds: Callable[..., Path]) -> None:
    path = write_golds(tmp_path / "g.zip", np.eye(3), users=["u", "v", "u"])
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "d")
    zipped, folder, alone = (read_golds(p) for p in (path, tmp_path / "d", tmp_path / "d" / "opl_policy.json"))
    for other in (folder, alone):
        assert (other.ids, other.users, other.outputs) == (zipped.ids, zipped.users, zipped.outputs)
        np.testing.assert_array_equal(other.arrays["rewards"], zipped.arrays["rewards"])
    assert zipped.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    names = sorted(p.name for p in (tmp_path / "d").iterdir())
    sums = "".join(f"{hashlib.sha256((tmp_path / 'd' / name).read_bytes()).hexdigest()}  {name}\n" for name in names)
    assert folder.sha256 == alone.sha256 == hashlib.sha256(sums.encode()).hexdigest()
    predictions = tmp_path / "preds.json"
    predictions.write_text(json.dumps(body(*[item(str(i)) for i in range(3)])))
    assert read_predictions(predictions, zipped).sha256 == hashlib.sha256(predictions.read_bytes()).hexdigest()


def test_written_bytes_depend_on_nothing_but_the_contents(
    tmp_path: Path, write_golds: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = write_golds(tmp_path / "1.zip", np.eye(4)).read_bytes()
    monkeypatch.setattr(time, "time", lambda: 2e9)
    old = os.umask(0o077)
    second = write_golds(tmp_path / "2.zip", np.eye(4)).read_bytes()
    os.umask(old)
    assert first == second
    assert hashlib.sha256(first).hexdigest() == "b1c7bd29693391ebbddae1f42445eec8d3c7955da0b671409aa3c52ad6a08996"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.zip", "2.zip"]


@pytest.mark.parametrize(
    ("items", "arrays", "message"),
    [
        ([], {}, "at least one item"),
        ([item("0"), item("0")], {}, "given more than once"),
        ([item("0", float("nan"))], {}, "an output is not JSON"),
        ([item("0", {1, 2})], {}, "an output is not JSON"),
        ([item("0")], {"rewards": np.zeros(3)}, "must be a matrix of float32 or float64, not float64 (3,)"),
        ([item("0")], {"rewards": np.zeros((1, 1), dtype=int)}, "not int64 (1, 1)"),
        ([item("0")], {"rewards": np.broadcast_to(np.float32(0), (1 << 15, 1 << 15))}, "takes 4,294,967,296 bytes"),
    ],
)
def test_writes_whole_or_not_at_all(
    tmp_path: Path, items: list[dict[str, object]], arrays: dict[str, object], message: str
) -> None:
    with pytest.raises(HarnessError) as caught:
        write_envelope(tmp_path / "x.zip", "opl_policy", items, arrays)  # type: ignore[arg-type]
    assert message in str(caught.value)
    assert not list(tmp_path.iterdir())


@given(st.lists(st.text(max_size=5), unique=True, min_size=1, max_size=6))
def test_reading_sorts_by_id(ids: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "g.zip"
        table = np.ones((len(ids), 2)) / 2
        items = [item(name, row, user_id=name[:1]) for row, name in enumerate(ids)]
        write_envelope(path, "opl_policy", items, {"rewards": table, "logging": table})
        golds = read_golds(path)
    assert list(golds.ids) == sorted(ids)
    assert [ids[row] for row in golds.outputs] == sorted(ids)  # type: ignore[call-overload]
    assert golds.users == tuple(name[:1] for name in sorted(ids))


@given(NEAR | JSON)
def test_any_json_is_refused_or_read(value: object) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "opl_policy.json").write_text(json.dumps(value), encoding="utf-8")
        with pytest.raises(HarnessError) as caught:  # there are no tables
            read_golds(root)
    assert str(caught.value).isprintable()
