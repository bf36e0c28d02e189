from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA as Oracle

from tasks.models.pca import PCA, PCAError


def data(rows: int = 500, dim: int = 12, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(rows, dim)) @ rng.normal(size=(dim, dim)) + 5).astype(np.float32)


@pytest.mark.parametrize(("rows", "dim", "k"), [(500, 12, 5), (20, 40, 19), (9000, 6, 6)])
def test_agrees_with_sklearn_up_to_sign(rows: int, dim: int, k: int) -> None:
    x = data(rows, dim)
    ours, oracle = PCA.fit(x, k), Oracle(k, svd_solver="full").fit(x.astype(np.float64))
    cosines = np.abs((ours.components * oracle.components_).sum(axis=1))
    np.testing.assert_allclose(cosines, 1.0, atol=1e-5)
    np.testing.assert_allclose(ours.explained_variance, oracle.explained_variance_, rtol=1e-4)
    np.testing.assert_allclose(np.abs(ours.transform(x)), np.abs(oracle.transform(x)), atol=2e-3)


def test_largest_entry_is_positive_however_the_data_are_turned() -> None:
    x = data()
    for turned in (x, -x, x[::-1]):
        components = PCA.fit(turned, 5).components
        largest = components[np.arange(5), np.abs(components).argmax(axis=1)]
        assert (largest > 0).all()
    np.testing.assert_allclose(PCA.fit(-x, 5).components, PCA.fit(x, 5).components, atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(rows=st.integers(2, 60), dim=st.integers(1, 12), seed=st.integers(0, 10**6), given_k=st.data())
def test_reduced_rows_are_centred_uncorrelated_and_sorted(
    rows: int, dim: int, seed: int, given_k: st.DataObject
) -> None:
    k = given_k.draw(st.integers(1, min(rows, dim)))
    x = data(rows, dim, seed)
    pca = PCA.fit(x, k)
    z = pca.transform(x).astype(np.float64)
    scale = np.abs(x).max()
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-4 * scale)
    off = np.cov(z.T).reshape(k, k) - np.diag(np.diag(np.cov(z.T).reshape(k, k)))
    np.testing.assert_allclose(off, 0, atol=1e-3 * scale**2)
    assert (np.diff(pca.explained_variance) <= 1e-3 * scale**2).all()
    np.testing.assert_allclose(pca.components @ pca.components.T, np.eye(k), atol=1e-5)


def test_all_components_bring_the_data_back() -> None:
    x = data()
    pca = PCA.fit(x, 12)
    np.testing.assert_allclose(pca.inverse(pca.transform(x)), x, atol=1e-3)


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    x = data()
    whole = PCA.fit(x, 4)
    monkeypatch.setattr("tasks.models.pca._BLOCK", 7)
    np.testing.assert_allclose(PCA.fit(x, 4).components, whole.components, atol=1e-6)


def test_saved_is_what_is_loaded(tmp_path: Path) -> None:
    pca = PCA.fit(data(), 4)
    pca.save(tmp_path / "a.safetensors")
    PCA.fit(data(), 4).save(tmp_path / "b.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    back = PCA.load(tmp_path / "a.safetensors")
    np.testing.assert_array_equal(back.transform(data()), pca.transform(data()))


@pytest.mark.parametrize(
    ("rows", "dim", "k", "what"),
    [
        (4, 12, 5, "5 components need at least 5 rows; there are 4"),
        (9, 3, 4, "ask for 1 to 3"),
        (9, 3, 0, "1 to 3"),
        (1, 3, 1, "2 rows"),
    ],
)
def test_impossible_requests_are_refused(rows: int, dim: int, k: int, what: str) -> None:
    with pytest.raises(PCAError, match=what):
        PCA.fit(data(rows, dim), k)


def test_nan_and_wrong_shapes_are_refused(tmp_path: Path) -> None:
    x = data()
    x[3, 3] = np.nan
    with pytest.raises(PCAError, match="NaN"):
        PCA.fit(x, 2)
    pca = PCA.fit(data(), 4)
    with pytest.raises(PCAError, match="7 dimensions where 12"):
        pca.transform(np.zeros((2, 7)))
    with pytest.raises(PCAError, match="5 dimensions where 4"):
        pca.inverse(np.zeros((2, 5)))
    with pytest.raises(PCAError, match="shape"):
        PCA.fit(np.zeros(5), 1)
    from safetensors.numpy import save_file

    save_file({"mean": np.zeros(3, np.float32)}, tmp_path / "x.safetensors")
    with pytest.raises(PCAError, match="has no components"):
        PCA.load(tmp_path / "x.safetensors")
