"""The task `movielens.tables`: a MovieLens dump to interactions, items and users."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from expectations.tables import TableSpec, spark_schema
from expectations.tables.movielens import INTERACTIONS, ITEMS, USERS
from spark_jobs.movielens.config import MovieLensConfig
from spark_jobs.movielens.formats import Dump, DumpError, find_dump
from spark_jobs.movielens.read import bad_line, read_movies, read_ratings
from spark_jobs.movielens.transform import Core, balance, core, dense_ids, label, last_ratings, persist, tally
from spark_jobs.session import Context, spark_session
from store.artifact import Artifact, Attempt

VERSION = 1


@dataclass(frozen=True)
class Inputs:
    """The dump: an artifact with the unpacked files."""

    dump: Artifact


@dataclass(frozen=True)
class Tables:
    """The tables as frames, typed as declared, and what was counted on the way. Valid until the stack given closes."""

    interactions: DataFrame
    items: DataFrame
    users: DataFrame
    metrics: dict[str, float]


def run(config: MovieLensConfig, inputs: Inputs, out: Attempt, ctx: Context) -> dict[str, float]:
    """Writes the tables interactions, items and users.

    Returns:
        Counts: ratings read, duplicates, ratings dropped between the thresholds, rounds of the k-core, interactions before and
        after balancing, users and items of the result.

    Raises:
        DumpError: the dump is incomplete, malformed, or too small for the k-core asked for. Nothing is written then.
    """
    dump = find_dump(inputs.dump.dir())
    with (
        spark_session("movielens.tables", ctx, dump.ratings.stat().st_size) as spark,
        ExitStack() as keep,
        ctx.progress("movielens.tables", 3) as advance,
    ):
        tables = build(spark, config, dump, keep)
        for name, spec in (("interactions", INTERACTIONS), ("items", ITEMS), ("users", USERS)):
            frame: DataFrame = getattr(tables, name)
            frame.write.mode("overwrite").parquet(str(out.declare_table(name, spec.name)))
            advance(1)
        ctx.log.info("%s: %s", dump.ratings.name, tables.metrics)
        return tables.metrics


def build(spark: SparkSession, config: MovieLensConfig, dump: Dump, keep: ExitStack) -> Tables:
    """The tables of a dump.

    Args:
        spark: the session to build with.
        config: the rules.
        dump: the files.
        keep: takes what is persisted and frees it when closed; the tables are read before.

    Raises:
        DumpError: the dump is malformed, or nothing is left.
    """
    movies = spark.createDataFrame(read_movies(dump))
    ratings = persist(last_ratings(read_ratings(spark, dump)), keep)
    labelled = label(
        ratings, config.positive_min, config.negative_max, reference="movielens_thresholds" in config.compat
    )
    read = _read_metrics(labelled, dump)
    found = core(labelled.where(F.col("reward").isNotNull()), config.min_positive, config.min_negative, keep)
    if found.tally.n_interactions == 0:
        raise DumpError(_nothing_left(config, dump, read))
    kept = balance(found.rated, found.tally.users, config.seed) if config.balance else found.rated
    return _number(persist(kept, keep), movies, dump, read | _core_metrics(found))


def _read_metrics(labelled: DataFrame, dump: Dump) -> dict[str, float]:
    """What was read, from one pass that also computes and stores the ratings."""
    row = labelled.agg(
        F.coalesce(F.sum("copies"), F.lit(0)).alias("read"),
        F.count(F.lit(1)).alias("pairs"),
        F.coalesce(F.sum("bad"), F.lit(0)).alias("bad"),
        F.count_if(F.col("reward").isNull()).alias("between"),
    ).first()
    assert row is not None
    if row["bad"]:
        raise bad_line(dump)
    if not row["read"]:
        raise DumpError(f"{dump.ratings}: no ratings in it; fetch the dump again")
    return {
        "ratings_read": float(row["read"]),
        "duplicates": float(row["read"] - row["pairs"]),
        "dropped_between_thresholds": float(row["between"]),
    }


def _core_metrics(found: Core) -> dict[str, float]:
    return {
        "core_rounds": float(found.rounds),
        "core_users": float(found.tally.n_users),
        "core_items": float(found.tally.n_items),
        "interactions_before_balancing": float(found.tally.n_interactions),
    }


def _nothing_left(config: MovieLensConfig, dump: Dump, read: dict[str, float]) -> str:
    labelled = int(read["ratings_read"] - read["duplicates"] - read["dropped_between_thresholds"])
    return (
        f"{dump.ratings}: of {int(read['ratings_read'])} ratings, {labelled} of them labelled, none is left where every user and "
        f"film has {config.min_positive} positives and {config.min_negative} negatives; lower min_positive or min_negative, or "
        f"lower positive_min ({config.positive_min}) where high ratings are rare"
    )


def _number(kept: DataFrame, movies: DataFrame, dump: Dump, metrics: dict[str, float]) -> Tables:
    """Dense ids for the users and films that are left, and the three tables in their declared shape."""
    left, _ = tally(kept)
    users = dense_ids(left.users.withColumnRenamed("user_id", "source_user_id"), "source_user_id", "user_id")
    items = dense_ids(left.items.withColumnRenamed("item_id", "source_item_id"), "source_item_id", "item_id")
    titled = items.join(F.broadcast(movies), "source_item_id", "left")
    untitled = titled.where(F.col("title").isNull()).agg(F.count(F.lit(1)), F.min("source_item_id")).first()
    assert untitled is not None
    if untitled[0]:
        raise DumpError(
            f"{dump.movies}: film {untitled[1]} has ratings but no line here ({untitled[0]} such films); fetch the dump again"
        )
    interactions = (
        kept.withColumnsRenamed({"user_id": "source_user_id", "item_id": "source_item_id"})
        .join(F.broadcast(users.select("source_user_id", "user_id")), "source_user_id")
        .join(F.broadcast(items.select("source_item_id", "item_id")), "source_item_id")
        .orderBy("user_id", "item_id")
    )
    sizes = {"n_users": left.n_users, "n_items": left.n_items, "interactions": left.n_interactions}
    return Tables(
        interactions=_typed(interactions, INTERACTIONS),
        items=_typed(titled.orderBy("item_id"), ITEMS),
        users=_typed(users.orderBy("user_id"), USERS),
        metrics=metrics | {name: float(size) for name, size in sizes.items()},
    )


def _typed(frame: DataFrame, spec: TableSpec) -> DataFrame:
    """The declared columns in their order and types; a value that does not fit its type raises (ANSI)."""
    return frame.select(*(F.col(field.name).cast(field.dataType) for field in spark_schema(spec)))
