"""Reward models fitted to logged rounds: a network or a bilinear ridge, of prompts or of outputs, best held-out error kept."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Literal, Self

import torch
from torch import Tensor, nn

from tasks.opl.bilinear import BilinearRidge
from tasks.opl.config import LearnConfig
from tasks.opl.networks import RewardNetwork
from tasks.opl.outputs import Outputs
from tasks.opl.problem import FeatureTensors, Generators, LoggedProblem, RoundTensors
from tasks.training.loop import Schedule, batches, fit

Basis = Literal["actions", "outputs"]
"""What a reward model sees of a choice: the action's own vector, or the vector of what it brought forth."""
_SHIFTS = 4


@dataclass(frozen=True)
class RewardModel(ABC):
    """A regression of r on a context and a choice.

    Attributes:
        features: of all contexts.
        basis: what it sees of a choice.
        r_squared: coefficient of determination on the held-out rounds.
    """

    features: FeatureTensors
    basis: Basis
    r_squared: float

    @abstractmethod
    def predict(self, context: Tensor) -> Tensor:
        """q(x, a), the expectation over the output where there is one, `(n, n_actions)` of contexts by their ids `(n,)`."""

    def over(self, features: FeatureTensors) -> Self:
        """The same model of other contexts: ids are rows of these features."""
        return replace(self, features=features)

    @abstractmethod
    def of_rounds(self, rounds: RoundTensors) -> Tensor:
        """Predicted rewards of the choices as they were seen `(n_rounds,)`."""


@dataclass(frozen=True)
class NetworkRewardModel(RewardModel):
    """`RewardNetwork` on a basis; expectations over noisy outputs are averages over four antithetic draws."""

    network: RewardNetwork
    shift: Tensor

    def predict(self, context: Tensor) -> Tensor:
        """As `RewardModel.predict`."""
        return self.network.predict_all(self.features, options(self.features, self.basis), context, self.shift)

    def of_rounds(self, rounds: RoundTensors) -> Tensor:
        """As `RewardModel.of_rounds`."""
        with torch.no_grad():
            seen = self.network(self.features.context[rounds.context], chosen(self.features, self.basis, rounds))
            predicted: Tensor = seen * self.network.target_std + self.network.target_mean
        return predicted


@dataclass(frozen=True)
class BilinearRewardModel(RewardModel):
    """`BilinearRidge` on a basis; being linear in the output, its expectation is its value at the output's mean."""

    ridge: BilinearRidge

    def predict(self, context: Tensor) -> Tensor:
        """As `RewardModel.predict`."""
        return self.ridge.predict_all(self.features.context[context], options(self.features, self.basis), context)

    def of_rounds(self, rounds: RoundTensors) -> Tensor:
        """As `RewardModel.of_rounds`."""
        return self.ridge.predict(self.features.context[rounds.context], chosen(self.features, self.basis, rounds))


def options(features: FeatureTensors, basis: Basis) -> Outputs:
    """Vectors of the choices under a basis."""
    return features.actions if basis == "actions" else features.outputs


def chosen(features: FeatureTensors, basis: Basis, rounds: RoundTensors) -> Tensor:
    """Vectors of the logged choices `(n_rounds, dim)`: outputs as they were seen."""
    return features.actions.of_action[rounds.action] if basis == "actions" else rounds.output


def shared_reward_model(
    problem: LoggedProblem, basis: Basis, config: LearnConfig, generators: Generators
) -> RewardModel:
    """The reward model of a problem's training rounds: fitted once for all learners that ask for the same."""
    settings = tuple((name, value) for name, value in config if name.startswith("regression") or name in _SHAPING)
    return problem.shared(
        ("reward model", basis, settings),
        lambda: fit_reward_model(problem.features, basis, problem.train, problem.val, config, generators, "regression"),
    )


_SHAPING = ("reward_model", "hidden", "standardise", "pessimism", "eval_every", "patience", "seed")


def fit_reward_model(
    features: FeatureTensors,
    basis: Basis,
    train: RoundTensors,
    val: RoundTensors,
    config: LearnConfig,
    generators: Generators,
    stream: str,
) -> RewardModel:
    """A reward model, minimising the mean of (q(x_i, a_i) - r_i)^2.

    Args:
        features: of all contexts.
        basis: what it sees of a choice.
        train: rounds to fit.
        val: rounds of other users, on which the checkpoint, the penalty or the kind of model is chosen.
        config: `reward_model` and the `regression_` settings.
        generators: streams of the run.
        stream: name of the one that draws the first weights, then the batches.
    """
    models: list[RewardModel] = []
    if config.reward_model != "network":
        models.append(_fit_bilinear(features, basis, train, val))
    if config.reward_model != "bilinear":
        models.append(_fit_network(features, basis, train, val, config, generators(stream)))
    return max(models, key=lambda model: model.r_squared)


def _fit_bilinear(
    features: FeatureTensors, basis: Basis, train: RoundTensors, val: RoundTensors
) -> BilinearRewardModel:
    seen, held = ((features.context[part.context], chosen(features, basis, part), part.reward) for part in (train, val))
    ridge, error = BilinearRidge.fit(*seen, *held)
    return BilinearRewardModel(features, basis, _r_squared(error, val.reward), ridge)


def _fit_network(
    features: FeatureTensors,
    basis: Basis,
    train: RoundTensors,
    val: RoundTensors,
    config: LearnConfig,
    generator: torch.Generator,
) -> NetworkRewardModel:
    device = features.context.device
    context, option = features.context[train.context], chosen(features, basis, train)
    network = RewardNetwork(context, option, train.reward, config.hidden, generator, standardise=config.standardise).to(
        device
    )
    target, val_target = network.standardised(train.reward), network.standardised(val.reward)
    val_context, val_option = features.context[val.context], chosen(features, basis, val)
    dealt = batches(len(train), config.regression_batch_size, generator)

    def loss_of_step(_: int) -> Tensor:
        rows = next(dealt).to(device)
        predicted = network(context[rows], option[rows])
        loss = nn.functional.mse_loss(predicted, target[rows])
        if config.pessimism:
            other = option[torch.randint(len(train), (len(rows),), generator=generator).to(device)]
            loss = loss + config.pessimism * (network(context[rows], other) - predicted).mean()
        return loss

    def validate() -> float:
        return float(nn.functional.mse_loss(network(val_context, val_option), val_target))

    schedule = Schedule(
        config.regression_steps,
        config.eval_every,
        config.patience,
        config.regression_learning_rate,
        config.regression_weight_decay,
        config.regression_selection == "last",
    )
    history = fit(network, loss_of_step, validate, schedule)
    shown = next(point.val_loss for point in history.points if point.step == history.best_step)
    error = shown * float(network.target_std) ** 2
    shift = _shifts(options(features, basis), generator).to(device)
    return NetworkRewardModel(features, basis, _r_squared(error, val.reward), network, shift)


def _shifts(outputs: Outputs, generator: torch.Generator) -> Tensor:
    """Draws of the noise about the mean, in pairs of opposite sign `(n_shifts, dim)`; one of zeros without noise."""
    if not outputs.is_noisy:
        return torch.zeros(1, outputs.dim)
    half = torch.randn(_SHIFTS // 2, outputs.dim, generator=generator) * outputs.std.cpu()
    return torch.cat([half, -half])


def _r_squared(error: float, reward: Tensor) -> float:
    spread = float(reward.var(correction=0))
    return 1.0 - error / spread if spread > 0 else 0.0
