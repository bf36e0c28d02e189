"""Builds the language environment: samples contexts, splits them by user, tabulates every expected reward and the features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file as load_arrays
from safetensors.numpy import save_file
from safetensors.torch import load_file
from torch import Tensor

from store import Artifact, Attempt, Table
from store.seeds import stream
from tasks.api import Context, Metrics, Progress, TaskError
from tasks.opl.config import EnvironmentConfig
from tasks.opl.env import Features, LanguageEnvironment, Singles
from tasks.opl.tables import Interactions, Ints, Sentences
from tasks.opl.text import encode_first_token

_CELLS = 1 << 15


@dataclass(frozen=True)
class Inputs:
    """Where contexts come from, what was written, who judges it, and the vectors learners see."""

    interactions: Table
    sentences: Table
    simulator: Artifact
    encoder: Artifact
    embeddings: Artifact


def run(config: EnvironmentConfig, inputs: Inputs, out: Attempt, ctx: Context) -> Metrics:
    """Writes the table contexts, rewards.safetensors and features.safetensors; returns the values of simple policies.

    Raises:
        TaskError: no interaction with a described item, a split without users, embeddings of another size.
    """
    sentences = Sentences.read(inputs.sentences)
    user, item, is_train = choose_contexts(Interactions.read(inputs.interactions), sentences.items, config)
    item_row = np.searchsorted(sentences.items, item)
    simulator = load_file(inputs.simulator.path("text.safetensors"))
    length = simulator_max_length(inputs.simulator)
    texts = [*sentences.texts, *(sentences.baseline[i] for i in sentences.items)]
    states = encode_first_token(inputs.encoder.dir(), texts, length, ctx)
    vectors = item_vectors(simulator, states)
    n = len(sentences.items)
    keyword, baseline = (
        vectors[: len(sentences.texts)].reshape(n, sentences.n_prompts, -1),
        vectors[len(sentences.texts) :],
    )
    with ctx.progress("expected rewards", len(user)) as advance:
        rewards = expected_rewards(simulator, user, item, item_row, keyword, baseline, config.scale, advance)
    features = assemble_features(
        load_arrays(inputs.embeddings.path("embeddings.safetensors")), sentences, user, item, item_row
    )
    environment = LanguageEnvironment(user, item, is_train, rewards, features)
    write(environment, out)
    return {
        "n_train_contexts": float(is_train.sum()),
        "n_test_contexts": float((~is_train).sum()),
        "n_actions": float(environment.n_actions),
        "uniform_value": environment.uniform_value("test"),
        "optimal_value": environment.optimal_value("test"),
        "reward_std_over_actions": float(environment.rewards.std(axis=1).mean()),
    }


def choose_contexts(
    data: Interactions, described: Ints, config: EnvironmentConfig
) -> tuple[Ints, Ints, NDArray[np.bool_]]:
    """User id, item id and split of the contexts, each `(n_contexts,)`: the train contexts first, then the test contexts.

    Users are dealt to the splits by a seeded permutation; then each split is cut to its cap by a seeded sample.

    Raises:
        TaskError: a split would be empty.
    """
    rng = stream(config.seed, "environment")
    eligible = np.flatnonzero(np.isin(data.item, described))
    users = rng.permutation(np.unique(data.user[eligible]))
    if len(users) < 2:
        raise TaskError(
            f"interactions: {len(users)} users rated one of the {len(described)} described items; describe more items"
        )
    test_users = users[: min(max(1, round(len(users) * config.test_ratio)), len(users) - 1)]
    is_test = np.isin(data.user[eligible], test_users)
    train = _cap(eligible[~is_test], config.n_train_contexts, rng)
    test = _cap(eligible[is_test], config.n_test_contexts, rng)
    rows = np.concatenate([train, test])
    return data.user[rows], data.item[rows], np.arange(len(rows)) < len(train)


def _cap(rows: Ints, cap: int | None, rng: np.random.Generator) -> Ints:
    return rows if cap is None or len(rows) <= cap else np.sort(rng.choice(rows, size=cap, replace=False))


def simulator_max_length(simulator: Artifact) -> int:
    """Tokens the simulator was trained to read."""
    return int(str(simulator.manifest.made_by.config["max_length"]))


def item_vectors(simulator: dict[str, Tensor], states: Tensor) -> Tensor:
    """v = ReLU(item_encoder(h)) `(n_texts, dim)` of first-token states `(n_texts, state_size)`."""
    return torch.relu(states @ simulator["item_encoder.weight"].T + simulator["item_encoder.bias"])


def expected_rewards(
    simulator: dict[str, Tensor],
    user: Ints,
    item: Ints,
    item_row: Ints,
    keyword: Tensor,
    baseline: Tensor,
    scale: float,
    advance: Progress | None = None,
) -> Singles:
    """E[r|x, a] `(n_contexts, n_actions)` of every context and prompt.

    The head's first layer is parted, l1([e_u, v]) = A e_u + B v + c, so that A e_u is computed once a context and B v once a
    sentence.

    Args:
        simulator: the text model's weights.
        user: user ids `(n_contexts,)`.
        item: item ids `(n_contexts,)`.
        item_row: rows of `keyword` and `baseline` `(n_contexts,)`.
        keyword: item vectors of the keyword sentences `(n_described, n_actions, dim)`.
        baseline: item vectors of the sentences without prompt `(n_described, dim)`.
        scale: reward of a probability gain of 1.
        advance: called with the number of contexts done.
    """
    dim = baseline.shape[1]
    of_user, of_sentence = simulator["l1.weight"][:, :dim], simulator["l1.weight"][:, dim:]
    told = torch.cat([baseline[:, None], keyword], dim=1) @ of_sentence.T
    user_part = simulator["user_embedding.weight"] @ of_user.T + simulator["l1.bias"]
    bias = simulator["user_bias.weight"][user, 0] + simulator["item_bias.weight"][item, 0] + simulator["l2.bias"]
    rewards = np.empty((len(user), keyword.shape[1]), dtype=np.float32)
    step = max(1, _CELLS // keyword.shape[1])
    for start in range(0, len(user), step):
        part = slice(start, start + step)
        hidden = torch.relu(user_part[user[part], None] + told[item_row[part]])
        probability = torch.sigmoid((hidden @ simulator["l2.weight"][0]) + bias[part, None])
        rewards[part] = (scale * (probability[:, 1:] - probability[:, :1])).numpy()
        if advance is not None:
            advance(len(user[part]))
    return rewards


def assemble_features(
    embeddings: dict[str, Singles], sentences: Sentences, user: Ints, item: Ints, item_row: Ints
) -> Features:
    """Context vectors [e_user, e_query], prompt vectors, and sentence vectors by described item.

    Raises:
        TaskError: the embeddings were made from other sentences or items.
    """
    described, n = len(sentences.items), sentences.n_prompts
    found, prompts = embeddings["sentences"], embeddings["prompts"]
    if len(found) != described * n or len(prompts) != n:
        raise TaskError(
            f"embeddings: {len(prompts)} prompts and {len(found)} sentences, but the table has {n} prompts and {described * n} "
            "sentences; embed the same sentences"
        )
    context = np.concatenate([embeddings["users"][user], embeddings["queries"][item]], axis=1)
    return Features(context, prompts, found.reshape(described, n, -1), item_row.astype(np.int64))


def write(environment: LanguageEnvironment, out: Attempt) -> None:
    """Writes the three parts that `LanguageEnvironment.read` reads."""
    n = environment.n_contexts
    split = np.where(environment.is_train, "train", "test")
    columns = {
        "context_id": pa.array(np.arange(n), pa.int64()),
        "split": pa.array(split.tolist(), pa.string()),
        "user_id": pa.array(environment.user, pa.int64()),
        "item_id": pa.array(environment.item, pa.int64()),
    }
    out.write_table("contexts", "opl.contexts", pa.table(columns))
    save_file({"expected_reward": environment.rewards}, out.path("rewards.safetensors"))
    features = environment.features
    arrays = {
        "context": features.context,
        "prompts": features.prompts,
        "sentences": features.sentences,
        "item_row": features.item_row,
    }
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, out.path("features.safetensors"))
