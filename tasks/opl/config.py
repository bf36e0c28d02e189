"""Configurations of the off-policy learning tasks. Defaults are those of Kiyohara et al. (RecSys 2025) where the paper has one."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from tasks.api import Config

LearnMethod = Literal[
    "online",
    "behaviour_cloning",
    "greedy",
    "direct_method",
    "ips",
    "snips",
    "sub_gaussian_ips",
    "doubly_robust",
    "switch_dr",
    "dr_shrinkage",
    "mips",
    "potec",
    "dso",
    "dso_dr",
    "sentence_direct_method",
    "sentence_greedy",
]
Selection = Literal["auto", "snips", "dr", "last"]
RewardModelKind = Literal["network", "bilinear", "auto"]
_ONLINE_SCHEDULE = {"n_steps": 2000, "batch_size": 32, "learning_rate": 5e-4}
PUBLISHED: dict[str, object] = {
    "standardise": False,
    "gradient": "sampled",
    "n_steps": 20_000,
    "batch_size": 32,
    "learning_rate": 5e-4,
    "eval_every": 200,
    "patience": 20_000,
    "selection": "last",
    "reward_model": "network",
    "regression_steps": 100_000,
    "regression_batch_size": 32,
    "regression_learning_rate": 1e-4,
    "regression_selection": "last",
    "density": "network",
    "density_steps": 10_000,
    "density_batch_size": 32,
    "density_learning_rate": 1e-4,
    "bandwidth": 1.0,
    "kernel_noise": 1.0,
}
"""How Kiyohara et al. learn in the synthetic experiment: the defaults of a learner that is `published`."""


class SimulatorConfig(Config):
    """The reward simulators: collaborative filtering with a small head, then the text model that starts from it.

    The paper's embeddings N(0, 1), batches of 16, 100 batches an epoch, learning rate 1e-3 and no decay rank held-out pairs worse
    than item means do (on ML-100K); smaller first embeddings and whole epochs rank them better.
    """

    dim: int = Field(20, ge=1, description="Length of user and item vectors.")
    hidden: int = Field(100, ge=1, description="Units of the head's hidden layer.")
    learning_rate: float = Field(2e-3, gt=0, description="Of Adam; the paper's is 1e-3.")
    weight_decay: float = Field(1e-4, ge=0, description="Of Adam; the paper has none.")
    embedding_std: float = Field(0.1, gt=0, description="Standard deviation of the first embeddings; the paper's is 1.")
    loss: Literal["mse", "bce"] = Field("mse", description="Squared error of the probability, or cross entropy.")
    n_epochs: int = Field(300, ge=1, description="At most so many.")
    n_steps_per_epoch: int | None = Field(
        None, ge=1, description="Batches an epoch; the whole training set when null. The paper has 100."
    )
    batch_size: int = Field(128, ge=1, description="Interactions a batch; the paper has 16.")
    patience: int = Field(5, ge=1, description="Epochs without a lower validation loss before training stops.")
    val_ratio: float = Field(0.2, gt=0, lt=1, description="Share of the rows that choose the checkpoint.")
    test_ratio: float = Field(0.1, gt=0, lt=1, description="Share of the rows that only quality.json sees.")
    max_length: int = Field(20, ge=3, le=512, description="Tokens of a sentence, special ones included.")
    n_views: int = Field(8, ge=1, description="Stored versions of each sentence: a clean one, the others corrupted.")
    random_token: float = Field(0.1, ge=0, le=1, description="Share of tokens replaced by a random one.")
    mask_token: float = Field(0.1, ge=0, le=1, description="Share of tokens replaced by [MASK].")
    seed: int = Field(12345, ge=0)

    @model_validator(mode="after")
    def _shares(self) -> SimulatorConfig:
        if self.val_ratio + self.test_ratio >= 1:
            raise ValueError("val_ratio + test_ratio must leave rows to train on: lower one of them")
        if self.random_token + self.mask_token > 1:
            raise ValueError("random_token + mask_token is a share of the tokens: at most 1")
        return self


class EmbeddingConfig(Config):
    """Vectors of users, queries, prompts and sentences."""

    dim: int = Field(20, ge=1, description="Principal components kept of each kind of text.")
    users: Literal["cf", "text"] = Field(
        "text", description="Which simulator's user vectors; `text` is the one that rewards."
    )
    max_length: int = Field(20, ge=3, le=512, description="Tokens of a text, special ones included.")


class EnvironmentConfig(Config):
    """The contexts of the language environment and their split by user."""

    test_ratio: float = Field(0.5, gt=0, lt=1, description="Share of the users whose contexts are only evaluated on.")
    n_train_contexts: int | None = Field(10_000, ge=1, description="At most so many, sampled; all when null.")
    n_test_contexts: int | None = Field(10_000, ge=1, description="At most so many, sampled; all when null.")
    scale: float = Field(10.0, gt=0, description="Reward of a probability gain of 1 over the sentence without prompt.")
    seed: int = Field(12345, ge=0)


class LogConfig(Config):
    """Logged rounds under softmax(beta * logits of the policy)."""

    n_rounds: int = Field(10_000, ge=1, description="Rounds drawn, contexts with replacement.")
    beta: float = Field(0.2, description="Inverse temperature; 0 is uniform, below 0 is worse than uniform.")
    reward_std: float = Field(0.05, ge=0, description="Standard deviation of a reward about its expectation.")
    seed: int = Field(0, ge=0)


class LearnConfig(Config):
    """One learner of a prompt policy. What a method does not use it ignores.

    `online` has schedule defaults of its own, the paper's: 2000 steps of 32 contexts at 5e-4. Longer training raises its value
    but also its logits, and with them the logging policy's certainty: logs then hold few prompts, and off-policy learners can
    fall behind the logging policy.
    """

    method: LearnMethod = Field(description="The learner: a file of tasks/opl/learners.")
    published: bool = Field(
        False, description="Take the defaults of the published synthetic experiment instead of ours: `PUBLISHED`."
    )
    gradient: Literal["exact", "sampled"] = Field(
        "exact", description="Expectations over actions and outputs: exact, or by one draw a round as published."
    )
    hidden: int = Field(100, ge=1, description="Units of every network's hidden layer.")
    standardise: bool = Field(True, description="Standardise the networks' inputs and targets; the paper does not.")
    n_steps: int = Field(
        4000, ge=1, description="Gradient steps of the policy, at most; the paper's are 20 000, and 2000 for `online`."
    )
    batch_size: int = Field(256, ge=1, description="Contexts or rounds a step; the paper's are 32, as `online`'s here.")
    learning_rate: float = Field(2e-3, gt=0, description="Of Adam on the policy; `online` takes 5e-4.")
    weight_decay: float = Field(0.0, ge=0, description="Of Adam on the policy.")
    eval_every: int = Field(50, ge=1, description="Steps between two points of the curve.")
    patience: int = Field(20, ge=1, description="Points without a better estimate before learning stops.")
    val_ratio: float = Field(0.2, gt=0, lt=1, description="Share of the logged users held out for selection.")
    selection: Selection = Field(
        "auto",
        description="Off-policy estimate, on held-out rounds, that chooses the checkpoint; `last` takes the last.",
    )
    entropy: float = Field(0.0, ge=0, description="Weight of the policy's entropy, in nats, added to its value.")
    kl: float = Field(0.0, ge=0, description="Weight of KL(policy || logging policy), in nats, taken off its value.")
    clip: float = Field(200.0, gt=0, description="Upper bound of the importance weights.")
    sub_gaussian_lambda: float = Field(0.001, ge=0, le=1, description="Shrinkage of sub-Gaussian weights; 0 is IPS.")
    switch_tau: float = Field(20.0, ge=0, description="Weights above it give way to the reward model (switch DR).")
    shrinkage_lambda: float = Field(100.0, ge=0, description="Optimistic shrinkage of DR's weights; 0 is DM.")
    n_folds: int = Field(
        1, ge=1, description="Folds of the reward model that corrects or is corrected; 1 fits it once, as in the paper."
    )
    reward_model: RewardModelKind = Field(
        "network", description="Regression of rewards; `auto` takes the one of lower held-out error."
    )
    regression_steps: int = Field(4000, ge=1, description="Gradient steps of a reward model, at most.")
    regression_batch_size: int = Field(256, ge=1, description="Rounds a step of the reward model.")
    regression_learning_rate: float = Field(2e-3, gt=0, description="Of Adam on the reward model; the paper's is 1e-4.")
    regression_weight_decay: float = Field(0.0, ge=0, description="Of Adam on the reward model.")
    regression_selection: Literal["best", "last"] = Field(
        "best", description="Weights of lowest held-out error, or the last, as published."
    )
    pessimism: float = Field(
        0.0,
        ge=0,
        description="Weight of q(x, random a) - q(x, logged a) in the reward network's loss; the paper's is 0.1.",
    )
    n_clusters: int = Field(10, ge=1, description="k-means clusters of the action vectors (mips, potec).")
    second_stage: Literal["greedy", "learned"] = Field(
        "greedy",
        description="How potec chooses within a cluster: the best predicted action, or a policy learnt for it.",
    )
    kernel: Literal["gaussian", "uniform"] = Field("gaussian", description="Of distances between outputs (dso).")
    bandwidth: float | None = Field(
        None,
        gt=0,
        description="The kernel's tau, in ||o - o'|| / dim; half of what outputs in one context typically differ by when "
        "null. The paper's is 1.",
    )
    kernel_noise: float = Field(0.0, ge=0, description="Noise added to both outputs before they are compared.")
    density: Literal["exact", "network", "monte_carlo"] = Field(
        "exact", description="How the logging policy's smoothed density of an output is found."
    )
    density_draws: int = Field(100, ge=1, description="Draws of the Monte Carlo density.")
    density_steps: int = Field(2000, ge=1, description="Gradient steps of the density network.")
    density_batch_size: int = Field(256, ge=1, description="Rounds a step of the density network.")
    density_learning_rate: float = Field(2e-3, gt=0, description="Of Adam on the density network.")
    seed: int = Field(0, ge=0)

    @property
    def selects_nothing(self) -> bool:
        """Whether the last weights are taken everywhere, as published."""
        return self.selection == self.regression_selection == "last"

    @model_validator(mode="before")
    @classmethod
    def _schedule(cls, values: object) -> object:
        if not isinstance(values, dict):
            return values
        if values.get("published"):
            return PUBLISHED | values
        return _ONLINE_SCHEDULE | values if values.get("method") == "online" else values


class ExportConfig(Config):
    """The files that offline-prompts reads."""

    torch_files: bool = Field(False, description="Also write .pt files; nothing here reads them back.")


class PredictConfig(Config):
    """Nothing to choose: every policy is written for every held-out context."""


class ScoreConfig(Config):
    """Resampling of the intervals."""

    n_bootstrap: int = Field(1000, ge=0, le=100_000, description="Resamples of users; 0 leaves the intervals out.")
    seed: int = Field(0, ge=0)


class ReportConfig(Config):
    """How much the page shows."""

    n_films: int = Field(8, ge=1, le=100, description="Films whose sentences are shown, those of most contexts first.")
    n_sentences: int = Field(
        12, ge=2, description="Sentences of each film at most: half of the most, half of the least rewarded."
    )
    n_keywords: int = Field(
        20, ge=2, description="Keywords at most in the overview: half of the most, half of the least rewarded."
    )
