"""The doubly robust estimator of continuous actions."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from harness.opl.evaluation.arrays import FloatArray, checked_shape
from harness.opl.evaluation.continuous.estimator import KernelizedEstimator
from harness.opl.evaluation.continuous.feedback import ContinuousFeedback


@dataclass(frozen=True)
class KernelizedDoublyRobust(KernelizedEstimator):
    """V_hat = mean_i [q_hat(x_i, pi(x_i)) + w_i (r_i - q_hat(x_i, a_i))], with the weights of `KernelizedEstimator`.

    Only what q_hat has wrong is smoothed by K: where q_hat is right, there is no bias at any bandwidth.
    """

    name = "kernelized-dr"

    def round_rewards(
        self, feedback: ContinuousFeedback, policy_action: ArrayLike, q_hat_policy: ArrayLike, q_hat_logged: ArrayLike
    ) -> FloatArray:
        """Each round's contribution, `(n_rounds,)`; the estimate is their mean.

        Args:
            feedback: rounds logged under pi_0.
            policy_action: pi(x_i), `(n_rounds,)`.
            q_hat_policy: q_hat(x_i, pi(x_i)), `(n_rounds,)`.
            q_hat_logged: q_hat(x_i, a_i), `(n_rounds,)`.
        """
        shape = (feedback.n_rounds,)
        at_policy = checked_shape("q_hat_policy", q_hat_policy, shape, "(n_rounds,)")
        at_logged = checked_shape("q_hat_logged", q_hat_logged, shape, "(n_rounds,)")
        return at_policy + self.weight(feedback, policy_action) * (feedback.reward - at_logged)

    def estimate(
        self, feedback: ContinuousFeedback, policy_action: ArrayLike, q_hat_policy: ArrayLike, q_hat_logged: ArrayLike
    ) -> float:
        """The estimated value of the policy: the mean of `round_rewards`, of the same arguments."""
        return float(self.round_rewards(feedback, policy_action, q_hat_policy, q_hat_logged).mean())
