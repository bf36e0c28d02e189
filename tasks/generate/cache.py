"""The sentence cache: every text that was generated before, in one SQLite file that processes share.

Write-ahead logging lets readers and one writer work side by side, and a killed process loses only what it had not yet
committed. It needs a local disk: SQLite's locks do not hold on network file systems.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from store.errors import UserError
from tasks.generate.base import Identity, Prompt, Sampling, Usage

_SCHEMA = """
CREATE TABLE IF NOT EXISTS texts (
    key TEXT PRIMARY KEY,
    text TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    new_tokens INTEGER NOT NULL
) WITHOUT ROWID
"""
_VERSION = 1
_KEYS_A_QUERY = 500
_WAIT_S = 60.0


class CacheError(UserError):
    """The sentence cache cannot be used."""


@dataclass(frozen=True)
class CachedText:
    """A stored text as the model gave it, and the tokens it cost when it was made."""

    text: str
    usage: Usage


def cache_key(identity: Identity, sampling: Sampling, template: str, prompt: Prompt) -> str:
    """sha256 over everything that the text depends on, in canonical JSON."""
    messages = prompt if isinstance(prompt, str) else [asdict(message) for message in prompt]
    value = {
        "identity": asdict(identity),
        "sampling": sampling.model_dump(mode="json"),
        "template": template,
        "prompt": messages,
    }
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class SentenceCache:
    """Texts by key. Use it as a context manager.

    Raises:
        CacheError: from every method, when the file is no cache, is damaged, stays locked, or its disk is full.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._explained():
            self._database = sqlite3.connect(path, timeout=_WAIT_S, isolation_level=None)
            # SQLite does not wait its timeout for the change to WAL, so two first openers must not meet.
            with path.with_name(f"{path.name}.lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                self._open()

    def _open(self) -> None:
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")  # a power cut may cost the last texts, never the file
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        if version not in (0, _VERSION):
            raise CacheError(
                f"sentence cache {self.path}: it has layout {version} and this version knows {_VERSION}; "
                "update Lampworks, or move the file away and texts are generated anew"
            )
        self._database.execute(_SCHEMA)
        self._database.execute(f"PRAGMA user_version={_VERSION}")

    def __enter__(self) -> SentenceCache:
        return self

    def __exit__(self, *error: object) -> None:
        self._database.close()

    def get(self, keys: Sequence[str]) -> dict[str, CachedText]:
        """The stored ones among the keys."""
        with self._explained():
            return {key: text for start in range(0, len(keys), _KEYS_A_QUERY) for key, text in self._some(keys, start)}

    def _some(self, keys: Sequence[str], start: int) -> Iterator[tuple[str, CachedText]]:
        some = keys[start : start + _KEYS_A_QUERY]
        marks = ",".join("?" * len(some))
        query = f"SELECT key, text, prompt_tokens, new_tokens FROM texts WHERE key IN ({marks})"
        for key, text, prompt_tokens, new_tokens in self._database.execute(query, list(some)):
            yield key, CachedText(text, Usage(prompt_tokens, new_tokens))

    def put(self, texts: Mapping[str, CachedText]) -> None:
        """Commits texts in one transaction. A key that another process filled first keeps that process's text."""
        rows = [(key, text.text, text.usage.prompt_tokens, text.usage.new_tokens) for key, text in texts.items()]
        with self._explained():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                self._database.executemany("INSERT OR IGNORE INTO texts VALUES (?, ?, ?, ?)", rows)
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def __len__(self) -> int:
        with self._explained():
            (count,) = self._database.execute("SELECT count(*) FROM texts").fetchone()
            return int(count)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise CacheError(
                f"sentence cache {self.path}: {error}; see that its disk is local, writable and not full, "
                f"and that no other process holds it for over {_WAIT_S:.0f} s"
            ) from error
        except sqlite3.DatabaseError as error:
            raise CacheError(
                f"sentence cache {self.path}: damaged ({error}); move the file away and run again: "
                "its texts are generated anew"
            ) from error
