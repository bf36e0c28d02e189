from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from spark_jobs.session import cut, partitions, spark_session
from tests.spark_jobs.lent import lent_context


@pytest.mark.parametrize(
    ("input_bytes", "threads", "expected"),
    [(0, 2, 2), (1, 4, 4), (16 << 20, 1, 1), ((16 << 20) + 1, 1, 2), (10**9, 2, 60)],
)
def test_partitions_grow_with_the_input(input_bytes: int, threads: int, expected: int) -> None:
    assert partitions(input_bytes, threads) == expected


@pytest.mark.spark
def test_a_running_session_is_shared_and_left_running(spark: SparkSession, tmp_path: object) -> None:
    before = spark.conf.get("spark.sql.shuffle.partitions")
    with spark_session("job", lent_context(tmp_path), 10**9) as session:
        assert session.sparkContext is spark.sparkContext
        assert session.conf.get("spark.sql.shuffle.partitions") == "60"
        assert session.conf.get("spark.sql.session.timeZone") == "UTC"
        assert session.conf.get("spark.sql.ansi.enabled") == "true"
    assert spark.conf.get("spark.sql.shuffle.partitions") == before
    assert spark.range(3).count() == 3


@pytest.mark.spark
def test_cutting_keeps_rows_and_drops_history(spark: SparkSession) -> None:
    frame = spark.range(10)
    for _ in range(5):
        frame = frame.where("id >= 0")
    rows = cut(frame)
    assert rows.count() == 10
    assert "Filter" not in rows._jdf.queryExecution().optimizedPlan().toString()
