"""Content digests: of a file its sha256; of a table its schema, row count and two seeded sums of row hashes.

Parquet bytes differ from run to run (part names, row-group cuts, row order), so a table is known by its rows: each row is
hashed to 64 bits, and the two sums over rows of a seeded mix of that hash do not depend on order or partitioning.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from store.errors import StoreError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Hashes = np.ndarray[tuple[int], np.dtype[np.uint64]]

_SEEDS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F)
_NULL = 0x7FB5D329728EA185


def canonical_json(value: object) -> str:
    """JSON with sorted keys, no blanks, no NaN: the one text that is hashed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest_of(value: object) -> str:
    """sha256 of a JSON value's canonical text."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def sha256_file(path: Path) -> str:
    """sha256 of a file's bytes, read in blocks."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def table_digest(directory: Path) -> tuple[str, int]:
    """Digest and row count of the Parquet table in `directory`.

    Raises:
        StoreError: a column's type has no row hash.
    """
    import numpy as np
    import pyarrow.parquet as pq

    sums, rows, schemas = [0, 0], 0, set()
    for part in sorted(directory.glob("*.parquet")):
        with pq.ParquetFile(part) as parquet:
            schema = parquet.schema_arrow
            schemas.add(tuple((field.name, str(field.type)) for field in schema))
            for batch in parquet.iter_batches(batch_size=1 << 18):
                hashes = _row_hashes(batch)
                rows += batch.num_rows
                for i, seed in enumerate(_SEEDS):
                    sums[i] += int(np.sum(_mix(hashes ^ np.uint64(seed)), dtype=np.uint64))
    if len(schemas) != 1:
        raise StoreError(f"table {directory.name}: its {len(schemas)} Parquet schemas must be one; write it again")
    return digest_of({"schema": schemas.pop(), "rows": rows, "sums": [total % 2**64 for total in sums]}), rows


def _mix(x: Hashes) -> Hashes:
    """splitmix64's finaliser: a bijection of 64-bit words (Steele, Lea and Flood, 2014)."""
    import numpy as np

    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Hashes = x ^ (x >> np.uint64(31))
    return mixed


def _row_hashes(batch: pa.RecordBatch) -> Hashes:
    import numpy as np

    total = np.zeros(batch.num_rows, dtype=np.uint64)
    for i, column in enumerate(batch.columns):
        total = _mix(total * np.uint64(31) + _hash_column(column) + np.uint64(i + 1))
    return total


def _hash_column(column: pa.Array) -> Hashes:
    import numpy as np
    import pyarrow as pa

    hashes = _hash_values(column, column.type)
    if column.null_count:
        hashes[np.asarray(column.is_null().to_numpy(zero_copy_only=False), dtype=bool)] = np.uint64(_NULL)
    assert isinstance(column, pa.Array)
    return hashes


def _hash_values(column: pa.Array, kind: pa.DataType) -> Hashes:
    """Hash of each value, whatever stands in the place of a null."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    types = pa.types
    if types.is_string(kind) or types.is_large_string(kind):
        encoded = pc.fill_null(column, "").dictionary_encode()
        texts: Hashes = _hash_texts(encoded.dictionary.to_pylist())[encoded.indices.to_numpy()]
        return texts
    if types.is_floating(kind):
        values = pc.fill_null(column.cast(pa.float64()), 0.0).to_numpy(zero_copy_only=False) + 0.0  # -0.0 becomes 0.0
        values = np.where(np.isnan(values), np.nan, values)  # one NaN for all
        return _mix(values.view(np.uint64))
    if types.is_integer(kind) or types.is_boolean(kind) or types.is_temporal(kind):
        integers = pc.fill_null(column.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
        return _mix(integers.astype(np.int64).view(np.uint64))
    if types.is_list(kind) or types.is_large_list(kind):
        return _hash_lists(column)
    raise StoreError(f"a column of type {kind} has no row hash; store it as text, numbers or a list of them")


def _hash_texts(texts: Iterable[str]) -> Hashes:
    import numpy as np

    digests = b"".join(hashlib.blake2b(text.encode(), digest_size=8).digest() for text in texts)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


def _hash_lists(column: pa.ListArray) -> Hashes:
    """Each list by its length and the sum of its elements' hashes, mixed with their places."""
    import numpy as np
    import pyarrow.compute as pc

    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy().astype(np.int64)
    values = _hash_column(column.flatten())
    ends = np.cumsum(lengths)
    places = np.arange(len(values)) - np.repeat(ends - lengths, lengths)
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(_mix(values + _mix(places.astype(np.uint64))))])
    return _mix(sums[ends] - sums[ends - lengths] + lengths.astype(np.uint64))
