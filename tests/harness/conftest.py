"""Small golds and predictions on disk."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from harness import Result, score, write_envelope

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Tables = tuple[NDArray[np.float64], NDArray[np.float64]]


@pytest.fixture(scope="session")
def write_golds() -> Callable[..., Path]:
    """Writes golds of `opl_policy` from rewards and logging `(n_contexts, n_actions)`; ids are the row numbers."""

    def write(
        path: Path,
        rewards: NDArray[np.float64],
        logging: NDArray[np.float64] | None = None,
        users: Sequence[str] | None = None,
        order: Sequence[int] | None = None,
    ) -> Path:
        if logging is None:
            logging = np.full(rewards.shape, 1 / rewards.shape[1])
        items = [
            {"id": str(row), "output": row, **({"user_id": users[row]} if users is not None else {})}
            for row in (order if order is not None else range(len(rewards)))
        ]
        write_envelope(path, "opl_policy", items, {"rewards": rewards, "logging": logging})
        return path

    return write


@pytest.fixture(scope="session")
def score_policy(write_golds: Callable[..., Path]) -> Callable[..., Result]:
    """Scores outputs, one for each row of rewards, and returns the result."""

    def run(rewards: NDArray[np.float64], outputs: Sequence[object], **options: object) -> Result:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            tables = {name: options.pop(name) for name in ("logging", "users", "order") if name in options}
            golds = write_golds(root / "golds.zip", rewards, **tables)
            items = [{"id": str(row), "output": output} for row, output in enumerate(outputs)]
            arrays = options.pop("arrays", None)
            write_envelope(root / "preds.zip", "opl_policy", items, arrays)  # type: ignore[arg-type]
            return score(golds, root / "preds.zip", **{"n_bootstrap": 20, **options}).only  # type: ignore[arg-type]

    return run


@pytest.fixture
def example(tmp_path: Path, write_golds: Callable[..., Path]) -> Iterator[tuple[Path, Path]]:
    """Golds of six contexts, three actions, three users, and predictions of all four forms."""
    rewards = np.array(
        [[0, 0.5, 1], [1, 0, 0], [0.2, 0.4, 0.6], [0, 0, 1], [0.5, 0.5, 0.5], [0, 1, 0]], dtype=np.float64
    )
    logging = np.tile([0.5, 0.25, 0.25], (6, 1))
    golds = write_golds(tmp_path / "golds.zip", rewards, logging, users=["a", "a", "b", "b", "c", "c"])
    outputs: list[object] = [2, [1, 0, 0], {"actions": [2], "probs": [0.5], "rest": 0.5}, 0, 1, {"row": 0}]
    items = [{"id": str(row), "output": output} for row, output in enumerate(outputs)]
    write_envelope(tmp_path / "preds.zip", "opl_policy", items, {"action_dist": np.array([[0.0, 1.0, 0.0]])})
    yield golds, tmp_path / "preds.zip"
