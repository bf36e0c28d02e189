"""A multi-class data set as logged bandit feedback: classes are actions, and the right one earns 1."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from harness.errors import HarnessError
from harness.opl.action_draws import draw_actions
from harness.opl.evaluation.arrays import FloatArray, IntArray, checked_integers, checked_number, checked_rows
from harness.opl.evaluation.feedback import BanditFeedback


class Labeller(Protocol):
    """Fits labels and predicts them, as scikit-learn's classifiers do."""

    fit: Any

    def predict(self, features: FloatArray, /) -> ArrayLike:
        """The labels `(n,)` of `(n, dim)`."""


@dataclass(frozen=True, eq=False)
class MulticlassBandit:
    """Rounds logged on one half of the data, and the other half, which policies are fitted to.

    Args:
        feedback: rounds with everything known: `context`, `pscore`, `logging_dist`, and `expected_reward`, 1 for the
            right class and 0 else.
        classes: the label of each action, `(n_actions,)`.
        features: of the samples that no round came from, `(n_samples, dim_context)`.
        label: the action that is right for each of those, `(n_samples,)`.
    """

    feedback: BanditFeedback
    classes: tuple[object, ...]
    features: FloatArray
    label: IntArray

    def evaluation_policy(self, classifier: Labeller, alpha: float) -> FloatArray:
        """alpha 1{a = c(x_i)} + (1 - alpha) / n_actions, `(n_rounds, n_actions)`, c a copy of `classifier`, fitted.

        alpha in [0, 1]; its true value is `feedback.policy_value` of what is returned.
        """
        checked_number("alpha", alpha, 0, 1)
        if self.feedback.context is None:
            raise HarnessError("feedback: has no context, which a classifier needs; give that of multiclass_to_bandit")
        return _softened(classifier, self.features, self.label, self.feedback.context, len(self.classes), alpha)


def multiclass_to_bandit(
    features: ArrayLike,
    label: ArrayLike,
    base_classifier: Labeller,
    *,
    alpha_b: float,
    logged_share: float = 0.5,
    rng: np.random.Generator,
) -> MulticlassBandit:
    """Rounds of pi_0 = alpha_b 1{a = c(x)} + (1 - alpha_b) / n_actions, c a copy of `base_classifier`.

    The data are split at random; c is fitted to one part and acts on the other, once for each sample. An action earns 1
    where it is the label, else 0, and so the value of every policy is known.

    Source: Dudik, Langford and Li, Doubly robust policy evaluation and learning, ICML 2011, section 4.1.

    Args:
        features: `(n_samples, dim_context)`.
        label: `(n_samples,)`, of any kind that sorts.
        base_classifier: with scikit-learn's `fit` and `predict`.
        alpha_b: in [0, 1]; with 1 the log holds no action but the classifier's.
        logged_share: of the samples that become rounds, in (0, 1).
        rng: splits the data and draws the actions.

    Raises `HarnessError` for arrays that do not fit, or parts that would be empty.
    """
    checked_number("alpha_b", alpha_b, 0, 1)
    labels = np.asarray(label)
    table = checked_rows("features", features, labels.size, "(n_samples, dim_context)")
    classes, code = np.unique(labels.ravel(), return_inverse=True)
    n_rounds = round(labels.size * logged_share) if 0 < logged_share < 1 else 0
    if not 0 < n_rounds < labels.size:
        raise HarnessError(
            f"logged_share: is {logged_share}, of {labels.size} samples; both parts must hold at least one"
        )
    order = rng.permutation(labels.size)
    rounds, rest = order[:n_rounds], order[n_rounds:]
    logging = _softened(base_classifier, table[rest], code[rest], table[rounds], len(classes), alpha_b)
    action = draw_actions(logging, rng.random(n_rounds))
    right = np.eye(len(classes))[code[rounds]]
    feedback = BanditFeedback(
        reward=right[np.arange(n_rounds), action],
        action=action,
        pscore=logging[np.arange(n_rounds), action],
        n_actions=len(classes),
        context=table[rounds],
        expected_reward=right,
        logging_dist=logging,
    )
    return MulticlassBandit(feedback, tuple(classes.tolist()), table[rest], code[rest])


def _softened(
    classifier: Labeller, features: FloatArray, label: IntArray, contexts: FloatArray, n_actions: int, alpha: float
) -> FloatArray:
    if (label == label[0]).all():
        raise HarnessError(
            f"label: of the {len(label)} samples to fit a classifier on all are alike; give more samples"
        )
    mine = copy.deepcopy(classifier)
    mine.fit(features, label)
    chosen = checked_integers("predict", mine.predict(contexts), len(contexts), "(n_rounds,)", n_actions)
    mixed: FloatArray = alpha * np.eye(n_actions)[chosen] + (1 - alpha) / n_actions
    return mixed
