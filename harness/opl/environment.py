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
from harness.opl.products import blocks, ordered_product
from harness.opl.reward_functions import REWARD_FUNCTIONS, LinearLaw, RewardFunction
from harness.opl.row_checks import check_actions, check_contexts, check_outputs

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
    integrated exactly. Other functions f are in `harness.opl.reward_functions`. The last `dim_confounded` coordinates of
    o are N(0, confounder_scale^2) in place of mu. The logging policy is a softmax of scores linear in what is known:
    pi_0(a|x, q) proportional to exp(beta [x, q] L e_a).
    Source: Kiyohara et al., OfflinePrompts, RecSys 2025, arXiv 2504.02646, the synthetic experiment.

    A context here is the row [x, q]; learners see `features` of it, and `observed_outputs` of outputs. Rows of results
    depend on nothing but their own context, to the last bit.

    Raises `HarnessError` where shapes do not fit, or a number is not finite.

    Attributes:
        action_embeddings: e `(n_actions, dim_action_embedding)`.
        query_weights: M `(dim_query, dim_output)`.
        action_weights: N `(dim_action_embedding, dim_output)`.
        reward_weights: W `(dim_context + dim_query, dim_output)`, the normalizer divided out; a sparse reward has columns
            of zeros.
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
            try:
                array = np.ascontiguousarray(getattr(self, name), dtype=np.float64)
            except (TypeError, ValueError):
                raise HarnessError(f"environment: {name} holds something other than numbers; give a matrix") from None
            object.__setattr__(self, name, array)
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
        return self._settings_fault()

    def _settings_fault(self) -> str | None:
        settings, dim_output = self.settings, self.query_weights.shape[1]
        if settings.dim_confounded > dim_output:
            return f"dim_confounded is {settings.dim_confounded} but outputs have {dim_output} coordinates"
        if settings.hidden_outputs >= dim_output:
            return (
                f"hidden_outputs is {settings.hidden_outputs} of {dim_output} output coordinates; leave one to be seen"
            )
        if settings.hidden_contexts > self.dim_context:
            return f"hidden_contexts is {settings.hidden_contexts} but users have {self.dim_context} coordinates"
        if settings.generator == "rational" and settings.bias is None:
            return "bias is None; the generator 'rational' needs a number"
        if not np.isfinite(self.action_outputs).all() or not np.isfinite(self._action_factors).all():
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
        return ordered_product(rng.standard_normal((n_contexts, len(self.context_factor))), self.context_factor.T)

    def features(self, contexts: FloatArray) -> FloatArray:
        """What learners see of contexts, `(n_contexts, dim_context - hidden_contexts + dim_query)`."""
        self.check_contexts(contexts)
        seen = self.dim_context - self.settings.hidden_contexts
        return np.concatenate([contexts[:, :seen], contexts[:, self.dim_context :]], axis=1)

    def expected_rewards(self, contexts: FloatArray) -> FloatArray:
        """E[r|x, q, a] in closed form, `(n_contexts, n_actions)`."""
        return self._in_blocks(self._expected_rewards, contexts)

    def logging_policy(self, contexts: FloatArray) -> FloatArray:
        """pi_0(a|x, q), `(n_contexts, n_actions)`."""
        return self._in_blocks(self._logging_policy, contexts)

    def query_outputs(self, contexts: FloatArray) -> FloatArray:
        """What each query adds to the output's mean, `(n_contexts, dim_output)`: E[o|q, a] is this + `action_outputs`."""
        self.check_contexts(contexts)
        asked = ordered_product(contexts[:, self.dim_context :], self.query_weights)
        return self.settings.mean_factor * asked * self._answered

    @cached_property
    def action_outputs(self) -> FloatArray:
        """What each action adds to the output's mean, `(n_actions, dim_output)`."""
        inner = ordered_product(self.action_embeddings, self.action_weights)
        outer = GENERATORS[self.settings.generator](inner, self.settings)
        return self.settings.mean_factor * outer * self._answered

    @property
    def output_std(self) -> FloatArray:
        """Standard deviation of each output coordinate given query and action, `(dim_output,)`."""
        return np.sqrt(self._output_variance)

    def sample_outputs(self, contexts: FloatArray, actions: NDArray[np.int64], rng: np.random.Generator) -> FloatArray:
        """Outputs o of actions taken in contexts, `(n_contexts, dim_output)`, with what learners do not see."""
        check_actions(actions, len(contexts), self.n_actions)
        means = self.query_outputs(contexts) + self.action_outputs[actions]
        return means + self.output_std * rng.standard_normal(means.shape)

    def observed_outputs(self, outputs: FloatArray) -> FloatArray:
        """What learners see of `(..., dim_output)`: outputs, their means or their standard deviation."""
        return outputs[..., : self.query_weights.shape[1] - self.settings.hidden_outputs]

    def expected_reward_given_output(
        self, contexts: FloatArray, actions: NDArray[np.int64], outputs: FloatArray
    ) -> FloatArray:
        """E[r|x, q, o] `(n_contexts,)`; here the output decides, whatever the action."""
        self.check_contexts(contexts)
        check_actions(actions, len(contexts), self.n_actions)
        check_outputs(outputs, len(contexts), self.query_weights.shape[1])
        slopes = ordered_product(contexts, self.reward_weights)
        rewards = self._reward_function.given_output(slopes, outputs, self.settings)
        return normal_cdf(rewards) if self.settings.reward_type == BINARY else rewards

    def sample_rewards(
        self, contexts: FloatArray, actions: NDArray[np.int64], outputs: FloatArray, rng: np.random.Generator
    ) -> FloatArray:
        """Rewards r of outputs in contexts, `(n_contexts,)`; binary ones are 0 or 1."""
        expected = self.expected_reward_given_output(contexts, actions, outputs)
        if self.settings.reward_type == BINARY:
            return (rng.random(len(expected)) < expected).astype(np.float64)
        return expected + self.settings.reward_std * rng.standard_normal(len(expected))

    def check_contexts(self, contexts: FloatArray) -> None:
        """Raises `HarnessError` where contexts are no finite rows [x, q] of this environment's lengths."""
        check_contexts(contexts, self.dim_context, self.dim_query)

    def linear_reward_weights(self) -> FloatArray:
        """L of the least-squares fit E[r|x, q, a] = [x, q] L e_a + c(x, q) over actions and the law of contexts.

        It is shaped as `logging_weights`.
        """
        means = np.zeros_like(self.reward_weights)
        means[self.dim_context :] = self.settings.mean_factor * self.query_weights * self._answered
        law = LinearLaw(self.reward_weights, means, self.context_factor @ self.context_factor.T)
        weights = self._reward_function.linear(law, self._output_variance, self.settings)
        centred = self.action_embeddings - self.action_embeddings.mean(axis=0)
        slopes, *_ = np.linalg.lstsq(centred, self._action_factors)
        return ordered_product(weights, slopes.T)

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

    @property
    def _reward_function(self) -> RewardFunction:
        return REWARD_FUNCTIONS[self.settings.reward_function]

    @cached_property
    def _action_factors(self) -> FloatArray:
        return self._reward_function.of_actions(self.action_outputs, self.settings)

    def _expected_rewards(self, contexts: FloatArray) -> FloatArray:
        slopes, variance = ordered_product(contexts, self.reward_weights), self._output_variance
        queries = self.query_outputs(contexts)
        factors, shared = self._reward_function.of_contexts(slopes, queries, variance, self.settings)
        rewards = ordered_product(factors, self._action_factors.T)
        rewards += shared
        if self.settings.reward_type == BINARY:  # bilinear, so normal over the output's noise
            rewards /= np.sqrt(1 + (slopes**2 * variance).sum(axis=1, keepdims=True))
            return normal_cdf(rewards)
        return rewards

    @cached_property
    def _output_variance(self) -> FloatArray:
        """Variance of each output coordinate given query and action, `(dim_output,)`."""
        confounder = self.settings.mean_factor * self.settings.confounder_scale
        noise = np.square(self.settings.noise_level)  # infinite where ** raises
        variance: FloatArray = noise + np.where(self._answered > 0, 0.0, np.square(confounder))
        return variance

    def _logging_policy(self, contexts: FloatArray) -> FloatArray:
        scores = ordered_product(
            self.settings.beta * ordered_product(contexts, self.logging_weights), self.action_embeddings.T
        )
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        return scores

    def _in_blocks(self, compute: Callable[[FloatArray], FloatArray], contexts: FloatArray) -> FloatArray:
        """`compute` of some contexts at a time, so that what it works on stays in the processor's cache."""
        self.check_contexts(contexts)
        table = np.empty((len(contexts), self.n_actions))
        for block in blocks(len(contexts), self.n_actions, _BLOCK_CELLS):
            table[block] = compute(contexts[block])
        return table
