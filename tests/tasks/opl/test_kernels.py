from __future__ import annotations

import math

import pytest
import torch

from tasks.api import TaskError
from tasks.opl.kernels import GaussianKernel, OutputKernel, UniformKernel, output_kernel
from tasks.opl.outputs import AdditiveOutputs, Outputs
from tests.tasks.opl.made_outputs import DIM, N_ACTIONS, N_CONTEXTS, additive, config, made_problem, tabulated

CONTEXTS = torch.arange(N_CONTEXTS)


def points(seed: int = 3) -> torch.Tensor:
    return torch.randn(N_CONTEXTS, DIM, generator=torch.Generator().manual_seed(seed))


def uniform(outputs: Outputs, bandwidth: float, noise: float, n_draws: int = 1000) -> UniformKernel:
    return UniformKernel(outputs, bandwidth, noise, n_draws, torch.Generator().manual_seed(5))


def drawn_mean(kernel: OutputKernel, point: torch.Tensor, n: int = 1_000_000) -> tuple[float, float]:
    """E[K] in context 1 under action 2 by fresh draws, and its standard error."""
    g = torch.Generator().manual_seed(0)
    context, action = torch.full((n,), 1), torch.full((n,), 2)
    values = kernel.between(point.expand(n, -1), kernel.outputs.sample(context, action, g), g).double()
    return float(values.mean()), float(values.std()) / n**0.5


@pytest.mark.parametrize("outputs", [additive(), tabulated()], ids=["noisy", "tabulated"])
@pytest.mark.parametrize(("bandwidth", "noise"), [(0.3, 0.0), (1.0, 0.7)])
def test_the_closed_form_is_the_mean_of_draws(outputs: Outputs, bandwidth: float, noise: float) -> None:
    kernel, point = GaussianKernel(outputs, bandwidth, noise), points()[1]
    mean, error = drawn_mean(kernel, point)
    found = float(kernel.log_expected(CONTEXTS[1:2], point[None])[0, 2].exp())
    assert abs(found - mean) < 4 * error + 1e-6


def test_the_uniform_kernels_draws_are_of_the_same_law() -> None:
    """Both sides are means over draws."""
    kernel, point = uniform(additive(), 1.5, 0.5, n_draws=5000), points()[1]
    mean, error = drawn_mean(kernel, point, 200_000)
    found = float(kernel.log_expected(CONTEXTS[1:2], point[None])[0, 2].exp())
    assert 0.1 < mean < 0.9
    assert abs(found - mean) < 4 * math.hypot(error, (mean * (1 - mean) / 5000) ** 0.5)


@pytest.mark.parametrize("outputs", [additive(noise=0.0), tabulated()], ids=["sums", "tabulated"])
@pytest.mark.parametrize("name", ["gaussian", "uniform"])
def test_without_noise_the_table_is_the_kernel_itself(outputs: Outputs, name: str) -> None:
    tau, point = 0.8, points()
    kernel = GaussianKernel(outputs, tau, 0.0) if name == "gaussian" else uniform(outputs, tau, 0.0)
    table = kernel.log_expected(CONTEXTS, point).exp()
    for context in range(N_CONTEXTS):
        for action in range(N_ACTIONS):
            other = outputs.mean(CONTEXTS)[context, action]
            distance = float((point[context] - other).norm()) / DIM
            expected = math.exp(-(distance**2) / (2 * tau**2)) if name == "gaussian" else float(distance <= tau)
            assert float(table[context, action]) == pytest.approx(expected, rel=1e-4)
            one = kernel.between(point[context][None], other[None], torch.Generator())
            assert float(one) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("noise", [0.0, 2.0])
def test_an_infinitely_wide_kernel_is_one(noise: float) -> None:
    for kernel in (GaussianKernel(additive(), 1e6, noise), uniform(additive(), 1e6, noise, 3)):
        assert torch.allclose(kernel.log_expected(CONTEXTS, points()).exp(), torch.ones(N_CONTEXTS, N_ACTIONS))


def test_what_is_out_of_reach_has_no_chance() -> None:
    table = uniform(additive(noise=0.0), 1e-3, 0.0).log_expected(CONTEXTS, points() + 100)
    assert bool(table.isneginf().all())


def test_the_integral_is_that_of_the_kernel_over_the_distance() -> None:
    distance = torch.linspace(-20, 20, 400_001, dtype=torch.float64)[:, None]
    for kernel in (GaussianKernel(additive(), 1.3, 0.0), uniform(additive(), 1.3, 0.0)):
        along = torch.zeros(len(distance), DIM, dtype=torch.float64)
        along[:, :1] = distance * DIM
        values = kernel.between(along, torch.zeros_like(along), torch.Generator())
        assert float(values.sum()) * 1e-4 == pytest.approx(kernel.integral, rel=1e-3)


def test_a_configuration_names_its_kernel() -> None:
    problem = made_problem(additive())
    made = output_kernel(problem, config(kernel="uniform", bandwidth=2.0, kernel_noise=0.5), torch.Generator())
    assert isinstance(made, UniformKernel)
    assert (made.radius, made.noise) == (2.0 * DIM, pytest.approx(0.5 * 2**0.5))
    assert isinstance(output_kernel(problem, config(), torch.Generator()), GaussianKernel)


@pytest.mark.parametrize("outputs", [additive(), tabulated()], ids=["noisy", "tabulated"])
def test_the_default_bandwidth_is_half_the_typical_distance_of_two_outputs_in_one_context(outputs: Outputs) -> None:
    problem = made_problem(outputs, 3000)
    rounds, total = problem.train, 0.0
    share = rounds.action.bincount(minlength=N_ACTIONS) / len(rounds)
    for action in range(N_ACTIONS):
        other = outputs.chosen(rounds.context, torch.full_like(rounds.action, action))
        total += float(share[action] * (rounds.output - other).square().sum(dim=1).mean())
    made = output_kernel(problem, config(), torch.Generator().manual_seed(0))
    assert made.bandwidth == pytest.approx(total**0.5 / DIM / 2, rel=0.05)


def test_where_all_outputs_are_one_no_bandwidth_is_chosen() -> None:
    problem = made_problem(AdditiveOutputs(torch.zeros(N_ACTIONS, DIM)))
    with pytest.raises(TaskError, match="all logged actions bring forth one output"):
        output_kernel(problem, config(), torch.Generator())
