"""Trains the reward simulators: collaborative filtering first, then the text model that starts from its users and biases.

The text encoder is frozen, so the states of every sentence and of its corrupted views are computed once; an epoch then
costs what the head costs.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from store import Artifact, Attempt, Table
from store.seeds import stream, torch_seed
from tasks.api import Context, Metrics, Progress, TaskError
from tasks.opl.config import SimulatorConfig
from tasks.opl.quality import measure, popularity
from tasks.opl.reward_models import CollaborativeFilteringRewardModel, TextRewardModel
from tasks.opl.tables import Floats, Interactions, Ints, Sentences
from tasks.opl.text import encode_views
from tasks.training.device import prepare_torch
from tasks.training.loop import History, Schedule, batches, fit

CF_FILE, TEXT_FILE, QUALITY_FILE = "cf.safetensors", "text.safetensors", "quality.json"
_ALL_AT_ONCE = 65_536


@dataclass(frozen=True)
class Inputs:
    """Rewards, the ids' ranges, the sentences that stand for the items, and the frozen encoder's directory."""

    interactions: Table
    items: Table
    users: Table
    sentences: Table
    encoder: Artifact


@dataclass(frozen=True)
class Rows:
    """Interactions as tensors `(n_rows,)`: user and item ids, reward as float."""

    user: Tensor
    item: Tensor
    reward: Tensor

    @classmethod
    def of(cls, data: Interactions, rows: Ints, device: torch.device) -> Rows:
        """The rows with the given numbers, on a device."""
        user, item, reward = (
            torch.from_numpy(column[rows]).to(device) for column in (data.user, data.item, data.reward)
        )
        return cls(user, item, reward.float())


def run(config: SimulatorConfig, inputs: Inputs, out: Attempt, ctx: Context) -> Metrics:
    """Writes both models' weights and quality.json; returns the held-out figures.

    Raises:
        TaskError: an id without a row in its table, too few interactions, an item without a sentence.
    """
    data = Interactions.read(inputs.interactions)
    n_users, n_items = inputs.users.rows, inputs.items.rows
    check_ranges(data, n_users, n_items)
    parts = split_rows(len(data.user), config)
    baseline = Sentences.read(inputs.sentences, n_items=n_items).baseline
    states = encode_views(inputs.encoder.dir(), baseline, config, ctx)
    device = prepare_torch(ctx.runtime, small=True)
    states = states.to(device)
    train, val = (Rows.of(data, parts[name], device) for name in ("train", "val"))

    generator = torch.Generator().manual_seed(torch_seed(config.seed, "simulator"))
    shape = (n_users, n_items)
    cf = CollaborativeFilteringRewardModel(*shape, config.dim, config.hidden, config.embedding_std, generator).to(
        device
    )
    with ctx.progress("collaborative filtering", config.n_epochs * steps_per_epoch(config, len(train.user))) as advance:
        cf_history = train_cf(cf, train, val, config, generator, advance=advance)
    text = TextRewardModel(*shape, states.shape[2], config.dim, config.hidden, config.embedding_std, generator).to(
        device
    )
    text.start_from(cf)
    with ctx.progress("text model", config.n_epochs * steps_per_epoch(config, len(train.user))) as advance:
        text_history = train_text(text, train, val, states, config, generator, advance=advance)

    test = Rows.of(data, parts["test"], device)
    predicted = {
        "text": predict(text, test, states[0]),
        "cf": predict(cf, test, None),
        "popularity": popularity(take(data, parts["train"]), take(data, parts["test"]), n_users, n_items),
    }
    quality = {name: measure(data.reward[parts["test"]], probability) for name, probability in predicted.items()}
    save(cf, out, CF_FILE)
    save(text, out, TEXT_FILE)
    out.write_json(
        QUALITY_FILE,
        {
            "rows": {name: len(rows) for name, rows in parts.items()},
            "models": quality,
            "curves": {"cf": curve(cf_history), "text": curve(text_history)},
        },
    )
    return {f"{model}_{name}": float(str(values[name])) for model, values in quality.items() for name in ("auc", "mse")}


def check_ranges(data: Interactions, n_users: int, n_items: int) -> None:
    """Every id has a row in its table.

    Raises:
        TaskError: one has not.
    """
    for what, ids, size in (("user", data.user, n_users), ("item", data.item, n_items)):
        if ids.max() >= size or ids.min() < 0:
            raise TaskError(
                f"interactions: {what} {ids.max()} has no row in {what}s, which has {size}; build the tables again"
            )


def split_rows(n_rows: int, config: SimulatorConfig) -> dict[str, Ints]:
    """Row numbers of `train`, `val` and `test`, by a seeded permutation.

    Raises:
        TaskError: a part would be empty.
    """
    order = stream(config.seed, "simulator/split").permutation(n_rows)
    n_test, n_val = round(n_rows * config.test_ratio), round(n_rows * config.val_ratio)
    parts = {"test": order[:n_test], "val": order[n_test : n_test + n_val], "train": order[n_test + n_val :]}
    if any(len(rows) == 0 for rows in parts.values()):
        raise TaskError(f"interactions: {n_rows} rows are too few to part into train, val and test; take a larger dump")
    return {name: np.sort(rows) for name, rows in parts.items()}


def take(data: Interactions, rows: Ints) -> Interactions:
    """The interactions with the given row numbers."""
    return Interactions(data.user[rows], data.item[rows], data.reward[rows])


def steps_per_epoch(config: SimulatorConfig, n_rows: int) -> int:
    """Batches an epoch: as configured, or as many as show every row once."""
    return config.n_steps_per_epoch or -(-n_rows // config.batch_size)


def loss_function(config: SimulatorConfig, logit: Tensor, reward: Tensor) -> Tensor:
    """Mean of (sigmoid(logit) - r)^2, or the mean cross entropy."""
    if config.loss == "bce":
        return nn.functional.binary_cross_entropy_with_logits(logit, reward)
    return nn.functional.mse_loss(torch.sigmoid(logit), reward)


def _schedule(config: SimulatorConfig, n_rows: int) -> Schedule:
    steps = steps_per_epoch(config, n_rows)
    return Schedule(config.n_epochs * steps, steps, config.patience, config.learning_rate, config.weight_decay)


def train_cf(
    model: CollaborativeFilteringRewardModel,
    train: Rows,
    val: Rows,
    config: SimulatorConfig,
    generator: torch.Generator,
    *,
    advance: Progress | None = None,
) -> History:
    """Trains the collaborative-filtering model; the best validation checkpoint stays in it."""
    dealt = batches(len(train.user), config.batch_size, generator)

    def loss_of_step(step: int) -> Tensor:
        rows = next(dealt)
        return loss_function(config, model(train.user[rows], train.item[rows]), train.reward[rows])

    def validate() -> float:
        return float(loss_function(config, logits(model, val, None), val.reward))

    return fit(model, loss_of_step, validate, _schedule(config, len(train.user)), advance=advance)


def train_text(
    model: TextRewardModel,
    train: Rows,
    val: Rows,
    states: Tensor,
    config: SimulatorConfig,
    generator: torch.Generator,
    *,
    advance: Progress | None = None,
) -> History:
    """Trains the text model on states `(n_views, n_items, state_size)`: each row sees a view of its item drawn afresh.

    Validation sees view 0, the clean one.
    """
    dealt = batches(len(train.user), config.batch_size, generator)
    n_views = states.shape[0]

    def loss_of_step(step: int) -> Tensor:
        rows = next(dealt)
        view = torch.randint(n_views, rows.shape, generator=generator)
        item = train.item[rows]
        return loss_function(
            config, model(train.user[rows], item, states[view.to(item.device), item]), train.reward[rows]
        )

    def validate() -> float:
        return float(loss_function(config, logits(model, val, states[0]), val.reward))

    return fit(model, loss_of_step, validate, _schedule(config, len(train.user)), advance=advance)


def logits(model: CollaborativeFilteringRewardModel | TextRewardModel, rows: Rows, states: Tensor | None) -> Tensor:
    """Logits `(n_rows,)` in large pieces; `states` are the items' `(n_items, state_size)` for the text model."""
    pieces = []
    for user, item in zip(torch.split(rows.user, _ALL_AT_ONCE), torch.split(rows.item, _ALL_AT_ONCE), strict=True):
        pieces.append(model(user, item) if states is None else model(user, item, states[item]))
    return torch.cat(pieces)


def predict(model: CollaborativeFilteringRewardModel | TextRewardModel, rows: Rows, states: Tensor | None) -> Floats:
    """Probabilities `(n_rows,)`."""
    with torch.inference_mode():
        return torch.sigmoid(logits(model, rows, states)).double().cpu().numpy()


def save(model: nn.Module, out: Attempt, file: str) -> None:
    """Writes a model's weights as safetensors."""
    save_file({name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}, out.path(file))


def curve(history: History) -> dict[str, object]:
    """A training history as JSON; the training loss before the first step is null."""
    points = [asdict(point) | ({"train_loss": None} if point.step == 0 else {}) for point in history.points]
    return {"best_step": history.best_step, "points": points}
