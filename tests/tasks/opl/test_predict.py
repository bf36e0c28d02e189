from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import read_golds, read_predictions
from harness.opl.predictions import action_dist as read_action_dist
from store.digest import sha256_file
from tasks.api import TaskError
from tasks.opl.predict import as_table, encode, rounded_units
from tests.tasks.opl.finished_run import N_ACTIONS, FinishedRun, add_policy, finished_run


@pytest.fixture
def run(tmp_path: Path) -> FinishedRun:
    return finished_run(tmp_path)


def outputs_of(path: Path) -> list[dict]:
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("opl_policy.json"))["golds"]


def test_golds_hold_the_test_split_alone(run):
    made = run.predict()
    golds = read_golds(made.path("golds.zip"))
    test = np.flatnonzero(run.is_test)
    assert sorted(golds.ids) == sorted(str(context) for context in test)
    by_id = dict(zip(golds.ids, zip(golds.users, golds.outputs, strict=True), strict=True))
    for row, context in enumerate(test):
        assert by_id[str(context)] == (str(run.user[context]), row)
    np.testing.assert_array_equal(golds.arrays["rewards"], run.rewards[test])
    np.testing.assert_array_equal(golds.arrays["logging"], run.logging[test])
    assert made.manifest.made_by.metrics == {"n_contexts": len(test), "n_actions": N_ACTIONS, "n_policies": 6}


def test_every_policy_is_read_back_as_it_was(run):
    made = run.predict()
    golds = read_golds(made.path("golds.zip"))
    rows = np.array([int(name) for name in golds.ids])
    best = np.eye(N_ACTIONS)[run.rewards.argmax(axis=1)]
    uniform = np.full(run.rewards.shape, 1 / N_ACTIONS)
    wanted = {**run.policies, "uniform": uniform, "logging": run.logging, "optimal": best}
    about = made.read_json("about.json")
    assert about["policies"] == ["uniform", "logging", "direct_method", "ips", "online", "optimal"]
    assert about["scale"] == 10.0 and about["n_users"] == len(np.unique(run.user[run.is_test]))
    for name, action_dist in wanted.items():
        found = read_action_dist(read_predictions(made.path(f"{name}.zip"), golds), slice(None), N_ACTIONS)
        np.testing.assert_allclose(found, action_dist[rows], atol=1e-6, rtol=0)
    assert all(type(item["output"]) is int for item in outputs_of(made.path("optimal.zip")))
    assert all(type(item["output"]) is int for item in outputs_of(made.path("direct_method.zip")))


def test_the_bytes_depend_on_nothing_but_the_inputs(run):
    first = run.predict()
    digests = {entry.path: entry.sha256 for entry in first.manifest.files}
    shutil.rmtree(run.store.root / first.name)
    again = run.predict()
    assert {entry.path: sha256_file(again.path(entry.path)) for entry in again.manifest.files} == digests


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.floats(0.01, 30))
def test_rounded_probabilities_sum_to_one(seed, n_actions, sharpness):
    rng = np.random.default_rng(seed)
    p = np.exp(sharpness * rng.normal(size=(3, n_actions)))
    p /= p.sum(axis=1, keepdims=True)
    units = rounded_units(p)
    assert (units >= 0).all() and (units.sum(axis=1) == 1_000_000).all()
    assert np.abs(units / 1e6 - p).max() <= 1e-6


def test_the_smallest_form_is_taken():
    n, many = 20, 400
    peaked = np.zeros((n, many))
    peaked[:, 3], peaked[:, 7] = 0.75, 0.25
    assert encode(peaked).outputs[0] == {"actions": [3, 7], "probs": [0.75, 0.25], "rest": 0.0}
    assert encode(np.eye(many)[:n]).outputs == list(range(n))
    assert encode(np.full((n, 4), 0.25)).outputs[0] == [0.25] * 4
    flat = np.random.default_rng(0).dirichlet(np.ones(many), size=n)
    table = encode(flat)
    assert table.outputs == as_table(flat).outputs
    np.testing.assert_array_equal(table.action_dist, flat)


def test_policies_that_do_not_fit_are_refused(run):
    first = run.artifacts["opl/policy/ips"]
    twin = add_policy(run, "ips", run.policies["ips"], seed=1)
    with pytest.raises(TaskError, match=r"policies: .* are both by ips; give one of them"):
        run.predict(policies=[first, twin])
    with pytest.raises(TaskError, match="reserved name"):
        run.predict(policies=[add_policy(run, "optimal", run.policies["ips"])])
    with pytest.raises(TaskError, match=r"opl/policy/small@.*: action_dist has shape \(60, 3\) but the environment is"):
        run.predict(policies=[add_policy(run, "small", np.full((60, 3), 1 / 3))])
    with pytest.raises(TaskError, match=r"opl/policy/bad@.*row 0 is no distribution"):
        run.predict(policies=[add_policy(run, "bad", run.policies["ips"] * 0.9)])
