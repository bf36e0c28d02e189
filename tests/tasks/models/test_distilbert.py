from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from tasks.models.distilbert import distilbert_from_bert
from tasks.models.errors import ModelError
from tasks.models.load import load_encoder, load_tokenizer

TEXTS = ["toy story", "the old king and the new queen of the night love a movie of space war"]


def difference(directory: Path) -> float:
    """The largest difference of a hidden state over a padded batch of two."""
    batch = load_tokenizer(directory)(TEXTS, padding=True, return_tensors="pt")
    ids, mask = batch["input_ids"], batch["attention_mask"]
    with torch.inference_mode():
        bert = load_encoder(directory)(input_ids=ids, attention_mask=mask).last_hidden_state
        distil = distilbert_from_bert(directory)(input_ids=ids, attention_mask=mask).last_hidden_state
    return float(((bert - distil) * mask.unsqueeze(-1)).abs().max())


def test_hidden_states_equal_those_of_the_bert(tiny_bert: Path) -> None:
    assert difference(tiny_bert) < 1e-5


def test_model_is_ready_for_inference_and_can_be_saved(tiny_bert: Path, tmp_path: Path) -> None:
    model = distilbert_from_bert(tiny_bert)
    assert not model.training
    model.save_pretrained(tmp_path)
    assert type(load_encoder(tmp_path)).__name__ == "DistilBertModel"


def test_other_models_are_refused(tiny_llama: Path, tiny_bert: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds a llama model"):
        distilbert_from_bert(tiny_llama)
    copy = Path(shutil.copytree(tiny_bert, tmp_path / "model"))
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"layer_norm_eps": 1e-5}))
    with pytest.raises(ModelError, match="layer_norm_eps 1e-05"):
        distilbert_from_bert(copy)


@pytest.mark.weights
def test_hidden_states_equal_those_of_minilm(minilm_dir: Path) -> None:
    assert difference(minilm_dir) < 1e-5
