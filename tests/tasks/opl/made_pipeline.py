"""Made pieces: a small environment whose best prompts are known, and a small corpus with a random encoder for whole runs."""

from __future__ import annotations

import importlib
import logging
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from store import Artifact, Attempt, Provenance, Store
from store.digest import digest_of
from tasks.api import Context, Runtime
from tasks.opl.env import Features, LanguageEnvironment
from tasks.opl.rounds import softmax
from tasks.registry import TASKS

GENRES = "war love space crime music magic".split()  # noqa: SIM905
KEYWORDS = "hero journey secret winter city king".split()  # noqa: SIM905
QUICK: dict[str, object] = {"n_steps": 300, "eval_every": 20, "patience": 6, "regression_steps": 300}


def made_environment(n_users: int = 60, n_items: int = 4, n_actions: int = 5, seed: int = 0) -> LanguageEnvironment:
    """E[r|x, a] = 2 tanh(e_user . sentence(item, a)): each user likes one direction, each prompt writes in its own."""
    rng = np.random.default_rng(seed)
    directions = np.linalg.qr(rng.normal(size=(n_actions, n_actions)))[0]
    taste = directions[rng.integers(n_actions, size=n_users)] + 0.1 * rng.normal(size=(n_users, n_actions))
    sentences = directions[None] + 0.1 * rng.normal(size=(n_items, n_actions, n_actions))
    user, item = np.repeat(np.arange(n_users), n_items), np.tile(np.arange(n_items), n_users)
    rewards = 2 * np.tanh(np.einsum("xd,xad->xa", taste[user], sentences[item]))
    queries = rng.normal(size=(n_items, 3))
    context = np.concatenate([taste[user], queries[item]], axis=1)
    features = Features(_f32(context), _f32(directions), _f32(sentences), item.astype(np.int64))
    return LanguageEnvironment(user, item, user < n_users // 2, _f32(rewards), features)


def _f32(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array, dtype=np.float32)


def softened(environment: LanguageEnvironment, beta: float) -> np.ndarray:
    """A logging policy that leans on the truth."""
    return softmax(environment.rewards.astype(np.float64), beta)


def context_of(folder: Path, *, threads: int = 1) -> Context:
    folder.mkdir(parents=True, exist_ok=True)
    return Context(folder, folder, Runtime(threads=threads, device="cpu"), logging.getLogger("test"))


def commit(
    store: Store, attempt: Attempt, config: dict[str, object], metrics: dict[str, float] | None = None
) -> Artifact:
    provenance = Provenance(task="test", version=1, config=config, metrics=metrics or {})  # type: ignore[arg-type]
    return store.commit(attempt, provenance, time.time())


def run_task(store: Store, task: str, config: dict[str, object], **inputs: object) -> Artifact:
    """Runs a task's module without the gate, and commits what it wrote."""
    spec = TASKS[task]
    module = importlib.import_module(spec.module)
    made = spec.configure(config)
    values = made.model_dump(mode="json")
    attempt = store.begin(spec.artifact.format_map(values), digest_of({"task": task, "config": values})[:40])
    metrics = module.run(made, module.Inputs(**inputs), attempt, context_of(store.root / "scratch"))
    return commit(store, attempt, values, metrics)


def tiny_encoder(directory: Path) -> Path:
    """A BERT of two layers with random weights."""
    from transformers import BertConfig, BertModel, BertTokenizer

    words = [*"a an the film about from of and".split(), *GENRES, *KEYWORDS]  # noqa: SIM905
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]
    BertTokenizer(vocab={word: i for i, word in enumerate(vocab)}).save_pretrained(directory)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
        BertModel(
            BertConfig(vocab_size=len(vocab), max_position_embeddings=32, initializer_range=0.3, **sizes)
        ).save_pretrained(directory)
    return directory


def corpus(store: Store, *, reverse: bool = False) -> dict[str, Artifact]:
    """Tables of 30 users, 12 films (4 of them described) and 6 prompts, and a random encoder.

    `reverse` writes every table's rows in the opposite order: nothing may depend on it.
    """
    rng = np.random.default_rng(1)
    n_users, n_items = 30, 12
    taste, genre = rng.integers(len(GENRES), size=n_users), np.arange(n_items) % len(GENRES)
    pairs = [(u, i) for u in range(n_users) for i in range(n_items) if rng.random() < 0.9]
    reward = [int(rng.random() < (0.85 if taste[u] == genre[i] else 0.4)) for u, i in pairs]
    ids = {"user_id": [u for u, _ in pairs], "item_id": [i for _, i in pairs]}
    interactions = pa.table({**ids, "reward": pa.array(reward, pa.int8())})
    titles = [f"the {GENRES[genre[i]]} film of {KEYWORDS[i % 5]}" for i in range(n_items)]
    items = pa.table({"item_id": list(range(n_items)), "title": titles})
    users = pa.table({"user_id": list(range(n_users))})
    prompts = pa.table({"prompt_id": list(range(len(KEYWORDS))), "keyword": KEYWORDS})
    rows = [(i, -1, f"a film of {GENRES[genre[i]]}") for i in range(n_items)]
    rows += [
        (i, k, f"a film of {GENRES[genre[i]]} about the {word}")
        for i in (0, 3, 5, 8)
        for k, word in enumerate(KEYWORDS)
    ]
    sentences = pa.table(
        {
            name: list(column)
            for name, column in zip(("item_id", "prompt_id", "text"), zip(*rows, strict=True), strict=True)
        }
    )
    made = {}
    for name, tables in {
        "movielens/tables": {"interactions": interactions, "items": items, "users": users},
        "prompts/keywords": {"prompts": prompts},
        "movielens/sentences": {"sentences": sentences},
    }.items():
        attempt = store.begin(name, "0" * 40)
        for table, data in tables.items():
            attempt.write_table(table, name, data.take(list(range(data.num_rows))[::-1]) if reverse else data)
        made[name] = commit(store, attempt, {})
    attempt = store.begin("sources/encoder", "0" * 40)
    tiny_encoder(attempt.root)
    made["sources/encoder"] = commit(store, attempt, {})
    return made


def pipeline(root: Path, *, reverse: bool = False) -> dict[str, Artifact]:
    """Every task of the family up to the learners and the export, on the made corpus; artifacts by name."""
    store = Store.open(str(root))
    made = corpus(store, reverse=reverse)
    tables, encoder = made["movielens/tables"], made["sources/encoder"]
    sentences, prompts = made["movielens/sentences"].table("sentences"), made["prompts/keywords"].table("prompts")
    interactions, items, users = (tables.table(name) for name in ("interactions", "items", "users"))
    quick = {"n_epochs": 10, "batch_size": 32, "dim": 4, "n_views": 3, "seed": 3}
    texts = {"items": items, "sentences": sentences}
    simulator = run_task(
        store, "opl.simulator", quick, interactions=interactions, users=users, encoder=encoder, **texts
    )
    embeddings = run_task(
        store, "opl.embeddings", {"dim": 4}, prompts=prompts, simulator=simulator, encoder=encoder, **texts
    )
    both = {"simulator": simulator, "embeddings": embeddings}
    environment = run_task(
        store, "opl.environment", {"seed": 3}, interactions=interactions, sentences=sentences, encoder=encoder, **both
    )
    online = run_task(store, "opl.learn", {"method": "online", **QUICK}, environment=environment)
    log = run_task(store, "opl.log", {"n_rounds": 400, "beta": 1.0}, environment=environment, policy=online)
    export = run_task(
        store, "opl.export", {"torch_files": True}, interactions=interactions, prompts=prompts, **texts, **both
    )
    done = [simulator, embeddings, environment, online, log, export]
    for method in ("direct_method", "ips", "doubly_robust", "sentence_direct_method"):
        config = {"method": method, "n_folds": 2, **QUICK}
        done.append(run_task(store, "opl.learn", config, environment=environment, log=log))
    return made | {artifact.name: artifact for artifact in done}


if __name__ == "__main__":
    for name, artifact in pipeline(Path(sys.argv[1]), reverse="reverse" in sys.argv).items():
        print(name, artifact.digest)  # noqa: T201
