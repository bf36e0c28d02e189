"""Reads the results: settings with what every policy earned in every seed, and mean learning curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from store import Artifact
from tasks.api import TaskError
from tasks.opl.report_files import read
from tasks.opl.synthetic.config import Variant
from tasks.opl.synthetic.results import CURVES, RESULTS, SUMMARY_FILE, VARIED
from tasks.opl.synthetic.statistics import Comparison, Summary
from tasks.opl.tables import Floats, Ints, sorted_rows

Value = str | bool | float | None
"""What a field of a run holds; whole numbers stay whole."""
Fields = Mapping[str, Value]
_Row = dict[str, Any]  # of the declared table
_CURVE_KEY = ("setting", "policy", "seed", "step")


class SettingSummary(BaseModel):
    """summary.json of one setting."""

    model_config = ConfigDict(frozen=True)

    policies: list[Summary]
    comparisons: list[Comparison]


class SummaryFile(BaseModel):
    """summary.json of `synthetic.results`."""

    model_config = ConfigDict(frozen=True)

    settings: dict[str, SettingSummary]


@dataclass(frozen=True)
class MeanCurve:
    """A learner's exact value over gradient steps.

    Attributes:
        steps: ascending `(n_points,)`.
        mean: over all seeds `(n_points,)`; a seed that has ended counts with its last value.
        se: standard error of the mean `(n_points,)`, None for one seed.
    """

    steps: Ints
    mean: Floats
    se: Floats | None


@dataclass(frozen=True)
class Setting:
    """Runs that differ by their seed alone.

    Attributes:
        name: as in the tables.
        fields: what a benchmark may vary.
        summaries: by policy.
        comparisons: paired, of learners.
        optimality: policy -> a number for each seed, by seed.
        seeds: ascending.
        selected: learner -> mean selected step, of those that ascend.
        curves: of the learners that ascend.
    """

    name: str
    fields: Fields
    summaries: Mapping[str, Summary]
    comparisons: Sequence[Comparison]
    optimality: Mapping[str, list[float]]
    seeds: list[int]
    selected: Mapping[str, float]
    curves: Mapping[str, MeanCurve]

    def number(self, field: str) -> float:
        """The value of a field that holds a number."""
        value = self.fields[field]
        assert isinstance(value, int | float)
        return float(value)


def read_settings(results: Artifact) -> list[Setting]:
    """Every setting, by its fields: numbers ascend, whatever the order of the rows.

    Raises:
        TaskError: summary.json is not what its task writes, or is of other settings than the table.
    """
    summary = read(results, SUMMARY_FILE, SummaryFile).settings
    rows = sorted_rows(results.table(RESULTS), ("setting", "seed", "policy")).to_pylist()
    curves = _curves(sorted_rows(results.table(CURVES), _CURVE_KEY)) if CURVES in results.manifest.tables else {}
    by_setting: dict[str, list[_Row]] = {}
    for row in rows:
        by_setting.setdefault(row["setting"], []).append(row)
    if by_setting.keys() != summary.keys():
        odd = sorted(by_setting.keys() ^ summary.keys())[0]
        raise TaskError(
            f"{results}: {odd} is not in both {RESULTS} and {SUMMARY_FILE}; run {results.manifest.made_by.task} again"
        )
    found = [_setting(name, of, summary[name], curves.get(name, {})) for name, of in by_setting.items()]
    return sorted(found, key=lambda setting: [place(name, value) for name, value in setting.fields.items()])


def _setting(name: str, rows: Sequence[_Row], told: SettingSummary, curves: Mapping[str, MeanCurve]) -> Setting:
    optimality: dict[str, list[float]] = {}
    steps: dict[str, list[int]] = {}
    for row in rows:
        optimality.setdefault(row["policy"], []).append(row["optimality"])
        if row["selected_step"] is not None:
            steps.setdefault(row["policy"], []).append(row["selected_step"])
    return Setting(
        name,
        {field: rows[0][field] for field in VARIED},
        {one.policy: one for one in told.policies},
        told.comparisons,
        optimality,
        sorted({row["seed"] for row in rows}),
        {policy: float(np.mean(found)) for policy, found in steps.items()},
        curves,
    )


def place(name: str, value: Value) -> tuple[int, float, str]:
    """Where a value stands among those of its field: none first, variants as they are declared, numbers ascending."""
    if value is None:
        return (0, 0.0, "")
    if name == "variant" and value in get_args(Variant):
        return (1, float(get_args(Variant).index(value)), "")
    return (2, 0.0, value) if isinstance(value, str) else (2, float(value), "")


def _curves(data: pa.Table) -> dict[str, dict[str, MeanCurve]]:
    """Setting -> learner -> its mean curve; the rows are sorted."""
    names = [data[column].combine_chunks().dictionary_encode() for column in ("setting", "policy")]
    codes = np.stack([column.indices.to_numpy() for column in names] + [data["seed"].to_numpy()])
    steps, values = data["step"].to_numpy(), data["value"].to_numpy()
    starts = [0, *(np.flatnonzero((codes[:, 1:] != codes[:, :-1]).any(axis=0)) + 1).tolist()]
    runs: dict[tuple[str, str], list[tuple[Ints, Floats]]] = {}
    for start, end in zip(starts, [*starts[1:], len(steps)], strict=True):
        setting, policy = (str(column.dictionary[int(codes[row, start])]) for row, column in enumerate(names))
        runs.setdefault((setting, policy), []).append((steps[start:end], values[start:end]))
    found: dict[str, dict[str, MeanCurve]] = {}
    for (setting, policy), each in runs.items():
        found.setdefault(setting, {})[policy] = mean_curve(each)
    return found


def mean_curve(runs: Sequence[tuple[Ints, Floats]]) -> MeanCurve:
    """The mean of several runs' curves; a run holds each value until its next point, and its last one for good.

    Args:
        runs: a seed's steps, ascending, and values at them, each `(n_points,)`.
    """
    grid = np.unique(np.concatenate([steps for steps, _ in runs]))
    grid = grid[grid >= max(steps[0] for steps, _ in runs)]
    values = np.stack([value[np.searchsorted(steps, grid, side="right") - 1] for steps, value in runs])
    se = values.std(axis=0, ddof=1) / np.sqrt(len(runs)) if len(runs) > 1 else None
    return MeanCurve(grid, values.mean(axis=0), se)
