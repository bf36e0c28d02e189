"""The four shapes in which MovieLens is handed out, and how to tell which one a directory holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from store.errors import UserError


class DumpError(UserError):
    """A dump is incomplete or malformed; the message names the file and, where one is at fault, the line."""


@dataclass(frozen=True)
class Format:
    """File names (as glob patterns) and lines of one kind of dump."""

    name: str
    ratings: str
    movies: str
    separator: str
    ratings_header: str | None = None
    movies_header: str | None = None


DAT = Format("ml-1m or ml-10m", "ratings.dat", "movies.dat", "::")
CSV = Format(
    "ml-20m, ml-25m or ml-latest",
    "ratings.csv",
    "movies.csv",
    ",",
    "userId,movieId,rating,timestamp",
    "movieId,title,genres",
)
HUNDRED_K = Format("ml-100k", "u.data", "u.item", "\t")
RECBOLE = Format(
    "RecBole's ml-100k",
    "*.inter",
    "*.item",
    "\t",
    "user_id:token\titem_id:token\trating:float\ttimestamp:float",
    "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq",
)
FORMATS = (DAT, CSV, HUNDRED_K, RECBOLE)


@dataclass(frozen=True)
class Dump:
    """A dump on disk: its format and its two files."""

    format: Format
    ratings: Path
    movies: Path


def find_dump(root: Path) -> Dump:
    """The one dump in `root` or in a directory directly below it.

    Raises:
        DumpError: there is none, only half of one, or more than one.
    """
    if not root.is_dir():
        raise DumpError(f"{root} is no directory; give the directory of an unpacked MovieLens dump")
    nested = sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith((".", "__")))
    found = [dump for directory in (root, *nested) for dump in _dumps(directory)]
    if len(found) > 1:
        raise DumpError(
            f"{root} holds {len(found)} dumps ({', '.join(str(d.ratings) for d in found)}); keep one a directory"
        )
    if found:
        return found[0]
    for directory in (root, *nested):
        _complain_of_half(directory)
    wanted = "; ".join(f"{f.ratings} and {f.movies} ({f.name})" for f in FORMATS)
    raise DumpError(f"{root} holds no MovieLens dump; wanted are {wanted}")


def _dumps(directory: Path) -> Iterator[Dump]:
    for form in FORMATS:
        for ratings in sorted(directory.glob(form.ratings)):
            movies = _partner(ratings, form)
            if movies.is_file():
                yield Dump(form, ratings, movies)


def _partner(ratings: Path, form: Format) -> Path:
    """Where the films of a ratings file are."""
    return ratings.with_suffix(".item") if form is RECBOLE else ratings.with_name(form.movies)


def _complain_of_half(directory: Path) -> None:
    for form in FORMATS:
        for ratings in sorted(directory.glob(form.ratings)):
            missing = _partner(ratings, form).name
            raise DumpError(f"{directory} has {ratings.name} but lacks {missing}; unpack the whole dump ({form.name})")
        for movies in sorted(directory.glob(form.movies)):
            missing = f"{movies.stem}.inter" if form is RECBOLE else form.ratings
            raise DumpError(f"{directory} has {movies.name} but lacks {missing}; unpack the whole dump ({form.name})")
