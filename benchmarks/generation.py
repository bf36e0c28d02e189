"""Film descriptions by SmolLM2-135M: the shared-prefix batch decoder beside `generate` of transformers.

Peers: one prompt at a time; and left-padded batches of the same size. All write the same texts, which is checked.
"""

from __future__ import annotations

import logging
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from store.artifact import Attempt
from store.sources.catalogue import find_source
from tasks.api import Context, Runtime
from tasks.generate.base import Prompt, Sampling
from tasks.generate.templates import film_template
from tasks.generate.transformers_backend import TransformersGenerator, load
from tasks.sources.config import FetchConfig
from tasks.sources.fetch import Inputs, run

SAMPLING = Sampling(max_new_tokens=20)
FILMS = (
    "Toy Story (1995)",
    "The Godfather (1972)",
    "Alien (1979)",
    "Casablanca (1942)",
    "Fargo (1996)",
    "Titanic (1997)",
)
KEYWORDS = ("romance", "violence", "comedy", "family", "mystery", "history", "music", "war")

Texts = list[list[int]]


def rows() -> list[dict[str, object]]:
    """One row a peer."""
    with tempfile.TemporaryDirectory() as folder:
        model, tokenizer = load(_fetched("smollm2-135m-instruct", Path(folder)), "float32", "cpu")
    made = TransformersGenerator(model, tokenizer, "benchmark")
    template = film_template("film-examples/1")
    prompts = [template.render(film, keyword) for film in FILMS for keyword in KEYWORDS]
    _ours(made, prompts[:2])  # the first call pays for loading
    few = prompts[::6]
    return [
        _row(made, few, 8, "generate, one at a time", lambda: _peer(made, few, 1)),
        _row(made, prompts, 48, "generate, one batch", lambda: _peer(made, prompts, 48)),
    ]


def _ours(made: TransformersGenerator, prompts: Sequence[Prompt]) -> Texts:
    said: Texts = [[] for _ in prompts]
    for at, text, _ in made.generate(prompts, SAMPLING):
        said[at] = made.tokenizer(text).input_ids
    return said


def _peer(made: TransformersGenerator, prompts: Sequence[Prompt], batch_size: int) -> Texts:
    said: Texts = []
    tokens = made.tokenize(prompts)
    for start in range(0, len(tokens), batch_size):
        batch = tokens[start : start + batch_size]
        width = max(map(len, batch))
        pad = made.decoder.pad_token
        out = made.model.generate(
            input_ids=torch.tensor([[pad] * (width - len(row)) + row for row in batch]),
            attention_mask=torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in batch]),
            max_new_tokens=SAMPLING.max_new_tokens,
            do_sample=False,
            pad_token_id=pad,
        )
        texts = made.tokenizer.batch_decode(out[:, width:], skip_special_tokens=True)
        said += [made.tokenizer(text).input_ids for text in texts]
    return said


def _row(
    made: TransformersGenerator, prompts: Sequence[Prompt], n: int, peer: str, theirs: Callable[[], Texts]
) -> dict[str, object]:
    ours_s, ours = _timed(lambda: _ours(made, prompts))
    peer_s, other = _timed(theirs)
    if ours != other:
        raise AssertionError(f"{sum(a != b for a, b in zip(ours, other, strict=True))} texts differ from {peer}")
    new_tokens = sum(map(len, ours))
    return {
        "job": "generate film descriptions",
        "size": f"{n} prompts of {len(made.tokenize(prompts[:1])[0])} tokens, {new_tokens} new tokens",
        "ours_s": ours_s,
        "peer": peer,
        "peer_s": peer_s,
        "ratio": peer_s / ours_s,
        "ours_tokens_per_s": new_tokens / ours_s,
        "peer_tokens_per_s": new_tokens / peer_s,
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "note": f"{new_tokens / ours_s:.0f} tokens/s beside {new_tokens / peer_s:.0f}",
    }


def _timed(work: Callable[[], Texts]) -> tuple[float, Texts]:
    started = time.perf_counter()
    texts = work()
    return time.perf_counter() - started, texts


def _fetched(name: str, folder: Path) -> Path:
    """The source's files, from the registry or from what pip has kept."""
    root, scratch = folder / find_source(name).name, folder / "scratch"
    for directory in (root, scratch):
        directory.mkdir(exist_ok=True)
    ctx = Context(scratch, scratch, Runtime(), logging.getLogger(__name__))
    run(FetchConfig(source=name), Inputs(), Attempt(f"sources/{name}", "0" * 16, "a", root), ctx)
    return root
