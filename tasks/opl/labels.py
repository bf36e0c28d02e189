"""The policies that are compared: their order in tables and figures, and what people call them."""

from __future__ import annotations

from collections.abc import Iterable

UNIFORM, LOGGING, ONLINE, OPTIMAL = "uniform", "logging", "online", "optimal"
REFERENCES = (UNIFORM, LOGGING, OPTIMAL)
"""Policies that no learner made."""

_FIRST = (UNIFORM, LOGGING, "direct_method", "ips", "doubly_robust", "sentence_direct_method")
_LAST = (ONLINE, OPTIMAL)
_LABELS = {
    UNIFORM: "Uniform",
    LOGGING: "Logging policy",
    "direct_method": "Direct method (DM)",
    "ips": "Inverse propensity (IPS)",
    "doubly_robust": "Doubly robust (DR)",
    "sentence_direct_method": "Sentence direct method",
    ONLINE: "Online learner",
    OPTIMAL: "Optimal",
}
_NOTES = {
    UNIFORM: "every prompt equally often",
    LOGGING: "wrote the log",
    ONLINE: "learns from true rewards, not from the log",
    OPTIMAL: "the best prompt for every context",
}


def in_order(names: Iterable[str]) -> list[str]:
    """The names as every table shows them: uniform, logging, the learners, online, optimal; unknown learners by name."""

    def place(name: str) -> tuple[int, str]:
        if name in _FIRST:
            return _FIRST.index(name), ""
        return (len(_FIRST) + 1 + _LAST.index(name), "") if name in _LAST else (len(_FIRST), name)

    return sorted(names, key=place)


def label(name: str) -> str:
    """What a policy is called in a table for people."""
    return _LABELS.get(name, name.replace("_", " "))


def note(name: str) -> str:
    """Half a line on what the policy is; empty for the off-policy learners."""
    return _NOTES.get(name, "")
