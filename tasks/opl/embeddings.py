"""Embeds users, queries (titles), prompts (keywords) and sentences: pooled encoder states, reduced by PCA."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from store import Artifact, Attempt, Table
from tasks.api import Context, Metrics, TaskError
from tasks.models.encode import TextEncoder, load_text_encoder
from tasks.models.pca import PCA
from tasks.opl.config import EmbeddingConfig
from tasks.opl.simulator import CF_FILE, TEXT_FILE
from tasks.opl.tables import Sentences, sorted_rows
from tasks.training.device import prepare_torch

Singles = NDArray[np.float32]


@dataclass(frozen=True)
class Inputs:
    """The texts, the simulator whose user vectors are taken, and the encoder's directory."""

    items: Table
    prompts: Table
    sentences: Table
    simulator: Artifact
    encoder: Artifact


def run(config: EmbeddingConfig, inputs: Inputs, out: Attempt, ctx: Context) -> Metrics:
    """Writes embeddings.safetensors and pca.safetensors; returns the share of variance each kind of text keeps.

    `users (n_users, d)`, `queries (n_items, dim)`, `prompts (n_prompts, dim)`, `sentences (n_described * n_prompts, dim)` with
    `sentence_items (n_described,)`, the described item ids; for each kind of text `<kind>_matrix (state_size, dim)` and
    `<kind>_mean (state_size,)`, so that a vector is (state - mean) @ matrix.

    Raises:
        TaskError: fewer texts of a kind than dimensions, a sentence that is missing.
    """
    titles = [str(title) for title in sorted_rows(inputs.items, ("item_id",))["title"].to_pylist()]
    keywords = [str(word) for word in sorted_rows(inputs.prompts, ("prompt_id",))["keyword"].to_pylist()]
    sentences = Sentences.read(inputs.sentences, n_items=len(titles), n_prompts=len(keywords))
    device = prepare_torch(ctx.runtime)
    encoder = load_text_encoder(
        inputs.encoder.dir(), max_length=config.max_length, batch_size=ctx.runtime.batch_size, device=str(device)
    )
    simulator = load_file(inputs.simulator.path(CF_FILE if config.users == "cf" else TEXT_FILE))
    embedded = {"users": simulator["user_embedding.weight"], "sentence_items": sentences.items}
    maps: dict[str, Singles] = {}
    metrics: Metrics = {}
    for kind, texts in {"query": titles, "prompt": keywords, "sentence": sentences.texts}.items():
        states = encode(encoder, texts, kind, config.dim, ctx)
        pca = PCA.fit(states, config.dim)
        embedded[_PLURAL[kind]] = pca.transform(states)
        maps |= {f"{kind}_matrix": pca.components.T, f"{kind}_mean": pca.mean}
        total = float(states.astype(np.float64).var(axis=0, ddof=1).sum())
        metrics[f"{kind}_variance_kept"] = float(pca.explained_variance.sum()) / total if total > 0 else 1.0
    for file, arrays in (("embeddings.safetensors", embedded), ("pca.safetensors", maps)):
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, out.path(file))
    return metrics


_PLURAL = {"query": "queries", "prompt": "prompts", "sentence": "sentences"}


def encode(encoder: TextEncoder, texts: Sequence[str], kind: str, dim: int, ctx: Context) -> Singles:
    """Pooled states `(n_texts, state_size)`: the mean over tokens that are not padding.

    Raises:
        TaskError: `dim` components cannot be fitted to so few texts.
    """
    if len(texts) < max(dim, 2) or dim > encoder.dim:
        raise TaskError(
            f"{_PLURAL[kind]}: {len(texts)} texts of {encoder.dim} dimensions do not span {dim}; lower dim of opl.embeddings"
        )
    with ctx.progress(_PLURAL[kind], len(texts)) as advance:
        return encoder.encode(texts, advance)
