"""A run of the benchmark, made small: what it writes, that it repeats, that it goes on after a kill."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from harness import score
from harness.opl import reference_values
from harness.opl.interface import policy_value
from store import Artifact, Store
from tasks.api import Runtime, TaskError
from tasks.opl.synthetic import run as run_module
from tasks.opl.synthetic.config import RunConfig
from tasks.opl.synthetic.draw import draw_run_environment
from tasks.opl.synthetic.problem import draw_run, network_policy
from tasks.opl.synthetic.run import learn
from tasks.runner import prepare, run_job

QUICK = {"n_steps": 60, "eval_every": 20, "regression_steps": 60}
SMALL = {
    "n_rounds": 300,
    "n_actions": 12,
    "n_contexts": 40,
    "n_online_contexts": 100,
    "learners": {
        "online": {"method": "online", **QUICK},
        "direct_method": {"method": "direct_method", **QUICK},
        "sentence_greedy": {"method": "sentence_greedy", "reward_model": "bilinear"},
    },
}


def made(root: Path, name: str = "synthetic.run", values: object = None, inputs: object = None) -> Artifact:
    store = Store.open(str(root))
    return run_job(
        prepare(name, {**SMALL, **(values or {})} if name == "synthetic.run" else {}, inputs or {}), store, Runtime()
    ).artifact


@pytest.fixture(scope="module")
def artifact(tmp_path_factory) -> Artifact:
    return made(tmp_path_factory.mktemp("run"))


def test_every_policy_is_written_as_the_harness_scores_it(artifact) -> None:
    about = artifact.read_json("about.json")
    assert about == {"policies": ["uniform", "logging", "optimal", "online", "direct_method", "sentence_greedy"]}
    metrics, golds = artifact.manifest.made_by.metrics, artifact.path("golds.zip")
    values = reference_values(golds, "opl_synthetic")
    assert values["optimal"] == pytest.approx(metrics["optimal_value"], abs=1e-12)
    for name in about["policies"]:
        found = score(golds, artifact.path(f"{name}.zip"), n_bootstrap=0).only.metrics
        if name in values:
            assert found["policy_value"].value == pytest.approx(values[name], abs=1e-6)
        else:
            assert found["policy_value"].value == pytest.approx(metrics[f"value_{name}"], abs=1e-5)
    assert score(golds, artifact.path("optimal.zip"), n_bootstrap=0).only.metrics["optimality"].value == pytest.approx(
        1
    )


def test_curves_end_where_selection_looked(artifact) -> None:
    curves = artifact.read_json("curves.json")
    assert [point["step"] for point in curves["online"]["points"]] == [0, 20, 40, 60]
    assert len(curves["sentence_greedy"]["points"]) == 1
    selected = next(p for p in curves["online"]["points"] if p["step"] == curves["online"]["selected_step"])
    assert selected["value"] == pytest.approx(artifact.manifest.made_by.metrics["value_online"], abs=1e-6)


def test_the_same_run_elsewhere_has_the_same_digest(artifact, tmp_path) -> None:
    assert made(tmp_path).digest == artifact.digest
    assert made(tmp_path, values={"seed": 1}).digest != artifact.digest


def test_a_killed_run_goes_on_with_the_next_learner(artifact, tmp_path, monkeypatch) -> None:
    learnt = []

    def counted(drawn, config, *arguments):
        learnt.append(config.method)
        if len(learnt) == 2:
            raise KeyboardInterrupt
        return learn(drawn, config, *arguments)

    monkeypatch.setattr(run_module, "learn", counted)
    with pytest.raises(KeyboardInterrupt):
        made(tmp_path)
    assert made(tmp_path).digest == artifact.digest
    assert learnt == ["online", "direct_method", "direct_method", "sentence_greedy"]


def test_more_rounds_leave_contexts_and_earlier_rounds_as_they_are() -> None:
    few, many = (draw_run(RunConfig.model_validate({**SMALL, "n_rounds": n})) for n in (100, 300))
    assert np.array_equal(few.test, many.test)
    assert np.array_equal(few.log.feedback.context, many.log.feedback.context[:100])
    assert np.array_equal(few.log.feedback.reward, many.log.feedback.reward[:100])
    more_noise = draw_run(RunConfig.model_validate({**SMALL, "n_rounds": 100, "reward_std": 2.0}))
    assert np.array_equal(more_noise.log.feedback.action, few.log.feedback.action)


def test_learners_see_nothing_of_the_truth_but_what_was_logged() -> None:
    drawn = draw_run(RunConfig.model_validate(SMALL))
    config = drawn.config.learner("direct_method")
    problem = drawn.problem(config)
    assert problem is drawn.problem(config)
    seen = torch.cat([problem.train.context, problem.val.context])
    assert sorted(seen.tolist()) == list(range(300))
    assert torch.allclose(problem.logging.sum(dim=1), torch.ones(300))
    chosen = problem.logging[problem.train.context, problem.train.action]
    assert torch.allclose(chosen, problem.train.pscore, atol=1e-6)


@pytest.mark.parametrize("variant", ["published", "nonlinear", "misspecified", "confounded", "hard"])
def test_every_variant_can_be_learnt_in(variant) -> None:
    values = {
        **SMALL,
        "variant": variant,
        "learners": {"greedy": {"method": "sentence_greedy", "reward_model": "bilinear"}},
    }
    drawn = draw_run(RunConfig.model_validate(values))
    rewards = drawn.environment.expected_rewards(drawn.test)
    found = learn(drawn, drawn.config.learner("greedy"), rewards)
    assert (found.action_dist * rewards).sum(axis=1).mean() > rewards.mean()
    assert drawn.features.context.shape[1] == 10


def test_a_published_logging_policy_is_a_softmax_of_predicted_rewards() -> None:
    config = RunConfig.model_validate({**SMALL, "logging": "network", "logging_steps": 3000})
    environment = draw_run_environment(config)
    pi_0 = network_policy(environment, config)
    contexts = environment.sample_contexts(50, np.random.default_rng(0))
    assert np.allclose(pi_0(contexts).sum(axis=1), 1)
    assert policy_value(environment, pi_0, contexts) > environment.expected_rewards(contexts).mean()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"learners": {}}, "learners: give at least one"),
        ({"learners": {"optimal": {"method": "ips"}}}, "other than uniform, logging, optimal"),
        ({"learners": {"a b": {"method": "ips"}}}, "letters, digits"),
        ({"learners": {"a": {"method": "ipss"}}}, "learners.a.method: Input should be"),
        ({"learners": {"a": {"method": "ips", "stepz": 3}}}, "stepz"),
        ({"learners": {"dso": {"method": "dso", "published": True}}}, "'dso': a name must end in _published"),
        ({"learners": {"dso_published": {"method": "dso"}}}, "may end in _published only where published is true"),
        ({"n_actions": 1}, "n_actions: Input should be greater than or equal to 2"),
        ({"variant": "harder"}, "variant: Input should be"),
    ],
)
def test_a_run_that_cannot_be_is_refused(values, message) -> None:
    with pytest.raises(TaskError, match=message):
        prepare("synthetic.run", {**SMALL, **values}, {})


def test_times_are_kept_beside_the_result_and_not_in_its_digest(artifact) -> None:
    seconds = json.loads(artifact.path("aux/seconds.json").read_text())
    assert set(seconds) == {"online", "direct_method", "sentence_greedy"}
