"""Scores as tables for people: with rich on a terminal, aligned plain text elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from harness.formats.published import anchors_section
from harness.formats.sections import (
    Section,
    differences_section,
    missing_notes,
    results_of,
    scores_section,
    tasks_of,
)
from harness.result import Scores

if TYPE_CHECKING:
    from harness.comparison import Comparison
    from harness.lamp.anchors import AnchorTable


def table(
    systems: Mapping[str, Scores],
    stream: TextIO,
    comparison: Comparison | None = None,
    anchors: Sequence[AnchorTable] = (),
    decimals: int = 6,
) -> None:
    """Write to `stream` a table for each task, then its differences from the baseline and the published scores.

    Colours and lines only where `stream` is a terminal; `*` marks the primary metric.
    """
    sections = list(_sections(systems, comparison, anchors, decimals))
    missing = [*missing_notes(systems), *(comparison.notes if comparison else ())]
    if stream.isatty():
        _write_rich(sections, missing, stream)
    else:
        stream.write("\n".join([*map(_plain, sections), *(f"{note}\n" for note in missing)]))


def _sections(
    systems: Mapping[str, Scores], comparison: Comparison | None, anchors: Sequence[AnchorTable], decimals: int
) -> Iterator[Section]:
    for task in tasks_of(systems):
        results = results_of(systems, task)
        yield scores_section(results, task, decimals, named=len(systems) > 1)
        if comparison and (differences := differences_section(comparison, task, decimals)):
            yield differences
        if published := anchors_section(results, task, anchors, decimals):
            yield published


def _plain(section: Section) -> str:
    rows = (section.head, *section.rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([section.title, *lines, *section.notes]) + "\n"


def _write_rich(sections: Sequence[Section], missing: Sequence[str], stream: TextIO) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(file=stream)
    for section in sections:
        grid = Table(*map(escape, section.head), title=escape(section.title), title_justify="left")
        for row in section.rows:
            grid.add_row(*map(escape, row))
        console.print(grid)
        for note in section.notes:
            console.print(escape(note), highlight=False)
    for note in missing:
        console.print(escape(note), highlight=False)
