"""Files from strangers: named members of a zip or directory, or a JSON, streamed under limits, never extracted."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import HarnessError
from harness.folders import DirectorySource
from harness.members import Limits, Source, damage_refused
from harness.zips import ZipSource


@contextmanager
def open_source(
    path: Path, kind: str, error: type[HarnessError], limits: Limits, where: str | None = None
) -> Iterator[Source]:
    """Open a JSON, zip or directory of `kind` ("golds", "predictions"); raises `error` where it is none of them.

    `where` is what messages call the file instead of its path: the address it was fetched from.
    """
    name = str(path) if where is None else where
    where = f"{kind} {name}"
    try:
        status = path.stat()
    except (OSError, ValueError) as cause:
        raise error(f"{where}: {getattr(cause, 'strerror', None) or 'not a file name'}") from None
    if stat.S_ISDIR(status.st_mode):
        yield DirectorySource(where, path, None, error, limits)
        return
    if not stat.S_ISREG(status.st_mode):
        raise error(f"{where}: is not a plain file; give a JSON, a zip or a directory")
    if status.st_size > limits.total_bytes:
        raise error(f"{where}: larger than {limits.total_bytes:,} bytes, the most that is read")
    with damage_refused(where, error):
        handle = path.open("rb")
    with handle:
        with damage_refused(where, error):
            zipped = name.lower().endswith(".zip") or handle.read(2) == b"PK"
            handle.seek(0)
        if zipped:
            yield ZipSource(where, handle, error, limits)
        else:
            yield DirectorySource(where, path.parent, path, error, limits)
