"""Progress of long work: a bar with an estimate of the time left on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_EVERY_S = 15.0
_FIRST_SHARE = 50


@contextmanager
def show(what: str, total: int, log: logging.Logger) -> Iterator[Callable[[int], None]]:
    """Yields the function to call with the number of units finished since the last call."""
    with _bar(what, total) if sys.stderr.isatty() else _lines(what, total, log) as advance:
        yield advance


@contextmanager
def _bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(what, total=total)
        yield lambda n: progress.advance(bar, n)


@contextmanager
def _lines(what: str, total: int, log: logging.Logger) -> Iterator[Callable[[int], None]]:
    started = said = time.monotonic()
    done = 0

    def advance(n: int) -> None:
        nonlocal done, said
        done += n
        now = time.monotonic()
        if now - said >= _EVERY_S and done * _FIRST_SHARE >= total:  # the first few units tell nothing of the rest
            said = now
            left = (now - started) * max(total - done, 0) / done
            log.info("%s: %d of %d, about %d s left", what, done, total, round(left))

    yield advance
