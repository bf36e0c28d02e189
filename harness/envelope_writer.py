"""Writes golds and predictions as a zip whose bytes depend on nothing but its contents."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from harness import registry
from harness.envelope import check_body
from harness.errors import HarnessError
from harness.files import replacing
from harness.members import Limits
from harness.strict_json import parse

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_EPOCH = (1980, 1, 1, 0, 0, 0)


def write_envelope(
    path: str | os.PathLike[str],
    task: str,
    golds: Iterable[Mapping[str, object]],
    arrays: Mapping[str, NDArray[np.float32] | NDArray[np.float64]] | None = None,
    settings: Mapping[str, object] | None = None,
) -> None:
    """Write a zip of `<task>.json` with the items `golds`, and each array `(n_rows, n_columns)` as `<task>.<name>.npy`.

    Nothing is compressed: deflate's bytes differ between zlib builds, and random tables hardly shrink. The file appears
    whole or not at all. Raises `HarnessError` for items that are no envelope or arrays that are no float matrices.
    """
    where = f"writing {Path(path)}"
    task = registry.canonical(task)
    texts = {task: _body(task, golds, settings, where)}
    _write(Path(path), texts, {f"{task}.{name}": table for name, table in (arrays or {}).items()})


def write_envelopes(path: str | os.PathLike[str], items: Mapping[str, Iterable[Mapping[str, object]]]) -> None:
    """Write one zip with a `<task>.json` for each task, as `write_envelope` does for one."""
    where = f"writing {Path(path)}"
    named = {registry.canonical(task): golds for task, golds in items.items()}
    if len(named) < len(items) or not named:
        raise HarnessError(f"{where}: {len(items)} tasks that name {len(named)}; give each task once, at least one")
    _write(Path(path), {task: _body(task, golds, None, where) for task, golds in sorted(named.items())}, {})


def _body(task: str, golds: Iterable[Mapping[str, object]], settings: Mapping[str, object] | None, where: str) -> str:
    body = {"task": task, **({"settings": dict(settings)} if settings else {}), "golds": [dict(item) for item in golds]}
    check_body(body, where, HarnessError)
    try:
        text = json.dumps(body, allow_nan=False, separators=(",", ":"))
    except (ValueError, TypeError) as cause:
        raise HarnessError(f"{where}: an output is not JSON: {cause}") from None
    _check_size(f"{where}: {task}.json", len(text), Limits().json_bytes)
    parse(text.encode("ascii"), f"{where}: {task}.json", HarnessError, Limits())  # what is written must be read again
    return text


def _write(
    target: Path, texts: Mapping[str, str], tables: Mapping[str, NDArray[np.float32] | NDArray[np.float64]]
) -> None:
    where = f"writing {target}"
    with replacing(target) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for task, text in texts.items():
            archive.writestr(_member(f"{task}.json"), text.encode("ascii"))
        for name, table in sorted(tables.items()):
            _write_table(archive, f"{name}.npy", table, where)


def _write_table(
    archive: zipfile.ZipFile, name: str, table: NDArray[np.float32] | NDArray[np.float64], where: str
) -> None:
    from numpy import ascontiguousarray
    from numpy.lib import format as npy

    if table.ndim != 2 or table.dtype.str not in ("<f4", "<f8"):
        raise HarnessError(f"{where}: {name} must be a matrix of float32 or float64, not {table.dtype} {table.shape}")
    _check_size(f"{where}: {name}", table.nbytes, Limits().array_bytes)
    with archive.open(_member(name), "w") as stream:
        npy.write_array(stream, ascontiguousarray(table), version=(1, 0), allow_pickle=False)


def _check_size(where: str, size: int, limit: int) -> None:
    if size > limit:
        raise HarnessError(
            f"{where}: takes {size:,} bytes; at most {limit:,} are read back, so score fewer samples at a time"
        )


def _member(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, date_time=_EPOCH)
    info.create_system = 3  # the same on every platform
    info.external_attr = 0o644 << 16
    return info
