"""Tiny dumps in all four formats, all saying the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

RATINGS = [(7, 30, 5, 100), (7, 10, 3, 200), (9, 30, 1, 300)]
MOVIES = [(10, "Amélie, The Film (2001)", "Comedy|Romance"), (30, "Matrix, The (1999)", "Sci-Fi")]

Ratings = Sequence[tuple[object, ...]]


def _lines(path: Path, lines: Sequence[str], encoding: str = "utf-8") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(line + "\n" for line in lines).encode(encoding))


def _joined(rows: Ratings, separator: str) -> list[str]:
    return [separator.join(str(field) for field in row) for row in rows]


def dat(root: Path, ratings: Ratings = RATINGS) -> None:
    _lines(root / "ratings.dat", _joined(ratings, "::"))
    _lines(root / "movies.dat", _joined(MOVIES, "::"), "latin-1")


def comma(root: Path, ratings: Ratings = RATINGS) -> None:
    _lines(root / "ratings.csv", ["userId,movieId,rating,timestamp", *_joined(ratings, ",")])
    quoted = [f'{item},"{title}",{genres}' for item, title, genres in MOVIES]
    _lines(root / "movies.csv", ["movieId,title,genres", *quoted])


def hundred_k(root: Path, ratings: Ratings = RATINGS) -> None:
    flags = {"Comedy|Romance": (5, 14), "Sci-Fi": (15,)}
    films = [
        f"{item}|{title}|01-Jan-1999||http://imdb|" + "|".join("1" if i in flags[genres] else "0" for i in range(19))
        for item, title, genres in MOVIES
    ]
    _lines(root / "u.data", _joined(ratings, "\t"))
    _lines(root / "u.item", films, "latin-1")


def recbole(root: Path, ratings: Ratings = RATINGS) -> None:
    header = "user_id:token\titem_id:token\trating:float\ttimestamp:float"
    _lines(root / "ml-100k.inter", [header, *_joined(ratings, "\t")])
    films = [f"{i}\t{title[:-7]}\t{title[-5:-1]}\t{genres.replace('|', ' ')}" for i, title, genres in MOVIES]
    header = "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq"
    _lines(root / "ml-100k.item", [header, *films])


WRITERS: dict[str, Callable[..., None]] = {"dat": dat, "csv": comma, "100k": hundred_k, "recbole": recbole}


@pytest.fixture(params=sorted(WRITERS))
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def write_dump() -> Callable[..., None]:
    """Called with the format's name, a directory and, if wanted, other ratings."""
    return lambda form, root, *ratings: WRITERS[form](root, *ratings)
