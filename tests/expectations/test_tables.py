from __future__ import annotations

import pyarrow as pa
import pytest

from expectations.tables import (
    TABLES,
    Column,
    DeclarationError,
    TableSpec,
    arrow_schema,
    declaration,
    document,
    spark_schema,
)
from expectations.tables.base import ColumnType
from store import UserError
from tests.expectations.made import VALID, valid


def test_every_table_of_the_pipeline_is_declared() -> None:
    assert set(TABLES) == set(VALID)
    assert all(name == spec.name for name, spec in TABLES.items())


def test_an_unknown_name_lists_those_there_are() -> None:
    with pytest.raises(UserError, match=r"no table is declared as 'movielens.item'; declared are .*movielens\.items"):
        declaration("movielens.item")
    assert declaration("movielens.items") is TABLES["movielens.items"]


@pytest.mark.parametrize("name", sorted(TABLES))
def test_schemas_have_the_declared_columns(name: str) -> None:
    spec = TABLES[name]
    arrow, spark = arrow_schema(spec), spark_schema(spec)
    names = [column.name for column in spec.columns]
    assert arrow.names == spark.fieldNames() == names
    assert (
        [field.nullable for field in spark]
        == [arrow.field(n).nullable for n in names]
        == [c.nullable for c in spec.columns]
    )
    assert valid(name).schema.equals(arrow)


def test_types_are_those_of_the_contract() -> None:
    types = {field.name: field.type for field in arrow_schema(TABLES["movielens.interactions"])}
    assert types == {
        "user_id": pa.int64(),
        "item_id": pa.int64(),
        "reward": pa.int8(),
        "rating": pa.float32(),
        "timestamp": pa.int64(),
    }
    assert arrow_schema(TABLES["movielens.items"]).field("year").type == pa.int32()
    simple = [field.dataType.simpleString() for field in spark_schema(TABLES["movielens.interactions"])]
    assert simple == ["bigint", "bigint", "tinyint", "float", "bigint"]


@pytest.mark.parametrize("name", sorted(TABLES))
def test_the_page_has_a_line_for_each_column(name: str) -> None:
    spec = TABLES[name]
    page = document(spec)
    assert page.startswith(f"## {name}\n")
    assert spec.why in page
    for column in spec.columns:
        (line,) = [line for line in page.splitlines() if line.startswith(f"| `{column.name}` |")]
        assert line.replace("\\|", "").count("|") == 6
    assert all(f"`{column}`" in page for column in spec.key)


def test_the_page_says_what_values_there_may_be() -> None:
    page = document(TABLES["opl.rounds"])
    assert "| `pscore` | float64 | > 0, <= 1 | probability |" in page
    assert "| `reward` | float64 | finite |" in page
    assert "| `year` | int32 or null | >= 1870, <= 2100 |" in document(TABLES["movielens.items"])
    assert "one of train, test; each of train, test occurs" in document(TABLES["opl.contexts"])


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("int64", {"min_length": 1}),
        ("int64", {"pattern": "x"}),
        ("string", {"minimum": 0}),
        ("float64", {"minimum": 0, "above": 0}),
        ("string", {"dense": True}),
        ("int64", {"dense": True, "nullable": True}),
    ],
)
def test_a_column_that_contradicts_itself_is_refused(kind: ColumnType, options: dict[str, object]) -> None:
    with pytest.raises(DeclarationError, match="column c: "):
        Column("c", kind, "why", **options)


def test_a_table_with_a_wrong_key_is_refused() -> None:
    column = Column("a", "int64", "why")
    with pytest.raises(DeclarationError, match="must name its columns"):
        TableSpec("t", "why", (column,), key=("b",))
    with pytest.raises(DeclarationError, match="must name its columns"):
        TableSpec("t", "why", (column,), key=())
    with pytest.raises(DeclarationError, match="declared twice"):
        TableSpec("t", "why", (column, column), key=("a",))
    with pytest.raises(KeyError, match="no column b"):
        TableSpec("t", "why", (column,), key=("a",)).column("b")
