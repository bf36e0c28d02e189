from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from spark_jobs.movielens.formats import DumpError, find_dump
from spark_jobs.movielens.read import bad_line, read_movies

Write = Callable[..., None]


def test_a_dump_is_found_in_its_directory(form: str, tmp_path: Path, write_dump: Write) -> None:
    write_dump(form, tmp_path)
    dump = find_dump(tmp_path)
    assert dump.ratings.parent == dump.movies.parent == tmp_path


def test_a_dump_is_found_one_directory_down(form: str, tmp_path: Path, write_dump: Write) -> None:
    write_dump(form, tmp_path / "ml")
    (tmp_path / "__MACOSX").mkdir()
    assert find_dump(tmp_path).ratings.parent == tmp_path / "ml"


def test_half_a_dump_names_what_is_missing(form: str, tmp_path: Path, write_dump: Write) -> None:
    write_dump(form, tmp_path)
    dump = find_dump(tmp_path)
    kept = dump.movies.read_bytes()
    dump.movies.unlink()
    with pytest.raises(DumpError, match=f"lacks {dump.movies.name}"):
        find_dump(tmp_path)
    dump.movies.write_bytes(kept)
    dump.ratings.unlink()
    with pytest.raises(DumpError, match=f"lacks {dump.ratings.name}"):
        find_dump(tmp_path)


def test_no_dump_two_dumps_and_no_directory_are_errors(tmp_path: Path, write_dump: Write) -> None:
    with pytest.raises(DumpError, match=r"wanted are ratings\.dat and movies\.dat"):
        find_dump(tmp_path)
    with pytest.raises(DumpError, match="no directory"):
        find_dump(tmp_path / "nowhere")
    write_dump("csv", tmp_path)
    write_dump("dat", tmp_path)
    with pytest.raises(DumpError, match="holds 2 dumps"):
        find_dump(tmp_path)


def test_films_are_the_same_in_every_format(form: str, tmp_path: Path, write_dump: Write) -> None:
    write_dump(form, tmp_path)
    films = read_movies(find_dump(tmp_path)).to_pylist()
    bare = [{**film, "title": film["title"].removesuffix(f" ({film['year']})")} for film in films]
    assert bare == [
        {"source_item_id": 10, "title": "Amélie, The Film", "year": 2001, "genres": "Comedy|Romance"},
        {"source_item_id": 30, "title": "Matrix, The", "year": 1999, "genres": "Sci-Fi"},
    ]
    if form != "recbole":
        assert films[1]["title"] == "Matrix, The (1999)"


@pytest.mark.parametrize(
    ("title", "year"),
    [
        ("Toy Story (1995)", 1995),
        ("Babylon 5", None),
        ("3 dev adam (Three Giant Men) (1973) ", 1973),
        ("Fawlty Towers (1975-1979)", 1975),
        ("Death Note (2006–2007)", 2006),
        ("2001: A Space Odyssey", None),
        ("Ghost (0000)", None),
    ],
)
def test_the_year_is_the_trailing_one(title: str, year: int | None, tmp_path: Path, write_dump: Write) -> None:
    write_dump("csv", tmp_path)
    (tmp_path / "movies.csv").write_text(f'movieId,title,genres\n1,"{title}",(no genres listed)\n')
    (film,) = read_movies(find_dump(tmp_path)).to_pylist()
    assert film == {"source_item_id": 1, "title": title.strip(), "year": year, "genres": ""}


def test_doubled_quotes_in_a_title_are_one(tmp_path: Path, write_dump: Write) -> None:
    write_dump("csv", tmp_path)
    (tmp_path / "movies.csv").write_text('movieId,title,genres\r\n7,"11\'09""01 - September 11 (2002)",Drama\r\n')
    (film,) = read_movies(find_dump(tmp_path)).to_pylist()
    assert film["title"] == "11'09\"01 - September 11 (2002)"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1,Toy Story (1995)", "2 fields instead of 3"),
        ("x,Toy Story (1995),Drama", "'x' is no whole number"),
        ("1, ,Drama", "film 1 has no title"),
        ("10,Again (1999),Drama", "film 10 was already in line 2"),
    ],
)
def test_a_bad_film_names_its_line(line: str, said: str, tmp_path: Path, write_dump: Write) -> None:
    write_dump("csv", tmp_path)
    with (tmp_path / "movies.csv").open("a") as handle:
        handle.write(line + "\n")
    with pytest.raises(DumpError, match=f"movies.csv:4: .*{said}"):
        read_movies(find_dump(tmp_path))


def test_a_wrong_header_and_no_films_are_errors(tmp_path: Path, write_dump: Write) -> None:
    write_dump("csv", tmp_path)
    (tmp_path / "movies.csv").write_text("movieId,title,genres\n")
    with pytest.raises(DumpError, match="no films in it"):
        read_movies(find_dump(tmp_path))
    (tmp_path / "movies.csv").write_text("id,title,genres\n")
    with pytest.raises(DumpError, match=r"movies.csv:1: the header is 'id,title,genres' instead of"):
        read_movies(find_dump(tmp_path))
    (tmp_path / "movies.csv").write_text("")
    with pytest.raises(DumpError, match=r"movies.csv:1: the file is empty"):
        read_movies(find_dump(tmp_path))


FAULTS = [
    ((7, 30, 5), "3 fields"),
    ((7, 30, 5, 100, 1), "5 fields"),
    ((7, 30, "good", 100), "'good'"),
    ((7, 30, "nan", 100), "rating nan is not within"),
    ((7, 30, "NaN", 100), "rating NaN is not within"),
    ((7, 30, "", 100), "rating ''"),
    ((7, 30, 5.5, 100), "rating 5.5 is not within"),
    ((7, 30, 0, 100), "rating 0 is not within"),
    ((7, 30, "inf", 100), "rating inf is not within"),
    (("seven", 30, 5, 100), "user id 'seven'"),
    (("", 30, 5, 100), "user id ''"),
    ((-7, 30, 5, 100), "user id '-7'"),
    ((7, "3.5", 5, 100), "film id '3.5'"),
    ((7, 30, 5, "noon"), "'noon'"),
    ((7, 30, 5, -1), "time -1 is not in seconds"),
    ((7, 30, 5, 881250949000), "time 881250949000 is not in seconds"),
]


@pytest.mark.parametrize(("fields", "said"), FAULTS, ids=[said for _, said in FAULTS])
def test_a_bad_rating_names_its_line(
    fields: tuple[object, ...], said: str, form: str, tmp_path: Path, write_dump: Write
) -> None:
    write_dump(form, tmp_path, [(7, 30, 5, 100), fields, ("also", "bad")])
    dump = find_dump(tmp_path)
    line = 3 if form in ("csv", "recbole") else 2
    error = str(bad_line(dump))
    assert f"{dump.ratings.name}:{line}: " in error
    assert said in error
    assert "\n" not in error
