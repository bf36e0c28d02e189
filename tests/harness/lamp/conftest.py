"""The reference cases, and envelopes in memory."""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.envelope import Envelope
from harness.registry import Metric, Samples, Task


@pytest.fixture(scope="session")
def reference(shared_data: Path) -> Path:
    path = shared_data.parent / "cases" / "lamp"
    if not path.is_dir():
        pytest.skip(f"no reference cases at {path}")
    return path


@pytest.fixture(scope="session")
def envelope() -> Callable[..., Envelope]:
    """An envelope of outputs, with ids 0, 1, ... unless told."""

    def make(task: str, outputs: Sequence[object], ids: Sequence[str] | None = None, where: str = "file") -> Envelope:
        return Envelope(
            where=where,
            task=task,
            ids=tuple(ids if ids is not None else map(str, range(len(outputs)))),
            users=None,
            outputs=tuple(outputs),
            arrays={},
            settings={},
            positions=tuple(range(len(outputs))),
            size=len(outputs),
            ids_are="strings",
            content="",
            sha256="",
        )

    return make


@pytest.fixture(scope="session")
def value_of() -> Callable[[Metric, Samples], float]:
    """The value of a metric: its estimate at the correctly rounded sums of its terms."""

    def value(metric: Metric, samples: Samples) -> float:
        summands = metric.summands(samples.columns)
        n = len(next(iter(samples.columns.values())))
        sums = {name: np.float64(math.fsum(column)) for name, column in summands.items()}
        return float(metric.estimate({**sums, "n": np.float64(n)}))  # type: ignore[dict-item]

    return value


@pytest.fixture(scope="session")
def values_of(value_of: Callable[[Metric, Samples], float]) -> Callable[[Task, Envelope, Envelope], dict[str, float]]:
    def values(task: Task, golds: Envelope, predictions: Envelope) -> dict[str, float]:
        samples = task.samples(golds, predictions)
        return {metric.name: value_of(metric, samples) for metric in task.metrics}

    return values


@pytest.fixture(scope="session")
def cases(reference: Path, envelope: Callable[..., Envelope]) -> dict[str, tuple[Envelope, Envelope]]:
    """Golds and predictions of the seven tasks, both in the order of the golds' file."""

    def read(name: str) -> dict[str, dict[str, object]]:
        bodies: list[dict[str, Any]] = []
        with zipfile.ZipFile(reference / name) as archive:
            bodies += [json.loads(archive.read(member)) for member in archive.namelist()]
        return {body["task"]: {item["id"]: item["output"] for item in body["golds"]} for body in bodies}

    golds, predictions = read("golds.zip"), read("preds.zip")
    return {
        task: (
            envelope(task, list(gold.values()), list(gold), "golds"),
            envelope(task, [predictions[task][name] for name in gold], list(gold), "predictions"),
        )
        for task, gold in golds.items()
    }
