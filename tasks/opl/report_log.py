"""What the log is worth to each policy: importance weights, their effective sample size, and the propensities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from store import Artifact
from tasks.opl.env import LanguageEnvironment
from tasks.opl.labels import label
from tasks.opl.predict import distribution
from tasks.opl.report_plots import Bars
from tasks.opl.rounds import LoggedRounds
from tasks.opl.tables import Floats

_WEIGHT_EDGES = 10.0 ** np.linspace(-3, 2, 26)
_BINS_A_DECADE = 8


@dataclass(frozen=True)
class Weights:
    """Importance weights w = pi(a|x) / pi_0(a|x) of one policy on the logged rounds.

    Attributes:
        label: the policy.
        mean: 1 in expectation where pi_0 covers pi.
        largest: the largest weight.
        effective: (sum w)^2 / sum w^2, how many rounds of the policy itself the log is worth (Kish, 1965).
        share: `effective` over the number of rounds.
        bars: their distribution; the end bins hold what lies beyond them.
    """

    label: str
    mean: float
    largest: float
    effective: float
    share: float
    bars: Bars


def weights(method: str, policy: Artifact, environment: LanguageEnvironment, rounds: LoggedRounds) -> Weights:
    """The weights of a learned policy.

    Raises:
        TaskError: the policy is of another environment.
    """
    action_dist = distribution(policy, "policy.safetensors", environment)
    w = action_dist[rounds.context, rounds.action] / rounds.pscore
    effective = effective_sample_size(w)
    bars = shares(np.clip(w, _WEIGHT_EDGES[0], _WEIGHT_EDGES[-1]), _WEIGHT_EDGES)
    return Weights(label(method), float(w.mean()), float(w.max()), effective, effective / len(w), bars)


def effective_sample_size(w: Floats) -> float:
    """(sum w)^2 / sum w^2 of weights `(n,)`; 0 where all are 0 (Kish, Survey Sampling, 1965)."""
    largest = float(w.max())
    if largest == 0:
        return 0.0
    scaled = w / largest  # so that no square underflows
    return float(scaled.sum() ** 2 / (scaled**2).sum())


def propensities(rounds: LoggedRounds) -> Bars:
    """The distribution of the logged actions' probabilities, in bins of equal width on a logarithmic scale."""
    low = np.floor(np.log10(rounds.pscore.min()))
    low = min(low, -1.0)
    return shares(rounds.pscore, 10.0 ** np.linspace(low, 0, round(-low) * _BINS_A_DECADE + 1))


def shares(values: Floats, edges: Floats) -> Bars:
    """The share of the values `(n,)` in each bin, the last closed at both ends."""
    inside = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    counts = np.bincount(inside, minlength=len(edges) - 1)
    return Bars([float(edge) for edge in edges], [float(count) / len(values) for count in counts])
