from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tasks.api import TaskError
from tasks.training.loop import Schedule, batches, fit


class Weight(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.zeros(()))


def quadratic(model: Weight) -> torch.Tensor:
    return (model.w - 5.0) ** 2


def test_finds_the_minimum_and_reports_every_look() -> None:
    model, done = Weight(), []
    history = fit(
        model,
        lambda _: quadratic(model),
        lambda: float(quadratic(model)),
        Schedule(600, 100, 99, 0.1),
        advance=done.append,
    )
    assert float(model.w.detach()) == pytest.approx(5.0, abs=1e-2)
    assert [point.step for point in history.points] == [0, 100, 200, 300, 400, 500, 600]
    assert sum(done) == 600


def test_the_best_checkpoint_is_kept_though_training_goes_on() -> None:
    """The validation loss has its minimum at 2 while training runs on to 5."""
    model = Weight()
    history = fit(
        model,
        lambda _: quadratic(model),
        lambda: float((model.w - 2.0) ** 2),
        Schedule(300, 10, 1000, 0.1),
        keep_states=1000,
    )
    losses = [point.val_loss for point in history.points]
    best = losses.index(min(losses))
    assert 0 < best < len(losses) - 1
    assert history.best_step == history.points[best].step
    assert torch.equal(model.w.detach(), history.states[history.best_step]["w"])
    assert float(list(history.states.values())[-1]["w"]) > 4


def test_kept_states_do_not_grow_with_the_steps() -> None:
    model = Weight()
    schedule = Schedule(3000, 10, 1000, 0.1, keep_last=True)
    history = fit(model, lambda _: quadratic(model), lambda: 0.0, schedule, keep_states=20)
    steps = list(history.states)
    assert 10 <= len(steps) <= 22
    assert steps[0] == 0 and steps[-1] == 3000
    assert len({after - before for before, after in pairwise(steps[:-1])}) == 1
    assert len(history.points) == 301


def test_patience_counts_from_the_best() -> None:
    model = Weight()
    losses = iter([5.0, 4.0, 4.5, 3.0, 3.5, 3.6, 3.7, 0.0])
    history = fit(model, lambda _: quadratic(model), lambda: next(losses), Schedule(1000, 10, 3, 0.1))
    assert [point.val_loss for point in history.points] == [5.0, 4.0, 4.5, 3.0, 3.5, 3.6, 3.7]
    assert history.best_step == 30


def test_keep_last_returns_the_last_weights() -> None:
    model = Weight()
    history = fit(model, lambda _: quadratic(model), lambda: float(model.w), Schedule(100, 10, 2, 0.1, keep_last=True))
    assert history.best_step == 100
    assert float(model.w.detach()) > 3


def test_mean_training_loss_since_the_last_look() -> None:
    model = Weight()
    history = fit(model, lambda step: quadratic(model) * 0 + step, lambda: 1.0, Schedule(20, 10, 99, 0.1))
    assert [point.train_loss for point in history.points[1:]] == [4.5, 14.5]


def test_a_loss_that_is_not_finite_is_refused() -> None:
    model = Weight()
    with pytest.raises(TaskError, match="step 10 is not finite"):
        fit(model, lambda _: quadratic(model) * float("inf"), lambda: 1.0, Schedule(20, 10, 99, 0.1))


@given(n_rows=st.integers(1, 40), size=st.integers(1, 50), seed=st.integers(0, 99))
def test_batches_deal_every_row_equally_often(n_rows: int, size: int, seed: int) -> None:
    dealt = batches(n_rows, size, torch.Generator().manual_seed(seed))
    taken = [next(dealt) for _ in range(n_rows)]
    assert {len(rows) for rows in taken} == {min(size, n_rows)}
    counts = torch.bincount(torch.cat(taken), minlength=n_rows)
    assert int(counts.max() - counts.min()) <= 1
