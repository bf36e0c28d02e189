"""The suite of a declaration: its checks, each of which is exactly one Great Expectations expectation. Nothing heavy is imported.

| from the declaration | expectation |
|---|---|
| columns, in order | expect_table_columns_to_match_ordered_list |
| min_rows | expect_table_row_count_to_be_between |
| type | expect_column_values_to_be_of_type |
| not nullable | expect_column_values_to_not_be_null |
| minimum, above, maximum; finite for floats | expect_column_values_to_be_between |
| allowed | expect_column_values_to_be_in_set |
| present | expect_column_distinct_values_to_contain_set |
| min_length, max_length | expect_column_value_lengths_to_be_between |
| pattern | expect_column_values_to_match_regex |
| dense (beside unique and minimum 0) | expect_column_max_to_be_between, both bounds the last row's number |
| key or unique of one column | expect_column_values_to_be_unique |
| key or unique of several | expect_compound_columns_to_be_unique |
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from expectations.tables.base import Column, TableSpec
from store.digest import digest_of

LAST_ROW = "last_row"
"""Name of the suite parameter that holds rows - 1."""

Scope = Literal["row", "key", "table"]

_LARGEST = {"float32": 3.4028234663852886e38, "float64": 1.7976931348623157e308}
# What a pandas column of the type calls its elements, after `expectations.frames` has read it.
_ELEMENT = {"string": "str", "bool": "bool_"}

Argument = bool | int | float | str | list[str] | list[int | str] | dict[str, str]


@dataclass(frozen=True)
class Check:
    """One expectation of a suite.

    `scope` says on what rows it can be evaluated: `row` on any part of the table, each row by itself; `key` on any part that
    holds all rows of equal `columns`; `table` on the whole of `columns` only.
    """

    expectation: str
    columns: tuple[str, ...]
    arguments: tuple[tuple[str, Argument], ...]
    scope: Scope

    @property
    def id(self) -> str:
        """Its name within the suite, as in `expect_column_values_to_be_unique(user_id)`."""
        return f"{self.expectation}({', '.join(self.columns)})"

    @property
    def kwargs(self) -> dict[str, Argument]:
        """The arguments of the Great Expectations class."""
        return dict(self.arguments)


def checks(spec: TableSpec) -> tuple[Check, ...]:
    """The suite of a table, in a fixed order: shape, then column by column, then keys."""
    names = [column.name for column in spec.columns]
    suite = [
        Check("expect_table_columns_to_match_ordered_list", (), (("column_list", names),), "row"),
        Check("expect_table_row_count_to_be_between", (), (("min_value", spec.min_rows),), "table"),
    ]
    for column in spec.columns:
        suite.extend(_column_checks(column))
    suite.extend(_unique(columns) for columns in (spec.key, *spec.unique))
    return tuple(suite)


def suite_digest(spec: TableSpec) -> str:
    """sha256 over the canonical JSON of the suite: it changes exactly when a check does, not when a reason is reworded."""
    return digest_of(
        {
            "table": spec.name,
            "expectations": [
                {"type": c.expectation, "columns": list(c.columns), "kwargs": c.kwargs} for c in checks(spec)
            ],
        }
    )


def _column_checks(column: Column) -> Iterator[Check]:
    yield _check("expect_column_values_to_be_of_type", column, type_=_ELEMENT.get(column.type, column.type))
    if not column.nullable:
        yield _check("expect_column_values_to_not_be_null", column)
    bounds = _bounds(column)
    if bounds:
        yield _check("expect_column_values_to_be_between", column, **bounds)
    if column.allowed:
        yield _check("expect_column_values_to_be_in_set", column, value_set=list(column.allowed))
    if column.present:
        yield _whole("expect_column_distinct_values_to_contain_set", column, value_set=list(column.present))
    lengths = {"min_value": column.min_length, "max_value": column.max_length}
    lengths_given = {name: value for name, value in lengths.items() if value is not None}
    if lengths_given:
        yield _check("expect_column_value_lengths_to_be_between", column, **lengths_given)
    if column.pattern is not None:
        yield _check("expect_column_values_to_match_regex", column, regex=column.pattern)
    if column.dense:
        last = {"$PARAMETER": LAST_ROW}
        yield _whole("expect_column_max_to_be_between", column, min_value=last, max_value=last)


def _bounds(column: Column) -> dict[str, Argument]:
    """Arguments of the range check; an open side of a float becomes its largest number, which NaN and infinity fail."""
    bounds: dict[str, Argument] = {}
    lowest = column.minimum if column.above is None else column.above
    largest = _LARGEST.get(column.type)
    if lowest is None and largest is not None:
        lowest = -largest
    highest = largest if column.maximum is None else column.maximum
    if lowest is not None:
        bounds["min_value"] = lowest
    if column.above is not None:
        bounds["strict_min"] = True
    if highest is not None:
        bounds["max_value"] = highest
    return bounds


def _unique(columns: tuple[str, ...]) -> Check:
    if len(columns) == 1:
        return Check("expect_column_values_to_be_unique", columns, (("column", columns[0]),), "key")
    return Check("expect_compound_columns_to_be_unique", columns, (("column_list", list(columns)),), "key")


def _check(expectation: str, column: Column, **arguments: Argument) -> Check:
    return Check(expectation, (column.name,), (("column", column.name), *arguments.items()), "row")


def _whole(expectation: str, column: Column, **arguments: Argument) -> Check:
    return Check(expectation, (column.name,), (("column", column.name), *arguments.items()), "table")
