"""Texts from weights on this machine's processor or GPU, in batches, equal to decoding each prompt alone."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from store.seeds import stream
from tasks.generate.base import Generation, GenerationError, Identity, Prompt, Sampling, Usage, cut_at_stop, plain
from tasks.generate.batches import plan
from tasks.generate.decoding import BatchDecoder, Rules, Stop
from tasks.models.load import load_causal_lm, load_tokenizer

ENGINE = "transformers/1"
"""Goes up whenever our decoding would give another text."""

_LARGEST_BATCH = {"cpu": 128, "cuda": 512}
_CPU_CACHE_BYTES = 2 * 2**30
_LAYERS = {"full_attention", "sliding_attention"}

DType = Literal["float32", "bfloat16"]


def load(directory: Path, dtype: DType, device: str) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A causal language model and its tokenizer from a directory of safetensors.

    Raises:
        ModelError: the directory holds no such model.
        GenerationError: the model is one that this decoder does not know.
    """
    model = load_causal_lm(directory, device=device, dtype=dtype)
    layers = set(getattr(model.config.get_text_config(), "layer_types", None) or ())
    if not layers <= _LAYERS or getattr(model, "_is_stateful", False):
        raise GenerationError(
            f"{directory}: a {model.config.model_type} keeps more than keys and values, which backend transformers "
            "does not decode; serve it with vLLM or SGLang and use backend openai"
        )
    return model.eval(), load_tokenizer(directory)


def use_threads(n: int) -> None:
    """Lets torch use `n` threads of the processor."""
    torch.set_num_threads(n)


def native_bfloat16(device: str) -> bool:
    """Whether the device multiplies bfloat16 itself; where it does not, bfloat16 is slower than float32."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return any(bool(capabilities.get(name)) for name in ("avx512_bf16", "amx_bf16", "arm_bf16", "bf16"))


@dataclass
class TransformersGenerator:
    """Decodes with one model in this process.

    Attributes:
        model: a causal language model, on its device.
        tokenizer: its tokenizer; chats go through its chat template when it has one.
        digest: content digest of the weights, for the cache key.
        batch_size: prompts at a time; chosen by device, model and length when None.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    digest: str
    batch_size: int | None = None
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("lampworks.generate"))

    def __post_init__(self) -> None:
        ends = {self.tokenizer.eos_token_id, *_as_tuple(self.model.generation_config.eos_token_id)} - {None}
        if not ends:
            raise GenerationError("the model names no end token, in neither its generation config nor its tokenizer")
        pad = self.tokenizer.pad_token_id
        exact = self.model.dtype == torch.float32
        self.decoder = BatchDecoder(self.model, frozenset(ends), min(ends) if pad is None else pad, resolve_ties=exact)

    @property
    def identity(self) -> Identity:
        """Content of the weights, our decoder's version, and the number format."""
        return Identity(self.digest, "", ENGINE, str(self.model.dtype).removeprefix("torch."))

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> Iterator[Generation]:
        """See `TextGenerator`.

        Raises:
            GenerationError: a prompt is too long for the model, or one prompt alone does not fit the memory.
        """
        tokens = self.tokenize(prompts)
        self._check_lengths(tokens, sampling.max_new_tokens)
        size = self.batch_size or self._rows_that_fit(max(map(len, tokens), default=1) + sampling.max_new_tokens)
        waiting = plan(tokens, size)[::-1]
        while waiting:
            batch = waiting.pop()
            left = set(batch)
            for at, new in self._decode(batch, tokens, sampling):
                left.remove(at)
                text = cut_at_stop(self.tokenizer.decode(new, skip_special_tokens=True), sampling.stop)
                yield Generation(at, text, Usage(len(tokens[at]), len(new)))
            if left:
                waiting.extend(self._halves(batch, left))

    def tokenize(self, prompts: Sequence[Prompt]) -> list[list[int]]:
        """Token ids of every prompt; a chat ends where the model's answer begins."""
        tokens: list[list[int]] = []
        for prompt in prompts:
            if isinstance(prompt, str) or self.tokenizer.chat_template is None:
                tokens.append(list(self.tokenizer(plain(prompt)).input_ids))
            else:
                chat = [asdict(message) for message in prompt]
                ids = self.tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=False)
                tokens.append(list(ids))
        return tokens

    def _check_lengths(self, tokens: Sequence[Sequence[int]], max_new_tokens: int) -> None:
        limit = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)
        for at, row in enumerate(tokens):
            if not row:
                raise GenerationError(f"prompt {at} is empty: it has no token to begin from")
            if limit is not None and len(row) + max_new_tokens > limit:
                raise GenerationError(
                    f"prompt {at} has {len(row)} tokens; with max_new_tokens {max_new_tokens} that is over "
                    f"the model's {limit}; shorten the prompt or lower max_new_tokens"
                )

    def _rows_that_fit(self, length: int) -> int:
        """Rows of `length` positions whose keys and values fit a fixed share of the memory."""
        config = self.model.config.get_text_config()
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        row = 2 * config.num_hidden_layers * heads * head_dim * self.model.dtype.itemsize * length
        device = self.model.device
        free = torch.cuda.mem_get_info(device)[0] // 4 if device.type == "cuda" else _CPU_CACHE_BYTES
        return int(max(1, min(_LARGEST_BATCH.get(device.type, 64), free // row)))

    def _decode(
        self, batch: Sequence[int], tokens: Sequence[list[int]], sampling: Sampling
    ) -> Iterator[tuple[int, list[int]]]:
        """Yields (place, new tokens) until the batch is done or the GPU's memory is."""
        prompts = [tokens[at] for at in batch]
        choose = _Draw(prompts, sampling) if sampling.temperature > 0 else None
        stop = self._stop(sampling) if sampling.stop else None
        rules = Rules(sampling.max_new_tokens, sampling.frequency_penalty, choose, stop)
        try:
            for row, new in self.decoder.decode(prompts, rules):
                yield batch[row], new
        except torch.OutOfMemoryError:
            if len(batch) == 1:
                raise GenerationError(
                    f"one prompt of {len(prompts[0])} tokens alone does not fit the GPU's memory; "
                    "use dtype bfloat16, a smaller model, or a server with backend openai"
                ) from None

    def _halves(self, batch: Sequence[int], left: set[int]) -> list[list[int]]:
        """What an exhausted memory left of a batch, in parts half its size."""
        torch.cuda.empty_cache()
        size = max(1, len(batch) // 2)
        self.batch_size = size
        self.log.warning("out of memory with %d prompts at a time; going on with %d", len(batch), size)
        rest = [at for at in batch if at in left]
        return [rest[start : start + size] for start in range(0, len(rest), size)]

    def _stop(self, sampling: Sampling) -> Stop:
        def stopped(tokens: Sequence[int]) -> bool:
            text = self.tokenizer.decode(tokens, skip_special_tokens=True)
            return any(word in text for word in sampling.stop)

        return stopped


class _Draw:
    """Draws tokens; every prompt has a random stream of its own, so that its text does not depend on its batch."""

    def __init__(self, prompts: Sequence[Sequence[int]], sampling: Sampling) -> None:
        self._sampling = sampling
        names = [hashlib.sha256(np.asarray(prompt, dtype=np.int64).tobytes()).hexdigest() for prompt in prompts]
        self._streams = [stream(sampling.seed, f"sampling/{name}") for name in names]

    def __call__(self, rows: Sequence[int], logits: torch.Tensor) -> list[int]:
        ranked, tokens = torch.softmax(logits / self._sampling.temperature, dim=1).sort(
            dim=1, descending=True, stable=True
        )
        total = ranked.double().cumsum(dim=1)
        nucleus = (total - ranked < self._sampling.top_p).sum(
            dim=1, keepdim=True
        )  # tokens whose forerunners fall short
        draws = torch.tensor([[self._streams[row].random()] for row in rows], dtype=torch.float64, device=logits.device)
        places = torch.searchsorted(total, draws * total.gather(1, nucleus - 1)).clamp(max=nucleus - 1)
        chosen: list[int] = tokens.gather(1, places).flatten().tolist()
        return chosen


def _as_tuple(value: int | Sequence[int] | None) -> tuple[int, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, int) else tuple(value)
