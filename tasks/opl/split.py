"""One split of the language environment behind the interface that all environments share, `harness.opl.interface`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import get_args

import numpy as np

from tasks.api import TaskError
from tasks.opl.env import LanguageEnvironment, Split
from tasks.opl.rounds import check_action_dist
from tasks.opl.tables import Floats, Ints


@dataclass(frozen=True)
class LanguageSplit:
    """The contexts of a split, known by their ids; a sentence's vector is the output, and the table holds all expectations.

    Attributes:
        environment: the language environment.
        split: which contexts are drawn.
        action_dist: the logging policy pi_0(a|x), by context id `(n_contexts, n_actions)`.
        reward_std: standard deviation of a reward about its expectation.
    """

    environment: LanguageEnvironment
    split: Split
    action_dist: Floats
    reward_std: float

    def __post_init__(self) -> None:
        if self.split not in get_args(Split):
            raise TaskError(f"split is {self.split!r}; give one of {', '.join(get_args(Split))}")
        if not len(self.environment.contexts(self.split)):
            raise TaskError(f"split {self.split}: it has no contexts; build the environment with users on both sides")
        check_action_dist(self.action_dist, self.environment.n_contexts, self.n_actions)
        if not (math.isfinite(self.reward_std) and self.reward_std >= 0):
            raise TaskError(f"reward_std is {self.reward_std}; give a finite number from 0")

    @property
    def n_actions(self) -> int:
        """Prompts."""
        return self.environment.n_actions

    @property
    def action_embeddings(self) -> Floats:
        """e_a `(n_actions, dim_prompt)`."""
        return self.environment.features.prompts.astype(np.float64)

    def sample_contexts(self, n_contexts: int, rng: np.random.Generator) -> Ints:
        """Ids drawn from the split with replacement `(n_contexts,)`."""
        return rng.choice(self.environment.contexts(self.split), size=n_contexts)

    def features(self, contexts: Ints) -> Floats:
        """x = [e_user, e_query] `(n, dim_context)`."""
        return self.environment.features.context[self._rows(contexts)].astype(np.float64)

    def expected_rewards(self, contexts: Ints) -> Floats:
        """E[r|x, a] `(n, n_actions)`."""
        return self.environment.rewards[self._rows(contexts)].astype(np.float64)

    def logging_policy(self, contexts: Ints) -> Floats:
        """pi_0(a|x) `(n, n_actions)`."""
        return self.action_dist[self._rows(contexts)]

    def sample_outputs(self, contexts: Ints, actions: Ints, rng: np.random.Generator) -> Floats:
        """The vector of the sentence that each prompt wrote `(n, dim_sentence)`; nothing is drawn, it is one sentence."""
        row, column = self._rows(contexts), self._columns(actions, contexts)
        features = self.environment.features
        return features.sentences[features.item_row[row], column].astype(np.float64)

    def observed_outputs(self, outputs: Floats) -> Floats:
        """All of them."""
        return outputs

    def expected_reward_given_output(self, contexts: Ints, actions: Ints, outputs: Floats) -> Floats:
        """E[r|x, a] `(n,)`: the context and the prompt decide which sentence there is."""
        row, column = self._rows(contexts), self._columns(actions, contexts)
        return self.environment.rewards[row, column].astype(np.float64)

    def sample_rewards(self, contexts: Ints, actions: Ints, outputs: Floats, rng: np.random.Generator) -> Floats:
        """Normal(E[r|x, a], reward_std) `(n,)`."""
        expected = self.expected_reward_given_output(contexts, actions, outputs)
        return expected + self.reward_std * rng.standard_normal(len(expected))

    def _rows(self, contexts: Ints) -> Ints:
        return _numbers("contexts", contexts, self.environment.n_contexts)

    def _columns(self, actions: Ints, contexts: Ints) -> Ints:
        if np.shape(actions) != np.shape(contexts):
            raise TaskError(
                f"actions are {np.shape(actions)} but contexts {np.shape(contexts)}; give one action for each"
            )
        return _numbers("actions", actions, self.n_actions)


def _numbers(name: str, numbers: Ints, below: int) -> Ints:
    """The numbers, `(n,)`; raises `TaskError` with the first that is not in 0..below - 1."""
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu":
        raise TaskError(f"{name} are {numbers.dtype} {numbers.shape}; give integers of shape (n,)")
    outside = (numbers < 0) | (numbers >= below)
    if outside.any():
        first = int(np.argmax(outside))
        raise TaskError(f"{name}: [{first}] is {numbers[first]}; give numbers in 0..{below - 1}")
    return numbers
