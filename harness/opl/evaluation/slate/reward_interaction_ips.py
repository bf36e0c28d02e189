"""Inverse probability scoring of slates that are read from the top."""

from __future__ import annotations

from dataclasses import dataclass

from harness.opl.evaluation.slate.estimator import SlateWeighting


@dataclass(frozen=True)
class RewardInteractionIPS(SlateWeighting):
    """V_hat = mean_i sum_l pi(a_1, ..., a_l|x_i) / pi_0(a_1, ..., a_l|x_i) r_il.

    Needs `pscore_cascade`. Unbiased where an item's reward depends on it and the items above, as under the cascade
    model.

    Source: McInerney, Brost, Chandar, Mehrotra and Carterette, Counterfactual evaluation of slate recommendations with
    sequential reward interactions, KDD 2020.
    """

    name = "rips"
    kind = "pscore_cascade"
