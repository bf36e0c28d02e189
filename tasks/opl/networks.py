"""The small networks of policies and reward models: Linear(in, 100)-ReLU-Linear(100, out) on standardised inputs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_CELLS = 1 << 22


class Standardise(nn.Module):
    """(x - mean) / std of the inputs seen when made; a constant input becomes 0. Part of the weights, never trained."""

    mean: Tensor
    scale: Tensor

    def __init__(self, inputs: Tensor) -> None:
        super().__init__()
        std = inputs.std(dim=0, correction=0)
        self.register_buffer("mean", inputs.mean(dim=0))
        self.register_buffer("scale", torch.where(std > 1e-8, 1 / std.clamp_min(1e-8), torch.zeros_like(std)))

    def forward(self, inputs: Tensor) -> Tensor:
        """Standardised inputs of the same shape `(..., dim)`."""
        return (inputs - self.mean) * self.scale


def reset_linear(layer: nn.Linear, generator: torch.Generator) -> None:
    """torch's default weights, U(-1/sqrt(in), 1/sqrt(in)), from a generator of ours."""
    bound = layer.in_features**-0.5
    for parameter in (layer.weight, layer.bias):
        nn.init.uniform_(parameter, -bound, bound, generator=generator)


class PolicyNetwork(nn.Module):
    """pi(a|x) = softmax(l2(ReLU(l1(x))))."""

    def __init__(self, contexts: Tensor, n_actions: int, hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        self.standardise = Standardise(contexts)
        self.l1 = nn.Linear(contexts.shape[1], hidden)
        self.l2 = nn.Linear(hidden, n_actions)
        for layer in (self.l1, self.l2):
            reset_linear(layer, generator)

    def forward(self, context: Tensor) -> Tensor:
        """Logits `(n, n_actions)` of contexts `(n, dim_context)`."""
        logits: Tensor = self.l2(torch.relu(self.l1(self.standardise(context))))
        return logits


class RewardNetwork(nn.Module):
    """r(x, v) = out(ReLU(of_context(x) + of_option(v))), v what is chosen: a prompt's vector or a sentence's.

    It is Linear(dim_x + dim_v, hidden)-ReLU-Linear(hidden, 1) with the first layer parted, so that all options of a context
    cost little more than one. Rewards are standardised inside.
    """

    target_mean: Tensor
    target_std: Tensor

    def __init__(
        self, contexts: Tensor, options: Tensor, rewards: Tensor, hidden: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.context_scale, self.option_scale = Standardise(contexts), Standardise(options)
        self.of_context = nn.Linear(contexts.shape[1], hidden)
        self.of_option = nn.Linear(options.shape[1], hidden, bias=False)
        self.out = nn.Linear(hidden, 1)
        bound = (contexts.shape[1] + options.shape[1]) ** -0.5
        for parameter in (*self.of_context.parameters(), *self.of_option.parameters()):
            nn.init.uniform_(parameter, -bound, bound, generator=generator)
        reset_linear(self.out, generator)
        self.register_buffer("target_mean", rewards.mean())
        self.register_buffer("target_std", rewards.std(correction=0).clamp_min(1e-8))

    def forward(self, context: Tensor, option: Tensor) -> Tensor:
        """Standardised predicted rewards `(n,)` of contexts `(n, dim_x)` under the options chosen `(n, dim_v)`."""
        hidden = torch.relu(self.of_context(self.context_scale(context)) + self.of_option(self.option_scale(option)))
        predicted: Tensor = self.out(hidden)
        return predicted.squeeze(1)

    def predict_all(self, context: Tensor, options: Tensor, option_row: Tensor | None = None) -> Tensor:
        """Predicted rewards `(n, n_actions)` in the log's units, without gradient.

        Args:
            context: `(n, dim_x)`.
            options: `(n_actions, dim_v)`, the same for all contexts; or `(n_sets, n_actions, dim_v)`.
            option_row: which set each context chooses from `(n,)`, where there are sets.
        """
        with torch.no_grad():
            told = self.of_option(self.option_scale(options))
            of_context = self.of_context(self.context_scale(context))
            step = max(1, _CELLS // (told.shape[-2] * told.shape[-1]))
            pieces = []
            for start in range(0, len(context), step):
                part = slice(start, start + step)
                here = told[None] if option_row is None else told[option_row[part]]
                pieces.append(self.out(torch.relu(of_context[part, None] + here)).squeeze(2))
            return torch.cat(pieces) * self.target_std + self.target_mean

    def standardised(self, reward: Tensor) -> Tensor:
        """Rewards `(n,)` in the units of `forward`."""
        return (reward - self.target_mean) / self.target_std
