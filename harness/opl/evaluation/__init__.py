"""Off-policy evaluation: what a policy would earn, from rounds that another one logged.

`BanditFeedback` holds the rounds; each estimator gives a value a round; `evaluate_policies` makes the table.
"""

from __future__ import annotations

from harness.opl.evaluation.balanced_ips import BalancedInverseProbabilityWeighting
from harness.opl.evaluation.diagnostics import WeightDiagnostics, diagnose
from harness.opl.evaluation.direct_method import DirectMethod
from harness.opl.evaluation.doubly_robust import DoublyRobust
from harness.opl.evaluation.dr_with_shrinkage import DoublyRobustWithShrinkage
from harness.opl.evaluation.estimator import OffPolicyEstimator
from harness.opl.evaluation.evaluate import EvaluationRow, OffPolicyEvaluation, evaluate_policies
from harness.opl.evaluation.feedback import BanditFeedback
from harness.opl.evaluation.intervals import (
    Interval,
    bootstrap_interval,
    empirical_bernstein_interval,
    hoeffding_interval,
    student_t_interval,
)
from harness.opl.evaluation.inverse_probability import InverseProbabilityWeighting
from harness.opl.evaluation.marginalized_ips import MarginalizedInverseProbabilityWeighting
from harness.opl.evaluation.offcem import OffCEM
from harness.opl.evaluation.open_bandit import empirical_action_dist, load_open_bandit
from harness.opl.evaluation.self_normalized_dr import SelfNormalizedDoublyRobust
from harness.opl.evaluation.self_normalized_ips import SelfNormalizedInverseProbabilityWeighting
from harness.opl.evaluation.slope import SlopeSelection, select_by_slope
from harness.opl.evaluation.sub_gaussian_dr import SubGaussianDoublyRobust
from harness.opl.evaluation.sub_gaussian_ips import SubGaussianInverseProbabilityWeighting
from harness.opl.evaluation.switch_dr import SwitchDoublyRobust

__all__ = [
    "BalancedInverseProbabilityWeighting",
    "BanditFeedback",
    "DirectMethod",
    "DoublyRobust",
    "DoublyRobustWithShrinkage",
    "EvaluationRow",
    "Interval",
    "InverseProbabilityWeighting",
    "MarginalizedInverseProbabilityWeighting",
    "OffCEM",
    "OffPolicyEstimator",
    "OffPolicyEvaluation",
    "SelfNormalizedDoublyRobust",
    "SelfNormalizedInverseProbabilityWeighting",
    "SlopeSelection",
    "SubGaussianDoublyRobust",
    "SubGaussianInverseProbabilityWeighting",
    "SwitchDoublyRobust",
    "WeightDiagnostics",
    "bootstrap_interval",
    "diagnose",
    "empirical_action_dist",
    "empirical_bernstein_interval",
    "evaluate_policies",
    "hoeffding_interval",
    "load_open_bandit",
    "select_by_slope",
    "student_t_interval",
]
