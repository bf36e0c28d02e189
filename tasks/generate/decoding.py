"""Decoding of one batch, prompt by prompt equal to decoding each alone.

What it does beside `generate` of transformers, and why it is faster:

- the tokens that all prompts of a batch begin with (instruction, system prompt) are read once, not once a row;
- keys and values go into one buffer made beforehand, so a step copies nothing;
- a row that has ended leaves the batch;
- only the last position is multiplied with the vocabulary.

Left padding stands between the shared beginning and a row's own tokens. Sums in floating point depend on the shape of
the batch, by about 1e-5 in float32; where the two best tokens are nearer than `TIE_MARGIN`, the row is therefore read
once more alone and unpadded. So a text in float32 does not depend on the batch it was made in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import torch
from transformers import Cache, PreTrainedModel

from tasks.generate.batches import shared_prefix
from tasks.generate.kv_buffer import BufferedLayer

TIE_MARGIN = 1e-3


class Chooser(Protocol):
    """Chooses the next token of some rows."""

    def __call__(self, rows: Sequence[int], logits: torch.Tensor) -> list[int]:
        """`logits` (len(rows), vocabulary) -> one token a row; `rows` are positions in the batch as it was given."""
        ...


class Stop(Protocol):
    """Says whether a row is complete though no end token came."""

    def __call__(self, tokens: Sequence[int]) -> bool:
        """`tokens` are the new ones."""
        ...


@dataclass(frozen=True)
class Rules:
    """How the rows of a batch are continued.

    Attributes:
        max_new_tokens: tokens of a row at most.
        frequency_penalty: subtracted from a token's logit for each time the row has it already.
        choose: takes the next tokens; the likeliest ones when None (greedy).
        stop: ends rows early.
    """

    max_new_tokens: int
    frequency_penalty: float = 0.0
    choose: Chooser | None = None
    stop: Stop | None = None


class Finished(NamedTuple):
    """A complete row: its place in the batch, and its new tokens without the end token."""

    row: int
    tokens: list[int]


@dataclass
class BatchDecoder:
    """Decodes batches of token lists with one model.

    Attributes:
        model: a causal language model whose layers all keep full keys and values.
        end_tokens: tokens that end a text.
        pad_token: any valid token; masked.
        resolve_ties: read near ties again alone (see the module); for float32 and greedy choice.
        tokens_per_read: prompt tokens in one call of the model, which bounds the memory of reading.
        n_resolved: near ties so far.
    """

    model: PreTrainedModel
    end_tokens: frozenset[int]
    pad_token: int
    resolve_ties: bool = True
    tokens_per_read: int = 4096
    n_resolved: int = field(default=0, init=False)

    @torch.inference_mode()
    def decode(self, prompts: Sequence[Sequence[int]], rules: Rules) -> Iterator[Finished]:
        """Yields every row as soon as it is complete."""
        alive = list(range(len(prompts)))
        new: list[list[int]] = [[] for _ in prompts]
        cache, mask, logits = self._read(prompts, rules.max_new_tokens)
        while True:
            for at, row in enumerate(alive):
                penalise(logits[at], new[row], rules.frequency_penalty)
            for row, token in zip(alive, self._choose(alive, logits, prompts, new, rules), strict=True):
                new[row].append(token)
            ended = {row for row in alive if self._ended(new[row], rules)}
            for row in sorted(ended):
                yield Finished(row, new[row][:-1] if new[row][-1] in self.end_tokens else new[row])
            kept = [at for at, row in enumerate(alive) if row not in ended]
            if not kept:
                return
            if ended:
                alive = [alive[at] for at in kept]
                mask = _keep(cache, mask, kept)
            logits, mask = self._step([new[row][-1] for row in alive], cache, mask)

    def _ended(self, tokens: list[int], rules: Rules) -> bool:
        full = tokens[-1] in self.end_tokens or len(tokens) >= rules.max_new_tokens
        return full or (rules.stop is not None and rules.stop(tokens))

    def _read(self, prompts: Sequence[Sequence[int]], max_new_tokens: int) -> tuple[Cache, torch.Tensor, torch.Tensor]:
        """Reads the prompts: the cache, the mask (n_rows, n_positions), and the last logits (n_rows, vocabulary)."""
        device = self.model.device
        n_shared = shared_prefix(prompts) if self._may_share(prompts) else 0
        width = max(map(len, prompts)) - n_shared
        n_layers = self.model.config.get_text_config().num_hidden_layers
        layers = [BufferedLayer(len(prompts), n_shared + width + max_new_tokens) for _ in range(n_layers)]
        cache = Cache(layers=layers)
        if n_shared:
            _focus(layers, slice(0, 1), 0)
            ids = torch.tensor([list(prompts[0][:n_shared])], device=device)
            self.model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
            for layer in layers:
                layer.share(n_shared)
        own = [list(prompt[n_shared:]) for prompt in prompts]
        ids = torch.tensor([[self.pad_token] * (width - len(row)) + row for row in own], device=device)
        mask = torch.tensor([[1] * n_shared + [0] * (width - len(row)) + [1] * len(row) for row in own], device=device)
        positions = (mask.cumsum(1) - 1).clamp(min=0)[:, n_shared:]
        n_rows = max(1, self.tokens_per_read // width)
        parts = []
        for start in range(0, len(prompts), n_rows):
            rows = slice(start, min(start + n_rows, len(prompts)))
            _focus(layers, rows, n_shared)
            parts.append(self._logits(ids[rows], mask[rows], positions[rows], cache))
        _focus(layers, slice(0, len(prompts)), n_shared + width)
        return cache, mask, torch.cat(parts)

    def _may_share(self, prompts: Sequence[Sequence[int]]) -> bool:
        """A sliding window is counted in places, so no padding may stand inside a row: it stands before it, unshared."""
        sliding = getattr(self.model.config.get_text_config(), "sliding_window", None) is not None
        return not sliding or len(set(map(len, prompts))) == 1

    def _logits(self, ids: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor, cache: Cache) -> torch.Tensor:
        out = self.model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits: torch.Tensor = out.logits[:, -1].float()
        return logits

    def _step(self, tokens: list[int], cache: Cache, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mask = torch.cat([mask, mask.new_ones((len(tokens), 1))], dim=1)
        ids = torch.tensor(tokens, device=mask.device)[:, None]
        positions = mask.sum(1, keepdim=True) - 1
        return self._logits(ids, mask, positions, cache), mask

    def _choose(
        self,
        rows: Sequence[int],
        logits: torch.Tensor,
        prompts: Sequence[Sequence[int]],
        new: Sequence[Sequence[int]],
        rules: Rules,
    ) -> list[int]:
        """One token for each of the rows, whose logits are (len(rows), vocabulary)."""
        if rules.choose is not None:
            return rules.choose(rows, logits)
        best, tokens = logits.max(dim=1)
        chosen: list[int] = tokens.tolist()
        if self.resolve_ties:
            rivals = (logits > best[:, None] - TIE_MARGIN).sum(dim=1)
            for at in torch.nonzero(rivals > 1).flatten().tolist():
                chosen[at] = self._alone(prompts[rows[at]], new[rows[at]], rules.frequency_penalty)
        return chosen

    def _alone(self, prompt: Sequence[int], new: Sequence[int], frequency_penalty: float) -> int:
        self.n_resolved += 1
        ids = torch.tensor([[*prompt, *new]], device=self.model.device)
        logits = self.model(input_ids=ids, use_cache=False, logits_to_keep=1).logits[0, -1].float()
        penalise(logits, new, frequency_penalty)
        return int(logits.argmax())


def penalise(logits: torch.Tensor, tokens: Sequence[int], frequency_penalty: float) -> None:
    """Subtracts the penalty from a token's logit, (vocabulary,), once for each time it is among `tokens`, in place."""
    if frequency_penalty and tokens:
        places = torch.tensor(tokens, device=logits.device)
        logits.index_add_(0, places, torch.full((len(tokens),), -frequency_penalty, device=logits.device))


def _keep(cache: Cache, mask: torch.Tensor, rows: Sequence[int]) -> torch.Tensor:
    """Drops all rows but these from the cache, and from the mask, (n_rows, n_positions), that is returned."""
    index = torch.tensor(rows, device=mask.device)
    for layer in cache.layers:
        layer.keep(index)
    return mask[index]


def _focus(layers: Sequence[BufferedLayer], rows: slice, used: int) -> None:
    for layer in layers:
        layer.focus(rows, used)
