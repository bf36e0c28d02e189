"""The small networks of policies and reward models: Linear(in, 100)-ReLU-Linear(100, out) on standardised inputs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tasks.opl.outputs import Outputs
from tasks.opl.problem import FeatureTensors, Policy

_CELLS = 1 << 18  # of a block of hidden units: they stay in the processor's cache


class Standardise(nn.Module):
    """(x - mean) / std of the inputs seen when made; a constant input becomes 0. Part of the weights, never trained."""

    mean: Tensor
    scale: Tensor

    def __init__(self, inputs: Tensor, *, identity: bool = False) -> None:
        """Args:
        inputs: `(n, dim)`.
        identity: leave them as they are, as the published networks do.
        """
        super().__init__()
        std = inputs.std(dim=0, correction=0)
        scale = torch.where(std > 1e-8, 1 / std.clamp_min(1e-8), torch.zeros_like(std))
        self.register_buffer("mean", torch.zeros_like(std) if identity else inputs.mean(dim=0))
        self.register_buffer("scale", torch.ones_like(std) if identity else scale)

    def forward(self, inputs: Tensor) -> Tensor:
        """Standardised inputs of the same shape `(..., dim)`."""
        return (inputs - self.mean) * self.scale


def reset_linear(layer: nn.Linear, generator: torch.Generator) -> None:
    """torch's default weights, U(-1/sqrt(in), 1/sqrt(in)), from a generator of ours."""
    bound = layer.in_features**-0.5
    for parameter in (layer.weight, layer.bias):
        nn.init.uniform_(parameter, -bound, bound, generator=generator)


class PolicyNetwork(Policy):
    """pi(a|x) = softmax(l2(ReLU(l1(x)))), the paper's prompt policy."""

    def __init__(
        self, contexts: Tensor, n_actions: int, hidden: int, generator: torch.Generator, *, standardise: bool = True
    ) -> None:
        super().__init__()
        self.standardise = Standardise(contexts, identity=not standardise)
        self.l1 = nn.Linear(contexts.shape[1], hidden)
        self.l2 = nn.Linear(hidden, n_actions)
        for layer in (self.l1, self.l2):
            reset_linear(layer, generator)

    def forward(self, context: Tensor) -> Tensor:
        """Logits `(n, n_actions)` of context vectors `(n, dim_context)`."""
        logits: Tensor = self.l2(torch.relu(self.l1(self.standardise(context))))
        return logits

    def logits(self, features: FeatureTensors, context: Tensor) -> Tensor:
        """As `Policy.logits`."""
        logits: Tensor = self(features.context[context])
        return logits


class RewardNetwork(nn.Module):
    """r(x, v) = out(ReLU(of_context(x) + of_option(v))), v what is chosen: a prompt's vector or an output's.

    It is Linear(dim_x + dim_v, hidden)-ReLU-Linear(hidden, 1) with the first layer parted, so that all options of a context
    cost little more than one. Rewards are standardised inside.
    """

    target_mean: Tensor
    target_std: Tensor

    def __init__(
        self,
        contexts: Tensor,
        options: Tensor,
        rewards: Tensor,
        hidden: int,
        generator: torch.Generator,
        *,
        standardise: bool = True,
    ) -> None:
        super().__init__()
        self.context_scale = Standardise(contexts, identity=not standardise)
        self.option_scale = Standardise(options, identity=not standardise)
        self.of_context = nn.Linear(contexts.shape[1], hidden)
        self.of_option = nn.Linear(options.shape[1], hidden, bias=False)
        self.out = nn.Linear(hidden, 1)
        bound = (contexts.shape[1] + options.shape[1]) ** -0.5
        for parameter in (*self.of_context.parameters(), *self.of_option.parameters()):
            nn.init.uniform_(parameter, -bound, bound, generator=generator)
        reset_linear(self.out, generator)
        std = rewards.std(correction=0).clamp_min(1e-8)
        self.register_buffer("target_mean", rewards.mean() if standardise else torch.zeros_like(std))
        self.register_buffer("target_std", std if standardise else torch.ones_like(std))

    def forward(self, context: Tensor, option: Tensor) -> Tensor:
        """Standardised predicted rewards `(n,)` of contexts `(n, dim_x)` under the options chosen `(n, dim_v)`."""
        hidden = torch.relu(self.of_context(self.context_scale(context)) + self.of_option(self.option_scale(option)))
        predicted: Tensor = self.out(hidden)
        return predicted.squeeze(1)

    def predict_all(self, features: FeatureTensors, options: Outputs, context: Tensor, shift: Tensor) -> Tensor:
        """Predicted rewards `(n, n_actions)` in the log's units, without gradient, at the options' means plus shifts.

        Args:
            features: of all contexts.
            options: what the actions bring forth.
            context: context ids `(n,)`.
            shift: added to every option `(n_shifts, dim_v)`; predictions are averaged over the shifts.
        """
        with torch.no_grad():
            weight = self.of_option.weight * self.option_scale.scale
            told = options.map(weight)
            known = self.of_context(self.context_scale(features.context[context])) - weight @ self.option_scale.mean
            step = max(1, _CELLS // (options.n_actions * len(weight)))
            predicted = known.new_zeros(len(context), options.n_actions)
            for start in range(0, len(context), step):
                part = slice(start, start + step)
                for moved in shift @ weight.T:
                    hidden = told.mean(context[part], known[part] + moved).relu_()
                    predicted[part] += (hidden @ self.out.weight[0]) / len(shift)
            rewards: Tensor = (predicted + self.out.bias) * self.target_std + self.target_mean
            return rewards

    def standardised(self, reward: Tensor) -> Tensor:
        """Rewards `(n,)` in the units of `forward`."""
        return (reward - self.target_mean) / self.target_std
