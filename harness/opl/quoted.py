"""A strange value as it may stand in a message."""

from __future__ import annotations


def quoted(value: object) -> str:
    """Its `repr`, cut short."""
    try:
        text = repr(value)
    except ValueError:  # an integer of more digits than Python prints
        return f"({type(value).__name__} too long to print)"
    return text if len(text) <= 40 else text[:37] + "..."
