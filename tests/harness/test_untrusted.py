"""Zips and directories from strangers: refused by name, under limits, never extracted."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import HarnessError, SubmissionError
from harness.members import Limits
from harness.npy import read_table
from harness.strict_json import parse
from harness.untrusted import open_source
from tests.harness.made_zips import Entry, listed, named, patched, zipped

SMALL = Limits(
    members=4,
    depth=2,
    json_bytes=10_000,
    total_bytes=40_000,
    ratio=50,
    json_free_bytes=5_000,
    ratio_free_bytes=5_000,
)
BODY = b'{"task": "opl_policy", "golds": [{"id": "1", "output": 0}]}'


def read_json(path: Path, limits: Limits = SMALL) -> bytes:
    with open_source(path, "predictions", SubmissionError, limits) as source:
        name = source.json_names()[0] if source.json_names() else "opl_policy.json"
        with source.open(name) as member:
            return bytes(member.read_all(limits.json_bytes))


PLAIN = zipped(("p.json", BODY))

BAD_ZIPS: list[tuple[str, bytes, str]] = [
    ("parent", zipped((named("../p.json"), BODY)), "'../p.json': names a place outside the zip"),
    ("absolute", zipped((named("/p.json"), BODY)), "is not a plain relative name"),
    ("drive", zipped((named("C:p.json"), BODY)), "is not a plain relative name"),
    ("backslash", zipped((named("a\\p.json"), BODY)), "is not a plain relative name"),
    ("nul", zipped((named("p.json"), BODY)).replace(b"p.json", b"p.js\0n"), "is not a plain relative name"),
    ("dot", zipped((named("a/./p.json"), BODY)), "names a place outside the zip"),
    ("deep", zipped((named("a/b/p.json"), BODY)), "lies more than 1 folders deep"),
    ("long name", zipped(("p" * 300 + ".json", BODY)), "longer than 255"),
    ("symlink", zipped((named("p.json", stat.S_IFLNK | 0o777), b"/etc/passwd")), "is a symbolic link"),
    ("fifo", zipped((named("p.json", stat.S_IFIFO), b"")), "is not a plain file"),
    ("folder's mode", zipped((named("p.json", stat.S_IFDIR), BODY)), "is not a plain file"),
    ("encrypted", patched(PLAIN, 6, 8, b"\x01\x00"), "is encrypted; zip it without a password"),
    ("strongly encrypted", patched(PLAIN, 6, 8, b"\x41\x00"), "is encrypted; zip it without a password"),
    ("patched data", patched(PLAIN, 6, 8, b"\x20\x00"), "damaged or cut short"),
    ("bzip2", zipped(("p.json", BODY), method=zipfile.ZIP_BZIP2), "compression method 12 is not read"),
    ("lzma", zipped(("p.json", BODY), method=zipfile.ZIP_LZMA), "compression method 14 is not read"),
    ("deflate64", patched(PLAIN, 8, 10, b"\x09\x00"), "compression method 9 is not read"),
    ("unknown method", patched(PLAIN, 8, 10, b"\x63\x00"), "compression method 99 is not read"),
    ("nested", zipped(("p.json", BODY), ("in.ZIP", PLAIN)), "'in.ZIP': is a zip inside a zip"),
    ("many", zipped(*((f"{i}.json", BODY) for i in range(5))), "holds 5 members; at most 4"),
    ("very many", zipped(*((f"{i}.json", b"") for i in range(400))), "its list of members is too long"),
    ("capitals", zipped(("P.JSON", BODY)), "holds 'P.JSON'; name it .json, in small letters"),
    ("same but for case", zipped(("p.json", BODY), ("P.json", BODY)), "'P.json', 'p.json', one name where case"),
    ("same but for accents", zipped(("\xe9.json", BODY), ("e\u0301.json", BODY)), "one name where case is ignored"),
    ("file and folder", zipped(("p.json", BODY), ("p.json/", b"")), "one name where case is ignored"),
    ("size bomb", zipped(("p.json", b"0" * 20_000), method=zipfile.ZIP_STORED), "larger than 10,000 bytes"),
    ("ratio bomb", zipped(("p.json", b"0" * 9_000)), "more than 50 times its packed size"),
    ("two half bombs", zipped(("p.json", b"0" * 4_500), ("q.json", b"0" * 4_500)), "more than 50 times its packed"),
    ("cut short", PLAIN[:-30], "not a whole zip"),
    ("trailing bytes", PLAIN + b"\0", "not a whole zip"),
    ("comment", PLAIN[:-2] + b"\x02\x00hi", "not a whole zip"),
    ("empty file", b"", "not a whole zip"),
    ("no zip", b"hello" * 50, "not a whole zip"),
    ("empty zip", zipped(), "holds no 'opl_policy.json'; it holds nothing"),
    ("only hidden", zipped((".p.json", BODY)), "holds no 'opl_policy.json'; it holds '.p.json'"),
    ("bad crc", patched(PLAIN, 14, 16, b"\0\0\0\0"), "damaged or cut short (Bad CRC-32"),
    ("lying size", patched(PLAIN, 22, 24, b"\x02\0\0\0"), "damaged or cut short"),
    ("size said large", patched(PLAIN, 22, 24, b"\0\0\0\x7f"), "more than 50 times its packed size"),
    ("packed said large", patched(PLAIN, 18, 20, b"\0\0\0\x7f"), "'p.json': overlaps another member or the list"),
    ("bad deflate", PLAIN.replace(PLAIN[36:44], b"\xff" * 8), "damaged or cut short"),
    ("misplaced", patched(PLAIN, 0, 42, b"\x03\0\0\0"), "damaged or cut short (no member where its list says)"),
    (
        "two lines, one member",
        listed(Entry(b"a.json", 0, 0, 2, 2, 0).local() + b"{}", [Entry(b"a.json", 0, 0, 2, 2, 0)] * 2),
        "holds 'a.json' more than once",
    ),
    (
        "shared bytes",
        listed(
            Entry(b"a.json", 0, 0, 80, 80, 0).local() + Entry(b"b.json", 0, 0, 20, 20, 0).local() + b" " * 60,
            [Entry(b"a.json", 0, 0, 80, 80, 0), Entry(b"b.json", 0, 0, 20, 20, 36)],
        ),
        "'a.json': overlaps another member",
    ),
    (
        "extra field over the next member",
        listed(
            Entry(b"a.json", 0, 0, 2, 2, 0).local(36) + Entry(b"b.json", 0, 0, 2, 2, 0).local() + b"{}",
            [Entry(b"a.json", 0, 0, 2, 2, 0), Entry(b"b.json", 0, 0, 2, 2, 36)],
        ),
        "'a.json': overlaps another member",
    ),
]


@pytest.mark.parametrize(("data", "message"), [case[1:] for case in BAD_ZIPS], ids=[case[0] for case in BAD_ZIPS])
def test_refuses_zip(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "p.zip").write_bytes(data)
    with pytest.raises(SubmissionError) as caught:
        read_json(tmp_path / "p.zip")
    assert str(caught.value).startswith("predictions ")
    assert message in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.zip"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_refuses_duplicate_members(tmp_path: Path) -> None:
    (tmp_path / "p.zip").write_bytes(zipped(("p.json", BODY), ("p.json", b"{}")))
    with pytest.raises(SubmissionError, match=r"holds 'p.json' more than once"):
        read_json(tmp_path / "p.zip")


def test_a_name_given_twice_in_one_entry_is_checked_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An extra field replaces the name in newer versions of zipfile alone; a file is read by the name that counts."""
    entry = zipfile.ZipInfo("p.json")
    entry.extra = b"up" + struct.pack("<HBI", 5 + 9, 1, zlib.crc32(b"p.json")) + b"../x.json"
    (tmp_path / "p.zip").write_bytes(zipped((entry, BODY)))
    with zipfile.ZipFile(tmp_path / "p.zip") as archive:
        (info,) = archive.infolist()
    if info.filename == "p.json":
        assert read_json(tmp_path / "p.zip") == BODY
        monkeypatch.setattr(info, "filename", "../x.json")
        monkeypatch.setattr(zipfile.ZipFile, "infolist", lambda archive: [info])
    with pytest.raises(SubmissionError, match="'p.json': names a place outside the zip"):
        read_json(tmp_path / "p.zip")


def test_jsons_lie_anywhere_but_where_archivers_hide_things(tmp_path: Path) -> None:
    seen = ["LaMP_1.json", "a/b/c/x.json", "preds/LaMP_2.json", "preds/z.json"]
    unseen = ["preds/._LaMP_2.json", "__MACOSX/preds/LaMP_2.json", ".git/x.json", "a/.x/y.json", "n.txt", "l.jsonl"]
    names = sorted([*seen, *unseen, "preds/"], key=len)
    (tmp_path / "p.zip").write_bytes(zipped(*((name, b"" if name.endswith("/") else BODY) for name in names)))
    for name in [*seen, *unseen]:
        (tmp_path / "d" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "d" / name).write_bytes(BODY)
    for path in (tmp_path / "p.zip", tmp_path / "d"):
        with open_source(path, "predictions", SubmissionError, Limits()) as source:
            assert source.json_names() == seen
            assert all(map(source.has, seen)) and not source.has("preds/x.json") and not source.has("LaMP_2.json")
            for name in seen:
                with source.open(name) as member:
                    assert member.read_all(100) == BODY and member.where == f"predictions {path}: {name}"
                    assert member.sha256.hexdigest() == hashlib.sha256(BODY).hexdigest() and member.size == len(BODY)


def test_a_directory_has_the_limits_of_a_zip(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    with pytest.raises(SubmissionError, match="'a/b/' lies more than 1 folders deep"):
        read_json(tmp_path)
    deep.rename(tmp_path / "c")
    (tmp_path / "c" / "P.Json").write_bytes(BODY)
    with pytest.raises(SubmissionError, match=r"holds 'c/P.Json'; name it \.json"):
        read_json(tmp_path)
    for name in "defg":
        (tmp_path / name).touch()
    with pytest.raises(SubmissionError, match="holds more than 4 files"):
        read_json(tmp_path)


def test_links_to_directories_are_not_followed_and_links_to_files_not_read(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "o.json").write_bytes(BODY)
    inside = tmp_path / "in"
    inside.mkdir()
    (inside / "loop").symlink_to(inside)
    (inside / "away").symlink_to(tmp_path / "out")
    with open_source(inside, "golds", HarnessError, SMALL) as source:
        assert source.json_names() == []
        (inside / "p.json").symlink_to(tmp_path / "out" / "o.json")
        assert source.json_names() == ["p.json"]
        with pytest.raises(HarnessError, match=r"'p.json' is not a plain file"):
            source.open("p.json")
        assert source.peek_task("p.json") is None
    assert read_json(inside / "p.json") == BODY  # whoever names a link means what it leads to


def test_the_task_is_told_by_the_beginning_alone(tmp_path: Path) -> None:
    bodies = {
        "a.json": BODY,
        "b.json": b' \n{ "task" :\t"LaMP_2\xc3\xa9", ' + b" " * 5000,
        "c.json": b'{"golds": [], "task": "x"}',
        "d.json": b'{"task": "x\\u0041"}',
        "e.json": b'{"task": "\xff"}',
        "f.json": b"",
        "g.json": b" " * 600 + BODY,
    }
    (tmp_path / "p.zip").write_bytes(zipped(*bodies.items()))
    (tmp_path / "d").mkdir()
    for name, body in bodies.items():
        (tmp_path / "d" / name).write_bytes(body)
    for path in (tmp_path / "p.zip", tmp_path / "d"):
        with open_source(path, "predictions", SubmissionError, replace(Limits(), total_bytes=2000)) as source:
            told = [source.peek_task(name) for name in sorted(bodies)]
            assert told == ["opl_policy", "LaMP_2\xe9", None, None, None, None, None]
            assert source.peek_task("none.json") is None
            before = source.digest()
            with source.open("a.json") as member:
                member.read_all(1000)
            assert (source.digest() == before) == path.is_file()
    assert source.digest() == source.digest(["a.json"]) == hashlib.sha256(BODY).hexdigest()


def test_the_total_is_counted_over_members(tmp_path: Path) -> None:
    (tmp_path / "p.zip").write_bytes(zipped(("a.json", BODY * 100), ("b.json", BODY * 100)))
    limits = replace(SMALL, total_bytes=10_000, json_free_bytes=100_000, ratio_free_bytes=100_000)
    with open_source(tmp_path / "p.zip", "golds", HarnessError, limits) as source:
        with source.open("a.json") as member:
            member.read_all(9_000)
        with pytest.raises(HarnessError, match="unpacks to more than 10,000 bytes"), source.open("b.json") as member:
            member.read_all(9_000)


def test_an_even_table_may_pack_well(tmp_path: Path) -> None:
    """A uniform policy packs 1000 to 1; a table is refused for that only beyond a size of its own."""
    import io

    import numpy as np

    stream = io.BytesIO()
    np.save(stream, np.full((100, 100), 0.01))
    (tmp_path / "g.zip").write_bytes(zipped(("a/t.p.npy", stream.getvalue()), ("a/t.json", BODY)))
    limits = replace(SMALL, ratio_free_bytes=100_000, total_bytes=100_000)
    with open_source(tmp_path / "g.zip", "golds", HarnessError, limits) as source:
        assert read_table(source, "a/t.p.npy").shape == (100, 100)
    with open_source(tmp_path / "g.zip", "golds", HarnessError, replace(limits, ratio_free_bytes=10_000)) as source:
        assert parse(source.open("a/t.json").read_all(1000), "x", HarnessError, limits)
        with pytest.raises(HarnessError, match=r"g.zip: a/t.p.npy: unpacks to more than 50 times"):
            read_table(source, "a/t.p.npy")


@pytest.mark.parametrize("make", [lambda path: path.symlink_to("/etc/passwd"), os.mkfifo])
def test_refuses_members_of_a_directory_that_are_no_plain_files(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "p.json")
    with pytest.raises(SubmissionError, match=r"'p.json' is not a plain file"):
        read_json(tmp_path)


def test_refuses_what_is_not_there(tmp_path: Path) -> None:
    for path, message in (
        (tmp_path / "no.zip", r"no\.zip: No such file or directory$"),
        (tmp_path, "there is no 'opl_policy.json' in it"),
    ):
        with pytest.raises(SubmissionError, match=message):
            read_json(path)
    with pytest.raises(SubmissionError, match="not a file name"):
        read_json(Path("a\0b"))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SubmissionError, match="is not a plain file"):
        read_json(tmp_path / "pipe")


def test_messages_name_the_address_not_the_copy(tmp_path: Path) -> None:
    for name, data in (("c.zip", PLAIN[:-1]), ("c", b"{"), ("d.zip", zipped(("p.json", b"{")))):
        (tmp_path / name).write_bytes(data)
        with (
            pytest.raises(SubmissionError, match=r"^predictions s3://b/k: ") as caught,
            open_source(tmp_path / name, "predictions", SubmissionError, SMALL, "s3://b/k") as source,
            source.open(source.json_names()[0]) as member,
        ):
            parse(member.read_all(100), member.where, SubmissionError, SMALL)
        assert str(tmp_path) not in str(caught.value)


def test_a_message_never_holds_control_characters(tmp_path: Path) -> None:
    (tmp_path / "p.zip").write_bytes(zipped((named("../\x1b[2J\n.json"), BODY)))
    with pytest.raises(SubmissionError) as caught:
        read_json(tmp_path / "p.zip")
    assert str(caught.value).isprintable()


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), st.binary(min_size=1, max_size=6)), max_size=4), st.integers(0, 400))
def test_a_damaged_zip_is_read_or_refused(changes: list[tuple[int, bytes]], cut: int) -> None:
    data = zipped(("opl_policy.json", BODY), ("opl_policy.rewards.npy", b"\x93NUMPY" + b"\0" * 30))
    for at, piece in changes:
        data = data[:at] + piece + data[at + len(piece) :]
    data = data[: len(data) - cut] if cut % 3 == 0 else data
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "p.zip"
        path.write_bytes(data)
        try:
            read_json(path)
        except HarnessError as error:
            assert re.match(r"predictions .*p\.zip: ", str(error)) and len(str(error)) < 1000


@given(st.binary(max_size=300))
def test_any_file_is_refused_or_read(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("p.zip", "p.json"):
            path = Path(folder) / name
            path.write_bytes(data)
            try:
                read_json(path)
            except SubmissionError as error:
                assert str(error).isprintable()
