"""The result of scoring: typed, frozen, and JSON of the same bytes from the same inputs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class MetricResult:
    """A metric's value, its clustered standard error and bootstrap interval; `note` says why one of these is None."""

    value: float
    standard_error: float | None
    interval: tuple[float, float] | None
    higher_is_better: bool
    note: str | None = None


@dataclass(frozen=True)
class Result:
    """The scores of one predictions file, with what is needed to repeat them."""

    task: str
    task_version: int
    golds_sha256: str
    predictions_sha256: str
    n: int
    n_clusters: int | None
    cluster: str | None
    primary: str
    metrics: Mapping[str, MetricResult]
    level: float
    n_bootstrap: int
    seed: int
    harness_version: str
    compat: tuple[str, ...] = ()
    per_sample: tuple[Mapping[str, str | float], ...] | None = None

    def to_dict(self) -> dict[str, object]:
        """The result as JSON values; `per_sample` only where it was asked for."""
        table = asdict(self)
        if self.per_sample is None:
            del table["per_sample"]
        return table

    def to_json(self) -> str:
        """The result as JSON text, keys sorted, one line end at its end."""
        return json.dumps(self.to_dict(), sort_keys=True, indent=2, allow_nan=False) + "\n"
