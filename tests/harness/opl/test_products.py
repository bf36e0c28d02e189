from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.opl.products import blocks, ordered_product

SIZE = st.integers(1, 40)


def by_hand(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """One term at a time, from the first to the last."""
    table = left[:, :1] * right[0]
    for column, row in zip(left.T[1:], right[1:], strict=True):
        table = table + column[:, None] * row
    return table


@settings(max_examples=200, deadline=None)
@given(SIZE, SIZE, SIZE, st.integers(0, 99), st.sampled_from(["plain", "part", "by columns", "backwards"]))
def test_rows_stand_alone_to_the_last_bit(n: int, k: int, m: int, seed: int, layout: str) -> None:
    rng = np.random.default_rng(seed)
    wide, right = rng.standard_normal((n, k + 3)), rng.standard_normal((m, k)).T
    left = {
        "plain": np.ascontiguousarray(wide[:, :k]),
        "part": wide[:, 3:],
        "by columns": np.asfortranarray(wide[:, :k]),
        "backwards": wide[::-1, :k],
    }[layout]
    whole = ordered_product(left, right)
    assert np.array_equal(whole, np.concatenate([ordered_product(left[row : row + 1], right) for row in range(n)]))
    assert np.allclose(whole, by_hand(left, right), rtol=1e-12, atol=1e-12)


def test_large_tables_are_summed_in_order() -> None:
    rng = np.random.default_rng(0)
    left, right = rng.standard_normal((300, 10)), rng.standard_normal((10, 1000))
    table = ordered_product(left, right)
    assert np.array_equal(table[7:8], ordered_product(left[7:8], right))
    assert np.allclose(table, by_hand(left, right), rtol=1e-12, atol=1e-12)


def test_blocks_cover_all_rows_once() -> None:
    for n_rows, n_columns, cells in ((10, 3, 9), (1, 5, 2), (7, 1, 7), (8, 2, 4)):
        found = [list(range(n_rows))[block] for block in blocks(n_rows, n_columns, cells)]
        assert [row for block in found for row in block] == list(range(n_rows))
        assert all(block and (len(block) * n_columns <= cells or len(block) == 1) for block in found)
