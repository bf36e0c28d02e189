"""The results of scoring: typed, frozen, and JSON of the same bytes from the same inputs."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from harness.errors import HarnessError
from harness.registry import canonical


@dataclass(frozen=True)
class MetricResult:
    """A metric's value, its clustered standard error and bootstrap interval, both None where they are undefined.

    The interval is also None where no resamples were asked for. `note` says what a reader must know of the value.
    """

    value: float
    standard_error: float | None
    interval: tuple[float, float] | None
    higher_is_better: bool
    note: str | None = None


@dataclass(frozen=True)
class Result:
    """The scores of one task, with what is needed to repeat them; `n` of `n_golds` samples were scored."""

    task: str
    task_version: int
    golds_sha256: str
    predictions_sha256: str
    n: int
    n_golds: int
    n_clusters: int | None
    cluster: str | None
    primary: str
    metrics: Mapping[str, MetricResult]
    level: float
    n_bootstrap: int
    seed: int
    harness_version: str
    compat: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    per_sample: tuple[Mapping[str, str | float | None], ...] | None = None

    def to_dict(self) -> dict[str, object]:
        """The result as JSON values; `per_sample` only where it was asked for."""
        table = asdict(self)
        if self.per_sample is None:
            del table["per_sample"]
        return table

    def bare(self) -> dict[str, float]:
        """The bare value of each metric."""
        return {name: metric.value for name, metric in self.metrics.items()}

    def to_json(self) -> str:
        """The result as JSON text, keys sorted, one line end at its end."""
        return as_json(self.to_dict())


@dataclass(frozen=True)
class Scores(Mapping[str, Result]):
    """The results of all tasks that were scored, by the task's name; `missing` are tasks left out by choice."""

    results: Mapping[str, Result]
    missing: tuple[str, ...] = ()

    def __getitem__(self, task: str) -> Result:
        try:
            return self.results[task if task in self.results else canonical(task)]
        except HarnessError:
            raise KeyError(task) from None

    def __str__(self) -> str:
        from harness.formats import table

        text = io.StringIO()
        table({"scores": self}, text)
        return text.getvalue()

    def __iter__(self) -> Iterator[str]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)

    @property
    def only(self) -> Result:
        """The result of the only task; raises `ValueError` where several were scored."""
        (result,) = self.results.values()
        return result

    def to_dict(self) -> dict[str, object]:
        """All results as JSON values."""
        return {
            "results": {task: result.to_dict() for task, result in self.results.items()},
            "missing_tasks": list(self.missing),
        }

    def to_json(self) -> str:
        """All results as JSON text, keys sorted, one line end at its end."""
        return as_json(self.to_dict())

    def bare(self) -> dict[str, dict[str, float]]:
        """The bare values in the form of LaMP's scorer: `{"LaMP_1": {"accuracy": ..., "f1": ...}}`."""
        return {task: result.bare() for task, result in self.results.items()}


def as_json(value: object) -> str:
    """JSON text with sorted keys and one line end at its end."""
    return json.dumps(value, sort_keys=True, indent=2, allow_nan=False) + "\n"
