"""The logging policy's density of outputs as a kernel smooths it: exact, by draws, or by a network as published."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tasks.api import TaskError
from tasks.opl.config import LearnConfig
from tasks.opl.kernels import OutputKernel
from tasks.opl.networks import Standardise, reset_linear
from tasks.opl.problem import FeatureTensors, Generators, LoggedProblem, RoundTensors
from tasks.training.loop import Schedule, fit

_PAIRS = 1 << 16  # drawn at a time


class Density(ABC):
    """f(x, o) = E_{a ~ pi_0(.|x), o' ~ p(.|x, a)}[K(o, o')], found or estimated."""

    @abstractmethod
    def log(self, rounds: RoundTensors, log_kernel: Tensor) -> Tensor:
        """log f(x_i, o_i) `(n,)` at logged outputs.

        Args:
            rounds: n of them.
            log_kernel: log E_{o' ~ p(.|x_i, a)}[K(o_i, o')] `(n, n_actions)`.
        """


@dataclass(frozen=True)
class ExactDensity(Density):
    """log sum_a pi_0(a|x) E_{o' ~ p(.|x, a)}[K(o, o')].

    Attributes:
        logging: pi_0 by context id `(n_contexts, n_actions)`.
    """

    logging: Tensor

    def log(self, rounds: RoundTensors, log_kernel: Tensor) -> Tensor:
        """As `Density.log`."""
        return torch.logsumexp(self.logging[rounds.context].log() + log_kernel, dim=1)


class LoggedActions:
    """Draws from pi_0(.|x) by inversion: one search in one sorted list, however many contexts there are."""

    def __init__(self, logging: Tensor) -> None:
        """Args:
        logging: pi_0 by context id `(n_contexts, n_actions)`.
        """
        self._n_actions = logging.shape[1]
        cumulative = logging.double().cumsum(dim=1)
        cumulative /= cumulative[:, -1:].clone()
        self._steps = (cumulative + torch.arange(len(logging), device=logging.device)[:, None]).flatten()

    def draw(self, context: Tensor, generator: torch.Generator) -> Tensor:
        """a ~ pi_0(.|x_i) `(n,)` of context ids `(n,)`."""
        uniform = torch.rand(len(context), generator=generator, dtype=torch.float64).to(context.device)
        found = torch.searchsorted(self._steps, context + uniform, right=True) - context * self._n_actions
        return found.clamp_max(self._n_actions - 1)  # x + u may round up to x + 1


@dataclass(frozen=True)
class MonteCarloDensity(Density):
    """mean_k K(o, o'_k) of fresh draws a_k ~ pi_0(.|x), o'_k ~ p(.|x, a_k).

    Attributes:
        kernel: K.
        actions: draws them.
        n_draws: for each output.
        generator: of all draws.
    """

    kernel: OutputKernel
    actions: LoggedActions
    n_draws: int
    generator: torch.Generator

    def log(self, rounds: RoundTensors, log_kernel: Tensor) -> Tensor:
        """As `Density.log`."""
        total = torch.zeros_like(rounds.reward)
        for _ in range(self.n_draws):
            action = self.actions.draw(rounds.context, self.generator)
            other = self.kernel.outputs.sample(rounds.context, action, self.generator)
            total += self.kernel.between(rounds.output, other, self.generator)
        return (total / self.n_draws).log()


class DensityNetwork(nn.Module):
    """f(x, o) = scale (softplus(l2(ReLU(l1([x, o]))); beta = 0.5) + 1e-10), the paper's."""

    def __init__(
        self, inputs: Tensor, scale: float, hidden: int, generator: torch.Generator, *, standardise: bool = True
    ) -> None:
        """Args:
        inputs: [x, o] `(n, dim)`, by which the network's are standardised.
        scale: of the density.
        hidden: units.
        generator: of the first weights.
        standardise: whether the inputs are.
        """
        super().__init__()
        self.scale = scale
        self.standardise = Standardise(inputs, identity=not standardise)
        self.l1, self.l2 = nn.Linear(inputs.shape[1], hidden), nn.Linear(hidden, 1)
        for layer in (self.l1, self.l2):
            reset_linear(layer, generator)

    def forward(self, inputs: Tensor) -> Tensor:
        """f / scale `(n,)` of [x, o] `(n, dim)`."""
        raw: Tensor = self.l2(torch.relu(self.l1(self.standardise(inputs))))
        return nn.functional.softplus(raw.squeeze(1), beta=0.5) + 1e-10


@dataclass(frozen=True)
class NetworkDensity(Density):
    """`DensityNetwork`, fitted to draws.

    Attributes:
        network: fitted.
        features: of all contexts.
    """

    network: DensityNetwork
    features: FeatureTensors

    def log(self, rounds: RoundTensors, log_kernel: Tensor) -> Tensor:
        """As `Density.log`."""
        with torch.no_grad():
            density: Tensor = self.network(_inputs(self.features, rounds.context, rounds.output))
        return (density * self.network.scale).log()


def logging_density(
    problem: LoggedProblem, kernel: OutputKernel, config: LearnConfig, generators: Generators
) -> Density:
    """The density that the configuration asks for; a network is fitted once for all learners that ask for the same.

    Raises:
        TaskError: pi_0 was not logged.
    """
    logging = problem.logging_dist(config.method)
    if config.density == "exact":
        return ExactDensity(logging)
    actions = LoggedActions(logging)
    if config.density == "monte_carlo":
        return MonteCarloDensity(kernel, actions, config.density_draws, generators("density"))
    settings = tuple(
        (name, value) for name, value in config if name.startswith(("density", "kernel")) or name in _SHAPING
    )
    return problem.shared(
        ("density", settings), lambda: fit_density(problem, kernel, actions, config, generators("density"))
    )


_SHAPING = ("bandwidth", "hidden", "standardise", "regression_selection", "eval_every", "patience", "seed")


def fit_density(
    problem: LoggedProblem,
    kernel: OutputKernel,
    actions: LoggedActions,
    config: LearnConfig,
    generator: torch.Generator,
) -> NetworkDensity:
    """Minimises the mean of (f(x, o_1) - K(o_1, o_2))^2 over logged contexts x and outputs of a_1, a_2 ~ pi_0(.|x).

    The minimum is E[K(o_1, o_2) | x, o_1], which is the density. Kiyohara et al. (2025); the actions of many steps are drawn
    at once. The lowest held-out error, or the last step, chooses the weights.

    Raises:
        TaskError: the bandwidth of a uniform kernel is too narrow for the outputs.
    """
    features = problem.features
    size = min(config.density_batch_size, len(problem.train))
    pairs = _Pairs(features, kernel, actions, generator)
    held_inputs, held_target = pairs.draw(problem.val.context)
    dealt = pairs.batches(problem.train.context, size)
    inputs, target = pairs.draw(problem.train.context)
    if not bool(target.any()):
        raise TaskError(
            f"density: no two outputs that pi_0 brings forth are within bandwidth {kernel.bandwidth:.3g}; raise it"
        )
    # Unstandardised, the scale is what the published kernel is divided by: in few steps it is not all the same.
    scale = float(target.mean()) if config.standardise else kernel.integral
    network = DensityNetwork(inputs, scale, config.hidden, generator, standardise=config.standardise)
    network.to(features.context.device)

    def loss_of_step(_: int) -> Tensor:
        inputs, target = next(dealt)
        return nn.functional.mse_loss(network(inputs), target / network.scale)

    def validate() -> float:
        return float(nn.functional.mse_loss(network(held_inputs), held_target / network.scale))

    schedule = Schedule(
        config.density_steps,
        config.eval_every,
        config.patience,
        config.density_learning_rate,
        keep_last=config.regression_selection == "last",
    )
    fit(network, loss_of_step, validate, schedule)
    return NetworkDensity(network, features)


@dataclass(frozen=True)
class _Pairs:
    """Draws of [x, o_1] and K(o_1, o_2)."""

    features: FeatureTensors
    kernel: OutputKernel
    actions: LoggedActions
    generator: torch.Generator

    def draw(self, context: Tensor) -> tuple[Tensor, Tensor]:
        """One pair for each context: `(n, dim)` and `(n,)`."""
        first, second = (
            self.kernel.outputs.sample(context, self.actions.draw(context, self.generator), self.generator)
            for _ in range(2)
        )
        return _inputs(self.features, context, first), self.kernel.between(first, second, self.generator)

    def batches(self, context: Tensor, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Pairs of so many contexts at a time, drawn with replacement, for ever."""
        n_batches = max(1, _PAIRS // size)
        while True:
            rows = torch.randint(len(context), (n_batches * size,), generator=self.generator).to(context.device)
            inputs, target = self.draw(context[rows])
            yield from zip(torch.split(inputs, size), torch.split(target, size), strict=True)


def _inputs(features: FeatureTensors, context: Tensor, output: Tensor) -> Tensor:
    """[x, o] `(n, dim_context + dim_output)`."""
    return torch.cat([features.context[context], output], dim=1)
