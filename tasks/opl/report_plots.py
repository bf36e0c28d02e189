"""The report's figures, drawn from plain numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from harness.report.svg import Scale, Svg, padded, x_axis, y_axis
from harness.report.texts import Markup

N_COLOURS = 6
_WHISKER = 5.0


@dataclass(frozen=True)
class Row:
    """One policy's value with its interval, as a dot with whiskers; `css` says what kind of policy it is."""

    label: str
    value: float
    interval: tuple[float, float] | None
    css: str
    tip: str


@dataclass(frozen=True)
class Series:
    """A line: its points, and the index of the one to mark."""

    label: str
    points: list[tuple[float, float]]
    colour: int
    marked: int | None = None
    css: str = ""


@dataclass(frozen=True)
class Rule:
    """A named reference value."""

    label: str
    value: float


@dataclass(frozen=True)
class Bars:
    """A histogram: `n + 1` edges and `n` shares, which sum to 1."""

    edges: list[float]
    shares: list[float]


@dataclass(frozen=True)
class Bin:
    """One bin of a reliability diagram: mean prediction, share of positives, rows."""

    predicted: float
    observed: float
    count: int


def values(rows: list[Row], uniform: float, optimal: float, *, narrow: bool) -> Markup:
    """Dots with whiskers, a row each in the order given; optimality along the top, 0% at uniform and 100% at optimal."""
    width, left, right, top, step = (350, 10, 340, 46, 40) if narrow else (760, 190, 736, 46, 32)
    bottom = top + step * len(rows) + 4
    svg = Svg(width, bottom + 42, "Policy values with 95% intervals", "narrow" if narrow else "wide")
    ends = [bound for row in rows for bound in (row.value, *(row.interval or ()))]
    x = Scale(*padded([*ends, uniform, optimal], 0.05), left, right)
    _optimality_axis(svg, x, uniform, optimal, top, bottom)
    x_axis(svg, x, bottom, "policy value", 4 if narrow else 8)
    for index, row in enumerate(rows):
        y = top + step * (index + 0.5) + (8 if narrow else 0)
        if narrow:
            svg.text(left, y - 11, row.label, "name", "start")
        else:
            svg.text(left - 16, y + 4.5, row.label, "name", "end")
        if row.interval:
            low, high = (x(bound) for bound in row.interval)
            svg.line(low, y, high, y, f"whisker {row.css}", row.tip)
            for end in (low, high):
                svg.line(end, y - _WHISKER, end, y + _WHISKER, f"whisker {row.css}")
        svg.marker(0, x(row.value), y, f"dot {row.css}", row.tip, 5)
    return svg.markup()


def _optimality_axis(svg: Svg, x: Scale, uniform: float, optimal: float, top: float, bottom: float) -> None:
    for percent in (0, 25, 50, 75, 100):
        at = x(uniform + (optimal - uniform) * percent / 100)
        svg.line(at, top, at, bottom, "rule" if percent in (0, 100) else "grid")
        svg.text(at, top - 8, f"{percent}%")
    svg.text((x(uniform) + x(optimal)) / 2, top - 28, "optimality", "label")


def curves(series: list[Series], rules: list[Rule], *, narrow: bool) -> Markup:
    """Values over steps, one line a method, its selected step marked; horizontal rules for the references."""
    width, height = (350, 280) if narrow else (760, 340)
    left, right, top, bottom = 44, width - 12, 14, height - 44
    svg = Svg(width, height, "Value on held-out users over gradient steps", "narrow" if narrow else "wide")
    x, y = _frame(series, [rule.value for rule in rules], left, right, top, bottom)
    y_axis(svg, y, left, right)
    x_axis(svg, x, bottom, "gradient steps", 3 if narrow else 6)
    for rule in rules:
        svg.line(left, y(rule.value), right, y(rule.value), "rule")
        svg.text(right, y(rule.value) - 5, rule.label, "tick over", "end")
    for one in series:
        svg.path([(x(step), y(value)) for step, value in one.points], f"curve s{one.colour} {one.css}".strip())
    for one in series:
        if one.marked is not None:
            step, value = one.points[one.marked]
            tip = f"{one.label}: {value:.4f} at the selected step {step:,.0f}"
            svg.marker(one.colour, x(step), y(value), f"mark s{one.colour}", tip, 5)
    return svg.markup()


def _frame(
    series: list[Series], others: list[float], left: float, right: float, top: float, bottom: float
) -> tuple[Scale, Scale]:
    steps = [step for one in series for step, _ in one.points]
    heights = [value for one in series for _, value in one.points]
    return Scale(0.0, max([*steps, 1.0]), left, right), Scale(*padded([*heights, *others]), bottom, top)


def estimate_panel(truth: Series, estimate: Series, n_steps: float, heights: tuple[float, float]) -> Markup:
    """One method's true value and the estimate that selected, over steps; both ranges are given, so that panels compare."""
    width, height, left, top, bottom = 320, 190, 42, 10, 160
    svg = Svg(width, height, f"{truth.label}: estimate and true value over gradient steps")
    x, y = Scale(0.0, n_steps, left, width - 16), Scale(*heights, bottom, top)
    y_axis(svg, y, left, width - 10, 4)
    x_axis(svg, x, bottom, "", 3)
    svg.path([(x(step), y(value)) for step, value in estimate.points], "curve estimate")
    svg.path([(x(step), y(value)) for step, value in truth.points], f"curve s{truth.colour}")
    if truth.marked is not None:
        step, value = truth.points[truth.marked]
        svg.marker(truth.colour, x(step), y(value), f"mark s{truth.colour}", f"{value:.4f} at step {step:,.0f}", 5)
    return svg.markup()


def histogram(bars: Bars, top_share: float, title: str, label: str, reference: Rule | None = None) -> Markup:
    """Shares of rounds in bins of equal width on a logarithmic scale; `top_share` is the height of the panel."""
    width, height, left, top, bottom = 320, 200, 42, 12, 152
    svg = Svg(width, height, title)
    x = Scale(bars.edges[0], bars.edges[-1], left, width - 12, log=True)
    y = Scale(0.0, 100 * top_share, bottom, top)
    for value, text in y.ticks(4):
        svg.line(left, y(value), width - 12, y(value), "grid")
        svg.text(left - 7, y(value) + 4, f"{text}%", anchor="end")
    for (low, high), share in zip(pairwise(bars.edges), bars.shares, strict=True):
        if share:
            tip = f"{low:.3g} to {high:.3g}: {100 * share:.1f}% of rounds"
            x1, y1 = x(low) + 0.5, y(100 * share)
            svg.add("rect", x=x1, y=y1, width=max(x(high) - 0.5 - x1, 1.0), height=bottom - y1, css="bar", tip=tip)
    if reference:
        svg.line(x(reference.value), top, x(reference.value), bottom, "rule", reference.label)
    x_axis(svg, x, bottom, label)
    return svg.markup()


def reliability(bins: list[Bin], shares: list[float], title: str) -> Markup:
    """A reliability diagram with 95% Wilson intervals above the histogram of the predictions, on one axis."""
    width, left, top, bottom, floor = 300, 42, 10, 248, 316
    svg = Svg(width, floor + 42, title)
    right = width - 12
    x, y = Scale(0.0, 1.0, left, right), Scale(0.0, 1.0, bottom, top)
    y_axis(svg, y, left, right, 4)
    svg.line(x(0), y(0), x(1), y(1), "rule")
    for one in bins:
        low, high = wilson(one.observed, one.count)
        tip = f"predicted {one.predicted:.3f}, liked {one.observed:.3f}, of {one.count:,}"
        svg.line(x(one.predicted), y(low), x(one.predicted), y(high), "whisker learned", tip)
        svg.marker(0, x(one.predicted), y(one.observed), "dot learned", tip, 4)
    height = Scale(0.0, max([*shares, 1e-9]), floor, bottom + 14)
    for index, share in enumerate(shares):
        x1, x2, y1 = x(index / len(shares)) + 0.5, x((index + 1) / len(shares)) - 0.5, height(share)
        if share:
            svg.add("rect", x=x1, y=y1, width=x2 - x1, height=floor - y1, css="bar", tip=f"{100 * share:.1f}% of rows")
    x_axis(svg, x, floor, "predicted probability", 4)
    return svg.markup()


def wilson(share: float, n: int, z: float = 1.96) -> tuple[float, float]:
    """Interval of a proportion seen in `n` trials (Wilson, 1927)."""
    centre, spread = share + z * z / (2 * n), z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (centre - spread) / (1 + z * z / n), (centre + spread) / (1 + z * z / n)


def meter(share: float) -> Markup:
    """A bar in a table's cell for -1..1, to the right of the middle line for what is above 0."""
    svg = Svg(100, 10, "", "meter")
    svg.add("rect", x=min(50.0, 50 + 50 * share), y=1, width=abs(50 * share), height=8, css="bar")
    svg.line(50, 0, 50, 10, "zero")
    return svg.markup()


def swatch(colour: int, *, css: str = "", shape: bool = True) -> Markup:
    """A legend's sample of a series' line and mark."""
    svg = Svg(30, 14, "", "swatch")
    svg.line(1, 7, 29, 7, f"curve s{colour} {css}".strip())
    if shape:
        svg.marker(colour, 15, 7, f"mark s{colour}", size=4.5)
    return svg.markup()
