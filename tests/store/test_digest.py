from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import StoreError
from store.digest import canonical_json, digest_of, table_digest

ROWS = st.lists(
    st.tuples(
        st.integers(-(2**63), 2**63 - 1),
        st.none() | st.floats(allow_nan=True),
        st.none() | st.text(st.characters(codec="utf-8"), max_size=5),
        st.lists(st.integers(-5, 5), max_size=4),
    ),
    min_size=1,
    max_size=20,
)


def _table(rows: list[tuple[object, ...]]) -> pa.Table:
    names = ("i", "f", "s", "l")
    kinds = (pa.int64(), pa.float64(), pa.string(), pa.list_(pa.int32()))
    columns = zip(*rows, strict=True)
    return pa.table({n: pa.array(list(c), k) for n, c, k in zip(names, columns, kinds, strict=True)})


def _write(folder: Path, *parts: pa.Table) -> Path:
    folder.mkdir()
    for i, part in enumerate(parts):
        pq.write_table(part, folder / f"part-{i}.parquet")
    return folder


@settings(max_examples=60, deadline=None)
@given(ROWS, st.randoms(use_true_random=False), st.integers(0, 20))
def test_order_and_partitioning_do_not_matter(tmp_path_factory, rows, random, cut):
    tmp = tmp_path_factory.mktemp("t")
    shuffled = list(rows)
    random.shuffle(shuffled)
    table = _table(shuffled)
    one = table_digest(_write(tmp / "one", _table(rows)))
    assert table_digest(_write(tmp / "two", table.slice(0, cut), table.slice(cut))) == one
    assert one[1] == len(rows)


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"i": [1, 2, 4]}, "i"),
        ({"s": ["a", "b", None]}, "s"),
        ({"s": ["a", "b", ""]}, "s"),
        ({"f": [0.5, 1.0, 2.0]}, "f"),
    ],
)
def test_one_changed_value_changes_the_digest(tmp_path, change, column):
    base = {"i": [1, 2, 3], "s": ["a", "b", "c"], "f": [0.5, 1.0, float("nan")]}
    first = table_digest(_write(tmp_path / "a", pa.table(base)))[0]
    assert table_digest(_write(tmp_path / "b", pa.table({**base, **change})))[0] != first, column


def test_null_and_empty_text_differ_and_swapped_columns_differ(tmp_path):
    digests = {
        table_digest(_write(tmp_path / name, pa.table(columns)))[0]
        for name, columns in {
            "null": {"a": pa.array([None], pa.string()), "b": ["x"]},
            "empty": {"a": [""], "b": ["x"]},
            "swapped": {"a": ["x"], "b": [""]},
        }.items()
    }
    assert len(digests) == 3


def test_minus_zero_is_zero_and_duplicates_count(tmp_path):
    assert table_digest(_write(tmp_path / "a", pa.table({"f": [0.0]}))) == table_digest(
        _write(tmp_path / "b", pa.table({"f": [-0.0]}))
    )
    twice = table_digest(_write(tmp_path / "c", pa.table({"f": [0.0, 0.0]})))
    assert twice[0] != table_digest(_write(tmp_path / "d", pa.table({"f": [0.0]})))[0]


def test_unequal_part_schemas_and_unhashable_types_are_refused(tmp_path):
    with pytest.raises(StoreError, match="2 Parquet schemas"):
        table_digest(_write(tmp_path / "a", pa.table({"x": [1]}), pa.table({"y": [1]})))
    with pytest.raises(StoreError, match="no row hash"):
        table_digest(_write(tmp_path / "b", pa.table({"x": pa.array([b"1"], pa.binary())})))


def test_no_collisions_among_small_integers(tmp_path):
    values = np.arange(2000)
    digests = {table_digest(_write(tmp_path / str(v), pa.table({"x": [v]})))[0] for v in values[:200]}
    assert len(digests) == 200


def test_canonical_json_refuses_nan_and_ignores_key_order():
    assert digest_of({"a": 1, "b": [2.5]}) == digest_of({"b": [2.5], "a": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(float("nan"))
