"""The six things a place must do to keep artifacts, and the local disk's way of doing them."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from store.errors import StoreError


class Backend(Protocol):
    """A place that keeps files by path. `write` is the only operation that two writers can contend for."""

    @property
    def url(self) -> str:
        """How a person names the place."""
        ...

    def read(self, path: str) -> bytes | None:
        """The content of a small file, or None when there is none."""
        ...

    def write(self, path: str, data: bytes, expected: bytes | None) -> bool:
        """Creates the file if `expected` is None, else replaces exactly that content; False when another was first."""
        ...

    def upload(self, path: str, local: Path, sha256: str) -> None:
        """Stores a file under a path that nobody else writes."""
        ...

    def download(self, path: str, local: Path) -> None:
        """Fetches a file."""
        ...

    def list(self, prefix: str) -> Iterator[str]:
        """All paths that start with the prefix."""
        ...

    def delete(self, path: str) -> None:
        """Removes a file; removing what is not there is no error."""
        ...


def disk_error(error: OSError, path: Path | str) -> StoreError:
    """The one-line form of a failed write."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreError(
            f"the disk is full: writing {path} failed; free some space (`lampworks store gc`), then run again"
        )
    return StoreError(f"cannot write {path}: {error.strerror or error}")


class LocalBackend:
    """A directory. A file appears whole or not at all: written aside, flushed, then linked or moved into place."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def url(self) -> str:
        """The directory."""
        return str(self.root)

    def read(self, path: str) -> bytes | None:
        """The file's content, or None."""
        try:
            return (self.root / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, path: str, data: bytes, expected: bytes | None) -> bool:
        """Creates by `os.link` (fails if present), replaces by `os.replace` under a lock."""
        target = self.root / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            aside = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
            try:
                with aside.open("xb") as handle:
                    handle.write(data)
                    handle.flush()
                    os.fsync(handle.fileno())
                won = _link(aside, target) if expected is None else self._replace(aside, target, expected)
                _sync_directory(target.parent)
                return won
            finally:
                aside.unlink(missing_ok=True)
        except OSError as error:
            raise disk_error(error, target) from error

    def _replace(self, aside: Path, target: Path, expected: bytes) -> bool:
        with (target.parent / f".{target.name}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not target.exists() or target.read_bytes() != expected:
                return False
            os.replace(aside, target)
            return True

    def upload(self, path: str, local: Path, sha256: str) -> None:
        """Copies the file unless it is already in its place."""
        target = self.root / path
        if target == local:
            return
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            aside = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
            shutil.copyfile(local, aside)
            os.replace(aside, target)
        except OSError as error:
            raise disk_error(error, target) from error

    def download(self, path: str, local: Path) -> None:
        """Copies the file out."""
        source = self.root / path
        if source == local or not source.exists():
            return
        local.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, local)

    def list(self, prefix: str) -> Iterator[str]:
        """Walks the tree; half-written files (leading dot) are not listed."""
        for folder, folders, files in os.walk(self.root):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(files):
                path = (Path(folder) / name).relative_to(self.root).as_posix()
                if path.startswith(prefix) and not name.startswith("."):
                    yield path

    def delete(self, path: str) -> None:
        """Removes the file and the directories that it leaves empty."""
        target = self.root / path
        target.unlink(missing_ok=True)
        for folder in target.parents:
            if folder == self.root or not folder.is_relative_to(self.root):
                return
            try:
                folder.rmdir()
            except OSError:
                return


def _link(aside: Path, target: Path) -> bool:
    try:
        os.link(aside, target)
    except FileExistsError:
        return False
    return True


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
