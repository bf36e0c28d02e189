"""Estimates with their intervals as a picture: a panel a policy, a row an estimator, the truth as a line through them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import groupby

from harness.files import write_whole
from harness.opl.evaluation.evaluate import EvaluationRow, OffPolicyEvaluation
from harness.report.svg import Scale, Svg, padded, x_axis
from harness.report.texts import interval, number, signed

_WIDTH, _LEFT, _RIGHT, _TOP = 860.0, 180.0, 556.0, 10.0
_VALUE, _INTERVAL = 640.0, 776.0  # where these columns end
_HEAD, _STEP, _GAP = 48.0, 26.0, 18.0  # above a panel's rows, a row, below the rows

# The file stands alone and may also lie within a page, so that its rules go by its own class.
_CSS = """
.ope { color-scheme: light dark; background: var(--paper); max-width: 860px;
  --paper: #fcfcfb; --ink: #1d2126; --muted: #5b636d; --line: #dfe2e5; --accent: #0b62a4; --bad: #b04100; }
@media (prefers-color-scheme: dark) { .ope { --paper: #14171a; --ink: #e4e7ea; --muted: #9da6b0; --line: #32383e;
  --accent: #62aee8; --bad: #f08a4b; } }
.ope text { fill: var(--ink); font: 13px system-ui, -apple-system, Segoe UI, Roboto, Helvetica Neue, Arial, sans-serif; }
.ope text.head { font-weight: 600; font-size: 14px; }
.ope text.tick, .ope text.label, .ope text.value { fill: var(--muted); font-size: 12px; }
.ope text.tick, .ope text.value { font-variant-numeric: tabular-nums; }
.ope .axis { stroke: var(--line); }
.ope .truth { stroke: var(--ink); stroke-width: 1.25; stroke-dasharray: 4 3; }
.ope .covers { stroke: var(--accent); stroke-width: 1.75; stroke-linecap: round; }
.ope .misses { stroke: var(--bad); stroke-width: 1.75; stroke-linecap: round; }
.ope .dot.covers { fill: var(--accent); }
.ope .dot.misses { fill: var(--paper); }
"""


@dataclass(frozen=True)
class EvaluationPlot:
    """The picture of an evaluation, as SVG that needs nothing else; notebooks show it, browsers open it.

    An interval that misses the truth is drawn in another colour, its value hollow. Panels share one scale.
    """

    evaluation: OffPolicyEvaluation

    def to_svg(self) -> str:
        """The picture as an SVG document."""
        panels = [list(rows) for _, rows in groupby(self.evaluation.table, key=lambda row: row.policy)]
        bottom = _TOP + sum(_HEAD + _STEP * len(rows) + _GAP for rows in panels)
        svg = Svg(_WIDTH, bottom + 42, "Estimated values of policies with their intervals", "ope")
        svg.add("style", _CSS)
        known = [row.truth for row in self.evaluation.table if row.truth is not None]
        bounds = [bound for row in self.evaluation.table for bound in (row.low, row.high)]
        x = Scale(*padded(bounds + known), _LEFT, _RIGHT)
        top, level = _TOP, f"{100 * self.evaluation.level:g}%"
        for rows in panels:
            top = _panel(svg, x, top, rows, level)
        x_axis(svg, x, bottom, "value of the policy", n=6)
        return str(svg.markup()).replace("<svg ", f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH:g}" ', 1)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture to a file, `.svg` by custom; raises `HarnessError` where it cannot be written."""
        write_whole(path, self.to_svg())

    def _repr_svg_(self) -> str:
        return self.to_svg()


def _panel(svg: Svg, x: Scale, top: float, rows: list[EvaluationRow], level: str) -> float:
    """One policy's rows from the height `top` down; the height below them."""
    first, bottom = rows[0], top + _HEAD + _STEP * len(rows)
    svg.text(12, top + 17, _short(first.policy, 60), "head", "start")
    if first.deficient_support > 0:
        lacking = f"{100 * first.deficient_support:.2g}% of its choices cannot be in the logs"
        svg.text(_WIDTH - 12, top + 17, lacking, "label", "end")
    svg.text(_VALUE, top + 37, "estimate", "label", "end")
    svg.text(_INTERVAL, top + 37, f"{level} interval", "label", "end")
    if first.truth is not None:
        svg.line(x(first.truth), top + 42, x(first.truth), bottom, "truth")
        svg.text(x(first.truth), top + 37, f"truth {number(first.truth)}", "tick")
        svg.text(_WIDTH - 12, top + 37, "error", "label", "end")
    for index, row in enumerate(rows):
        _row(svg, x, top + _HEAD + _STEP * (index + 0.5), row)
    return bottom + _GAP


def _row(svg: Svg, x: Scale, y: float, row: EvaluationRow) -> None:
    covers = row.truth is None or row.low <= row.truth <= row.high
    css, bounds = "covers" if covers else "misses", interval((row.low, row.high))
    svg.text(_LEFT - 16, y + 4.5, _short(row.estimator, 24), "name", "end")
    low, high = x(row.low), x(row.high)
    svg.line(low, y, high, y, css)
    for end in (low, high):
        svg.line(end, y - 4, end, y + 4, css)
    svg.add(
        "circle", cx=x(row.value), cy=y, r=4.5, css=f"dot {css}", tip=f"{row.estimator}: {number(row.value)}, {bounds}"
    )
    svg.text(_VALUE, y + 4.5, number(row.value), "value", "end")
    svg.text(_INTERVAL, y + 4.5, bounds, "value", "end")
    if row.error is not None:
        svg.text(_WIDTH - 12, y + 4.5, signed(row.error), "value", "end")


def _short(label: str, longest: int) -> str:
    return label if len(label) <= longest else label[: longest - 1] + "…"
