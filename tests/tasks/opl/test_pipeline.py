"""The family's tasks on a made corpus, each run as it runs in a pipeline."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from safetensors.torch import load_file as load_tensors

from expectations.tables import declaration
from expectations.tables.base import arrow_schema
from store import Artifact
from tasks.opl.custom_data import read_custom_data
from tasks.opl.env import LanguageEnvironment
from tasks.opl.reward_models import TextRewardModel
from tasks.opl.rounds import LoggedRounds, check_rounds, softmax
from tasks.opl.tables import Sentences
from tasks.opl.text import encode_first_token
from tests.tasks.opl.made_pipeline import context_of, pipeline

ROOT = Path(__file__).resolve().parents[3]
POLICIES = ("online", "direct_method", "ips", "doubly_robust", "sentence_direct_method")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Artifact]:
    return pipeline(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def environment(made: dict[str, Artifact]) -> LanguageEnvironment:
    return LanguageEnvironment.read(made["opl/environment"])


def test_another_process_and_another_row_order_give_the_same_bytes(made: dict[str, Artifact], tmp_path: Path) -> None:
    env = os.environ | {"OMP_NUM_THREADS": "2", "PYTHONHASHSEED": "7"}
    command = [sys.executable, "-m", "tests.tasks.opl.made_pipeline", str(tmp_path), "reverse"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    digests = dict(line.split() for line in done.stdout.splitlines())
    assert digests == {name: artifact.digest for name, artifact in made.items()}
    assert len([name for name in digests if name.startswith("opl/")]) == 10


def test_quality_names_three_models_and_rows_are_parted(made: dict[str, Artifact]) -> None:
    quality = json.loads(made["opl/simulator"].path("quality.json").read_text())
    assert set(quality["models"]) == {"text", "cf", "popularity"}
    for model in quality["models"].values():
        assert {"auc", "mse", "log_loss", "calibration"} <= set(model)
        assert len(model["calibration"]) == 10
        assert sum(b["count"] for b in model["calibration"]) == quality["rows"]["test"]
    assert sum(quality["rows"].values()) == made["movielens/tables"].table("interactions").rows
    points = quality["curves"]["text"]["points"]
    best = min(points, key=lambda point: point["val_loss"])
    assert best["step"] == quality["curves"]["text"]["best_step"]


def test_the_text_model_starts_from_the_users_and_biases_of_cf() -> None:
    g = torch.Generator().manual_seed(0)
    first, second = (TextRewardModel(5, 4, 6, 3, 7, 0.1, g) for _ in range(2))
    second.start_from(first)
    ours, theirs = second.state_dict(), first.state_dict()
    copied = {"user_embedding.weight", "user_bias.weight", "item_bias.weight"}
    assert {name for name in ours if torch.equal(ours[name], theirs[name])} == copied


def test_expected_rewards_are_the_simulators_gain_over_the_baseline(
    made: dict[str, Artifact], environment: LanguageEnvironment, tmp_path: Path
) -> None:
    """The table holds what the model itself says of each sentence, computed here one context at a time."""
    weights = load_tensors(made["opl/simulator"].path("text.safetensors"))
    model = TextRewardModel(30, 12, 16, 4, 100, 0.1, torch.Generator())
    model.load_state_dict(weights)
    sentences = Sentences.read(made["movielens/sentences"].table("sentences"))
    states = encode_first_token(
        made["sources/encoder"].dir(), [*sentences.texts, *sentences.baseline], 20, context_of(tmp_path)
    )
    n = environment.n_actions
    for context in range(0, environment.n_contexts, 7):
        item = int(environment.item[context])
        row = int(np.searchsorted(sentences.items, item))
        told = torch.cat([states[row * n : (row + 1) * n], states[len(sentences.texts) + item][None]])
        ids = torch.full((n + 1,), int(environment.user[context])), torch.full((n + 1,), item)
        with torch.no_grad():
            probability = torch.sigmoid(model(*ids, told))
        gain = 10 * (probability[:n] - probability[n])
        assert np.allclose(environment.rewards[context], gain.numpy(), atol=2e-5)
        assert environment.features.item_row[context] == row


def test_no_user_is_on_both_sides_and_contexts_are_interactions(
    made: dict[str, Artifact], environment: LanguageEnvironment
) -> None:
    train, test = environment.contexts("train"), environment.contexts("test")
    assert len(train) > 0
    assert len(test) > 0
    assert not set(environment.user[train]) & set(environment.user[test])
    table = made["movielens/tables"].table("interactions").read()
    pairs = set(zip(table["user_id"].to_pylist(), table["item_id"].to_pylist(), strict=True))
    assert set(zip(environment.user.tolist(), environment.item.tolist(), strict=True)) <= pairs
    assert set(environment.item.tolist()) == {0, 3, 5, 8}


def test_features_are_the_embeddings_of_the_context(
    made: dict[str, Artifact], environment: LanguageEnvironment
) -> None:
    embedded = load_file(made["opl/embeddings"].path("embeddings.safetensors"))
    user, item = environment.user[5], environment.item[5]
    assert np.array_equal(
        environment.features.context[5], np.concatenate([embedded["users"][user], embedded["queries"][item]])
    )
    assert environment.features.sentences.shape == (4, 6, 4)
    assert np.array_equal(environment.features.sentences.reshape(-1, 4), embedded["sentences"])
    assert np.allclose(embedded["sentences"].mean(axis=0), 0, atol=1e-5)


def test_the_log_was_drawn_from_the_softened_policy(
    made: dict[str, Artifact], environment: LanguageEnvironment
) -> None:
    rounds = LoggedRounds.read(made["opl/log"].table("rounds"))
    check_rounds(rounds, environment.n_contexts, environment.n_actions)
    action_dist = load_file(made["opl/log"].path("logging.safetensors"))["action_dist"]
    logits = load_file(made["opl/policy/online"].path("policy.safetensors"))["logits"]
    assert np.array_equal(action_dist, softmax(logits.astype(np.float64), 1.0))
    assert np.array_equal(rounds.pscore, action_dist[rounds.context, rounds.action])
    assert environment.is_train[rounds.context].all()


@pytest.mark.parametrize("method", POLICIES)
def test_policies_are_distributions_with_a_curve(
    method: str, made: dict[str, Artifact], environment: LanguageEnvironment
) -> None:
    artifact = made[f"opl/policy/{method}"]
    tensors = load_file(artifact.path("policy.safetensors"))
    value = environment.policy_value(tensors["action_dist"], "test")
    assert value == pytest.approx(artifact.manifest.made_by.metrics["value"])
    curve = json.loads(artifact.path("curve.json").read_text())
    assert curve["method"] == method
    assert {"step", "estimate", "train_loss", "test_value"} == set(curve["points"][0])
    assert np.allclose(softmax(tensors["logits"].astype(np.float64)), tensors["action_dist"])


@pytest.mark.parametrize(("table", "artifact"), [("contexts", "opl/environment"), ("rounds", "opl/log")])
def test_tables_have_the_declared_columns(table: str, artifact: str, made: dict[str, Artifact]) -> None:
    schema, declared = made[artifact].table(table).read().schema, arrow_schema(declaration(f"opl.{table}"))
    assert [(field.name, field.type) for field in schema] == [(field.name, field.type) for field in declared]


def test_the_export_reads_back_as_what_was_exported(made: dict[str, Artifact]) -> None:
    export = made["opl/export"]
    read = read_custom_data(export.dir())
    embedded = load_file(made["opl/embeddings"].path("embeddings.safetensors"))
    assert np.array_equal(read.embeddings["queries"], embedded["queries"])
    assert np.array_equal(read.embeddings["prompts"], embedded["prompts"])
    assert np.array_equal(read.embeddings["users_text"], embedded["users"])
    assert set(read.pca) == {
        f"{kind}_{part}" for kind in ("query", "prompt", "sentence") for part in ("matrix", "mean")
    }
    assert len(read.queries) == len(set(read.queries)) == 12
    assert len(read.user) == made["movielens/tables"].table("interactions").rows
    pt = torch.load(export.path("movielens_query_embs.pt"), weights_only=True)
    assert np.array_equal(pt.numpy(), embedded["queries"])
    state = torch.load(export.path("movielens_naive_cf_params.pt"), weights_only=True)
    assert {"user_embedding.weight", "item_embedding.weight", "l1.weight", "l2.bias", "user_bias.weight"} <= set(state)
