"""The report's figures, drawn from plain numbers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from harness.report.svg import Scale, Svg, padded, x_axis
from harness.report.texts import Markup, interval, number, value_of


@dataclass(frozen=True)
class Bars:
    """A histogram: `n + 1` edges, `n` counts, the mean, and whether the end bins also hold what lies beyond them."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    mean: float
    open_low: bool = False
    open_high: bool = False

    @property
    def shares(self) -> list[float]:
        """The share of each bin."""
        total = max(1, sum(self.counts))
        return [count / total for count in self.counts]


@dataclass(frozen=True)
class Row:
    """A system's value with its interval."""

    label: str
    value: float
    interval: tuple[float, float] | None


def histogram(bars: Bars, top_share: float, title: str, label: str, behind: Bars | None = None) -> Markup:
    """Shares in bins of equal width, up to `top_share`, the mean dashed; the outline of `behind` with the same edges."""
    width, height, left, top, bottom = 320, 196, 42, 10, 150
    svg = Svg(width, height, title)
    x = Scale(bars.edges[0], bars.edges[-1], left, width - 14)
    y = Scale(0.0, 100 * top_share, bottom, top)
    for value, text in y.ticks(4):
        svg.line(left, y(value), width - 14, y(value), "grid")
        svg.text(left - 7, y(value) + 4, f"{text}%", anchor="end")
    bins = list(pairwise(bars.edges))
    for index, ((low, high), share) in enumerate(zip(bins, bars.shares, strict=True)):
        if share:
            tip = f"{_range(bars, index)}: {bars.counts[index]:,} samples, {100 * share:.1f}%"
            x1, y1 = x(low) + 0.5, y(100 * share)
            svg.add("rect", x=x1, y=y1, width=max(x(high) - 0.5 - x1, 1.0), height=bottom - y1, css="bar", tip=tip)
    if behind is not None:
        steps = [(x(at), y(100 * share)) for ends, share in zip(bins, behind.shares, strict=True) for at in ends]
        svg.path([(x(bars.edges[0]), bottom), *steps, (x(bars.edges[-1]), bottom)], "outline")
    svg.line(x(bars.mean), top, x(bars.mean), bottom, "mean", f"mean {number(bars.mean)}")
    x_axis(svg, x, bottom, label)
    return svg.markup()


def _range(bars: Bars, index: int) -> str:
    low, high = bars.edges[index], bars.edges[index + 1]
    if index == 0 and bars.open_low:
        return f"below {value_of(high)}"
    if index == len(bars.counts) - 1 and bars.open_high:
        return f"{value_of(low)} and above"
    whole = high - low == 1 and low % 1 == 0.5
    return value_of(low + 0.5) if whole else f"{value_of(low)} to {value_of(high)}"


def whiskers(rows: list[Row], title: str, *, narrow: bool) -> Markup:
    """Values as dots with their intervals, a row each, the first one's value dashed through all."""
    width, left, right, top, step = (350, 10, 340, 8, 40) if narrow else (760, 190, 736, 8, 30)
    bottom = top + step * len(rows) + 4
    svg = Svg(width, bottom + 24, title, "narrow" if narrow else "wide")
    x = Scale(*padded([bound for row in rows for bound in (row.value, *(row.interval or ()))]), left, right)
    x_axis(svg, x, bottom, n=4 if narrow else 8)
    svg.line(x(rows[0].value), top, x(rows[0].value), bottom, "rule")
    for index, row in enumerate(rows):
        y = top + step * (index + 0.5) + (8 if narrow else 0)
        tip = f"{row.label}: {number(row.value)}" + (f", {interval(row.interval)}" if row.interval else "")
        svg.text(
            left if narrow else left - 16,
            y - 11 if narrow else y + 4.5,
            _short(row.label),
            "name",
            "start" if narrow else "end",
        )
        if row.interval:
            low, high = (x(bound) for bound in row.interval)
            svg.line(low, y, high, y, "whisker", tip)
            for end in (low, high):
                svg.line(end, y - 5, end, y + 5, "whisker")
        svg.add("circle", cx=x(row.value), cy=y, r=5, css="dot", tip=tip)
    return svg.markup()


def _short(label: str) -> str:
    return label if len(label) <= 24 else label[:23] + "…"
