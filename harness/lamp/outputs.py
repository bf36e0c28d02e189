"""Outputs as texts, by the rules that the LaMP tasks share."""

from __future__ import annotations

from harness.envelope import Envelope
from harness.errors import HarnessError


def stripped_texts(envelope: Envelope, error: type[HarnessError]) -> list[str]:
    """Each output as `str` writes it, without surrounding white space; raises `error` for one it cannot write."""
    return [
        output.strip() if type(output) is str else _written(output, name, envelope, error)
        for name, output in zip(envelope.ids, envelope.outputs, strict=True)
    ]


def _written(output: object, name: str, envelope: Envelope, error: type[HarnessError]) -> str:
    try:
        return str(output).strip()
    except (ValueError, RecursionError):  # thousands of digits, thousands of brackets
        raise error(f"{envelope.where}: id {name!r}: output is no text; write it as a string") from None


def checked_texts(envelope: Envelope, error: type[HarnessError]) -> tuple[str, ...]:
    """The outputs, all of which must be strings; raises `error` naming the first that is not."""
    outputs = envelope.outputs
    if set(map(type, outputs)) != {str}:
        for name, output in zip(envelope.ids, outputs, strict=True):
            if not isinstance(output, str):
                kind = "null" if output is None else type(output).__name__
                raise error(f'{envelope.where}: id {name!r}: output is {kind}, not a string; write it as "..."')
    return outputs  # type: ignore[return-value]


def counted(n: int, noun: str) -> str:
    """The subject of a note with its verb: "1 gold is", "3 golds are"."""
    return f"1 {noun} is" if n == 1 else f"{n:,} {noun}s are"
