"""Off-policy evaluation where actions are numbers."""

from __future__ import annotations

from harness.opl.evaluation.continuous.feedback import ContinuousFeedback
from harness.opl.evaluation.continuous.kernelized_dr import KernelizedDoublyRobust
from harness.opl.evaluation.continuous.kernelized_ips import KernelizedInverseProbabilityWeighting
from harness.opl.evaluation.continuous.kernelized_snips import KernelizedSelfNormalizedInverseProbabilityWeighting

__all__ = [
    "ContinuousFeedback",
    "KernelizedDoublyRobust",
    "KernelizedInverseProbabilityWeighting",
    "KernelizedSelfNormalizedInverseProbabilityWeighting",
]
