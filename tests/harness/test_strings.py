"""Scores of strings in memory, held to those of files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harness import HarnessError, SubmissionError, score, score_pair, score_strings, write_envelope

GOLDS = ["Storm closes the coast road", "Council votes on the new bridge", "The best pies in town"]
PREDICTIONS = ["Storm closes coast road", "The council votes: a new bridge?", ""]


@pytest.mark.parametrize(
    ("task", "golds", "predictions"),
    [
        ("LaMP_4", GOLDS, PREDICTIONS),
        ("LaMP_1", ["[1]", "[2]", "[2]"], ["[1]", "[1]", "neither"]),
        ("LaMP_3", ["1", "5", "3"], ["2.5", 4, "x"]),
        ("ranking", ["a", ["b", "c"], "d"], [["a", "b"], ["c", "x", "b"], []]),
        ("click", [[0, 1], [1, 0, 0], [1, 1]], [[0.2, 0.7], [0.1, 0.3, 0.1], [0.5, 0.5]]),
    ],
)
def test_equal_those_of_files(tmp_path: Path, task: str, golds: list[object], predictions: list[object]) -> None:
    for name, outputs in (("g", golds), ("p", predictions)):
        write_envelope(tmp_path / f"{name}.zip", task, [{"id": str(i), "output": o} for i, o in enumerate(outputs)])
    result = score(tmp_path / "g.zip", tmp_path / "p.zip", per_sample=True).only
    scored = score_strings(golds, predictions, task=task)
    assert scored.metrics == result.bare() and scored.notes == result.notes
    for row, sample in enumerate(result.per_sample or ()):
        pair = {} if task == "click" and row == 2 else score_pair(golds[row], predictions[row], task=task)
        for name, value in pair.items():
            assert value == sample[name] or (sample[name] is None and np.isnan(value))


@pytest.mark.parametrize("kind", [tuple, np.array, pd.Series, iter])
def test_takes_what_notebooks_hold(kind: object) -> None:
    scored = score_strings(kind(GOLDS), kind(PREDICTIONS), task="LaMP-5")  # type: ignore[operator]
    assert scored.metrics == score_strings(GOLDS, PREDICTIONS, task="LaMP_5").metrics


@pytest.mark.parametrize("wrong", [None, "abc", {"a": 1}, {"a", "b"}, 3])
def test_refuses_what_has_no_order(wrong: Iterable[object]) -> None:
    with pytest.raises(HarnessError, match="predictions are a .*: give a list"):
        score_strings(["a"], wrong, task="LaMP_4")


def test_refuses_what_cannot_be_scored() -> None:
    with pytest.raises(HarnessError, match="2 golds and 1 predictions: give two lists of one length"):
        score_strings(["a", "b"], ["a"], task="LaMP_4")
    with pytest.raises(HarnessError, match="0 golds and 0 predictions"):
        score_strings([], [], task="LaMP_4")
    with pytest.raises(HarnessError, match="opl_policy is scored from files with tables"):
        score_pair(0, 1, task="opl_policy")
    with pytest.raises(SubmissionError, match="output is null, not a string"):
        score_pair("a", None, task="LaMP_4")
