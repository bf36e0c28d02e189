"""Inverse probability scoring of slates whose items do not sway each other."""

from __future__ import annotations

from dataclasses import dataclass

from harness.opl.evaluation.slate.estimator import SlateWeighting


@dataclass(frozen=True)
class IndependentIPS(SlateWeighting):
    """V_hat = mean_i sum_l pi(a_l at l|x_i) / pi_0(a_l at l|x_i) r_il.

    Needs `pscore_item`. Unbiased where an item's reward depends on the item and its position alone.

    Source: Li, Abbasi-Yadkori, Kveton, Muthukrishnan, Vinay and Wen, Offline evaluation of ranking policies with click
    models, KDD 2018.
    """

    name = "iips"
    kind = "pscore_item"
