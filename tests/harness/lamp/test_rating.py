"""MAE and RMSE of ratings, held to scikit-learn and to the reference's rules."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from harness.envelope import Envelope
from harness.errors import HarnessError, SubmissionError
from harness.lamp.rating import rating_samples
from harness.lamp.tasks import LAMP_3
from harness.registry import Task

MakeEnvelope = Callable[..., Envelope]
ValuesOf = Callable[[Task, Envelope, Envelope], dict[str, float]]
RATING = st.one_of(st.integers(1, 5), st.floats(-1e6, 1e6))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(-9, 9)), min_size=1, max_size=60))
def test_whole_ratings_equal_scikit_learn(
    envelope: MakeEnvelope, values_of: ValuesOf, pairs: Sequence[tuple[int, int]]
) -> None:
    gold, predicted = zip(*pairs, strict=True)
    values = values_of(LAMP_3, envelope("LaMP_3", list(map(str, gold))), envelope("LaMP_3", predicted))
    assert values == {"MAE": mean_absolute_error(gold, predicted), "RMSE": root_mean_squared_error(gold, predicted)}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(RATING, RATING), min_size=1, max_size=60))
def test_any_ratings_are_near_scikit_learn(
    envelope: MakeEnvelope, values_of: ValuesOf, pairs: Sequence[tuple[float, float]]
) -> None:
    gold, predicted = np.array(pairs, np.float64).T
    values = values_of(LAMP_3, envelope("LaMP_3", gold.tolist()), envelope("LaMP_3", predicted.tolist()))
    single = gold.astype(np.float32).astype(np.float64), predicted.astype(np.float32).astype(np.float64)
    assert values["MAE"] == pytest.approx(mean_absolute_error(*single))
    assert values["RMSE"] == pytest.approx(root_mean_squared_error(*single))
    assert 0 <= values["MAE"] <= values["RMSE"] * (1 + 1e-12)
    assert values_of(LAMP_3, envelope("LaMP_3", gold.tolist()), envelope("LaMP_3", gold.tolist())) == {
        "MAE": 0.0,
        "RMSE": 0.0,
    }


@pytest.mark.parametrize(
    ("output", "read"),
    [
        *[("3.5", 3.5), ("1e1", 10), ("1_0", 10), ("+1", 1), (" -2\n", -2), ("４", 4), ("٢", 2), (4.25, 4.25)],
        *[("3.3", 3.299999952316284), ("1e-400", 0.0), ("0" * 5000 + "4", 4)],
    ],
)
def test_what_reads_as_a_number(envelope: MakeEnvelope, output: object, read: float) -> None:
    samples = rating_samples(envelope("LaMP_3", ["3"]), envelope("LaMP_3", [output]))
    assert samples.columns["prediction"].tolist() == [read]
    outside = ("1 prediction is outside the scale of 1 to 5 and not clamped",)
    assert samples.notes == (() if 1 <= read <= 5 else outside)


@pytest.mark.parametrize("output", ["three", "", "4,", "[2]", "0x3", None, True, "1 star", [3], "4\x00"])
def test_other_text_is_the_farther_end(envelope: MakeEnvelope, output: object) -> None:
    golds = ["1", "2", "3", "4", "5", "3.5", "2.9"]
    samples = rating_samples(envelope("LaMP_3", golds), envelope("LaMP_3", [output] * 7))
    assert samples.columns["prediction"].tolist() == [5, 5, 5, 1, 1, 1, 5]
    assert samples.notes[0].startswith("7 predictions are not a number")


def test_columns(envelope: MakeEnvelope) -> None:
    samples = rating_samples(envelope("LaMP_3", ["5", 4]), envelope("LaMP_3", ["2", "x"]))
    assert {name: column.tolist() for name, column in samples.columns.items()} == {
        "gold": [5, 4],
        "prediction": [2, 1],
        "absolute_error": [3, 3],
        "squared_error": [9, 9],
    }
    assert samples.notes[0].startswith("1 prediction is not a number")


@pytest.mark.parametrize("output", ["nan", "inf", "-Infinity", "1e39", "9" * 400, "1" * 100_000, math.inf, 10**4000])
def test_what_single_precision_cannot_hold(envelope: MakeEnvelope, output: object) -> None:
    golds = envelope("LaMP_3", ["4.03125", "4.03125"])
    with pytest.raises(SubmissionError, match="preds: id '1': output is nan, infinite or too large") as caught:
        rating_samples(golds, envelope("LaMP_3", ["4", output], where="preds"))
    assert "4.03125" not in str(caught.value)
    with pytest.raises(HarnessError, match="id '0'") as caught:
        rating_samples(envelope("LaMP_3", [output, "4"]), golds)
    assert type(caught.value) is HarnessError


def test_golds_that_are_no_number(envelope: MakeEnvelope) -> None:
    with pytest.raises(HarnessError, match="golds: id '1': the gold 'three' is not a number"):
        rating_samples(envelope("LaMP_3", ["3", "three"], where="golds"), envelope("LaMP_3", ["x", "x"]))
    with pytest.raises(SubmissionError, match="output is no text"):
        rating_samples(envelope("LaMP_3", ["3"]), envelope("LaMP_3", [10**5000]))
