"""Many policies by many estimators, in one table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from harness.errors import HarnessError, shown
from harness.opl.evaluation.arrays import FloatArray, checked_distribution, checked_number
from harness.opl.evaluation.diagnostics import deficient_support, effective_sample_size
from harness.opl.evaluation.estimator import OffPolicyEstimator
from harness.opl.evaluation.feedback import BanditFeedback
from harness.opl.evaluation.intervals import interval_named

if TYPE_CHECKING:
    import pandas as pd

    from harness.opl.evaluation.plot import EvaluationPlot


@dataclass(frozen=True)
class EvaluationRow:
    """One policy by one estimator.

    `effective_sample_size` is of the weights the estimator uses, in rounds, and `max_weight` the largest of them; None
    for a pure reward model. `deficient_support` is the policy's probability of actions the logs cannot hold. `error` is
    value - truth, None where the truth is not known.
    """

    policy: str
    estimator: str
    value: float
    low: float
    high: float
    effective_sample_size: float | None
    max_weight: float | None
    deficient_support: float
    truth: float | None
    error: float | None


@dataclass(frozen=True)
class OffPolicyEvaluation:
    """Rows by policy, then by estimator, in the order given; `level` and `interval` say what [low, high] is."""

    table: tuple[EvaluationRow, ...]
    level: float
    interval: str

    def rows(self) -> list[dict[str, str | float | None]]:
        """The table as plain dictionaries, one a row."""
        return [asdict(row) for row in self.table]

    def plot(self) -> EvaluationPlot:
        """A picture of it, a panel a policy: `save` it, or show it as the last line of a notebook's cell."""
        from harness.opl.evaluation.plot import EvaluationPlot

        return EvaluationPlot(self)

    def to_frame(self) -> pd.DataFrame:
        """The table as a pandas frame; raises `HarnessError` where pandas is not installed."""
        try:
            import pandas as pd
        except ImportError:
            raise HarnessError("to_frame: needs pandas; pip install pandas, or use rows()") from None
        return pd.DataFrame(self.rows())


def evaluate_policies(
    feedback: BanditFeedback,
    policies: Mapping[str, FloatArray],
    estimators: Sequence[OffPolicyEstimator] | Mapping[str, OffPolicyEstimator],
    q_hat: FloatArray | Mapping[str, FloatArray] | None = None,
    truth: Mapping[str, float] | None = None,
    *,
    interval: str = "bootstrap",
    level: float = 0.95,
) -> OffPolicyEvaluation:
    """Every policy's value by every estimator, with its interval, and its error where the truth is known.

    Args:
        feedback: rounds logged under pi_0.
        policies: pi(a|x_i) by name, each `(n_rounds, n_actions)`.
        estimators: shown under their own `name`; give a mapping to show two of one kind under names of your own.
        q_hat: estimated rewards, `(n_rounds, n_actions)`, for the estimators that need them; a mapping gives those of
            each estimator by its name.
        truth: the policies' true values by name; from the feedback's `expected_reward` where a policy is not in it.
        interval: "bootstrap", "student_t", "empirical_bernstein" or "hoeffding".
        level: confidence of the intervals.

    Raises `HarnessError` without policies or estimators, for two estimators of one name, and as the estimators do.
    """
    if not isinstance(policies, Mapping):
        raise HarnessError("policies: are no mapping; name each, as in {'new': action_dist}")
    named = _named(estimators)
    if not policies or not named:
        raise HarnessError(f"{'estimators' if policies else 'policies'}: are none; give at least one")
    _refuse_unknown("truth", truth or {}, "policy", policies)
    for policy, value in (truth or {}).items():
        checked_number(f"truth of {policy!r}", value, -math.inf)
    models = q_hat if isinstance(q_hat, Mapping) else dict.fromkeys(named, q_hat)
    _refuse_unknown("q_hat", models, "estimator", named)
    interval_of = interval_named(interval)
    rows = []
    for policy, action_dist in policies.items():
        pi = checked_distribution(f"policy {policy!r}", action_dist, feedback.n_rounds, feedback.n_actions)
        true = (truth or {}).get(policy, feedback.policy_value(pi))
        lacking = deficient_support(feedback, pi)
        for name, estimator in named.items():
            rounds, weight = estimator.weighted_rounds(feedback, pi, models.get(name))
            found = interval_of(rounds, level)
            rows.append(
                EvaluationRow(
                    policy=policy,
                    estimator=name,
                    value=found.mean,
                    low=found.low,
                    high=found.high,
                    effective_sample_size=None if weight is None else effective_sample_size(weight),
                    max_weight=None if weight is None else float(weight.max()),
                    deficient_support=lacking,
                    truth=true,
                    error=None if true is None else found.mean - true,
                )
            )
    return OffPolicyEvaluation(tuple(rows), level, interval)


def _refuse_unknown(what: str, given: Mapping[str, object], kind: str, there: Mapping[str, object]) -> None:
    unknown = sorted(set(given) - set(there))
    if unknown:
        raise HarnessError(f"{what}: has {shown(unknown)}, which is no {kind}; there are {shown(list(there))}")


def _named(
    estimators: Sequence[OffPolicyEstimator] | Mapping[str, OffPolicyEstimator],
) -> Mapping[str, OffPolicyEstimator]:
    given = estimators.values() if isinstance(estimators, Mapping) else estimators
    if isinstance(given, OffPolicyEstimator) or not all(isinstance(each, OffPolicyEstimator) for each in given):
        raise HarnessError("estimators: are no list or mapping of estimators; give instances, as in [DoublyRobust()]")
    if isinstance(estimators, Mapping):
        return estimators
    names = [estimator.name for estimator in estimators]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise HarnessError(f"estimators: {shown(twice)} is there twice; give a mapping from names of your own")
    return dict(zip(names, estimators, strict=True))
