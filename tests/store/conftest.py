from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from store import Artifact, Licence, Provenance, Store


@pytest.fixture
def local(tmp_path: Path) -> Store:
    return Store.open(str(tmp_path / "store"))


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """A fresh bucket's address."""
    import boto3

    for name, value in {
        "AWS_ENDPOINT_URL": s3_server,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    name = f"bucket-{tmp_path.name.lower().replace('_', '-')[:40]}"
    boto3.client("s3").create_bucket(Bucket=name)
    yield f"s3://{name}/lampworks"


@pytest.fixture
def make() -> Callable[..., Artifact]:
    """Commits an artifact of the given files."""

    def commit(
        store: Store, name: str, key: str, files: dict[str, str], *parents: Artifact, licence: Licence | None = None
    ):
        from store import InputEntry

        attempt = store.begin(name, key * 16 if len(key) == 1 else key)
        for path, text in files.items():
            attempt.path(path).write_text(text)
        inputs = {f"in{i}": [InputEntry(name=p.name, key=p.key, digest=p.digest)] for i, p in enumerate(parents)}
        licences = {x.model_dump_json(): x for p in parents for x in p.manifest.made_by.licences}
        if licence:
            licences[licence.model_dump_json()] = licence
        made_by = Provenance(task="t", version=1, config={}, inputs=inputs, licences=tuple(licences.values()))
        artifact = store.commit(attempt, made_by, time.time())
        store.point(artifact)
        return artifact

    return commit
