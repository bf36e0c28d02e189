from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from tasks.api import TaskError
from tasks.opl.config import LearnConfig
from tasks.opl.env import LanguageEnvironment
from tasks.opl.learn import curve, deficient_support, logits_of
from tasks.opl.learners import LEARNERS, online
from tasks.opl.learners.doubly_robust import cross_fit
from tasks.opl.networks import PolicyNetwork, RewardNetwork, Standardise
from tasks.opl.outputs import AdditiveOutputs, TabulatedOutputs
from tasks.opl.problem import FeatureTensors, Fit, generators, hold_out_users, logged_problem, online_problem
from tasks.opl.rounds import LoggedRounds, softmax
from tests.tasks.opl.made_pipeline import QUICK, made_environment, softened

CPU = torch.device("cpu")
ENV = made_environment()
LOGGING = softened(ENV, 0.3)
ASCENDING = [method for method in LEARNERS if "greedy" not in method]
SEEKING = [method for method in LEARNERS if method != "behaviour_cloning"]
BRIEF: dict[str, object] = {"n_steps": 40, "regression_steps": 40}
LOG = ENV.sample_logged_data(LOGGING, 3000, np.random.default_rng(5), reward_std=0.05)


def config(method: str, **values: object) -> LearnConfig:
    return LearnConfig.model_validate({"method": method, **QUICK, "n_clusters": ENV.n_actions, **values})


def learnt(method: str, env: LanguageEnvironment = ENV, log: LoggedRounds = LOG, **values: object) -> Fit:
    made = config(method, **values)
    if method == "online":
        return online.learn(online_problem(env, made, CPU), made, generators(made.seed), None)
    return LEARNERS[method](logged_problem(env, log, made, CPU, LOGGING), made, generators(made.seed), None)


@cache
def fitted(method: str) -> Fit:
    return learnt(method)


def policy_of(fit: Fit, env: LanguageEnvironment = ENV) -> np.ndarray:
    features = FeatureTensors.of(env.features, CPU)
    return softmax(logits_of(fit.policy, features, torch.arange(env.n_contexts)).double().numpy())


@pytest.mark.parametrize("method", ["online", *SEEKING])
def test_learners_find_the_best_prompts_of_users_they_never_saw(method: str) -> None:
    action_dist = policy_of(fitted(method))
    test = ENV.contexts("test")
    chosen, best = action_dist[test].argmax(axis=1), ENV.expected_rewards("test").argmax(axis=1)
    assert (chosen == best).mean() > 0.9
    value = ENV.policy_value(action_dist)
    assert value > ENV.policy_value(LOGGING) + 0.3
    assert value > 0.8 * ENV.optimal_value()


@pytest.mark.parametrize("method", ["online", *ASCENDING])
def test_the_selected_weights_are_those_of_the_best_estimate(method: str) -> None:
    fit = fitted(method)
    estimates = [-point.val_loss for point in fit.history.points]
    best = int(np.argmax(estimates))
    assert fit.history.points[best].step == fit.history.best_step > 0
    assert all(
        torch.equal(value, fit.history.states[fit.history.best_step][name])
        for name, value in fit.policy.state_dict().items()
    )


@pytest.mark.parametrize("method", ["online", *ASCENDING])
def test_the_same_seed_gives_the_same_policy_and_another_another(method: str) -> None:
    first, again, other = (policy_of(learnt(method, seed=seed, **BRIEF)) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("method", [*LEARNERS])
def test_the_test_split_selects_nothing(method: str) -> None:
    """With other truths on the test split the same policy is learnt; only the curve's judgement changes."""
    rewards = np.where(ENV.is_train[:, None], ENV.rewards, -ENV.rewards)
    other = replace(ENV, rewards=rewards)
    fit, twin = learnt(method, **BRIEF), learnt(method, other, **BRIEF)
    assert np.array_equal(policy_of(fit), policy_of(twin))
    features = FeatureTensors.of(ENV.features, CPU)
    ours, theirs = curve(fit, ENV, features), curve(twin, other, features)
    assert [p["estimate"] for p in ours] == [p["estimate"] for p in theirs]
    assert ours[-1]["test_value"] == pytest.approx(-float(str(theirs[-1]["test_value"])))


def test_online_does_not_see_the_test_split() -> None:
    problem = online_problem(ENV, config("online"), CPU)
    assert not problem.reward(torch.from_numpy(ENV.contexts("test"))).any()
    seen = torch.cat([problem.train, problem.val]).numpy()
    assert ENV.is_train[seen].all()
    assert not set(ENV.user[problem.train.numpy()]) & set(ENV.user[problem.val.numpy()])


def test_the_curve_leaves_the_selected_weights_in_place() -> None:
    fit = learnt("ips")
    before = policy_of(fit)
    points = curve(fit, ENV, FeatureTensors.of(ENV.features, CPU))
    assert np.array_equal(before, policy_of(fit))
    selected = next(p for p in points if p["step"] == fit.history.best_step)
    assert selected["test_value"] == pytest.approx(ENV.policy_value(before, "test"), abs=1e-6)
    assert points[0]["train_loss"] is None


def test_held_out_users_are_not_learnt_from() -> None:
    train, val = hold_out_users(ENV.user[LOG.context], config("ips"))
    assert len(train) + len(val) == len(LOG)
    assert not set(ENV.user[LOG.context[train]]) & set(ENV.user[LOG.context[val]])


def test_where_nothing_is_selected_all_rounds_are_learnt_from() -> None:
    train, val = hold_out_users(ENV.user[LOG.context], config("ips", selection="last", regression_selection="last"))
    assert len(train) == len(LOG)
    assert 0 < len(val) < len(LOG)
    assert len(hold_out_users(ENV.user[LOG.context], config("ips", selection="last"))[0]) < len(LOG)


def test_selection_by_the_last_step_runs_to_the_end() -> None:
    assert learnt("ips", selection="last", n_steps=60).history.best_step == 60


@pytest.mark.parametrize(("selection", "differs"), [("snips", True), ("dr", False)])
def test_models_are_selected_by_dr_unless_told_otherwise(selection: str, differs: bool) -> None:
    auto, told = learnt("direct_method"), learnt("direct_method", selection=selection)
    assert (auto.history.points[1].val_loss != told.history.points[1].val_loss) is differs


def test_cross_fitting_predicts_each_round_by_a_model_that_has_not_seen_it() -> None:
    made = config("doubly_robust", n_folds=3)
    problem = logged_problem(ENV, LOG, made, CPU)
    predicted, on_val, r_squared = cross_fit(problem, made, generators(0))
    assert predicted.shape == (len(problem.train), ENV.n_actions)
    assert on_val.shape == (len(problem.val), ENV.n_actions)
    assert r_squared > 0.8
    spoiled = replace(problem, train=replace(problem.train, reward=problem.train.reward.clone()))
    fold = torch.randperm(len(problem.train), generator=generators(0)("folds")).tensor_split(3)[0]
    spoiled.train.reward[fold] += 100.0
    again, _, _ = cross_fit(spoiled, made, generators(0))
    rest = torch.ones(len(problem.train), dtype=torch.bool)
    rest[fold] = False
    assert torch.equal(again[fold], predicted[fold])
    assert not torch.allclose(again[rest], predicted[rest])


def test_self_normalisation_does_not_mind_a_shift_of_the_rewards() -> None:
    """IPS takes prompts for good that were only logged often when all rewards are high; SNIPS does not."""
    shifted = replace(LOG, reward=LOG.reward + 20.0)
    values = {method: ENV.policy_value(policy_of(learnt(method, log=shifted))) for method in ("ips", "snips")}
    assert values["snips"] > values["ips"]
    assert values["snips"] > 0.8 * ENV.optimal_value()


@pytest.mark.parametrize(
    ("log", "values", "message"),
    [
        (replace(LOG, pscore=np.zeros(len(LOG))), {}, "pscore"),
        (replace(LOG, action=LOG.action + 9), {}, "action must be in"),
        (replace(LOG, context=LOG.context + 120), {}, "of the test split"),
        (
            LOG.take(np.flatnonzero(ENV.user[LOG.context] == ENV.user[LOG.context[0]])),
            {},
            "1 user; selection needs users",
        ),
        (LOG, {"selection": "dr"}, "dr needs a reward model, which ips has not"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(log: LoggedRounds, values: dict[str, object], message: str) -> None:
    with pytest.raises(TaskError, match=message):
        learnt("ips", log=log, **values)


@pytest.mark.parametrize("tabulated", [True, False])
def test_reward_model_predicts_all_options_as_it_predicts_one(tabulated: bool) -> None:
    g = torch.Generator().manual_seed(0)
    context, rewards = torch.randn(40, 6, generator=g), torch.randn(40, generator=g)
    actions = AdditiveOutputs(torch.randn(5, 4, generator=g))
    row = torch.randint(3, (40,), generator=g)
    sets = TabulatedOutputs(torch.randn(3, 5, 4, generator=g), row)
    sums = AdditiveOutputs(torch.randn(5, 4, generator=g), torch.randn(40, 4, generator=g))
    outputs = sets if tabulated else sums
    ids = torch.arange(40)
    model = RewardNetwork(context, outputs.mean(ids).reshape(-1, 4), rewards, 8, g)
    every = model.predict_all(FeatureTensors(context, actions, outputs), outputs, ids, torch.zeros(1, 4))
    for action in range(5):
        option = outputs.chosen(ids, torch.full((40,), action))
        one = model(context, option) * model.target_std + model.target_mean
        assert torch.allclose(every[:, action], one, atol=1e-5)
    assert torch.allclose(model.standardised(rewards).mean(), torch.zeros(()), atol=1e-6)


def test_a_constant_input_is_standardised_to_zero() -> None:
    inputs = torch.tensor([[1.0, 5.0], [3.0, 5.0]])
    assert torch.equal(Standardise(inputs)(inputs), torch.tensor([[-1.0, 0.0], [1.0, 0.0]]))


def test_a_policy_network_has_the_papers_shape() -> None:
    network = PolicyNetwork(torch.randn(9, 4), 3, 100, torch.Generator())
    shapes = {name: tuple(value.shape) for name, value in network.named_parameters()}
    assert shapes == {"l1.weight": (100, 4), "l1.bias": (100,), "l2.weight": (3, 100), "l2.bias": (3,)}


def test_deficient_support_is_what_the_logging_policy_never_does() -> None:
    action_dist = np.array([[0.5, 0.5, 0.0], [0.1, 0.2, 0.7]])
    logging = np.array([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]])
    assert deficient_support(action_dist, logging) == pytest.approx((0.5 + 0.1) / 2)
    assert deficient_support(logging, logging) == 0
