"""MIPS and POTEC where actions come in pairs, behaviour cloning, and what regularisation does to them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tasks.api import TaskError
from tasks.opl.clusters import log_marginal, shared_clusters
from tasks.opl.config import LearnConfig
from tasks.opl.learners import LEARNERS
from tasks.opl.objectives import cross_entropy
from tasks.opl.outputs import AdditiveOutputs
from tasks.opl.policies import TwoStagePolicy
from tasks.opl.problem import FeatureTensors, Fit, LoggedProblem, RoundTensors, generators
from tasks.opl.regression import shared_reward_model

N_ROUNDS, N_CLUSTERS, N_ACTIONS = 1200, 3, 6
BRIEF: dict[str, object] = {
    "n_clusters": N_CLUSTERS,
    "eval_every": 25,
    "n_steps": 150,
    "learning_rate": 5e-3,
    "regression_steps": 200,
    "regression_learning_rate": 5e-3,
}
PAIR = torch.arange(N_ACTIONS) // 2


def made_problem(n_rounds: int = N_ROUNDS, within: float = 0.0) -> LoggedProblem:
    """E[r|x, a] = x_pair(a) +- within: which pair is best the context tells; the first of each pair by `within`.

    The last fifth of the rounds are held out. The logging policy never takes the last action.
    """
    g = torch.Generator().manual_seed(0)
    contexts = torch.randn(n_rounds, N_CLUSTERS, generator=g)
    sign = 1 - 2.0 * (torch.arange(N_ACTIONS) % 2)
    vectors = torch.eye(N_CLUSTERS)[PAIR] * 4 + 0.5 * sign[:, None]
    logits = torch.randn(n_rounds, N_ACTIONS, generator=g) / 2
    logits[:, -1] = -torch.inf
    logging = torch.softmax(logits, dim=1)
    action = torch.multinomial(logging, 1, generator=g).squeeze(1)
    ids = torch.arange(n_rounds)
    reward = contexts[ids, PAIR[action]] + within * sign[action] + 0.2 * torch.randn(n_rounds, generator=g)
    actions = AdditiveOutputs(vectors)
    rounds = RoundTensors(ids, action, reward, logging[ids, action], vectors[action])
    features = FeatureTensors(contexts, actions, actions)
    train, val = ids.tensor_split([n_rounds * 4 // 5])
    return LoggedProblem(features, rounds.take(train), rounds.take(val), logging)


def config(method: str, **values: object) -> LearnConfig:
    return LearnConfig.model_validate({"method": method, **BRIEF, **values})


def learnt(method: str, problem: LoggedProblem, **values: object) -> Fit:
    made = config(method, **values)
    return LEARNERS[method](problem, made, generators(made.seed), None)


def on_val(fit: Fit, problem: LoggedProblem) -> Tensor:
    return fit.policy.log_dist(problem.features, problem.val.context).exp().detach()


def best_pair(problem: LoggedProblem) -> Tensor:
    return problem.features.context[problem.val.context].argmax(dim=1)


def test_actions_are_clustered_by_their_vectors() -> None:
    problem = made_problem()
    made = config("mips")
    labels = shared_clusters(problem, made, generators(0)).labels
    assert torch.equal(labels[::2], labels[1::2])
    assert len(labels.unique()) == N_CLUSTERS
    assert shared_clusters(problem, made, generators(0)) is shared_clusters(problem, made, generators(0))


@pytest.mark.parametrize(
    ("method", "values"),
    [
        ("mips", {}),
        ("potec", {}),
        ("potec", {"gradient": "sampled"}),
        ("potec", {"gradient": "sampled", "second_stage": "learned"}),
    ],
)
def test_the_best_cluster_is_found(method: str, values: dict[str, object]) -> None:
    problem = made_problem()
    action_dist = on_val(learnt(method, problem, **values), problem)
    assert bool((action_dist.sum(dim=1) - 1).abs().max() < 1e-5)
    found = (action_dist @ torch.nn.functional.one_hot(PAIR).float()).argmax(dim=1)
    assert float((found == best_pair(problem)).float().mean()) > 0.85


@pytest.mark.parametrize("second_stage", ["greedy", "learned"])
def test_potec_finds_the_best_action_within_a_cluster(second_stage: str) -> None:
    problem = made_problem(within=0.5)
    action_dist = on_val(learnt("potec", problem, second_stage=second_stage), problem)
    first_of_pair = action_dist[:, ::2].sum(dim=1)
    assert float(first_of_pair.mean()) > 0.9


def test_potec_of_one_cluster_is_greedy() -> None:
    problem = made_problem(within=0.5)
    ours, greedy = (on_val(learnt(method, problem, n_clusters=1), problem) for method in ("potec", "greedy"))
    assert torch.allclose(ours, greedy)


def test_potec_keeps_the_second_stage_while_the_first_learns() -> None:
    problem = made_problem()
    fit = learnt("potec", problem, second_stage="learned")
    states = list(fit.history.states.values())
    second = [name for name in states[0] if name.startswith("second.")]
    assert second
    assert all(torch.equal(state[name], states[0][name]) for state in states for name in second)
    assert any(not torch.equal(states[0][name], states[-1][name]) for name in states[0] if name.startswith("first.l"))
    assert set(fit.policy.state_dict()) == set(states[0])


def test_entropy_makes_potec_choose_all_clusters_alike() -> None:
    problem = made_problem()
    fit = learnt("potec", problem, entropy=100.0, selection="last")
    marginal = log_marginal(on_val(fit, problem).log(), PAIR, N_CLUSTERS).exp()
    assert float((marginal - 1 / N_CLUSTERS).abs().max()) < 0.05


def test_divergence_holds_potec_to_the_logging_policy() -> None:
    """Given the greedy second stage, KL(pi || pi_0) is least where pi_1(c|x) is in proportion to pi_0(best of c|x)."""
    problem = made_problem(within=0.5)
    fit = learnt("potec", problem, kl=100.0, selection="last", n_steps=400, learning_rate=0.01)
    assert isinstance(fit.policy, TwoStagePolicy)
    assert problem.logging is not None
    seen = problem.train.context
    with torch.no_grad():
        found = fit.policy.log_dist(problem.features, seen).exp()
        best = fit.policy.log_second(problem.features, seen).exp()
    never = best[:, -1] > 0  # where pi_0 is 0 the divergence is infinite: pi must be 0 too
    assert bool((found[never, -1] < 1e-3).all())
    kept = problem.logging[seen] * best
    # The network sees the contexts, not the noise in the logits of pi_0: at best it meets their mean.
    target = (kept / kept.sum(dim=1, keepdim=True)).mean(dim=0)
    assert torch.allclose(found.mean(dim=0), target, atol=0.05)


@pytest.mark.parametrize("method", ["sub_gaussian_ips", "switch_dr", "dr_shrinkage", "mips", "behaviour_cloning"])
def test_entropy_and_divergence_hold_every_learner_back(method: str) -> None:
    problem = made_problem(600)
    spread = on_val(learnt(method, problem, entropy=50.0, selection="last"), problem)
    assert float((spread - 1 / N_ACTIONS).abs().max()) < 0.1
    near = on_val(learnt(method, problem, kl=50.0, selection="last"), problem)
    assert float(near[:, -1].max()) < 0.02  # pi_0 never takes it


@pytest.mark.parametrize("method", ["mips", "potec"])
def test_without_the_logging_policy_of_all_actions_they_are_refused(method: str) -> None:
    with pytest.raises(TaskError, match=f"log: {method} needs pi_0 of every action"):
        learnt(method, replace(made_problem(100), logging=None))


@pytest.mark.parametrize("method", ["sub_gaussian_ips", "switch_dr", "dr_shrinkage", "behaviour_cloning"])
def test_without_it_the_others_learn_but_not_with_kl(method: str) -> None:
    problem = replace(made_problem(100), logging=None)
    assert learnt(method, problem, n_steps=20, regression_steps=20).history.points
    with pytest.raises(TaskError, match=f"log: {method} with kl needs pi_0 of every action"):
        learnt(method, problem, kl=1.0, n_steps=20, regression_steps=20)


@pytest.mark.parametrize("method", ["mips", "potec"])
def test_more_clusters_than_actions_are_refused(method: str) -> None:
    with pytest.raises(TaskError, match="6 actions with 6 different vectors do not make 7 clusters"):
        learnt(method, made_problem(100), n_clusters=7, regression_steps=20)


@pytest.mark.parametrize("known", [True, False])
def test_cloning_finds_the_logging_policy(known: bool) -> None:
    """Selected by the held-out likelihood, of all actions or of those that were logged."""
    problem = made_problem()
    common = torch.softmax(torch.tensor([2.0, 0.0, 1.0, 0.0, 0.0, -torch.inf]), dim=0)
    g = torch.Generator().manual_seed(2)
    train, val = (
        replace(part, action=torch.multinomial(common, len(part), replacement=True, generator=g))
        for part in (problem.train, problem.val)
    )
    problem = LoggedProblem(problem.features, train, val, common.expand(N_ROUNDS, -1) if known else None)
    fit = learnt("behaviour_cloning", problem, learning_rate=0.01, n_steps=300)
    found = on_val(fit, problem)
    assert float((found.mean(dim=0) - common).abs().max()) < 0.05
    assert not known or float((found - common).abs().max()) < 0.03
    expected = (
        cross_entropy(found.log(), common.expand(len(val), -1))
        if known
        else -found.log().gather(1, val.action[:, None]).mean()
    )
    assert min(point.val_loss for point in fit.history.points) == pytest.approx(float(expected), rel=1e-4)


def test_cross_fitted_potec_chooses_by_the_model_of_all_rounds() -> None:
    problem = made_problem(within=0.5)
    made = config("potec", n_folds=2)
    fit = LEARNERS["potec"](problem, made, generators(made.seed), None)
    assert isinstance(fit.policy, TwoStagePolicy)
    q = shared_reward_model(problem, "actions", made, generators(made.seed)).predict(problem.val.context)
    within = fit.policy.log_second(problem.features, problem.val.context).exp()
    labels = fit.policy.labels
    for cluster in range(N_CLUSTERS):
        best = q.where(labels == cluster, -torch.inf).argmax(dim=1)
        assert bool((within.gather(1, best[:, None]) == 1).all())
