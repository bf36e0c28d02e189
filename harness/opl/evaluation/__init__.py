"""Off-policy evaluation: what a policy would earn, from rounds that another one logged.

`BanditFeedback` holds the rounds; each estimator gives a value a round; `evaluate_policies` makes the table. Slates are
in `harness.opl.evaluation.slate`, continuous actions in `harness.opl.evaluation.continuous`.
"""

from __future__ import annotations

from harness.opl.evaluation.balanced_ips import BalancedInverseProbabilityWeighting
from harness.opl.evaluation.calibration_error import expected_calibration_error
from harness.opl.evaluation.classifier_balanced_ips import ClassifierBalancedInverseProbabilityWeighting
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
from harness.opl.evaluation.kernel_ips import KernelInverseProbabilityWeighting
from harness.opl.evaluation.marginalized_ips import MarginalizedInverseProbabilityWeighting
from harness.opl.evaluation.multiclass import MulticlassBandit, multiclass_to_bandit
from harness.opl.evaluation.offcem import OffCEM
from harness.opl.evaluation.open_bandit import empirical_action_dist, load_open_bandit
from harness.opl.evaluation.propensities import estimate_propensities
from harness.opl.evaluation.regression import fit_rewards
from harness.opl.evaluation.replay import Replay
from harness.opl.evaluation.self_normalized_dr import SelfNormalizedDoublyRobust
from harness.opl.evaluation.self_normalized_ips import SelfNormalizedInverseProbabilityWeighting
from harness.opl.evaluation.self_normalized_kernel_ips import SelfNormalizedKernelInverseProbabilityWeighting
from harness.opl.evaluation.slope import SlopeSelection, select_by_slope, slope_choice
from harness.opl.evaluation.sub_gaussian_dr import SubGaussianDoublyRobust
from harness.opl.evaluation.sub_gaussian_ips import SubGaussianInverseProbabilityWeighting
from harness.opl.evaluation.switch_dr import SwitchDoublyRobust
from harness.opl.evaluation.temperature import fit_temperature, with_temperature

__all__ = [
    "BalancedInverseProbabilityWeighting",
    "BanditFeedback",
    "ClassifierBalancedInverseProbabilityWeighting",
    "DirectMethod",
    "DoublyRobust",
    "DoublyRobustWithShrinkage",
    "EvaluationRow",
    "Interval",
    "InverseProbabilityWeighting",
    "KernelInverseProbabilityWeighting",
    "MarginalizedInverseProbabilityWeighting",
    "MulticlassBandit",
    "OffCEM",
    "OffPolicyEstimator",
    "OffPolicyEvaluation",
    "Replay",
    "SelfNormalizedDoublyRobust",
    "SelfNormalizedInverseProbabilityWeighting",
    "SelfNormalizedKernelInverseProbabilityWeighting",
    "SlopeSelection",
    "SubGaussianDoublyRobust",
    "SubGaussianInverseProbabilityWeighting",
    "SwitchDoublyRobust",
    "WeightDiagnostics",
    "bootstrap_interval",
    "diagnose",
    "empirical_action_dist",
    "empirical_bernstein_interval",
    "estimate_propensities",
    "evaluate_policies",
    "expected_calibration_error",
    "fit_rewards",
    "fit_temperature",
    "hoeffding_interval",
    "load_open_bandit",
    "multiclass_to_bandit",
    "select_by_slope",
    "slope_choice",
    "student_t_interval",
    "with_temperature",
]
