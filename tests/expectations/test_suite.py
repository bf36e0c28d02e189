from __future__ import annotations

from dataclasses import replace

import pytest

from expectations.suite import checks, suite_digest
from expectations.tables import TABLES, Column, TableSpec

SPEC = TableSpec(
    "t",
    "why",
    (
        Column("id", "int64", "why", minimum=0, dense=True),
        Column("p", "float64", "why", above=0.0, maximum=1.0),
        Column("x", "float32", "why", nullable=True),
        Column("s", "string", "why", allowed=("a", "b"), present=("a",), min_length=1, max_length=2, pattern="[ab]"),
    ),
    key=("id",),
    unique=(("p", "s"),),
    min_rows=3,
)


def test_a_suite_holds_one_expectation_for_each_thing_declared() -> None:
    found = {check.id: check.kwargs for check in checks(SPEC)}
    largest = 3.4028234663852886e38
    last = {"$PARAMETER": "last_row"}
    assert found == {
        "expect_table_columns_to_match_ordered_list()": {"column_list": ["id", "p", "x", "s"]},
        "expect_table_row_count_to_be_between()": {"min_value": 3},
        "expect_column_values_to_be_of_type(id)": {"column": "id", "type_": "int64"},
        "expect_column_values_to_not_be_null(id)": {"column": "id"},
        "expect_column_values_to_be_between(id)": {"column": "id", "min_value": 0},
        "expect_column_max_to_be_between(id)": {"column": "id", "min_value": last, "max_value": last},
        "expect_column_values_to_be_of_type(p)": {"column": "p", "type_": "float64"},
        "expect_column_values_to_not_be_null(p)": {"column": "p"},
        "expect_column_values_to_be_between(p)": {
            "column": "p",
            "min_value": 0.0,
            "strict_min": True,
            "max_value": 1.0,
        },
        "expect_column_values_to_be_of_type(x)": {"column": "x", "type_": "float32"},
        "expect_column_values_to_be_between(x)": {"column": "x", "min_value": -largest, "max_value": largest},
        "expect_column_values_to_be_of_type(s)": {"column": "s", "type_": "str"},
        "expect_column_values_to_not_be_null(s)": {"column": "s"},
        "expect_column_values_to_be_in_set(s)": {"column": "s", "value_set": ["a", "b"]},
        "expect_column_distinct_values_to_contain_set(s)": {"column": "s", "value_set": ["a"]},
        "expect_column_value_lengths_to_be_between(s)": {"column": "s", "min_value": 1, "max_value": 2},
        "expect_column_values_to_match_regex(s)": {"column": "s", "regex": "[ab]"},
        "expect_column_values_to_be_unique(id)": {"column": "id"},
        "expect_compound_columns_to_be_unique(p, s)": {"column_list": ["p", "s"]},
    }


@pytest.mark.parametrize("name", sorted(TABLES))
def test_ids_within_a_suite_are_distinct(name: str) -> None:
    ids = [check.id for check in checks(TABLES[name])]
    assert len(ids) == len(set(ids))


def test_the_digest_is_of_the_checks_alone() -> None:
    reworded = replace(SPEC, why="another", columns=tuple(replace(c, why="other", unit="m") for c in SPEC.columns))
    assert suite_digest(reworded) == suite_digest(SPEC)
    changed = [
        replace(SPEC, min_rows=4),
        replace(SPEC, unique=()),
        replace(SPEC, columns=(replace(SPEC.columns[0], minimum=1), *SPEC.columns[1:])),
        replace(SPEC, columns=tuple(reversed(SPEC.columns))),
    ]
    assert len({suite_digest(spec) for spec in (SPEC, *changed)}) == 5


def test_the_digest_of_a_known_suite_stays() -> None:
    """A change here makes every stored verdict about such a table stale: it must be meant."""
    assert (
        suite_digest(TABLES["prompts.keywords"]) == "328fd6ee6bc73e102e03bf9c116a5316ad4412f1b74d8a3ed1a8f03c679a385f"
    )
