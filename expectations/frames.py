"""Parquet tables as pandas frames that Great Expectations judges rightly, and in parts where the whole is too large.

Nulls survive as nulls: integers with nulls become pandas' masked integers, never floats. A NaN survives as a NaN in a masked
float, where pandas does not count it as missing, so that a range check fails on it. The index is the row's number in the table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pandas.api.extensions import ExtensionDtype

_BATCH_ROWS = 1 << 17

_MASKED: dict[pa.DataType, ExtensionDtype] = {
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.float32(): pd.Float32Dtype(),
    pa.float64(): pd.Float64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
    pa.string(): pd.StringDtype("pyarrow"),
    pa.large_string(): pd.StringDtype("pyarrow"),
}


def parts(directory: Path) -> list[Path]:
    """The Parquet files of a table, in the order of their names."""
    return sorted(directory.glob("*.parquet"))


def row_count(directory: Path) -> int:
    """Rows of a table by the Parquet footers, which is what reading it must yield."""
    return sum(int(pq.read_metadata(part).num_rows) for part in parts(directory))


def first_column(directory: Path) -> str:
    """The name of a table's first column; every table has one."""
    return str(pq.read_schema(parts(directory)[0]).names[0])


def chunks(directory: Path, max_rows: int, columns: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
    """The table in runs of at most `max_rows` rows; one empty frame when it has none. `columns` it lacks are left out."""
    held: list[pa.RecordBatch] = []
    held_rows = start = 0
    schema: pa.Schema | None = None
    for batch in _batches(directory, min(max_rows, _BATCH_ROWS), columns):
        schema = batch.schema
        if held and held_rows + batch.num_rows > max_rows:
            yield _frame(pa.Table.from_batches(held), start)
            start += held_rows
            held, held_rows = [], 0
        held.append(batch)
        held_rows += batch.num_rows
    if held:
        yield _frame(pa.Table.from_batches(held), start)
    elif schema is None:
        yield _frame(_empty(directory, columns), 0)


def whole(directory: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """All rows of some columns."""
    rows = max(1, row_count(directory))
    return next(chunks(directory, rows, columns))


def buckets(directory: Path, columns: Sequence[str], max_rows: int) -> Iterator[pd.DataFrame]:
    """The table's `columns` in buckets of about `max_rows` rows; rows with equal values always share a bucket.

    One pass over the columns a bucket, so that memory stays bounded whatever the size.
    """
    n_buckets = -(-row_count(directory) // max_rows)
    for bucket in range(n_buckets):
        found = [
            frame[pd.util.hash_pandas_object(frame, index=False).to_numpy() % np.uint64(n_buckets) == bucket]
            for frame in chunks(directory, _BATCH_ROWS, columns)
        ]
        yield pd.concat(found)


def _batches(directory: Path, size: int, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
    for part in parts(directory):
        with pq.ParquetFile(part) as parquet:
            yield from parquet.iter_batches(batch_size=size, columns=_present(parquet.schema_arrow, columns))


def _empty(directory: Path, columns: Sequence[str] | None) -> pa.Table:
    schema = pq.read_schema(parts(directory)[0])
    return schema.empty_table().select(_present(schema, columns))


def _present(schema: pa.Schema, columns: Sequence[str] | None) -> list[str]:
    return [name for name in schema.names if columns is None or name in columns]


def _frame(table: pa.Table, start: int) -> pd.DataFrame:
    index = pd.RangeIndex(start, start + table.num_rows)
    return pd.DataFrame({name: _series(table.column(name), index) for name in table.column_names}, index=index)


def _series(column: pa.ChunkedArray, index: pd.RangeIndex) -> pd.Series:
    """One column; the plain numpy type where that loses nothing, because Great Expectations is vectorised only for it."""
    kind = column.type
    integers = pa.types.is_integer(kind) or pa.types.is_boolean(kind)
    lossless = column.null_count == 0 and (integers or (pa.types.is_floating(kind) and not _has_nan(column)))
    masked = None if lossless else _MASKED.get(kind)
    series: pd.Series = column.to_pandas(types_mapper=lambda _: masked) if masked is not None else column.to_pandas()
    series.index = index
    return series


def _has_nan(column: pa.ChunkedArray) -> bool:
    return bool(pc.any(pc.is_nan(column)).as_py())
