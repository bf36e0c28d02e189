"""The store: artifacts by name and key, on a disk or in a bucket.

Layout, the same everywhere:

    <name>/<key>/<attempt>/…files
    <name>/<key>/manifest.json      names the winning attempt; its creation is the commit
    pointers/<name>/<pointer>.json  moved by compare-and-swap, for people

Beside them, on the local disk alone: `.scratch/<name>/<key>` (a task's own, survives a kill) and `.cache` (shared by tasks).
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from store.artifact import Artifact, Attempt, verify_file
from store.backend import Backend, LocalBackend, disk_error
from store.digest import canonical_json
from store.errors import CorruptArtifactError, MissingArtifactError, StoreError
from store.manifest import FileEntry, Manifest, Provenance

RUN_FILE = "run.json"


class Store:
    """Artifacts below `root`, or in `backend` with `root` as the local copy of what was used."""

    def __init__(self, root: Path, backend: Backend | None = None) -> None:
        self.root = root
        self.backend: Backend = backend or LocalBackend(root)

    @classmethod
    def open(cls, url: str, cache: Path | None = None) -> Store:
        """Opens a directory, or `s3://bucket/prefix` with a local directory for what is used."""
        if not url.startswith("s3://"):
            return cls(Path(url).expanduser().resolve())
        from store.s3 import S3Backend

        return cls((cache or Path("~/.cache/lampworks")).expanduser().resolve(), S3Backend.open(url))

    def find(self, name: str, key: str) -> Artifact | None:
        """The committed artifact, or None."""
        data = self.backend.read(f"{name}/{key}/manifest.json")
        return None if data is None else self._artifact(data, f"{name}/{key}")

    def get(self, name: str, key: str) -> Artifact:
        """The committed artifact.

        Raises:
            MissingArtifactError: there is none.
        """
        found = self.find(name, key)
        if found is None:
            raise MissingArtifactError(
                f"{self.backend.url} has no {name}@{key[:12]}; `lampworks store ls {name}` shows what is there"
            )
        return found

    def resolve(self, address: str) -> Artifact:
        """The artifact that a person means by `name`, `name@keyprefix` or `name:pointer`; a bare name means `:latest`.

        Raises:
            MissingArtifactError: nothing fits, or more than one key does.
        """
        name, at, prefix = address.partition("@")
        if at:
            keys = sorted(
                {key for listed, key in self.addresses(f"{name}/") if listed == name and key.startswith(prefix)}
            )
            if len(keys) != 1:
                fits = f"{len(keys)} keys start with {prefix}" if keys else f"no key starts with {prefix}"
                raise MissingArtifactError(f"{name}: {fits} in {self.backend.url}; see `lampworks store ls {name}`")
            return self.get(name, keys[0])
        name, _, pointer = address.partition(":")
        key = self.pointed(name, pointer or "latest")
        if key is None:
            raise MissingArtifactError(f"{self.backend.url} has no {address}; see `lampworks store ls`")
        return self.get(name, key)

    def _artifact(self, data: bytes, where: str) -> Artifact:
        try:
            manifest = Manifest.model_validate_json(data)
        except ValidationError as error:
            first = error.errors()[0]
            raise CorruptArtifactError(
                f"{where}/manifest.json: {'.'.join(map(str, first['loc']))}: {first['msg']}; "
                "remove it with `lampworks store verify --remove`"
            ) from error
        return Artifact(manifest, self._locate)

    def _locate(self, manifest: Manifest, entry: FileEntry) -> Path:
        """The local path of a file, fetched first when it is only remote."""
        relative = f"{manifest.name}/{manifest.key}/{manifest.attempt}/{entry.path}"
        path = self.root / relative
        if not path.exists() and not isinstance(self.backend, LocalBackend):
            path.parent.mkdir(parents=True, exist_ok=True)
            aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
            self.backend.download(relative, aside)
            os.replace(verify_file(aside, entry, f"{manifest.name}@{manifest.key[:12]}"), path)
        return path

    def begin(self, name: str, key: str) -> Attempt:
        """A new directory to fill."""
        attempt = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{uuid.uuid4().hex[:8]}"
        root = self.root / name / key / attempt
        try:
            root.mkdir(parents=True)
        except OSError as error:
            raise disk_error(error, root) from error
        return Attempt(name, key, attempt, root)

    def commit(self, attempt: Attempt, made_by: Provenance, started: float) -> Artifact:
        """Makes the attempt the artifact, or returns the artifact of whoever was first.

        Args:
            attempt: the filled directory.
            made_by: what entered the key, and the run's metrics.
            started: `time.time()` at the start; the duration goes to `run.json`, which no digest covers.
        """
        files, tables, digest = attempt.close()
        manifest = Manifest(
            name=attempt.name,
            key=attempt.key,
            attempt=attempt.attempt,
            digest=digest,
            files=files,
            tables=tables,
            made_by=made_by,
        )
        base = f"{attempt.name}/{attempt.key}"
        for entry in files:
            self.backend.upload(f"{base}/{attempt.attempt}/{entry.path}", attempt.root / entry.path, entry.sha256)
        run = {"host": socket.gethostname(), "started": started, "seconds": round(time.time() - started, 3)}
        if self.backend.write(f"{base}/manifest.json", manifest_bytes(manifest), None):
            self.backend.write(f"{base}/{RUN_FILE}", canonical_json(run).encode(), None)
            return Artifact(manifest, self._locate)
        self.discard(attempt)
        for entry in files:
            self.backend.delete(f"{base}/{attempt.attempt}/{entry.path}")
        return self.get(attempt.name, attempt.key)

    def discard(self, attempt: Attempt) -> None:
        """Removes what a failed or beaten attempt wrote."""
        shutil.rmtree(attempt.root, ignore_errors=True)

    def run_of(self, artifact: Artifact) -> dict[str, object]:
        """Host, start and duration of the run that made the artifact; empty when it was pulled from elsewhere."""
        data = self.backend.read(f"{artifact.name}/{artifact.key}/{RUN_FILE}")
        run: dict[str, object] = json.loads(data) if data else {}
        return run

    @contextmanager
    def working(self, name: str, key: str) -> Iterator[Path]:
        """Holds the key's scratch directory against other processes of this machine; yields the directory."""
        scratch = self.root / ".scratch" / name / key
        try:
            scratch.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise disk_error(error, scratch) from error
        with scratch.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            scratch.mkdir(exist_ok=True)
            yield scratch

    @property
    def cache(self) -> Path:
        """The directory that tasks share and keep."""
        path = self.root / ".cache"
        path.mkdir(parents=True, exist_ok=True)
        return path

    def addresses(self, prefix: str = "") -> Iterator[tuple[str, str]]:
        """Name and key of every committed artifact whose path starts with the prefix."""
        for path in self.backend.list(prefix):
            if path.endswith("/manifest.json") and path.count("/") >= 2:
                name, key, _ = path.rsplit("/", 2)
                if not name.startswith("pointers/"):
                    yield name, key

    def pointed(self, name: str, pointer: str = "latest") -> str | None:
        """The key that a pointer names."""
        data = self.backend.read(f"pointers/{name}/{pointer}.json")
        return None if data is None else str(json.loads(data)["key"])

    def point(self, artifact: Artifact, pointer: str = "latest") -> None:
        """Moves a pointer to the artifact.

        Raises:
            StoreError: others kept moving it.
        """
        path = f"pointers/{artifact.name}/{pointer}.json"
        data = canonical_json({"key": artifact.key, "digest": artifact.digest}).encode()
        for _ in range(20):
            current = self.backend.read(path)
            if current == data or self.backend.write(path, data, current):
                return
        raise StoreError(f"the pointer {artifact.name}:{pointer} would not hold still; try again")


def manifest_bytes(manifest: Manifest) -> bytes:
    """The manifest's text, the same bytes wherever it is written."""
    return (json.dumps(manifest.model_dump(mode="json"), sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()
