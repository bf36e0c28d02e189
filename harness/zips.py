"""A zip from strangers: every name and size is checked before anything is unpacked, and nothing is ever extracted."""

from __future__ import annotations

import hashlib
import os
import stat
import unicodedata
import zipfile
from collections.abc import Collection, Sequence
from typing import IO

from harness.errors import HarnessError, shown
from harness.members import Limits, Member, Source, damage_refused, hidden

_LOCAL_HEADER = 30
_END_RECORD = 22
_ZIP64_LOCATOR = 20


class ZipSource(Source):
    """A zip; all names are checked when it is opened, though only those asked for are read."""

    def __init__(self, where: str, handle: IO[bytes], error: type[HarnessError], limits: Limits) -> None:
        super().__init__(where, error, limits)
        with damage_refused(where, error):
            self._digest = hashlib.file_digest(handle, "sha256").hexdigest()  # type: ignore[arg-type]
            self._check_end(handle)
            self._zip = zipfile.ZipFile(handle)
            members = self._zip.infolist()
            if len(members) > limits.members:
                raise error(f"{where}: holds {len(members)} members; at most {limits.members} are allowed")
            for info in members:
                self._check_member(info)
            self._check_names([info.filename for info in members])
            self._check_places(handle, members)
        self._names = {info.filename: info for info in members if not info.is_dir()}
        jsons = [self._names[name] for name in self.json_names()]
        self._check_ratio(where, jsons, limits.json_free_bytes)

    def _check_end(self, handle: IO[bytes]) -> None:
        """Bound the list of members before zipfile reads it all into memory."""
        size = handle.seek(0, os.SEEK_END)
        handle.seek(max(0, size - _END_RECORD - _ZIP64_LOCATOR))
        tail = handle.read()
        end = tail[-_END_RECORD:]
        if len(end) < _END_RECORD or end[:4] != b"PK\x05\x06" or end[-2:] != b"\0\0":
            raise self.error(
                f"{self.where}: not a whole zip (cut short, or with bytes or a comment after its end); zip it again"
            )
        if (
            tail[:-_END_RECORD].startswith(b"PK\x06\x07")
            or int.from_bytes(end[12:16], "little") > self.limits.members * 4096
        ):
            raise self.error(
                f"{self.where}: its list of members is too long; at most {self.limits.members} members are allowed"
            )

    def _check_member(self, info: zipfile.ZipInfo) -> None:
        name = info.orig_filename
        where = f"{self.where}: {shown([name])}"
        kind = stat.S_IFMT(info.external_attr >> 16)
        # zipfile may take the name from elsewhere (a NUL cuts it, an extra field replaces it), so both are checked.
        if fault := _name_fault(name, self.limits.depth) or _name_fault(info.filename, self.limits.depth):
            raise self.error(f"{where}: {fault}; zip the files by their plain names")
        if kind == stat.S_IFLNK:
            raise self.error(f"{where}: is a symbolic link; zip the file itself")
        if kind not in (0, stat.S_IFDIR if info.is_dir() else stat.S_IFREG):
            raise self.error(f"{where}: is not a plain file; zip plain files only")
        if info.flag_bits & 0x2041:
            raise self.error(f"{where}: is encrypted; zip it without a password")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise self.error(f"{where}: compression method {info.compress_type} is not read; use deflate or store")
        if name.lower().endswith(".zip"):
            raise self.error(f"{where}: is a zip inside a zip; put its files into the outer one")

    def _check_names(self, names: Sequence[str]) -> None:
        """Refuse names that are one name, or one where disks ignore case: which file was meant is not ours to guess."""
        alike: dict[str, list[str]] = {}
        for name in names:
            alike.setdefault(unicodedata.normalize("NFC", name.rstrip("/")).casefold(), []).append(name)
        for same in alike.values():
            if len(set(same)) > 1:
                raise self.error(f"{self.where}: holds {shown(sorted(same))}, one name where case is ignored; rename")
            if len(same) > 1:
                raise self.error(f"{self.where}: holds {shown(same[:1])} more than once; zip each file once")

    def _check_places(self, handle: IO[bytes], members: Sequence[zipfile.ZipInfo]) -> None:
        """Refuse members that share bytes: packed once, they would be unpacked many times."""
        ordered = sorted(members, key=lambda info: info.header_offset)
        ends = [*(info.header_offset for info in ordered), self._zip.start_dir][1:]
        for info, end in zip(ordered, ends, strict=True):
            handle.seek(max(0, info.header_offset))
            header = handle.read(_LOCAL_HEADER)
            if info.header_offset < 0 or len(header) < _LOCAL_HEADER or header[:4] != b"PK\x03\x04":
                raise zipfile.BadZipFile("no member where its list says")
            name, extra = (int.from_bytes(header[at : at + 2], "little") for at in (26, 28))
            if info.header_offset + _LOCAL_HEADER + name + extra + info.compress_size > end:
                raise self.error(
                    f"{self.where}: {shown([info.filename])}: overlaps another member or the list of members; zip it again"
                )

    def _check_ratio(self, where: str, members: Sequence[zipfile.ZipInfo], free: int) -> None:
        # The sizes declared may be believed: zipfile unpacks no more than that, and members do not overlap.
        unpacked, packed = sum(info.file_size for info in members), sum(info.compress_size for info in members)
        if unpacked > max(free, self.limits.ratio * packed):
            raise self.error(
                f"{where}: unpacks to more than {self.limits.ratio} times its packed size; store it uncompressed"
            )

    def json_names(self) -> list[str]:
        """Names of the JSON members at any depth, sorted, without hidden ones."""
        seen = [name for name in self._names if not hidden(name)]
        self.refuse_unlike(seen)
        return sorted(name for name in seen if name.endswith(".json"))

    def has(self, name: str) -> bool:
        """Whether the zip lists that name."""
        return name in self._names

    def open(self, name: str) -> Member:
        """Begin to unpack one member."""
        if name not in self._names:
            raise self.error(f"{self.where}: holds no {name!r}; it holds {shown(sorted(self._names)) or 'nothing'}")
        where, info = f"{self.where}: {shown([name])[1:-1]}", self._names[name]
        self._check_ratio(where, [info], self.limits.ratio_free_bytes)
        with damage_refused(where, self.error):
            return Member(self, where, self._zip.open(info), info.file_size)

    def _stream(self, name: str) -> IO[bytes]:
        return self._zip.open(self._names[name])

    def digest(self, names: Collection[str] | None = None) -> str:
        """The sha256 of the zip itself."""
        return self._digest


def _name_fault(name: str, depth: int) -> str | None:
    """What is wrong with a member's name, or None."""
    parts = name.removesuffix("/").split("/")
    if "\\" in name or "\0" in name or name.startswith("/") or name[1:2] == ":":
        return "is not a plain relative name"
    if any(part in ("", ".", "..") for part in parts):
        return "names a place outside the zip"
    if len(parts) > depth:
        return f"lies more than {depth - 1} folders deep"
    return "has a name longer than 255 characters" if len(name) > 255 else None
