from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from spark_jobs.movielens.formats import DumpError, find_dump
from spark_jobs.movielens.read import read_ratings

pytestmark = pytest.mark.spark
Write = Callable[..., None]


def test_ratings_are_the_same_in_every_format(
    form: str, tmp_path: Path, write_dump: Write, spark: SparkSession
) -> None:
    write_dump(form, tmp_path)
    frame = read_ratings(spark, find_dump(tmp_path))
    assert dict(frame.dtypes) == {
        "user_id": "bigint",
        "item_id": "bigint",
        "rating": "float",
        "timestamp": "bigint",
        "bad": "boolean",
    }
    rows = {tuple(row) for row in frame.collect()}
    assert rows == {(7, 30, 5.0, 100, False), (7, 10, 3.0, 200, False), (9, 30, 1.0, 300, False)}


def test_every_fault_is_marked(form: str, tmp_path: Path, write_dump: Write, spark: SparkSession) -> None:
    good = [(7, 30, 4.5, 100), (7, 30, "0.5", 0), (9, 30, 5.0, 2**36 - 1)]
    bad: list[tuple[object, ...]] = [
        (1, 30, 5),
        (1, 30, 5, 100, 1),
        (1, 30, "good", 100),
        (1, 30, "NaN", 100),
        (1, 30, "", 100),
        (1, 30, 5.5, 100),
        (1, 30, 0, 100),
        (1, 30, "Infinity", 100),
        ("one", 30, 5, 100),
        ("", 30, 5, 100),
        (-1, 30, 5, 100),
        (1, "3.5", 5, 100),
        (1, 30, 5, "noon"),
        (1, 30, 5, -1),
        (1, 30, 5, 2**36),
    ]
    write_dump(form, tmp_path, [*good, *bad])
    rows = read_ratings(spark, find_dump(tmp_path)).collect()
    assert sum(row["bad"] for row in rows) == len(bad)
    assert {row["user_id"] for row in rows if not row["bad"]} == {7, 9}


def test_a_wrong_header_names_both(tmp_path: Path, write_dump: Write, spark: SparkSession) -> None:
    write_dump("csv", tmp_path)
    (tmp_path / "ratings.csv").write_text("userId,movieId,timestamp,rating\n1,2,3,4\n")
    with pytest.raises(DumpError, match=r"ratings.csv:1: the header is 'userId,movieId,timestamp,rating' instead of"):
        read_ratings(spark, find_dump(tmp_path))


def test_windows_lines_and_a_byte_order_mark_are_read(tmp_path: Path, write_dump: Write, spark: SparkSession) -> None:
    write_dump("csv", tmp_path)
    text = "\ufeffuserId,movieId,rating,timestamp\r\n7,30,5.0,100\r\n\r\n"
    (tmp_path / "ratings.csv").write_bytes(text.encode())
    assert [tuple(row) for row in read_ratings(spark, find_dump(tmp_path)).collect()] == [(7, 30, 5.0, 100, False)]
