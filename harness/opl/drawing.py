"""Draws synthetic environments: each matrix from a stream of its own, or as the published ones were drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from harness.errors import HarnessError
from harness.opl.environment import SyntheticEnvironment
from harness.opl.environment_settings import ALIASED_MATRICES, PAPER, EnvironmentSettings
from harness.opl.published_draws import PublishedDraws
from harness.opl.reward_functions import REWARD_FUNCTIONS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.registry import FloatArray

_STREAMS = ("contexts", "actions", "output", "reward", "bias", "logging")
_MEMBER_SCALE = 0.1  # of a mixture's members around their centre


@dataclass(frozen=True)
class Sizes:
    """How large an environment is; the defaults are the published experiment's.

    With `n_clusters` action embeddings are a mixture of Gaussians of as many members each, else N(0, I). With
    `dim_sparse` the reward has weights for only so many output coordinates. They are divided by `normalizer`, by default
    what the reward function says; of the published, bilinear one 5 dim_output (dim_context + dim_query).
    """

    n_actions: int = 1000
    dim_context: int = 5
    dim_query: int = 5
    dim_action_embedding: int = 5
    dim_output: int = 5
    n_clusters: int | None = None
    dim_sparse: int | None = None
    normalizer: float | None = None

    def __post_init__(self) -> None:
        dims = (self.n_actions, self.dim_context, self.dim_query, self.dim_action_embedding, self.dim_output)
        divides = self.normalizer is None or self.normalizer > 0
        if min(dims) < 1 or not 1 <= self.sparse <= self.dim_output or not divides:
            raise HarnessError(
                f"{self}: give positive numbers, and a dim_sparse of 1 to dim_output, here {self.dim_output}"
            )
        if self.n_clusters is not None and (self.n_clusters < 1 or self.n_actions % self.n_clusters):
            raise HarnessError(f"{self.n_actions} actions do not make {self.n_clusters} clusters of one size")

    @property
    def sparse(self) -> int:
        """Rewarded output coordinates."""
        return self.dim_output if self.dim_sparse is None else self.dim_sparse


class _Draws(Protocol):
    def uniform(self, shape: tuple[int, int]) -> FloatArray: ...

    def normal(self, shape: tuple[int, int]) -> FloatArray: ...


class _Stream:
    """One of the independent streams of a seed."""

    def __init__(self, seed: int, name: str) -> None:
        sequence = np.random.SeedSequence(seed, spawn_key=(_STREAMS.index(name),))
        self._rng = np.random.default_rng(sequence)

    def uniform(self, shape: tuple[int, int]) -> FloatArray:
        return self._rng.random(shape)

    def normal(self, shape: tuple[int, int]) -> FloatArray:
        return self._rng.standard_normal(shape)


def draw_environment(
    seed: int,
    sizes: Sizes | None = None,
    settings: EnvironmentSettings | None = None,
    *,
    logging_noise: float = 0.5,
    compat: bool = False,
) -> SyntheticEnvironment:
    """The environment of a seed: all weights N(0, 1), contexts of N(0, F F^T) with F ~ U(-1, 1).

    Hidden coordinates of the user are independent of all others, or what is seen would tell of them.
    The logging policy's scores are the best linear fit of the expected reward, blurred: to each weight N(0, 1) times
    `logging_noise` times their root mean square is added. A rational generator without a bias gets one of N(0, 1).
    With `compat` the environment has the published ones' two defects (see `EnvironmentSettings.compat`): for the sizes,
    generator and seeds of the paper it is, to single precision, the very environment that was published. Raises
    `HarnessError` for a seed below 0 or sizes that do not fit.
    """
    sizes, settings = sizes or Sizes(), settings or EnvironmentSettings()
    if compat:
        settings = replace(settings, compat=PAPER)
    aliased = ALIASED_MATRICES in settings.compat
    if seed < 0 or (aliased and seed >= 1 << 32):
        raise HarnessError(f"seed {seed}: give one from 0, and below {1 << 32} where compat is on")
    if settings.generator == "rational" and settings.bias is None:
        settings = replace(settings, bias=float(_Stream(seed, "bias").normal((1, 1))[0, 0]))

    def stream(name: str) -> _Draws:
        return PublishedDraws(seed) if aliased else _Stream(seed, name)

    joint = sizes.dim_context + sizes.dim_query
    output, reward = stream("output"), stream("reward")
    query_weights = output.normal((sizes.dim_query, sizes.dim_output))
    action_weights = output.normal((sizes.dim_action_embedding, sizes.dim_output))
    reward_weights = np.concatenate(
        [reward.normal((sizes.dim_context, sizes.dim_output)), reward.normal((sizes.dim_query, sizes.dim_output))]
    )
    normalizer = sizes.normalizer or REWARD_FUNCTIONS[settings.reward_function].normalizer(sizes.dim_output, joint)
    reward_weights *= (np.arange(sizes.dim_output) < sizes.sparse) / normalizer
    hidden = np.arange(max(0, sizes.dim_context - settings.hidden_contexts), sizes.dim_context)
    environment = SyntheticEnvironment(
        action_embeddings=_action_embeddings(stream("actions"), sizes),
        query_weights=query_weights,
        action_weights=action_weights,
        reward_weights=reward_weights,
        logging_weights=np.zeros((joint, sizes.dim_action_embedding)),
        context_factor=_context_factor(stream("contexts"), joint, hidden),
        settings=settings,
    )
    noise = logging_noise * _Stream(seed, "logging").normal(environment.logging_weights.shape)
    linear = environment.linear_reward_weights()
    return replace(environment, logging_weights=linear + noise * np.sqrt(np.mean(linear**2)))


def _context_factor(draws: _Draws, joint: int, hidden: NDArray[np.int64]) -> FloatArray:
    """F ~ U(-1, 1), with hidden coordinates made independent of all others, of the variance they had."""
    factor = 2 * draws.uniform((joint, joint)) - 1
    spread = np.sqrt((factor[hidden] ** 2).sum(axis=1))
    factor[hidden] = factor[:, hidden] = 0
    factor[hidden, hidden] = spread
    return factor


def _action_embeddings(draws: _Draws, sizes: Sizes) -> FloatArray:
    if sizes.n_clusters is None:
        return draws.normal((sizes.n_actions, sizes.dim_action_embedding))
    centres = draws.normal((sizes.n_clusters, sizes.dim_action_embedding))
    members = draws.normal((sizes.n_actions, sizes.dim_action_embedding))
    return np.repeat(centres, sizes.n_actions // sizes.n_clusters, axis=0) + _MEMBER_SCALE * members
