"""What every off-policy estimator is: a value for each logged round, whose mean estimates a policy's value."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from harness.errors import HarnessError
from harness.opl.evaluation.arrays import FloatArray, checked_distribution, checked_finite, checked_shape
from harness.opl.evaluation.feedback import BanditFeedback


class OffPolicyEstimator(ABC):
    """An estimator of V(pi) = E[sum_a pi(a|x) q(x, a)] from rounds that another policy logged.

    A subclass states `weight`, what it multiplies rewards or residuals with, and `_round_rewards`.
    """

    name: ClassVar[str]
    needs_q_hat: ClassVar[bool] = False

    def round_rewards(
        self, feedback: BanditFeedback, action_dist: FloatArray, q_hat: FloatArray | None = None
    ) -> FloatArray:
        """Each round's contribution, `(n_rounds,)`; the estimate is their mean. Arguments as of `weighted_rounds`."""
        return self.weighted_rounds(feedback, action_dist, q_hat)[0]

    def weighted_rounds(
        self, feedback: BanditFeedback, action_dist: FloatArray, q_hat: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray | None]:
        """Each round's contribution, `(n_rounds,)`, and the `weight` it was made with.

        Args:
            feedback: rounds logged under pi_0.
            action_dist: pi(a|x_i) of the policy to evaluate, `(n_rounds, n_actions)`.
            q_hat: estimated rewards q_hat(x_i, a), `(n_rounds, n_actions)`; only where `needs_q_hat`.

        Raises `HarnessError` for arrays of another shape, rows that are no distribution, a missing `q_hat`, or a
        contribution too large for a float.
        """
        pi = checked_distribution("action_dist", action_dist, feedback.n_rounds, feedback.n_actions)
        model = self._checked_model(feedback, q_hat)
        weight = self.weight(feedback, pi)
        with np.errstate(over="ignore", invalid="ignore"):
            rounds = self._round_rewards(feedback, pi, model, np.zeros(0) if weight is None else weight)
        return checked_finite(f"round rewards of {self.name}", rounds), weight

    def _checked_model(self, feedback: BanditFeedback, q_hat: FloatArray | None) -> FloatArray:
        if not self.needs_q_hat:
            return np.zeros((0, 0))
        if q_hat is None:
            raise HarnessError(f"q_hat: {self.name} needs estimated rewards (n_rounds, n_actions); none were given")
        shape = (feedback.n_rounds, feedback.n_actions)
        return checked_shape("q_hat", q_hat, shape, "(n_rounds, n_actions)")

    def estimate(self, feedback: BanditFeedback, action_dist: FloatArray, q_hat: FloatArray | None = None) -> float:
        """The estimated value of the policy: the mean of `round_rewards`, of the same arguments."""
        return float(self.round_rewards(feedback, action_dist, q_hat).mean())

    @abstractmethod
    def weight(self, feedback: BanditFeedback, action_dist: FloatArray) -> FloatArray | None:
        """What each logged reward or residual is multiplied with, `(n_rounds,)`; None for a pure reward model."""

    @abstractmethod
    def _round_rewards(
        self, feedback: BanditFeedback, pi: FloatArray, q_hat: FloatArray, weight: FloatArray
    ) -> FloatArray:
        """`round_rewards` of checked arrays; `q_hat` and `weight` are empty where there are none."""


class WeightedReward(OffPolicyEstimator):
    """V_hat = mean_i w_i r_i, for weights that a subclass states."""

    @abstractmethod
    def weight(self, feedback: BanditFeedback, action_dist: FloatArray) -> FloatArray:
        """w_i, `(n_rounds,)`."""

    def _round_rewards(
        self, feedback: BanditFeedback, pi: FloatArray, q_hat: FloatArray, weight: FloatArray
    ) -> FloatArray:
        return weight * feedback.reward


class WeightedResidual(OffPolicyEstimator):
    """V_hat = mean_i [sum_a pi(a|x_i) q_hat(x_i, a) + w_i (r_i - q_hat(x_i, a_i))], for a subclass's weights."""

    needs_q_hat = True

    @abstractmethod
    def weight(self, feedback: BanditFeedback, action_dist: FloatArray) -> FloatArray:
        """w_i, `(n_rounds,)`."""

    def _round_rewards(
        self, feedback: BanditFeedback, pi: FloatArray, q_hat: FloatArray, weight: FloatArray
    ) -> FloatArray:
        return modelled_reward(pi, q_hat) + weight * (feedback.reward - feedback.of_logged(q_hat))


def modelled_reward(pi: FloatArray, q_hat: FloatArray) -> FloatArray:
    """sum_a pi(a|x_i) q_hat(x_i, a), `(n_rounds,)`."""
    modelled: FloatArray = (pi * q_hat).sum(axis=1)
    return modelled


def self_normalized(weight: FloatArray, values: FloatArray, name: str) -> FloatArray:
    """The linearised rounds of C = sum_i w_i v_i / sum_i w_i: C + w_i (v_i - C) / mean(w), `(n_rounds,)`.

    Their mean is C, as is that of w_i v_i / mean(w); but their spread is that of C (the delta method of a ratio), so
    intervals from them account for the random denominator. Raises `HarnessError` where all weights are 0.
    """
    mean = weight.mean()
    if mean == 0:
        raise HarnessError(
            f"policy: gives every logged action probability 0, so {name} is undefined; choose logs that share "
            "actions with the policy"
        )
    centre = (weight * values).mean() / mean
    rounds: FloatArray = centre + weight * (values - centre) / mean
    return rounds
