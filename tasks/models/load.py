"""Loads tokenizers and models from a local directory: safetensors only, no code from the directory, no network.

A pickled checkpoint can run code when it is read, `weights_only=True` has been got round twice; so there is no way here
to load one, and no fallback.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch
from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging as transformers_logging

from tasks.models.errors import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

DType = Literal["float32", "bfloat16", "float16"]

transformers_logging.disable_progress_bar()


def torch_dtype(name: str) -> torch.dtype:
    """The torch dtype of that name.

    Raises:
        ModelError: it is none of float32, bfloat16, float16.
    """
    known = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
    if name not in known:
        raise ModelError(f"dtype {name!r} is not known; use {', '.join(known)}")
    return known[name]


def check_model_dir(directory: Path) -> dict[str, object]:
    """The model's `config.json`.

    Raises:
        ModelError: no directory, no configuration, no safetensors weights, or a model that brings its own code.
    """
    config_file = directory / "config.json"
    if not config_file.is_file():
        raise ModelError(f"{directory} is no model directory: it has no config.json")
    if not any(directory.glob("*.safetensors")):
        raise ModelError(f"{directory} has no *.safetensors weights; pickled checkpoints are not loaded, convert them")
    try:
        config = json.loads(config_file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"{config_file} is not JSON ({error})") from None
    if not isinstance(config, dict):
        raise ModelError(f"{config_file} is not a JSON object")
    if "auto_map" in config:
        raise ModelError(f"{config_file} asks to run the model's own code (auto_map); such models are not loaded")
    return config


def load_tokenizer(directory: Path) -> PreTrainedTokenizerBase:
    """The tokenizer beside a model; a missing padding token becomes the end-of-text token (masks make it harmless)."""
    check_model_dir(directory)
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
        directory, local_files_only=True, trust_remote_code=False
    )
    if tokenizer.pad_token is None:
        if tokenizer.eos_token is None:
            raise ModelError(f"the tokenizer in {directory} has neither a padding nor an end-of-text token")
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_encoder(directory: Path, *, device: str = "cpu", dtype: DType = "float32") -> PreTrainedModel:
    """The model without a head, for hidden states: BERT, DistilBERT, LLaMA, …; in evaluation mode.

    Raises:
        ModelError: see `check_model_dir`; or weights are missing from the checkpoint.
    """
    return _load(AutoModel, directory, device, dtype)


def load_causal_lm(directory: Path, *, device: str = "cpu", dtype: DType = "float32") -> PreTrainedModel:
    """A causal language model, in evaluation mode.

    Raises:
        ModelError: see `check_model_dir`; or weights are missing from the checkpoint.
    """
    return _load(AutoModelForCausalLM, directory, device, dtype)


def _load(
    factory: type[AutoModel] | type[AutoModelForCausalLM], directory: Path, device: str, dtype: str
) -> PreTrainedModel:
    check_model_dir(directory)
    model, info = factory.from_pretrained(
        directory,
        dtype=torch_dtype(dtype),
        local_files_only=True,
        use_safetensors=True,
        trust_remote_code=False,
        output_loading_info=True,
    )
    if missing := sorted(info["missing_keys"]):  # transformers would fill them with random numbers
        raise ModelError(
            f"{directory} lacks {len(missing)} of the weights of {type(model).__name__}, as in {missing[0]}"
        )
    loaded: PreTrainedModel = model.to(device).eval()
    return loaded
