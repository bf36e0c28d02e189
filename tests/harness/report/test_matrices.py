"""Counts of gold against predicted, against scikit-learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.metrics import confusion_matrix

from harness import registry, write_envelope
from harness.lamp.labels import MOVIE_TAGS
from harness.report.matrices import Matrix, label_matrix, rating_matrix
from tests.harness.report.conftest import scored

Files = tuple[Path, dict[str, Path]]


def counts(matrix: Matrix) -> np.ndarray:
    return np.array([[cell.count for cell in cells] for _, _, cells in matrix.rows])


def test_labels_as_scikit_learn_counts_them(lamp: Files) -> None:
    golds, systems = lamp
    one = scored(golds, systems["base"], "LaMP_2")
    found = label_matrix(registry.get("LaMP_2"), "base", one)
    labels = [*MOVIE_TAGS, "no label"]
    predicted = [output if output in MOVIE_TAGS else "no label" for output in one.predictions.outputs]
    assert found is not None and found.columns == labels and not found.small
    assert (counts(found) == confusion_matrix(one.golds.outputs, predicted, labels=labels)[:-1]).all()
    assert [total for _, total, _ in found.rows] == [one.golds.outputs.count(tag) for tag in MOVIE_TAGS]
    same = [[cell.same for cell in cells] for _, _, cells in found.rows]
    assert (np.array(same) == np.eye(15, 16, dtype=bool)).all()


def test_golds_that_are_no_label_have_a_row(tmp_path: Path) -> None:
    outputs = {"g": ["[1]", "[9]", "[9]", "[2]"], "p": ["[1]", "x", "[1]", "[1]"]}
    for name, texts in outputs.items():
        write_envelope(tmp_path / f"{name}.zip", "LaMP_1", [{"id": str(i), "output": t} for i, t in enumerate(texts)])
    one = scored(tmp_path / "g.zip", tmp_path / "p.zip", "LaMP_1")
    found = label_matrix(registry.get("LaMP_1"), "p", one)
    assert found is not None and [label for label, _, _ in found.rows] == found.columns == ["[1]", "[2]", "no label"]
    diagonal = sum(cells[place].count for place, (_, _, cells) in enumerate(found.rows))
    assert diagonal / 4 == one.result.metrics["accuracy"].value
    assert found.rows[2][2][2].same


def test_ratings_are_rounded_and_what_lies_beyond_is_apart(lamp: Files) -> None:
    golds, systems = lamp
    one = scored(golds, systems["base"], "LaMP_3")
    found = rating_matrix("base", one)
    assert found is not None and found.small and found.columns == ["1", "2", "3", "4", "5", "< 1", "> 5"]
    read = np.floor(one.samples.columns["prediction"] + 0.5)
    words = ["< 1" if value < 1 else "> 5" if value > 5 else f"{value:.0f}" for value in read]
    expected = confusion_matrix(one.golds.outputs, words, labels=found.columns)[:5]
    assert (counts(found) == expected).all()


def test_columns_of_nothing_are_left_out(lamp: Files, tmp_path: Path) -> None:
    golds, _ = lamp
    from harness import write_envelope
    from tests.harness.report.conftest import items

    write_envelope(tmp_path / "fives.zip", "LaMP_3", items(["5"] * 60))
    found = rating_matrix("fives", scored(golds, tmp_path / "fives.zip", "LaMP_3"))
    assert found is not None and found.columns == ["1", "2", "3", "4", "5"]


def test_no_matrix_for_texts(lamp: Files) -> None:
    golds, systems = lamp
    one = scored(golds, systems["base"], "LaMP_4")
    assert label_matrix(registry.get("LaMP_4"), "base", one) is None and rating_matrix("base", one) is None
