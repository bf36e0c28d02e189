"""The simulator's views of sentences with MiniLM's real weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tasks.opl.config import SimulatorConfig
from tasks.opl.text import encode_first_token, encode_views
from tests.tasks.opl.made_pipeline import context_of

TEXTS = ["A science fiction film about a war between two planets.", "A gentle comedy of two people who fall in love."]


@pytest.mark.weights
def test_a_corrupted_sentence_stays_nearer_to_itself_than_to_another(minilm_dir: Path, tmp_path: Path) -> None:
    views = encode_views(minilm_dir, TEXTS, SimulatorConfig(n_views=6), context_of(tmp_path))
    assert views.shape == (6, 2, 384)
    assert torch.allclose(views[0], encode_first_token(minilm_dir, TEXTS, 20, context_of(tmp_path)), atol=1e-4)
    near = torch.nn.functional.cosine_similarity(views[1:], views[:1], dim=2)
    far = torch.nn.functional.cosine_similarity(views[1:], views[:1].flip(1), dim=2)
    assert not torch.equal(views[1], views[0])
    assert (near.mean() > far.mean() + 0.1).item()
