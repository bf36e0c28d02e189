"""Scores of small policies, and small synthetic environments."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from harness import Result, score, write_envelope
from harness.opl.drawing import Sizes, draw_environment
from harness.opl.environment import SyntheticEnvironment
from harness.opl.synthetic_task import write_synthetic_golds

if TYPE_CHECKING:
    from numpy.typing import NDArray


@pytest.fixture(scope="session")
def score_policy(write_golds: Callable[..., Path]) -> Callable[..., Result]:
    """Scores outputs, one for each row of rewards, and returns the result."""

    def run(rewards: NDArray[np.float64], outputs: Sequence[object], **options: object) -> Result:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            tables = {name: options.pop(name) for name in ("logging", "users", "order") if name in options}
            golds = write_golds(root / "golds.zip", rewards, **tables)
            return _score(root, golds, "opl_policy", outputs, options)

    return run


@pytest.fixture(scope="session")
def small_environment() -> SyntheticEnvironment:
    """Seven actions, dimensions all different."""
    return draw_environment(
        3, Sizes(n_actions=7, dim_context=2, dim_query=3, dim_action_embedding=4, dim_output=6, normalizer=10)
    )


@pytest.fixture(scope="session")
def score_synthetic() -> Callable[..., Result]:
    """Scores outputs, one for each of the contexts that `seed` draws from an environment, and returns the result."""

    def run(environment: SyntheticEnvironment, outputs: Sequence[object], seed: int = 0, **options: object) -> Result:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            write_synthetic_golds(root / "golds.zip", environment, len(outputs), seed)
            return _score(root, root / "golds.zip", "opl_synthetic", outputs, options)

    return run


def _score(root: Path, golds: Path, task: str, outputs: Sequence[object], options: dict[str, object]) -> Result:
    items = [{"id": str(row), "output": output} for row, output in enumerate(outputs)]
    arrays = options.pop("arrays", None)
    write_envelope(root / "preds.zip", task, items, arrays)  # type: ignore[arg-type]
    return score(golds, root / "preds.zip", **{"n_bootstrap": 20, **options})[task]  # type: ignore[arg-type]
