"""The ways in which scoring refuses: its own files and options, and files handed in by somebody else."""

from __future__ import annotations

from collections.abc import Sequence

_SHOWN = 5


class HarnessError(ValueError):
    """A mistake a user can mend; the message is one printable line that says what, where and how to mend it."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


class SubmissionError(HarnessError):
    """A fault of the predictions; its message never holds a gold value, so it may be shown to whoever sent them."""


class MissingError(SubmissionError):
    """Golds without a prediction, where all are asked for."""


class SelectionError(HarnessError):
    """Samples that cannot be scored by themselves, though the golds they are taken from may be sound."""


def printable(text: str) -> str:
    """The text on one line, `?` for what a terminal or a log would obey: file names and ids come from strangers."""
    return "".join(char if char.isprintable() else "?" for char in text)


def shown(names: Sequence[str]) -> str:
    """The names, quoted and cut short: at most five of them, and how many more there are."""
    listed = ", ".join(repr(name if len(name) <= 60 else name[:57] + "...") for name in names[:_SHOWN])
    return listed + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
