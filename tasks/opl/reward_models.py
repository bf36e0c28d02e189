"""The reward simulators: how probably a user likes a film (collaborative filtering), or a film told so (text model)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class RewardModel(nn.Module):
    """What both simulators share: user vectors, biases and the head.

        logit = l2(ReLU(l1([e_user, v_item]))) + b_user + b_item,    probability = sigmoid(logit)

    Kiyohara et al. (2025), appendix; the linear weights start kaiming-normal, the embeddings N(0, embedding_std^2).
    Parameter names are the reference's.
    """

    def __init__(
        self, n_users: int, n_items: int, dim: int, hidden: int, embedding_std: float, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.user_embedding = nn.Embedding(n_users, dim)
        self.l1 = nn.Linear(2 * dim, hidden)
        self.l2 = nn.Linear(hidden, 1)
        self.user_bias = nn.Embedding(n_users, 1)
        self.item_bias = nn.Embedding(n_items, 1)
        for layer in (self.l1, self.l2):
            _reset_linear(layer, generator)
        for table in (self.user_embedding, self.user_bias, self.item_bias):
            nn.init.normal_(table.weight, std=embedding_std, generator=generator)

    def head(self, user: Tensor, item: Tensor, item_vector: Tensor) -> Tensor:
        """Logits `(n,)` of user ids `(n,)` and item ids `(n,)`, the items given by their vectors `(n, dim)`."""
        hidden = torch.relu(self.l1(torch.cat([self.user_embedding(user), item_vector], dim=1)))
        logit: Tensor = self.l2(hidden) + self.user_bias(user) + self.item_bias(item)
        return logit.squeeze(1)


def _reset_linear(layer: nn.Linear, generator: torch.Generator) -> None:
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
    nn.init.uniform_(layer.bias, -(layer.in_features**-0.5), layer.in_features**-0.5, generator=generator)


class CollaborativeFilteringRewardModel(RewardModel):
    """v_item is a learned vector of the item."""

    def __init__(
        self, n_users: int, n_items: int, dim: int, hidden: int, embedding_std: float, generator: torch.Generator
    ) -> None:
        super().__init__(n_users, n_items, dim, hidden, embedding_std, generator)
        self.item_embedding = nn.Embedding(n_items, dim)
        nn.init.normal_(self.item_embedding.weight, std=embedding_std, generator=generator)

    def forward(self, user: Tensor, item: Tensor) -> Tensor:
        """Logits `(n,)` that user `(n,)` likes item `(n,)`."""
        return self.head(user, item, self.item_embedding(item))


class TextRewardModel(RewardModel):
    """v_item = ReLU(item_encoder(h)), h the first token's last state of a frozen encoder that read a sentence about the item."""

    def __init__(
        self,
        n_users: int,
        n_items: int,
        state_size: int,
        dim: int,
        hidden: int,
        embedding_std: float,
        generator: torch.Generator,
    ) -> None:
        super().__init__(n_users, n_items, dim, hidden, embedding_std, generator)
        self.item_encoder = nn.Linear(state_size, dim)
        _reset_linear(self.item_encoder, generator)

    def item_vectors(self, states: Tensor) -> Tensor:
        """Item vectors `(..., dim)` of sentences by their first-token states `(..., state_size)`."""
        return torch.relu(self.item_encoder(states))

    def forward(self, user: Tensor, item: Tensor, states: Tensor) -> Tensor:
        """Logits `(n,)` that user `(n,)` likes item `(n,)` when told the sentences with states `(n, state_size)`."""
        return self.head(user, item, self.item_vectors(states))

    def start_from(self, other: RewardModel) -> None:
        """Takes over another simulator's user vectors and biases."""
        with torch.no_grad():
            self.user_embedding.weight.copy_(other.user_embedding.weight)
            self.user_bias.weight.copy_(other.user_bias.weight)
            self.item_bias.weight.copy_(other.item_bias.weight)
