"""The policies that are compared: their order in tables and figures, and what people call them."""

from __future__ import annotations

from collections.abc import Iterable

UNIFORM, LOGGING, ONLINE, OPTIMAL = "uniform", "logging", "online", "optimal"
REFERENCES = (UNIFORM, LOGGING, OPTIMAL)
"""Policies that no learner made."""

_LABELS = {
    UNIFORM: "Uniform",
    LOGGING: "Logging policy",
    "behaviour_cloning": "Behaviour cloning",
    "greedy": "Greedy on predicted rewards",
    "direct_method": "Direct method (DM)",
    "ips": "Inverse propensity (IPS)",
    "snips": "Self-normalised IPS",
    "sub_gaussian_ips": "Sub-Gaussian IPS",
    "doubly_robust": "Doubly robust (DR)",
    "switch_dr": "Switch DR",
    "dr_shrinkage": "DR with shrinkage",
    "mips": "Marginalised IPS (MIPS)",
    "potec": "POTEC",
    "dso": "Direct sentence (DSO)",
    "dso_dr": "DSO, doubly robust",
    "sentence_direct_method": "Sentence direct method",
    "sentence_greedy": "Sentence greedy",
    ONLINE: "Online learner",
    OPTIMAL: "Optimal",
}
_LAST = (ONLINE, OPTIMAL)
_NOTES = {
    UNIFORM: "every prompt equally often",
    LOGGING: "wrote the log",
    ONLINE: "learns from true rewards, not from the log",
    OPTIMAL: "the best prompt for every context",
}
PUBLISHED = "_published"
"""Ending of a learner's name that is trained as published, beside ours."""


def in_order(names: Iterable[str]) -> list[str]:
    """The names as every table shows them: uniform, logging, the learners, online, optimal; unknown learners by name.

    A learner that is trained as published stands before ours.
    """
    order = list(_LABELS)

    def place(name: str) -> tuple[int, bool, str]:
        method = name.removesuffix(PUBLISHED)
        last = len(order) if method in _LAST else 0
        known = order.index(method) if method in order else order.index(ONLINE) - 1
        return (last + known, not name.endswith(PUBLISHED), "" if method in order else name)

    return sorted(names, key=place)


def label(name: str) -> str:
    """What a policy is called in a table for people."""
    method = name.removesuffix(PUBLISHED)
    told = _LABELS.get(method, method.replace("_", " "))
    return f"{told}, as published" if name != method else told


def note(name: str) -> str:
    """Half a line on what the policy is; empty for the off-policy learners."""
    return _NOTES.get(name, "")
