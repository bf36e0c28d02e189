"""Token ids of sentences and corrupted views of them, encoded once so that training never runs the encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tasks.api import Progress, TaskError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Ids = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Tokens:
    """Padded token ids.

    Attributes:
        ids: `(n_texts, length)`, padding on the right.
        attended: True on everything but padding `(n_texts, length)`.
        content: True on what is neither padding nor a special token `(n_texts, length)`.
    """

    ids: Ids
    attended: Mask
    content: Mask


def tokenize(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], max_length: int) -> Tokens:
    """Token ids of the texts, cut to `max_length`, special tokens included."""
    found = tokenizer(
        list(texts),
        truncation=True,
        max_length=max_length,
        padding=True,
        return_special_tokens_mask=True,
        return_tensors="np",
    )
    attended = np.asarray(found["attention_mask"], dtype=bool)
    special = np.asarray(found["special_tokens_mask"], dtype=bool)
    return Tokens(np.asarray(found["input_ids"], dtype=np.int64), attended, attended & ~special)


def corrupted_views(
    tokens: Tokens,
    n_views: int,
    random_share: float,
    mask_share: float,
    replacements: Ids,
    mask_id: int,
    rng: np.random.Generator,
) -> Ids:
    """Views of the texts `(n_views, n_texts, length)`: the first clean, in the others each content token is independently
    kept, replaced by one drawn uniformly from `replacements` (probability `random_share`) or by the mask token
    (`mask_share`). Padding and special tokens are never touched.
    """
    views = np.repeat(tokens.ids[None], n_views, axis=0)
    shape = (n_views - 1, *tokens.ids.shape)
    draw = rng.random(shape)
    replaced = rng.choice(replacements, size=shape)
    corrupted = np.where(draw < random_share, replaced, views[1:])
    corrupted = np.where((draw >= random_share) & (draw < random_share + mask_share), mask_id, corrupted)
    views[1:] = np.where(tokens.content, corrupted, views[1:])
    return views


def ordinary_ids(tokenizer: PreTrainedTokenizerBase) -> tuple[Ids, int]:
    """The vocabulary without special tokens `(n,)`, and the id of the mask token.

    Raises:
        TaskError: the tokenizer has no mask token.
    """
    mask_id = tokenizer.mask_token_id
    if not isinstance(mask_id, int):
        raise TaskError(
            "encoder: its tokenizer has no mask token, which the corrupted views need; take a BERT-like one or mask_token: 0"
        )
    return np.setdiff1d(np.arange(len(tokenizer)), np.asarray(tokenizer.all_special_ids)), mask_id


def first_token_states(
    model: nn.Module, ids: Ids, attended: Mask, batch_size: int, device: torch.device, advance: Progress | None = None
) -> Tensor:
    """Last hidden state of the first token of each text, `(n_texts, hidden)` float32 on the CPU.

    Texts are read in the order of their lengths, so that short ones are not padded to long ones; equal rows are read once.
    """
    keys = np.where(attended, ids, -1)
    unique, inverse, copies = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    lengths = (unique >= 0).sum(axis=1)
    order = np.argsort(lengths, kind="stable")
    states: Tensor | None = None
    with torch.inference_mode():
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            cut = unique[rows, : lengths[rows].max()]
            mask = torch.from_numpy((cut >= 0).astype(np.int64)).to(device)
            output = model(input_ids=torch.from_numpy(np.maximum(cut, 0)).to(device), attention_mask=mask)
            first: Tensor = output.last_hidden_state[:, 0].float().cpu()
            states = torch.empty(len(unique), first.shape[1]) if states is None else states
            states[torch.from_numpy(rows)] = first
            if advance is not None:
                advance(int(copies[rows].sum()))
    assert states is not None, "there is at least one text: tables with no rows are refused"
    return states[torch.from_numpy(inverse.reshape(-1))].clone()
