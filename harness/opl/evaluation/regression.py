"""Reward models q_hat for the direct method and the doubly robust estimators, cross-fitted."""

from __future__ import annotations

import numpy as np

from harness.errors import HarnessError
from harness.opl.evaluation.arrays import FloatArray, IntArray, checked_distribution
from harness.opl.evaluation.features import action_table, round_features
from harness.opl.evaluation.feedback import BanditFeedback
from harness.opl.evaluation.folds import fitting_folds
from harness.opl.evaluation.models import Classifier, Regressor, expectations, fitted, is_classifier

_METHODS = ("normal", "iw", "mrdr")
_BLOCK_NUMBERS = 1 << 22  # of what the model sees at a time: 32 MiB


def fit_rewards(
    feedback: BanditFeedback,
    model: Regressor | Classifier,
    *,
    action_features: FloatArray | None = None,
    n_folds: int = 1,
    method: str = "normal",
    action_dist: FloatArray | None = None,
    rng: np.random.Generator,
) -> FloatArray:
    """q_hat(x_i, a), `(n_rounds, n_actions)`, by a model of (context and position, action) fitted to logged rewards.

    With two folds or more, each round is predicted by a model that has not seen it, which the doubly robust estimators
    need to be unbiased (Chernozhukov et al., Double/debiased machine learning, 2018). Each fit is of a deep copy.

    A logged round counts 1 by the method "normal"; w_i = pi(a_i|x_i) / pi_0(a_i|x_i) by "iw", which fits where pi acts;
    w_i^2 (1 - pi_0(a_i|x_i)) by "mrdr", so that the squared errors' mean is the variance that `DoublyRobust` owes to
    them: exactly for a deterministic pi, and without the products of two actions' errors else (Farajtabar, Chow and
    Ghavamzadeh, More robust doubly robust off-policy evaluation, ICML 2018).

    Args:
        feedback: rounds with a context or a position.
        model: with scikit-learn's `fit` and `predict`, or `predict_proba` for rewards of 0 and 1.
        action_features: `(n_actions, dim_action)`; one-hot where None.
        n_folds: 1 fits and predicts all rounds.
        method: "normal", "iw" or "mrdr"; the latter two ask for a model whose `fit` takes `sample_weight`.
        action_dist: pi(a|x_i), `(n_rounds, n_actions)`, for "iw" and "mrdr" alone.
        rng: draws the folds.

    Raises `HarnessError` for what does not fit together, fewer rounds than folds, or no context.
    """
    rounds, actions = round_features(feedback), action_table(feedback.n_actions, action_features)
    logged, target = np.hstack([rounds, actions[feedback.action]]), _target(feedback, model)
    weight = _sample_weight(feedback, method, action_dist)
    q_hat = np.empty((feedback.n_rounds, feedback.n_actions))
    for seen, unseen in fitting_folds(feedback.n_rounds, n_folds, rng):
        mine = fitted(model, logged[seen], target[seen], None if weight is None else weight[seen])
        q_hat[unseen] = _predicted(mine, rounds[unseen], actions)
    return q_hat


def _target(feedback: BanditFeedback, model: Regressor | Classifier) -> FloatArray | IntArray:
    if not is_classifier(model):
        return feedback.reward
    other = ~np.isin(feedback.reward, (0, 1))
    if other.any():
        raise HarnessError(
            f"model: {type(model).__name__} is a classifier, but reward [{int(np.argmax(other))}] = "
            f"{float(feedback.reward[other][0]):g} is neither 0 nor 1; give a regressor"
        )
    return feedback.reward.astype(np.int64)


def _sample_weight(feedback: BanditFeedback, method: str, action_dist: FloatArray | None) -> FloatArray | None:
    if method not in _METHODS:
        raise HarnessError(f"method: {method!r} is not known; choose one of {', '.join(_METHODS)}")
    if (method == "normal") != (action_dist is None):
        raise HarnessError(f"action_dist: goes with the methods iw and mrdr, and with them alone; this is {method!r}")
    if action_dist is None:
        return None
    pi = checked_distribution("action_dist", action_dist, feedback.n_rounds, feedback.n_actions)
    weight = feedback.importance_weight(pi)
    return weight if method == "iw" else weight**2 * (1 - feedback.pscore)


def _predicted(model: Regressor | Classifier, rounds: FloatArray, actions: FloatArray) -> FloatArray:
    """The reward of every action in every round, `(n_rounds, n_actions)`, some actions at a time."""
    table = np.empty((len(rounds), len(actions)))
    step = max(1, _BLOCK_NUMBERS // (len(rounds) * (rounds.shape[1] + actions.shape[1])))
    for start in range(0, len(actions), step):
        some = actions[start : start + step]
        pairs = np.hstack([np.tile(rounds, (len(some), 1)), np.repeat(some, len(rounds), axis=0)])
        table[:, start : start + step] = expectations(model, pairs).reshape(len(some), len(rounds)).T
    return table
