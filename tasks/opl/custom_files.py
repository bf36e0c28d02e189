"""Reads single files of a user's folder: columns of a csv, tensors. What does not fit is told in a line that names the file."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from tasks.api import TaskError
from tasks.opl.tables import Ints

Singles = NDArray[np.float32]

_WANTED = 'docs/movielens_opl.md, "Your own data", lists the files'


def read_csv(path: Path, names: Sequence[str] = ()) -> list[list[str]]:
    """The columns of the given names, each `(n_rows,)`; the only column where none is named.

    Raises:
        TaskError: the file or a column is missing, a line has too few or too many values, it is no UTF-8 or badly quoted.
    """
    if not path.is_file():
        raise TaskError(f"{path} is missing; {_WANTED}")
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.reader(handle, strict=True)
            header = next(reader, [])
            places = _places(path, header, names)
            columns: list[list[str]] = [[] for _ in places]
            for row in reader:
                if len(row) != len(header):
                    raise TaskError(f"{path}, line {reader.line_num}: {len(row)} values for {len(header)} columns")
                for column, place in zip(columns, places, strict=True):
                    column.append(row[place])
    except (UnicodeDecodeError, csv.Error) as error:
        raise TaskError(f"{path}: it is no csv in UTF-8 with quotes doubled inside quotes ({error})") from None
    if not columns[0]:
        raise TaskError(f"{path}: it has no rows")
    return columns


def _places(path: Path, header: list[str], names: Sequence[str]) -> list[int]:
    if not names and len(header) != 1:
        raise TaskError(f"{path}: it has {len(header)} columns; it must have exactly one, a prompt a line")
    for name in names:
        if name not in header:
            advice = ""
            if name == "reward" and "rating" in header:
                advice = "; make of each rating a reward, 1 or 0, and leave out the rows that are neither"
            raise TaskError(f"{path}: it has no column {name}; its columns are {', '.join(header) or 'none'}{advice}")
        if header.count(name) > 1:
            raise TaskError(f"{path}: it has {header.count(name)} columns {name}; keep one")
    return [header.index(name) for name in names] or [0]


def whole_numbers(path: Path, name: str, texts: Sequence[str]) -> Ints:
    """A column's values `(n_rows,)`.

    Raises:
        TaskError: one is no whole number.
    """
    values = np.empty(len(texts), dtype=np.int64)
    for row, text in enumerate(texts):
        try:
            values[row] = int(text)
        except (ValueError, OverflowError):
            raise TaskError(f"{path}, row {row + 1}: {name} is {text[:40]!r}; it must be a whole number") from None
    return values


def check_texts(path: Path, what: str, texts: Sequence[str], longest: int | None) -> None:
    """No text is blank or of more than `longest` characters, no two are equal.

    Raises:
        TaskError: one is; names the rows.
    """
    first: dict[str, int] = {}
    for row, text in enumerate(texts, start=1):
        if not text.strip():
            raise TaskError(f"{path}, row {row}: the {what} is blank; write one")
        if longest is not None and len(text) > longest:
            raise TaskError(f"{path}, row {row}: the {what} has {len(text)} characters; it may have {longest}")
        if first.setdefault(text, row) != row:
            raise TaskError(
                f"{path}, rows {first[text]} and {row}: the {what} {text!r} occurs twice; make them differ, by a number"
            )


def read_tensors(folder: Path, name: str, tensor: str) -> dict[str, Singles]:
    """The tensors of NAME.safetensors, of which `tensor` is `(rows, dimensions)`; none where there is no such file.

    Raises:
        TaskError: there is a .pt instead, the file cannot be read, or the tensor is not as it must be.
    """
    path, pickled = folder / f"{name}.safetensors", folder / f"{name}.pt"
    if not path.is_file():
        if pickled.is_file():
            raise TaskError(
                f"{pickled}: .pt files are not read, they can run code; convert it: {converter(pickled, tensor)}"
            )
        return {}
    try:
        found = load_file(path)
    except (SafetensorError, TypeError, AttributeError) as error:  # the latter: types that NumPy has not, as bfloat16
        raise TaskError(f"{path} is no safetensors file of float32 ({error}); write it again") from None
    if tensor not in found:
        raise TaskError(f"{path}: it has no tensor {tensor}; it has {', '.join(found) or 'none'}")
    with np.errstate(over="ignore"):  # what float32 does not hold is refused
        found = {key: array.astype(np.float32) for key, array in found.items()}
    value = found[tensor]
    if value.ndim != 2 or value.size == 0 or not np.isfinite(value).all():
        raise TaskError(
            f"{path}: {tensor} has shape {value.shape}; it must be (rows, dimensions), all finite as float32"
        )
    return found


def converter(pickled: Path, tensor: str) -> str:
    """The command with which a user turns a .pt that they trust into safetensors."""
    read = f"torch.load({str(pickled)!r}, map_location='cpu', weights_only=True).float().contiguous()"
    target = str(pickled.with_suffix(".safetensors"))
    return f'python -c "import torch; from safetensors.torch import save_file; save_file({{{tensor!r}: {read}}}, {target!r})"'
