"""Reward models fitted to logged rounds: squared error, checkpoint with the lowest error on held-out users."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tasks.opl.config import LearnConfig
from tasks.opl.networks import RewardNetwork
from tasks.opl.problem import FeatureTensors, RoundTensors
from tasks.training.loop import Schedule, batches, fit


@dataclass(frozen=True)
class Options:
    """What a reward model sees of an action: vectors that are the same for all contexts `(n_actions, dim)`, or one set for
    each described item `(n_sets, n_actions, dim)`, with each context's set in `row`, by context id `(n_contexts,)`.
    """

    vectors: Tensor
    row: Tensor | None = None

    @classmethod
    def prompts(cls, features: FeatureTensors) -> Options:
        """The prompts' own vectors."""
        return cls(features.prompts)

    @classmethod
    def sentences(cls, features: FeatureTensors) -> Options:
        """The vectors of the sentences that the prompts brought forth."""
        return cls(features.sentences, features.item_row)

    def chosen(self, rounds: RoundTensors) -> Tensor:
        """Vectors of the logged actions `(n_rounds, dim)`."""
        return (
            self.vectors[rounds.action] if self.row is None else self.vectors[self.row[rounds.context], rounds.action]
        )

    def predict(self, model: RewardNetwork, features: FeatureTensors, context: Tensor) -> Tensor:
        """q(x, a) `(n, n_actions)` for every action in the contexts with these ids `(n,)`."""
        row = None if self.row is None else self.row[context]
        return model.predict_all(features.context[context], self.vectors, row)


def fit_reward_model(
    features: FeatureTensors,
    options: Options,
    train: RoundTensors,
    val: RoundTensors,
    config: LearnConfig,
    generator: torch.Generator,
) -> tuple[RewardNetwork, float]:
    """A reward model, minimising the mean of (q(x_i, a_i) - r_i)^2, and its held-out coefficient of determination.

    Args:
        features: of all contexts.
        options: what stands for an action.
        train: rounds to fit.
        val: rounds of other users, on which the checkpoint is chosen.
        config: the `regression_` settings.
        generator: draws the first weights, then the batches.
    """
    device = features.context.device
    context, option = features.context[train.context], options.chosen(train)
    model = RewardNetwork(context, option, train.reward, config.hidden, generator).to(device)
    target, val_target = model.standardised(train.reward), model.standardised(val.reward)
    val_context, val_option = features.context[val.context], options.chosen(val)
    dealt = batches(len(train), config.regression_batch_size, generator)

    def loss_of_step(_: int) -> Tensor:
        rows = next(dealt).to(device)
        return nn.functional.mse_loss(model(context[rows], option[rows]), target[rows])

    def validate() -> float:
        return float(nn.functional.mse_loss(model(val_context, val_option), val_target))

    schedule = Schedule(
        config.regression_steps,
        config.eval_every,
        config.patience,
        config.regression_learning_rate,
        config.regression_weight_decay,
    )
    history = fit(model, loss_of_step, validate, schedule)
    best = min(point.val_loss for point in history.points)
    spread = float(((val_target - val_target.mean()) ** 2).mean())
    return model, 1.0 - best / spread if spread > 0 else 0.0
