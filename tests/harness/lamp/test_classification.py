"""Accuracy and macro F1, held to scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score

from harness.envelope import Envelope
from harness.errors import HarnessError, SubmissionError
from harness.lamp.labels import MOVIE_TAGS, NEWS_CATEGORIES
from harness.lamp.macro_f1 import macro_f1
from harness.lamp.tasks import LAMP_1, LAMP_2, LAMP_2_NEWS
from harness.registry import Task

MakeEnvelope = Callable[..., Envelope]
ValuesOf = Callable[[Task, Envelope, Envelope], dict[str, float]]


def test_label_sets() -> None:
    assert LAMP_1.labels == ("[1]", "[2]")
    for labels in (MOVIE_TAGS, NEWS_CATEGORIES):
        assert len(set(labels)) == 15
        assert all(label == label.strip().lower() for label in labels)
    assert not set(MOVIE_TAGS) & set(NEWS_CATEGORIES)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_equal_scikit_learn(envelope: MakeEnvelope, values_of: ValuesOf, data: st.DataObject) -> None:
    task = data.draw(st.sampled_from([LAMP_1, LAMP_2, LAMP_2_NEWS]))
    number = st.integers(-1, len(task.labels) - 1)
    pairs = data.draw(st.lists(st.tuples(number, number), min_size=1, max_size=60).filter(lambda p: max(p)[0] >= 0))
    gold, predicted = map(list, zip(*pairs, strict=True))
    names = (*task.labels, "none of them")
    values = values_of(
        task,
        envelope(task.name, [names[number] for number in gold]),
        envelope(task.name, [f" {names[number]}\n" for number in predicted]),
    )
    f1 = f1_score(gold, predicted, labels=range(len(task.labels)), average="macro", zero_division=0)
    assert values == {"accuracy": accuracy_score(gold, predicted), "f1": f1}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(-1, 14), st.integers(-1, 14)), min_size=1, max_size=40), st.integers(0, 99))
def test_f1_of_resamples_and_of_complex_sums(pairs: Sequence[tuple[int, int]], seed: int) -> None:
    metric = macro_f1(15)
    gold, predicted = np.array(pairs, np.float64).T
    terms = metric.summands({"gold_label": gold, "predicted_label": predicted})
    draws = np.random.default_rng(seed).integers(len(pairs), size=(5, len(pairs)))
    n = np.full(5, float(len(pairs)))
    values = metric.estimate({"n": n, **{name: term[draws].sum(axis=1) for name, term in terms.items()}})
    expected = [
        f1_score(gold[draw], predicted[draw], labels=range(15), average="macro", zero_division=0) for draw in draws
    ]
    assert values.tolist() == expected
    # The derivative by complex steps agrees with the difference that one more hit makes.
    sums = {name: np.float64(term.sum()) for name, term in terms.items()}
    label = int(max(gold[0], predicted[0], 0))
    hits, counts = f"hits_{label}", sums[f"counts_{label}"]
    stepped = metric.estimate({**sums, hits: sums[hits] + 1e-30j})  # type: ignore[dict-item]
    assert np.imag(stepped) / 1e-30 == pytest.approx(2 / max(counts, 1) / 15)


def test_terms_are_additive_and_finite() -> None:
    terms = macro_f1(2).summands({"gold_label": np.array([0.0, 1, -1]), "predicted_label": np.array([0.0, -1, 1])})
    assert {name: column.tolist() for name, column in terms.items()} == {
        "hits_0": [1, 0, 0],
        "counts_0": [2, 0, 0],
        "hits_1": [0, 0, 0],
        "counts_1": [0, 1, 1],
    }


def test_columns_and_notes(envelope: MakeEnvelope) -> None:
    samples = LAMP_1.samples(
        envelope("LaMP_1", ["[1]", " [2] ", "[9]", "[1]"]), envelope("LaMP_1", ["\u00a0[1]\u2003", "[2].", None, [1]])
    )
    assert {name: column.tolist() for name, column in samples.columns.items()} == {
        "gold_label": [0, 1, -1, 0],
        "predicted_label": [0, -1, -1, 0],  # the list [1] reads "[1]", as for the reference
        "correct": [1, 0, 1, 1],
    }
    gold, prediction = samples.notes
    assert gold.startswith("1 gold is not one of the 2 labels")
    assert prediction.startswith("2 predictions are not one of the 2 labels")
    assert not LAMP_1.samples(envelope("LaMP_1", ["[1]"]), envelope("LaMP_1", ["[2]"])).notes


@pytest.mark.parametrize(
    ("task", "gold", "hint"),
    [
        (LAMP_2, "sports", "score them as that task"),
        (LAMP_2_NEWS, "comedy", "LaMP_2, score them as that task"),
        (LAMP_2, "thriller", "the first label is 'sci-fi'"),
        (LAMP_1, "1", r"the first label is '\[1\]'"),
    ],
)
def test_golds_without_any_label(envelope: MakeEnvelope, task: Task, gold: str, hint: str) -> None:
    with pytest.raises(HarnessError, match=hint) as caught:
        task.samples(envelope(task.name, [gold, "x"]), envelope(task.name, ["comedy", "x"]))
    assert not isinstance(caught.value, SubmissionError)
    if gold == "sports":
        assert "LaMP_2_news" in str(caught.value)


def test_outputs_that_str_cannot_write(envelope: MakeEnvelope) -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    for output in (10**5000, deep):
        with pytest.raises(SubmissionError, match="id '0': output is no text"):
            LAMP_1.samples(envelope("LaMP_1", ["[1]"]), envelope("LaMP_1", [output]))
    while deep:  # unwound by hand: freeing it at once would recurse as deeply
        deep = deep.pop()  # type: ignore[assignment]
