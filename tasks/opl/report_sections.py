"""Turns what was read into what the page shows: figures drawn, rows of tables in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.report.svg import padded
from harness.report.texts import Markup
from store import Artifact, Table
from tasks.opl import report_plots as plots
from tasks.opl.env import LanguageEnvironment
from tasks.opl.labels import LOGGING, ONLINE, OPTIMAL, REFERENCES, UNIFORM, label, note
from tasks.opl.report_files import Curve, PolicyScores, Quality, Scores
from tasks.opl.report_log import Weights
from tasks.opl.report_plots import Bars, Bin, Rule, Series
from tasks.opl.rounds import LoggedRounds
from tasks.opl.score import fixed
from tasks.registry import TASKS, task

_MODELS = {
    "text": "Text model",
    "cf": "Collaborative filtering",
    "popularity": "Popularity",
}
_MODEL_NOTES = {
    "text": "reads the description; judges in the environment",
    "cf": "knows users and films, no text",
    "popularity": "means of film and user",
}


@dataclass(frozen=True)
class ResultRow:
    """One line of the table of results, as text."""

    label: str
    note: str
    css: str
    value: str
    interval: str
    gain: str
    gain_interval: str
    optimality: str
    optimality_interval: str


@dataclass(frozen=True)
class Results:
    """The comparison: figure, table, and the best policy that was learned from the log."""

    wide: Markup
    narrow: Markup
    rows: list[ResultRow]
    best: ResultRow | None


@dataclass(frozen=True)
class CurveRow:
    """How one learner's checkpoint was chosen, as text."""

    label: str
    swatch: Markup
    steps: str
    selected: str
    estimate: str
    value: str
    best_value: str


@dataclass(frozen=True)
class Learning:
    """Curves together, curves apart, and what was selected."""

    wide: Markup
    narrow: Markup
    legend: list[tuple[Markup, str]]
    panels: list[tuple[str, Markup]]
    rows: list[CurveRow]


@dataclass(frozen=True)
class LogSection:
    """Propensities, weights, and how far the log reaches."""

    propensities: Markup
    panels: list[tuple[str, Markup]]
    rows: list[Weights]


@dataclass(frozen=True)
class ModelRow:
    """One reward model's quality, as text, and its diagram."""

    label: str
    note: str
    auc: str
    mse: str
    log_loss: str
    calibration_error: str
    diagram: Markup


def signed(value: float, digits: int) -> str:
    """A number with a true minus, or a plus above 0."""
    return fixed(value, digits, sign=True).replace("-", "\N{MINUS SIGN}")


def plain(value: float, digits: int) -> str:
    """A number with a true minus."""
    return fixed(value, digits).replace("-", "\N{MINUS SIGN}")


def between(bounds: tuple[float, float] | None, digits: int, scale: float = 1.0) -> str:
    """`low to high`; a dash where there is no interval."""
    if bounds is None:
        return "\N{EN DASH}"
    return f"{plain(scale * bounds[0], digits)} to {plain(scale * bounds[1], digits)}"


def kind(name: str) -> str:
    """The class that colours a policy: reference, online, or learned from the log."""
    return "reference" if name in REFERENCES else "online" if name == ONLINE else "learned"


def results(scores: Scores) -> Results:
    """The policies side by side."""
    rows = [_result_row(name, scores.policies[name]) for name in scores.order]
    dots = [
        plots.Row(
            row.label,
            scores.policies[name].value.value,
            scores.policies[name].value.interval,
            row.css,
            f"{row.label}: {row.value} ({row.interval})",
        )
        for name, row in zip(scores.order, rows, strict=True)
    ]
    uniform, optimal = (scores.policies[name].value.value for name in (UNIFORM, OPTIMAL))
    wide, narrow = (plots.values(dots, uniform, optimal, narrow=n) for n in (False, True))
    learned = [name for name in scores.order if kind(name) == "learned"]
    best = max(learned, key=lambda name: scores.policies[name].value.value, default=None)
    return Results(wide, narrow, rows, rows[scores.order.index(best)] if best else None)


def _result_row(name: str, policy: PolicyScores) -> ResultRow:
    return ResultRow(
        label(name),
        note(name),
        kind(name),
        plain(policy.value.value, 4),
        between(policy.value.interval, 4),
        signed(policy.gain.value, 4),
        between(policy.gain.interval, 4),
        plain(100 * policy.optimality.value, 1) + "%",
        between(policy.optimality.interval, 1, 100),
    )


def learning(curves: list[Curve], scores: Scores) -> Learning:
    """Learning curves on the held-out users, and the estimates that chose the checkpoints."""
    truth = [_series(curve, index, "test_value") for index, curve in enumerate(curves)]
    guess = [_series(curve, index, "estimate") for index, curve in enumerate(curves)]
    rules = [Rule(label(name).lower(), scores.policies[name].value.value) for name in (UNIFORM, LOGGING, OPTIMAL)]
    rules = _apart(rules)
    wide, narrow = (plots.curves(truth, rules, narrow=n) for n in (False, True))
    points = [point for one in truth + guess for point in one.points]
    ranges = max(step for step, _ in points), padded([value for _, value in points])
    panels = [(t.label, plots.estimate_panel(t, g, *ranges)) for t, g in zip(truth, guess, strict=True)]
    legend = [(plots.swatch(one.colour), one.label) for one in truth]
    rows = [_curve_row(curve, one) for curve, one in zip(curves, truth, strict=True)]
    return Learning(wide, narrow, legend, panels, rows)


def _apart(rules: list[Rule]) -> list[Rule]:
    """Joins the labels of uniform and logging where their values would print over each other."""
    uniform, logging, optimal = rules
    if abs(logging.value - uniform.value) > 0.06 * abs(optimal.value - uniform.value):
        return rules
    return [
        Rule("", min(uniform.value, logging.value)),
        Rule("uniform, logging policy", max(uniform.value, logging.value)),
        optimal,
    ]


def _series(curve: Curve, index: int, what: str) -> Series:
    points = [(point.step, float(getattr(point, what))) for point in curve.points]
    steps = [point.step for point in curve.points]
    selected = curve.metrics.get("selected_step", -1.0)
    marked = steps.index(selected) if selected in steps else None
    last = plots.N_COLOURS - 1  # the online learner's, as in the figure of values
    return Series(label(curve.method), points, last if curve.method == ONLINE else index % last, marked)


def _curve_row(curve: Curve, series: Series) -> CurveRow:
    at = curve.points[series.marked] if series.marked is not None else curve.points[-1]
    return CurveRow(
        series.label,
        plots.swatch(series.colour),
        f"{curve.points[-1].step:,.0f}",
        f"{at.step:,.0f}",
        plain(at.estimate, 4),
        plain(at.test_value, 4),
        plain(max(point.test_value for point in curve.points), 4),
    )


def log(propensities: Bars, weights: list[Weights], n_actions: int) -> LogSection:
    """Histograms of propensities and of each policy's weights on the logged rounds."""
    pscore = plots.histogram(
        propensities,
        1.05 * max(propensities.shares),
        "Propensities of the logged actions",
        "propensity (log scale)",
        Rule(f"1 / {n_actions}, a uniform choice", 1 / n_actions),
    )
    top = 1.05 * max([share for one in weights for share in one.bars.shares], default=1.0)
    one = Rule("weight 1: as often as the logging policy", 1.0)
    panels = [
        (w.label, plots.histogram(w.bars, top, f"Importance weights, {w.label}", "weight (log scale)", one))
        for w in weights
    ]
    return LogSection(pscore, panels, weights)


def simulator(quality: Quality) -> list[ModelRow]:
    """The reward models on rows that none of them was trained on."""
    rows = []
    for name in sorted(quality.models, key=lambda n: (list(_MODELS).index(n) if n in _MODELS else len(_MODELS), n)):
        model = quality.models[name]
        total = sum(one.count for one in model.calibration) or 1.0
        bins = [
            Bin(one.mean_probability, one.positive_share, round(one.count))
            for one in model.calibration
            if one.mean_probability is not None and one.positive_share is not None
        ]
        title = _MODELS.get(name, name)
        diagram = plots.reliability(bins, [b.count / total for b in model.calibration], f"Calibration of {title}")
        auc, mse, log_loss, error = (
            f"{x:.4f}" for x in (model.auc, model.mse, model.log_loss, model.calibration_error)
        )
        rows.append(ModelRow(title, _MODEL_NOTES.get(name, ""), auc, mse, log_loss, error, diagram))
    return rows


@dataclass(frozen=True)
class DataSection:
    """Counts with their names, and how the tables were built."""

    counts: list[tuple[str, str]]
    thresholds: list[tuple[str, str, str]]
    source: str


def data(tables: Artifact, sentences: Table, environment: LanguageEnvironment, rounds: LoggedRounds) -> DataSection:
    """What went in, counted."""
    train, test = environment.contexts("train"), environment.contexts("test")
    counts = {
        "interactions": tables.table("interactions").rows,
        "users": tables.table("users").rows,
        "films": tables.table("items").rows,
        "films described with keywords": len(environment.features.sentences),
        "keywords (prompts)": environment.n_actions,
        "sentences": sentences.rows,
        "contexts to learn from": len(train),
        "users to learn from": len(np.unique(environment.user[train])),
        "contexts held out": len(test),
        "users held out": len(np.unique(environment.user[test])),
        "logged rounds": len(rounds),
    }
    made_by = tables.manifest.made_by
    sources = [entry.name.removeprefix("sources/") for entry in made_by.inputs.get("dump", [])]
    fields = task(made_by.task).config_class().model_fields if made_by.task in TASKS else {}
    thresholds = [
        (
            name.replace("_", " "),
            _shown(value),
            (fields[name].description or "").replace("`", "") if name in fields else "",
        )
        for name, value in made_by.config.items()
    ]
    return DataSection([(name, f"{n:,}") for name, n in counts.items()], thresholds, ", ".join(sources))


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
