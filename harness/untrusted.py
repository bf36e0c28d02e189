"""Files from strangers: named members of a zip or directory, or a JSON, streamed under limits, never extracted."""

from __future__ import annotations

import hashlib
import os
import stat
import struct
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from harness.errors import HarnessError, shown

CHUNK = 1 << 20
MIB = 1 << 20
_END_RECORD = 22
_ZIP64_LOCATOR = 20
# zipfile answers damage with all of these; ValueError covers names that are not UTF-8, RuntimeError a missing password.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    RuntimeError,
    ValueError,
    OSError,
    struct.error,
    LookupError,
    OverflowError,
)


@dataclass(frozen=True)
class Limits:
    """What a golds or predictions file may cost; sizes are bytes after unpacking, counted while they stream."""

    members: int = 64
    depth: int = 4
    json_bytes: int = 256 * MIB
    json_values: int = 25_000_000
    array_bytes: int = 1024 * MIB
    total_bytes: int = 2048 * MIB
    # Honest tables (a uniform policy) pack 1000 to 1, so the ratio counts only for members that are large as well.
    ratio: int = 200
    ratio_free_bytes: int = 128 * MIB


class Member:
    """One member, read forwards; counts the bytes that really come out against the limits of its source."""

    def __init__(self, source: Source, name: str, stream: IO[bytes], packed: int | None) -> None:
        self.where = f"{source.where}: {shown([name])[1:-1]}"
        self.error = source.error
        self.sha256 = hashlib.sha256()
        self._source = source
        self._stream = stream
        self._packed = packed
        self._count = 0

    def __enter__(self) -> Member:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def read(self, size: int) -> bytes:
        """At most `size` bytes, fewer only at the end; raises the source's error for damage or a limit passed."""
        pieces: list[bytes] = []
        while size > 0 and (piece := self._read_some(min(size, CHUNK))):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def _read_some(self, size: int) -> bytes:
        with damage_refused(self.where, self.error):
            piece = self._stream.read(size)
        if self._packed is None:
            self.sha256.update(piece)
        self._count += len(piece)
        limits = self._source.limits
        self._source.spend(len(piece))
        if self._packed is not None and self._count > max(limits.ratio_free_bytes, limits.ratio * self._packed):
            raise self.error(
                f"{self.where}: unpacks to more than {limits.ratio} times its packed size; store it uncompressed"
            )
        return piece

    def read_all(self, limit: int) -> bytes:
        """The whole member; raises the source's error where it is larger than `limit` bytes."""
        data = self.read(limit + 1)
        if len(data) > limit:
            raise self.error(f"{self.where}: larger than {limit:,} bytes, the most that is read")
        return data


class Source(ABC):
    """An opened golds or predictions file: `where` begins each message about it, `error` is what it is refused with."""

    def __init__(self, where: str, error: type[HarnessError], limits: Limits) -> None:
        self.where = where
        self.error = error
        self.limits = limits
        self._left = limits.total_bytes

    @abstractmethod
    def json_names(self) -> list[str]:
        """Names of the JSON members at the top, sorted."""

    @abstractmethod
    def has(self, name: str) -> bool:
        """Whether there is a member of exactly that name."""

    @abstractmethod
    def open(self, name: str) -> Member:
        """The member of exactly that name; raises the source's error where there is none."""

    @abstractmethod
    def digest(self) -> str:
        """The sha256 of the file, or of the members read so far where the source is not one file."""

    def spend(self, count: int) -> None:
        """Count unpacked bytes; raises once the total passes the limit."""
        self._left -= count
        if self._left < 0:
            raise self.error(
                f"{self.where}: unpacks to more than {self.limits.total_bytes:,} bytes, the most that is read"
            )


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
        if repeated := [name for name, count in Counter(info.filename for info in members).items() if count > 1]:
            raise error(f"{where}: holds {shown(repeated)} more than once; zip each file once")

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
        if fault := _name_fault(name, self.limits.depth):
            raise self.error(f"{where}: {fault}; zip the files by their plain names")
        if kind == stat.S_IFLNK:
            raise self.error(f"{where}: is a symbolic link; zip the file itself")
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise self.error(f"{where}: is not a plain file; zip plain files only")
        if info.flag_bits & 0x2041:
            raise self.error(f"{where}: is encrypted; zip it without a password")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise self.error(f"{where}: compression method {info.compress_type} is not read; use deflate or store")
        if name.lower().endswith(".zip"):
            raise self.error(f"{where}: is a zip inside a zip; put its files into the outer one")

    def json_names(self) -> list[str]:
        """JSON members that lie at the top of the zip, sorted."""
        return sorted(name for name in self._zip.namelist() if name.endswith(".json") and "/" not in name)

    def has(self, name: str) -> bool:
        """Whether the zip lists that name."""
        return name in self._zip.namelist()

    def open(self, name: str) -> Member:
        """Begin to unpack one member."""
        inside = self._zip.namelist()
        if name not in inside:
            raise self.error(
                f"{self.where}: holds no {name!r} at its top; it holds {shown(sorted(inside)) or 'nothing'}"
            )
        with damage_refused(f"{self.where}: {name}", self.error):
            info = self._zip.getinfo(name)
            return Member(self, name, self._zip.open(info), info.compress_size)

    def digest(self) -> str:
        """The sha256 of the zip itself."""
        return self._digest


class DirectorySource(Source):
    """A directory, or one JSON file and what lies beside it; members are plain files, links are refused."""

    def __init__(self, where: str, root: Path, only: Path | None, error: type[HarnessError], limits: Limits) -> None:
        super().__init__(where, error, limits)
        self._root = root
        self._only = only
        self._read: dict[str, Member] = {}

    def json_names(self) -> list[str]:
        """The given JSON, or those of the directory, sorted."""
        if self._only is not None:
            return [self._only.name]
        with damage_refused(self.where, self.error), os.scandir(self._root) as entries:
            listed = [entry.name for entry in islice(entries, self.limits.members + 1)]
        if len(listed) > self.limits.members:
            raise self.error(
                f"{self.where}: holds more than {self.limits.members} files; keep golds or predictions alone in it"
            )
        return sorted(name for name in listed if name.endswith(".json"))

    def has(self, name: str) -> bool:
        """Whether that name is there."""
        return (self._root / name).exists()

    def open(self, name: str) -> Member:
        """Open one file, unless it is a link, a pipe or a directory."""
        given = self._only is not None and name == self._only.name
        path = self._only if self._only is not None and given else self._root / name
        with damage_refused(f"{self.where}: {name}", self.error):
            try:
                mode = os.stat(path, follow_symlinks=given).st_mode
            except FileNotFoundError:
                raise self.error(
                    f"{self.where}: there is no {name!r} {'beside it' if self._only else 'in it'}"
                ) from None
            if not stat.S_ISREG(mode):
                raise self.error(f"{self.where}: {name!r} is not a plain file; put the file itself there")
            member = self._read[name] = Member(self, name, path.open("rb"), None)
        return member

    def digest(self) -> str:
        """The file's own sha256 where one was read, else that of what `sha256sum` prints for them by name."""
        sums = {name: member.sha256.hexdigest() for name, member in sorted(self._read.items())}
        if len(sums) == 1:
            return next(iter(sums.values()))
        return hashlib.sha256("".join(f"{digest}  {name}\n" for name, digest in sums.items()).encode()).hexdigest()


@contextmanager
def open_source(path: Path, kind: str, error: type[HarnessError], limits: Limits) -> Iterator[Source]:
    """Open a JSON, zip or directory of `kind` ("golds", "predictions"); raises `error` where it is none of them."""
    where = f"{kind} {path}"
    try:
        mode, size = path.stat().st_mode, path.stat().st_size
    except (OSError, ValueError) as cause:
        raise error(f"{where}: {getattr(cause, 'strerror', None) or 'not a file name'}") from None
    if stat.S_ISDIR(mode):
        yield DirectorySource(where, path, None, error, limits)
        return
    if not stat.S_ISREG(mode):
        raise error(f"{where}: is not a plain file; give a JSON, a zip or a directory")
    if size > limits.total_bytes:
        raise error(f"{where}: larger than {limits.total_bytes:,} bytes, the most that is read")
    with damage_refused(where, error):
        handle = path.open("rb")
    with handle:
        if path.suffix.lower() == ".zip" or handle.read(2) == b"PK":
            handle.seek(0)
            yield ZipSource(where, handle, error, limits)
        else:
            yield DirectorySource(where, path.parent, path, error, limits)


@contextmanager
def damage_refused(where: str, error: type[HarnessError]) -> Iterator[None]:
    """Turn what the standard library raises on a damaged or unreadable file into one sentence."""
    try:
        yield
    except HarnessError:
        raise
    except _DAMAGE as cause:
        reason = cause.strerror if isinstance(cause, OSError) and cause.strerror else f"damaged or cut short ({cause})"
        raise error(f"{where}: {reason}; write it again") from None


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
