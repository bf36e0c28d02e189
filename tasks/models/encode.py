"""Texts to vectors: every distinct text once, in batches of like length, over any encoder or causal language model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from tasks.models.errors import ModelError
from tasks.models.load import DType, load_encoder, load_tokenizer
from tasks.models.pool import Pooling, pool

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_WINDOW = 8192  # texts whose token ids are held at once
_CPU_TOKENS, _CUDA_TOKENS = 1024, 65_536


@dataclass(frozen=True)
class TextEncoder:
    """A model, its tokenizer and how to make one vector of a text's hidden states.

    The representation is the last hidden layer (for a causal language model after its final norm, which is
    `hidden_states[-1]`), pooled without the padding. So neither the order nor the batches of the texts matter, beyond
    float rounding.

    Attributes:
        model: any transformers model whose output has `last_hidden_state`, in evaluation mode.
        tokenizer: its tokenizer, with a padding token.
        pooling: `mean` over the tokens, or `cls`: the first token.
        max_length: tokens after which a text is cut, special tokens included.
        batch_size: texts a batch; by default as many as fill a fixed number of tokens.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    pooling: Pooling = "mean"
    max_length: int = 256
    batch_size: int | None = None

    @property
    def dim(self) -> int:
        """Dimensions of a vector."""
        return int(self.model.config.hidden_size)

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] = lambda n: None) -> npt.NDArray[np.float32]:
        """One vector a text.

        Args:
            texts: any number; equal texts are encoded once.
            progress: called with the number of texts finished since the last call.

        Returns:
            (n_texts, dim) float32, in the order of `texts`.

        Raises:
            ModelError: a text gives no tokens (an empty string under a tokenizer without special tokens).
        """
        places: dict[str, int] = {}
        rows = np.fromiter((places.setdefault(text, len(places)) for text in texts), dtype=np.int64, count=len(texts))
        copies = np.bincount(rows, minlength=len(places))
        distinct = list(places)
        vectors = np.empty((len(distinct), self.dim), dtype=np.float32)
        with torch.inference_mode():
            for at, ids in self._batches(distinct):
                vectors[at] = self._encode_batch(ids)
                progress(int(copies[at].sum()))
        return vectors if len(distinct) == len(texts) else vectors[rows]

    def _batches(self, texts: list[str]) -> Iterator[tuple[npt.NDArray[np.int64], list[list[int]]]]:
        """Yields the places and token ids of texts of like length, longest first within a window of texts."""
        for start in range(0, len(texts), _WINDOW):
            window = texts[start : start + _WINDOW]
            ids: list[list[int]] = self.tokenizer(
                window, truncation=True, max_length=self.max_length, return_attention_mask=False
            )["input_ids"]
            lengths = np.array([len(row) for row in ids])
            if (lengths == 0).any():
                text = int(lengths.argmin())
                raise ModelError(f"text {start + text} ({window[text]!r}) has no tokens; leave empty texts out")
            order = np.argsort(-lengths, kind="stable")
            while order.size:
                take = order[: self._fit(int(lengths[order[0]]))]
                order = order[take.size :]
                yield start + take, [ids[i] for i in take]

    def _fit(self, longest: int) -> int:
        """How many texts of that length make a batch."""
        if self.batch_size is not None:
            return self.batch_size
        tokens = _CUDA_TOKENS if self.model.device.type == "cuda" else _CPU_TOKENS
        return max(1, tokens // longest)

    def _encode_batch(self, ids: list[list[int]]) -> npt.NDArray[np.float32]:
        """(batch, dim) of the rows of ids, padded on the right."""
        longest = len(ids[0])
        tokens = torch.full((len(ids), longest), int(self.tokenizer.pad_token_id or 0))
        mask = torch.zeros((len(ids), longest), dtype=torch.int64)
        for i, row in enumerate(ids):
            tokens[i, : len(row)] = torch.tensor(row)
            mask[i, : len(row)] = 1
        tokens, mask = tokens.to(self.model.device), mask.to(self.model.device)
        hidden = self.model(input_ids=tokens, attention_mask=mask).last_hidden_state
        pooled: npt.NDArray[np.float32] = pool(self.pooling, hidden, mask).cpu().numpy()
        return pooled


def load_text_encoder(
    directory: Path,
    *,
    pooling: Pooling = "mean",
    max_length: int = 256,
    batch_size: int | None = None,
    device: str = "cpu",
    dtype: DType = "float32",
) -> TextEncoder:
    """The encoder in a local model directory: BERT, DistilBERT, or the body of a causal language model.

    Raises:
        ModelError: see `tasks.models.load`; or `max_length` is longer than the model reads.
    """
    model = load_encoder(directory, device=device, dtype=dtype)
    limit = getattr(model.config, "max_position_embeddings", None)
    if not 1 <= max_length <= (limit or max_length):
        raise ModelError(f"max_length {max_length} is not within the 1 to {limit} tokens that {directory.name} reads")
    return TextEncoder(model, load_tokenizer(directory), pooling, max_length, batch_size)
