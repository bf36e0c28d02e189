"""A dump's files as frames: the ratings through Spark's own reader, the films (at most some 90,000) on the driver."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.movielens.formats import CSV, DAT, HUNDRED_K, RECBOLE, Dump, DumpError

LOWEST, HIGHEST = 0.5, 5.0
"""The range of a rating, in stars."""

TIMESTAMP_END = 1 << 36
"""First second no longer read (year 4147): later ones are milliseconds by mistake, and no longer pack into 64 bits."""

MOVIES = pa.schema(
    [("source_item_id", pa.int64()), ("title", pa.string()), ("year", pa.int32()), ("genres", pa.string())]
)

_GENRES_100K = (
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
)
_NO_GENRES = "(no genres listed)"
# A trailing "(1995)"; series have ranges, "(2006-2007)", whose first year is taken.
_YEAR = re.compile(r"\(((?:18[7-9]|19\d|20\d)\d)(?:[-–](?:\d{4})?)?\)\s*$")
_WHOLE = re.compile(r"\d{1,18}")


def read_ratings(spark: SparkSession, dump: Dump) -> DataFrame:
    """All ratings: source ids, `rating` (float), `timestamp` (seconds), and `bad`, true where a line is not as it must be.

    Raises:
        DumpError: the file is empty or its header is not the format's.
    """
    _require_header(dump.ratings, dump.format.ratings_header)
    # RecBole writes seconds as floats.
    seconds = "double" if dump.format is RECBOLE else "long"
    lines = spark.read.csv(
        str(dump.ratings),
        schema=f"user_id long, item_id long, rating float, timestamp {seconds}, malformed string",
        sep=dump.format.separator,
        header=dump.format.ratings_header is not None,
        quote="",
        mode="PERMISSIVE",
        columnNameOfCorruptRecord="malformed",
    )
    # A NaN is above every number to Spark, so the range refuses it; what could not be parsed is null and makes `good` null.
    good = (
        F.col("malformed").isNull()
        & (F.col("user_id") >= 0)
        & (F.col("item_id") >= 0)
        & F.col("rating").between(LOWEST, HIGHEST)
        & (F.col("timestamp") >= 0)
        & (F.col("timestamp") < TIMESTAMP_END)
    )
    marked = lines.withColumn("bad", ~F.coalesce(good, F.lit(False)))
    timestamp = F.when(~F.col("bad"), F.col("timestamp").cast("long")).alias("timestamp")
    return marked.select("user_id", "item_id", "rating", timestamp, "bad")


def bad_line(dump: Dump) -> DumpError:
    """What is wrong with the first bad line of the ratings. A second pass over the file, made only when one is known to exist."""
    form = dump.format
    with dump.ratings.open(encoding="latin-1", newline="\n") as handle:
        for number, line in enumerate(handle, start=1):
            text = line.rstrip("\r\n")
            if text and not (number == 1 and form.ratings_header is not None):
                fault = _fault(text.split(form.separator), form.separator)
                if fault is not None:
                    return DumpError(f"{dump.ratings}:{number}: {fault}; mend the line or fetch the dump again")
    return DumpError(f"{dump.ratings}: some line is no user, film, rating and time; fetch the dump again")


def read_movies(dump: Dump) -> pa.Table:
    """The films: `source_item_id`, `title` as spelt, `year` or null, `genres` joined by "|" (empty where none is listed).

    Raises:
        DumpError: a line is malformed, or a film occurs twice.
    """
    _require_header(dump.movies, dump.format.movies_header)
    readers = {DAT: _dat_movies, CSV: _csv_movies, HUNDRED_K: _100k_movies, RECBOLE: _recbole_movies}
    first_lines: dict[int, int] = {}
    rows: list[tuple[int, str, int | None, str]] = []
    for number, source, title, year, genres in readers[dump.format](dump.movies):
        where = f"{dump.movies}:{number}"
        if not _WHOLE.fullmatch(source):
            raise DumpError(f"{where}: film id {source!r} is no whole number; mend the line or fetch the dump again")
        if not title.strip():
            raise DumpError(f"{where}: film {source} has no title; mend the line or fetch the dump again")
        item = int(source)
        if item in first_lines:
            raise DumpError(f"{where}: film {item} was already in line {first_lines[item]}; remove one of them")
        first_lines[item] = number
        rows.append((item, title.strip(), year, genres))
    if not rows:
        raise DumpError(f"{dump.movies}: no films in it; fetch the dump again")
    columns = list(zip(*rows, strict=True))
    return pa.table(
        [pa.array(values, field.type) for values, field in zip(columns, MOVIES, strict=True)], schema=MOVIES
    )


Movie = tuple[int, str, str, int | None, str]


def _dat_movies(path: Path) -> Iterator[Movie]:
    for number, line in _lines(path):
        source, title, genres = _fields(path, number, line.split("::"), 3)
        yield number, source, title, _year(title), _genres(genres)


def _csv_movies(path: Path) -> Iterator[Movie]:
    reader = csv.reader(line for _, line in _lines(path))
    for fields in reader:
        if reader.line_num > 1:
            source, title, genres = _fields(path, reader.line_num, fields, 3)
            yield reader.line_num, source, title, _year(title), _genres(genres)


def _100k_movies(path: Path) -> Iterator[Movie]:
    for number, line in _lines(path):
        source, title, released, _, _, *flags = _fields(path, number, line.split("|"), 5 + len(_GENRES_100K))
        year = _year(title) or _year(f"({released[-4:]})")
        genres = (name for name, flag in zip(_GENRES_100K, flags, strict=True) if flag == "1" and name != "unknown")
        yield number, source, title, year, "|".join(genres)


def _recbole_movies(path: Path) -> Iterator[Movie]:
    for number, line in _lines(path):
        if number > 1:
            source, title, released, genres = _fields(path, number, line.split("\t"), 4)
            yield (
                number,
                source,
                title,
                _year(f"({released})") or _year(title),
                "|".join(genres.split()).replace("unknown", ""),
            )


def _fields(path: Path, number: int, fields: list[str], wanted: int) -> list[str]:
    if len(fields) != wanted:
        raise DumpError(
            f"{path}:{number}: {len(fields)} fields instead of {wanted}; the file is cut off or of another format: fetch it again"
        )
    return fields


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines that are not blank. UTF-8 where the file is, latin-1 otherwise (ml-100k and ml-1m)."""
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    # Not splitlines(), which also cuts at bytes that are letters or quotes elsewhere.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.rstrip("\r"):
            yield number, line.rstrip("\r")


def _year(title: str) -> int | None:
    found = _YEAR.search(title)
    return int(found.group(1)) if found else None


def _genres(text: str) -> str:
    return "" if text.strip() == _NO_GENRES else text.strip()


def _require_header(path: Path, header: str | None) -> None:
    with path.open(encoding="latin-1", newline="\n") as handle:
        first = handle.readline().rstrip("\r\n").removeprefix("\xef\xbb\xbf")
    if not first:
        raise DumpError(f"{path}:1: the file is empty or starts with a blank line; fetch the dump again")
    if header is not None and first != header:
        raise DumpError(f"{path}:1: the header is {first[:100]!r} instead of {header!r}; fetch the dump again")


def _fault(fields: list[str], separator: str) -> str | None:
    """What is wrong with the fields of a rating, or None."""
    if len(fields) != 4:
        return f"{len(fields)} fields separated by {separator!r} instead of 4"
    user, item, rating, timestamp = fields
    for what, text in (("user", user), ("film", item)):
        if not _WHOLE.fullmatch(text):
            return f"{what} id {text!r} is no whole number"
    try:
        stars, seconds = float(rating), float(timestamp)
    except ValueError:
        return f"rating {rating!r} or time {timestamp!r} is no number"
    if not LOWEST <= stars <= HIGHEST:
        return f"rating {rating} is not within {LOWEST} and {HIGHEST}"
    if not 0 <= seconds < TIMESTAMP_END:
        return f"time {timestamp} is not in seconds since 1970"
    return None
