"""Zips made by hand, byte by byte where zipfile would not write them."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

MIB = 1 << 20


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """What zipfile writes, with a fixed date."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in members:
            info = name if isinstance(name, zipfile.ZipInfo) else zipfile.ZipInfo(name)
            archive.writestr(info, data, compress_type=method)
    return stream.getvalue()


def named(name: str, mode: int = 0) -> zipfile.ZipInfo:
    """A member's header with a name past the clean-up that zipfile's constructor does."""
    info = zipfile.ZipInfo("x" * len(name))
    info.filename = name
    info.external_attr = mode << 16
    return info


def patched(data: bytes, local: int, central: int, value: bytes) -> bytes:
    """The zip with bytes replaced at an offset in the first local and in the first central header."""
    at = data.index(b"PK\x01\x02") + central
    data = data[:at] + value + data[at + len(value) :]
    return data[:local] + value + data[local + len(value) :]


@dataclass(frozen=True)
class Entry:
    """One line of a zip's list of members, true or not."""

    name: bytes
    method: int
    crc: int
    packed: int
    size: int
    offset: int

    def local(self, extra: int = 0) -> bytes:
        """Its local header, claiming `extra` bytes of extra field."""
        numbers = (20, 0, self.method, 0, 0x21, self.crc, self.packed, self.size, len(self.name), extra)
        return b"PK\x03\x04" + struct.pack("<HHHHHIIIHH", *numbers) + self.name

    def central(self) -> bytes:
        """Its line of the list."""
        numbers = (20, 20, 0, self.method, 0, 0x21, self.crc, self.packed, self.size, len(self.name))
        return (
            b"PK\x01\x02"
            + struct.pack("<HHHHHHIIIH", *numbers)
            + bytes(12)
            + struct.pack("<I", self.offset)
            + self.name
        )


def listed(body: bytes, entries: Sequence[Entry]) -> bytes:
    """The body, the list and the end record."""
    listing = b"".join(entry.central() for entry in entries)
    count = len(entries) & 0xFFFF
    return body + listing + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, count, count, len(listing), len(body), 0)


def deflated(pattern: bytes, size: int, level: int = 9) -> tuple[bytes, int]:
    """`size` bytes of a repeated pattern, packed without ever being in memory at once, and their CRC-32."""
    packer, crc, pieces = zlib.compressobj(level, zlib.DEFLATED, -15), 0, []
    block = pattern * (MIB // len(pattern))
    while size > 0:
        piece = block[:size]
        pieces.append(packer.compress(piece))
        crc = zlib.crc32(piece, crc)
        size -= len(piece)
    return b"".join([*pieces, packer.flush()]), crc


def single(name: str, packed: bytes, crc: int, size: int, told_packed: int | None = None) -> bytes:
    """A zip of one deflated member whose sizes are as told."""
    entry = Entry(name.encode(), 8, crc, len(packed) if told_packed is None else told_packed, size, 0)
    return listed(entry.local() + packed, [entry])


def bomb(name: str, pattern: bytes, size: int) -> bytes:
    """A zip of one member of repeated bytes whose header tells the truth."""
    packed, crc = deflated(pattern, size)
    return single(name, packed, crc, size)


def quoted_overlap(count: int, size: int) -> bytes:
    """Fifield's bomb: each member's first deflate block quotes the header of the next, and all end in one kernel."""
    kernel, _ = deflated(b" ", size)
    body, entries, unpacked = kernel, [], size
    crc = zlib.crc32(b" " * size)
    tails: list[tuple[bytes, Entry]] = []
    for number in reversed(range(count)):
        entry = Entry(b"%02d.json" % number, 8, crc, len(body), unpacked, 0)
        header = entry.local()
        tails.append((header, entry))
        body = (
            header + body
            if number == 0
            else b"\0" + struct.pack("<HH", len(header), len(header) ^ 0xFFFF) + header + body
        )
        unpacked += len(header)
        crc = 0  # a reader finds out only after it has unpacked everything
    offset = 0
    for header, entry in reversed(tails):
        entries.append(Entry(entry.name, 8, entry.crc, entry.packed, entry.size, offset))
        offset += len(header) + 5
    return listed(body, entries)
