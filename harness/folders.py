"""A directory from strangers, or one JSON and what lies beside it: plain files alone, links are never followed."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Collection
from pathlib import Path
from typing import IO

from harness.errors import HarnessError, shown
from harness.members import Limits, Member, Source, damage_refused, hidden


class DirectorySource(Source):
    """A directory, or one JSON file and what lies beside it; members are plain files, links are refused."""

    def __init__(self, where: str, root: Path, only: Path | None, error: type[HarnessError], limits: Limits) -> None:
        super().__init__(where, error, limits)
        self._root = root
        self._only = only
        self._read: dict[str, Member] = {}

    def json_names(self) -> list[str]:
        """The given JSON, or those of the directory at any depth, sorted; what is hidden or behind a link is left out."""
        if self._only is not None:
            return [self._only.name]
        files: list[str] = []
        folders, count = [""], 0
        with damage_refused(self.where, self.error):
            for folder in folders:
                with os.scandir(self._root / folder) as entries:
                    for entry in entries:
                        count += 1
                        self._check_count(count)
                        name = f"{folder}{entry.name}"
                        if hidden(name):
                            continue
                        if entry.is_dir(follow_symlinks=False):
                            folders.append(self._checked_folder(f"{name}/"))
                        elif not entry.is_dir():
                            files.append(name)
        self.refuse_unlike(files)
        return sorted(name for name in files if name.endswith(".json"))

    def _check_count(self, count: int) -> None:
        if count > self.limits.members:
            raise self.error(
                f"{self.where}: holds more than {self.limits.members} files; keep golds or predictions alone in it"
            )

    def _checked_folder(self, name: str) -> str:
        if name.count("/") >= self.limits.depth:
            raise self.error(f"{self.where}: {shown([name])} lies more than {self.limits.depth - 1} folders deep")
        return name

    def has(self, name: str) -> bool:
        """Whether that name is there."""
        return os.path.lexists(self._root / name)

    def open(self, name: str) -> Member:
        """Open one file, unless it is a link, a pipe or a directory."""
        where = self.where if self._is_given(name) else f"{self.where}: {shown([name])[1:-1]}"
        with damage_refused(where, self.error):
            stream = self._stream(name)
            member = self._read[name] = Member(self, where, stream, os.fstat(stream.fileno()).st_size)
        return member

    def _is_given(self, name: str) -> bool:
        return self._only is not None and name == self._only.name

    def _stream(self, name: str) -> IO[bytes]:
        path = self._only if self._only is not None and self._is_given(name) else self._root / name
        # The one file given may be a link; a pipe must not make anyone wait.
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if self._is_given(name) else os.O_NOFOLLOW)
        try:
            handle = os.open(path, flags)
        except FileNotFoundError:
            raise self.error(f"{self.where}: there is no {name!r} {'beside it' if self._only else 'in it'}") from None
        except OSError as cause:
            if cause.errno in (errno.ELOOP, errno.ENXIO):
                raise self._not_plain(name) from None
            raise
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise self._not_plain(name)
        return open(handle, "rb")

    def _not_plain(self, name: str) -> HarnessError:
        return self.error(f"{self.where}: {name!r} is not a plain file; put the file itself there")

    def digest(self, names: Collection[str] | None = None) -> str:
        """The file's own sha256 where one was read, else that of what `sha256sum` prints for them by name."""
        sums = {
            name: member.sha256.hexdigest()
            for name, member in sorted(self._read.items())
            if names is None or name in names
        }
        if len(sums) == 1:
            return next(iter(sums.values()))
        return hashlib.sha256("".join(f"{digest}  {name}\n" for name, digest in sums.items()).encode()).hexdigest()
