from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tasks.api import TaskError
from tasks.opl.config import LearnConfig
from tasks.opl.density import LoggedActions, MonteCarloDensity, NetworkDensity, logging_density
from tasks.opl.kernels import output_kernel
from tasks.opl.output_weights import OutputWeights
from tasks.opl.outputs import Outputs
from tasks.opl.problem import LoggedProblem, generators
from tests.tasks.opl.made_outputs import DIM, N_ACTIONS, additive, config, made_problem, tabulated

NETWORK = {"density": "network", "density_steps": 800, "eval_every": 100}


def log_density(problem: LoggedProblem, made: LearnConfig) -> torch.Tensor:
    return OutputWeights(problem, made, generators(made.seed)).log_density(problem.train)


@pytest.mark.parametrize("outputs", [additive(), tabulated()], ids=["noisy", "tabulated"])
def test_the_exact_density_is_the_sum_over_actions(outputs: Outputs) -> None:
    problem, made = made_problem(outputs), config(bandwidth=0.5)
    kernel, found = output_kernel(problem, made, torch.Generator()), log_density(problem, made)
    for i in range(0, len(problem.train), 20):
        one = problem.train.take(torch.tensor([i]))
        nearness = kernel.log_expected(one.context, one.output)[0].exp()
        total = sum(float(problem.logging[one.context[0], a] * nearness[a]) for a in range(N_ACTIONS))
        assert float(found[i].exp()) == pytest.approx(total, rel=1e-5)


@pytest.mark.parametrize("kernel", ["gaussian", "uniform"])
def test_the_logging_policys_weights_are_one(kernel: str) -> None:
    problem = made_problem(additive())
    weight = OutputWeights(problem, config(kernel=kernel, kernel_noise=0.3), generators(0)).table(problem.train)
    total = (problem.logging[problem.train.context] * weight).sum(dim=1)
    assert torch.allclose(total, torch.ones_like(total), rtol=1e-5)


def test_drawn_densities_are_the_exact_ones_within_four_standard_errors() -> None:
    """Of the mean over rounds; K is at most 1, so its variance is at most its mean."""
    problem, n_draws = made_problem(additive(), 500), 400
    exact, drawn = (
        log_density(problem, config(density=density, density_draws=n_draws, kernel_noise=0.5)).exp()
        for density in ("exact", "monte_carlo")
    )
    error = ((exact * (1 - exact)).mean() / (n_draws * len(exact))) ** 0.5
    assert abs(float((drawn - exact).mean())) < 4 * float(error)
    assert torch.corrcoef(torch.stack([exact, drawn]))[0, 1] > 0.95


def test_actions_are_drawn_with_their_probabilities() -> None:
    logging = torch.tensor([[0.5, 0.0, 0.3, 0.2], [0.0, 0.9, 0.1, 0.0]])
    n = 100_000
    for context in (0, 1):
        drawn = LoggedActions(logging).draw(torch.full((n,), context), torch.Generator().manual_seed(1))
        share = drawn.bincount(minlength=4) / n
        assert not share[logging[context] == 0].any()
        assert bool(((share - logging[context]).abs() < 4 * (logging[context] / n) ** 0.5 + 1e-12).all())


def test_a_network_learns_the_density() -> None:
    problem = made_problem(additive(), 500)
    exact, fitted = (log_density(problem, config(**values)).exp() for values in ({}, NETWORK))
    assert torch.corrcoef(torch.stack([exact, fitted]))[0, 1] > 0.9
    assert float(fitted.mean()) == pytest.approx(float(exact.mean()), rel=0.1)


def test_a_network_is_fitted_once_for_all_learners_with_the_same_kernel() -> None:
    problem, g = made_problem(additive()), generators(0)

    def fitted(**values: object) -> NetworkDensity:
        made = config(**{**NETWORK, "density_steps": 2, **values})
        found = logging_density(problem, output_kernel(problem, made, g("kernel")), made, g)
        assert isinstance(found, NetworkDensity)
        return found

    assert fitted().network is fitted(method="dso_dr").network
    assert fitted().network is not fitted(bandwidth=2.0).network


def test_the_published_network_is_told_the_normalised_kernel_and_keeps_the_last_weights() -> None:
    problem, g = made_problem(additive()), generators(0)
    made = config(**{**NETWORK, "density_steps": 2}, standardise=False, regression_selection="last", bandwidth=2.0)
    kernel = output_kernel(problem, made, g("kernel"))
    found = logging_density(problem, kernel, made, g)
    assert isinstance(found, NetworkDensity)
    assert found.network.scale == pytest.approx((2 * torch.pi) ** 0.5 * 2.0)
    inputs = torch.zeros(1, 2 + DIM)
    assert torch.equal(found.network.standardise(inputs + 3), inputs + 3)


@pytest.mark.parametrize(
    ("values", "logged", "message"),
    [
        ({}, False, "dso needs pi_0 of every action"),
        ({"kernel": "uniform", "bandwidth": 1e-6, "kernel_noise": 1.0}, True, "output of round 0 is near nothing"),
        ({"kernel": "uniform", "bandwidth": 1e-6, "density": "network"}, True, "no two outputs that pi_0 brings forth"),
    ],
)
def test_what_has_no_density_is_refused(values: dict[str, object], logged: bool, message: str) -> None:
    problem = made_problem(additive())
    with pytest.raises(TaskError, match=message):
        log_density(problem if logged else replace(problem, logging=None), config(**values))


def test_draws_are_of_the_kernel_they_are_told() -> None:
    problem, made = made_problem(additive()), config(density="monte_carlo", density_draws=7)
    kernel = output_kernel(problem, made, torch.Generator())
    found = logging_density(problem, kernel, made, generators(0))
    assert isinstance(found, MonteCarloDensity)
    assert (found.kernel, found.n_draws) == (kernel, 7)
