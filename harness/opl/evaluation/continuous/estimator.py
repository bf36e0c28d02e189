"""What the estimators for continuous actions share: weights by how near the logged action is to the policy's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from harness.opl.evaluation.arrays import FloatArray, checked_finite, checked_number, checked_shape
from harness.opl.evaluation.continuous.feedback import ContinuousFeedback
from harness.opl.evaluation.continuous.kernels import kernel_named


@dataclass(frozen=True)
class KernelizedEstimator:
    """w_i = K((a_i - pi(x_i)) / h) / (h pi_0(a_i|x_i)), for a policy that takes the action pi(x_i).

    The bias falls with h^2 where rewards are smooth in the action, and the variance grows with 1 / (n h). Within a few
    h of the end of the logged actions a part of K is lost, which self-normalisation mends and plain weights do not.

    Source: Kallus and Zhou, Policy evaluation and optimization with continuous treatments, AISTATS 2018.

    Args:
        bandwidth: h, greater than 0, in units of the action.
        kernel: "gaussian", "epanechnikov", "triangular" or "cosine".
    """

    bandwidth: float
    kernel: str = "gaussian"
    name: ClassVar[str]

    def __post_init__(self) -> None:
        checked_number("bandwidth", self.bandwidth, 0, np.finfo(float).max, open_low=True)
        kernel_named(self.kernel)

    def weight(self, feedback: ContinuousFeedback, policy_action: ArrayLike) -> FloatArray:
        """w_i, `(n_rounds,)`, of pi(x_i), `(n_rounds,)`; raises `HarnessError` for another shape, or where no float holds one."""
        chosen = checked_shape("policy_action", policy_action, (feedback.n_rounds,), "(n_rounds,)")
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            near = kernel_named(self.kernel)((feedback.action - chosen) / self.bandwidth)
            return checked_finite(f"weights of {self.name}", near / self.bandwidth / feedback.pscore)
