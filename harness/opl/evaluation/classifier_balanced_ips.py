"""Balanced inverse probability weighting by a classifier of which policy acted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.errors import HarnessError
from harness.opl.action_draws import draw_actions
from harness.opl.evaluation.arrays import FloatArray
from harness.opl.evaluation.estimator import WeightedReward
from harness.opl.evaluation.features import action_table, round_features
from harness.opl.evaluation.feedback import BanditFeedback
from harness.opl.evaluation.folds import fitting_folds
from harness.opl.evaluation.models import Classifier, class_probabilities, fitted


@dataclass(frozen=True, eq=False)
class ClassifierBalancedInverseProbabilityWeighting(WeightedReward):
    """V_hat = mean_i w_hat(x_i, a_i) r_i, w_hat = p / (1 - p), p = P_hat(a came from pi and not from the log | x, a).

    The classifier tells the logged pairs (x_i, a_i) from as many (x_i, a), a ~ pi(.|x_i); where it is right, its odds
    are pi / pi_0. It uses no `pscore`. Weights of a round come from a model that has not seen it.

    Source: Sondhi, Arbour and Dimmery, Balanced off-policy evaluation in general action spaces, AISTATS 2020.

    Args:
        classifier: with scikit-learn's `fit`, `predict_proba` and `classes_`; each fit is of a deep copy. It sees
            context and position, then the action. A linear one cannot see how actions go with contexts.
        action_features: `(n_actions, dim_action)`; one-hot where None.
        n_folds: at least 2 for weights from other rounds; 1 fits and predicts all.
        seed: of the folds and of the actions drawn from pi; the same weights for the same seed.
    """

    classifier: Classifier
    action_features: FloatArray | None = None
    n_folds: int = 2
    seed: int = 0
    name = "b-ipw-classifier"

    def weight(self, feedback: BanditFeedback, action_dist: FloatArray) -> FloatArray:
        """w_hat(x_i, a_i), `(n_rounds,)`; raises `HarnessError` where the classifier is certain of pi."""
        rng = np.random.default_rng(self.seed)
        actions, rounds = action_table(feedback.n_actions, self.action_features), round_features(feedback)
        logged = np.hstack([rounds, actions[feedback.action]])
        drawn = np.hstack([rounds, actions[draw_actions(action_dist, rng.random(feedback.n_rounds))]])
        from_policy = np.empty(feedback.n_rounds)
        for seen, unseen in fitting_folds(feedback.n_rounds, self.n_folds, rng):
            label = np.repeat(np.arange(2), len(seen))
            model = fitted(self.classifier, np.vstack([logged[seen], drawn[seen]]), label)
            from_policy[unseen] = class_probabilities(model, logged[unseen], 2)[:, 1]
        if (from_policy >= 1).any():
            raise HarnessError(
                f"classifier: is certain that round {int(np.argmax(from_policy))} came from the policy, so its weight "
                "is infinite; give a smoother or calibrated classifier"
            )
        return from_policy / (1 - from_policy)
