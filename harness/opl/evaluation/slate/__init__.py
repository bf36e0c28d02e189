"""Off-policy evaluation of slates: lists of items, each of which earns a reward of its own."""

from __future__ import annotations

from harness.opl.evaluation.slate.cascade_dr import CascadeDR
from harness.opl.evaluation.slate.feedback import SlateFeedback
from harness.opl.evaluation.slate.independent_ips import IndependentIPS
from harness.opl.evaluation.slate.reward_interaction_ips import RewardInteractionIPS
from harness.opl.evaluation.slate.standard_ips import StandardIPS

__all__ = ["CascadeDR", "IndependentIPS", "RewardInteractionIPS", "SlateFeedback", "StandardIPS"]
