"""The two ways in which scoring refuses: the harness's own, and one for files handed in by somebody else."""

from __future__ import annotations

from collections.abc import Sequence

_SHOWN = 5


class HarnessError(ValueError):
    """A mistake a user can mend; the message is one printable line that says what, where and how to mend it."""

    def __init__(self, message: str) -> None:
        # File names and ids come from strangers: line ends and terminal codes must not reach a terminal or a log.
        super().__init__("".join(char if char.isprintable() else "?" for char in message))


class SubmissionError(HarnessError):
    """A fault of the predictions; its message never holds a gold value, so it may be shown to whoever sent them."""


def shown(names: Sequence[str]) -> str:
    """The names, quoted and cut short: at most five of them, and how many more there are."""
    listed = ", ".join(repr(name if len(name) <= 60 else name[:57] + "...") for name in names[:_SHOWN])
    return listed + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
