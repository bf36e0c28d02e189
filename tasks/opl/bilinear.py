"""Ridge regression of rewards on all products of a context's and a choice's coordinates, in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tasks.opl.outputs import Outputs

_PENALTIES = tuple(10.0**power for power in range(-3, 7))
_ROWS = 4096


@dataclass(frozen=True)
class BilinearRidge:
    """r(x, v) = [1, x'] W [1, v'], x' and v' standardised: W `(1 + dim_x, 1 + dim_v)` minimises

        sum_i (r_i - [1, x_i'] W [1, v_i'])^2 + penalty * ||W||^2

    (the constant is not penalised), with the penalty of the lowest held-out error. Linear in v, so that an expectation over a
    noisy v is the value at its mean. Hoerl and Kennard (1970); Li et al.'s hybrid LinUCB features (2010).
    """

    weight: Tensor
    context_mean: Tensor
    context_scale: Tensor
    choice_mean: Tensor
    choice_scale: Tensor

    @classmethod
    def fit(
        cls,
        context: Tensor,
        choice: Tensor,
        reward: Tensor,
        val_context: Tensor,
        val_choice: Tensor,
        val_reward: Tensor,
    ) -> tuple[BilinearRidge, float]:
        """The ridge and its held-out mean squared error.

        Args:
            context: `(n, dim_x)`.
            choice: `(n, dim_v)`.
            reward: `(n,)`.
            val_context, val_choice, val_reward: held-out rounds, which choose the penalty.
        """
        maps = (*_standard(context), *_standard(choice))
        moments = _moments(maps, context, choice, reward)
        values, vectors = torch.linalg.eigh(moments.gram)
        rotated = vectors.T @ moments.product
        best: tuple[float, BilinearRidge] | None = None
        for penalty in _PENALTIES:
            weight = vectors @ (rotated / (values.clamp_min(0) + penalty))
            constant = moments.target - moments.mean @ weight
            table = torch.cat([constant[None], weight]).reshape(1 + context.shape[1], 1 + choice.shape[1])
            ridge = cls(table, *maps)
            error = float((ridge.predict(val_context, val_choice) - val_reward).square().mean())
            if best is None or error < best[0]:
                best = (error, ridge)
        assert best is not None  # there are penalties
        return best[1], best[0]

    def predict(self, context: Tensor, choice: Tensor) -> Tensor:
        """Predicted rewards `(n,)` of contexts `(n, dim_x)` with their choices `(n, dim_v)`."""
        slopes = _extended(context, self.context_mean, self.context_scale) @ self.weight
        return (slopes * _extended(choice, self.choice_mean, self.choice_scale)).sum(dim=1).to(context.dtype)

    def predict_all(self, context: Tensor, options: Outputs, ids: Tensor) -> Tensor:
        """Predicted rewards `(n, n_actions)` of contexts `(n, dim_x)` with ids `(n,)`, at the means of the options."""
        slopes = _extended(context, self.context_mean, self.context_scale) @ self.weight
        per_choice = slopes[:, 1:] * self.choice_scale
        constant = slopes[:, 0] - per_choice @ self.choice_mean
        return options.weighted(ids, per_choice.to(context.dtype)) + constant[:, None].to(context.dtype)


Maps = tuple[Tensor, Tensor, Tensor, Tensor]


def _standard(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and 1 / std of each column, 0 for a constant one."""
    rows = rows.double()
    std = rows.std(dim=0, correction=0)
    return rows.mean(dim=0), torch.where(std > 1e-8, 1 / std.clamp_min(1e-8), torch.zeros_like(std))


def _extended(rows: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
    """[1, (x - mean) * scale] in double precision."""
    standard = (rows.double() - mean) * scale
    return torch.cat([standard.new_ones(len(rows), 1), standard], dim=1)


@dataclass(frozen=True)
class _Moments:
    """Of the products `(n, p)`, the constant left out: centred Gram matrix, centred product with r, mean; and r's mean."""

    gram: Tensor
    product: Tensor
    mean: Tensor
    target: Tensor


def _moments(maps: Maps, context: Tensor, choice: Tensor, reward: Tensor) -> _Moments:
    """In blocks of rows, as the products of all are too many to hold."""
    target = reward.double().mean()
    size = (1 + context.shape[1]) * (1 + choice.shape[1]) - 1
    gram, product, total = (target.new_zeros(*shape) for shape in ((size, size), (size,), (size,)))
    for start in range(0, len(context), _ROWS):
        part = slice(start, start + _ROWS)
        left, right = _extended(context[part], *maps[:2]), _extended(choice[part], *maps[2:])
        rows = (left[:, :, None] * right[:, None, :]).flatten(1)[:, 1:]
        gram.addmm_(rows.T, rows)
        product += rows.T @ (reward[part].double() - target)
        total += rows.sum(dim=0)
    mean = total / len(context)
    return _Moments(gram - len(context) * mean[:, None] * mean, product, mean, target)
