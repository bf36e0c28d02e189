from __future__ import annotations

import pytest
import torch

from tasks.opl.learners import LEARNERS
from tasks.opl.learners.dso import exact_loss, sampled_loss
from tasks.opl.objectives import expected_loss
from tasks.opl.output_weights import OutputWeights
from tasks.opl.outputs import AdditiveOutputs, Outputs, TabulatedOutputs
from tasks.opl.problem import Fit, LoggedProblem, generators
from tests.tasks.opl.made_outputs import N_ACTIONS, additive, config, made_problem, tabulated


def weights_of(problem: LoggedProblem, **values: object) -> OutputWeights:
    return OutputWeights(problem, config(**values), generators(0))


def learnt(method: str, problem: LoggedProblem, **values: object) -> Fit:
    made = config(method=method, **{"n_steps": 100, "eval_every": 25, "reward_model": "bilinear", **values})
    return LEARNERS[method](problem, made, generators(made.seed), None)


def action_dist(fit: Fit, problem: LoggedProblem) -> torch.Tensor:
    return fit.policy.log_dist(problem.features, problem.train.context).exp().detach()


@pytest.mark.parametrize("outputs", [additive(noise=0.0), tabulated()], ids=["sums", "tabulated"])
@pytest.mark.parametrize("kernel", ["gaussian", "uniform"])
def test_with_no_bandwidth_distinct_outputs_have_the_weights_of_ips(outputs: Outputs, kernel: str) -> None:
    problem = made_problem(outputs)
    train = problem.train
    found = weights_of(problem, bandwidth=1e-3, kernel=kernel).table(train)
    ips = torch.nn.functional.one_hot(train.action, N_ACTIONS) / train.pscore[:, None]
    assert torch.allclose(found, ips, rtol=1e-4)


@pytest.mark.parametrize("kernel", ["gaussian", "uniform"])
def test_with_infinite_bandwidth_all_weights_are_one(kernel: str) -> None:
    problem = made_problem(additive())
    found = weights_of(problem, bandwidth=1e5, kernel=kernel, kernel_noise=1.0, density_draws=3).table(problem.train)
    assert torch.allclose(found, torch.ones_like(found), rtol=1e-5)


def test_weights_are_clipped() -> None:
    problem = made_problem(tabulated())
    free, held = (weights_of(problem, bandwidth=1e-3, clip=clip).table(problem.train) for clip in (1e9, 2.0))
    assert torch.equal(held, free.clamp_max(2.0))


@pytest.mark.parametrize("outputs", [additive(), tabulated()], ids=["noisy", "tabulated"])
@pytest.mark.parametrize("modelled", [False, True])
def test_the_sampled_gradient_averages_to_the_exact_one(outputs: Outputs, modelled: bool) -> None:
    problem = made_problem(outputs, 50)
    train, g = problem.train, torch.Generator().manual_seed(0)
    weights = weights_of(problem, bandwidth=0.5, kernel_noise=0.4)
    predicted = torch.randn(len(train), N_ACTIONS, generator=g) * modelled
    arguments = (train, weights, train.reward, predicted)
    logits = torch.randn(len(train), N_ACTIONS, generator=g).requires_grad_()
    rows, n = torch.arange(len(train)), 2000
    exact_loss(*arguments)(torch.log_softmax(logits, dim=1), rows).backward()
    expected = logits.grad * len(train)  # the sampled loss is a sum
    loss, draws = sampled_loss(*arguments, g), []
    for _ in range(n):
        logits.grad = None
        loss(torch.log_softmax(logits, dim=1), rows).backward()
        draws.append(logits.grad.clone())
    mean, error = torch.stack(draws).mean(dim=0), torch.stack(draws).std(dim=0) / n**0.5
    away = ((mean - expected) / (error + 1e-6)).flatten()
    assert float(away.square().mean()) < 1.5
    assert float(away.abs().max()) < 5  # of 200 entries


@pytest.mark.parametrize("outputs", [additive(), tabulated()], ids=["noisy", "tabulated"])
def test_doubly_robust_dso_is_the_sentence_direct_method_when_residuals_vanish(outputs: Outputs) -> None:
    problem = made_problem(outputs, 400, explained=True)
    dm, dr = (learnt(method, problem, selection="last") for method in ("sentence_direct_method", "dso_dr"))
    assert dr.notes["reward_model_r2"] > 0.999
    assert torch.allclose(action_dist(dm, problem), action_dist(dr, problem), atol=1e-2)


def test_without_residuals_the_loss_is_the_direct_methods() -> None:
    problem, g = made_problem(additive()), torch.Generator().manual_seed(0)
    train, rows = problem.train, torch.tensor([3, 8, 8])
    predicted = torch.randn(len(train), N_ACTIONS, generator=g)
    log_dist = torch.log_softmax(torch.randn(3, N_ACTIONS, generator=g), dim=1)
    found = exact_loss(train, weights_of(problem), torch.zeros(len(train)), predicted)(log_dist, rows)
    assert torch.equal(found, expected_loss(log_dist, predicted[rows]))


@pytest.mark.parametrize("method", ["dso", "dso_dr"])
@pytest.mark.parametrize("density", ["exact", "monte_carlo", "network"])
@pytest.mark.parametrize("gradient", ["exact", "sampled"])
def test_every_density_and_gradient_finds_better_actions(method: str, density: str, gradient: str) -> None:
    """The truth is x W o at the mean output: the noiseless rewards of the problem itself."""
    outputs = additive()
    problem = made_problem(outputs, 3000)
    fit = learnt(method, problem, density=density, gradient=gradient, density_steps=200, bandwidth=0.5)
    truth = made_truth(problem, outputs)
    value = float((action_dist(fit, problem) * truth).sum(dim=1).mean())
    assert value > float(truth.mean()) + 0.6 * float(truth.max(dim=1).values.mean() - truth.mean())


def made_truth(problem: LoggedProblem, outputs: AdditiveOutputs | TabulatedOutputs) -> torch.Tensor:
    g = torch.Generator().manual_seed(1)
    contexts, weight = torch.randn(6, 2, generator=g), torch.randn(2, outputs.dim, generator=g)
    assert torch.equal(contexts, problem.features.context)
    return outputs.weighted(problem.train.context, contexts[problem.train.context] @ weight)


@pytest.mark.parametrize(("selection", "method"), [("snips", "dso"), ("dr", "dso_dr"), ("snips", "dso_dr")])
def test_estimates_by_action_may_select(selection: str, method: str) -> None:
    problem = made_problem(additive())
    auto, told = learnt(method, problem), learnt(method, problem, selection=selection)
    assert auto.history.points[1].train_loss == told.history.points[1].train_loss
    assert auto.history.points[1].val_loss != told.history.points[1].val_loss
