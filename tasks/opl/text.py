"""The simulator's frozen encoder: first-token states of sentences as they are, and of corrupted views of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from store.seeds import stream
from tasks.api import Context
from tasks.models.distilbert import distilbert_from_bert
from tasks.models.encode import TextEncoder
from tasks.models.load import check_model_dir, load_encoder, load_tokenizer
from tasks.opl.config import SimulatorConfig
from tasks.opl.token_views import corrupted_views, first_token_states, ordinary_ids, tokenize
from tasks.training.device import prepare_torch

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_BATCH = 128


def load_frozen_encoder(directory: Path, device: torch.device) -> PreTrainedModel:
    """The reference's DistilBERT: made out of a BERT when the directory holds one, otherwise loaded as it is."""
    is_bert = check_model_dir(directory).get("model_type") == "bert"
    model = distilbert_from_bert(directory) if is_bert else load_encoder(directory)
    return model.to(device).eval().requires_grad_(False)


def encode_views(directory: Path, texts: Sequence[str], config: SimulatorConfig, ctx: Context) -> Tensor:
    """First-token states `(n_views, n_texts, state_size)` of the texts: clean in view 0, corrupted in the others."""
    device = prepare_torch(ctx.runtime)
    tokenizer = load_tokenizer(directory)
    tokens = tokenize(tokenizer, texts, config.max_length)
    views = tokens.ids[None]
    if config.n_views > 1:
        replacements, mask_id = ordinary_ids(tokenizer)
        shares = (config.random_token, config.mask_token)
        views = corrupted_views(
            tokens, config.n_views, *shares, replacements, mask_id, stream(config.seed, "simulator/views")
        )
    n_views, n_texts, length = views.shape
    ids, attended = views.reshape(-1, length), tokens.attended[None].repeat(n_views, axis=0).reshape(-1, length)
    model = load_frozen_encoder(directory, device)
    with ctx.progress("views of sentences", len(ids)) as advance:
        states = first_token_states(model, ids, attended, ctx.runtime.batch_size or _BATCH, device, advance)
    return states.reshape(n_views, n_texts, -1)


def encode_first_token(directory: Path, texts: Sequence[str], max_length: int, ctx: Context) -> Tensor:
    """First-token states `(n_texts, state_size)` of the texts as they are, float32 on the CPU."""
    model = load_frozen_encoder(directory, prepare_torch(ctx.runtime))
    encoder = TextEncoder(model, load_tokenizer(directory), "cls", max_length, ctx.runtime.batch_size)
    with ctx.progress("sentences", len(texts)) as advance:
        return torch.from_numpy(encoder.encode(texts, advance))
