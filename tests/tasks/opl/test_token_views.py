from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from transformers import AutoTokenizer

from tasks.models.distilbert import distilbert_from_bert
from tasks.opl.token_views import Tokens, corrupted_views, first_token_states, ordinary_ids, tokenize
from tests.tasks.opl.made_pipeline import tiny_encoder

MASK, ORDINARY = 4, np.arange(5, 30)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("encoder"))


@settings(max_examples=50)
@given(
    ids=arrays(np.int64, (4, 6), elements=st.integers(0, 29)),
    content=arrays(np.bool_, (4, 6)),
    n_views=st.integers(1, 4),
    shares=st.tuples(st.floats(0, 0.5), st.floats(0, 0.5)),
)
def test_padding_and_special_tokens_are_never_touched(
    ids: np.ndarray, content: np.ndarray, n_views: int, shares: tuple[float, float]
) -> None:
    views = corrupted_views(Tokens(ids, content, content), n_views, *shares, ORDINARY, MASK, np.random.default_rng(0))
    assert views.shape == (n_views, 4, 6)
    assert np.array_equal(views[0], ids)
    kept = np.broadcast_to(~content, views.shape)
    assert np.array_equal(views[kept], np.broadcast_to(ids, views.shape)[kept])
    changed = views[views != ids]
    assert np.isin(changed, [MASK, *ORDINARY]).all()


def test_the_shares_of_kept_random_and_masked_tokens() -> None:
    tokens = Tokens(np.full((200, 50), 7), np.ones((200, 50), bool), np.ones((200, 50), bool))
    views = corrupted_views(tokens, 11, 0.1, 0.1, np.arange(100, 200), MASK, np.random.default_rng(0))[1:]
    n = views.size
    for share, expected in (((views == MASK).mean(), 0.1), ((views >= 100).mean(), 0.1), ((views == 7).mean(), 0.8)):
        assert abs(share - expected) < 4 * (0.8 * 0.2 / n) ** 0.5


def test_content_is_what_lies_between_the_special_tokens(encoder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    tokens = tokenize(tokenizer, ["a film of war", "war", "a film about the city of war and love"], max_length=7)
    assert tokens.ids.shape == (3, 7)
    assert tokens.attended.sum(axis=1).tolist() == [6, 3, 7]
    assert tokens.content.sum(axis=1).tolist() == [4, 1, 5]
    special = np.asarray(tokenizer.all_special_ids)
    assert np.isin(tokens.ids[~tokens.content], special).all()
    ordinary, mask_id = ordinary_ids(tokenizer)
    assert mask_id == tokenizer.mask_token_id
    assert not np.isin(special, ordinary).any()


def test_states_are_the_models_first_token_whatever_the_batches(encoder: Path) -> None:
    model, tokenizer = distilbert_from_bert(encoder), AutoTokenizer.from_pretrained(encoder)
    tokens = tokenize(tokenizer, ["a film of war", "war", "a film about the city of war", "war"], max_length=20)
    done: list[int] = []
    states = first_token_states(model, tokens.ids, tokens.attended, 2, torch.device("cpu"), done.append)
    with torch.inference_mode():
        for row in range(4):
            ids = torch.from_numpy(tokens.ids[row][tokens.attended[row]])[None]
            assert torch.allclose(model(input_ids=ids).last_hidden_state[0, 0], states[row], atol=1e-5)
    assert torch.equal(states[1], states[3])
    assert sum(done) == 4
