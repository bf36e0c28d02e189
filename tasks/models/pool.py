"""From one vector a token to one vector a text."""

from __future__ import annotations

from typing import Literal

import torch

Pooling = Literal["mean", "cls"]


def mean_pool(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The mean over the tokens that are not padding.

    Args:
        hidden: (batch, tokens, dim).
        mask: (batch, tokens), 1 for tokens and 0 for padding.

    Returns:
        (batch, dim) float32; zeros for a row that is all padding.
    """
    weight = mask.to(torch.float32).unsqueeze(-1)
    return (hidden.to(torch.float32) * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1.0)


def cls_pool(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The first token that is not padding ([CLS] in BERT), whichever side is padded.

    Args:
        hidden: (batch, tokens, dim).
        mask: (batch, tokens), 1 for tokens and 0 for padding.

    Returns:
        (batch, dim) float32.
    """
    first = mask.to(torch.int64).argmax(dim=1)
    return hidden[torch.arange(hidden.shape[0], device=hidden.device), first].to(torch.float32)


def pool(kind: Pooling, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """(batch, dim) float32 by the pooling of that name."""
    return mean_pool(hidden, mask) if kind == "mean" else cls_pool(hidden, mask)
