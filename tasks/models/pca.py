"""Principal components: the directions of most variance, with the mean subtracted and the signs settled."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file

from store.errors import UserError

Array = npt.NDArray[np.float32]
_BLOCK = 8192


class PCAError(UserError):
    """The data cannot be reduced as asked."""


@dataclass(frozen=True)
class PCA:
    """A linear map to the first principal components, z = (x - mean) Vᵀ (Pearson 1901; Hotelling 1933).

    Each component's entry of largest magnitude is positive, so that a refit gives the same signs.

    Attributes:
        mean: (dim,).
        components: (n_components, dim), orthonormal rows, most variance first.
        explained_variance: (n_components,), with n - 1 in the denominator.
    """

    mean: Array
    components: Array
    explained_variance: Array

    @classmethod
    def fit(cls, x: npt.NDArray[np.floating], n_components: int) -> PCA:
        """Fits by the eigenvectors of the covariance, in float64.

        Args:
            x: (n_rows, dim).
            n_components: at most dim, and at most n_rows.

        Raises:
            PCAError: too few rows or columns, or a value that is not finite.
        """
        rows, dim = _shape(x)
        if not 1 <= n_components <= dim:
            raise PCAError(f"{n_components} components of {dim}-dimensional vectors; ask for 1 to {dim}")
        if rows < max(n_components, 2):
            raise PCAError(f"{n_components} components need at least {max(n_components, 2)} rows; there are {rows}")
        mean = np.asarray(np.mean(x, axis=0, dtype=np.float64))
        covariance = np.zeros((dim, dim))
        for start in range(0, rows, _BLOCK):  # a float64 copy of all rows would double the memory
            block = x[start : start + _BLOCK].astype(np.float64) - mean
            covariance += block.T @ block
        if not np.isfinite(covariance).all():
            raise PCAError("the vectors hold NaN or infinity; see what made them")
        values, vectors = np.linalg.eigh(covariance / (rows - 1))
        components = vectors[:, ::-1][:, :n_components].T
        variance = np.clip(values[::-1][:n_components], 0.0, None)
        return cls(_f32(mean), _f32(_settle_signs(components)), _f32(variance))

    def transform(self, x: npt.NDArray[np.floating]) -> Array:
        """(n_rows, dim) to (n_rows, n_components)."""
        self._check(x, len(self.mean))
        return _f32((x.astype(np.float32) - self.mean) @ self.components.T)

    def inverse(self, z: npt.NDArray[np.floating]) -> Array:
        """(n_rows, n_components) back to the nearest (n_rows, dim) of the spanned plane."""
        self._check(z, len(self.components))
        return _f32(z.astype(np.float32) @ self.components + self.mean)

    def save(self, path: Path) -> None:
        """Writes the three arrays as safetensors."""
        fields = {"mean": self.mean, "components": self.components, "explained_variance": self.explained_variance}
        save_file({name: np.ascontiguousarray(value) for name, value in fields.items()}, path)

    @classmethod
    def load(cls, path: Path) -> PCA:
        """Reads what `save` wrote.

        Raises:
            PCAError: an array is missing.
        """
        arrays = load_file(path)
        missing = {"mean", "components", "explained_variance"} - arrays.keys()
        if missing:
            raise PCAError(f"{path} has no {', '.join(sorted(missing))}; it is not a saved PCA")
        return cls(arrays["mean"], arrays["components"], arrays["explained_variance"])

    @staticmethod
    def _check(x: npt.NDArray[np.floating], wanted: int) -> None:
        if _shape(x)[1] != wanted:
            raise PCAError(f"vectors have {x.shape[1]} dimensions where {wanted} are wanted")


def _shape(x: npt.NDArray[np.floating]) -> tuple[int, int]:
    if x.ndim != 2:
        raise PCAError(f"vectors must come as (n_rows, dim), not with shape {x.shape}")
    return x.shape[0], x.shape[1]


def _settle_signs(components: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Turns each row so that its entry of largest magnitude is positive."""
    largest = np.abs(components).argmax(axis=1)
    signs = np.sign(components[np.arange(len(components)), largest])
    settled: npt.NDArray[np.float64] = components * signs[:, None]
    return settled


def _f32(x: npt.NDArray[np.floating]) -> Array:
    return np.ascontiguousarray(x, dtype=np.float32)
