"""Embeds users, queries (titles), prompts (keywords) and sentences: pooled encoder states, reduced by PCA; or as given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from store import Artifact, Attempt, Table
from tasks.api import Context, Metrics, TaskError
from tasks.models.encode import TextEncoder, load_text_encoder
from tasks.models.pca import PCA
from tasks.opl.config import EmbeddingConfig
from tasks.opl.custom import VECTORS_FILE
from tasks.opl.simulator import CF_FILE, TEXT_FILE
from tasks.opl.tables import Sentences, sorted_rows
from tasks.training.device import prepare_torch

Singles = NDArray[np.float32]


@dataclass(frozen=True)
class Inputs:
    """The texts, the simulator whose user vectors are taken, the encoder's directory, and a user's own vectors, if any."""

    items: Table
    prompts: Table
    sentences: Table
    simulator: Artifact
    encoder: Artifact
    custom: Artifact | None = None


@dataclass(frozen=True)
class Reduced:
    """Vectors `(n_texts, dim)` = (state - mean) @ matrix; the share of variance kept is None where PCA was given."""

    vectors: Singles
    matrix: Singles
    mean: Singles
    kept: float | None


def run(config: EmbeddingConfig, inputs: Inputs, out: Attempt, ctx: Context) -> Metrics:
    """Writes embeddings.safetensors and pca.safetensors; returns the share of variance each kind of text keeps.

    `users (n_users, d)`, `queries (n_items, dim)`, `prompts (n_prompts, dim)`, `sentences (n_described * n_prompts, dim)` with
    `sentence_items (n_described,)`, the described item ids; for each kind of text `<kind>_matrix (state_size, dim)` and
    `<kind>_mean (state_size,)`, so that a vector is (state - mean) @ matrix.

    What the user's own data have of these is taken as it is: vectors, and a matrix and mean in place of fitted ones.

    Raises:
        TaskError: fewer texts of a kind than dimensions, a sentence that is missing, vectors given of another size.
    """
    titles = [str(title) for title in sorted_rows(inputs.items, ("item_id",))["title"].to_pylist()]
    keywords = [str(word) for word in sorted_rows(inputs.prompts, ("prompt_id",))["keyword"].to_pylist()]
    sentences = Sentences.read(inputs.sentences, n_items=len(titles), n_prompts=len(keywords))
    users = load_file(inputs.simulator.path(CF_FILE if config.users == "cf" else TEXT_FILE))["user_embedding.weight"]
    given = load_file(inputs.custom.path(VECTORS_FILE)) if inputs.custom else {}
    check_given(given, config, {"users": len(users), "queries": len(titles), "prompts": len(keywords)})
    device = prepare_torch(ctx.runtime)
    encoder = load_text_encoder(
        inputs.encoder.dir(), max_length=config.max_length, batch_size=ctx.runtime.batch_size, device=str(device)
    )
    embedded = {"users": given.get(f"users_{config.users}", users), "sentence_items": sentences.items}
    maps = {name: given[name] for name in given if name.endswith(("_matrix", "_mean"))}
    metrics: Metrics = {}
    for kind, texts in {"query": titles, "prompt": keywords, "sentence": sentences.texts}.items():
        if _PLURAL[kind] in given:
            embedded[_PLURAL[kind]] = given[_PLURAL[kind]]
            continue
        reduced = reduce(encoder, texts, kind, given, config, ctx)
        embedded[_PLURAL[kind]] = reduced.vectors
        maps |= {f"{kind}_matrix": reduced.matrix, f"{kind}_mean": reduced.mean}
        metrics |= {} if reduced.kept is None else {f"{kind}_variance_kept": reduced.kept}
    for file, arrays in (("embeddings.safetensors", embedded), ("pca.safetensors", maps)):
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, out.path(file))
    return metrics


_PLURAL = {"query": "queries", "prompt": "prompts", "sentence": "sentences"}


def check_given(given: Mapping[str, Singles], config: EmbeddingConfig, sizes: Mapping[str, int]) -> None:
    """The vectors given are of the users, queries and prompts at hand.

    Raises:
        TaskError: there are more or fewer, or the users' are not those that the configuration asks for.
    """
    users = [name for name in ("users_cf", "users_text") if name in given]
    if users and f"users_{config.users}" not in users:
        there = users[0].removeprefix("users_")
        raise TaskError(
            f"custom: it has user vectors of {there}, not of {config.users}; set users of opl.embeddings to {there}"
        )
    for name, size in {**sizes, f"users_{config.users}": sizes["users"]}.items():
        if name in given and len(given[name]) != size:
            raise TaskError(
                f"custom: it has {len(given[name])} vectors of {name} and there are {size}; give its own tables too"
            )


def reduce(
    encoder: TextEncoder,
    texts: Sequence[str],
    kind: str,
    given: Mapping[str, Singles],
    config: EmbeddingConfig,
    ctx: Context,
) -> Reduced:
    """One kind of text as vectors, by the matrix and mean given or by PCA.

    Raises:
        TaskError: `dim` components cannot be fitted to so few texts, or the matrix is for states of another size.
    """
    if f"{kind}_matrix" in given:
        matrix, mean = given[f"{kind}_matrix"], given[f"{kind}_mean"]
        if len(matrix) != encoder.dim:
            raise TaskError(
                f"custom: the {kind} PCA has shape {matrix.shape} but the encoder's states have {encoder.dim} dimensions; "
                "take the encoder that it was fitted to, or remove its file"
            )
        vectors = (encode(encoder, texts, kind, ctx) - mean) @ matrix
        return Reduced(np.asarray(vectors, dtype=np.float32), matrix, mean, None)
    if len(texts) < max(config.dim, 2) or config.dim > encoder.dim:
        size = f"{len(texts)} texts of {encoder.dim} dimensions"
        raise TaskError(f"{_PLURAL[kind]}: {size} do not span {config.dim}; lower dim of opl.embeddings")
    states = encode(encoder, texts, kind, ctx)
    pca = PCA.fit(states, config.dim)
    total = float(states.astype(np.float64).var(axis=0, ddof=1).sum())
    kept = float(pca.explained_variance.sum()) / total if total > 0 else 1.0
    return Reduced(pca.transform(states), pca.components.T, pca.mean, kept)


def encode(encoder: TextEncoder, texts: Sequence[str], kind: str, ctx: Context) -> Singles:
    """Pooled states `(n_texts, state_size)`: the mean over tokens that are not padding."""
    with ctx.progress(_PLURAL[kind], len(texts)) as advance:
        return encoder.encode(texts, advance)
