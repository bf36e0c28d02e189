"""Kernels between outputs, and importance weights of what is near an output instead of which action made it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from harness.errors import HarnessError
from harness.opl.evaluation.arrays import FloatArray, checked_number, checked_rows, checked_shape
from harness.opl.evaluation.feedback import BanditFeedback

OutputMeans: TypeAlias = FloatArray | tuple[FloatArray, FloatArray]

_BLOCK_NUMBERS = 1 << 18  # differences of outputs at a time: they stay in the processor's cache


@dataclass(frozen=True)
class OutputKernel:
    """K of the distance d(o, o') = ||o - o'|| / dim_output, averaged over the noise of o' where it has any.

    "gaussian" is exp(-d^2 / (2 tau^2)); with o' ~ N(mu, s^2 I) its mean is proportional to the same kernel of o and mu
    with the variance tau^2 + (s / dim_output)^2. "uniform" is 1{d <= tau}. Factors that a ratio cancels are left out.

    Args:
        name: "gaussian" or "uniform".
        tau: bandwidth, greater than 0.
        output_std: s, at least 0; 0 for "uniform".
    """

    name: str
    tau: float
    output_std: float

    def __post_init__(self) -> None:
        if self.name not in ("gaussian", "uniform"):
            raise HarnessError(f"kernel: {self.name!r} is not known; choose gaussian or uniform")
        checked_number("tau", self.tau, 0, np.finfo(float).max, open_low=True)
        checked_number("output_std", self.output_std, 0, np.finfo(float).max)
        if self.name == "uniform" and self.output_std > 0:
            raise HarnessError(
                f"output_std: is {self.output_std}, but the uniform kernel takes outputs without noise; choose gaussian"
            )

    def log(self, distance: FloatArray, dim_output: int) -> FloatArray:
        """log E[K] of distances d, of any shape."""
        if self.name == "uniform":
            return np.where(distance <= self.tau, 0.0, -np.inf)
        spread = np.hypot(self.tau, self.output_std / dim_output)
        exponent: FloatArray = -0.5 * np.square(distance / spread)
        return exponent


def kernel_weight(
    feedback: BanditFeedback, action_dist: FloatArray, means: OutputMeans, kernel: OutputKernel
) -> FloatArray:
    """w_i = sum_a pi(a|x_i) E[K(o_i, o') | x_i, a] / sum_a pi_0(a|x_i) E[K(o_i, o') | x_i, a], `(n_rounds,)`.

    Args:
        feedback: rounds with `output` and `logging_dist`.
        action_dist: pi(a|x_i), `(n_rounds, n_actions)`.
        means: mu(x_i, a), `(n_rounds, n_actions, dim_output)`, or where it is u_i + v_a the pair of both terms,
            `(n_rounds, dim_output)` and `(n_actions, dim_output)`.
        kernel: K and the noise of outputs.

    Raises `HarnessError` for what is missing or of another shape, and where an output is out of the logging policy's
    reach or its weight too large for a float.
    """
    output, logging = feedback.output, feedback.logging_dist
    if output is None or logging is None:
        lacking = "output (n_rounds, dim_output)" if output is None else "logging_dist (n_rounds, n_actions)"
        raise HarnessError(f"feedback: has no {lacking}, which kernel weights need")
    weight = np.empty(feedback.n_rounds)
    step = max(1, _BLOCK_NUMBERS // (feedback.n_actions * output.shape[1]))
    checked = _checked_means(means, feedback.n_actions, output)
    for start in range(0, feedback.n_rounds, step):
        rows = slice(start, start + step)
        log_kernel = kernel.log(_distances(output, checked, rows), output.shape[1])
        below = _log_mean(logging[rows], log_kernel)
        if np.isneginf(below).any():
            raise HarnessError(
                f"feedback: the output of round {start + int(np.argmax(np.isneginf(below)))} is out of reach of every "
                "action the logging policy can take; raise tau or mend mean_output"
            )
        with np.errstate(over="ignore"):
            weight[rows] = np.exp(_log_mean(action_dist[rows], log_kernel) - below)
    if np.isinf(weight).any():
        first = int(np.argmax(np.isinf(weight)))
        raise HarnessError(f"feedback: the kernel weight of round {first} is too large for a float; raise tau")
    return weight


def _checked_means(means: OutputMeans, n_actions: int, output: FloatArray) -> OutputMeans:
    n_rounds, dim = output.shape
    if isinstance(means, tuple):
        if len(means) != 2:
            raise HarnessError(f"mean_output: has {len(means)} terms; give that of the rounds and that of the actions")
        of_round = checked_shape("mean_output[0]", means[0], (n_rounds, dim), "(n_rounds, dim_output)")
        return of_round, checked_shape("mean_output[1]", means[1], (n_actions, dim), "(n_actions, dim_output)")
    if np.shape(means) != (n_rounds, n_actions, dim):
        raise HarnessError(
            f"mean_output: has shape {np.shape(means)}, but (n_rounds, n_actions, dim_output) is "
            f"{(n_rounds, n_actions, dim)} here; reshape it, or give a pair of terms"
        )
    return np.asarray(means)


def _distances(output: FloatArray, means: OutputMeans, rows: slice) -> FloatArray:
    """||o_i - mu(x_i, a)|| / dim_output, `(rows, n_actions)`."""
    dim = output.shape[1]
    if isinstance(means, tuple):
        difference = (output[rows] - means[0][rows])[:, None] - means[1]
    else:  # checked by the block, as a copy of all of it may not fit
        block = means[rows].reshape(-1, dim)
        name = f"mean_output of the rounds from {rows.start}"
        difference = output[rows, None] - checked_rows(name, block, len(block), "").reshape(-1, means.shape[1], dim)
    with np.errstate(over="ignore"):
        distance: FloatArray = np.sqrt(np.einsum("iad,iad->ia", difference, difference)) / dim
    return distance


def _log_mean(probability: FloatArray, log_kernel: FloatArray) -> FloatArray:
    """log sum_a p(a) exp(log_kernel(a)) of each row; far outputs underflow before the logarithm, not within it."""
    with np.errstate(divide="ignore"):
        terms = np.log(probability) + log_kernel
        largest = terms.max(axis=1)
        shift = np.where(np.isneginf(largest), 0.0, largest)
        mean: FloatArray = shift + np.log(np.exp(terms - shift[:, None]).sum(axis=1))
    return mean
