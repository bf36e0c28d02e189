"""Predictions in the formats people keep them in, written by Polars, pandas and json, read back by zipfile and json."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import HarnessError, SubmissionError, score, write_envelope
from harness.cli import main
from harness.make_predictions import make_predictions, task_files

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases" / "lamp"
Rows = Sequence[tuple[object, object]]


def _jsonl(path: Path, rows: Rows) -> None:
    path.write_text("".join(json.dumps({"id": name, "output": output}) + "\n" for name, output in rows))


def _frame(rows: Rows) -> pl.DataFrame:
    return pl.DataFrame({"id": [name for name, _ in rows], "output": [output for _, output in rows]})


WRITERS: dict[str, Callable[[Path, Rows], object]] = {
    "rows.jsonl": _jsonl,
    "polars.ndjson": lambda path, rows: _frame(rows).write_ndjson(path),
    "polars.csv": lambda path, rows: _frame(rows).write_csv(path),
    "bom.csv": lambda path, rows: _frame(rows).write_csv(path, include_bom=True),
    "crlf.csv": lambda path, rows: _frame(rows).write_csv(path, line_terminator="\r\n"),
    "polars.tsv": lambda path, rows: _frame(rows).write_csv(path, separator="\t"),
    "pandas.csv": lambda path, rows: _frame(rows).to_pandas().to_csv(path, index=True),
    "pandas.tsv": lambda path, rows: _frame(rows).to_pandas().to_csv(path, sep="\t"),
    "polars.parquet": lambda path, rows: _frame(rows).write_parquet(path),
    "pandas.parquet": lambda path, rows: _frame(rows).to_pandas().astype({"output": "category"}).to_parquet(path),
}


def items(path: Path) -> dict[str, list[dict[str, object]]]:
    """The items of each task in a zip."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        bodies = [json.loads(archive.read(name)) for name in archive.namelist()]
    return {body["task"]: body["golds"] for body in bodies}


# No lone carriage return: the csv module of Python 3.11, which pandas writes with, leaves it unquoted.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=12)
AWKWARD = st.sampled_from(
    ['say "no"', "a,b", "a\tb", "two\nlines", "crlf\r\nthere", "  spaced ", "nan", "null", "\u2028", "é"]
)


@settings(max_examples=25, deadline=None)
@given(outputs=st.lists(TEXTS | AWKWARD, min_size=1, max_size=6), data=st.data())
def test_every_format_in_any_order_gives_the_same_bytes(outputs: list[str], data: st.DataObject) -> None:
    expected = [{"id": f"{row:03}", "output": output} for row, output in enumerate(outputs)]
    made = set()
    with tempfile.TemporaryDirectory() as folder:
        for name, write in WRITERS.items():
            rows = data.draw(st.permutations([(item["id"], item["output"]) for item in expected]))
            write(Path(folder) / name, rows)
            target = Path(folder) / f"{name}.zip"
            assert make_predictions({"LaMP-4": Path(folder) / name}, target) == {"LaMP_4": len(outputs)}
            assert items(target) == {"LaMP_4": expected}
            made.add(target.read_bytes())
    assert len(made) == 1


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".tsv", ".parquet"])
def test_one_file_may_name_the_task_of_each_row(tmp_path: Path, suffix: str) -> None:
    frame = pl.DataFrame(
        {
            "task": ["LaMP_4", "LaMP-3", "LaMP_4"],
            "qid": ["40", "30", "41"],
            "answer": ["a b", "5", "c"],
            "more": [1, 2, 3],
        }
    )
    path = tmp_path / f"all{suffix}"
    if suffix == ".jsonl":
        frame.write_ndjson(path)
    elif suffix == ".parquet":
        frame.write_parquet(path)
    else:
        frame.write_csv(path, separator="," if suffix == ".csv" else "\t")
    counts = make_predictions(path, tmp_path / "p.zip", id_column="qid", output_column="answer")
    assert counts == {"LaMP_3": 1, "LaMP_4": 2}
    assert items(tmp_path / "p.zip") == {
        "LaMP_3": [{"id": "30", "output": "5"}],
        "LaMP_4": [{"id": "40", "output": "a b"}, {"id": "41", "output": "c"}],
    }


def test_outputs_that_are_no_text_are_json_in_cells(tmp_path: Path) -> None:
    outputs: list[object] = [2, [0.25, 0.75], {"actions": [1], "probs": [0.5], "rest": 0.5}]
    text = pd.DataFrame({"id": ["a", "b", "c"], "output": [json.dumps(output) for output in outputs]})
    text.to_csv(tmp_path / "policy.csv", index=False)
    _jsonl(tmp_path / "policy.jsonl", list(zip("abc", outputs, strict=True)))
    pl.DataFrame({"id": ["x"], "output": [[0.25, 0.75]]}).write_parquet(tmp_path / "policy.parquet")
    make_predictions({"opl_policy": tmp_path / "policy.csv"}, tmp_path / "csv.zip")
    make_predictions({"opl_policy": tmp_path / "policy.jsonl"}, tmp_path / "jsonl.zip")
    make_predictions({"opl_policy": tmp_path / "policy.parquet"}, tmp_path / "parquet.zip")
    assert [item["output"] for item in items(tmp_path / "csv.zip")["opl_policy"]] == outputs
    assert (tmp_path / "csv.zip").read_bytes() == (tmp_path / "jsonl.zip").read_bytes()
    assert items(tmp_path / "parquet.zip")["opl_policy"] == [{"id": "x", "output": [0.25, 0.75]}]


def test_ratings_may_be_numbers_and_ids_integers(tmp_path: Path) -> None:
    pl.DataFrame({"id": [30, 31], "output": [4, 5]}).write_parquet(tmp_path / "whole.parquet")
    pl.DataFrame({"id": [30, 31], "output": [4.0, 3.7]}).write_parquet(tmp_path / "real.parquet")
    make_predictions({"LaMP_3": tmp_path / "whole.parquet"}, tmp_path / "whole.zip")
    make_predictions({"LaMP_3": tmp_path / "real.parquet"}, tmp_path / "real.zip")
    assert items(tmp_path / "whole.zip")["LaMP_3"] == [{"id": "30", "output": "4"}, {"id": "31", "output": "5"}]
    assert [item["output"] for item in items(tmp_path / "real.zip")["LaMP_3"]] == ["4.0", "3.7"]


@pytest.mark.parametrize("integers", [False, True])
def test_ids_are_written_as_the_golds_write_them(tmp_path: Path, integers: bool) -> None:
    ids: list[object] = [7, 10] if integers else ["7", "10"]
    golds = tmp_path / "golds.zip"
    write_envelope(golds, "LaMP_4", [{"id": name, "output": "a bridge"} for name in ids])
    (tmp_path / "p.csv").write_text("id,output\n7,a bridge\n10,a road\n")
    make_predictions({"LaMP_4": tmp_path / "p.csv"}, tmp_path / "p.zip", golds=golds)
    assert [item["id"] for item in items(tmp_path / "p.zip")["LaMP_4"]] == sorted(ids, key=str)
    assert score(golds, tmp_path / "p.zip", n_bootstrap=0)["LaMP_4"].metrics["rouge-1"].value == 0.75


FAULTS = {
    "repeated id": (
        "x.jsonl",
        '{"id":"1","output":"a"}\n\n{"id":"1","output":"b"}\n',
        "line 3.*'1' again, after line 1",
    ),
    "empty id": ("x.csv", "id,output\n,a\n", "line 2: its id is empty"),
    "blank id": ("x.csv", "id,output\n1,a\n  ,a\n", "line 3: its id is empty"),
    "null id": ("x.jsonl", '{"id":null,"output":"a"}', "line 1: its id is empty"),
    "real id": ("x.jsonl", '{"id":1.0,"output":"a"}', "line 1: its id is of the type float"),
    "boolean id": ("x.jsonl", '{"id":true,"output":"a"}', "line 1: its id is of the type bool"),
    "missing column": ("x.csv", "id,prediction\n1,a\n", "no column 'output'; it has 'id', 'prediction'"),
    "near column": ("x.csv", "ID,output\n1,a\n", "no column 'id'.*did you mean 'ID'"),
    "column with a space": ("x.csv", "id, output\n1,a\n", "did you mean ' output'"),
    "repeated column": ("x.csv", "id,output,output\n1,a,b\n", "has the column 'output' twice"),
    "missing key": (
        "x.jsonl",
        '{"id":"1","output":"a"}\n{"id":"2","outputs":"a"}',
        "line 2: has no column 'output'.*'outputs'",
    ),
    "no object": ("x.jsonl", '{"id":"1","output":"a"}\n["2","b"]', 'line 2: must be one JSON object.*"id": '),
    "two objects": ("x.jsonl", '{"id":"1","output":"a"} {"id":"2","output":"a"}', "line 1: is not JSON"),
    "broken object": ("x.jsonl", '{"id":"1",\n"output":"a"}', "line 1: is not JSON"),
    "repeated key": ("x.jsonl", '{"id":"1","output":"a","output":"b"}', "line 1: .*twice"),
    "nan": ("x.jsonl", '{"id":"1","output":NaN}', "line 1: holds NaN"),
    "null output": ("x.jsonl", '{"id":"1","output":null}', "line 1: its output is null"),
    "number for a text": (
        "x.jsonl",
        '{"id":"1","output":5}',
        "line 1: its output is of the type int; LaMP_4 takes strings",
    ),
    "nothing": ("x.csv", "", "holds no predictions"),
    "header alone": ("x.tsv", "id\toutput\n", "holds no predictions"),
    "empty lines": ("x.jsonl", "\n\n", "holds no predictions"),
    "short row": ("x.csv", 'id,output\n1,"a\nb"\n2\n', "line 4: has 1 cells for 2 columns"),
    "comma not quoted": ("x.csv", "id,output\n1,a,b\n", "line 2: has 3 cells for 2 columns; quote"),
    "quote not closed": ("x.csv", 'id,output\n1,"a\n', "line 2: unexpected end of data"),
    "text after a quote": ("x.csv", 'id,output\n1,"a"b\n', "line 2: "),
    "latin-1": ("x.csv", "id,output\n1,é\n".encode("latin-1"), "is not UTF-8"),
    "utf-16": ("x.csv", "id,output\n1,a\n".encode("utf-16"), "is not UTF-8"),
    "latin-1 line": ("x.jsonl", '{"id":"1","output":"é"}'.encode("latin-1"), "line 1: is not UTF-8"),
    "another kind": ("x.json", "{}", "ending, which must be one of .jsonl, .ndjson, .csv, .tsv, .parquet"),
    "no parquet": ("x.parquet", "id,output", "is no whole Parquet file"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_sentence_with_its_place_and_nothing_is_written(tmp_path: Path, fault: str) -> None:
    name, content, message = FAULTS[fault]
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SubmissionError, match=message) as caught:
        make_predictions({"LaMP_4": path}, tmp_path / "p.zip")
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


PARQUET_FAULTS = {
    "null output": ({"id": ["1", "2"], "output": ["a", None]}, "LaMP_4", "row 2: its output is null"),
    "null id": ({"id": ["1", None], "output": ["a", "b"]}, "LaMP_4", "row 2: its id is empty"),
    "real ids": ({"id": [1.0, None], "output": ["a", "b"]}, "LaMP_4", "row 1: its id is of the type float"),
    "nan": ({"id": ["1"], "output": [float("nan")]}, "LaMP_3", "row 1: its output is nan"),
    "no such column": ({"id": ["1"], "answer": ["a"]}, "LaMP_4", "no column 'output'; it has 'id', 'answer'"),
    "no rows": ({"id": [], "output": []}, "LaMP_4", "holds no predictions"),
}


@pytest.mark.parametrize("fault", PARQUET_FAULTS)
def test_a_fault_in_parquet(tmp_path: Path, fault: str) -> None:
    columns, task, message = PARQUET_FAULTS[fault]
    pl.DataFrame(columns).write_parquet(tmp_path / "x.parquet")
    with pytest.raises(SubmissionError, match=message):
        make_predictions({task: tmp_path / "x.parquet"}, tmp_path / "p.zip")
    assert not (tmp_path / "p.zip").exists()


GOLD_FAULTS = {
    "missing": ("id,output\n40,a\n", "1 id is missing: '41'"),
    "unknown": ("id,output\n40,a\n41,b\n4O,c\n", "not in the golds: '4O'"),
}


@pytest.mark.parametrize("fault", GOLD_FAULTS)
def test_what_does_not_fit_the_golds_is_not_written(tmp_path: Path, fault: str) -> None:
    rows, message = GOLD_FAULTS[fault]
    write_envelope(
        tmp_path / "golds.zip", "LaMP_4", [{"id": "40", "output": "secret"}, {"id": "41", "output": "hidden"}]
    )
    (tmp_path / "p.csv").write_text(rows)
    with pytest.raises(SubmissionError, match=message) as caught:
        make_predictions({"LaMP_4": tmp_path / "p.csv"}, tmp_path / "p.zip", golds=tmp_path / "golds.zip")
    assert "secret" not in str(caught.value) and "hidden" not in str(caught.value)
    assert not (tmp_path / "p.zip").exists()


def test_the_task_checks_the_outputs_where_there_are_golds(tmp_path: Path) -> None:
    write_envelope(tmp_path / "golds.zip", "LaMP_3", [{"id": "30", "output": "5"}])
    (tmp_path / "p.csv").write_text("id,output\n30,inf\n")
    with pytest.raises(SubmissionError, match=r"predictions of LaMP_3: id '30'"):
        make_predictions({"LaMP_3": tmp_path / "p.csv"}, tmp_path / "p.zip", golds=tmp_path / "golds.zip")
    assert not (tmp_path / "p.zip").exists()


def test_the_published_form_of_predictions_scores_the_same(tmp_path: Path) -> None:
    if not CASES.is_dir():
        pytest.skip(f"no reference cases at {CASES}")
    expected = json.loads((CASES / "expected.json").read_text())
    files = {}
    for task, rows in items(CASES / "preds.zip").items():
        files[task] = tmp_path / f"{task}.jsonl"
        # The reference reads numbers and lists for what they are written as, so as text they score the same.
        text = [(row["id"], row["output"] if isinstance(row["output"], str) else str(row["output"])) for row in rows]
        _jsonl(files[task], text)
    make_predictions(files, tmp_path / "p.zip", golds=CASES / "golds.zip")
    scores = score(CASES / "golds.zip", tmp_path / "p.zip", n_bootstrap=0)
    assert {task: scores[task].bare() for task in scores} == expected["exact"] | expected["rouge_plain_mean"]


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("h=1.csv").write_text("id,output\n40,a\n")
    Path("r.jsonl").write_text('{"id":"30","output":3}\n')
    assert main(["make-predictions", "LaMP_4=h=1.csv", "LaMP-3=r.jsonl", "-o", "p.zip"]) == 0
    assert capsys.readouterr().out == "p.zip: predictions: 1 of LaMP_3, 1 of LaMP_4\n"
    assert main(["make-predictions", "LaMP_4=h=1.csv", "-o", "p.zip", "--id-column", "qid"]) == 2
    told = capsys.readouterr()
    assert told.out == "" and told.err.startswith("error: predictions h=1.csv: line 1: has no column 'qid'")
    assert items(Path("p.zip")).keys() == {"LaMP_3", "LaMP_4"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["LaMP_4=a.csv", "b.csv"], "write TASK=FILE, as in LaMP_4=b.csv"),
        (["LaMP_4=a.csv", "LaMP-4=b.csv"], "LaMP_4 is given twice"),
        (["LaMP4=a.csv"], "did you mean 'LaMP_4'"),
    ],
)
def test_files_as_typed(given: list[str], message: str) -> None:
    with pytest.raises(HarnessError, match=message):
        task_files(given)


def test_a_target_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("id,output\n1,a\n")
    with pytest.raises(HarnessError, match="name it .zip"):
        make_predictions({"LaMP_4": tmp_path / "p.csv"}, tmp_path / "p.csv")
    assert (tmp_path / "p.csv").read_text() == "id,output\n1,a\n"


def test_pyarrow_is_imported_for_parquet_alone() -> None:
    code = "import sys, harness.make_predictions, harness.rows; print('pyarrow' in sys.modules, 'numpy' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "False"]
