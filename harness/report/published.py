"""Published results of a task, beside those that were scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.result import Result


@dataclass(frozen=True)
class Published:
    """A published table: a row of values by metric for each method; `remark` says what to mind when comparing."""

    title: str
    source: str
    remark: str
    rows: list[tuple[str, Mapping[str, float]]]


def published(task: str, results: Mapping[str, Result]) -> list[Published]:
    """The published tables of the task, none for most; `results` are what was scored, by system."""
    from harness.lamp.anchors import anchors_for

    tables = []
    for table in anchors_for(task):
        scored = {result.n for result in results.values()}
        other_split = table.n_samples is not None and scored != {table.n_samples}
        remark = f"That split has {table.n_samples:,} samples; what was scored here is another." if other_split else ""
        tables.append(
            Published(
                title=f"{table.model}, {table.setting}",
                source=f"{table.source}, {table.table}",
                remark=" ".join(part for part in (table.note, remark) if part),
                rows=list(table.rows.items()),
            )
        )
    return tables
