from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from expectations import gate
from expectations.engine import Engine, Evaluation
from expectations.gate import GateError, TableOnDisk, hold
from expectations.suite import checks, suite_digest
from expectations.tables import TABLES, UnknownTableError
from tests.expectations.made import N, held, valid, write

Change = Callable[[pa.Table], pa.Table]


def put(column: str, values: list[object], kind: pa.DataType | None = None) -> Change:
    """Replaces the first values of a column."""

    def change(table: pa.Table) -> pa.Table:
        i = table.schema.get_field_index(column)
        kind_now = kind or table.schema.field(i).type
        changed = [*values, *table.column(i).to_pylist()[len(values) :]]
        return table.set_column(i, pa.field(column, kind_now), pa.array(changed, kind_now))

    return change


NAN, INF = float("nan"), float("inf")
BETWEEN, TYPE, NULL = (f"expect_column_values_to_{x}" for x in ("be_between", "be_of_type", "not_be_null"))
UNIQUE, COMPOUND = "expect_column_values_to_be_unique", "expect_compound_columns_to_be_unique"
IN_SET, REGEX = "expect_column_values_to_be_in_set", "expect_column_values_to_match_regex"
CONTAINS, LENGTH = "expect_column_distinct_values_to_contain_set", "expect_column_value_lengths_to_be_between"
LAST, COLUMNS = "expect_column_max_to_be_between", "expect_table_columns_to_match_ordered_list()"
ROWS = "expect_table_row_count_to_be_between()"

RATINGS, FILMS, CONTEXTS, ROUNDS = "movielens.interactions", "movielens.items", "opl.contexts", "opl.rounds"
BAD: list[tuple[str, Change, set[str]]] = [
    (RATINGS, put("user_id", [-1]), {f"{BETWEEN}(user_id)"}),
    (RATINGS, put("item_id", [None]), {f"{NULL}(item_id)"}),
    (RATINGS, put("item_id", [1]), {f"{COMPOUND}(user_id, item_id)"}),
    (RATINGS, put("reward", [2]), {f"{IN_SET}(reward)"}),
    (RATINGS, put("reward", [0] * N), {f"{CONTAINS}(reward)"}),
    (RATINGS, put("reward", [], pa.int64()), {f"{TYPE}(reward)"}),
    (RATINGS, put("rating", [NAN]), {f"{BETWEEN}(rating)"}),
    (RATINGS, put("rating", [None]), {f"{NULL}(rating)"}),
    (RATINGS, put("rating", [5.5]), {f"{BETWEEN}(rating)"}),
    (RATINGS, put("rating", [], pa.float64()), {f"{TYPE}(rating)"}),
    (RATINGS, put("timestamp", [2**36]), {f"{BETWEEN}(timestamp)"}),
    (RATINGS, lambda t: t.select(["item_id", "user_id", "reward", "rating", "timestamp"]), {COLUMNS}),
    (RATINGS, lambda t: t.append_column("more", pa.array([0] * N)), {COLUMNS}),
    (
        RATINGS,
        lambda t: t.drop_columns(["timestamp"]),
        {COLUMNS, f"{TYPE}(timestamp)", f"{NULL}(timestamp)", f"{BETWEEN}(timestamp)"},
    ),
    (FILMS, put("year", [0]), {f"{BETWEEN}(year)"}),
    (FILMS, put("title", ["  "]), {f"{REGEX}(title)"}),
    (FILMS, put("title", ["x" * 1001]), {f"{LENGTH}(title)"}),
    (FILMS, put("genres", [None]), {f"{NULL}(genres)"}),
    (FILMS, put("item_id", [N]), {f"{LAST}(item_id)"}),
    (FILMS, put("item_id", [1]), {f"{UNIQUE}(item_id)"}),
    (FILMS, put("source_item_id", [7]), {f"{UNIQUE}(source_item_id)"}),
    (FILMS, lambda t: t.slice(0, 0), {ROWS, f"{LAST}(item_id)"}),
    ("movielens.users", put("n_positive", [-1]), {f"{BETWEEN}(n_positive)"}),
    ("movielens.sentences", put("prompt_id", [-2]), {f"{BETWEEN}(prompt_id)"}),
    ("movielens.sentences", put("text", [""]), {f"{REGEX}(text)"}),
    ("prompts.keywords", put("keyword", ["noir"]), {f"{UNIQUE}(keyword)"}),
    (CONTEXTS, put("split", ["valid"]), {f"{IN_SET}(split)"}),
    (CONTEXTS, put("split", ["train"] * N), {f"{CONTAINS}(split)"}),
    (
        CONTEXTS,
        put("split", [0, 0, 1, 1, 0, 1], pa.int64()),
        {f"{TYPE}(split)", f"{IN_SET}(split)", f"{CONTAINS}(split)"},
    ),
    (ROUNDS, put("reward", [NAN]), {f"{BETWEEN}(reward)"}),
    (ROUNDS, put("reward", [None]), {f"{NULL}(reward)"}),
    (ROUNDS, put("reward", [-INF]), {f"{BETWEEN}(reward)"}),
    (ROUNDS, put("pscore", [0.0]), {f"{BETWEEN}(pscore)"}),
    (ROUNDS, put("pscore", [1.0000001]), {f"{BETWEEN}(pscore)"}),
    (ROUNDS, put("context_id", [None, None]), {f"{NULL}(context_id)"}),
]


def failures(root: Path) -> dict[str, set[str]]:
    """The failed expectations of each table in a written verdict."""
    tables = json.loads((root / "verdict.json").read_text())["tables"]
    return {name: {e["id"] for e in table["expectations"] if not e["success"]} for name, table in tables.items()}


@pytest.mark.parametrize("max_rows", [100, 3], ids=["whole", "in parts"])
def test_valid_tables_pass_and_every_expectation_is_in_the_verdict(max_rows: int, tmp_path: Path) -> None:
    names = sorted(TABLES) if max_rows == 100 else ["movielens.items", "movielens.sentences", "opl.contexts"]
    tables = {name: TableOnDisk(name, "digest", write(valid(name), tmp_path / name, parts=2)) for name in names}
    assert hold(tables, tmp_path / "out", max_rows=max_rows).passed
    written = json.loads((tmp_path / "out" / "verdict.json").read_text())
    assert written["passed"] is True
    for name, table in written["tables"].items():
        assert (table["declaration"], table["table_digest"], table["rows"]) == (name, "digest", N)
        assert table["suite_digest"] == suite_digest(TABLES[name])
        assert [e["id"] for e in table["expectations"]] == [check.id for check in checks(TABLES[name])]
        assert all(
            e["elements"] in (None, N) and not e["unexpected"] and e["error"] is None for e in table["expectations"]
        )
    assert (tmp_path / "out" / "aux" / "data_docs" / "index.html").is_file()


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, set[str]], str]:
    """What fails in each mutated table, all held by one gate, and its error."""
    root = tmp_path_factory.mktemp("bad")
    tables = {
        f"t{i:02d}": TableOnDisk(name, "d", write(change(valid(name)), root / f"t{i:02d}"))
        for i, (name, change, _) in enumerate(BAD)
    }
    with pytest.raises(GateError) as caught:
        hold(tables, root / "out")
    return failures(root / "out"), str(caught.value)


@pytest.mark.parametrize("i", range(len(BAD)), ids=[f"{n}-{sorted(e)[0]}" for n, _, e in BAD])
def test_a_mutation_fails_the_right_expectation(i: int, judged: tuple[dict[str, set[str]], str]) -> None:
    assert judged[0][f"t{i:02d}"] == BAD[i][2]


def test_the_error_is_one_line_and_counts_what_it_leaves_out(judged: tuple[dict[str, set[str]], str]) -> None:
    found, said = judged
    assert said.startswith(f"{RATINGS}: {BETWEEN}(user_id) fails for 1 of 6 rows, as -1 in row 0; ")
    assert f"; and {sum(map(len, found.values())) - 3} more. Nothing is published" in said
    assert "\n" not in said


def test_mutations_fail_the_same_in_parts(tmp_path: Path) -> None:
    some = {f"t{i}": BAD[i] for i in (2, 4, 19)}
    tables = {
        t: TableOnDisk(name, "d", write(change(valid(name)), tmp_path / t)) for t, (name, change, _) in some.items()
    }
    with pytest.raises(GateError):
        hold(tables, tmp_path / "out", max_rows=3)
    assert failures(tmp_path / "out") == {t: expected for t, (_, _, expected) in some.items()}


def test_the_mutations_cover_every_expectation_there_is() -> None:
    used = {check.expectation for spec in TABLES.values() for check in checks(spec)}
    assert {failed.split("(")[0] for _, _, names in BAD for failed in names} == used


def test_the_error_gives_counts_examples_and_rows(tmp_path: Path) -> None:
    with pytest.raises(GateError) as caught:
        held(RATINGS, put("rating", [NAN, 7.0])(valid(RATINGS)), tmp_path, max_rows=4)
    assert f"{RATINGS}: {BETWEEN}(rating) fails for 2 of 6 rows, as 'nan' in row 0" in str(caught.value)
    written = json.loads((tmp_path / "verdict" / "verdict.json").read_text())
    (failed,) = [e for e in written["tables"]["t"]["expectations"] if not e["success"]]
    assert (failed["unexpected"], failed["elements"], failed["examples"], failed["rows"]) == (
        2,
        6,
        ["nan", 7.0],
        [0, 1],
    )


@pytest.mark.parametrize("max_rows", [100, 2])
def test_row_numbers_and_counts_are_the_tables_in_parts_too(max_rows: int, tmp_path: Path) -> None:
    table = put("keyword", ["a", "noir", "sci fi", "a", "b", "a"])(valid("prompts.keywords"))
    with pytest.raises(GateError):
        held("prompts.keywords", table, tmp_path, max_rows=max_rows)
    written = json.loads((tmp_path / "verdict" / "verdict.json").read_text())
    (failed,) = [e for e in written["tables"]["t"]["expectations"] if not e["success"]]
    assert (failed["id"], failed["unexpected"], failed["elements"], failed["rows"]) == (
        f"{UNIQUE}(keyword)",
        3,
        6,
        [0, 3, 5],
    )


def test_of_personal_tables_no_value_is_shown_anywhere(tmp_path: Path) -> None:
    secret = "secret@example.org"
    table = put("text", [secret, secret])(valid("movielens.sentences"))
    bad = put("item_id", [-424242])(table)
    with pytest.raises(GateError) as caught:
        held("movielens.sentences", put("text", [secret, "  "])(bad), tmp_path, personal=True)
    assert f"{BETWEEN}(item_id) fails for 1 of 6 rows" in str(caught.value)
    texts = [str(caught.value)]
    texts += [path.read_text() for path in (tmp_path / "verdict").rglob("*") if path.suffix in (".html", ".json")]
    assert len(texts) > 3
    assert not any(secret in text or "424242" in text for text in texts)


def test_a_verdict_depends_on_the_tables_alone(tmp_path: Path) -> None:
    for root, parts in ((tmp_path / "a", 1), (tmp_path / "b", 3)):
        held(FILMS, valid(FILMS), root, parts=parts)
    assert (tmp_path / "a/verdict/verdict.json").read_bytes() == (tmp_path / "b/verdict/verdict.json").read_bytes()


def test_all_tables_are_judged_before_the_gate_fails(tmp_path: Path) -> None:
    tables = {
        "bad": TableOnDisk(RATINGS, "d1", write(put("reward", [2])(valid(RATINGS)), tmp_path / "bad")),
        "good": TableOnDisk(FILMS, "d2", write(valid(FILMS), tmp_path / "good")),
    }
    with pytest.raises(GateError, match=r"expect_column_values_to_be_in_set\(reward\)"):
        hold(tables, tmp_path / "out")
    written = json.loads((tmp_path / "out" / "verdict.json").read_text())["tables"]
    assert {name: table["passed"] for name, table in written.items()} == {"bad": False, "good": True}


def test_nothing_to_hold_unknown_declarations_and_unreadable_tables_are_errors(tmp_path: Path) -> None:
    with pytest.raises(GateError, match="given no table"):
        hold({}, tmp_path)
    with pytest.raises(UnknownTableError):
        hold({"t": TableOnDisk("nothing", "d", tmp_path)}, tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(GateError, match=r"table t \(opl.rounds\) has no Parquet files"):
        hold({"t": TableOnDisk(ROUNDS, "d", tmp_path / "empty")}, tmp_path / "out")
    (tmp_path / "empty" / "part-00000.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(GateError, match=r"table t \(opl.rounds\) in .* cannot be read"):
        hold({"t": TableOnDisk(ROUNDS, "d", tmp_path / "empty")}, tmp_path / "out")


def test_a_check_left_out_or_run_on_fewer_rows_is_never_a_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Engine.evaluate

    def forgetful(self: Engine, *args: object) -> list[Evaluation]:
        return real(self, *args)[:-1]

    monkeypatch.setattr(Engine, "evaluate", forgetful)
    with pytest.raises(GateError):
        held(ROUNDS, valid(ROUNDS), tmp_path / "a")
    monkeypatch.setattr(
        Engine, "evaluate", lambda self, label, frame, suite, rows: real(self, label, frame[:3], suite, rows)
    )
    with pytest.raises((RuntimeError, GateError)):
        held("movielens.sentences", valid("movielens.sentences"), tmp_path / "b")
    monkeypatch.setattr(Engine, "evaluate", real)
    monkeypatch.setattr(gate.frames, "whole", lambda path: next(gate.frames.chunks(path, 3)))
    with pytest.raises(RuntimeError, match="read 3 rows of table t, whose Parquet has 6"):
        held("movielens.sentences", valid("movielens.sentences"), tmp_path / "c")


def test_the_gate_is_quiet_and_leaves_home_alone(tmp_path: Path) -> None:
    write(valid(ROUNDS), tmp_path / "table")
    (tmp_path / "home").mkdir()
    code = (
        "import logging, pathlib, sys; logging.basicConfig(level=logging.INFO)\n"
        "from expectations.gate import TableOnDisk, hold\n"
        "root = pathlib.Path(sys.argv[1])\n"
        "hold({'t': TableOnDisk('opl.rounds', 'd', root / 'table')}, root / 'out')\n"
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GX_")} | {"HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], env=environment, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("", "")
    assert list((tmp_path / "home").iterdir()) == []
    assert json.loads((tmp_path / "out" / "verdict.json").read_text())["passed"] is True
