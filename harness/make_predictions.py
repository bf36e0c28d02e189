"""Predictions as a system writes them (JSON Lines, CSV, TSV, Parquet) made into the zip that is scored."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from harness import registry
from harness.errors import HarnessError, SubmissionError

if TYPE_CHECKING:
    from harness.envelope import EnvelopeFile


# One task's outputs by id, each with the place it was read from.
_Outputs: TypeAlias = dict[str, tuple[object, str]]


def make_predictions(
    inputs: Mapping[str, str | os.PathLike[str]] | str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    id_column: str = "id",
    output_column: str = "output",
    task_column: str = "task",
    golds: str | os.PathLike[str] | None = None,
) -> dict[str, int]:
    """Write the zip `output` from one file for each task, or from one file whose rows name their task; counts by task.

    Files are JSON Lines, CSV, TSV or Parquet, by their ending; where a task's outputs are not text, cells of CSV and
    TSV hold JSON. Ids are written as strings, or as integers where `golds` have integers; rows in any order give the
    same bytes. With `golds` the predictions must fit them. Raises `SubmissionError` with the file and the line, and
    then nothing is written.
    """
    target = Path(output)
    if target.suffix.lower() != ".zip":
        raise HarnessError(f"writing {target}: predictions are written as a zip; name it .zip")
    made: dict[str, _Outputs] = {}
    if isinstance(inputs, Mapping):
        for name, path in inputs.items():
            _collect(made, Path(path), (id_column, output_column), registry.canonical(name))
    else:
        _collect(made, Path(inputs), (id_column, output_column, task_column), None)
    integers = _fitted(made, golds) if golds is not None else set()
    _write(target, made, integers)
    return {task: len(outputs) for task, outputs in sorted(made.items())}


def _collect(made: dict[str, _Outputs], path: Path, columns: tuple[str, ...], task: str | None) -> None:
    """Add the rows of one file to `made`, all of `task` or each of the task it names."""
    from harness.rows import cells_are_text, read_rows

    as_text = cells_are_text(path)
    empty = True
    for place, (name, value, *named) in read_rows(path, columns):
        empty = False
        of = task or _task(named[0], place)
        outputs, key = made.setdefault(of, {}), _id(name, place)
        if key in outputs:
            before = outputs[key][1].rpartition(": ")[2]
            raise SubmissionError(f"{place}: gives the id {key[:60]!r} again, after {before}; give each id once")
        outputs[key] = _output(of, value, place, as_text), place
    if empty:
        raise SubmissionError(f"predictions {path}: holds no predictions; give one row for each id")


def _task(name: object, place: str) -> str:
    if not isinstance(name, str):
        raise SubmissionError(f"{place}: its task must be the name of one, as in LaMP_4")
    try:
        return registry.canonical(name)
    except HarnessError as error:
        raise SubmissionError(f"{place}: {error}") from None


def _id(value: object, place: str) -> str:
    if type(value) not in (str, int) or not str(value).strip():
        kind = "is empty" if value is None or isinstance(value, str) else f"is of the type {type(value).__name__}"
        raise SubmissionError(f"{place}: its id {kind}; give each prediction its id as a string or an integer")
    return str(value)


def _output(task: str, value: object, place: str, as_text: bool) -> object:
    if value is None:
        raise SubmissionError(f"{place}: its output is null; write what the system answered, as '' where that is empty")
    if not task.startswith("LaMP_"):
        return _parsed(value, place) if as_text and isinstance(value, str) else value
    if task == "LaMP_3" and isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return str(value)
    if task == "LaMP_3" and isinstance(value, float):
        raise SubmissionError(f"{place}: its output is {value}; write a finite number, or the text that was answered")
    # The other tasks answer in words: a number among them was a string before some table read it as one.
    if not isinstance(value, str):
        raise SubmissionError(f"{place}: its output is of the type {type(value).__name__}; {task} takes strings")
    return value


def _parsed(cell: str, place: str) -> object:
    from harness.members import Limits
    from harness.strict_json import parse

    return parse(cell.encode(), f"{place}: its output", SubmissionError, Limits())


def _fitted(made: Mapping[str, _Outputs], golds: str | os.PathLike[str]) -> set[str]:
    """Raise where the outputs do not fit the golds; the tasks whose ids are integers there."""
    from harness.envelope import open_golds
    from harness.inputs import local

    with local(os.fspath(golds), "golds") as (path, where), open_golds(path, where=where) as file:
        return {task for task, outputs in made.items() if _fits(file, task, outputs) == "integers"}


def _fits(file: EnvelopeFile, task: str, outputs: _Outputs) -> str:
    """Raise where the outputs of one task do not fit its golds; what the ids are there."""
    from harness.envelope import Envelope, matched

    gold = file.read(task)
    ids = sorted(outputs)
    predictions = Envelope(
        where=f"predictions of {task}",
        task=task,
        ids=tuple(ids),
        users=None,
        outputs=tuple(outputs[name][0] for name in ids),
        arrays={},
        settings={},
        positions=tuple(range(len(ids))),
        size=len(ids),
        ids_are=gold.ids_are,
        content="",
        sha256="",
    )
    registry.get(task).samples(*matched(gold, predictions))
    return gold.ids_are


def _write(target: Path, made: Mapping[str, _Outputs], integers: set[str]) -> None:
    from harness.envelope_writer import write_envelopes

    def items(task: str, outputs: _Outputs) -> Iterator[dict[str, object]]:
        for name in sorted(outputs):
            yield {"id": int(name) if task in integers else name, "output": outputs[name][0]}

    write_envelopes(target, {task: items(task, outputs) for task, outputs in made.items()})


def task_files(given: Sequence[str]) -> dict[str, str] | str:
    """The file of each task from `TASK=FILE` as typed, or the one file that names its tasks; raises `HarnessError`."""
    if len(given) == 1 and "=" not in given[0]:
        return given[0]
    files: dict[str, str] = {}
    for pair in given:
        name, equals, path = pair.partition("=")
        if not equals:
            raise HarnessError(f"{pair!r}: write TASK=FILE, as in LaMP_4={pair}")
        task = registry.canonical(name)
        if task in files:
            raise HarnessError(f"{task} is given twice, as {files[task]!r} and {path!r}; give each task one file")
        files[task] = path
    return files
