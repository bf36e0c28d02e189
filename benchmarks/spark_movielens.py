"""MovieLens tables by Spark on this machine, beside the same tables by polars.

The ratings are made: 140 a user on average with a long tail, films by a power law, half stars by user and film. Each side runs in
a process of its own; seconds include reading and writing but not the start of Python, and for Spark not that of the JVM, which
is said in the note. Memory is the peak of resident memory of all its processes, the JVM's included.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv

Floats = np.ndarray[tuple[Any, ...], np.dtype[np.floating[Any]]]
Integers = np.ndarray[tuple[Any, ...], np.dtype[np.int64]]
SIZES = (1_000_000, 10_000_000)
DRIVER_MEMORY = "2g"
LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Runtime:
    threads: int = os.cpu_count() or 1
    spark_master: str | None = None
    driver_memory: str = DRIVER_MEMORY


@dataclass(frozen=True)
class Context:
    scratch: Path
    runtime: Runtime = Runtime()
    log: logging.Logger = LOG

    @contextmanager
    def progress(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        yield lambda finished: None


def write_dump(directory: Path, n_ratings: int, seed: int = 0) -> None:
    """A dump in the shape of ml-20m: ratings.csv and movies.csv."""
    generator = np.random.default_rng(seed)
    n_users, n_items = max(50, n_ratings // 140), max(100, int(3.4 * np.sqrt(n_ratings)))
    activity = generator.lognormal(0.0, 1.1, n_users)
    popularity = 1.0 / np.arange(5, n_items + 5) ** 0.9
    drawn = int(n_ratings * 1.6)
    users = _draw(generator, activity, drawn)
    items = _draw(generator, popularity, drawn)
    pairs = np.unique(users * n_items + items)
    pairs = np.sort(generator.choice(pairs, min(n_ratings, len(pairs)), replace=False))
    users, items = pairs // n_items, pairs % n_items
    liking = 3.5 + generator.normal(0, 0.45, n_users)[users] + generator.normal(0, 0.5, n_items)[items]
    stars = np.clip(np.round(2 * (liking + generator.normal(0, 0.9, len(pairs)))) / 2, 0.5, 5.0)
    seconds = generator.integers(789_652_009, 1_427_784_002, len(pairs))
    ratings = pa.table({"userId": users + 1, "movieId": items + 1, "rating": stars, "timestamp": seconds})
    titles = [f"Film {i} (1999)" for i in range(n_items)]
    films = pa.table({"movieId": range(1, n_items + 1), "title": titles, "genres": ["Drama"] * n_items})
    directory.mkdir(parents=True, exist_ok=True)
    for name, table in (("ratings.csv", ratings), ("movies.csv", films)):
        with (directory / name).open("wb") as handle:
            handle.write(",".join(table.column_names).encode() + b"\n")  # pyarrow would quote the names
            options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="none")
            pyarrow.csv.write_csv(table, handle, options)


def _draw(generator: np.random.Generator, weights: Floats, n: int) -> Integers:
    edges = np.cumsum(weights)
    found: Integers = np.searchsorted(edges, generator.random(n) * edges[-1], side="right").astype(np.int64)
    return found


def by_spark(dump: Path, out: Path) -> dict[str, float]:
    """Builds and writes the tables; returns the seconds of the start and of the work, and the rows."""
    from spark_jobs.movielens.config import MovieLensConfig
    from spark_jobs.movielens.formats import find_dump
    from spark_jobs.movielens.job import build
    from spark_jobs.session import spark_session

    found = find_dump(dump)
    started = time.perf_counter()
    with spark_session("bench", Context(out), found.ratings.stat().st_size) as spark, ExitStack() as keep:
        spark.range(1).count()
        ready = time.perf_counter()
        tables = build(spark, MovieLensConfig(), found, keep)
        for name in ("interactions", "items", "users"):
            getattr(tables, name).write.parquet(str(out / name))
        done = time.perf_counter()
        memory = _peak_mb()
    return {
        "start_s": ready - started,
        "seconds": done - ready,
        "memory_mb": memory,
        "rows": tables.metrics["interactions"],
    }


def by_polars(dump: Path, out: Path) -> dict[str, float]:
    """The same by the twin."""
    from tests.twins.movielens import tables

    started = time.perf_counter()
    made = tables(dump)
    for name, table in made.items():
        table.write_parquet(out / f"{name}.parquet")
    seconds = time.perf_counter() - started
    return {"start_s": 0.0, "seconds": seconds, "memory_mb": _peak_mb(), "rows": float(made["interactions"].height)}


def _peak_mb() -> float:
    """Peaks of resident memory of this process and its descendants, summed."""
    return sum(_peaks_mb(os.getpid()))


def _peaks_mb(process: int) -> Iterator[float]:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            yield int(line.split()[1]) / 1024
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        for child in children.read_text().split():
            yield from _peaks_mb(int(child))


def _apart(side: str, dump: Path) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        command = [sys.executable, "-m", "benchmarks.spark_movielens", side, str(dump), folder, str(answer)]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        measured: dict[str, float] = json.loads(answer.read_text())
    return measured


def rows(sizes: Sequence[int] = SIZES) -> list[dict[str, object]]:
    """One row a size."""
    measured = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            write_dump(Path(folder), size)
            ours, peer = _apart("spark", Path(folder)), _apart("polars", Path(folder))
        if ours["rows"] != peer["rows"]:
            raise RuntimeError(f"Spark made {ours['rows']} interactions of {size} ratings, polars {peer['rows']}")
        measured.append(
            {
                "job": "movielens.tables",
                "size": f"{size / 1e6:g} M ratings",
                "peer": "polars",
                "ours_s": ours["seconds"],
                "peer_s": peer["seconds"],
                "ratio": peer["seconds"] / ours["seconds"],
                "peak_memory_mb": ours["memory_mb"],
                "note": f"start of Spark {ours['start_s']:.1f} s beside; polars peaks at {peer['memory_mb']:.0f} MB",
            }
        )
    return measured


if __name__ == "__main__":
    _side, _dump, _out, _answer = sys.argv[1:]
    _run = {"spark": by_spark, "polars": by_polars}[_side]
    Path(_answer).write_text(json.dumps(_run(Path(_dump), Path(_out))))
