"""What is asked of a model that somebody else wrote, as scikit-learn's are: `fit`, then `predict` or `predict_proba`."""

from __future__ import annotations

import copy
import inspect
from typing import Any, Protocol, TypeGuard, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike

from harness.errors import HarnessError
from harness.opl.evaluation.arrays import FloatArray, IntArray, checked_shape


class Regressor(Protocol):
    """Fits and predicts numbers; `fit` may take `sample_weight` too."""

    fit: Any

    def predict(self, features: FloatArray, /) -> ArrayLike:
        """`(n,)` of `(n, dim)`."""


class Classifier(Protocol):
    """Fits labels and predicts the probabilities of those in `classes_`; `fit` may take `sample_weight` too."""

    fit: Any
    classes_: Any

    def predict_proba(self, features: FloatArray, /) -> ArrayLike:
        """`(n, n_classes)` of `(n, dim)`."""


Model = TypeVar("Model", bound=Regressor | Classifier)


def is_classifier(model: Regressor | Classifier) -> TypeGuard[Classifier]:
    """Whether the model predicts probabilities."""
    return hasattr(model, "predict_proba")


def fitted(
    model: Model, features: FloatArray, target: FloatArray | IntArray, sample_weight: FloatArray | None = None
) -> Model:
    """A deep copy of `model`, fitted to `(n, dim)` and `(n,)`.

    Raises `HarnessError` where a classifier would see one label only, or weights cannot be used.
    """
    if is_classifier(model) and (target == target[0]).all():
        raise HarnessError(
            f"model: a classifier would see the label {int(target[0])} alone in a fold; give fewer folds or more rounds"
        )
    mine = copy.deepcopy(model)
    if sample_weight is None:
        mine.fit(features, target)
        return mine
    if "sample_weight" not in inspect.signature(mine.fit).parameters:
        raise HarnessError(f"model: {type(model).__name__}.fit takes no sample_weight; choose another model or method")
    if not sample_weight.any():
        raise HarnessError("action_dist: gives every logged action of a fold weight 0; choose the method 'normal'")
    mine.fit(features, target, sample_weight=sample_weight)
    return mine


def expectations(model: Regressor | Classifier, features: FloatArray) -> FloatArray:
    """E[r|x], `(n,)`: what a regressor predicts, or how probable a classifier finds the label 1."""
    if is_classifier(model):
        return class_probabilities(model, features, 2)[:, 1]
    return checked_shape("predict", cast(Regressor, model).predict(features), (len(features),), "(n,)")


def class_probabilities(model: Classifier, features: FloatArray, n_classes: int) -> FloatArray:
    """P(c|x), `(n, n_classes)`; 0 for labels that the model never saw. Raises `HarnessError` for what is no classifier."""
    if not is_classifier(model):
        raise HarnessError(
            f"classifier: {type(model).__name__} has no predict_proba; give one that tells probabilities"
        )
    seen = np.asarray(model.classes_, dtype=np.int64)
    shape = (len(features), len(seen))
    table = np.zeros((len(features), n_classes))
    table[:, seen] = checked_shape("predict_proba", model.predict_proba(features), shape, "(n, n_classes)")
    return table
