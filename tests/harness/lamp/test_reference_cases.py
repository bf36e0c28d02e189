"""All values of the reference cases, to the last bit."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness import registry
from harness.envelope import Envelope
from harness.lamp.reference_rouge import reference_rouge
from harness.registry import Task

Cases = dict[str, tuple[Envelope, Envelope]]
ValuesOf = Callable[[Task, Envelope, Envelope], dict[str, float]]


def test_values_of_all_seven_tasks(reference: Path, cases: Cases, values_of: ValuesOf) -> None:
    expected = json.loads((reference / "expected.json").read_text())
    wanted = {**expected["exact"], **expected["rouge_plain_mean"]}
    assert {task: values_of(registry.get(task), *pair) for task, pair in cases.items()} == wanted


def test_every_generated_text(reference: Path, cases: Cases) -> None:
    expected = json.loads((reference / "expected_per_item.json").read_text())
    assert sorted(expected) == ["LaMP_4", "LaMP_5", "LaMP_6", "LaMP_7"]
    for task, items in expected.items():
        golds, predictions = cases[task]
        columns = registry.get(task).samples(golds, predictions).columns
        rows = {name: row for row, name in enumerate(golds.ids)}
        assert len(items) == len(rows)
        for item in items:
            row = rows[item["id"]]
            assert (columns["rouge-1"][row], columns["rouge-L"][row]) == (item["rouge1"], item["rougeL"])


@pytest.mark.parametrize("hash_seed", ["0", "1", "2"])
def test_the_scores_that_the_reference_prints_for_a_seed(reference: Path, cases: Cases, hash_seed: str) -> None:
    expected = json.loads((reference / "expected.json").read_text())["rouge_reference_seeded_bit_exact"]
    generation = {task: pair for task, pair in cases.items() if task in next(iter(expected.values()))}
    order = subprocess.run(
        [
            sys.executable,
            "-c",
            "import json; print(json.dumps({k: list(set(v)) for k, v in json.loads(input()).items()}))",
        ],
        input=json.dumps({task: golds.ids for task, (golds, _) in generation.items()}),
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    visited = json.loads(order)
    seeds = [
        (int(found[1]), values)
        for key, values in expected.items()
        if (found := re.fullmatch(rf"PYTHONHASHSEED={hash_seed},np.random.seed\((\d+)\)", key))
    ]
    assert len(seeds) == 2
    for task, (golds, predictions) in generation.items():
        columns = registry.get(task).samples(golds, predictions).columns
        rows = np.array([golds.ids.index(name) for name in visited[task]])
        for seed, values in seeds:
            rouge1, rougeL = reference_rouge(columns["rouge-1"][rows], columns["rouge-L"][rows], seed)
            assert {"rouge-1": rouge1, "rouge-L": rougeL} == values[task]


def test_edge_probes(reference: Path, envelope: Callable[..., Envelope], values_of: ValuesOf) -> None:
    probes = json.loads((reference / "edge_probes.json").read_text())
    probes = {name: probe for name, probe in probes.items() if re.match("l1_|l2_|l3_|gen_", name)}
    assert len(probes) == 15
    for name, probe in probes.items():
        golds, predictions = (
            envelope(probe["task"], [output for _, output in probe[side]], where=side) for side in ("golds", "preds")
        )
        task = registry.get(probe["task"])
        if probe["rc"] == 0:
            assert values_of(task, golds, predictions) == json.loads(probe["output_file"]), name
            continue
        # Where the reference crashes, one sentence tells whose fault it is and where.
        with pytest.raises(registry.HarnessError) as caught:
            task.samples(golds, predictions)
        blamed = "golds" if "bad_gold" in name else "preds"
        assert (type(caught.value).__name__ == "SubmissionError") == (blamed == "preds"), name
        assert re.match(rf"{blamed}: id '[01]': ", str(caught.value)), name
