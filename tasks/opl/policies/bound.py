"""A policy together with what it looks at, for use outside the learners: contexts in, probabilities and draws out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, TypeVar, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.api import TaskError
from tasks.opl.objectives import quantile
from tasks.opl.problem import FeatureTensors, Policy

Array = TypeVar("Array", NDArray[np.generic], Tensor)
Generator: TypeAlias = np.random.Generator | torch.Generator
Look: TypeAlias = FeatureTensors | Callable[[Tensor], FeatureTensors]


class BoundPolicy:
    """Exact probabilities, in double precision and without gradient, and draws of a policy.

    Contexts are ids of the features, or rows of numbers where a function makes features of them. NumPy contexts give NumPy
    results, tensors give tensors on their device. It is a function of contexts as `harness.opl.interface` takes policies:
    `BoundPolicy(policy, lambda rows: FeatureTensors(rows.float(), actions, actions))` for one that looks at no outputs.
    """

    def __init__(self, policy: Policy, features: Look) -> None:
        """Args:
        policy: any policy.
        features: of all contexts, which then are ids `(n,)`; or what makes features of rows `(n, dim)`, as they were given.
        """
        self.policy, self.features = policy, features

    @overload
    def action_dist(self, context: NDArray[np.generic]) -> NDArray[np.float64]: ...

    @overload
    def action_dist(self, context: Tensor) -> Tensor: ...

    def action_dist(self, context: NDArray[np.generic] | Tensor) -> NDArray[np.float64] | Tensor:
        """pi(a|x) `(n, n_actions)` of contexts.

        Raises:
            TaskError: contexts have the wrong shape or kind, or an id is out of range.
        """
        action_dist = self._log_dist(context).exp()
        return action_dist.to(context.device) if isinstance(context, Tensor) else action_dist.cpu().numpy()

    __call__ = action_dist

    def log_prob(self, context: Array, action: Array) -> Array:
        """log pi(a_i|x_i) `(n,)` of actions `(n,)`, minus infinity for one that is never chosen.

        Raises:
            TaskError: as `action_dist` does; or actions do not fit the contexts or are out of range.
        """
        log_dist = self._log_dist(context)
        chosen = _whole("action", action, log_dist.shape[1], len(log_dist)).to(log_dist.device)
        return _like(context, log_dist.gather(1, chosen[:, None]).squeeze(1))

    def sample(self, context: Array, generator: Generator) -> tuple[Array, Array]:
        """Actions a_i ~ pi(.|x_i), int64, and their propensities pi(a_i|x_i), both `(n,)`.

        Raises:
            TaskError: as `action_dist` does.
        """
        log_dist = self._log_dist(context)
        if isinstance(generator, torch.Generator):
            uniform = torch.rand(len(log_dist), 1, generator=generator, dtype=torch.float64, device=generator.device)
        else:
            uniform = torch.from_numpy(generator.random((len(log_dist), 1)))
        action = quantile(log_dist.exp(), uniform.to(log_dist.device))
        pscore = log_dist.gather(1, action[:, None]).squeeze(1).exp()
        return _like(context, action), _like(context, pscore)

    @torch.no_grad()
    def _log_dist(self, context: NDArray[np.generic] | Tensor) -> Tensor:
        if isinstance(self.features, FeatureTensors):
            features = self.features
            ids = _whole("context", context, len(features.context)).to(features.context.device)
        else:
            features = self.features(_rows(context))
            ids = torch.arange(len(features.context), device=features.context.device)
        return torch.log_softmax(self.policy.logits(features, ids).double(), dim=1)


def _like(context: Array, result: Tensor) -> Array:
    if isinstance(context, Tensor):
        return result.to(context.device)
    return result.cpu().numpy()


def _rows(context: NDArray[np.generic] | Tensor) -> Tensor:
    rows = _tensor(context)
    if rows.ndim != 2:
        raise TaskError(f"context: has shape {tuple(rows.shape)}; give rows (n, dim)")
    return rows


def _whole(name: str, given: NDArray[np.generic] | Tensor, below: int, n: int | None = None) -> Tensor:
    """Whole numbers in 0..below-1, `(n,)`, as int64."""
    numbers = _tensor(given)
    if numbers.ndim != 1 or (n is not None and len(numbers) != n):
        raise TaskError(f"{name}: has shape {tuple(numbers.shape)}; give ({'n' if n is None else n},), one a context")
    if numbers.is_floating_point() or numbers.is_complex() or numbers.dtype is torch.bool:
        raise TaskError(f"{name}: holds {numbers.dtype}; give whole numbers in 0..{below - 1}")
    numbers = numbers.long()
    outside = (numbers < 0) | (numbers >= below)
    if bool(outside.any()):
        first = int(outside.int().argmax())
        raise TaskError(f"{name}: [{first}] is {int(numbers[first])}; give whole numbers in 0..{below - 1}")
    return numbers


def _tensor(given: NDArray[np.generic] | Tensor) -> Tensor:
    return given if isinstance(given, Tensor) else torch.from_numpy(np.array(given))  # a copy: it may be read-only
