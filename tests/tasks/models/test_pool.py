from __future__ import annotations

import torch

from tasks.models.pool import cls_pool, mean_pool, pool

HIDDEN = torch.arange(24, dtype=torch.float32).reshape(2, 4, 3)
MASK = torch.tensor([[1, 1, 0, 0], [0, 0, 1, 1]])


def test_mean_is_over_tokens_alone() -> None:
    expected = torch.stack([HIDDEN[0, :2].mean(dim=0), HIDDEN[1, 2:].mean(dim=0)])
    torch.testing.assert_close(mean_pool(HIDDEN, MASK), expected)


def test_mean_does_not_see_what_stands_in_the_padding() -> None:
    spoilt = HIDDEN.clone()
    spoilt[0, 2:] = 1e6
    torch.testing.assert_close(mean_pool(spoilt, MASK), mean_pool(HIDDEN, MASK))


def test_mean_of_nothing_is_zero() -> None:
    assert mean_pool(HIDDEN[:1], torch.zeros(1, 4)).tolist() == [[0.0, 0.0, 0.0]]


def test_cls_is_the_first_token_on_either_side_of_padding() -> None:
    torch.testing.assert_close(cls_pool(HIDDEN, MASK), torch.stack([HIDDEN[0, 0], HIDDEN[1, 2]]))


def test_half_precision_is_pooled_in_single() -> None:
    half = torch.full((1, 4096, 1), 0.1, dtype=torch.float16)
    pooled = pool("mean", half, torch.ones(1, 4096))
    assert pooled.dtype == torch.float32
    torch.testing.assert_close(pooled, half[:, 0].float())
    assert pool("cls", half, torch.ones(1, 4096)).dtype == torch.float32
