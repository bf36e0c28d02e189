"""How a user's reward follows from the output: the functions f(x, q, o), and their mean over the output's noise.

Each takes slopes s = [x, q] W, one for each coordinate of the output. Its mean given query and action is known in closed
form and is a sum of products, one factor of the context and one of the action, so that a table of contexts and actions is
a matrix product.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from harness.opl.environment_settings import EnvironmentSettings
    from harness.registry import FloatArray


class LinearLaw(NamedTuple):
    """What the slopes and the outputs' means are of a context c ~ N(0, covariance): both linear.

    Attributes:
        slopes: W of s = c W `(dim_joint, dim_output)`.
        means: of the queries' part of the mean output, c times this `(dim_joint, dim_output)`.
        covariance: of contexts `(dim_joint, dim_joint)`.
    """

    slopes: FloatArray
    means: FloatArray
    covariance: FloatArray


class RewardFunction(Protocol):
    """f(x, q, o) and its mean where o ~ N(b + c, diag(variance)), b of the query and c of the action."""

    def normalizer(self, dim_output: int, dim_joint: int) -> float:
        """What W ~ N(0, 1) is divided by, so that mean rewards have a standard deviation of about a half."""

    def given_output(self, slopes: FloatArray, outputs: FloatArray, settings: EnvironmentSettings) -> FloatArray:
        """f `(n,)` of slopes and outputs, both `(n, dim_output)`."""

    def of_contexts(
        self, slopes: FloatArray, queries: FloatArray, variance: FloatArray, settings: EnvironmentSettings
    ) -> tuple[FloatArray, FloatArray]:
        """Factors `(n, n_factors)` and what all actions share `(n, 1)`, of slopes and b, both `(n, dim_output)`."""

    def of_actions(self, action_outputs: FloatArray, settings: EnvironmentSettings) -> FloatArray:
        """Factors `(n_actions, n_factors)` of c `(n_actions, dim_output)`."""

    def linear(self, law: LinearLaw, variance: FloatArray, settings: EnvironmentSettings) -> FloatArray:
        """G `(dim_joint, n_factors)` of the best linear fit of the contexts' factors, c G + constant, over their law."""


class Bilinear:
    """f = sum_j s_j o_j, with the mean sum_j s_j b_j + sum_j s_j c_j; the published one."""

    def normalizer(self, dim_output: int, dim_joint: int) -> float:
        """5 dim_output dim_joint, as published."""
        return 5.0 * dim_output * dim_joint

    def given_output(self, slopes: FloatArray, outputs: FloatArray, settings: EnvironmentSettings) -> FloatArray:
        """s . o."""
        return _dot(slopes, outputs)

    def of_contexts(
        self, slopes: FloatArray, queries: FloatArray, variance: FloatArray, settings: EnvironmentSettings
    ) -> tuple[FloatArray, FloatArray]:
        """s, and s . b."""
        return slopes, (slopes * queries).sum(axis=1, keepdims=True)

    def of_actions(self, action_outputs: FloatArray, settings: EnvironmentSettings) -> FloatArray:
        """c."""
        return action_outputs

    def linear(self, law: LinearLaw, variance: FloatArray, settings: EnvironmentSettings) -> FloatArray:
        """W: slopes are linear."""
        return law.slopes


class Periodic:
    """f = sum_j s_j sin(w o_j): more of a thing is better until it is worse, again and again; w is `frequency`.

    For o ~ N(m, v), E sin(w o) = sin(w m) exp(-w^2 v / 2), the imaginary part of the normal law's characteristic
    function; and sin(w (b + c)) = sin(w b) cos(w c) + cos(w b) sin(w c).
    """

    def normalizer(self, dim_output: int, dim_joint: int) -> float:
        """2/3 sqrt(dim_output) dim_joint."""
        return 2 / 3 * float(np.sqrt(dim_output)) * dim_joint

    def given_output(self, slopes: FloatArray, outputs: FloatArray, settings: EnvironmentSettings) -> FloatArray:
        """s . sin(w o)."""
        return _dot(slopes, np.sin(settings.frequency * outputs))

    def of_contexts(
        self, slopes: FloatArray, queries: FloatArray, variance: FloatArray, settings: EnvironmentSettings
    ) -> tuple[FloatArray, FloatArray]:
        """s sin(w b) exp(-w^2 v / 2) and s cos(w b) exp(-w^2 v / 2), and nothing shared."""
        heights = slopes * _damping(variance, settings)
        angles = settings.frequency * queries
        return np.concatenate([heights * np.sin(angles), heights * np.cos(angles)], axis=1), np.zeros((len(slopes), 1))

    def of_actions(self, action_outputs: FloatArray, settings: EnvironmentSettings) -> FloatArray:
        """cos(w c) and sin(w c)."""
        angles = settings.frequency * action_outputs
        return np.concatenate([np.cos(angles), np.sin(angles)], axis=1)

    def linear(self, law: LinearLaw, variance: FloatArray, settings: EnvironmentSettings) -> FloatArray:
        """0 for s sin(w b), which is even in the context; for s_j cos(w b_j), with S the covariance and b_j = c . m_j,

            (W_j - w^2 m_j (m_j . S W_j)) exp(-w^2 m_j . S m_j / 2),

        as E[c c' cos(u . c)] = (S - S u u' S) exp(-u . S u / 2), the second derivative of the characteristic function.
        """
        spread = law.covariance @ law.means
        shared, own = ((spread * matrix).sum(axis=0) for matrix in (law.slopes, law.means))
        slopes = (law.slopes - np.square(settings.frequency) * law.means * shared) * _damping(own + variance, settings)
        return np.concatenate([np.zeros_like(slopes), slopes], axis=1)


class IdealPoint:
    """f = -sum_j ((o_j - t_j) / width)^2: every context has an output t = [x, q] W that is best in it.

    For o ~ N(m, v), E (o - t)^2 = (m - t)^2 + v; and (b + c - t)^2 = (b - t)^2 + 2 (b - t) c + c^2. A column of zeros in
    W makes the ideal point the same in all contexts.
    Source: unfolding, Coombs 1964, A Theory of Data, with quadratic loss.
    """

    def normalizer(self, dim_output: int, dim_joint: int) -> float:
        """dim_joint / 5, at which ideal points spread about as far as outputs."""
        return dim_joint / 5

    def given_output(self, slopes: FloatArray, outputs: FloatArray, settings: EnvironmentSettings) -> FloatArray:
        """-|o - t|^2 / width^2."""
        distance = (outputs - slopes) / settings.width
        return -_dot(distance, distance)

    def of_contexts(
        self, slopes: FloatArray, queries: FloatArray, variance: FloatArray, settings: EnvironmentSettings
    ) -> tuple[FloatArray, FloatArray]:
        """-2 (b - t) / width and -1, and -(|b - t|^2 + v) / width^2."""
        distance = (queries - slopes) / settings.width
        shared = -(distance**2 + variance / settings.width / settings.width).sum(axis=1, keepdims=True)
        return np.concatenate([-2 * distance, np.full((len(slopes), 1), -1.0)], axis=1), shared

    def of_actions(self, action_outputs: FloatArray, settings: EnvironmentSettings) -> FloatArray:
        """c / width and |c|^2 / width^2."""
        scaled = action_outputs / settings.width
        return np.concatenate([scaled, (scaled**2).sum(axis=1, keepdims=True)], axis=1)

    def linear(self, law: LinearLaw, variance: FloatArray, settings: EnvironmentSettings) -> FloatArray:
        """-2 (m - W) / width, and 0 for the constant."""
        slopes = -2 * (law.means - law.slopes) / settings.width
        return np.concatenate([slopes, np.zeros((len(slopes), 1))], axis=1)


REWARD_FUNCTIONS: Mapping[str, RewardFunction] = {
    "bilinear": Bilinear(),
    "periodic": Periodic(),
    "ideal_point": IdealPoint(),
}


def _dot(left: FloatArray, right: FloatArray) -> FloatArray:
    """The products of rows `(n,)`."""
    products: FloatArray = (left * right).sum(axis=1)
    return products


def _damping(variance: FloatArray, settings: EnvironmentSettings) -> FloatArray:
    """exp(-w^2 v / 2)."""
    damping: FloatArray = np.exp(-np.square(settings.frequency) * variance / 2)  # square: infinite where ** raises
    return damping
