"""What actions bring forth: vectors of outputs by context and action, tabulated or as a sum, with the noise about them."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor


class Outputs(ABC):
    """p(o|x, a) = N(m(x, a), diag(std^2)): the vector of the output o of action a in context x; std 0 where it is one text.

    Prompt vectors are outputs that depend on the action alone. Contexts are ids, rows of the environment's tables.
    """

    std: Tensor
    """Of each coordinate about its mean `(dim,)`."""

    n_actions: int

    @property
    def dim(self) -> int:
        """Coordinates of an output."""
        return len(self.std)

    @property
    def is_noisy(self) -> bool:
        """Whether an output varies about its mean."""
        return bool((self.std > 0).any())

    @abstractmethod
    def mean(self, context: Tensor, offset: Tensor | None = None) -> Tensor:
        """m(x, a) of every action `(n, n_actions, dim)` in the contexts with these ids `(n,)`, plus an offset `(n, dim)`."""

    @abstractmethod
    def chosen(self, context: Tensor, action: Tensor) -> Tensor:
        """m(x_i, a_i) `(n, dim)` of contexts `(n,)` and actions `(n,)`."""

    @abstractmethod
    def map(self, weight: Tensor) -> Outputs:
        """The means under a linear map `(m, dim)`, without noise. Mapping once is cheaper than mapping in every context."""

    @abstractmethod
    def weighted(self, context: Tensor, weight: Tensor) -> Tensor:
        """w_i . m(x_i, a) `(n, n_actions)` of weights `(n, dim)`."""

    @abstractmethod
    def squared_distance(self, context: Tensor, point: Tensor) -> Tensor:
        """||p_i - m(x_i, a)||^2 `(n, n_actions)` of points `(n, dim)`."""

    def sample(self, context: Tensor, action: Tensor, generator: torch.Generator) -> Tensor:
        """o ~ p(.|x_i, a_i) `(n, dim)`."""
        mean = self.chosen(context, action)
        noise = torch.randn(mean.shape, generator=generator, dtype=mean.dtype).to(mean.device)
        return mean + self.std * noise


class TabulatedOutputs(Outputs):
    """m(x, a) = vectors[row(x), a]: one text for each described item and prompt."""

    def __init__(self, vectors: Tensor, row: Tensor) -> None:
        """Args:
        vectors: `(n_sets, n_actions, dim)`.
        row: which set each context has, by context id `(n_contexts,)`.
        """
        self.vectors, self.row, self.n_actions = vectors, row, vectors.shape[1]
        self.std = torch.zeros(vectors.shape[-1], dtype=vectors.dtype, device=vectors.device)

    def mean(self, context: Tensor, offset: Tensor | None = None) -> Tensor:
        """As `Outputs.mean`."""
        found = self.vectors[self.row[context]]
        return found if offset is None else found + offset[:, None]

    def chosen(self, context: Tensor, action: Tensor) -> Tensor:
        """As `Outputs.chosen`."""
        return self.vectors[self.row[context], action]

    def map(self, weight: Tensor) -> TabulatedOutputs:
        """As `Outputs.map`."""
        return TabulatedOutputs(self.vectors @ weight.T, self.row)

    def weighted(self, context: Tensor, weight: Tensor) -> Tensor:
        """As `Outputs.weighted`."""
        return torch.einsum("nad,nd->na", self.mean(context), weight)

    def squared_distance(self, context: Tensor, point: Tensor) -> Tensor:
        """As `Outputs.squared_distance`."""
        return (self.mean(context) - point[:, None]).square().sum(dim=2)


class AdditiveOutputs(Outputs):
    """m(x, a) = of_context(x) + of_action(a): the synthetic environment's, and vectors of actions alone."""

    def __init__(self, of_action: Tensor, of_context: Tensor | None = None, std: Tensor | None = None) -> None:
        """Args:
        of_action: `(n_actions, dim)`.
        of_context: by context id `(n_contexts, dim)`; none where the context changes nothing.
        std: `(dim,)`; none for 0.
        """
        self.of_action, self.of_context, self.n_actions = of_action, of_context, len(of_action)
        self.std = torch.zeros_like(of_action[0]) if std is None else std

    def mean(self, context: Tensor, offset: Tensor | None = None) -> Tensor:
        """As `Outputs.mean`."""
        return self._base(context, offset)[:, None] + self.of_action

    def chosen(self, context: Tensor, action: Tensor) -> Tensor:
        """As `Outputs.chosen`."""
        return self._base(context, None) + self.of_action[action]

    def map(self, weight: Tensor) -> AdditiveOutputs:
        """As `Outputs.map`."""
        return AdditiveOutputs(
            self.of_action @ weight.T, None if self.of_context is None else self.of_context @ weight.T
        )

    def weighted(self, context: Tensor, weight: Tensor) -> Tensor:
        """As `Outputs.weighted`."""
        base = (self._base(context, None) * weight).sum(dim=1, keepdim=True)
        return torch.addmm(base, weight, self.of_action.T)

    def squared_distance(self, context: Tensor, point: Tensor) -> Tensor:
        """As `Outputs.squared_distance`, by ||u||^2 - 2 u.v + ||v||^2, which needs no table of differences."""
        rest = point - self._base(context, None)
        squares = rest.square().sum(dim=1, keepdim=True) + self.of_action.square().sum(dim=1)
        return torch.addmm(squares, rest, self.of_action.T, alpha=-2).clamp_min(0)

    def _base(self, context: Tensor, offset: Tensor | None) -> Tensor:
        known = self.of_context
        base = self.of_action.new_zeros(len(context), self.dim) if known is None else known[context]
        return base if offset is None else base + offset
