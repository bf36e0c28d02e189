"""Small files that would be large: each is refused, or read, for little memory and CPU, in a process of its own."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harness.made_zips import MIB, Entry, bomb, deflated, listed, quoted_overlap, single, zipped

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak of memory from /proc")

MOST_BYTES = 200 * MIB
MOST_SECONDS = 10.0  # of CPU, ten times what the slowest takes
READER = """
import json, sys, time
from pathlib import Path
from harness.errors import SubmissionError
from harness.members import Limits
from harness.npy import read_table
from harness.strict_json import parse
from harness.untrusted import open_source
start, message = time.process_time(), None
try:
    with open_source(Path(sys.argv[1]), "predictions", SubmissionError, Limits()) as source:
        for name in source.json_names():
            source.peek_task(name)
            with source.open(name) as member:
                parse(member.read_all(source.limits.json_bytes), member.where, SubmissionError, source.limits)
        if source.has("t.p.npy"):
            read_table(source, "t.p.npy")
except SubmissionError as error:
    message = str(error)
seconds = time.process_time() - start
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"message": message, "seconds": seconds, "bytes": int(peak.split()[1]) * 1024}))
"""


def lying_small() -> bytes:
    packed, crc = deflated(b" ", 64 * MIB)
    return single("p.json", packed, crc, 100)


def lying_packed() -> bytes:
    packed, crc = deflated(b" ", 64 * MIB)
    return single("p.json", packed, crc, 64 * MIB, 50 * MIB)


def many_members(size: int) -> bytes:
    packed, crc = deflated(b"[],", size)
    body, entries = b"", []
    for number in range(60):
        entry = Entry(b"%02d.json" % number, 8, crc, len(packed), size, len(body))
        entries.append(entry)
        body += entry.local() + packed
    return listed(body, entries)


def one_kernel_for_all() -> bytes:
    packed, crc = deflated(b" ", 16 * MIB)
    entries = [Entry(b"%02d.json" % number, 8, crc, len(packed), 16 * MIB, 0) for number in range(60)]
    return listed(entries[0].local() + packed, entries)


def long_list(count: int, told: int | None) -> bytes:
    """A list of that many members; `told` is the length the end record claims."""
    line = Entry(b"000000", 0, 0, 0, 0, 0).central()
    listing = line * count
    size = len(listing) if told is None else told
    return listing + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, size, 0, 0)


TABLE = b"\x93NUMPY\x01\x00" + struct.pack("<H", 118)
HEADER = b"{'descr': '<f8', 'fortran_order': False, 'shape': (%d, 1024), }"


def table(rows: int, size: int) -> bytes:
    """A packed table of zeros that claims so many rows of 8 KiB."""
    packed, _ = deflated(b"\0", size)
    start = TABLE + (HEADER % rows).ljust(117) + b"\n"
    # A stored block before the deflated ones holds the header; the CRC is wrong, which shows only at the end.
    body = b"\0" + struct.pack("<HH", len(start), len(start) ^ 0xFFFF) + start + packed
    return single("t.p.npy", body, 0, len(start) + size)


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "an honest header": (lambda: bomb("p.json", b"[0],", 64 * MIB), "more than 200 times its packed size"),
    "spaces": (lambda: bomb("p.json", b" ", 63 * MIB), "more than 200 times its packed size"),
    "a header that says less": (lying_small, "damaged or cut short (Bad CRC-32"),
    "a header that says it packs badly": (lying_packed, "overlaps another member or the list"),
    "many small ones": (lambda: many_members(2 * MIB), "more than 200 times its packed size"),
    "one kernel for all": (one_kernel_for_all, "overlaps another member"),
    "quoted headers": (lambda: quoted_overlap(60, 16 * MIB), "overlaps another member"),
    "a million members": (lambda: long_list(1_000_000, None), "its list of members is too long"),
    "a million members, said to be few": (lambda: long_list(1_000_000, 52 * 64), "holds '000000' more than once"),
    "a table": (lambda: table(1 << 14, 130 * MIB), "t.p.npy: unpacks to more than 200 times its packed size"),
    "a table that claims more": (lambda: table(1 << 17, 8192), "its length does not fit its shape"),
    "nested lists": (lambda: bomb("p.json", b"[", 4 * MIB), "is nested too deeply"),
    "nested objects": (lambda: bomb("p.json", b'{"a":', 4 * MIB), "is nested too deeply"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused_cheaply(tmp_path: Path, name: str) -> None:
    make, message = REFUSED[name]
    path = tmp_path / "p.zip"
    path.write_bytes(make())
    told = read(path)
    assert message in str(told["message"])
    assert told["bytes"] < MOST_BYTES and told["seconds"] < MOST_SECONDS, told


@pytest.mark.parametrize("item", [b"[]", b"{}", b'{"a":0}', b'"ab"', b"0.5", b"1e9", b'["a"]', b"[[]]", b'{"a":[0]}'])
def test_what_is_let_through_costs_little(tmp_path: Path, item: bytes) -> None:
    """The largest JSON whose ratio is not asked for, of whatever takes most memory for its length."""
    data = b"[" + (item + b",") * ((4 * MIB - 100) // (len(item) + 1)) + item + b"]"
    (tmp_path / "p.zip").write_bytes(zipped(("p.json", data)))
    told = read(tmp_path / "p.zip")
    assert told["message"] is None
    assert told["bytes"] < MOST_BYTES and told["seconds"] < MOST_SECONDS, told


def read(path: Path) -> dict[str, object]:
    """What a fresh process says of it: the refusal, the CPU it took, and its peak of memory."""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", READER, str(path)], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
