"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.errors import HarnessError


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary file beside `path` that takes its place at the end, unless something is raised before.

    Raises `HarnessError` where the file cannot be written.
    """
    target = Path(os.path.realpath(path))
    try:
        handle, name = tempfile.mkstemp(prefix=".lampworks-", dir=target.parent)
        os.close(handle)
        try:
            yield Path(name)
            os.chmod(name, 0o666 & ~_umask())
            os.replace(name, target)
        finally:
            with suppress(OSError):
                os.unlink(name)
    except OSError as cause:
        raise HarnessError(f"writing {path}: {cause.strerror}") from None


def write_whole(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file whole or not at all; a pipe or device is written to as it is. Raises `HarnessError`."""
    if os.fspath(path) == "/dev/stdout":  # opened anew, it would begin again at the start of the file behind it
        sys.stdout.write(text)
    elif os.path.exists(path) and not os.path.isfile(path):
        try:
            Path(path).write_text(text, encoding="utf-8")
        except OSError as cause:
            raise HarnessError(f"writing {path}: {cause.strerror}") from None
    else:
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise `HarnessError` where a file cannot be made at `path`, before long work for it is done."""
    target = Path(os.path.realpath(path))
    if not os.fspath(path) or os.fspath(path) == "-" or target.is_dir():
        raise HarnessError(f"writing {str(path)!r}: is not the name of a file; give one, as in scores.json")
    if target.exists() and not target.is_file():
        return
    if not target.parent.is_dir():
        raise HarnessError(f"writing {path}: there is no directory {target.parent}; make it first")
    if not os.access(target.parent, os.W_OK):
        raise HarnessError(f"writing {path}: the directory {target.parent} cannot be written to")


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
