"""Rows of the files people keep predictions in: JSON Lines, CSV, TSV and Parquet."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import IO

from harness.errors import SubmissionError, shown
from harness.members import Limits
from harness.strict_json import parse

Row = tuple[str, tuple[object, ...]]


def read_rows(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """Each row's place in the file, for messages, and its values of `columns`, one row in memory at a time.

    JSON Lines hold one object a line; CSV and TSV are UTF-8, with or without a byte order mark, and begin with the
    names of their columns; their cells are strings. Raises `SubmissionError` with the file and the line.
    """
    where = f"predictions {path}"
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise SubmissionError(f"{where}: its kind is told by its ending, which must be one of {', '.join(_READERS)}")
    try:
        yield from reader(path, where, columns)
    except UnicodeDecodeError as cause:
        raise SubmissionError(f"{where}: is not UTF-8 ({cause.reason}); save it as UTF-8") from None
    except OSError as cause:
        raise SubmissionError(f"{where}: {cause.strerror or 'cannot be read'}") from None


def cells_are_text(path: Path) -> bool:
    """Whether the file's format knows no values but strings."""
    return path.suffix.lower() in (".csv", ".tsv")


def _json_lines(path: Path, where: str, columns: Sequence[str]) -> Iterator[Row]:
    limits = Limits()
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            if not line.strip():
                continue
            place = f"{where}: line {number}"
            value = parse(line.strip(), place, SubmissionError, limits)
            if not isinstance(value, dict):
                raise SubmissionError(f"{place}: must be one JSON object, as in {{{_example(columns)}}}")
            _check_columns(place, columns, list(value))
            yield place, tuple(value[name] for name in columns)


def _csv(path: Path, where: str, columns: Sequence[str]) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        yield from _delimited(stream, ",", where, columns)


def _tsv(path: Path, where: str, columns: Sequence[str]) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        yield from _delimited(stream, "\t", where, columns)


def _delimited(stream: IO[str], delimiter: str, where: str, columns: Sequence[str]) -> Iterator[Row]:
    reader = csv.reader(stream, delimiter=delimiter, strict=True)
    begun = 0
    try:
        names = next(reader, None)
        if names is None:
            return
        _check_columns(f"{where}: line 1", columns, names)
        chosen = [names.index(name) for name in columns]
        begun = reader.line_num
        for cells in reader:
            place, begun = f"{where}: line {begun + 1}", reader.line_num
            if not cells:
                continue
            if len(cells) != len(names):
                raise SubmissionError(
                    f"{place}: has {len(cells)} cells for {len(names)} columns; quote cells that hold the separator"
                )
            yield place, tuple(cells[column] for column in chosen)
    except csv.Error as cause:
        raise SubmissionError(f"{where}: line {begun + 1}: {cause}; write it again, or as JSON Lines") from None


def _parquet(path: Path, where: str, columns: Sequence[str]) -> Iterator[Row]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise SubmissionError(f"{where}: Parquet is read by pyarrow; pip install pyarrow, or write CSV") from None
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            _check_columns(where, columns, file.schema_arrow.names)
            number = 0
            for batch in file.iter_batches(batch_size=4096, columns=list(columns)):
                for values in zip(*(batch.column(name).to_pylist() for name in columns), strict=True):
                    number += 1
                    yield f"{where}: row {number}", values
    except pyarrow.ArrowException as cause:
        raise SubmissionError(f"{where}: is no whole Parquet file ({str(cause)[:120]}); write it again") from None


def _check_columns(where: str, columns: Sequence[str], names: Sequence[str]) -> None:
    """Raise where one of `columns` is missing among `names`, or there twice."""
    for column in columns:
        if names.count(column) > 1:
            raise SubmissionError(f"{where}: has the column {column!r} twice; give each column its own name")
        if column not in names:
            folded = {str(name).casefold(): name for name in names}
            near = get_close_matches(column.casefold(), folded, n=1)
            hint = f"did you mean {folded[near[0]]!r}?" if near else "say which it is (--id-column, --output-column)"
            if len(names) == 1 and ";" in names[0]:
                hint = "its separator is a semicolon; save it with commas"
            raise SubmissionError(f"{where}: has no column {column!r}; it has {shown(list(names)) or 'none'}; {hint}")


def _example(columns: Sequence[str]) -> str:
    return ", ".join(f'"{name}": ...' for name in columns)


_READERS: dict[str, Callable[[Path, str, Sequence[str]], Iterator[Row]]] = {
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".csv": _csv,
    ".tsv": _tsv,
    ".parquet": _parquet,
}
