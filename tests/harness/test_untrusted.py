"""Zips and directories from strangers: refused by name, under limits, never extracted."""

from __future__ import annotations

import io
import os
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.envelope import read_golds
from harness.errors import HarnessError, SubmissionError
from harness.untrusted import Limits, open_source

SMALL = Limits(members=4, depth=2, json_bytes=10_000, total_bytes=40_000, ratio=50, ratio_free_bytes=5_000)
BODY = b'{"task": "opl_policy", "golds": [{"id": "1", "output": 0}]}'


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data, compress_type=method)
    return stream.getvalue()


def named(name: str, mode: int = 0) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("x" * len(name))
    info.filename = name  # past the clean-up that the constructor does
    info.external_attr = mode << 16
    return info


def patched(data: bytes, local: int, central: int, value: bytes) -> bytes:
    """The zip with bytes replaced at an offset in the first local and in the first central header."""
    at = data.index(b"PK\x01\x02") + central
    data = data[:at] + value + data[at + len(value) :]
    return data[:local] + value + data[local + len(value) :]


def read_json(path: Path, limits: Limits = SMALL) -> bytes:
    with open_source(path, "predictions", SubmissionError, limits) as source:
        name = source.json_names()[0] if source.json_names() else "opl_policy.json"
        with source.open(name) as member:
            return member.read_all(limits.json_bytes)


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
    ("encrypted", patched(PLAIN, 6, 8, b"\x01\x00"), "is encrypted; zip it without a password"),
    ("bzip2", zipped(("p.json", BODY), method=zipfile.ZIP_BZIP2), "compression method 12 is not read"),
    ("unknown method", patched(PLAIN, 8, 10, b"\x63\x00"), "compression method 99 is not read"),
    ("nested", zipped(("p.json", BODY), ("in.zip", PLAIN)), "'in.zip': is a zip inside a zip"),
    ("many", zipped(*((f"{i}.json", BODY) for i in range(5))), "holds 5 members; at most 4"),
    ("very many", zipped(*((f"{i}.json", b"") for i in range(400))), "its list of members is too long"),
    ("size bomb", zipped(("p.json", b"0" * 20_000), method=zipfile.ZIP_STORED), "larger than 10,000 bytes"),
    ("ratio bomb", zipped(("p.json", b"0" * 9_000)), "more than 50 times its packed size"),
    ("cut short", PLAIN[:-30], "not a whole zip"),
    ("trailing bytes", PLAIN + b"\0", "not a whole zip"),
    ("empty file", b"", "not a whole zip"),
    ("no zip", b"hello" * 50, "not a whole zip"),
    ("empty zip", zipped(), "holds no 'opl_policy.json' at its top; it holds nothing"),
    (
        "elsewhere",
        zipped(("a/opl_policy.json", BODY)),
        "holds no 'opl_policy.json' at its top; it holds 'a/opl_policy.json'",
    ),
    ("bad crc", patched(PLAIN, 14, 16, b"\0\0\0\0"), "damaged or cut short (Bad CRC-32"),
    ("lying size", patched(PLAIN, 22, 24, b"\x02\0\0\0"), "damaged or cut short"),
    ("bad deflate", PLAIN.replace(PLAIN[36:44], b"\xff" * 8), "damaged or cut short"),
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


def test_the_total_is_counted_over_members(tmp_path: Path) -> None:
    (tmp_path / "p.zip").write_bytes(zipped(("a.json", BODY * 100), ("b.json", BODY * 100)))
    limits = replace(SMALL, total_bytes=10_000, ratio_free_bytes=100_000)
    with open_source(tmp_path / "p.zip", "golds", HarnessError, limits) as source:
        with source.open("a.json") as member:
            member.read_all(9_000)
        with pytest.raises(HarnessError, match="unpacks to more than 10,000 bytes"), source.open("b.json") as member:
            member.read_all(9_000)


def test_a_bomb_is_stopped_while_it_streams(tmp_path: Path) -> None:
    """256 MiB in 256 KiB, whose headers tell the truth, costs only what the limits allow."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = b"\0" * (1 << 20)
    packed = b"".join([*(packer.compress(block) for _ in range(256)), packer.flush()])
    crc = 0
    for _ in range(256):
        crc = zlib.crc32(block, crc)
    data = zipped(("p.json", b"")).replace(zipped(("p.json", b""))[30:], b"")
    sizes = crc.to_bytes(4, "little") + len(packed).to_bytes(4, "little") + (256 << 20).to_bytes(4, "little")
    local = data[:14] + sizes + data[26:30] + b"p.json"
    central = b"PK\x01\x02" + b"\x14\0" + local[4:26] + b"\x06\0" + b"\0" * 16 + b"p.json"
    offset = (len(local) + len(packed)).to_bytes(4, "little")
    end = b"PK\x05\x06" + b"\0" * 4 + b"\x01\0\x01\0" + len(central).to_bytes(4, "little") + offset + b"\0\0"
    (tmp_path / "p.zip").write_bytes(local + packed + central + end)
    with pytest.raises(SubmissionError, match="more than 50 times its packed size"):
        read_json(tmp_path / "p.zip", replace(SMALL, json_bytes=1 << 30, total_bytes=1 << 31))


@pytest.mark.parametrize("make", [lambda path: path.symlink_to("/etc/passwd"), os.mkfifo, Path.mkdir])
def test_refuses_members_of_a_directory_that_are_no_plain_files(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "p.json")
    with pytest.raises(SubmissionError, match=r"'p.json' is not a plain file"):
        read_json(tmp_path)


def test_refuses_what_is_not_there(tmp_path: Path) -> None:
    for path, message in ((tmp_path / "no.zip", "No such file"), (tmp_path, "there is no 'opl_policy.json' in it")):
        with pytest.raises(SubmissionError, match=message):
            read_json(path)
    with pytest.raises(SubmissionError, match="not a file name"):
        read_json(Path("a\0b"))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SubmissionError, match="is not a plain file"):
        read_json(tmp_path / "pipe")
    for number in range(5):
        (tmp_path / f"{number}.txt").touch()
    with pytest.raises(SubmissionError, match="holds more than 4 files"):
        read_json(tmp_path)


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
        with pytest.raises(HarnessError):  # it lacks the logging table even when it is whole
            read_golds(path)


@given(st.binary(max_size=300))
def test_any_file_is_refused_or_read(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("p.zip", "p.json"):
            path = Path(folder) / name
            path.write_bytes(data)
            with pytest.raises(HarnessError):
                read_golds(path)
