"""One sound pair of golds and predictions for every task; gold texts carry a mark that no message may show."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from harness import registry, write_envelope
from harness.opl.drawing import Sizes, draw_environment
from harness.opl.environment_settings import EnvironmentSettings
from harness.opl.synthetic_task import write_synthetic_golds

MARK = "Xyzzy"
_FORMS: list[object] = [1, [0.2, 0.3, 0.5], {"actions": [2], "probs": [0.4], "rest": 0.6}, {"row": 1}]
_LABELS = {
    "LaMP_1": ["[1]", "[2]", "[2]", "[1]"],
    "LaMP_2": ["comedy", "true story", "action", "comedy"],
    "LaMP_2_news": ["politics", "crime", "politics", "women"],
    "LaMP_3": ["1", "4", "5", "3"],
}


@dataclass(frozen=True)
class Pair:
    """Golds and predictions of one task, each a zip."""

    task: str
    golds: bytes
    preds: bytes


def items(outputs: list[Any], users: bool = False) -> list[dict[str, Any]]:
    return [
        {"id": str(row), "output": output, **({"user_id": f"u{row // 2}"} if users else {})}
        for row, output in enumerate(outputs)
    ]


def envelope(task: str, outputs: list[Any]) -> bytes:
    """The JSON of predictions."""
    return json.dumps({"task": task, "golds": items(outputs)}).encode()


@cache
def pairs() -> dict[str, Pair]:
    """The pairs of all tasks, by name."""
    return {task: Pair(task, *_written(task)) for task in registry.names()}


def _written(task: str) -> tuple[bytes, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        golds, preds = Path(folder) / "golds.zip", Path(folder) / "preds.zip"
        _write_golds(task, golds)
        outputs, arrays = _predictions(task)
        write_envelope(preds, task, items(outputs), arrays)
        return golds.read_bytes(), preds.read_bytes()


def _write_golds(task: str, path: Path) -> None:
    if task == "opl_synthetic":
        sizes = Sizes(n_actions=3, dim_context=2, dim_output=2, normalizer=7.0)
        write_synthetic_golds(path, draw_environment(0, sizes, EnvironmentSettings()), 4, seed=0)
        return
    if task == "opl_policy":
        rewards = np.array([[0, 0.5, 1], [1, 0, 0], [0.2, 0.4, 0.6], [0, 0, 1]])
        tables = {"rewards": rewards, "logging": np.full((4, 3), 1 / 3)}
        write_envelope(path, task, items([0, 1, 2, 3], users=True), tables)
        return
    outputs: list[Any] = [f"the {MARK} of number {row}, told twice" for row in range(4)]
    settings = None
    if task == "click":
        outputs = [[1, 0, 0], [0, 1], [1, 1, 0, 0], [0, 0]]
    elif task == "ranking":
        outputs = [[f"{MARK}1"], f"{MARK}2", [f"{MARK}1", f"{MARK}3"], [f"{MARK}4"]]
        settings = {"catalogue": [f"{MARK}{number}" for number in range(9)]}
    write_envelope(path, task, items(_LABELS.get(task, outputs), users=True), settings=settings)


def _predictions(task: str) -> tuple[list[Any], dict[str, Any]]:
    if task.startswith("opl_"):
        return _FORMS, {"action_dist": np.array([[1, 0, 0], [0.25, 0.25, 0.5]])}
    if task == "click":
        return [[0.9, 0.1, 0.5], [3, 4], [0.1, 0.2, 0.3, 0.4], [1, 0]], {}
    if task == "ranking":
        return [["a", "b"], ["c"], [], ["a", "a"]], {}
    return _LABELS.get(task, ["a guess", "the number told", "", "of number 3 told twice, twice"]), {}
