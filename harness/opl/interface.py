"""What every environment of prompt policies can do, and what is made of it: logged rounds and exact values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from harness.errors import HarnessError
from harness.opl.action_draws import draw_actions
from harness.opl.distribution import distribution_fault, expected_reward
from harness.opl.evaluation.feedback import BanditFeedback
from harness.opl.products import blocks

if TYPE_CHECKING:
    from harness.registry import FloatArray

IntArray: TypeAlias = NDArray[np.int64]
Contexts = TypeVar("Contexts", NDArray[np.float64], NDArray[np.int64])
"""Contexts are rows of numbers, `(n, dim)`, or ids, `(n,)`, as the environment has it."""

_BLOCK_CELLS = 1 << 18  # of a table of contexts and actions: 2 MiB


class Environment(Protocol[Contexts]):
    """A context x is met with an action a, which brings forth an output o, which is rewarded: the truth is known.

    Learners see `features` of contexts, `action_embeddings`, and `observed_outputs` of outputs.
    """

    @property
    def n_actions(self) -> int:
        """Number of actions."""

    @property
    def action_embeddings(self) -> FloatArray:
        """What is known of the actions, `(n_actions, dim_action_embedding)`."""

    def sample_contexts(self, n_contexts: int, rng: np.random.Generator) -> Contexts:
        """Contexts to log in, `(n_contexts, ...)`."""

    def features(self, contexts: Contexts) -> FloatArray:
        """What learners see of contexts, `(n_contexts, dim_features)`."""

    def expected_rewards(self, contexts: Contexts) -> FloatArray:
        """E[r|x, a], `(n_contexts, n_actions)`."""

    def logging_policy(self, contexts: Contexts) -> FloatArray:
        """pi_0(a|x), `(n_contexts, n_actions)`."""

    def sample_outputs(self, contexts: Contexts, actions: IntArray, rng: np.random.Generator) -> FloatArray:
        """o of actions `(n_contexts,)` taken in contexts, `(n_contexts, dim_output)`."""

    def observed_outputs(self, outputs: FloatArray) -> FloatArray:
        """What learners see of outputs, `(n_contexts, dim_observed_output)`."""

    def expected_reward_given_output(self, contexts: Contexts, actions: IntArray, outputs: FloatArray) -> FloatArray:
        """E[r|x, a, o], `(n_contexts,)`."""

    def sample_rewards(
        self, contexts: Contexts, actions: IntArray, outputs: FloatArray, rng: np.random.Generator
    ) -> FloatArray:
        """r, `(n_contexts,)`."""


Policy: TypeAlias = Callable[[Contexts], NDArray[np.float64]]
"""pi(a|x), `(n, n_actions)`, of contexts: a method such as `environment.logging_policy`, or, of a policy that was learnt,
`lambda contexts: learnt(environment.features(contexts))`. Of ids, a table's rows: `table.__getitem__`."""


@dataclass(frozen=True, eq=False)
class LoggedData(Generic[Contexts]):
    """Rounds that a policy logged in an environment.

    Attributes:
        contexts: of each round, with what learners do not see `(n_rounds, ...)`.
        feedback: what learners see: features as `context`, action, observed output, reward and pscore of each round.
    """

    contexts: Contexts
    feedback: BanditFeedback


def sample_logged_data(
    environment: Environment[Contexts],
    policy: Policy[Contexts] | None,
    n_rounds: int,
    rng: np.random.Generator,
    *,
    tables: bool = False,
) -> LoggedData[Contexts]:
    """Rounds of a policy, by default the environment's own logging policy.

    Contexts, actions, outputs and rewards are drawn from streams of their own, spawned from `rng`: another policy meets the
    same contexts, and the first rounds of more are the same rounds. A policy is asked for a block of contexts at a time.
    With `tables` the feedback also holds `expected_reward` and `logging_dist`, `(n_rounds, n_actions)`.

    Raises `HarnessError` where there would be no round, or the policy gives something other than distributions.
    """
    if n_rounds < 1:
        raise HarnessError(f"n_rounds is {n_rounds}; log at least one round")
    of_contexts, of_actions, of_outputs, of_rewards = rng.spawn(4)
    contexts = environment.sample_contexts(n_rounds, of_contexts)
    action, pscore = np.empty(n_rounds, dtype=np.int64), np.empty(n_rounds)
    logging_dist = np.empty((n_rounds, environment.n_actions)) if tables else None
    for block, action_dist in _distributions(environment, policy, contexts):
        action_dist /= action_dist.sum(axis=1, keepdims=True)
        action[block] = draw_actions(action_dist, of_actions.random(len(action_dist)))
        pscore[block] = action_dist[np.arange(len(action_dist)), action[block]]
        if logging_dist is not None:
            logging_dist[block] = action_dist
    output = environment.sample_outputs(contexts, action, of_outputs)
    feedback = BanditFeedback(
        reward=environment.sample_rewards(contexts, action, output, of_rewards),
        action=action,
        pscore=pscore,
        n_actions=environment.n_actions,
        context=environment.features(contexts),
        output=environment.observed_outputs(output),
        expected_reward=environment.expected_rewards(contexts) if tables else None,
        logging_dist=logging_dist,
    )
    return LoggedData(contexts, feedback)


def policy_value(environment: Environment[Contexts], policy: Policy[Contexts] | None, contexts: Contexts) -> float:
    """V(pi) = mean over contexts of sum_a pi(a|x) E[r|x, a], exactly; by default of the environment's logging policy.

    Raises `HarnessError` where there is no context, or the policy gives something other than distributions.
    """
    if not len(contexts):
        raise HarnessError("contexts are empty; a value is a mean over at least one context")
    values = np.empty(len(contexts))
    for block, action_dist in _distributions(environment, policy, contexts):
        values[block] = expected_reward(action_dist, environment.expected_rewards(contexts[block]))
    return float(values.mean())


def _distributions(
    environment: Environment[Contexts], policy: Policy[Contexts] | None, contexts: Contexts
) -> Iterator[tuple[slice, FloatArray]]:
    """The policy's distributions for a block of contexts at a time, each a new array; raises `HarnessError`."""
    choose = environment.logging_policy if policy is None else policy
    for block in blocks(len(contexts), environment.n_actions, _BLOCK_CELLS):
        action_dist = np.array(choose(contexts[block]), dtype=np.float64)
        shape = (block.stop - block.start, environment.n_actions)
        if action_dist.shape != shape:
            raise HarnessError(f"the policy gives {action_dist.shape} for {shape[0]} contexts; it must give {shape}")
        if fault := distribution_fault(action_dist):
            raise HarnessError(f"context {block.start + fault[0]}: the policy {fault[1]}")
        yield block, action_dist
