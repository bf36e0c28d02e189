"""The results as plain text."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from tasks.opl.labels import REFERENCES, in_order, label
from tasks.opl.score import fixed
from tasks.opl.synthetic.statistics import Comparison, Summary

_HEAD = ("policy", "value", "se", "optimality", "se", "vs best published", "se", "wins", "p (Holm)")


def text_table(
    summaries: Mapping[str, Sequence[Summary]],
    pairs: Mapping[str, Sequence[Comparison]],
    published: Collection[str],
) -> str:
    """One table a setting, below a few lines that say what the columns are.

    Args:
        summaries: by setting.
        pairs: by setting.
        published: names of the learners that are trained as published.
    """
    blocks = [
        "value: exact expected reward, mean over seeds. optimality: 0% is uniform, 100% the best action of every context.",
        "vs best published: paired difference to the published learner of the highest mean; wins: seeds in which it is",
        "better; p: paired t-test over seeds, adjusted for all pairs of a setting.",
    ]
    return "\n".join(blocks + [_setting(name, rows, pairs[name], published) for name, rows in summaries.items()]) + "\n"


def best_published(rows: Sequence[Summary], published: Collection[str]) -> str | None:
    """The published off-policy learner of the highest mean value."""
    found = [row for row in rows if row.policy in published and not row.policy.startswith("online")]
    return max(found, key=lambda row: row.value).policy if found else None


def against(
    pairs: Sequence[Comparison], policy: str, other: str | None
) -> tuple[float, float | None, int, float | None] | None:
    """Difference, standard error, wins and adjusted p-value of `policy` less `other`; None where they were not compared."""
    for pair in pairs:
        if (pair.policy, pair.other) == (policy, other):
            return pair.difference, pair.se, pair.wins, pair.p_holm
        if (pair.other, pair.policy) == (policy, other):
            return -pair.difference, pair.se, pair.n_seeds - pair.wins, pair.p_holm
    return None


def _setting(name: str, rows: Sequence[Summary], pairs: Sequence[Comparison], published: Collection[str]) -> str:
    best = best_published(rows, published)
    by_name = {row.policy: row for row in rows}
    cells = [_HEAD, *(_row(by_name[policy], pairs, best) for policy in in_order(by_name))]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_HEAD))]
    lines = [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in cells
    ]
    seeds = rows[0].n_seeds
    against_whom = f"; best published: {label(best)}" if best else ""
    title = f"{name}, {seeds} seed{'s' if seeds > 1 else ''}{against_whom}"
    return "\n".join(["", title, "", lines[0], "-" * len(lines[0]), *lines[1:]])


def _row(row: Summary, pairs: Sequence[Comparison], best: str | None) -> tuple[str, ...]:
    found = None if row.policy in (*REFERENCES, best) else against(pairs, row.policy, best)
    compared = ("", "", "", "")
    if found is not None:
        difference, se, wins, p = found
        compared = (
            fixed(difference, 4, sign=True),
            _or_none(se, 4),
            f"{wins}/{row.n_seeds}",
            "-" if p is None else f"{p:.2g}",
        )
    optimality = fixed(100 * row.optimality, 1) + "%"
    se = None if row.se_optimality is None else 100 * row.se_optimality
    return (label(row.policy), fixed(row.value, 4), _or_none(row.se_value, 4), optimality, _or_none(se, 1), *compared)


def _or_none(number: float | None, digits: int) -> str:
    return "-" if number is None else fixed(number, digits)
