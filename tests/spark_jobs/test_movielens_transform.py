from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

import numpy as np
import polars as pl
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.movielens.transform import balance, core, dense_ids, label, last_ratings, tally
from tests.twins import movielens as twin

pytestmark = pytest.mark.spark

RATED = "user_id long, item_id long, reward byte"


def ratings(spark: SparkSession, rows: Sequence[tuple[object, ...]]) -> DataFrame:
    return spark.createDataFrame(rows, "user_id long, item_id long, rating float, timestamp long, bad boolean")


def random_rated(seed: int) -> list[tuple[int, int, int]]:
    generator = np.random.default_rng(seed)
    pairs = sorted({(int(user), int(item)) for user, item in generator.integers(0, 28, (500, 2))})
    return [(user, item, int(generator.integers(0, 2))) for user, item in pairs]


def triples(frame: DataFrame) -> list[tuple[int, int, int]]:
    return sorted((row["user_id"], row["item_id"], row["reward"]) for row in frame.collect())


def test_the_last_rating_of_a_pair_is_kept_exactly(spark: SparkSession) -> None:
    odd = float(np.float32(3.7))  # no half star, but a legal 32-bit rating
    rows = [
        (1, 1, 5.0, 10, False),
        (1, 1, 0.5, 20, False),
        (1, 2, 2.0, 7, False),
        (1, 2, 4.5, 7, False),  # the higher of two at one time
        (2, 1, odd, 2**36 - 1, False),
        (2, 3, 0.5, 0, False),
        (3, 3, None, None, True),
    ]
    found = {(row["user_id"], row["item_id"]): row for row in last_ratings(ratings(spark, rows)).collect()}
    kept = {pair: (row["rating"], row["timestamp"], row["copies"], row["bad"]) for pair, row in found.items()}
    assert kept == {
        (1, 1): (0.5, 20, 2, 0),
        (1, 2): (4.5, 7, 2, 0),
        (2, 1): (odd, 2**36 - 1, 1, 0),
        (2, 3): (0.5, 0, 1, 0),
        (3, 3): (None, None, 1, 1),
    }


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        (False, {0.5: 0, 3.0: 0, 3.5: None, 4.0: None, 4.5: None, 5.0: 1}),
        (True, {0.5: 0, 3.0: 0, 3.5: 0, 4.0: None, 4.5: 0, 5.0: 1}),
    ],
)
def test_labels(spark: SparkSession, reference: bool, expected: dict[float, int | None]) -> None:
    frame = spark.createDataFrame([(rating,) for rating in expected], "rating float")
    labelled = label(frame, 5.0, 3.0, reference=reference).collect()
    assert {row["rating"]: row["reward"] for row in labelled} == expected


def test_the_core_is_the_twins(spark: SparkSession) -> None:
    rows = random_rated(0)
    expected = twin.k_core(pl.DataFrame(rows, schema=["user_id", "item_id", "reward"], orient="row"), 4, 3)
    with ExitStack() as keep:
        found = core(spark.createDataFrame(rows, RATED), 4, 3, keep)
        assert triples(found.rated) == sorted(expected.rows())
        assert 0 < found.tally.n_interactions == expected.height < len(rows)
        assert (found.tally.n_users, found.tally.n_items) == (
            expected["user_id"].n_unique(),
            expected["item_id"].n_unique(),
        )
        assert found.rounds == 5


def test_a_core_of_nothing_is_empty_and_one_of_everything_takes_no_round(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(1, 1, 1), (1, 2, 0), (2, 1, 1)], RATED)
    with ExitStack() as keep:
        assert core(rows, 2, 2, keep).tally.n_interactions == 0
        everything = core(rows, 0, 0, keep)
    assert (everything.rounds, everything.tally.n_interactions) == (0, 3)


def test_balancing_keeps_as_many_of_either_by_the_twins_hash(spark: SparkSession) -> None:
    rows = random_rated(3)
    expected = twin.balance(pl.DataFrame(rows, schema=["user_id", "item_id", "reward"], orient="row"), seed=5)
    frame = spark.createDataFrame(rows, RATED)
    shuffled = frame.orderBy(F.rand(1)).repartition(7)
    for version in (frame.coalesce(1), shuffled):
        users = tally(version)[0].users
        kept = triples(balance(version, users, 5))
        assert kept == sorted(expected.rows())
    assert kept != triples(balance(frame, users, 6))
    per_user = {user: [r for u, _, r in kept if u == user] for user, _, _ in kept}
    assert all(2 * sum(rewards) == len(rewards) for rewards in per_user.values())


def test_the_twins_hash_is_sparks(spark: SparkSession) -> None:
    generator = np.random.default_rng(0)
    ends = [-(2**63), 2**63 - 1, 0, -1]
    users = [*ends, *generator.integers(-(2**63), 2**63 - 1, 50).tolist()]
    items = [*reversed(ends), *generator.integers(0, 10**6, 50).tolist()]
    frame = spark.createDataFrame(list(zip(users, items, strict=True)), "user_id long, item_id long").coalesce(1)
    drawn = frame.select(F.xxhash64(F.lit(7).cast("long"), "user_id", "item_id")).collect()
    assert [row[0] for row in drawn] == twin.draw(7, pl.Series(users), pl.Series(items)).to_list()


def test_ids_are_dense_in_the_order_of_the_source(spark: SparkSession) -> None:
    frame = spark.createDataFrame([(30,), (-5,), (7,), (10**12,)], "source long").repartition(3)
    found = {row["source"]: row["dense"] for row in dense_ids(frame, "source", "dense").collect()}
    assert found == {-5: 0, 7: 1, 30: 2, 10**12: 3}
