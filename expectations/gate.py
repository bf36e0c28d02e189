"""The gate: tables are held to their declarations by Great Expectations, and what was found is written down.

What a task wrapper calls:

    verdict = hold({"items": artifact.table("items"), ...}, out.root, personal=artifact.manifest.licence.personal)

It writes below `out_dir`

    verdict.json     {"passed", "tables": {table: {"declaration", "suite_digest", "table_digest", "rows", "passed",
                      "expectations": [{"id", "expectation", "columns", "kwargs", "success", "elements", "missing",
                      "unexpected", "observed", "examples", "rows", "error"}]}}}: a function of tables and suites alone
    aux/data_docs/   the pages of Great Expectations, for people; start at index.html

and returns the same `Verdict`; when any expectation fails it raises `GateError`, after both are complete. Whoever wants a
table passed asks the file for its table digest and its suite digest: an exit status proves nothing.

Up to `max_rows` rows a table is judged in one frame. A larger one is judged in parts, so that memory stays bounded: what
concerns single rows in runs of rows, uniqueness in buckets that hold all rows of equal keys, what concerns a column as a whole
on that column alone. Counts are summed over the parts.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

from expectations import frames
from expectations.engine import Engine, Evaluation, Plain
from expectations.suite import Check, checks, suite_digest
from expectations.tables import TableSpec, declaration
from store.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS = 2_000_000
EXAMPLES = 5
_NAMED = 3

# They judge a table or column as a whole and count no rows.
_UNCOUNTED = (
    "expect_table_columns_to_match_ordered_list",
    "expect_table_row_count_to_be_between",
    "expect_column_values_to_be_of_type",
    "expect_column_distinct_values_to_contain_set",
    "expect_column_max_to_be_between",
)


class GateError(UserError):
    """A table is not what its declaration says, or could not be judged."""


class HeldTable(Protocol):
    """A table to be judged; `store.artifact.Table` is one."""

    @property
    def declaration(self) -> str:
        """The name of its declaration, as in `movielens.items`."""
        ...

    @property
    def digest(self) -> str:
        """The digest of its content, which the verdict repeats."""
        ...

    @property
    def path(self) -> Path:
        """The directory of its Parquet parts."""
        ...


@dataclass(frozen=True)
class TableOnDisk:
    """A table that is not in a store: a directory of Parquet parts."""

    declaration: str
    digest: str
    path: Path


@dataclass(frozen=True)
class TableVerdict:
    """What the gate found in one table."""

    declaration: str
    suite_digest: str
    table_digest: str
    rows: int
    evaluations: tuple[Evaluation, ...]

    @property
    def passed(self) -> bool:
        """Whether every expectation holds."""
        return all(evaluation.success for evaluation in self.evaluations)

    def as_json(self) -> dict[str, object]:
        """The table's part of verdict.json."""
        return {
            "declaration": self.declaration,
            "suite_digest": self.suite_digest,
            "table_digest": self.table_digest,
            "rows": self.rows,
            "passed": self.passed,
            "expectations": [_as_json(evaluation) for evaluation in self.evaluations],
        }


@dataclass(frozen=True)
class Verdict:
    """What the gate found in all tables of an artifact."""

    tables: Mapping[str, TableVerdict]

    @property
    def passed(self) -> bool:
        """Whether every table passed."""
        return all(table.passed for table in self.tables.values())

    def as_json(self) -> dict[str, object]:
        """The content of verdict.json."""
        return {"passed": self.passed, "tables": {name: table.as_json() for name, table in sorted(self.tables.items())}}


def hold(
    tables: Mapping[str, HeldTable], out_dir: Path, *, personal: bool = False, max_rows: int = MAX_ROWS
) -> Verdict:
    """Holds every table to its declaration and writes verdict.json and Data Docs below `out_dir`.

    Args:
        tables: the tables by their names in the artifact.
        out_dir: where to write.
        personal: the tables hold personal data: errors, verdict and pages show counts, never values.
        max_rows: rows that may be in memory at once.

    Raises:
        GateError: an expectation failed (the message names the first few with their columns and counts), there is no table, or
            one has no or unreadable Parquet.
        UnknownTableError: a table's declaration does not exist.
        RuntimeError: not every expectation was evaluated on every row.
    """
    if not tables:
        raise GateError("the gate was given no table; an artifact without tables needs no gate")
    out_dir.mkdir(parents=True, exist_ok=True)
    specs = {name: declaration(table.declaration) for name, table in tables.items()}
    engine = Engine(out_dir / "aux" / "data_docs", examples=0 if personal else EXAMPLES)
    verdict = Verdict({name: _judge(engine, name, tables[name], spec, max_rows) for name, spec in specs.items()})
    engine.close()
    text = json.dumps(verdict.as_json(), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    (out_dir / "verdict.json").write_text(text + "\n", encoding="utf-8")
    if not verdict.passed:
        raise GateError(_complaint(verdict, out_dir))
    return verdict


def _judge(engine: Engine, name: str, table: HeldTable, spec: TableSpec, max_rows: int) -> TableVerdict:
    suite = checks(spec)
    path = table.path
    try:
        if not frames.parts(path):
            raise GateError(
                f"table {name} ({spec.name}) has no Parquet files in {path}; run the task that writes it again"
            )
        rows = frames.row_count(path)
        found: dict[str, list[Evaluation]] = {check.id: [] for check in suite}
        seen = 0
        for label, frame, part in _parts(name, path, suite, rows, max_rows):
            if any(check.scope == "row" for check in part):
                seen += len(frame)
            for evaluation in engine.evaluate(label, frame, part, rows):
                found[evaluation.check.id].append(evaluation)
            if rows > max_rows:
                # The library's results sit in reference cycles that hold on to the frame.
                del frame
                gc.collect()
    except pa.ArrowInvalid as error:
        detail = " ".join(str(error).split())
        raise GateError(f"table {name} ({spec.name}) in {path} cannot be read: {detail}; write it again") from error
    evaluations = tuple(_merge(check, found[check.id]) for check in suite)
    _require_complete(name, evaluations, seen, rows)
    return TableVerdict(spec.name, suite_digest(spec), table.digest, rows, evaluations)


def _parts(
    name: str, path: Path, suite: Sequence[Check], rows: int, max_rows: int
) -> Iterator[tuple[str, pd.DataFrame, Sequence[Check]]]:
    """Frames of a table, each with a label and the checks to run on it; every check meets every row of its columns."""
    if rows <= max_rows:
        yield name, frames.whole(path), suite
        return
    by_row = [check for check in suite if check.scope == "row"]
    for number, frame in enumerate(frames.chunks(path, max_rows), start=1):
        yield f"{name}.rows-{number}", frame, by_row
    for check in suite:
        if check.scope == "key":
            for number, frame in enumerate(frames.buckets(path, check.columns, max_rows), start=1):
                yield f"{name}.{'-'.join(check.columns)}-{number}", frame, [check]
    whole = [check for check in suite if check.scope == "table"]
    first = frames.first_column(path)
    for column in sorted({check.columns[0] if check.columns else first for check in whole}):
        mine = [check for check in whole if (check.columns or (first,)) == (column,)]
        yield f"{name}.{column}", frames.whole(path, [column]), mine


def _merge(check: Check, evaluations: Sequence[Evaluation]) -> Evaluation:
    """One evaluation for all parts of a table: counts are summed, and it succeeds when all do."""
    failed = [evaluation for evaluation in evaluations if not evaluation.success]
    said = (failed or list(evaluations))[:1]
    return Evaluation(
        check=check,
        success=bool(evaluations) and not failed,
        elements=_sum([evaluation.elements for evaluation in evaluations]),
        missing=_sum([evaluation.missing for evaluation in evaluations]),
        unexpected=_sum([evaluation.unexpected for evaluation in evaluations]),
        observed=said[0].observed if said else None,
        examples=tuple(value for evaluation in failed for value in evaluation.examples)[:EXAMPLES],
        rows=tuple(row for evaluation in failed for row in evaluation.rows)[:EXAMPLES],
        error=next((evaluation.error for evaluation in failed if evaluation.error), None),
    )


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _require_complete(name: str, evaluations: Sequence[Evaluation], seen: int, rows: int) -> None:
    """A check that met fewer rows than the table has proves nothing, so a success of that kind is an error."""
    if seen != rows:
        raise RuntimeError(f"the gate read {seen} rows of table {name}, whose Parquet has {rows}")
    for evaluation in evaluations:
        counted = evaluation.check.expectation not in _UNCOUNTED
        if evaluation.success and counted and evaluation.elements != rows:
            raise RuntimeError(
                f"{evaluation.check.id} was evaluated on {evaluation.elements} rows of table {name}, which has {rows}"
            )


def _as_json(evaluation: Evaluation) -> dict[str, Plain | object]:
    return {
        "id": evaluation.check.id,
        "expectation": evaluation.check.expectation,
        "columns": list(evaluation.check.columns),
        "kwargs": evaluation.check.kwargs,
        "success": evaluation.success,
        "elements": evaluation.elements,
        "missing": evaluation.missing,
        "unexpected": evaluation.unexpected,
        "observed": evaluation.observed,
        "examples": list(evaluation.examples),
        "rows": list(evaluation.rows),
        "error": evaluation.error,
    }


def _complaint(verdict: Verdict, out_dir: Path) -> str:
    failures = [(table, e) for table in verdict.tables.values() for e in table.evaluations if not e.success]
    said = "; ".join(f"{table.declaration}: {_failure(table, e)}" for table, e in failures[:_NAMED])
    more = f"; and {len(failures) - _NAMED} more" if len(failures) > _NAMED else ""
    return (
        f"{said}{more}. Nothing is published; mend the task that writes it (all findings: {out_dir / 'verdict.json'})"
    )


def _failure(table: TableVerdict, evaluation: Evaluation) -> str:
    said = f"{evaluation.check.id} fails"
    if evaluation.error is not None:
        return f"{said}: {evaluation.error[:200]}"
    if evaluation.unexpected is not None:
        said += f" for {evaluation.unexpected} of {table.rows} rows"
        if evaluation.examples:
            said += f", as {evaluation.examples[0]!r} in row {evaluation.rows[0]}" if evaluation.rows else ""
        return said
    return f"{said}: observed {evaluation.observed!r}" if evaluation.observed is not None else said
