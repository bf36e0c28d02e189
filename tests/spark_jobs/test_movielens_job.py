from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from benchmarks.spark_movielens import write_dump as write_large_dump
from expectations.tables import TABLES, arrow_schema
from spark_jobs.movielens import job
from spark_jobs.movielens.config import MovieLensConfig
from spark_jobs.movielens.formats import Dump, DumpError, find_dump
from spark_jobs.movielens.read import read_ratings
from store import Attempt
from store.digest import table_digest
from tests.spark_jobs.lent import lent_context
from tests.twins import movielens as twin

pytestmark = pytest.mark.spark
Write = Callable[..., None]
SMALL = {"min_positive": 2, "min_negative": 2}


def built(
    spark: SparkSession, directory: Path, config: MovieLensConfig
) -> tuple[dict[str, pl.DataFrame], dict[str, float]]:
    with ExitStack() as keep:
        tables = job.build(spark, config, find_dump(directory), keep)
        frames = {name: getattr(tables, name).toArrow() for name in ("interactions", "items", "users")}
        made = {name: pl.from_arrow(frame).rechunk() for name, frame in frames.items()}
        return made, tables.metrics


def equal(found: dict[str, pl.DataFrame], expected: dict[str, pl.DataFrame]) -> None:
    assert found.keys() == expected.keys()
    for name, table in expected.items():
        assert_frame_equal(found[name], table)


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """9,222 made ratings, with a few pairs rated twice and in no order."""
    directory = tmp_path_factory.mktemp("ml")
    write_large_dump(directory, 12_000)
    header, *lines = (directory / "ratings.csv").read_text().splitlines()
    generator = np.random.default_rng(1)
    for line in lines[:40]:
        user, item, _, timestamp = line.split(",")
        lines.append(f"{user},{item},{generator.integers(1, 11) / 2},{int(timestamp) + int(generator.integers(-1, 2))}")
    (directory / "ratings.csv").write_text("\n".join([header, *generator.permutation(lines)]) + "\n")
    return directory


@pytest.fixture(scope="module")
def expected(dump: Path) -> dict[str, pl.DataFrame]:
    return twin.tables(dump, **SMALL)


def test_the_tables_are_the_twins_whatever_the_partitioning(
    dump: Path, expected: dict[str, pl.DataFrame], spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = spark.newSession()
    for n_partitions in (1, 7):

        def otherwise(spark: SparkSession, dump: Dump, n: int = n_partitions) -> DataFrame:
            return read_ratings(spark, dump).orderBy(F.rand(n)).repartition(n)

        monkeypatch.setattr(job, "read_ratings", otherwise)
        session.conf.set("spark.sql.shuffle.partitions", str(n_partitions))
        equal(built(session, dump, MovieLensConfig(**SMALL))[0], expected)


def test_the_references_rule_without_balancing(dump: Path, spark: SparkSession) -> None:
    config = MovieLensConfig(balance=False, compat=frozenset({"movielens_thresholds"}), **SMALL)
    reference = twin.tables(dump, balanced=False, reference=True, **SMALL)
    found, metrics = built(spark, dump, config)
    equal(found, reference)
    assert metrics["interactions"] == metrics["interactions_before_balancing"]
    ratings = found["interactions"]
    assert set(ratings.filter(pl.col("reward") == 0)["rating"].unique()) >= {3.5, 4.5}


def test_ml_100k_is_the_twins_and_has_the_known_size(shared_data: Path, spark: SparkSession) -> None:
    directory = shared_data / "local_only" / "ml-100k_recbole"
    found, metrics = built(spark, directory, MovieLensConfig())
    assert (metrics["core_users"], metrics["core_items"], metrics["interactions_before_balancing"]) == (421, 384, 29833)
    assert metrics["dropped_between_thresholds"] == 34174
    equal(found, twin.tables(directory))


def test_ml_latest_small_is_the_twins_from_four_stars(shared_data: Path, spark: SparkSession) -> None:
    directory = shared_data / "redistributable" / "ml-latest-small"
    found, _ = built(spark, directory, MovieLensConfig(positive_min=4.0))
    equal(found, twin.tables(directory, positive_min=4.0))


def test_run_writes_the_declared_tables(
    dump: Path, expected: dict[str, pl.DataFrame], spark: SparkSession, tmp_path: Path
) -> None:
    out = Attempt("movielens/tables", "k", "a", tmp_path / "out")
    inputs = job.Inputs(dump=SimpleNamespace(dir=lambda: dump))
    metrics = job.run(MovieLensConfig(**SMALL), inputs, out, lent_context(tmp_path))
    assert all(isinstance(value, float) for value in metrics.values())
    assert metrics["ratings_read"] == 9262
    assert metrics["duplicates"] == 40
    assert metrics["interactions"] == expected["interactions"].height > 0
    assert metrics["n_items"] <= metrics["core_items"]
    assert metrics["interactions"] < metrics["interactions_before_balancing"]
    files, tables, _ = out.close()
    assert {name: entry.declaration for name, entry in tables.items()} == {
        name: f"movielens.{name}" for name in ("interactions", "items", "users")
    }
    assert all(file.path.endswith(".parquet") for file in files)
    for name, table in expected.items():
        assert_frame_equal(pl.read_parquet(sorted((tmp_path / "out" / name).glob("*.parquet"))), table)
        again = Attempt("again", "k", "b", tmp_path / "again")
        again.write_table(name, f"movielens.{name}", table.to_arrow().cast(arrow_schema(TABLES[f"movielens.{name}"])))
        assert table_digest(tmp_path / "again" / name)[0] == tables[name].digest
    assert spark.range(1).count() == 1


def test_an_empty_core_says_what_to_lower_and_writes_nothing(dump: Path, spark: SparkSession, tmp_path: Path) -> None:
    out = Attempt("movielens/tables", "k", "a", tmp_path / "out")
    inputs = job.Inputs(dump=SimpleNamespace(dir=lambda: dump))
    with pytest.raises(
        DumpError, match=r"of 9262 ratings, \d+ of them labelled, none is left .* lower min_positive"
    ) as caught:
        job.run(MovieLensConfig(min_positive=200), inputs, out, lent_context(tmp_path))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_ml_latest_small_at_five_stars_has_no_core(shared_data: Path, spark: SparkSession) -> None:
    with pytest.raises(DumpError, match="of 100836 ratings, 52331 of them labelled, none is left"):
        built(spark, shared_data / "redistributable" / "ml-latest-small", MovieLensConfig())


def test_a_bad_line_is_named_before_anything_is_written(
    form: str, tmp_path: Path, write_dump: Write, spark: SparkSession
) -> None:
    write_dump(form, tmp_path, [(7, 30, 5, 100), (7, 10, "NaN", 200)])
    line = 3 if form in ("csv", "recbole") else 2
    with pytest.raises(DumpError, match=f":{line}: rating NaN is not within"):
        built(spark, tmp_path, MovieLensConfig())


def test_a_rated_film_without_a_line_is_named(tmp_path: Path, write_dump: Write, spark: SparkSession) -> None:
    write_dump("csv", tmp_path, [(7, 30, 5, 100), (7, 10, 3, 200), (7, 44, 3, 200), (7, 43, 5, 200)])
    with pytest.raises(DumpError, match=r"movies.csv: film 43 has ratings but no line here \(2 such films\)"):
        built(spark, tmp_path, MovieLensConfig(min_positive=0, min_negative=0))


def test_no_ratings_at_all_is_an_error(tmp_path: Path, write_dump: Write, spark: SparkSession) -> None:
    write_dump("csv", tmp_path, [])
    with pytest.raises(DumpError, match=r"ratings.csv: no ratings in it"):
        built(spark, tmp_path, MovieLensConfig())
