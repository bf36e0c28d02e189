"""ROUGE, held to rouge_score."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.tokenize import tokenize

from harness.envelope import Envelope
from harness.errors import HarnessError, SubmissionError
from harness.lamp import matching
from harness.lamp import rouge as rouge_module
from harness.lamp.generation import generation_samples
from harness.lamp.rouge import rouge, rouge_pair
from harness.lamp.tokens import token_keys, tokens

Pairs = Sequence[tuple[str, str]]

# Few words, so that they repeat; some share long beginnings; and the characters that a faster reading could get wrong.
SHORT_WORDS = ("a", "b", "c", "d", "e", "A", "straße", "Café", "10,000", "x_y", "\x00", "\x01", "a\x00b")
UNICODE_WORDS = ("İstanbul", "\u212a", "\u212akm", "ΣΑΣ", "as\u03a3", "\ud800", "b\udfffc", "😀")
LONG_WORDS = ("ABCDEFGH", "abcdefghi", "abcdefghijkl", "abcdefghijklm", "abcdefghijklmn", "z" * 40)
WORDS = st.sampled_from([*SHORT_WORDS, *UNICODE_WORDS, *LONG_WORDS])
TEXTS = st.one_of(
    st.text(max_size=30),
    st.text(alphabet="ab \u212aİΣ\x00\n09", max_size=40),
    st.lists(WORDS, max_size=25).map(" ".join),
    st.lists(st.sampled_from("abcdefgh"), min_size=60, max_size=140).map(" ".join),
)
FEW_PAIRS = st.lists(st.tuples(TEXTS, TEXTS), max_size=12)


def by_rouge_score(pairs: Pairs) -> list[tuple[float, float]]:
    scorer = RougeScorer(["rouge1", "rougeL"])
    scores = [scorer.score(gold.strip(), prediction.strip()) for gold, prediction in pairs]
    return [(score["rouge1"].fmeasure, score["rougeL"].fmeasure) for score in scores]


def batch(pairs: Pairs, block: int = 1 << 20) -> list[tuple[float, float]]:
    """Vector arithmetic however few the pairs, checked against the choice made by their number."""
    golds, predictions = [gold for gold, _ in pairs], [prediction for _, prediction in pairs]
    chosen = np.transpose(rouge(golds, predictions)).tolist()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rouge_module, "_FEW", 0)
        patch.setattr(rouge_module, "_BLOCK_CHARACTERS", block)
        assert np.transpose(rouge(golds, predictions)).tolist() == chosen
        for price in ("_STEP", "_CELL"):
            patch.setattr(matching, price, 0.0)
        assert np.transpose(rouge(golds, predictions)).tolist() == chosen
    return [(rouge1, rougeL) for rouge1, rougeL in chosen]


def words(rng: np.random.Generator, n_tokens: int, vocabulary: int = 40) -> str:
    return " ".join(f"w{number}" for number in rng.integers(vocabulary, size=n_tokens))


@settings(deadline=None)
@given(FEW_PAIRS)
def test_single_pairs_equal_rouge_score(pairs: Pairs) -> None:
    assert [rouge_pair(*pair) for pair in pairs] == batch(pairs) == by_rouge_score(pairs)


@settings(max_examples=60, deadline=None)
@given(FEW_PAIRS.filter(bool), st.integers(0, 2**32 - 1))
def test_many_pairs_equal_rouge_score(pairs: Pairs, seed: int) -> None:
    # Crossing the sides gives lengths of all sorts in one batch.
    rng = np.random.default_rng(seed)
    texts = [text for pair in pairs for text in pair]
    many = [(texts[i], texts[j]) for i, j in rng.integers(len(texts), size=(100, 2))]
    assert batch(many) == by_rouge_score(many)


@pytest.mark.parametrize(
    ("n_gold", "n_predicted"),
    [
        (7, 9),
        (8, 8),
        (15, 17),
        (16, 16),
        (31, 33),
        (32, 32),
        (63, 64),
        (64, 64),
        (64, 65),
        (65, 65),
        (130, 12),
        (129, 140),
    ],
)
def test_lengths_around_the_width_of_integers(n_gold: int, n_predicted: int) -> None:
    rng = np.random.default_rng(n_gold)
    pairs = [(words(rng, n_gold), words(rng, n_predicted)) for _ in range(40)]
    assert batch(pairs) == [rouge_pair(*pair) for pair in pairs] == by_rouge_score(pairs)


def test_a_few_long_texts_among_many_short_ones() -> None:
    rng = np.random.default_rng(0)
    pairs = [(words(rng, int(rng.integers(12))), words(rng, int(rng.integers(12)))) for _ in range(300)]
    pairs[17] = (words(rng, 9), words(rng, 1000))
    pairs[200] = (words(rng, 300), words(rng, 200))
    assert batch(pairs) == by_rouge_score(pairs)


@pytest.mark.parametrize("block", [1, 300, 3000])
def test_blocks_make_no_difference(block: int) -> None:
    rng = np.random.default_rng(1)
    pairs = [(words(rng, int(rng.integers(20))), words(rng, int(rng.integers(20)))) for _ in range(200)]
    pairs[50] = (words(rng, 500), words(rng, 3))
    assert batch(pairs, block) == by_rouge_score(pairs)


def test_characters_with_an_ascii_letter_in_their_lower_case() -> None:
    # The batch names them; this rests on Unicode's tables, which grow with Python.
    beyond = map(chr, range(128, sys.maxunicode + 1))
    found = {char for char in beyond if any(letter < "\x80" for letter in char.lower())}
    assert found == {"\N{KELVIN SIGN}", "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}"}


def test_every_character_up_to_the_symbols_splits_as_in_rouge_score() -> None:
    texts = [f"a{chr(code)}b" for code in range(0x2400)]
    expected = [tokenize(text, None) for text in texts]
    assert [[token.decode() for token in tokens(text)] for text in texts] == expected
    keys, first, n_tokens = token_keys(texts)
    assert n_tokens.tolist() == [len(found) for found in expected]
    assert first.tolist() == (np.cumsum(n_tokens) - n_tokens).tolist()
    spelled = [token for found in expected for token in found]
    assert len(set(zip(keys.tolist(), spelled, strict=True))) == len(set(keys.tolist())) == len(set(spelled))


@settings(deadline=None)
@given(st.lists(st.text(alphabet="abz019", min_size=1, max_size=14), min_size=1, max_size=60))
def test_keys_are_equal_exactly_where_tokens_are(spelled: list[str]) -> None:
    keys = token_keys([" ".join(spelled)])[0].tolist()
    assert len(set(zip(keys, spelled, strict=True))) == len(set(keys)) == len(set(spelled))
    assert 0 not in keys


@settings(max_examples=60, deadline=None)
@given(FEW_PAIRS, st.randoms())
def test_bounds_perfect_scores_and_order(pairs: Pairs, random: object) -> None:
    scores = batch(pairs)
    assert all(0 <= rougeL <= rouge1 <= 1 for rouge1, rougeL in scores)
    for text in (text for pair in pairs for text in pair):
        assert rouge_pair(text, text) == ((1.0, 1.0) if tokens(text) else (0.0, 0.0))
    order = list(range(len(pairs)))
    random.shuffle(order)  # type: ignore[attr-defined]
    assert batch([pairs[row] for row in order]) == [scores[row] for row in order]


def test_no_pairs_and_unequal_lists() -> None:
    assert batch([]) == []
    with pytest.raises(HarnessError, match="2 golds but 1 predictions"):
        rouge(["a", "b"], ["a"])


def test_notes_count_texts_without_token(envelope: Callable[..., Envelope]) -> None:
    samples = generation_samples(
        envelope("LaMP_4", ["a b", "日本", "c", "d"]), envelope("LaMP_4", ["a b", "日本", " …", ""])
    )
    assert samples.columns["rouge-1"].tolist() == [1.0, 0.0, 0.0, 0.0]
    gold, prediction = samples.notes
    assert gold.startswith("1 gold is without a token")
    assert prediction.startswith("3 predictions are without a token")
    assert not generation_samples(envelope("LaMP_4", ["a"]), envelope("LaMP_4", ["b"])).notes


@pytest.mark.parametrize("output", [None, 5, ["a"], True, {"text": "a"}])
def test_outputs_that_are_no_strings(envelope: Callable[..., Envelope], output: object) -> None:
    whole, broken = envelope("LaMP_4", ["a", "secret"]), envelope("LaMP_4", ["a", output], where="preds p.zip")
    with pytest.raises(SubmissionError, match="preds p.zip: id '1': output is .*, not a string") as caught:
        generation_samples(whole, broken)
    assert "secret" not in str(caught.value)
    with pytest.raises(HarnessError, match="id '1'") as caught:
        generation_samples(broken, whole)
    assert type(caught.value) is HarnessError
