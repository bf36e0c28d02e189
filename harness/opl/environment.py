"""A synthetic environment of prompt policies whose expected reward is known in closed form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import HarnessError, shown
from harness.opl.environment_settings import BINARY, EnvironmentSettings
from harness.opl.generators import GENERATORS
from harness.opl.normal import normal_cdf

if TYPE_CHECKING:
    from harness.registry import FloatArray

ARRAYS = (
    "action_embeddings",
    "query_weights",
    "action_weights",
    "reward_weights",
    "logging_weights",
    "context_factor",
)
_BLOCK_CELLS = 1 << 15


@dataclass(frozen=True, eq=False)
class SyntheticEnvironment:
    """A user x with a query q is answered by action a through an output o, which is rewarded:

        o = mu(q, a) + noise_level * eps,   mu(q, a) = q M + g(e_a N),   eps ~ N(0, I)
        f(x, q, o) = [x, q] W . o,   r ~ N(f, reward_std^2) or Bernoulli(Phi(f))

    so that the expected reward is f at the mean output, or Phi(f / sqrt(1 + Var f)): a normal variable within Phi is
    integrated exactly. The last `dim_confounded` coordinates of o are N(0, confounder_scale^2) in place of mu. The
    logging policy is a softmax of scores linear in what is known: pi_0(a|x, q) proportional to exp(beta [x, q] L e_a).
    Source: Kiyohara et al., OfflinePrompts, RecSys 2025, arXiv 2504.02646, the synthetic experiment. A context here is
    the row [x, q]. Rows of results depend on nothing but their own context, to the last bit.

    Raises `HarnessError` where shapes do not fit, or a number is not finite.

    Attributes:
        action_embeddings: e `(n_actions, dim_action_embedding)`.
        query_weights: M `(dim_query, dim_output)`.
        action_weights: N `(dim_action_embedding, dim_output)`.
        reward_weights: W `(dim_context + dim_query, dim_output)`, the reward's normalizer divided out; a sparse reward
            has columns of zeros.
        logging_weights: L `(dim_context + dim_query, dim_action_embedding)`.
        context_factor: F `(dim_context + dim_query,) * 2` of the law of contexts, N(0, F F^T).
        settings: everything that is no matrix.
    """

    action_embeddings: FloatArray
    query_weights: FloatArray
    action_weights: FloatArray
    reward_weights: FloatArray
    logging_weights: FloatArray
    context_factor: FloatArray
    settings: EnvironmentSettings

    @np.errstate(over="ignore", invalid="ignore")  # what is not finite is refused
    def __post_init__(self) -> None:
        for name in ARRAYS:
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name), dtype=np.float64))
        if fault := self._fault():
            raise HarnessError(f"environment: {fault}")

    def _fault(self) -> str | None:
        for name in ARRAYS:
            array = getattr(self, name)
            if array.ndim != 2 or not array.size:
                return f"{name} is {array.shape}; it must be a matrix with at least one row and column"
            if not np.isfinite(array).all():
                return f"{name} holds values that are not finite"
        dim_query, dim_output = self.query_weights.shape
        dim_action, dim_joint = self.action_embeddings.shape[1], len(self.reward_weights)
        expected = {
            "action_weights": (dim_action, dim_output),
            "reward_weights": (max(dim_joint, dim_query), dim_output),
            "logging_weights": (dim_joint, dim_action),
            "context_factor": (dim_joint, dim_joint),
        }
        for name, shape in expected.items():
            if getattr(self, name).shape != shape:
                return f"{name} is {getattr(self, name).shape} but the other matrices ask for {shape}"
        if self.settings.dim_confounded > dim_output:
            return f"dim_confounded is {self.settings.dim_confounded} but outputs have {dim_output} coordinates"
        if self.settings.generator == "rational" and self.settings.bias is None:
            return "bias is None; the generator 'rational' needs a number"
        if not np.isfinite(self._action_outputs).all():
            return "outputs of actions are not finite; make the matrices or max_abs_val, scaler and bias smaller"
        return None

    @property
    def n_actions(self) -> int:
        """Number of actions."""
        return len(self.action_embeddings)

    @property
    def dim_query(self) -> int:
        """Length of a query vector q, the last numbers of a context."""
        return len(self.query_weights)

    @property
    def dim_context(self) -> int:
        """Length of a user vector x, the first numbers of a context."""
        return len(self.reward_weights) - self.dim_query

    def sample_contexts(self, n_contexts: int, rng: np.random.Generator) -> FloatArray:
        """Contexts [x, q] `(n_contexts, dim_context + dim_query)` of N(0, F F^T)."""
        return _product(rng.standard_normal((n_contexts, len(self.context_factor))), self.context_factor.T)

    def expected_rewards(self, contexts: FloatArray) -> FloatArray:
        """E[r|x, q, a] in closed form, `(n_contexts, n_actions)`."""
        return self._in_blocks(self._expected_rewards, contexts)

    def logging_policy(self, contexts: FloatArray) -> FloatArray:
        """pi_0(a|x, q), `(n_contexts, n_actions)`."""
        return self._in_blocks(self._logging_policy, contexts)

    def linear_reward_weights(self) -> FloatArray:
        """L of the least-squares fit f = [x, q] L e_a + c(x, q) over the actions; shaped as `logging_weights`."""
        centred = self.action_embeddings - self.action_embeddings.mean(axis=0)
        slopes, *_ = np.linalg.lstsq(centred, self._action_outputs)
        return _product(self.reward_weights, slopes.T)

    def to_golds(self) -> tuple[dict[str, FloatArray], dict[str, object]]:
        """The matrices by name, and the settings as JSON values."""
        return {name: getattr(self, name) for name in ARRAYS}, self.settings.to_json()

    @classmethod
    def from_golds(cls, arrays: Mapping[str, FloatArray], settings: Mapping[str, object]) -> SyntheticEnvironment:
        """The environment out of what `to_golds` gave, further arrays aside; raises `HarnessError`."""
        if missing := [name for name in ARRAYS if name not in arrays]:
            raise HarnessError(f"environment: the arrays {shown(missing)} are missing")
        return cls(**{name: arrays[name] for name in ARRAYS}, settings=EnvironmentSettings.from_json(settings))

    @cached_property
    def _answered(self) -> FloatArray:
        """1 for output coordinates that answer query and action, 0 for the confounded ones, `(dim_output,)`."""
        dim_output = self.query_weights.shape[1]
        return np.where(np.arange(dim_output) < dim_output - self.settings.dim_confounded, 1.0, 0.0)

    @cached_property
    def _action_outputs(self) -> FloatArray:
        """What each action adds to the output's mean, `(n_actions, dim_output)`."""
        inner = _product(self.action_embeddings, self.action_weights)
        outer = GENERATORS[self.settings.generator](inner, self.settings)
        return self.settings.mean_factor * outer * self._answered

    def _expected_rewards(self, contexts: FloatArray) -> FloatArray:
        slopes = _product(contexts, self.reward_weights)
        queries = contexts[:, self.dim_context :]
        asked = self.settings.mean_factor * _product(queries, self.query_weights) * self._answered
        rewards = _product(slopes, self._action_outputs.T)
        rewards += (slopes * asked).sum(axis=1, keepdims=True)
        if self.settings.reward_type == BINARY:
            rewards /= np.sqrt(1 + (slopes**2 * self._output_variance).sum(axis=1, keepdims=True))
            return normal_cdf(rewards)
        return rewards

    @property
    def _output_variance(self) -> FloatArray:
        """Variance of each output coordinate given query and action, `(dim_output,)`."""
        confounder = self.settings.mean_factor * self.settings.confounder_scale
        noise = np.square(self.settings.noise_level)  # infinite where ** raises
        variance: FloatArray = noise + np.where(self._answered > 0, 0.0, np.square(confounder))
        return variance

    def _logging_policy(self, contexts: FloatArray) -> FloatArray:
        scores = _product(self.settings.beta * _product(contexts, self.logging_weights), self.action_embeddings.T)
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        return scores

    def _in_blocks(self, compute: Callable[[FloatArray], FloatArray], contexts: FloatArray) -> FloatArray:
        """`compute` of some contexts at a time, so that what it works on stays in the processor's cache."""
        table = np.empty((len(contexts), self.n_actions))
        step = max(1, _BLOCK_CELLS // self.n_actions)
        for start in range(0, len(contexts), step):
            table[start : start + step] = compute(contexts[start : start + step])
        return table


def _product(left: FloatArray, right: FloatArray) -> FloatArray:
    """`left @ right`, summed in one order, so that a row does not depend on how many stand beside it, as BLAS's do."""
    right = np.ascontiguousarray(right)
    table: FloatArray = left[:, :1] * right[0]
    for column, row in zip(left.T[1:], right[1:], strict=True):
        table += column[:, None] * row
    return table
