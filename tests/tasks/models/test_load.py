from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from tasks.models.errors import ModelError
from tasks.models.load import load_causal_lm, load_encoder, load_tokenizer, torch_dtype


@pytest.fixture
def copy(tiny_bert: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_bert, tmp_path / "model"))


def test_loads_for_inference(tiny_bert: Path, tiny_llama: Path) -> None:
    model = load_encoder(tiny_bert, dtype="bfloat16")
    assert not model.training
    assert model.dtype == torch.bfloat16
    assert type(load_causal_lm(tiny_llama)).__name__ == "LlamaForCausalLM"
    assert type(load_encoder(tiny_llama)).__name__ == "LlamaModel"


def test_padding_token_is_found_for_a_causal_model(tiny_llama: Path) -> None:
    assert load_tokenizer(tiny_llama).pad_token == "<eos>"


def test_pickled_weights_are_never_read(copy: Path) -> None:
    (copy / "model.safetensors").unlink()
    torch.save({}, copy / "pytorch_model.bin")
    with pytest.raises(ModelError, match="pickled checkpoints are not loaded"):
        load_encoder(copy)


def test_own_code_is_never_run(copy: Path) -> None:
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"auto_map": {"AutoModel": "evil.Evil"}}))
    (copy / "evil.py").write_text("raise SystemExit('ran')")
    with pytest.raises(ModelError, match="own code"):
        load_encoder(copy)
    with pytest.raises(ModelError, match="own code"):
        load_tokenizer(copy)


def test_missing_weights_are_not_filled_with_random_ones(copy: Path) -> None:
    from safetensors.torch import load_file, save_file

    state = load_file(copy / "model.safetensors")
    del state["encoder.layer.1.output.dense.weight"]
    save_file(state, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"lacks 1 of the weights .*encoder.layer.1.output.dense.weight"):
        load_encoder(copy)


def test_no_model_directory(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no config\.json"):
        load_encoder(tmp_path / "absent")
    (tmp_path / "config.json").write_text("{")
    (tmp_path / "a.safetensors").touch()
    with pytest.raises(ModelError, match="is not JSON"):
        load_encoder(tmp_path)


def test_unknown_dtype() -> None:
    with pytest.raises(ModelError, match="float8"):
        torch_dtype("float8")
