"""Texts to vectors with MiniLM, beside two ways of doing it by hand with the same model.

Peers: one text at a time; and batches of 32 sorted by length, which is what sentence-transformers does.
Texts: movie titles with their genres, made sentences, and the titles of 1,500 ratings (titles come again and again).
"""

from __future__ import annotations

import logging
import random
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from store.artifact import Attempt
from store.sources.catalogue import find_source
from tasks.api import Context, Runtime
from tasks.models.encode import TextEncoder, load_text_encoder
from tasks.sources.config import FetchConfig
from tasks.sources.fetch import Inputs, run

Encode = Callable[[list[str]], np.ndarray]


def rows() -> list[dict[str, object]]:
    """One row a peer and kind of text."""
    with tempfile.TemporaryDirectory() as folder:
        movies = _fetched("ml-100k", Path(folder)) / "ml-100k.item"
        encoder = load_text_encoder(_fetched("all-minilm-l6-v2", Path(folder)))
        titles = [" ".join(line.split("\t")[1:]) for line in movies.read_text(encoding="utf-8").splitlines()[1:]]
    rng = random.Random(0)
    words = " ".join(titles).split()
    sentences = [" ".join(rng.choices(words, k=rng.randint(5, 40))) for _ in range(200)]
    rated = rng.choices(titles, weights=[1 / (rank + 1) for rank in range(len(titles))], k=1500)
    encoder.encode(titles[:64])  # the first call pays for loading
    return [
        _row("250 titles", titles[:250], encoder, "one text at a time", lambda texts: one_by_one(encoder, texts)),
        _row("200 sentences", sentences, encoder, "sorted batches of 32", lambda texts: sorted_batches(encoder, texts)),
        _row(
            "1,500 rated titles", rated, encoder, "sorted batches of 32", lambda texts: sorted_batches(encoder, texts)
        ),
    ]


def one_by_one(encoder: TextEncoder, texts: list[str]) -> np.ndarray:
    """The plain loop."""
    vectors = []
    with torch.inference_mode():
        for text in texts:
            batch = encoder.tokenizer(text, truncation=True, max_length=encoder.max_length, return_tensors="pt")
            vectors.append(encoder.model(**batch).last_hidden_state[0].mean(dim=0).numpy())
    return np.stack(vectors)


def sorted_batches(encoder: TextEncoder, texts: list[str], size: int = 32) -> np.ndarray:
    """Longest texts first, 32 a batch, padded to the longest of the batch."""
    order = np.argsort([-len(text) for text in texts])
    vectors = np.empty((len(texts), encoder.dim), dtype=np.float32)
    with torch.inference_mode():
        for start in range(0, len(order), size):
            at = order[start : start + size]
            batch = encoder.tokenizer(
                [texts[i] for i in at],
                padding=True,
                truncation=True,
                max_length=encoder.max_length,
                return_tensors="pt",
            )
            hidden, mask = encoder.model(**batch).last_hidden_state, batch["attention_mask"].unsqueeze(-1).float()
            vectors[at] = ((hidden * mask).sum(dim=1) / mask.sum(dim=1)).numpy()
    return vectors


def _row(size: str, texts: list[str], encoder: TextEncoder, peer: str, theirs: Encode) -> dict[str, object]:
    """The better of two runs each, in turn, so that a busy moment does not fall on one side alone."""
    ours_s, peer_s = float("inf"), float("inf")
    ours = other = np.empty(0)
    for _ in range(2):
        seconds, ours = _timed(encoder.encode, texts)
        ours_s = min(ours_s, seconds)
        seconds, other = _timed(theirs, texts)
        peer_s = min(peer_s, seconds)
    off = float(np.abs(ours - other).max())
    if off > 1e-4:
        raise AssertionError(f"the two ways differ by {off}")
    return {
        "job": "encode texts",
        "size": size,
        "ours_s": ours_s,
        "peer": peer,
        "peer_s": peer_s,
        "ratio": peer_s / ours_s,
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "note": f"{len(texts) / ours_s:.0f} texts/s",
    }


def _timed(encode: Encode, texts: list[str]) -> tuple[float, np.ndarray]:
    started = time.perf_counter()
    vectors = encode(texts)
    return time.perf_counter() - started, vectors


def _fetched(name: str, folder: Path) -> Path:
    """The source's files, from the registry or from what pip has kept."""
    root, scratch = folder / find_source(name).name, folder / "scratch"
    for directory in (root, scratch):
        directory.mkdir(exist_ok=True)
    ctx = Context(scratch, scratch, Runtime(), logging.getLogger(__name__))
    run(FetchConfig(source=name), Inputs(), Attempt(f"sources/{name}", "0" * 16, "a", root), ctx)
    return root
