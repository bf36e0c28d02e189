"""A result as a table for people: with rich on a terminal, plain text elsewhere."""

from __future__ import annotations

from typing import TextIO

from harness.result import MetricResult, Result

_HEAD = ("metric", "value", "standard error", "interval", "better")


def render(result: Result, stream: TextIO) -> None:
    """Write the result to `stream`; colours and lines only where it is a terminal."""
    title = f"{result.task} version {result.task_version}, {result.n:,} samples"
    if result.n_clusters is not None:
        title += f", {result.n_clusters:,} clusters by {result.cluster}"
    rows = [_row(name, metric, name == result.primary) for name, metric in result.metrics.items()]
    notes = [f"{name}: {metric.note}" for name, metric in result.metrics.items() if metric.note]
    if stream.isatty():
        _render_rich(title, rows, notes, stream)
        return
    widths = [max(len(row[column]) for row in (_HEAD, *rows)) for column in range(len(_HEAD))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in (_HEAD, *rows)
    ]
    stream.write("\n".join([title, *lines, *notes]) + "\n")


def _row(name: str, metric: MetricResult, primary: bool) -> tuple[str, ...]:
    error = "-" if metric.standard_error is None else f"{metric.standard_error:.6f}"
    interval = "-" if metric.interval is None else f"[{metric.interval[0]:.6f}, {metric.interval[1]:.6f}]"
    return (
        name + (" *" if primary else ""),
        f"{metric.value:.6f}",
        error,
        interval,
        "higher" if metric.higher_is_better else "lower",
    )


def _render_rich(title: str, rows: list[tuple[str, ...]], notes: list[str], stream: TextIO) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(*_HEAD, title=escape(title), caption=escape("\n".join(notes)) if notes else "* primary metric")
    for row in rows:
        table.add_row(*map(escape, row))
    Console(file=stream).print(table)
