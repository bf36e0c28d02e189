from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tasks.models import encode as module
from tasks.models.encode import TextEncoder, load_text_encoder
from tasks.models.errors import ModelError

WORDS = tuple("the a movie of toy story space war love night king queen blue red green old new boy girl dog".split())  # noqa: SIM905


def make_texts(n: int, seed: int = 0) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choices(WORDS, k=rng.randint(1, 30))) for _ in range(n)]


@pytest.fixture(params=["tiny_bert", "tiny_llama"])
def encoder(request: pytest.FixtureRequest) -> TextEncoder:
    return load_text_encoder(request.getfixturevalue(request.param), max_length=24)


def alone(encoder: TextEncoder, text: str) -> np.ndarray:
    """One text by itself, written out: no padding, so no mask is needed."""
    ids = encoder.tokenizer(text, truncation=True, max_length=24, return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        hidden = encoder.model(input_ids=ids, output_hidden_states=True).hidden_states[-1][0]
    vector = hidden.mean(dim=0) if encoder.pooling == "mean" else hidden[0]
    return vector.numpy()


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_equals_each_text_by_itself(encoder: TextEncoder, pooling: str) -> None:
    encoder = replace(encoder, pooling=pooling)
    texts = make_texts(60)
    expected = np.stack([alone(encoder, text) for text in texts])
    np.testing.assert_allclose(encoder.encode(texts), expected, atol=1e-5)


def test_order_does_not_matter(encoder: TextEncoder) -> None:
    texts = make_texts(80)
    order = np.random.default_rng(0).permutation(80)
    shuffled = encoder.encode([texts[i] for i in order])
    np.testing.assert_allclose(shuffled, encoder.encode(texts)[order], atol=1e-5)


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_batch_size_does_not_matter(encoder: TextEncoder, size: int) -> None:
    texts = make_texts(50)
    np.testing.assert_allclose(replace(encoder, batch_size=size).encode(texts), encoder.encode(texts), atol=1e-5)


def test_window_does_not_matter(encoder: TextEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = make_texts(50)
    whole = encoder.encode(texts)
    monkeypatch.setattr(module, "_WINDOW", 7)
    np.testing.assert_allclose(encoder.encode(texts), whole, atol=1e-5)


def test_two_runs_are_equal_to_the_bit(encoder: TextEncoder) -> None:
    np.testing.assert_array_equal(encoder.encode(make_texts(40)), encoder.encode(make_texts(40)))


def test_equal_texts_are_encoded_once(encoder: TextEncoder) -> None:
    texts = make_texts(10)
    seen: list[int] = []
    counting = replace(encoder, model=Counting(encoder.model, seen))  # type: ignore[arg-type]
    finished: list[int] = []
    many = counting.encode(texts * 20, finished.append)
    assert sum(seen) == len(set(texts))
    assert sum(finished) == 200
    np.testing.assert_array_equal(many[:10], many[-10:])


class Counting:
    """A model that notes the rows of every batch."""

    def __init__(self, model: Callable[..., object], seen: list[int]) -> None:
        self._model, self._seen = model, seen

    def __getattr__(self, name: str) -> object:
        return getattr(self._model, name)

    def __call__(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> object:
        self._seen.append(len(input_ids))
        return self._model(input_ids=input_ids, attention_mask=attention_mask)


def test_long_texts_are_cut(encoder: TextEncoder) -> None:
    long = " ".join(WORDS * 5)
    np.testing.assert_allclose(encoder.encode([long])[0], alone(encoder, long), atol=1e-5)


def test_no_texts_give_no_rows(encoder: TextEncoder) -> None:
    assert encoder.encode([]).shape == (0, 32)


def test_float32_comes_out_of_half_precision(tiny_bert: Path) -> None:
    half = load_text_encoder(tiny_bert, max_length=24, dtype="bfloat16")
    vectors = half.encode(make_texts(5))
    assert vectors.dtype == np.float32
    full = load_text_encoder(tiny_bert, max_length=24).encode(make_texts(5))
    np.testing.assert_allclose(vectors, full, atol=0.2)


def test_text_without_tokens_is_named(tiny_llama: Path, tiny_bert: Path) -> None:
    with pytest.raises(ModelError, match=r"text 1 \(' '\) has no tokens"):
        load_text_encoder(tiny_llama, max_length=24).encode(["boy", " "])
    assert load_text_encoder(tiny_bert, max_length=24).encode([""]).shape == (1, 32)  # [CLS] [SEP]


def test_length_beyond_the_model_is_refused(tiny_bert: Path) -> None:
    with pytest.raises(ModelError, match="1 to 64 tokens"):
        load_text_encoder(tiny_bert, max_length=65)


@pytest.mark.weights
def test_real_sentences_lie_where_they_should(minilm_dir: Path) -> None:
    encoder = load_text_encoder(minilm_dir)
    a, b, c = encoder.encode(
        ["Senate passes budget bill", "Congress votes on spending", "A recipe for apple pie with cinnamon"]
    )

    def cosine(x: np.ndarray, y: np.ndarray) -> float:
        return float(x @ y / np.linalg.norm(x) / np.linalg.norm(y))

    assert cosine(a, b) == pytest.approx(0.67, abs=0.02)
    assert abs(cosine(a, c)) < 0.15


@pytest.mark.weights
def test_the_llm_itself_embeds(smollm_dir: Path) -> None:
    encoder = load_text_encoder(smollm_dir, max_length=32)
    texts = ["a movie about toys", "war", "space and love, in the year 1999"]
    together = encoder.encode(texts)
    assert together.shape == (3, 576)
    for text, row in zip(texts, together, strict=True):
        ids = encoder.tokenizer(text, return_tensors="pt")["input_ids"]
        with torch.inference_mode():
            hidden = encoder.model(input_ids=ids).last_hidden_state[0].mean(dim=0).numpy()
        np.testing.assert_allclose(row, hidden, rtol=1e-3, atol=2e-3)
