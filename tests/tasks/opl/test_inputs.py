"""What the tasks refuse, and how they part their data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from store import Store, Table
from tasks.api import TaskError
from tasks.opl.config import EmbeddingConfig, EnvironmentConfig, LearnConfig, SimulatorConfig
from tasks.opl.environment import assemble_features, choose_contexts
from tasks.opl.reward_models import CollaborativeFilteringRewardModel, TextRewardModel
from tasks.opl.simulator import Rows, check_ranges, logits, loss_function, split_rows, train_cf, train_text
from tasks.opl.tables import Interactions, Sentences
from tests.tasks.opl.made_pipeline import commit, corpus, run_task


def table(tmp_path: Path, rows: list[tuple[int, int, str]]) -> Table:
    store = Store.open(str(tmp_path))
    attempt = store.begin("movielens/sentences", "0" * 40)
    columns = {
        "item_id": pa.array([r[0] for r in rows], pa.int64()),
        "prompt_id": pa.array([r[1] for r in rows], pa.int64()),
    }
    attempt.write_table(
        "sentences", "movielens.sentences", pa.table({**columns, "text": pa.array([r[2] for r in rows], pa.string())})
    )
    return commit(store, attempt, {}).table("sentences")


def test_sentences_come_by_item_and_prompt_whatever_the_order(tmp_path: Path) -> None:
    rows = [(1, 1, "1b"), (0, -1, "0"), (1, -1, "1"), (2, -1, "2"), (1, 0, "1a")]
    read = Sentences.read(table(tmp_path, rows))
    assert read.baseline == ["0", "1", "2"]
    assert read.items.tolist() == [1]
    assert read.texts == ["1a", "1b"]
    assert read.n_prompts == 2


@pytest.mark.parametrize(
    ("rows", "sizes", "message"),
    [
        ([], {}, "no rows"),
        ([(0, -1, "x"), (2, -1, "x"), (0, 0, "x")], {}, "item 1 has no baseline"),
        ([(0, -1, "x"), (0, 0, "x")], {"n_items": 2}, "item 1 has no baseline"),
        ([(0, -1, "x"), (1, -1, "x"), (0, 0, "x")], {"n_items": 1}, "2 baseline sentences for 1 items"),
        ([(0, -1, "x")], {}, "no item has keyword sentences"),
        (
            [(0, -1, "x"), (1, -1, "x"), (0, 0, "x"), (0, 1, "x"), (1, 1, "x")],
            {},
            "item 1 does not have one sentence for each of 2",
        ),
        ([(0, -1, "x"), (0, 0, "x")], {"n_prompts": 3}, "item 0 does not have one sentence for each of 3"),
    ],
)
def test_missing_sentences_are_named(
    rows: list[tuple[int, int, str]], sizes: dict[str, int], message: str, tmp_path: Path
) -> None:
    with pytest.raises(TaskError, match=message):
        Sentences.read(table(tmp_path, rows), **sizes)


def interactions(n_users: int = 40, n_items: int = 10, seed: int = 0) -> Interactions:
    rng = np.random.default_rng(seed)
    user, item = np.repeat(np.arange(n_users), n_items), np.tile(np.arange(n_items), n_users)
    return Interactions(user, item, rng.integers(2, size=len(user)))


def test_contexts_are_split_by_user_and_capped() -> None:
    data, described = interactions(), np.array([2, 5, 7])
    user, item, is_train = choose_contexts(
        data, described, EnvironmentConfig(n_train_contexts=11, n_test_contexts=None)
    )
    assert is_train.sum() == 11
    assert (~is_train).sum() == 20 * 3
    assert not set(user[is_train]) & set(user[~is_train])
    assert set(item) <= {2, 5, 7}
    again = choose_contexts(data, described, EnvironmentConfig(n_train_contexts=11, n_test_contexts=None))
    assert np.array_equal(user, again[0])
    other = choose_contexts(data, described, EnvironmentConfig(n_train_contexts=11, seed=1))
    assert not np.array_equal(user, other[0])


def test_one_user_cannot_be_split() -> None:
    with pytest.raises(TaskError, match="1 users rated one of the 1 described items"):
        choose_contexts(interactions(n_users=1), np.array([2]), EnvironmentConfig())


def test_embeddings_of_other_sentences_are_refused() -> None:
    sentences = Sentences(["b"], np.array([0]), ["x", "y"], 2)
    embedded = {"sentences": np.zeros((3, 2), np.float32), "prompts": np.zeros((2, 2), np.float32)}
    none = np.zeros(0, dtype=np.int64)
    with pytest.raises(TaskError, match="2 prompts and 3 sentences, but the table has 2 prompts and 2 sentences"):
        assemble_features(embedded, sentences, none, none, none)


def test_rows_are_parted_once_each() -> None:
    parts = split_rows(100, SimulatorConfig())
    assert {name: len(rows) for name, rows in parts.items()} == {"train": 70, "val": 20, "test": 10}
    assert sorted(np.concatenate(list(parts.values()))) == list(range(100))


def test_too_few_rows_to_part_are_refused() -> None:
    with pytest.raises(TaskError, match="2 rows are too few"):
        split_rows(2, SimulatorConfig())


def test_an_id_beyond_its_table_is_refused() -> None:
    with pytest.raises(TaskError, match="item 9 has no row in items, which has 9"):
        check_ranges(interactions(), 40, 9)


@pytest.mark.parametrize(
    ("cls", "values", "message"),
    [
        (SimulatorConfig, {"val_ratio": 0.6, "test_ratio": 0.5}, "must leave rows to train on"),
        (SimulatorConfig, {"random_token": 0.7, "mask_token": 0.4}, "at most 1"),
        (SimulatorConfig, {"dimension": 3}, "Extra inputs"),
        (EmbeddingConfig, {"users": "both"}, "'cf' or 'text'"),
    ],
)
def test_configurations_that_make_no_sense_are_refused(cls: type, values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cls(**values)


def test_online_has_the_papers_schedule_unless_told_otherwise() -> None:
    online = LearnConfig.model_validate({"method": "online", "batch_size": 64})
    assert (online.n_steps, online.batch_size, online.learning_rate) == (2000, 64, 5e-4)
    assert LearnConfig.model_validate(online.model_dump()) == online
    assert LearnConfig(method="ips").batch_size == 256


def test_more_dimensions_than_texts_are_refused(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path))
    made = corpus(store)
    tables, encoder = made["movielens/tables"], made["sources/encoder"]
    texts = {"items": tables.table("items"), "sentences": made["movielens/sentences"].table("sentences")}
    given = {"interactions": tables.table("interactions"), "users": tables.table("users"), "encoder": encoder}
    simulator = run_task(store, "opl.simulator", {"n_epochs": 1, "n_views": 1}, **given, **texts)
    prompts = made["prompts/keywords"].table("prompts")
    with pytest.raises(TaskError, match="prompts: 6 texts of 16 dimensions do not span 7; lower dim"):
        run_task(store, "opl.embeddings", {"dim": 7}, prompts=prompts, simulator=simulator, encoder=encoder, **texts)


CPU = torch.device("cpu")


def taste(n_users: int = 60, n_items: int = 20) -> Interactions:
    """A user likes the items of the same parity."""
    data = interactions(n_users, n_items)
    return Interactions(data.user, data.item, (data.user % 2 == data.item % 2).astype(np.int64))


def test_both_simulators_learn_who_likes_what() -> None:
    """Item and user means say nothing here; the text model must read the parity in the item's state."""
    data, config = (
        taste(),
        SimulatorConfig(n_epochs=60, batch_size=64, patience=60, learning_rate=1e-2, weight_decay=0.0),
    )
    order = np.random.default_rng(0).permutation(len(data.user))
    train, val = Rows.of(data, order[:900], CPU), Rows.of(data, order[900:], CPU)
    g = torch.Generator().manual_seed(0)
    cf = CollaborativeFilteringRewardModel(60, 20, 20, 32, 0.5, g)
    history = train_cf(cf, train, val, config, g)
    assert min(point.val_loss for point in history.points) < 0.02
    states = torch.randn(3, 20, 8, generator=g) * 0.05
    states[:, ::2, 0] += 1.0
    text = TextRewardModel(60, 20, 8, 20, 32, 0.5, g)
    text.start_from(cf)
    history = train_text(text, train, val, states, config, g)
    with torch.no_grad():
        kept = float(loss_function(config, logits(text, val, states[0]), val.reward))
    assert kept == pytest.approx(min(point.val_loss for point in history.points))
    assert kept < 0.02


def test_cross_entropy_is_an_option() -> None:
    logit, reward = torch.tensor([0.3, -2.0]), torch.tensor([1.0, 0.0])
    squared = ((torch.sigmoid(logit) - reward) ** 2).mean()
    entropy = -(torch.sigmoid(logit[0]).log() + (1 - torch.sigmoid(logit[1])).log()) / 2
    assert torch.allclose(loss_function(SimulatorConfig(), logit, reward), squared)
    assert torch.allclose(loss_function(SimulatorConfig(loss="bce"), logit, reward), entropy)
