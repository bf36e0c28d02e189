"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from harness.errors import HarnessError


def write_whole(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file whole or not at all; a pipe or device is written to as it is. Raises `HarnessError`."""
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            Path(path).write_text(text, encoding="utf-8")
            return
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, target)
    except OSError as cause:
        raise HarnessError(f"writing {path}: {cause.strerror}") from None
    finally:
        temporary.unlink(missing_ok=True)


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise `HarnessError` where a file cannot be made at `path`, before long work for it is done."""
    target = Path(path)
    if target.is_dir():
        raise HarnessError(f"writing {target}: is a directory; name a file")
    if not target.exists() and not os.access(target.parent, os.W_OK):
        raise HarnessError(f"writing {target}: there is no directory {target.parent} that can be written to")
