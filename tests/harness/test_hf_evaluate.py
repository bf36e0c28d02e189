"""LaMP's tasks inside Hugging Face `evaluate`, offline, against `harness.score` on the reference cases."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from harness import HarnessError, SubmissionError, score, write_envelope

if TYPE_CHECKING:
    from harness.adapters.hf_evaluate import TaskMetric

evaluate = pytest.importorskip("evaluate")
CASES = Path(__file__).resolve().parents[3] / "shared" / "cases" / "lamp"
LAMP = [f"LaMP_{number}" for number in range(1, 8)]


@pytest.fixture(autouse=True)
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """No network, and `evaluate`'s cache in a directory of this test's own; nothing may be written elsewhere."""
    monkeypatch.setenv("HF_EVALUATE_OFFLINE", "1")
    monkeypatch.setattr(evaluate.config, "HF_METRICS_CACHE", tmp_path / "cache")
    monkeypatch.setattr("socket.socket.connect", _refuse)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    yield tmp_path / "cache"
    assert not list(work.iterdir())


def _refuse(*_: object) -> None:
    raise AssertionError("the network was asked")


def metric(task: str, **options: object) -> TaskMetric:
    from harness.adapters.hf_evaluate import metric

    return metric(task, **options)


def cases(task: str) -> tuple[list[str], list[str]]:
    """Predictions and references of the reference cases, as text."""
    if not CASES.is_dir():
        pytest.skip(f"no reference cases at {CASES}")
    sides = []
    for name in ("preds.zip", "golds.zip"):
        with zipfile.ZipFile(CASES / name) as archive:
            bodies = [json.loads(archive.read(member)) for member in archive.namelist()]
        (body,) = [body for body in bodies if body["task"] == task]
        sides.append({row["id"]: str(row["output"]) for row in body["golds"]})
    predictions, references = sides
    return [predictions[name] for name in references], list(references.values())


@pytest.mark.parametrize("task", LAMP)
def test_values_are_those_of_score_and_of_the_reference(task: str) -> None:
    expected = json.loads((CASES / "expected.json").read_text()) if CASES.is_dir() else None
    predictions, references = cases(task)
    values = metric(task).compute(predictions=predictions, references=references)
    assert values == score(CASES / "golds.zip", CASES / "preds.zip", task=task, n_bootstrap=0)[task].bare()
    assert expected is not None and values == (expected["exact"] | expected["rouge_plain_mean"])[task]
    assert {type(value) for value in values.values()} == {float}


@pytest.mark.parametrize("task", LAMP)
def test_values_do_not_depend_on_how_samples_are_added(task: str) -> None:
    predictions, references = cases(task)
    at_once, by_one, by_batch = metric(task), metric(task), metric(task, keep_in_memory=True)
    for prediction, reference in zip(predictions, references, strict=True):
        by_one.add(prediction=prediction, reference=reference)
    by_batch.add_batch(predictions=predictions[::2], references=references[::2])
    by_batch.add_batch(predictions=np.array(predictions[1::2]), references=tuple(references[1::2]))
    values = at_once.compute(predictions=predictions, references=references)
    assert by_one.compute() == by_batch.compute() == values
    assert at_once.compute(predictions=predictions, references=references) == values


def test_combined_metrics_are_told_apart_by_their_tasks() -> None:
    headline = metric("LaMP_4").compute(predictions=["a b"], references=["a c"])
    both = evaluate.combine([metric("LaMP-4"), metric("LaMP_5")])
    assert both.compute(predictions=["a b"], references=["a c"]) == {
        f"{task}_{name}": value for task in ("LaMP_4", "LaMP_5") for name, value in headline.items()
    }
    mixed = evaluate.combine([metric("LaMP_3"), metric("LaMP_4")])
    mixed.add(prediction="3", reference="5")
    mixed.add_batch(predictions=["4"], references=["4"])
    assert mixed.compute() == {"MAE": 1.0, "RMSE": 2**0.5, "rouge-1": 0.5, "rouge-L": 0.5}
    twice = evaluate.combine({"a": metric("LaMP_3"), "b": metric("LaMP_3")})
    assert twice.compute(predictions=["3"], references=["4"]) == {"a_MAE": 1, "a_RMSE": 1, "b_MAE": 1, "b_RMSE": 1}
    prefixed = evaluate.combine([metric("LaMP_3")], force_prefix=True)
    assert prefixed.compute(predictions=["3"], references=["4"]).keys() == {"LaMP_3_MAE", "LaMP_3_RMSE"}


def test_the_cache_is_the_task_s_own_and_is_emptied(offline: Path) -> None:
    one, other = metric("LaMP_4", experiment_id="run"), metric("LaMP_5", experiment_id="run")
    for instance in (one, other, metric("LaMP_4", experiment_id="run")):
        instance.add(prediction="a", reference="a")
        instance.compute()
    assert (offline / "LaMP_4").is_dir() and (offline / "LaMP_5").is_dir()
    assert not list(offline.rglob("*.arrow"))


def test_info_tells_formulas_and_the_citation() -> None:
    info = metric("LaMP_3").info
    assert info.module_name == "LaMP_3" and info.experiment_id == "default_experiment"
    assert info.description.startswith("LaMP_3, version ")
    assert "2304.11406" in info.citation
    assert "`MAE` (lower is better): " in info.inputs_description
    assert {name: feature.dtype for name, feature in info.features.items()} == {
        "predictions": "string",
        "references": "string",
    }


def test_a_metric_survives_pickling() -> None:
    copy = pickle.loads(pickle.dumps(metric("LaMP_2")))
    assert copy.compute(predictions=["comedy"], references=["comedy"])["accuracy"] == 1.0


def test_what_a_reader_must_know_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    metric("LaMP_1").compute(predictions=["[1]", "one"], references=["[1]", "[2]"])
    (record,) = caplog.records
    assert record.getMessage().startswith("LaMP_1: 1 prediction is ")


@pytest.mark.parametrize("missing", [None, float("nan"), 5, ["a"]])
def test_what_is_no_string_is_refused_wherever_it_stands(missing: object) -> None:
    with pytest.raises(SubmissionError, match="predictions: number 1 is of the type"):
        metric("LaMP_4").compute(predictions=["a", missing], references=["a", "b"])
    with pytest.raises(HarnessError, match="references: number 1 is of the type"):
        metric("LaMP_4").compute(predictions=["a", "b"], references=["a", missing])
    with pytest.raises(ValueError):
        metric("LaMP_4").add(prediction=missing, reference="a")


def test_lists_of_two_lengths_and_no_lists_are_refused() -> None:
    with pytest.raises(ValueError, match="Mismatch in the number of predictions"):
        metric("LaMP_4").compute(predictions=["a", "b"], references=["a"])
    with pytest.raises(HarnessError, match="give two lists"):
        metric("LaMP_4").compute(predictions=[], references=[])


def test_a_refusal_leaves_the_metric_usable() -> None:
    rating = metric("LaMP_3")
    with pytest.raises(HarnessError):
        rating.compute(predictions=["3"], references=["three"])
    assert rating.compute(predictions=["3"], references=["4"]) == {"MAE": 1.0, "RMSE": 1.0}


@pytest.mark.parametrize("task", ["ranking", "click", "opl_policy"])
def test_tasks_whose_outputs_are_no_strings_are_refused(task: str) -> None:
    with pytest.raises(HarnessError, match="harness.score_strings"):
        metric(task)


def test_an_unknown_task_is_refused_with_the_nearest() -> None:
    with pytest.raises(HarnessError, match="did you mean 'LaMP_4'"):
        metric("LaMP4")


def test_words_of_any_script_go_through_the_cache_unchanged(tmp_path: Path) -> None:
    texts = ["Café 10,000", "\u2028x", "a\0b", "İstanbul", "K", "", "  ", "日本"]
    golds = [{"id": str(row), "output": text} for row, text in enumerate(texts)]
    write_envelope(tmp_path / "golds.zip", "LaMP_4", golds)
    shifted = [{"id": str(row), "output": texts[row - 1] + " x"} for row in range(len(texts))]
    write_envelope(tmp_path / "preds.zip", "LaMP_4", shifted)
    expected = score(tmp_path / "golds.zip", tmp_path / "preds.zip", n_bootstrap=0)["LaMP_4"].bare()
    assert metric("LaMP_4").compute(predictions=[row["output"] for row in shifted], references=texts) == expected


def test_evaluate_is_imported_by_the_adapter_alone() -> None:
    code = "import sys, harness, harness.adapters, harness.strings; print('evaluate' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


def test_a_fresh_process_needs_no_hub_and_writes_into_the_cache_alone(tmp_path: Path) -> None:
    code = (
        "from harness.adapters.hf_evaluate import metric\n"
        "print(metric('LaMP_4').compute(predictions=['A new bridge'], references=['The bridge']))"
    )
    environment = os.environ | {
        "HF_HOME": str(tmp_path / "hf"),
        "HF_HUB_OFFLINE": "1",
        "HF_EVALUATE_OFFLINE": "1",
        "HOME": str(tmp_path),
    }
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == "{'rouge-1': 0.4, 'rouge-L': 0.4}"
    assert [entry.name for entry in tmp_path.iterdir() if entry.name not in ("work", "cache")] == ["hf"]
