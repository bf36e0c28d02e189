"""Trains a small model with Adam on drawn batches, keeps the best checkpoint, stops when nothing better comes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from tasks.api import Progress, TaskError

State = dict[str, Tensor]


@dataclass(frozen=True)
class Schedule:
    """How long to train and when to look.

    Attributes:
        n_steps: gradient steps at most.
        eval_every: steps between two validations.
        patience: validations without a lower loss before training stops.
        learning_rate: of Adam.
        weight_decay: of Adam.
        keep_last: return the last weights instead of the best.
    """

    n_steps: int
    eval_every: int
    patience: int
    learning_rate: float
    weight_decay: float = 0.0
    keep_last: bool = False


@dataclass(frozen=True)
class Point:
    """One validation: the step, the mean training loss since the one before (NaN at step 0), the validation loss."""

    step: int
    train_loss: float
    val_loss: float


@dataclass
class History:
    """What a training run looked like.

    Attributes:
        points: one per validation, that of step 0 included.
        best_step: the step whose weights the model now has.
        states: copies of the weights by the step of their point, where asked for; the selected step's are among them.
    """

    points: list[Point] = field(default_factory=list)
    best_step: int = 0
    states: dict[int, State] = field(default_factory=dict)


def fit(
    model: nn.Module,
    loss_of_step: Callable[[int], Tensor],
    validate: Callable[[], float],
    schedule: Schedule,
    *,
    advance: Progress | None = None,
    keep_states: int = 0,
) -> History:
    """Minimises the loss; leaves the weights of the lowest validation loss in the model.

    Args:
        model: its parameters that require a gradient are trained, in place.
        loss_of_step: the loss of the batch of a step, a scalar with gradient.
        validate: the loss that selects; called without gradient.
        schedule: length, looks and learning rate.
        advance: called with the number of steps done since its last call.
        keep_states: copy the weights at validations into the history, at most about so many, evenly spread: memory does not grow
            with the number of steps.

    Raises:
        TaskError: a loss stopped being finite.
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(parameters, lr=schedule.learning_rate, weight_decay=schedule.weight_decay, fused=True)
    history, best, best_loss, stale, losses = History(), copy_state(model), math.inf, 0, torch.zeros(())
    spacing = 1
    for step in range(schedule.n_steps + 1):
        if step % schedule.eval_every == 0 or step == schedule.n_steps:
            point = _look(history, step, losses, validate)
            if keep_states and step % (spacing * schedule.eval_every) == 0:
                history.states[step] = copy_state(model)
                spacing *= _thin(history.states, spacing * schedule.eval_every, keep_states)
            if point.val_loss < best_loss or schedule.keep_last:
                best, best_loss, stale, history.best_step = copy_state(model), point.val_loss, 0, step
            else:
                stale += 1
            if stale >= schedule.patience or step == schedule.n_steps:
                break
            losses = torch.zeros(())
            if advance is not None:
                advance(min(schedule.eval_every, schedule.n_steps - step))
        loss = loss_of_step(step)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses = losses + loss.detach()
    model.load_state_dict(best)
    if keep_states:
        history.states = dict(sorted({**history.states, history.best_step: best}.items()))
    return history


def _thin(states: dict[int, State], spacing: int, most: int) -> int:
    """Drops every second state where there are too many; by what the spacing grows."""
    if len(states) <= most:
        return 1
    for step in [step for step in states if step % (2 * spacing)]:
        del states[step]
    return 2


def _look(history: History, step: int, losses: Tensor, validate: Callable[[], float]) -> Point:
    since = history.points[-1].step if history.points else 0
    train_loss = float(losses) / (step - since) if step > since else math.nan
    with torch.no_grad():
        val_loss = validate()
    if not math.isfinite(val_loss) or (step > since and not math.isfinite(train_loss)):
        raise TaskError(f"training: the loss at step {step} is not finite ({val_loss}); lower the learning rate")
    history.points.append(Point(step, train_loss, val_loss))
    return history.points[-1]


def copy_state(model: nn.Module) -> State:
    """A copy of the weights that later steps do not touch."""
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def batches(n_rows: int, batch_size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Row numbers of one batch after another, for ever: reshuffled whenever all rows have been dealt.

    The batch that runs out of rows is topped up from the next shuffle, so every batch has min(batch_size, n_rows) rows.
    """
    size = min(batch_size, n_rows)
    order = torch.randperm(n_rows, generator=generator)
    while True:
        while len(order) >= size:
            yield order[:size]
            order = order[size:]
        order = torch.cat([order, torch.randperm(n_rows, generator=generator)])
