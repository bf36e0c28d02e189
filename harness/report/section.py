"""What the page shows of one task, taken from its samples while they are in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness import registry
from harness.comparison import Difference, paired_difference
from harness.report.distributions import Panels, distributions
from harness.report.matrices import Matrix, label_matrix, rating_matrix
from harness.report.published import Published, published
from harness.report.samples import SampleList, Wins, differing, wins, worst
from harness.scoring import ScoredTask

_MOST_PAIRED = 20


@dataclass(frozen=True)
class Section:
    """One task: distributions, matrices, samples, and for several systems who wins; `pairs` are row minus column."""

    task: registry.Task
    panels: list[Panels]
    matrices: list[Matrix]
    worst: list[SampleList]
    differing: list[SampleList]
    wins: Mapping[str, Mapping[str, Wins]]
    pairs: Mapping[str, Mapping[str, Difference]]
    published: list[Published]


def section(name: str, systems: Mapping[str, ScoredTask], baseline: str, budget: int, anchors: bool) -> Section:
    """The section of task `name`; the texts of its samples take about `budget` characters at most."""
    task = registry.get(name)
    others = [other for other in systems if other != baseline] if baseline in systems else []
    share = budget // (2 * len(systems))
    matrices = [label_matrix(task, system, one) or rating_matrix(system, one) for system, one in systems.items()]
    pairs = {other: (systems[other], systems[baseline]) for other in others}
    return Section(
        task=task,
        panels=distributions(task, systems),
        matrices=[matrix for matrix in matrices if matrix is not None],
        worst=[worst(task, system, one, share) for system, one in systems.items()],
        differing=[found for other, pair in pairs.items() for found in differing(task, (other, baseline), pair, share)],
        wins={other: wins(task, pair) for other, pair in pairs.items()},
        pairs=_pairs(task, systems),
        published=published(task.name, {system: one.result for system, one in systems.items()}) if anchors else [],
    )


def _pairs(task: registry.Task, systems: Mapping[str, ScoredTask]) -> dict[str, dict[str, Difference]]:
    """Each system minus each other one on the primary metric, where there are three or more."""
    systems = {name: one for name, one in systems.items() if task.primary in one.result.metrics}
    if not 3 <= len(systems) <= _MOST_PAIRED:
        return {}
    return {
        row: {
            column: paired_difference(one, other, task.primary)
            for column, other in systems.items()
            if column != row and one.golds.ids == other.golds.ids
        }
        for row, one in systems.items()
    }
