"""The network that chooses a cluster of actions by looking at its centre."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tasks.opl.networks import Standardise, reset_linear
from tasks.opl.problem import FeatureTensors, Policy

_CELLS = 1 << 22  # hidden units at a time, of all clusters: 16 MiB


class ClusterNetwork(Policy):
    """pi_1(c|x) = softmax_c(l2(ReLU(l1([x, centre_c])))): one network for all clusters; a policy over clusters, not actions.

    The first stage of POTEC (Saito, Yao and Joachims, 2025) as Kiyohara et al. (2025) have it.
    """

    centres: Tensor

    def __init__(
        self, contexts: Tensor, centres: Tensor, hidden: int, generator: torch.Generator, *, standardise: bool = True
    ) -> None:
        """Args:
        contexts: context vectors seen, which standardise those to come `(n, dim_context)`.
        centres: of the clusters `(n_clusters, dim)`.
        hidden: units of the hidden layer.
        generator: draws the first weights.
        standardise: standardise contexts and centres.
        """
        super().__init__()
        self.context_scale = Standardise(contexts, identity=not standardise)
        self.centre_scale = Standardise(centres, identity=not standardise)
        self.register_buffer("centres", centres)
        self.l1 = nn.Linear(contexts.shape[1] + centres.shape[1], hidden)
        self.l2 = nn.Linear(hidden, 1)
        for layer in (self.l1, self.l2):
            reset_linear(layer, generator)

    def forward(self, context: Tensor) -> Tensor:
        """Logits `(n, n_clusters)` of context vectors `(n, dim_context)`."""
        dim, (n_clusters, hidden) = context.shape[1], (len(self.centres), self.l1.out_features)
        of_context = nn.functional.linear(self.context_scale(context), self.l1.weight[:, :dim], self.l1.bias)
        of_centre = nn.functional.linear(self.centre_scale(self.centres), self.l1.weight[:, dim:])
        blocks = torch.split(of_context, max(1, _CELLS // (n_clusters * hidden)))
        return torch.cat([self.l2(torch.relu(block[:, None] + of_centre)).squeeze(2) for block in blocks])

    def logits(self, features: FeatureTensors, context: Tensor) -> Tensor:
        """As `Policy.logits`, `(n, n_clusters)`."""
        logits: Tensor = self(features.context[context])
        return logits
