"""The page's tables of numbers, from what was compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.comparison import Comparison, Difference
from harness.formats.sections import best_of, metrics_of, results_of
from harness.report.charts import Row, whiskers
from harness.report.samples import Wins
from harness.report.section import Section
from harness.report.texts import Markup, number
from harness.result import MetricResult

STARS = "* p < 0.05, ** p < 0.01."


@dataclass(frozen=True)
class MetricRow:
    """One system's value of one metric, and how it compares with the baseline."""

    system: str
    metric: MetricResult
    difference: Difference | None
    wins: Wins | None


@dataclass(frozen=True)
class Metrics:
    """One metric of a task with a row for each system that has it."""

    name: str
    primary: bool
    higher_is_better: bool
    formula: str
    source: str
    rows: list[MetricRow]


@dataclass(frozen=True)
class Provenance:
    """A scored file: its role, its sha256, and the tasks it is of where it is not of all."""

    name: str
    sha256: str
    tasks: list[str]


def metrics(section: Section, comparison: Comparison) -> list[Metrics]:
    """The metrics of a task, the primary one first."""
    results = results_of(comparison.systems, section.task.name)
    differences = comparison.differences.get(section.task.name, {})
    tables = []
    for metric in section.task.metrics:
        rows = [
            MetricRow(
                name,
                result.metrics[metric.name],
                differences.get(name, {}).get(metric.name),
                section.wins.get(name, {}).get(metric.name),
            )
            for name, result in results.items()
            if metric.name in result.metrics
        ]
        if rows:
            primary = metric.name == section.task.primary
            tables.append(Metrics(metric.name, primary, metric.higher_is_better, metric.formula, metric.source, rows))
    return sorted(tables, key=lambda table: not table.primary)


def forest(section: Section, comparison: Comparison) -> list[Markup]:
    """The primary metric of several systems as a figure, wide and narrow; none for a single one."""
    results = results_of(comparison.systems, section.task.name)
    primary = section.task.primary
    rows = [
        Row(name, one.metrics[primary].value, one.metrics[primary].interval)
        for name, one in results.items()
        if primary in one.metrics
    ]
    if len(rows) < 2:
        return []
    title = f"{primary} of each system with its 95% interval, {section.task.name}"
    return [whiskers(rows, title, narrow=narrow) for narrow in (False, True)]


def best(comparison: Comparison, task: str, primary: str) -> set[str]:
    """The systems whose value of the primary metric is the best one as the page prints it."""
    return best_of(metrics_of(results_of(comparison.systems, task)).get(primary, {}), number)


def provenance(comparison: Comparison) -> list[Provenance]:
    """The files behind the page, golds first."""
    files: dict[tuple[str, str], list[str]] = {}
    tasks = {task for scores in comparison.systems.values() for task in scores}
    for name, scores in comparison.systems.items():
        for task, result in scores.items():
            for role, digest in (("golds", result.golds_sha256), (f"predictions {name}", result.predictions_sha256)):
                of = files.setdefault((role, digest), [])
                of.extend([task] if task not in of else [])
    ordered = sorted(files.items(), key=lambda item: item[0][0] != "golds")
    return [Provenance(role, digest, [] if set(of) == tasks else of) for (role, digest), of in ordered]


def n_compared(comparison: Comparison) -> int:
    """The comparisons on primary metrics that Holm's correction counts."""
    return sum(
        one.p_holm is not None
        for systems in comparison.differences.values()
        for of_system in systems.values()
        for one in of_system.values()
    )


def definitions(sections: Sequence[Section], comparison: Comparison) -> list[tuple[str, list[Metrics]]]:
    """What is to be said of the metrics, once for tasks that share them: the tasks with their versions, the metrics."""
    groups: dict[tuple[tuple[str, str], ...], tuple[list[str], list[Metrics]]] = {}
    for section in sections:
        found = metrics(section, comparison)
        names, _ = groups.setdefault(tuple((one.name, one.formula) for one in found), ([], found))
        names.append(f"{section.task.name} version {section.task.version}")
    return [(", ".join(names), found) for names, found in groups.values()]


def versions(comparison: Comparison) -> str:
    """The version of the harness that scored."""
    return next(result.harness_version for scores in comparison.systems.values() for result in scores.values())


def compat(comparison: Comparison) -> list[str]:
    """The ways of other scorers that were followed."""
    return sorted({way for scores in comparison.systems.values() for one in scores.values() for way in one.compat})
