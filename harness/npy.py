"""`.npy` tables read without pickle and without evaluating their header."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.members import CHUNK, Member, Source

if TYPE_CHECKING:
    from harness.registry import FloatArray

# The header numpy itself writes; anything else, though it might be legal, is refused.
_HEADER = re.compile(
    r"\{'descr': '([^']{1,16})', 'fortran_order': (True|False), 'shape': \(([0-9]{1,12}), ([0-9]{1,12})\), \} *\n"
)
_MAX_HEADER = 4096


def read_table(source: Source, name: str) -> FloatArray:
    """The float table `(n_rows, n_columns)` of member `name`, as float32 or float64.

    Raises the source's error where the member is missing, cut short, too large, or no C-ordered float matrix.
    """
    import numpy as np

    with source.open(name) as member:
        kind, shape, start = _read_header(member)
        size = shape[0] * shape[1] * int(kind[2])
        if size > source.limits.array_bytes:
            raise member.error(
                f"{member.where}: {shape} takes {size:,} bytes; at most {source.limits.array_bytes:,} are read"
            )
        misfit = member.error(f"{member.where}: its length does not fit its shape {shape}; write it again")
        if member.size != start + size:  # before room is made for what a header merely claims
            raise misfit
        table = np.empty(shape, dtype=kind)
        buffer = table.reshape(-1).view(np.uint8)
        filled = 0
        while filled < size and (piece := member.read(min(CHUNK, size - filled))):
            buffer[filled : filled + len(piece)] = np.frombuffer(piece, np.uint8)
            filled += len(piece)
        if filled < size or member.read(1):
            raise misfit
        return table


def _read_header(member: Member) -> tuple[str, tuple[int, int], int]:
    """The dtype, the shape, and how many bytes come before the values."""
    start = bytes(member.read(8))
    if start[:6] != b"\x93NUMPY" or start[6:] not in (b"\x01\x00", b"\x02\x00"):
        raise member.error(f"{member.where}: is not a .npy file; write it with numpy.save")
    prefix = member.read(2 if start[6] == 1 else 4)
    length = int.from_bytes(prefix, "little")
    header = _HEADER.fullmatch(member.read(min(length, _MAX_HEADER)).decode("latin-1"))
    if header is None or header[1] not in ("<f4", "<f8") or header[2] == "True":
        raise member.error(
            f"{member.where}: must be a C-ordered matrix of float32 or float64; "
            "save numpy.ascontiguousarray(table, 'float32')"
        )
    return header[1], (int(header[3]), int(header[4])), 8 + len(prefix) + length
