"""How a table is declared: columns, types, ranges, keys, units, and why. The gate's suite, the schemas and the docs derive from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql.types import StructType

ColumnType = Literal["int8", "int32", "int64", "float32", "float64", "string", "bool"]

_INTEGERS = ("int8", "int32", "int64")
_FLOATS = ("float32", "float64")


class DeclarationError(ValueError):
    """A declaration contradicts itself; a programmer's mistake, found when its module is imported."""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    `minimum` and `maximum` are inclusive unless `above` (exclusive) is given instead; for strings `min_length` and
    `max_length` count characters and `pattern` is searched for. `present` are values that some row must have. `dense` ids are
    exactly 0..rows-1. Float columns are always held to be finite: a NaN is not a NULL.
    """

    name: str
    type: ColumnType
    why: str
    nullable: bool = False
    minimum: float | None = None
    above: float | None = None
    maximum: float | None = None
    allowed: tuple[int | str, ...] = ()
    present: tuple[int | str, ...] = ()
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    dense: bool = False
    unit: str = ""

    def __post_init__(self) -> None:
        texts = self.min_length is not None or self.max_length is not None or self.pattern is not None
        numbers = self.minimum is not None or self.above is not None or self.maximum is not None
        if texts and self.type != "string":
            raise DeclarationError(f"column {self.name}: lengths and patterns are for strings, not {self.type}")
        if numbers and self.type in ("string", "bool"):
            raise DeclarationError(f"column {self.name}: ranges are for numbers, not {self.type}")
        if self.minimum is not None and self.above is not None:
            raise DeclarationError(f"column {self.name}: give `minimum` or `above`, not both")
        if self.dense and (self.type not in _INTEGERS or self.nullable):
            raise DeclarationError(f"column {self.name}: dense ids are integers without nulls")

    @property
    def is_float(self) -> bool:
        """Whether the column can hold a NaN."""
        return self.type in _FLOATS


@dataclass(frozen=True)
class TableSpec:
    """One table: its columns in order, its key, the least number of rows it may have, and why it is kept."""

    name: str
    why: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    unique: tuple[tuple[str, ...], ...] = ()
    min_rows: int = 1

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        if len(set(names)) != len(names):
            raise DeclarationError(f"table {self.name}: a column is declared twice")
        keys = (self.key, *self.unique)
        if not all(keys) or not {name for key in keys for name in key} <= set(names):
            raise DeclarationError(f"table {self.name}: its keys {keys} must name its columns {names}")

    def column(self, name: str) -> Column:
        """The column of that name.

        Raises:
            KeyError: there is none.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"table {self.name} has no column {name}")


def arrow_schema(spec: TableSpec) -> pa.Schema:
    """The Arrow schema to write the table with."""
    import pyarrow as pa

    types = {
        "int8": pa.int8(),
        "int32": pa.int32(),
        "int64": pa.int64(),
        "float32": pa.float32(),
        "float64": pa.float64(),
        "string": pa.string(),
        "bool": pa.bool_(),
    }
    return pa.schema([pa.field(c.name, types[c.type], nullable=c.nullable) for c in spec.columns])


def spark_schema(spec: TableSpec) -> StructType:
    """The Spark schema of the table."""
    from pyspark.sql import types

    kinds: dict[str, type[types.DataType]] = {
        "int8": types.ByteType,
        "int32": types.IntegerType,
        "int64": types.LongType,
        "float32": types.FloatType,
        "float64": types.DoubleType,
        "string": types.StringType,
        "bool": types.BooleanType,
    }
    return types.StructType([types.StructField(c.name, kinds[c.type](), c.nullable) for c in spec.columns])
