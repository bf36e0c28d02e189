"""The language environment: expected rewards of every context and prompt, tabulated, so that nothing is estimated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from harness.opl.action_draws import draw_actions
from harness.opl.products import blocks
from store import Artifact
from tasks.api import TaskError
from tasks.opl.rounds import LoggedRounds, check_action_dist
from tasks.opl.tables import Floats, Ints, integers, sorted_rows

Split = Literal["train", "test"]
Singles = NDArray[np.float32]
_CELLS = 1 << 24


@dataclass(frozen=True)
class Features:
    """What a policy or a reward model may look at.

    Attributes:
        context: user and query vectors, x = [e_user, e_query] `(n_contexts, dim_context)`.
        prompts: e_a `(n_actions, dim_prompt)`.
        sentences: vectors of what was written about each described item under each prompt
            `(n_described, n_actions, dim_sentence)`.
        item_row: the described item of each context, a row of `sentences` `(n_contexts,)`.
    """

    context: Singles
    prompts: Singles
    sentences: Singles
    item_row: Ints


@dataclass(frozen=True)
class LanguageEnvironment:
    """Contexts x = (user u, item i), actions a (prompts), and the expected reward of each pair,

        E[r|x, a] = scale * (sim(u, i, sentence(i, a)) - sim(u, i, sentence(i))),

    the gain in the simulator's probability over the sentence written without a prompt (Kiyohara et al., 2025, eq. of the
    full-LLM experiment). A reward is Normal(E[r|x, a], reward_std).

    Attributes:
        user: user id `(n_contexts,)`.
        item: item id `(n_contexts,)`.
        is_train: which contexts policies may learn from; no user is on both sides `(n_contexts,)`.
        rewards: E[r|x, a] `(n_contexts, n_actions)`.
        features: what learners see.
    """

    user: Ints
    item: Ints
    is_train: NDArray[np.bool_]
    rewards: Singles
    features: Features

    def __post_init__(self) -> None:
        f, (n, n_actions) = self.features, self.rewards.shape
        found = {
            "user": self.user.shape,
            "item": self.item.shape,
            "is_train": self.is_train.shape,
            "context features": f.context.shape[:1],
            "item rows": f.item_row.shape,
        }
        for name, shape in found.items():
            if shape != (n,):
                raise TaskError(
                    f"environment: {name} has shape {shape} but rewards has {self.rewards.shape}; their first sizes must agree"
                )
        if f.prompts.shape[0] != n_actions or f.sentences.shape[1] != n_actions:
            shapes = f"prompts {f.prompts.shape}, sentences {f.sentences.shape}"
            raise TaskError(f"environment: {shapes} but rewards has {n_actions} actions; they must agree")
        if n_actions < 2:
            raise TaskError(f"environment: {n_actions} prompt leaves nothing to choose; take at least two keywords")
        if not np.isfinite(self.rewards).all():
            raise TaskError("environment: an expected reward is not finite; train the simulator again")

    @property
    def n_contexts(self) -> int:
        """Contexts of both splits."""
        return len(self.rewards)

    @property
    def n_actions(self) -> int:
        """Prompts."""
        return len(self.features.prompts)

    @classmethod
    def read(cls, artifact: Artifact) -> LanguageEnvironment:
        """Reads the artifact `opl/environment`.

        Raises:
            TaskError: its parts do not fit each other.
        """
        contexts = sorted_rows(artifact.table("contexts"), ("context_id",))
        tensors = load_file(artifact.path("features.safetensors"))
        features = Features(tensors["context"], tensors["prompts"], tensors["sentences"], tensors["item_row"])
        is_train = np.asarray([split == "train" for split in contexts["split"].to_pylist()])
        rewards = load_file(artifact.path("rewards.safetensors"))["expected_reward"]
        return cls(integers(contexts, "user_id"), integers(contexts, "item_id"), is_train, rewards, features)

    def contexts(self, split: Split) -> Ints:
        """Ids of the split's contexts, ascending `(n_split,)`."""
        return np.flatnonzero(self.is_train if split == "train" else ~self.is_train)

    def expected_rewards(self, split: Split) -> Singles:
        """E[r|x, a] `(n_split, n_actions)` in the order of `contexts(split)`."""
        return self.rewards[self.contexts(split)]

    def policy_value(self, action_dist: Floats, split: Split = "test") -> float:
        """V(pi) = mean_x sum_a pi(a|x) E[r|x, a] over the split's contexts, exactly.

        Args:
            action_dist: pi(a|x) for all contexts `(n_contexts, n_actions)`.
            split: which contexts.

        Raises:
            TaskError: the distribution does not fit or is none.
        """
        check_action_dist(action_dist, self.n_contexts, self.n_actions)
        rows = self.contexts(split)
        return float(np.einsum("xa,xa->x", action_dist[rows], self.rewards[rows].astype(np.float64)).mean())

    def uniform_value(self, split: Split = "test") -> float:
        """Value of choosing every prompt equally often."""
        return float(self.expected_rewards(split).astype(np.float64).mean())

    def optimal_value(self, split: Split = "test") -> float:
        """Value of choosing the best prompt of every context."""
        return float(self.expected_rewards(split).max(axis=1).astype(np.float64).mean())

    def sample_logged_data(
        self, action_dist: Floats, n_rounds: int, rng: np.random.Generator, *, reward_std: float, split: Split = "train"
    ) -> LoggedRounds:
        """Rounds of a logging policy on the split's contexts, drawn with replacement.

        Args:
            action_dist: pi_0(a|x) for all contexts `(n_contexts, n_actions)`.
            n_rounds: how many.
            rng: contexts, then actions, then noise are drawn from it.
            reward_std: standard deviation of the reward about its expectation.
            split: which contexts.

        Raises:
            TaskError: the distribution does not fit or is none.
        """
        check_action_dist(action_dist, self.n_contexts, self.n_actions)
        context = rng.choice(self.contexts(split), size=n_rounds)
        uniform, action = rng.random(n_rounds), np.empty(n_rounds, dtype=np.int64)
        for part in blocks(n_rounds, self.n_actions, _CELLS):
            action[part] = draw_actions(action_dist[context[part]], uniform[part])
        reward = self.rewards[context, action].astype(np.float64) + reward_std * rng.standard_normal(n_rounds)
        return LoggedRounds(context, action, reward, action_dist[context, action])
