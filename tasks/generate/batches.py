"""Which prompts share a batch."""

from __future__ import annotations

from collections.abc import Sequence

_BATCH_TOKENS = 512
"""What the steps of one more batch cost, in tokens read: 300 to 600 for a model of 135M parameters on two cores."""

Tokens = Sequence[int]


def common(first: Tokens, second: Tokens) -> int:
    """How many tokens both begin with."""
    limit = min(len(first), len(second))
    return next((at for at in range(limit) if first[at] != second[at]), limit)


def shared_prefix(prompts: Sequence[Tokens]) -> int:
    """How many tokens all prompts begin with; at most one less than the shortest has, and none for a single prompt."""
    if len(prompts) < 2:
        return 0
    return min(min(map(len, prompts)) - 1, *(common(prompts[0], prompt) for prompt in prompts[1:]))


def plan(prompts: Sequence[Tokens], batch_size: int) -> list[list[int]]:
    """Batches of places in `prompts`, so that few tokens are read.

    Neighbours by length waste the least padding; neighbours by content share the longest beginning, as prompts do that
    differ in their last words alone. The cheaper of the two orders is taken.
    """
    orders = (
        sorted(range(len(prompts)), key=lambda at: (len(prompts[at]), tuple(prompts[at])), reverse=True),
        sorted(range(len(prompts)), key=lambda at: tuple(prompts[at])),
    )
    plans = [_cut(order, prompts, batch_size) for order in orders]
    return min(plans, key=lambda batches: sum(_cost([prompts[at] for at in batch]) for batch in batches))


def _cut(order: Sequence[int], prompts: Sequence[Tokens], batch_size: int) -> list[list[int]]:
    """Cuts where a batch is full, or where what its rows cost above their own length adds up to a batch."""
    batches: list[list[int]] = []
    shared = longest = wasted = 0
    for at in order:
        prompt = prompts[at]
        if batches and len(batches[-1]) < batch_size:
            batch = batches[-1]
            now_shared = min(common(prompts[batch[0]], prompt), *([shared] if len(batch) > 1 else []), len(prompt))
            now_longest = max(longest, len(prompt))
            before = _read(len(batch), shared, longest) if len(batch) > 1 else longest
            added = _read(len(batch) + 1, now_shared, now_longest) - before
            now_wasted = wasted + max(0, added - len(prompt))
            if now_wasted <= _BATCH_TOKENS:
                batch.append(at)
                shared, longest, wasted = now_shared, now_longest, now_wasted
                continue
        batches.append([at])
        shared, longest, wasted = 0, len(prompt), 0
    return batches


def _read(n_rows: int, shared: int, longest: int) -> int:
    return shared + n_rows * (longest - shared)


def _cost(batch: Sequence[Tokens]) -> int:
    """The shared beginning once, then every row to the longest's length, and the steps."""
    return _read(len(batch), shared_prefix(batch), max(map(len, batch))) + _BATCH_TOKENS
