"""Inverse probability weighting by a kernel of outputs: the estimator behind direct sentence optimisation (DSO)."""

from __future__ import annotations

from dataclasses import dataclass

from harness.opl.evaluation.arrays import FloatArray
from harness.opl.evaluation.estimator import WeightedReward
from harness.opl.evaluation.feedback import BanditFeedback
from harness.opl.evaluation.output_kernel import OutputKernel, OutputMeans, kernel_weight


@dataclass(frozen=True, eq=False)
class KernelInverseProbabilityWeighting(WeightedReward):
    """V_hat = mean_i w_i r_i, w_i = E_{a ~ pi}[K(o_i, o')] / E_{a ~ pi_0}[K(o_i, o')], o' what action a brings forth.

    Actions whose outputs are near share their rounds: tau -> 0 tells all outputs apart (without noise, inverse
    probability weighting; with noise, the marginal weights of outputs), and tau -> inf none, so that bias grows with
    tau as variance falls. Both expectations are exact sums over actions. Unbiased for tau -> 0 where the action has no
    effect on the reward beyond its output. The feedback needs `output` and `logging_dist`.

    Source: Kiyohara et al., An off-policy learning approach for steering sentence generation towards personalization,
    RecSys 2025, arXiv 2504.02646.

    Args:
        mean_output: mu(x_i, a), `(n_rounds, n_actions, dim_output)`, or where it is u_i + v_a the pair of both terms,
            `(n_rounds, dim_output)` and `(n_actions, dim_output)`.
        tau: bandwidth of K, greater than 0; distances are Euclidean ones divided by dim_output.
        kernel: "gaussian", exp(-d^2 / (2 tau^2)), or "uniform", 1{d <= tau}.
        output_std: s of outputs o ~ N(mu(x, a), s^2 I); 0 where an action determines its output. Gaussian kernel only.
    """

    mean_output: OutputMeans
    tau: float = 1.0
    kernel: str = "gaussian"
    output_std: float = 0.0
    name = "kernel-ipw"

    def __post_init__(self) -> None:
        OutputKernel(self.kernel, self.tau, self.output_std)  # refuses what does not fit

    def weight(self, feedback: BanditFeedback, action_dist: FloatArray) -> FloatArray:
        """w_i, `(n_rounds,)`."""
        kernel = OutputKernel(self.kernel, self.tau, self.output_std)
        return kernel_weight(feedback, action_dist, self.mean_output, kernel)
