"""A user's own data on their way through the tasks: what opl.export writes comes back as it was."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from store import Artifact, Store
from tasks.api import Runtime, TaskError
from tasks.opl.contract import EMBEDDINGS, MATRIX, PCA, PROMPTS_CSV
from tasks.registry import TASKS
from tasks.runner import prepare, run_job, verdict_of
from tests.tasks.opl.custom_folder import custom_folder, interactions, tensor
from tests.tasks.opl.made_pipeline import corpus, run_task

Made = dict[str, Artifact]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store.open(str(tmp_path_factory.mktemp("store")))


@pytest.fixture(scope="module")
def made(store: Store) -> Made:
    """A pipeline up to the export, and what opl.custom makes of that."""
    found = corpus(store)
    tables, prompts = found["movielens/tables"], found["prompts/keywords"]
    given = {"interactions": tables.table("interactions"), "users": tables.table("users")} | texts(found, tables)
    config = {"n_epochs": 2, "n_views": 1, "dim": 4}
    found["opl/simulator"] = run_task(store, "opl.simulator", config, encoder=found["sources/encoder"], **given)
    found["opl/embeddings"] = embed(store, found, tables, prompts)
    found["opl/export"] = export(store, found, tables, prompts, found["opl/embeddings"])
    return found | {"opl/custom": take(store, found["opl/export"].dir())}


def take(store: Store, folder: Path) -> Artifact:
    return run_job(prepare("opl.custom", {"folder": str(folder)}, {}), store, Runtime(threads=1)).artifact


def texts(made: Made, tables: Artifact) -> dict[str, object]:
    return {"items": tables.table("items"), "sentences": made["movielens/sentences"].table("sentences")}


def embed(store: Store, made: Made, tables: Artifact, prompts: Artifact, **given: object) -> Artifact:
    inputs = texts(made, tables) | {"prompts": prompts.table("prompts"), "simulator": made["opl/simulator"]}
    config = {"dim": 4, "users": given.pop("users", "text")}
    return run_task(store, "opl.embeddings", config, encoder=made["sources/encoder"], **inputs, **given)


def export(store: Store, made: Made, tables: Artifact, prompts: Artifact, embeddings: Artifact) -> Artifact:
    inputs = texts(made, tables) | {"prompts": prompts.table("prompts"), "simulator": made["opl/simulator"]}
    interactions = tables.table("interactions")
    return run_task(store, "opl.export", {}, interactions=interactions, embeddings=embeddings, **inputs)


def columns(artifact: Artifact, table: str, *names: str) -> list[tuple[object, ...]]:
    data = artifact.table(table).read(names)
    return sorted(zip(*(data[name].to_pylist() for name in names), strict=True))


def test_tables_come_back_as_they_were_exported(made: Made) -> None:
    own, tables = made["opl/custom"], made["movielens/tables"]
    pairs = columns(own, "interactions", "user_id", "item_id", "reward")
    assert pairs == columns(tables, "interactions", "user_id", "item_id", "reward")
    assert columns(own, "items", "item_id", "title") == columns(tables, "items", "item_id", "title")
    words = columns(own, "prompts", "prompt_id", "keyword")
    assert words == columns(made["prompts/keywords"], "prompts", "prompt_id", "keyword")
    users = columns(own, "users", "user_id", "n_positive", "n_negative")
    assert users == [
        (u, *(sum(pair[0] == u and pair[2] == reward for pair in pairs) for reward in (1, 0))) for u in range(30)
    ]


def test_the_gate_holds_them_and_they_are_not_passed_on(store: Store, made: Made) -> None:
    own = made["opl/custom"]
    run_job(prepare("gate", {}, {"subject": [own]}), store, Runtime(threads=1))
    assert verdict_of(store, own) is not None
    assert own.manifest.redistribute == "no" and own.manifest.personal


def test_embeddings_are_taken_as_they_are(made: Made, tmp_path: Path) -> None:
    """With the tables, vectors and PCA of the export, everything but the sentences is equal; those but for rounding."""
    store = Store.open(str(tmp_path))
    own = made["opl/custom"]
    again = embed(store, made, own, own, custom=own)
    for file in ("embeddings.safetensors", "pca.safetensors"):
        ours, theirs = (load_file(artifact.path(file)) for artifact in (again, made["opl/embeddings"]))
        assert set(ours) == set(theirs)
        for name in ours:
            assert np.allclose(ours[name], theirs[name], atol=1e-5 if name == "sentences" else 0), name
    files = [export(store, made, own, own, again), made["opl/export"]]
    first, second = ({f.path: f.sha256 for f in artifact.manifest.files} for artifact in files)
    assert first == second


def test_what_is_not_given_is_made(made: Made, tmp_path: Path) -> None:
    """One's own users (of another size) and prompts, without their PCA; the rest is embedded as without them."""
    store, folder = Store.open(str(tmp_path / "store")), tmp_path / "folder"
    shutil.copytree(made["opl/export"].dir(), folder)
    for name in (*EMBEDDINGS.values(), *PCA.values()):
        (folder / f"{name}.safetensors").unlink()
    tensor(folder, EMBEDDINGS["users_cf"], (30, 7), value=0.25)
    tensor(folder, EMBEDDINGS["prompts"], (6, 9), value=0.75)
    own = take(store, folder)
    again = embed(store, made, own, own, custom=own, users="cf")
    ours, theirs = (load_file(a.path("embeddings.safetensors")) for a in (again, made["opl/embeddings"]))
    assert np.array_equal(ours["users"], np.full((30, 7), 0.25)) and np.array_equal(
        ours["prompts"], np.full((6, 9), 0.75)
    )
    assert np.array_equal(ours["queries"], theirs["queries"]) and np.array_equal(ours["sentences"], theirs["sentences"])
    assert "prompt_matrix" not in load_file(again.path("pca.safetensors"))
    assert set(again.manifest.made_by.metrics) == {"query_variance_kept", "sentence_variance_kept"}
    written = export(store, made, own, own, again).dir()
    assert not (written / f"{PCA['prompt']}.safetensors").exists()
    assert np.array_equal(load_file(written / f"{EMBEDDINGS['users_cf']}.safetensors")["embeddings"], ours["users"])

    inputs = {"interactions": own.table("interactions"), "sentences": made["movielens/sentences"].table("sentences")}
    inputs |= {"simulator": made["opl/simulator"], "encoder": made["sources/encoder"], "embeddings": again}
    environment = run_task(store, "opl.environment", {}, **inputs)
    features = load_file(environment.path("features.safetensors"))
    assert features["context"].shape[1] == 7 + 4 and features["prompts"].shape == (6, 9)


def test_vectors_that_do_not_fit_are_refused(made: Made, tmp_path: Path) -> None:
    tables, prompts = made["movielens/tables"], made["prompts/keywords"]
    store, foreign = Store.open(str(tmp_path / "store")), custom_folder(tmp_path)
    (foreign / f"{EMBEDDINGS['users_text']}.safetensors").unlink()
    with pytest.raises(
        TaskError, match="custom: it has 2 vectors of queries and there are 12; give its own tables too"
    ):
        embed(store, made, tables, prompts, custom=take(store, foreign))
    tensor(foreign, EMBEDDINGS["users_cf"], (2, 4))
    with pytest.raises(TaskError, match="user vectors of cf, not of text; set users of opl.embeddings to cf"):
        embed(store, made, tables, prompts, custom=take(store, foreign))
    for name in EMBEDDINGS.values():
        (foreign / f"{name}.safetensors").unlink(missing_ok=True)
    tensor(foreign, PCA["query"], (9, 5), MATRIX)
    with pytest.raises(
        TaskError, match=r"the query PCA has shape \(9, 5\) but the encoder's states have 16 dimensions"
    ):
        embed(store, made, tables, prompts, custom=take(store, foreign))


def test_the_key_is_that_of_the_files(tmp_path: Path) -> None:
    folder = custom_folder(tmp_path)

    def key(**values: str) -> str:
        return prepare("opl.custom", {"folder": str(folder), **values}, {}).key

    first = prepare("opl.custom", {"folder": str(folder)}, {})
    (folder / "notes.txt").write_text("not one of the files")
    assert key(**first.config.model_dump()) == first.key
    keys = {first.key}
    tensor(folder, EMBEDDINGS["queries"], (2, 5), value=0.25)
    keys.add(key())
    interactions(folder, (0, 0, 0), (1, 1, 1))
    keys.add(key())
    (folder / f"{EMBEDDINGS['users_cf']}.pt").write_bytes(b"not converted")
    keys.add(key())
    (folder / PROMPTS_CSV).unlink()
    keys.add(key())
    assert len(keys) == 5
    with pytest.raises(TaskError, match=r"opl.custom: .*is not that of the files in .*; leave it out"):
        key(sha256=first.config.model_dump()["sha256"])


def test_a_folder_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"opl.custom: .*/none is no directory; give the one that holds the files"):
        prepare("opl.custom", {"folder": str(tmp_path / "none")}, {})
    with pytest.raises(TaskError, match="opl.custom: folder: Field required"):
        prepare("opl.custom", {}, {})


def test_every_reader_of_the_tables_takes_them() -> None:
    for name, spec in TASKS.items():
        for port, rule in spec.ports.items():
            if rule.takes("movielens/tables") or rule.takes("prompts/keywords"):
                assert rule.takes("opl/custom"), f"{name}: {port}"
                assert not rule.takes("opl/export") or rule.artifact == "*"
