"""Scores beside published ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.errors import printable
from harness.formats.sections import NOTHING, Section, metrics_of, number
from harness.result import MetricResult, Result

if TYPE_CHECKING:
    from harness.lamp.anchors import AnchorTable


def anchors_section(
    results: Mapping[str, Result], task: str, anchors: Sequence[AnchorTable], decimals: int
) -> Section | None:
    """The scores of one task above the published ones, with score minus published; None where nothing is published."""
    tables = [table for table in anchors if table.task == task]
    published = {metric for table in tables for values in table.rows.values() for metric in values}
    metrics = {metric: values for metric, values in metrics_of(results).items() if metric in published}
    if not metrics:
        return None
    differ = [f"{printable(name)} minus it" for name in results] if len(results) > 1 else ["score minus it"]
    head = ("method", "model", "split", *(column for metric in metrics for column in (metric, *differ)), "source")
    own = [
        (
            printable(name) or "score",
            NOTHING,
            NOTHING,
            *(
                cell
                for values in metrics.values()
                for cell in (
                    number(values[name].value if name in values else None, decimals),
                    *[NOTHING] * len(differ),
                )
            ),
            "scored here",
        )
        for name in results
    ]
    rows = [
        (method, table.model, table.setting, *_beside(values, metrics, list(results), decimals), _cited(table))
        for table in tables
        for method, values in table.rows.items()
    ]
    return Section(f"{task}, beside published scores", head, (*own, *rows), tuple(_anchor_notes(results, tables)))


def _beside(
    published: Mapping[str, float],
    metrics: Mapping[str, Mapping[str, MetricResult]],
    names: Sequence[str],
    decimals: int,
) -> list[str]:
    cells = []
    for metric, values in metrics.items():
        there = published.get(metric)
        cells.append(number(there, 3))
        for name in names:
            difference = values[name].value - there if there is not None and name in values else None
            cells.append(number(difference, min(decimals, 4), "+"))
    return cells


def _cited(table: AnchorTable) -> str:
    return f"{table.source}, {table.table}"


def _anchor_notes(results: Mapping[str, Result], tables: Sequence[AnchorTable]) -> list[str]:
    sizes = dict.fromkeys(
        f"{table.separation}-based {table.split} {table.n_samples:,}" for table in tables if table.n_samples is not None
    )
    scored = dict.fromkeys(f"{result.n_golds:,}" for result in results.values())
    notes = ["Published values have three decimals; a difference means something on the same split alone."]
    if sizes:
        notes.append(f"Samples: {', '.join(sizes)}; the golds scored here {', '.join(scored)}.")
    notes += [f"{_cited(table)}: {table.note}" for table in tables]
    return list(dict.fromkeys(notes))
