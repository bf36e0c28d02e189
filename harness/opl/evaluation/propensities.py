"""Propensities estimated from logs that lack them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from harness.errors import HarnessError
from harness.opl.evaluation.arrays import FloatArray, IntArray, checked_count, checked_integers, checked_rows
from harness.opl.evaluation.folds import fitting_folds
from harness.opl.evaluation.models import Classifier, class_probabilities, fitted


def estimate_propensities(
    context: ArrayLike,
    action: ArrayLike,
    n_actions: int,
    classifier: Classifier,
    *,
    n_folds: int,
    rng: np.random.Generator,
) -> FloatArray:
    """pi_hat_0(a|x_i), `(n_rounds, n_actions)`: how probable a classifier of the actions finds each, cross-fitted.

    Its entries at the logged actions are `pscore`, the whole is `logging_dist`. Folds are stratified by action; one
    that was never logged has probability 0. Estimates are no better than the classifier: see `fit_temperature` and
    `expected_calibration_error`.

    Args:
        context: x_i, `(n_rounds, dim_context)`; put the position and whatever else the logging policy saw in it.
        action: a_i, `(n_rounds,)`, integers in 0..n_actions - 1.
        n_actions: number of actions.
        classifier: with scikit-learn's `fit`, `predict_proba` and `classes_`; each fit is of a deep copy.
        n_folds: with two or more, each round's probabilities come from a model that has not seen it.
        rng: draws the folds.

    Raises `HarnessError` where a logged action gets the probability 0, as does one that was logged in a single round
    or fold, for fewer rounds than folds, and for arrays that do not fit together.
    """
    checked_count("n_actions", n_actions)
    n_rounds = np.size(action)
    features = checked_rows("context", context, n_rounds, "(n_rounds, dim_context)")
    actions = checked_integers("action", action, n_rounds, "(n_rounds,)", n_actions)
    table = np.empty((n_rounds, n_actions))
    for seen, unseen in fitting_folds(n_rounds, n_folds, rng, strata=actions):
        model = fitted(classifier, features[seen], actions[seen])
        table[unseen] = class_probabilities(model, features[unseen], n_actions)
    impossible = table[np.arange(n_rounds), actions] <= 0
    if impossible.any():
        first = int(np.argmax(impossible))
        raise HarnessError(
            f"classifier: gives action {int(actions[first])}, logged in round {first} and {_others(actions, first)} "
            "others, probability 0; give fewer folds, a smoother classifier, or join rare actions"
        )
    return table


def _others(action: IntArray, place: int) -> int:
    return int((action == action[place]).sum()) - 1
