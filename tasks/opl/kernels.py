"""Kernels of distances between outputs, and their expectations over what an action brings forth."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor

from tasks.api import TaskError
from tasks.opl.config import LearnConfig
from tasks.opl.outputs import Outputs
from tasks.opl.problem import LoggedProblem, RoundTensors

_SHARE = 0.5  # of the typical distance: the default bandwidth


class OutputKernel(ABC):
    """K(o, o') of d(o, o') = ||o - o'||_2 / dim, after N(0, noise^2) was added to every coordinate of both points.

    Normalising constants are left out: weights are ratios K / E[K], which cancel them.
    """

    integral: float
    """Of K over the distance: what the published kernel is divided by."""

    def __init__(self, outputs: Outputs, bandwidth: float, noise: float) -> None:
        """Args:
        outputs: what the actions bring forth.
        bandwidth: the kernel's tau, above 0.
        noise: standard deviation of what is added to both points.
        """
        self.outputs, self.bandwidth, self.radius = outputs, bandwidth, bandwidth * outputs.dim
        self.noise = noise * 2**0.5
        """Standard deviation of what is added to o - o'."""
        self.variance = outputs.std.square() + self.noise**2
        """Of o' with that noise about m(x, a), by coordinate `(dim,)`."""

    def between(self, first: Tensor, second: Tensor, generator: torch.Generator) -> Tensor:
        """K(o, o') `(n,)` of outputs, both `(n, dim)`, under noise drawn afresh."""
        return self._of(_moved(first - second, self.noise, generator).square().sum(dim=1))

    @abstractmethod
    def _of(self, squared_norm: Tensor) -> Tensor:
        """K of ||o - o'||^2, of any shape."""

    @abstractmethod
    def log_expected(self, context: Tensor, output: Tensor) -> Tensor:
        """log E_{o' ~ p(.|x_i, a)}[K(o_i, o')] over the noise as well, `(n, n_actions)`; minus infinity out of reach.

        Args:
            context: context ids `(n,)`.
            output: o `(n, dim)`.
        """


class GaussianKernel(OutputKernel):
    """exp(-d^2 / (2 tau^2)). With h = (dim tau)^2 and u_j ~ N(o_j - m_j, v_j) its expectation has the closed form

    prod_j sqrt(h / (h + v_j)) exp(-(o_j - m_j)^2 / (2 (h + v_j))),

    which is one squared distance of points whose coordinates are divided by sqrt(h + v_j).
    """

    def __init__(self, outputs: Outputs, bandwidth: float, noise: float) -> None:
        super().__init__(outputs, bandwidth, noise)
        self.integral = (2 * math.pi) ** 0.5 * bandwidth
        self._scale = (self.radius**2 + self.variance).rsqrt()
        self._scaled = outputs.map(torch.diag(self._scale))

    def _of(self, squared_norm: Tensor) -> Tensor:
        return torch.exp(-squared_norm / (2 * self.radius**2))

    def log_expected(self, context: Tensor, output: Tensor) -> Tensor:
        """As `OutputKernel.log_expected`."""
        distance = self._scaled.squared_distance(context, output * self._scale)
        return (self.radius * self._scale).log().sum() - distance / 2


class UniformKernel(OutputKernel):
    """1[d <= tau]. Its expectation under noise is a mean over draws: of the distance there is no simple distribution."""

    def __init__(
        self, outputs: Outputs, bandwidth: float, noise: float, n_draws: int, generator: torch.Generator
    ) -> None:
        """Args:
        outputs, bandwidth, noise: as of any kernel.
        n_draws: of the noise, for an expectation; one is enough without noise.
        generator: draws them.
        """
        super().__init__(outputs, bandwidth, noise)
        self.integral = 2 * bandwidth
        self._n_draws = n_draws if bool((self.variance > 0).any()) else 1
        self._generator = generator

    def _of(self, squared_norm: Tensor) -> Tensor:
        return (squared_norm <= self.radius**2).to(squared_norm.dtype)

    def log_expected(self, context: Tensor, output: Tensor) -> Tensor:
        """As `OutputKernel.log_expected`; every output has draws of its own."""
        within = output.new_zeros(len(output), self.outputs.n_actions)
        for _ in range(self._n_draws):
            moved = _moved(output, self.variance.sqrt(), self._generator)
            within += self._of(self.outputs.squared_distance(context, moved))
        return (within / self._n_draws).log()


def output_kernel(problem: LoggedProblem, config: LearnConfig, generator: torch.Generator) -> OutputKernel:
    """The kernel of a configuration.

    Args:
        problem: its outputs; where no bandwidth is given, its training rounds choose one.
        config: `kernel`, `bandwidth`, `kernel_noise`; `density_draws` of a uniform kernel.
        generator: of the pairs that choose the bandwidth, and of the uniform kernel's draws.
    """
    outputs = problem.features.outputs
    bandwidth = config.bandwidth or _SHARE * typical_distance(outputs, problem.train, generator)
    if config.kernel == "gaussian":
        return GaussianKernel(outputs, bandwidth, config.kernel_noise)
    return UniformKernel(outputs, bandwidth, config.kernel_noise, config.density_draws, generator)


def typical_distance(outputs: Outputs, rounds: RoundTensors, generator: torch.Generator) -> float:
    """Root mean square of d between each logged output and what another round's action brings forth in its context.

    Raises:
        TaskError: it is 0.
    """
    other = rounds.action[torch.randperm(len(rounds), generator=generator).to(rounds.action.device)]
    distance = (rounds.output - outputs.chosen(rounds.context, other)).square().sum(dim=1).mean().sqrt() / outputs.dim
    if not bool(distance > 0):
        raise TaskError(
            "bandwidth: all logged actions bring forth one output, which leaves nothing to learn; give a number"
        )
    return float(distance)


def _moved(points: Tensor, std: Tensor | float, generator: torch.Generator) -> Tensor:
    """Points `(n, dim)` under N(0, std^2) noise."""
    noise = torch.randn(points.shape, generator=generator, dtype=points.dtype).to(points.device)
    return points + std * noise
