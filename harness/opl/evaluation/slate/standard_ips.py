"""Standard inverse probability scoring of slates."""

from __future__ import annotations

from dataclasses import dataclass

from harness.opl.evaluation.slate.estimator import SlateWeighting


@dataclass(frozen=True)
class StandardIPS(SlateWeighting):
    """V_hat = mean_i pi(a_1, ..., a_L|x_i) / pi_0(a_1, ..., a_L|x_i) sum_l r_il: unbiased whatever users do.

    Needs `pscore`. Weights multiply over positions, so variance grows fastest of all with the length.

    Source: Precup, Sutton and Singh, Eligibility traces for off-policy policy evaluation, ICML 2000.
    """

    name = "sips"
    kind = "pscore"
