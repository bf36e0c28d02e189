"""What each learner hands to the ascent: its loss has the gradient of minus the harness's estimator, by finite differences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from harness.opl.evaluation import (
    BanditFeedback,
    DirectMethod,
    DoublyRobust,
    InverseProbabilityWeighting,
    MarginalizedInverseProbabilityWeighting,
    OffCEM,
    OffPolicyEstimator,
    SelfNormalizedInverseProbabilityWeighting,
    SubGaussianInverseProbabilityWeighting,
    SwitchDoublyRobust,
)
from tasks.opl.clusters import shared_clusters
from tasks.opl.config import LearnConfig
from tasks.opl.learners import (
    LEARNERS,
    direct_method,
    doubly_robust,
    ips,
    mips,
    potec,
    snips,
    sub_gaussian_ips,
)
from tasks.opl.objectives import entropy
from tasks.opl.outputs import AdditiveOutputs
from tasks.opl.problem import FeatureTensors, Fit, LoggedProblem, RoundTensors, generators
from tasks.opl.regression import shared_reward_model
from tasks.training.loop import History

N_ACTIONS, N_CLUSTERS, N_ROUNDS = 5, 2, 12
ROWS = torch.arange(N_ROUNDS)
SETTINGS = {
    "reward_model": "bilinear",
    "n_clusters": N_CLUSTERS,
    "clip": 1e12,
    "switch_tau": 1.2,
    "sub_gaussian_lambda": 0.2,
}


def config(method: str, **values: object) -> LearnConfig:
    return LearnConfig.model_validate({"method": method, **SETTINGS, **values})


def made_problem(seed: int = 0) -> LoggedProblem:
    """In double precision; each round has a context of its own, and action 0 is never taken."""
    g = torch.Generator().manual_seed(seed)
    n = 2 * N_ROUNDS

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=g, dtype=torch.float64)

    logits = normal(n, N_ACTIONS)
    logits[:, 0] = -torch.inf
    logging = torch.softmax(logits, dim=1)
    action = torch.multinomial(logging, 1, generator=g).squeeze(1)
    actions = AdditiveOutputs(normal(N_ACTIONS, 2))
    features = FeatureTensors(normal(n, 2), actions, actions)
    context = torch.arange(n)
    rounds = RoundTensors(context, action, normal(n), logging[context, action], actions.of_action[action])
    return LoggedProblem(features, rounds.take(ROWS), rounds.take(ROWS + N_ROUNDS), logging)


Loss = Callable[[Tensor, Tensor], Tensor]


def loss_of(method: str, problem: LoggedProblem, monkeypatch: pytest.MonkeyPatch, **values: object) -> tuple[Loss, Fit]:
    """The loss that the learner hands to the ascent, and what it makes of a policy that learns nothing."""
    caught: list[Loss] = []

    def ascend_logged(problem: LoggedProblem, loss_of_rows: Loss, *_: object) -> Fit:
        caught.append(loss_of_rows)
        return Fit(torch.nn.Module(), History())  # type: ignore[arg-type]

    def ascend(features: FeatureTensors, seen: Tensor, loss_of_rows: Loss, *rest: object, **_: object) -> Fit:
        own = rest[1]
        assert isinstance(own, LearnConfig)
        assert own.kl == 0
        caught.append(lambda log_dist, rows: loss_of_rows(log_dist, rows) - own.entropy * entropy(log_dist))
        return Fit(torch.nn.Module(), History())  # type: ignore[arg-type]

    for module in (direct_method, doubly_robust, ips, mips, snips, sub_gaussian_ips):
        monkeypatch.setattr(module, "ascend_logged", ascend_logged)
    monkeypatch.setattr(potec, "ascend", ascend)
    made = config(method, **values)
    fit = LEARNERS[method](problem, made, generators(made.seed), None)
    return caught[-1], fit


def feedback(problem: LoggedProblem) -> BanditFeedback:
    train = problem.train
    assert problem.logging is not None
    columns = (train.reward.numpy(), train.action.numpy(), train.pscore.numpy())
    return BanditFeedback(*columns, N_ACTIONS, logging_dist=problem.logging[train.context].numpy())


def q_hat(problem: LoggedProblem) -> Tensor:
    made = config("greedy")
    return shared_reward_model(problem, "actions", made, generators(made.seed)).predict(problem.train.context)


def labels_of(problem: LoggedProblem) -> Tensor:
    made = config("mips")
    return shared_clusters(problem, made, generators(made.seed)).labels


ESTIMATORS: dict[str, Callable[[LoggedProblem], OffPolicyEstimator]] = {
    "ips": lambda _: InverseProbabilityWeighting(),
    "snips": lambda _: SelfNormalizedInverseProbabilityWeighting(),
    "sub_gaussian_ips": lambda _: SubGaussianInverseProbabilityWeighting(0.2),
    "direct_method": lambda _: DirectMethod(),
    "doubly_robust": lambda _: DoublyRobust(),
    "switch_dr": lambda _: SwitchDoublyRobust(1.2),
    "mips": lambda problem: MarginalizedInverseProbabilityWeighting(clusters=labels_of(problem).numpy()),
}


def check(loss: Callable[[Tensor], Tensor], value: Callable[[Tensor], float], logits: Tensor) -> None:
    """The loss has the gradient of minus the value."""
    moved = logits.clone().requires_grad_(True)
    (found,) = torch.autograd.grad(loss(torch.log_softmax(moved, dim=1)), moved)
    step = 1e-6
    for cell in np.ndindex(*logits.shape):
        nudge = torch.zeros_like(logits)
        nudge[cell] = step
        up, down = (value(torch.log_softmax(logits + sign * nudge, dim=1)) for sign in (1, -1))
        assert float(found[cell]) == pytest.approx(-(up - down) / (2 * step), abs=1e-7)


def made_logits(n_choices: int) -> Tensor:
    return torch.randn(N_ROUNDS, n_choices, generator=torch.Generator().manual_seed(9), dtype=torch.float64)


@pytest.mark.parametrize("method", ESTIMATORS)
def test_the_loss_has_the_gradient_of_minus_the_estimator(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = made_problem()
    loss, _ = loss_of(method, problem, monkeypatch)
    estimator, rounds, q = ESTIMATORS[method](problem), feedback(problem), q_hat(problem).numpy()

    def value(log_dist: Tensor) -> float:
        return estimator.estimate(rounds, log_dist.exp().numpy(), q)

    check(lambda log_dist: loss(log_dist, ROWS), value, made_logits(N_ACTIONS))


@pytest.mark.parametrize(("weight", "kl"), [(0.0, 0.0), (0.3, 0.0), (0.0, 0.2), (0.3, 0.2)])
def test_potec_has_the_gradient_of_offcem_of_the_whole_policy(
    weight: float, kl: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As its first stage moves; regularised by the whole policy's entropy and divergence."""
    problem = made_problem()
    loss, fit = loss_of("potec", problem, monkeypatch, entropy=weight, kl=kl)
    labels, q, rounds = labels_of(problem), q_hat(problem), feedback(problem)
    assert problem.logging is not None
    pi_0 = problem.logging[problem.train.context].clamp_min(torch.finfo(torch.float64).tiny)
    estimator = OffCEM(labels.numpy())
    best = torch.stack([q.where(labels == c, -torch.inf).argmax(dim=1) for c in range(N_CLUSTERS)], dim=1)
    within = torch.zeros_like(q).scatter(1, best, 1.0)
    assert torch.allclose(fit.policy.log_second(problem.features, ROWS).exp(), within)  # type: ignore[operator]

    def value(log_first: Tensor) -> float:
        pi = log_first.exp()[:, labels] * within
        surprise = torch.xlogy(pi, pi)
        regular = -weight * surprise - kl * (surprise - pi * pi_0.log())
        return estimator.estimate(rounds, pi.numpy(), q.numpy()) + float(regular.sum(dim=1).mean())

    check(lambda log_first: loss(log_first, ROWS), value, made_logits(N_CLUSTERS))


def test_potec_with_a_cluster_for_each_action_is_doubly_robust(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = made_problem()
    clustered, fit = loss_of("potec", problem, monkeypatch, n_clusters=N_ACTIONS)
    plain, _ = loss_of("doubly_robust", problem, monkeypatch)
    labels, log_dist = fit.policy.labels, torch.log_softmax(made_logits(N_ACTIONS), dim=1)
    assert isinstance(labels, Tensor)
    by_cluster = torch.empty_like(log_dist).index_copy_(1, labels, log_dist)
    assert float(clustered(by_cluster, ROWS)) == pytest.approx(float(plain(log_dist, ROWS)))


def test_mips_with_a_cluster_for_each_action_is_ips(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = made_problem()
    log_dist = torch.log_softmax(made_logits(N_ACTIONS), dim=1)
    clustered, plain = (
        loss_of(method, problem, monkeypatch, n_clusters=N_ACTIONS)[0](log_dist, ROWS) for method in ("mips", "ips")
    )
    assert float(clustered) == pytest.approx(float(plain))


@pytest.mark.parametrize(
    ("method", "limit", "other"),
    [
        ("switch_dr", {"switch_tau": float("inf"), "clip": 2.0}, "doubly_robust"),
        ("switch_dr", {"switch_tau": 0.0}, "direct_method"),
        ("dr_shrinkage", {"shrinkage_lambda": float("inf")}, "doubly_robust"),
        ("dr_shrinkage", {"shrinkage_lambda": 0.0}, "direct_method"),
        ("sub_gaussian_ips", {"sub_gaussian_lambda": 0.0}, "ips"),
    ],
)
@pytest.mark.parametrize("gradient", ["exact", "sampled"])
def test_learners_are_others_at_their_limits(
    method: str, limit: dict[str, object], other: str, gradient: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = made_problem()
    log_dist = torch.log_softmax(made_logits(N_ACTIONS), dim=1)
    ours, theirs = (
        loss_of(name, problem, monkeypatch, gradient=gradient, **limit)[0](log_dist, ROWS) for name in (method, other)
    )
    assert float(ours) == pytest.approx(float(theirs))


@pytest.mark.parametrize("method", ["direct_method", "switch_dr", "potec"])
def test_the_sampled_gradient_averages_to_the_exact_one(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = made_problem()
    exact, sampled = (loss_of(method, problem, monkeypatch, gradient=kind)[0] for kind in ("exact", "sampled"))
    logits = made_logits(N_CLUSTERS if method == "potec" else N_ACTIONS)[:1].requires_grad_(True)

    def gradient(loss: Loss, n: int) -> Tensor:
        (found,) = torch.autograd.grad(loss(torch.log_softmax(logits.expand(n, -1), dim=1), ROWS[:1].expand(n)), logits)
        return found

    parts = torch.cat([gradient(sampled, 500) for _ in range(200)])
    error = parts.std(dim=0) / len(parts) ** 0.5
    assert bool(((parts.mean(dim=0) - gradient(exact, 1)[0]).abs() <= 4 * error).all())
