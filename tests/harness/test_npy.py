"""`.npy` tables from strangers."""

from __future__ import annotations

import io
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from harness.errors import HarnessError
from harness.members import Limits
from harness.npy import read_table
from harness.untrusted import open_source


def saved(array: object) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)  # type: ignore[arg-type]
    return stream.getvalue()


def read(data: bytes, limits: Limits | None = None) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "t.npy").write_bytes(data)
        with open_source(Path(folder), "golds", HarnessError, limits or Limits()) as source:
            return read_table(source, "t.npy")


GOOD = saved(np.arange(6.0).reshape(2, 3))


@given(st_numpy.arrays(st.sampled_from(["<f4", "<f8"]), st.tuples(st.integers(0, 4), st.integers(0, 4))))
def test_reads_what_numpy_saves(table: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> None:
    back = read(saved(table))
    assert back.dtype == table.dtype and back.shape == table.shape
    np.testing.assert_array_equal(back, table)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is not a .npy file"),
        (b"\x93NUMPY\x09\x00", "is not a .npy file"),
        (saved(np.array([{"a": 1}], dtype=object)), "must be a C-ordered matrix of float32 or float64"),
        (saved(np.zeros((2, 2), dtype=np.int64)), "must be a C-ordered matrix"),
        (saved(np.zeros((2, 2), dtype=">f8")), "must be a C-ordered matrix"),
        (saved(np.zeros((2, 3)).T), "must be a C-ordered matrix"),
        (saved(np.zeros(4)), "must be a C-ordered matrix"),
        (GOOD.replace(b"(2, 3)", b"(2, x)"), "must be a C-ordered matrix"),
        (GOOD.replace(b"(2, 3), }", b"__import__"), "must be a C-ordered matrix"),
        (GOOD[:-1], "its length does not fit its shape (2, 3)"),
        (GOOD + b"\0", "its length does not fit its shape (2, 3)"),
        (GOOD.replace(b"(2, 3), }      ", b"(99999999, 9), "), "must be a C-ordered matrix"),
        (GOOD.replace(b"(2, 3), }             ", b"(999999999, 999999), }"), "at most 1,073,741,824 are read"),
        (
            GOOD.replace(b"(2, 3), }          ", b"(99999999, 1), }   "),
            "its length does not fit its shape (99999999, 1)",
        ),
        (GOOD.replace(b"v\x00{", b"\xff\xff{"), "must be a C-ordered matrix"),
        (b"\x93NUMPY\x02\x00" + b"\xff" * 4 + GOOD[10:], "must be a C-ordered matrix"),
    ],
)
def test_refuses(data: bytes, message: str) -> None:
    with pytest.raises(HarnessError, match=r"t\.npy: ") as caught:
        read(data)
    assert message in str(caught.value)


def test_no_room_is_made_for_what_a_header_merely_claims(tmp_path: Path) -> None:
    """Its length is compared first, so that a small file cannot ask for a gigabyte."""
    (tmp_path / "t.npy").write_bytes(GOOD.replace(b"(2, 3), }          ", b"(99999999, 1), }   "))
    tracemalloc.start()
    try:
        with open_source(tmp_path, "golds", HarnessError, Limits()) as source, pytest.raises(HarnessError):
            read_table(source, "t.npy")
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=12))
def test_a_changed_byte_gives_a_table_or_a_harness_error(at: int, piece: bytes) -> None:
    try:
        read(GOOD[:at] + piece + GOOD[at + len(piece) :])
    except HarnessError as error:
        assert str(error).isprintable()
