"""The MovieLens tables by polars: the oracle of the Spark job in tests, its peer in benchmarks. Written apart from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

P1, P2, P3, P4, P5 = (
    np.uint64(prime)
    for prime in (
        0x9E3779B185EBCA87,
        0xC2B2AE3D27D4EB4F,
        0x165667B19E3779F9,
        0x85EBCA77C2B2AE63,
        0x27D4EB2F165667C5,
    )
)
U64 = np.ndarray[tuple[int], np.dtype[np.uint64]]


def _rotl(x: U64, bits: int) -> U64:
    return (x << np.uint64(bits)) | (x >> np.uint64(64 - bits))


def xxhash64_long(values: U64, seed: U64) -> U64:
    """XXH64 of one 8-byte word (https://github.com/Cyan4973/xxHash, specification 0.1.1)."""
    h = seed + P5 + np.uint64(8)
    h = _rotl(h ^ (_rotl(values * P2, 31) * P1), 27) * P1 + P4
    h = (h ^ (h >> np.uint64(33))) * P2
    h = (h ^ (h >> np.uint64(29))) * P3
    return h ^ (h >> np.uint64(32))


def draw(seed: int, users: pl.Series, items: pl.Series) -> pl.Series:
    """Spark's xxhash64(seed, user, item): each word hashed with the hash before it as seed, 42 at first."""
    h = np.full(len(users), 42, dtype=np.uint64)
    for words in (np.full(len(users), seed, np.int64), users.to_numpy(), items.to_numpy()):
        h = xxhash64_long(words.astype(np.int64).view(np.uint64), h)
    return pl.Series("draw", h.view(np.int64))


def read_ratings(directory: Path) -> pl.DataFrame:
    columns: dict[str, type[pl.DataType]] = {
        "user_id": pl.Int64,
        "item_id": pl.Int64,
        "rating": pl.Float32,
        "timestamp": pl.Int64,
    }
    for name, separator, header in (("ratings.csv", ",", True), ("u.data", "\t", False), ("ml-100k.inter", "\t", True)):
        if (directory / name).exists():
            return pl.read_csv(
                directory / name,
                separator=separator,
                has_header=False,
                skip_rows=int(header),
                schema=columns,
                infer_schema=False,
            )
    lines = (directory / "ratings.dat").read_text().splitlines()
    return pl.DataFrame([line.split("::") for line in lines], schema=list(columns), orient="row").cast(
        pl.Schema(columns)
    )


def read_movies(directory: Path) -> pl.DataFrame:
    if (directory / "movies.csv").exists():
        found = pl.read_csv(directory / "movies.csv", infer_schema=False).select(
            pl.col("movieId").cast(pl.Int64).alias("source_item_id"),
            pl.col("title").str.strip_chars(),
            pl.col("genres").replace("(no genres listed)", ""),
        )
        year = pl.col("title").str.extract(r"\((\d{4})(?:[-–](?:\d{4})?)?\)$").cast(pl.Int32)
        return found.with_columns(pl.when(year.is_between(1870, 2099)).then(year).alias("year"))
    found = pl.read_csv(
        directory / "ml-100k.item",
        separator="\t",
        skip_rows=1,
        has_header=False,
        quote_char=None,
        infer_schema=False,
        new_columns=["source_item_id", "title", "released", "genres"],
    )
    in_title = pl.col("title").str.extract(r"\((\d{4})\)$").cast(pl.Int32)
    return found.select(
        pl.col("source_item_id").cast(pl.Int64),
        pl.col("title").str.strip_chars(),
        pl.col("genres").str.replace_all(" ", "|").replace("unknown", ""),
        pl.coalesce(pl.col("released").cast(pl.Int32, strict=False), in_title).alias("year"),
    )


def k_core(rated: pl.DataFrame, min_positive: int, min_negative: int) -> pl.DataFrame:
    while True:
        passes = [
            (pl.col("reward").sum().over(by) >= min_positive) & ((1 - pl.col("reward")).sum().over(by) >= min_negative)
            for by in ("user_id", "item_id")
        ]
        kept = rated.filter(*passes)
        if kept.height == rated.height:
            return kept
        rated = kept


def label(ratings: pl.DataFrame, positive_min: float, negative_max: float, *, reference: bool) -> pl.DataFrame:
    rating = pl.col("rating")
    if reference:
        return ratings.filter(rating != 4).with_columns(reward=(rating == 5).cast(pl.Int64))
    return ratings.filter((rating >= positive_min) | (rating <= negative_max)).with_columns(
        reward=(rating >= positive_min).cast(pl.Int64)
    )


def balance(rated: pl.DataFrame, seed: int) -> pl.DataFrame:
    drawn = rated.with_columns(draw(seed, rated["user_id"], rated["item_id"])).sort("draw", "item_id")
    quota = pl.min_horizontal(pl.col("reward").sum().over("user_id"), (1 - pl.col("reward")).sum().over("user_id"))
    rank = pl.int_range(pl.len()).over("user_id", "reward")
    return drawn.filter(rank < quota).drop("draw")


def tables(
    directory: Path,
    *,
    positive_min: float = 5.0,
    negative_max: float = 3.0,
    min_positive: int = 10,
    min_negative: int = 10,
    balanced: bool = True,
    seed: int = 12345,
    reference: bool = False,
) -> dict[str, pl.DataFrame]:
    """The three tables, sorted by their ids."""
    ratings = read_ratings(directory).sort("user_id", "item_id", "timestamp", "rating")
    last = ratings.unique(["user_id", "item_id"], keep="last", maintain_order=True)
    rated = k_core(label(last, positive_min, negative_max, reference=reference), min_positive, min_negative)
    kept = (balance(rated, seed) if balanced else rated).rename(
        {"user_id": "source_user_id", "item_id": "source_item_id"}
    )
    users, items = (_side(kept, kind) for kind in ("user", "item"))
    interactions = (
        kept.join(users, on="source_user_id")
        .join(items, on="source_item_id")
        .select("user_id", "item_id", pl.col("reward").cast(pl.Int8), "rating", "timestamp")
        .sort("user_id", "item_id")
    )
    titled = items.join(read_movies(directory), on="source_item_id", how="left").sort("item_id")
    counts = ["n_positive", "n_negative"]
    return {
        "interactions": interactions,
        "items": titled.select("item_id", "source_item_id", "title", "year", "genres", *counts),
        "users": users.select("user_id", "source_user_id", *counts),
    }


def _side(kept: pl.DataFrame, kind: str) -> pl.DataFrame:
    return (
        kept.group_by(f"source_{kind}_id")
        .agg(n_positive=pl.col("reward").sum(), n_negative=(1 - pl.col("reward")).sum())
        .sort(f"source_{kind}_id")
        .with_row_index(f"{kind}_id")
        .with_columns(pl.col(f"{kind}_id").cast(pl.Int64))
    )
