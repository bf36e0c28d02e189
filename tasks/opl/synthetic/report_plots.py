"""The page's figures, drawn from plain numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.report.svg import Scale, Svg, coordinate, padded, x_axis, y_axis
from harness.report.texts import Markup
from tasks.opl.report_plots import Rule

_WHISKER = 3.5
_LABEL_GAP = 34.0  # between the values of an axis


@dataclass(frozen=True)
class Size:
    """Of a drawing; `css` says where it is shown."""

    width: float
    height: float
    css: str

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, right, top and bottom of what is inside the axes."""
        return 46, self.width - 14, 24, self.height - 44


BOTH = (Size(760, 360, "wide"), Size(350, 300, "narrow"))
PANEL = Size(320, 230, "")


@dataclass(frozen=True)
class Line:
    """A learner over a swept field: (value, mean, standard error), and the paper's own (value, mean).

    `colour` None puts it in the background.
    """

    label: str
    colour: int | None
    points: list[tuple[float, float, float | None]]
    paper: list[tuple[float, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Axis:
    """The swept field: its name, its values, and whether they are spread by logarithm."""

    label: str
    values: list[float]
    log: bool


def heights(lines: Sequence[Line]) -> tuple[float, float]:
    """A range that holds the lines, their whiskers and 0."""
    ours = [mean + sign * (se or 0.0) for one in lines for _, mean, se in one.points for sign in (-1, 1)]
    return padded([0.0, *ours, *(y for one in lines for _, y in one.paper)])


def sweep(lines: Sequence[Line], axis: Axis, rise: tuple[float, float], title: str, size: Size) -> Markup:
    """Optimality in percent over a swept field: a line a learner with whiskers of one standard error, the paper's dashed."""
    left, right, top, bottom = size.box
    svg = Svg(size.width, size.height, title, size.css)
    x = Scale(axis.values[0], axis.values[-1], left + 14, right - 12, axis.log)
    y = Scale(*rise, bottom, top)
    svg.text(0, 12, "optimality, %", "label", "start")
    y_axis(svg, y, left, right, 8)
    svg.line(left, y(0), right, y(0), "zero")
    _values_axis(svg, x, axis, left, right, bottom)
    shown = [one for one in lines if one.colour is not None]
    for one in lines:
        if one.colour is None:
            svg.path([(x(value), y(mean)) for value, mean, _ in one.points], "curve back")
    for one in shown:
        svg.path(
            [(x(value), y(mean)) for value, mean in one.paper], f"curve paper s{one.colour}"
        ) if one.paper else None
    for place, one in enumerate(shown):
        _learner(svg, one, x, y, 2.4 * (place - (len(shown) - 1) / 2))
    return svg.markup()


def _values_axis(svg: Svg, x: Scale, axis: Axis, left: float, right: float, bottom: float) -> None:
    """Ticks at the values themselves, labels where there is room."""
    last = -_LABEL_GAP
    for value in axis.values:
        svg.line(x(value), bottom, x(value), bottom + 4, "axis")
        if x(value) - last >= _LABEL_GAP:
            svg.text(x(value), bottom + 17, f"{value:,g}".replace("-", "\N{MINUS SIGN}"))
            last = x(value)
    svg.line(left, bottom, right, bottom, "axis")
    svg.text((left + right) / 2, bottom + 34, axis.label + (" (log scale)" if axis.log else ""), "label")


def _learner(svg: Svg, line: Line, x: Scale, y: Scale, aside: float) -> None:
    """One line with its whiskers and marks, moved aside so that whiskers do not cover each other."""
    look = f"s{line.colour}"
    svg.path([(x(value) + aside, y(mean)) for value, mean, _ in line.points], f"curve {look}")
    for value, mean, se in line.points:
        at, tip = x(value) + aside, f"{line.label} at {value:,g}: {mean:.1f}%" + (f" ± {se:.1f}" if se else "")
        if se is not None:
            svg.line(at, y(mean - se), at, y(mean + se), f"whisker {look}")
        svg.marker(line.colour or 0, at, y(mean), f"mark {look}", tip, 4)


@dataclass(frozen=True)
class Curve:
    """A learner's value over steps, a standard error about it, and (mean selected step, mean value of what was selected)."""

    label: str
    colour: int | None
    points: list[tuple[float, float, float | None]]
    selected: tuple[float, float] | None


def curves(lines: Sequence[Curve], rules: Sequence[Rule], n_steps: float, title: str, size: Size) -> Markup:
    """Values over gradient steps with bands of one standard error, what was selected marked; reference values dashed."""
    left, right, top, bottom = size.box
    svg = Svg(size.width, size.height, title, size.css)
    reach = [mean + sign * (se or 0.0) for one in lines for _, mean, se in one.points for sign in (-1, 1)]
    x, y = Scale(0.0, n_steps, left, right), Scale(*padded([*reach, *(rule.value for rule in rules)]), bottom, top)
    svg.text(0, 12, "value", "label", "start")
    y_axis(svg, y, left, right)
    x_axis(svg, x, bottom, "gradient steps", 3 if size.width < 400 else 6)
    for index, rule in enumerate(rules):
        at = y(rule.value)
        svg.line(left, at, right, at, "rule")
        svg.text(right, at + (13 if index == 0 else -5), rule.label, "tick over", "end")
    for one in sorted(lines, key=lambda line: line.colour is not None):
        if one.colour is None:
            svg.path([(x(step), y(mean)) for step, mean, _ in one.points], "curve back")
        else:
            _banded(svg, one, x, y)
    for one in lines:
        if one.colour is not None and one.selected:
            step, value = one.selected
            tip = f"{one.label}: {value:.4f}, selected at step {step:,.0f} on average"
            svg.marker(one.colour, x(step), y(value), f"mark s{one.colour}", tip, 4)
    return svg.markup()


def _banded(svg: Svg, line: Curve, x: Scale, y: Scale) -> None:
    upper = [(x(step), y(mean + se)) for step, mean, se in line.points if se is not None]
    lower = [(x(step), y(mean - se)) for step, mean, se in line.points if se is not None]
    if upper:
        svg.path([*upper, *reversed(lower)], f"band s{line.colour}")
    svg.path([(x(step), y(mean)) for step, mean, _ in line.points], f"curve s{line.colour}")


@dataclass(frozen=True)
class Row:
    """A policy's mean optimality in percent with its standard error, each seed's own, and the paper's where it has one."""

    label: str
    css: str
    mean: float
    se: float | None
    seeds: list[float]
    paper: float | None
    tip: str


def ranking(rows: Sequence[Row], title: str, *, narrow: bool) -> Markup:
    """Dots with whiskers of one standard error over the seeds' own dots, a row each in the order given."""
    width, left, right, top, step = (350, 10, 340, 8, 38) if narrow else (760, 300, 740, 8, 27)
    bottom = top + step * len(rows) + 4
    svg = Svg(width, bottom + 42, title, "narrow" if narrow else "wide")
    reach = [bound for row in rows for bound in (*row.seeds, row.mean + (row.se or 0), row.mean - (row.se or 0))]
    x = Scale(*padded([0.0, *reach, *(row.paper for row in rows if row.paper is not None)], 0.04), left, right)
    for value, _ in x.ticks(5):
        svg.line(x(value), top, x(value), bottom, "grid")
    svg.line(x(0), top, x(0), bottom, "rule", "uniform")
    x_axis(svg, x, bottom, "optimality, %", 5)
    for index, row in enumerate(rows):
        y = top + step * (index + 0.5) + (8 if narrow else 0)
        place = (left, y - 12, "start") if narrow else (left - 14, y + 4.5, "end")
        svg.text(place[0], place[1], row.label, "name", place[2])
        _policy(svg, row, x, y)
    return svg.markup()


def _policy(svg: Svg, row: Row, x: Scale, y: float) -> None:
    if len(row.seeds) > 1:  # one path for all: a stroke of no length is a dot
        dots = "".join(f"M{coordinate(x(seed))} {coordinate(y)}h0" for seed in row.seeds)
        svg.add("path", d=dots, css=f"seeds {row.css}")
    if row.se is not None:
        low, high = x(row.mean - row.se), x(row.mean + row.se)
        svg.line(low, y, high, y, f"whisker {row.css}", row.tip)
        for end in (low, high):
            svg.line(end, y - _WHISKER - 1.5, end, y + _WHISKER + 1.5, f"whisker {row.css}")
    svg.marker(0, x(row.mean), y, f"dot {row.css}", row.tip, 4.5)
    if row.paper is not None:
        svg.marker(3, x(row.paper), y, "theirs", f"the paper: {row.paper:.1f}%", 6)
