"""One setting in numbers: the ranking, the table, every pair of learners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.report.texts import Markup
from tasks.opl.labels import ONLINE, OPTIMAL, PUBLISHED, REFERENCES, UNIFORM, label
from tasks.opl.score import fixed
from tasks.opl.synthetic import report_plots as plots
from tasks.opl.synthetic.report_published import published
from tasks.opl.synthetic.report_read import Setting
from tasks.opl.synthetic.report_sweeps import counterpart
from tasks.opl.synthetic.report_words import seeds_told
from tasks.opl.synthetic.statistics import Summary
from tasks.opl.synthetic.texts import against, best_published

LEAST_SEEDS = 3
"""For every pair of learners to be shown."""
_SHADES = 7


@dataclass(frozen=True)
class Difference:
    """A paired difference in value; `shade` from 0 to 7 grows with its size, `sure` says that p after Holm is below .05."""

    value: float
    se: float | None
    wins: str
    p_holm: float | None
    shade: int = 0

    @property
    def sure(self) -> bool:
        """Whether it is hardly chance."""
        return self.p_holm is not None and self.p_holm < 0.05


@dataclass(frozen=True)
class Row:
    """A policy of one setting: its means, the paper's optimality, and the difference to the best published learner."""

    label: str
    kind: str
    told: Summary
    paper: float | None
    versus: Difference | None


@dataclass(frozen=True)
class Pairs:
    """Row less column, for learners by their rank; None on the diagonal."""

    names: list[str]
    rows: list[tuple[str, list[Difference | None]]]


@dataclass(frozen=True)
class Block:
    """One setting on the page; `shown` says that it is open from the start."""

    name: str
    title: str
    seeds: str
    n_seeds: int
    shown: bool
    drawings: list[Markup]
    rows: list[Row]
    best: str | None
    pairs: Pairs | None

    @property
    def has_paper(self) -> bool:
        """Whether the paper has this setting."""
        return any(row.paper is not None for row in self.rows)


def block(setting: Setting, title: str, *, shown: bool) -> Block:
    """A setting; the ranking is drawn where it is shown at once."""
    names = sorted(setting.summaries, key=lambda name: (-setting.summaries[name].optimality, name))
    best = best_published(list(setting.summaries.values()), [name for name in names if name.endswith(PUBLISHED)])
    paper = {counterpart(method, names): value for method, value in published().at(setting.fields).items()}
    rows = {
        name: Row(label(name), _kind(name), setting.summaries[name], paper.get(name), _versus(setting, name, best))
        for name in names
    }
    pairs = _pairs(setting, [name for name in names if name not in REFERENCES])
    return Block(
        setting.name,
        title,
        seeds_told(setting.seeds),
        len(setting.seeds),
        shown,
        _drawn(setting, rows, title) if shown else [],
        list(rows.values()),
        label(best) if best else None,
        pairs if len(setting.seeds) >= LEAST_SEEDS else None,
    )


def _kind(name: str) -> str:
    """The class that colours a policy."""
    if name in REFERENCES:
        return "reference"
    if name.removesuffix(PUBLISHED) == ONLINE:
        return "online"
    return "published" if name.endswith(PUBLISHED) else "learned"


def _drawn(setting: Setting, rows: Mapping[str, Row], title: str) -> list[Markup]:
    """The ranking without uniform and optimal, which are 0% and 100% in every seed."""
    dots = [_dots(row, setting.optimality[name]) for name, row in rows.items() if name not in (UNIFORM, OPTIMAL)]
    told = f"Optimality of each policy, {title}"
    return [plots.ranking(dots, told, narrow=narrow) for narrow in (False, True)]


def _dots(row: Row, seeds: Sequence[float]) -> plots.Row:
    told = row.told
    se = None if told.se_optimality is None else 100 * told.se_optimality
    tip = f"{row.label}: {fixed(100 * told.optimality, 1)}%" + (f" ± {fixed(se, 1)}" if se is not None else "")
    paper = None if row.paper is None else 100 * row.paper
    return plots.Row(row.label, row.kind, 100 * told.optimality, se, [100 * seed for seed in seeds], paper, tip)


def _versus(setting: Setting, name: str, other: str | None) -> Difference | None:
    found = against(setting.comparisons, name, other)
    if found is None:
        return None
    value, se, wins, p = found
    return Difference(value, se, f"{wins}/{setting.summaries[name].n_seeds}", p)


def _pairs(setting: Setting, names: Sequence[str]) -> Pairs | None:
    """Every pair; shades are by the largest difference of the setting."""
    if not setting.comparisons:
        return None
    largest = max(abs(pair.difference) for pair in setting.comparisons) or 1.0
    rows = [(label(name), [_shaded(_versus(setting, name, other), largest) for other in names]) for name in names]
    return Pairs([label(name) for name in names], rows)


def _shaded(one: Difference | None, largest: float) -> Difference | None:
    return one and replace(one, shade=round(_SHADES * abs(one.value) / largest))
