"""How good predicted probabilities are: ranking, squared error, cross entropy, calibration; and the popularity baseline."""

from __future__ import annotations

import numpy as np

from tasks.api import TaskError
from tasks.opl.tables import Floats, Interactions, Ints

N_BINS = 10
_PRIOR = 5.0


def roc_auc(label: Ints, score: Floats) -> float:
    """Probability that a positive is scored above a negative, ties counting half (Mann-Whitney U / (n_pos n_neg)).

    Args:
        label: 0 or 1 `(n,)`.
        score: `(n,)`.

    Raises:
        TaskError: there are no positives or no negatives.
    """
    n_positive = int(label.sum())
    n_negative = len(label) - n_positive
    if n_positive == 0 or n_negative == 0:
        raise TaskError(f"AUC: {n_positive} positives and {n_negative} negatives; it needs both, so hold more rows out")
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    average_rank = np.cumsum(counts) - (counts - 1) / 2
    rank_sum = float(average_rank[inverse][label == 1].sum())
    return (rank_sum - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative)


def log_loss(label: Ints, probability: Floats) -> float:
    """Mean cross entropy in nats; probabilities are kept 1e-7 away from 0 and 1."""
    p = np.clip(probability, 1e-7, 1 - 1e-7)
    return float(-np.mean(np.where(label == 1, np.log(p), np.log1p(-p))))


def calibration(label: Ints, probability: Floats) -> list[dict[str, float | None]]:
    """Ten bins of equal width on [0, 1]: bounds, rows, mean probability and share of positives (None where empty)."""
    bins = np.minimum((probability * N_BINS).astype(int), N_BINS - 1)
    count = np.bincount(bins, minlength=N_BINS)
    predicted = np.bincount(bins, weights=probability, minlength=N_BINS)
    observed = np.bincount(bins, weights=label, minlength=N_BINS)
    return [
        {
            "lower": b / N_BINS,
            "upper": (b + 1) / N_BINS,
            "count": float(count[b]),
            "mean_probability": float(predicted[b] / count[b]) if count[b] else None,
            "positive_share": float(observed[b] / count[b]) if count[b] else None,
        }
        for b in range(N_BINS)
    ]


def calibration_error(bins: list[dict[str, float | None]]) -> float:
    """Expected calibration error: mean over rows of |mean probability - share of positives| of their bin."""
    gaps = [(b["count"] or 0.0, abs((b["mean_probability"] or 0.0) - (b["positive_share"] or 0.0))) for b in bins]
    return sum(n * gap for n, gap in gaps) / sum(n for n, _ in gaps)


def measure(label: Ints, probability: Floats) -> dict[str, object]:
    """AUC, MSE, log-loss, calibration bins and error of probabilities `(n,)` for labels `(n,)`."""
    bins = calibration(label, probability)
    return {
        "auc": roc_auc(label, probability),
        "mse": float(np.mean((probability - label) ** 2)),
        "log_loss": log_loss(label, probability),
        "calibration_error": calibration_error(bins),
        "calibration": bins,
    }


def popularity(train: Interactions, test: Interactions, n_users: int, n_items: int) -> Floats:
    """Probabilities `(n_test,)` from means alone: item mean + user mean - mean, cut to [0, 1].

    Each mean is drawn to the mean of all by five rows' worth, so that items and users seen once or never have one.
    """
    mean = float(train.reward.mean())

    def means(ids: Ints, size: int) -> Floats:
        total = np.bincount(ids, weights=train.reward, minlength=size)
        return (total + _PRIOR * mean) / (np.bincount(ids, minlength=size) + _PRIOR)

    item, user = means(train.item, n_items), means(train.user, n_users)
    return np.clip(item[test.item] + user[test.user] - mean, 0.0, 1.0)
