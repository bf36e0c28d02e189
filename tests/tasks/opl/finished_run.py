"""The artifacts of a small finished run, of random numbers, so that prediction, scoring and report are tested untrained."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
from safetensors.numpy import save_file

from store import Artifact, Attempt, InputEntry, Licence, Provenance, Store
from store.digest import digest_of
from tasks.api import Runtime
from tasks.opl.rounds import softmax
from tasks.runner import prepare, run_job

N_USERS, N_ITEMS, N_DESCRIBED, N_ACTIONS, N_CONTEXTS, N_ROUNDS = 14, 6, 4, 5, 60, 300
EVIL = "<script>alert(1)</script>"
CLOSED = Licence(name="Closed & Co", redistribute="no", notice="Not to be passed on.")
Given = Artifact | Sequence[Artifact]


@dataclass
class FinishedRun:
    """Artifacts up to the learned policies, and the numbers they hold, over all contexts."""

    store: Store
    rewards: np.ndarray
    user: np.ndarray
    is_test: np.ndarray
    logging: np.ndarray
    policies: dict[str, np.ndarray]
    artifacts: dict[str, Artifact] = field(default_factory=dict)

    def commit(
        self, name: str, task: str, config: Mapping, inputs: Mapping[str, Given], write: Callable[[Attempt], None]
    ) -> Artifact:
        """Commits what `write` writes, and a passing verdict on its tables."""
        attempt = self.store.begin(name, digest_of([name, dict(config)])[:40])
        write(attempt)
        made_by = Provenance(
            task=task,
            version=1,
            config=dict(config),
            inputs={port: [entry(artifact) for artifact in as_list(given)] for port, given in inputs.items()},
            libraries={"numpy": np.__version__},
            licences=(CLOSED,),
        )
        artifact = self.store.commit(attempt, made_by, time.time())
        if artifact.manifest.tables:
            job = prepare("gate", {}, {"subject": [artifact]})
            verdict = self.store.begin(job.name, job.key)
            self.store.commit(verdict, Provenance(task="gate", version=1, config={}), time.time())
        self.artifacts[name] = artifact
        return artifact

    def run(self, name: str, values: Mapping | None = None, **given: Given) -> Artifact:
        """Runs a task of the registry."""
        job = prepare(name, dict(values or {}), {port: as_list(value) for port, value in given.items()})
        made = run_job(job, self.store, Runtime(threads=1)).artifact
        self.artifacts[made.name] = made
        return made

    def learned(self) -> list[Artifact]:
        return [self.artifacts[f"opl/policy/{method}"] for method in self.policies]

    def predict(self, **changes: Given) -> Artifact:
        given = {"environment": self.artifacts["opl/environment"], "log": self.artifacts["opl/log"]}
        return self.run("opl.predict", **{**given, "policies": self.learned(), **changes})

    def score(self, values: Mapping | None = None) -> Artifact:
        return self.run("opl.score", values, predictions=self.predict())

    def report(self, values: Mapping | None = None, **changes: Given) -> Artifact:
        a = self.artifacts
        given = {
            "scores": changes.get("scores") or self.score({"n_bootstrap": 50}),
            "tables": a["movielens/tables"],
            "items": a["movielens/tables"],
            "prompts": a["prompts/keywords"],
            "sentences": a["movielens/sentences"],
            "simulator": a["opl/simulator"],
            "environment": a["opl/environment"],
            "log": a["opl/log"],
            "embeddings": a["opl/embeddings"],
            "predictions": self.predict(),
            "policies": self.learned(),
        }
        return self.run("opl.report", values, **{**given, **changes})


def as_list(given: Given) -> list[Artifact]:
    return [given] if isinstance(given, Artifact) else list(given)


def entry(artifact: Artifact) -> InputEntry:
    return InputEntry(name=artifact.name, key=artifact.key, digest=artifact.digest)


def finished_run(root: Path, title: str = "A film", keyword: str = "word", text: str = "A sentence") -> FinishedRun:
    """A run; `title`, `keyword` and `text` stand in every film, prompt and sentence."""
    rng = np.random.default_rng(5)
    user = np.sort(rng.integers(N_USERS, size=N_CONTEXTS))
    rewards = rng.normal(size=(N_CONTEXTS, N_ACTIONS)).astype(np.float32)
    logging = softmax(rng.normal(size=rewards.shape))
    policies = {
        "ips": softmax(3 * rewards + rng.normal(size=rewards.shape)),
        "direct_method": np.eye(N_ACTIONS)[rng.integers(N_ACTIONS, size=N_CONTEXTS)],
        "online": softmax(8 * rewards.astype(np.float64)),
    }
    run = FinishedRun(Store.open(str(root / "store")), rewards, user, user >= N_USERS // 2, logging, policies)
    _corpus(run, title)
    _texts(run, keyword, text)
    _simulator(run)
    _environment(run, rng)
    _learned(run, rng)
    return run


def _ids(values: Sequence[int] | range | np.ndarray) -> pa.Array:
    return pa.array(np.asarray(values), pa.int64())


def _corpus(run: FinishedRun, title: str) -> None:
    dump = run.commit("sources/ml-made", "sources.fetch", {"source": "ml-made"}, {}, lambda out: out.write_json("x", 1))
    n = N_ITEMS
    items = {"item_id": _ids(range(n)), "source_item_id": _ids(range(n)), "title": [f"{title} {i}" for i in range(n)]}
    items |= {"year": pa.array([1990, None, 1992, 1993, 1994, 1995], pa.int32()), "genres": [f"Drama|{title}"] * n}
    items |= {"n_positive": _ids([1] * n), "n_negative": _ids([1] * n)}
    users = {name: _ids(range(N_USERS)) for name in ("user_id", "source_user_id", "n_positive", "n_negative")}
    pairs = {"user_id": _ids(np.repeat(range(N_USERS), 2)), "item_id": _ids(np.tile([0, 1], N_USERS))}
    pairs |= {"reward": pa.array([0, 1] * N_USERS, pa.int8()), "rating": pa.array([1.0, 5.0] * N_USERS, pa.float32())}
    pairs |= {"timestamp": _ids([0] * 2 * N_USERS)}

    def write(out: Attempt) -> None:
        for name, columns in (("interactions", pairs), ("items", items), ("users", users)):
            out.write_table(name, f"movielens.{name}", pa.table(columns))

    config = {"positive_min": 5.0, "negative_max": 3.0, "balance": True, "seed": 3, "compat": []}
    run.commit("movielens/tables", "movielens.tables", config, {"dump": dump}, write)


def _texts(run: FinishedRun, keyword: str, text: str) -> None:
    prompts = add_prompts(run, [f"{keyword} {a}" for a in range(N_ACTIONS)])
    rows = [(i, -1, f"{text} {i}") for i in range(N_ITEMS)]
    rows += [(i, a, f"{text} {i} {a}") for i in range(N_DESCRIBED) for a in range(N_ACTIONS)]
    item, prompt, texts = zip(*rows, strict=True)
    sentences = pa.table({"item_id": _ids(item), "prompt_id": _ids(prompt), "text": list(texts)})
    run.commit(
        "movielens/sentences",
        "generate.descriptions",
        {"n_items": N_DESCRIBED},
        {"items": run.artifacts["movielens/tables"], "prompts": prompts},
        lambda out: out.write_table("sentences", "movielens.sentences", sentences),
    )


def add_prompts(run: FinishedRun, words: list[str]) -> Artifact:
    table = pa.table({"prompt_id": _ids(range(len(words))), "keyword": words})
    config = {"limit": len(words)}
    return run.commit(
        "prompts/keywords",
        "prompts.keywords",
        config,
        {},
        lambda out: out.write_table("prompts", "prompts.keywords", table),
    )


def _simulator(run: FinishedRun) -> None:
    empty = {"count": 0.0, "mean_probability": None, "positive_share": None}
    bins = [{"count": 9.0, "mean_probability": 0.1 * b + 0.05, "positive_share": 0.5} for b in range(9)] + [empty]
    model = {"auc": 0.7, "mse": 0.21, "log_loss": 0.61, "calibration_error": 0.03, "calibration": bins}
    models = dict.fromkeys(("text", "cf", "popularity"), model)
    quality = {"rows": {"train": 70, "val": 20, "test": 10}, "models": models, "curves": {}}
    inputs = {"interactions": run.artifacts["movielens/tables"], "sentences": run.artifacts["movielens/sentences"]}
    run.commit(
        "opl/simulator", "opl.simulator", {"dim": 4}, inputs, lambda out: out.write_json("quality.json", quality)
    )
    inputs = {"simulator": run.artifacts["opl/simulator"]}
    run.commit("opl/embeddings", "opl.embeddings", {"dim": 4}, inputs, lambda out: out.write_json("x", 1))


def _environment(run: FinishedRun, rng: np.random.Generator) -> None:
    item = rng.integers(N_DESCRIBED, size=N_CONTEXTS)
    split = np.where(run.is_test, "test", "train").tolist()
    contexts = {"context_id": _ids(range(N_CONTEXTS)), "split": split, "user_id": _ids(run.user), "item_id": _ids(item)}
    features = {
        "context": rng.normal(size=(N_CONTEXTS, 3)).astype(np.float32),
        "prompts": rng.normal(size=(N_ACTIONS, 2)).astype(np.float32),
        "sentences": rng.normal(size=(N_DESCRIBED, N_ACTIONS, 2)).astype(np.float32),
        "item_row": item.astype(np.int64),
    }

    def write(out: Attempt) -> None:
        out.write_table("contexts", "opl.contexts", pa.table(contexts))
        save_file({"expected_reward": run.rewards}, out.path("rewards.safetensors"))
        save_file(features, out.path("features.safetensors"))

    inputs = {"simulator": run.artifacts["opl/simulator"], "interactions": run.artifacts["movielens/tables"]}
    run.commit("opl/environment", "opl.environment", {"scale": 10.0}, inputs, write)


def _learned(run: FinishedRun, rng: np.random.Generator) -> None:
    context = rng.choice(np.flatnonzero(~run.is_test), size=N_ROUNDS)
    action = np.array([rng.choice(N_ACTIONS, p=run.logging[c]) for c in context])
    rounds = {"round_id": _ids(range(N_ROUNDS)), "context_id": _ids(context), "action": _ids(action)}
    rounds |= {"reward": run.rewards[context, action].astype(float), "pscore": run.logging[context, action]}

    def write(out: Attempt) -> None:
        out.write_table("rounds", "opl.rounds", pa.table(rounds))
        save_file({"action_dist": run.logging}, out.path("logging.safetensors"))

    log = run.commit("opl/log", "opl.log", {"beta": 0.2}, {"environment": run.artifacts["opl/environment"]}, write)
    for method, action_dist in run.policies.items():
        add_policy(run, method, action_dist, [] if method == "online" else [log])


def add_policy(
    run: FinishedRun, method: str, action_dist: np.ndarray, log: Sequence[Artifact] = (), **config: object
) -> Artifact:
    points = [{"step": 10.0 * i, "train_loss": None, "estimate": 0.1 * i, "test_value": 0.12 * i} for i in range(4)]
    curve = {"method": method, "metrics": {"selected_step": 20.0, "value": 0.24}, "points": points}

    def write(out: Attempt) -> None:
        save_file({"action_dist": np.ascontiguousarray(action_dist)}, out.path("policy.safetensors"))
        out.write_json("curve.json", curve)

    inputs = {"environment": run.artifacts["opl/environment"]} | ({"log": log} if log else {})
    return run.commit(f"opl/policy/{method}", "opl.learn", {"method": method, "n_steps": 30, **config}, inputs, write)
