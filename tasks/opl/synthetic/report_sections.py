"""Turns settings into what the page shows: figures drawn, rows of tables in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.report.texts import Markup
from tasks.opl.labels import LOGGING, OPTIMAL, UNIFORM, label
from tasks.opl.report_plots import Rule, swatch
from tasks.opl.synthetic import report_plots as plots
from tasks.opl.synthetic.report_plots import BOTH, PANEL, Axis, Curve, Line
from tasks.opl.synthetic.report_read import Setting
from tasks.opl.synthetic.report_sweeps import Panel, by_height, learners, paper_lines
from tasks.opl.synthetic.report_words import SWEPT, differing, plain, title

Legend = list[tuple[Markup, str]]


@dataclass(frozen=True)
class Grid:
    """Mean optimality and its standard error: a row a learner, a column a setting; None where it did not run."""

    columns: list[str]
    rows: list[tuple[str, list[tuple[float, float | None] | None]]]


@dataclass(frozen=True)
class Figure:
    """A drawing for each width or a panel, which other settings it is of, and its numbers."""

    title: str
    drawings: list[Markup]
    grid: Grid


@dataclass(frozen=True)
class SweptField:
    """The figures of one swept field; `background` are the learners without a colour."""

    field: str
    heading: str
    legend: Legend
    background: list[str]
    paper: bool
    figures: list[Figure]


def swept(field: str, panels: Sequence[Panel], colours: Mapping[str, int], varied: Sequence[str]) -> SweptField:
    """Optimality over one field, a panel for each combination of the others; all panels share their heights.

    Args:
        field: the swept one.
        panels: at least one.
        colours: by learner.
        varied: fields that tell the page's settings apart.
    """
    names = by_height([setting for panel in panels for setting in panel.settings])
    drawn = [_lines(field, panel, names, colours) for panel in panels]
    rise = plots.heights([line for lines in drawn for line in lines])
    apart = differing([panel.settings[0] for panel in panels]) if len(panels) > 1 else varied
    apart = [name for name in apart if name != field]
    figures = []
    for panel, lines in zip(panels, drawn, strict=True):
        told = title(panel.fixed, apart) if apart else ""
        grid = optimality_grid(panel.settings, [plain(setting.fields[field]) for setting in panel.settings])
        sizes = BOTH if len(panels) == 1 else (PANEL,)
        heading = f"Optimality over {SWEPT[field][1]}{', ' + told if told else ''}"
        axis = _axis(field, panel)
        figures.append(Figure(told, [plots.sweep(lines, axis, rise, heading, size) for size in sizes], grid))
    return SweptField(
        field,
        SWEPT[field][0],
        legend(names, colours),
        [label(name) for name in names if name not in colours],
        any(line.paper for lines in drawn for line in lines),
        figures,
    )


def _lines(field: str, panel: Panel, names: Sequence[str], colours: Mapping[str, int]) -> list[Line]:
    paper = paper_lines(field, panel, names)
    found = []
    for name in names:
        points = [
            (one.number(field), 100 * told.optimality, _percent(told.se_optimality))
            for one in panel.settings
            if (told := one.summaries.get(name))
        ]
        line = [(value, 100 * mean) for value, mean in paper.get(name, [])]
        if points:
            found.append(Line(label(name), colours.get(name), points, line))
    return found


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _axis(field: str, panel: Panel) -> Axis:
    values = [setting.number(field) for setting in panel.settings]
    return Axis(SWEPT[field][1], values, log=field in ("n_rounds", "n_actions", "bandwidth"))


def legend(names: Sequence[str], colours: Mapping[str, int]) -> Legend:
    """Samples of the coloured learners' lines, in the order given."""
    return [(swatch(colours[name]), label(name)) for name in names if name in colours]


def optimality_grid(settings: Sequence[Setting], columns: list[str]) -> Grid:
    """The learners of the settings by their mean, side by side."""
    rows = []
    for name in by_height(settings):
        found = [setting.summaries.get(name) for setting in settings]
        rows.append((label(name), [(one.optimality, one.se_optimality) if one else None for one in found]))
    return Grid(columns, rows)


@dataclass(frozen=True)
class Learning:
    """Learning curves: one large figure, or a panel a setting."""

    legend: Legend
    background: list[str]
    panels: list[tuple[str, list[Markup]]]


def learning(settings: Sequence[Setting], colours: Mapping[str, int], names: Sequence[str]) -> Learning | None:
    """The learners that ascend; `names` are the fields that tell the settings apart. None where none ascends."""
    shown = [setting for setting in settings if setting.curves]
    if not shown:
        return None
    n_steps = max(float(curve.steps[-1]) for setting in shown for curve in setting.curves.values())
    panels = []
    for setting in shown:
        told = title(setting.fields, names)
        lines = [_curve(setting, name, colours.get(name)) for name in learners([setting]) if name in setting.curves]
        sizes = BOTH if len(shown) == 1 else (PANEL,)
        panels.append(
            (
                told,
                [
                    plots.curves(lines, _rules(setting), n_steps, f"Value over gradient steps, {told}", size)
                    for size in sizes
                ],
            )
        )
    ascending = [name for name in by_height(shown) if any(name in setting.curves for setting in shown)]
    background = [label(name) for name in ascending if name not in colours]
    return Learning(legend(ascending, colours), background, panels)


def _curve(setting: Setting, name: str, colour: int | None) -> Curve:
    curve = setting.curves[name]
    se = [None] * len(curve.steps) if curve.se is None else curve.se.tolist()
    points = list(zip(curve.steps.tolist(), curve.mean.tolist(), se, strict=True))
    step = setting.selected.get(name)
    return Curve(label(name), colour, points, None if step is None else (step, setting.summaries[name].value))


def _rules(setting: Setting) -> list[Rule]:
    """Uniform below its line, the others above theirs, so that labels of near values do not meet."""
    found = [(name, setting.summaries[name].value) for name in (UNIFORM, LOGGING, OPTIMAL) if name in setting.summaries]
    return [Rule(label(name).lower(), value) for name, value in found]
