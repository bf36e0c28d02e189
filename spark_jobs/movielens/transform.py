"""The rules from ratings to tables, as functions from frame to frame. No row ever comes to the driver, only counts."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from spark_jobs.session import cut

# A time and a rating packed into one long, time first: ratings within 0.5..5 are whole multiples of 2**-24 as 32-bit floats and
# below 2**27 in that unit, so nothing is lost, and the greatest long is the last rating, ties going to the higher one. One long
# keeps the aggregation in hash tables; a struct would make Spark sort.
_UNIT = float(1 << 24)
_SHIFT = 27


@dataclass(frozen=True)
class Tally:
    """What is left: the counts of users and of items (see `counts`), how many of each, and how many interactions."""

    users: DataFrame
    items: DataFrame
    n_users: int
    n_items: int
    n_interactions: int


@dataclass(frozen=True)
class Core:
    """The k-core: its interactions, their tally, and how many rounds removed something."""

    rated: DataFrame
    tally: Tally
    rounds: int


def last_ratings(ratings: DataFrame) -> DataFrame:
    """One row for each (user_id, item_id): the last rating and its time, `copies` it had, and `bad` lines among them.

    The rows come spread over partitions by user, so that nothing that follows by user moves them again.
    """
    n_partitions = int(ratings.sparkSession.conf.get("spark.sql.shuffle.partitions") or 1)
    stars = (F.col("rating").cast("double") * _UNIT).cast("long")
    packed = F.when(~F.col("bad"), F.shiftleft("timestamp", _SHIFT) + stars)
    return (
        ratings.select("user_id", "item_id", packed.alias("packed"), F.col("bad").cast("int").alias("bad"))
        .repartition(n_partitions, "user_id")
        .groupBy("user_id", "item_id")
        .agg(F.max("packed").alias("packed"), F.count(F.lit(1)).alias("copies"), F.sum("bad").alias("bad"))
        .select(
            "user_id",
            "item_id",
            (F.col("packed").bitwiseAND((1 << _SHIFT) - 1) / _UNIT).cast("float").alias("rating"),
            F.shiftright("packed", _SHIFT).alias("timestamp"),
            "copies",
            "bad",
        )
    )


def label(ratings: DataFrame, positive_min: float, negative_max: float, *, reference: bool = False) -> DataFrame:
    """Adds `reward`: 1 from `positive_min`, 0 up to `negative_max`, null between.

    With `reference`, as the reference does: null at exactly 4, 1 at exactly 5, 0 anywhere else.
    """
    rating = F.col("rating")
    if reference:
        reward = F.when(rating == 5.0, 1).when(rating != 4.0, 0)
    else:
        reward = F.when(rating >= positive_min, 1).when(rating <= negative_max, 0)
    return ratings.withColumn("reward", reward.cast("byte"))


def counts(rated: DataFrame) -> DataFrame:
    """Positives and negatives of each user and of each item, in one scan.

    Columns (user_id, item_id, n_positive, n_negative); rows of users have no item_id, rows of items no user_id.
    """
    positives = F.sum("reward")
    return rated.groupingSets([["user_id"], ["item_id"]], "user_id", "item_id").agg(
        positives.alias("n_positive"), (F.count(F.lit(1)) - positives).alias("n_negative")
    )


def tally(rated: DataFrame, min_positive: int = 0, min_negative: int = 0) -> tuple[Tally, bool]:
    """The tally of some interactions, and whether every user and item has that many positives and negatives."""
    both = cut(counts(rated), eager=False)
    is_user = F.col("user_id").isNotNull()
    row = both.agg(
        F.count_if(is_user).alias("users"),
        F.count_if(~is_user).alias("items"),
        F.coalesce(F.sum(F.when(is_user, F.col("n_positive") + F.col("n_negative"))), F.lit(0)).alias("interactions"),
        F.count_if(~_passes(min_positive, min_negative)).alias("short"),
    ).first()
    assert row is not None
    users, items = both.where(is_user).drop("item_id"), both.where(~is_user).drop("user_id")
    return Tally(users, items, int(row["users"]), int(row["items"]), int(row["interactions"])), row["short"] == 0


def _passes(min_positive: int, min_negative: int) -> Column:
    return (F.col("n_positive") >= min_positive) & (F.col("n_negative") >= min_negative)


def core(rated: DataFrame, min_positive: int, min_negative: int, keep: ExitStack) -> Core:
    """The largest part in which every user and every item has that many positives and negatives.

    Each round judges users and items on the same rows and then removes both; it ends when all pass. Only the two lists of
    survivors go from round to round; the rows are scanned through them, and stored anew when half of them are gone.

    Args:
        rated: (user_id, item_id, reward, ...), best persisted.
        min_positive: positives a user or item needs.
        min_negative: negatives it needs.
        keep: takes what is persisted here and frees it when closed.
    """
    passes = _passes(min_positive, min_negative)
    stored, stored_rows, kept = rated, 0, rated
    for rounds in count():
        found, all_pass = tally(kept, min_positive, min_negative)
        if all_pass:
            return Core(kept, found, rounds)
        if found.n_interactions < stored_rows / 2:
            stored, stored_rows = persist(kept, keep), found.n_interactions
        stored_rows = max(stored_rows, found.n_interactions)
        # Survivors only grow fewer, so the rows stored, seen through the latest lists, are the rows kept.
        kept = stored
        for by, side in (("user_id", found.users), ("item_id", found.items)):
            kept = kept.join(F.broadcast(side.where(passes).select(by)), by, "left_semi")
    raise AssertionError("unreachable")


def balance(rated: DataFrame, users: DataFrame, seed: int) -> DataFrame:
    """As many positives as negatives of each user: min(n_positive, n_negative) of either, by a seeded hash of user and item.

    The choice depends on the rows and the seed alone, not on their order or partitioning.
    """
    quota = users.select("user_id", F.least("n_positive", "n_negative").alias("quota"))
    # The item breaks the ties of the hash.
    draw = F.xxhash64(F.lit(seed).cast("long"), "user_id", "item_id")
    rank = F.row_number().over(Window.partitionBy("user_id", "reward").orderBy(draw, "item_id"))
    ranked = rated.withColumn("rank", rank).join(F.broadcast(quota), "user_id")
    return ranked.where(F.col("rank") <= F.col("quota")).drop("rank", "quota")


def dense_ids(side: DataFrame, source: str, dense: str) -> DataFrame:
    """Adds the column `dense`: 0..n-1 in the order of `source`, whose values are unique.

    Users and items are few beside their ratings, so they are numbered in one partition.
    """
    return side.withColumn(dense, F.row_number().over(Window.orderBy(source)).cast("long") - 1)


def persist(frame: DataFrame, keep: ExitStack) -> DataFrame:
    """The frame, stored when first computed, freed when `keep` closes."""
    stored = frame.persist()
    keep.callback(stored.unpersist)
    return stored
