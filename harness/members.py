"""What every opened source has: named members, read forwards under limits, and a digest."""

from __future__ import annotations

import hashlib
import re
import struct
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from harness.errors import HarnessError, shown

CHUNK = 1 << 20
MIB = 1 << 20
_HEAD = 512
_TASK_FIRST = re.compile(rb'\s*\{\s*"task"\s*:\s*"([^"\\\x00-\x1f]{1,100})"')
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
    """What a golds or predictions file may cost; sizes are bytes after unpacking, strings are counted in characters."""

    members: int = 64
    depth: int = 4
    json_bytes: int = 256 * MIB
    json_values: int = 25_000_000
    json_depth: int = 64
    string_chars: int = 1_000_000
    array_bytes: int = 1024 * MIB
    total_bytes: int = 2048 * MIB
    # The ratio counts only beyond these sizes: of all JSONs of a zip together, and of one table, for an honest table (a
    # uniform policy) packs 1000 to 1.
    ratio: int = 200
    json_free_bytes: int = 4 * MIB
    ratio_free_bytes: int = 128 * MIB


class Member:
    """One member, read forwards; `size` is what its source declares, `sha256` that of the bytes read so far."""

    def __init__(self, source: Source, where: str, stream: IO[bytes], size: int) -> None:
        self.where = where
        self.error = source.error
        self.size = size
        self.sha256 = hashlib.sha256()
        self._source = source
        self._stream = stream

    def __enter__(self) -> Member:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def read(self, size: int) -> bytearray:
        """At most `size` bytes, fewer only at the end; raises the source's error for damage or a limit passed."""
        data = bytearray()
        while len(data) < size:
            with damage_refused(self.where, self.error):
                piece = self._stream.read(min(size - len(data), CHUNK))
            if not piece:
                break
            self.sha256.update(piece)
            self._source.spend(len(piece))
            data += piece
        return data

    def read_all(self, limit: int) -> bytearray:
        """The whole member; raises the source's error where it is larger than `limit` bytes."""
        data = self.read(limit + 1) if self.size <= limit else None
        if data is None or len(data) > limit:
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
        """Names of all members that end in `.json`, at any depth, sorted; hidden ones are left out."""

    @abstractmethod
    def has(self, name: str) -> bool:
        """Whether there is a member of exactly that name."""

    @abstractmethod
    def open(self, name: str) -> Member:
        """The member of exactly that name; raises the source's error where there is none."""

    @abstractmethod
    def digest(self, names: Collection[str] | None = None) -> str:
        """The sha256 of the file; where the source is not one file, of the members (of `names`) read so far."""

    @abstractmethod
    def _stream(self, name: str) -> IO[bytes]:
        """The bytes of a member, uncounted."""

    def peek_task(self, name: str) -> str | None:
        """What a JSON that begins with its task calls it: a hint for choosing members, counted in no limit or digest."""
        try:
            with damage_refused(name, self.error), self._stream(name) as stream:
                found = _TASK_FIRST.match(stream.read(_HEAD))
                return found[1].decode() if found else None
        except HarnessError:
            return None  # whoever reads it for good says what is wrong

    def spend(self, count: int) -> None:
        """Count unpacked bytes; raises once the total passes the limit."""
        self._left -= count
        if self._left < 0:
            raise self.error(
                f"{self.where}: unpacks to more than {self.limits.total_bytes:,} bytes, the most that is read"
            )

    def refuse_unlike(self, names: Collection[str]) -> None:
        """Raise where a name ends in `.JSON`, which would be passed over in silence."""
        if unlike := sorted(name for name in names if name.lower().endswith(".json") and not name.endswith(".json")):
            raise self.error(f"{self.where}: holds {shown(unlike)}; name it .json, in small letters")


def hidden(name: str) -> bool:
    """Whether a relative name is one that archivers and editors leave behind, never golds or predictions."""
    parts = name.split("/")
    return "__MACOSX" in parts or any(part.startswith(".") for part in parts)


@contextmanager
def damage_refused(where: str, error: type[HarnessError]) -> Iterator[None]:
    """Turn what the standard library raises on a damaged or unreadable file into one sentence."""
    try:
        yield
    except HarnessError:
        raise
    except _DAMAGE as cause:
        reason = cause.strerror if isinstance(cause, OSError) else None
        raise error(f"{where}: {reason or f'damaged or cut short ({str(cause)[:120]})'}; write it again") from None
