"""Texts for many requests: equal ones once, known ones from the cache, new ones kept as they come."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tasks.generate.base import Prompt, Sampling, TextGenerator, Usage
from tasks.generate.cache import CachedText, SentenceCache, cache_key

_COMMIT_TEXTS = 16
_COMMIT_S = 2.0


@dataclass(frozen=True)
class Request:
    """A prompt, and the id (name and version) of the template that made it."""

    prompt: Prompt
    template: str


@dataclass(frozen=True)
class Text:
    """A generated text, its cache key, what it cost when it was made, and whether it was known before."""

    key: str
    text: str
    usage: Usage
    cached: bool


class _Writer:
    """Commits texts in small groups, so that a kill costs a few of them and the disk is not synced for each."""

    def __init__(self, cache: SentenceCache) -> None:
        self._cache = cache
        self._waiting: dict[str, CachedText] = {}
        self._since = time.monotonic()

    def add(self, key: str, text: CachedText) -> None:
        self._waiting[key] = text
        if len(self._waiting) >= _COMMIT_TEXTS or time.monotonic() - self._since >= _COMMIT_S:
            self.flush()

    def flush(self) -> None:
        if self._waiting:
            self._cache.put(self._waiting)
        self._waiting = {}
        self._since = time.monotonic()


def generate_texts(
    requests: Sequence[Request],
    generator: TextGenerator,
    sampling: Sampling,
    cache: SentenceCache,
    progress: Callable[[int], None] = lambda done: None,
) -> list[Text]:
    """One text for each request, in their order.

    Args:
        requests: equal ones are generated once.
        generator: writes the texts that the cache lacks.
        sampling: how.
        cache: read first; filled while texts come, also when the generator fails on the way.
        progress: called with the number of distinct texts newly at hand.

    Raises:
        GenerationError: the generator failed; what it finished is in the cache.
        CacheError: the cache cannot be used.
    """
    keys = [cache_key(generator.identity, sampling, request.template, request.prompt) for request in requests]
    distinct = dict(zip(keys, requests, strict=True))
    known = cache.get(list(distinct))
    missing = [key for key in distinct if key not in known]
    progress(len(known))
    blank = _generate(missing, distinct, generator, sampling, cache, progress)
    texts = known | blank | cache.get(missing)  # not our own copies: another process may have been first
    return [Text(key, texts[key].text, texts[key].usage, key in known) for key in keys]


def _generate(
    missing: Sequence[str],
    requests: dict[str, Request],
    generator: TextGenerator,
    sampling: Sampling,
    cache: SentenceCache,
    progress: Callable[[int], None],
) -> dict[str, CachedText]:
    """Fills the cache; returns the blank texts, which are not kept, for a server may do better the next time."""
    blank: dict[str, CachedText] = {}
    if not missing:
        return blank
    writer = _Writer(cache)
    prompts = [requests[key].prompt for key in missing]
    try:
        for at, text, usage in generator.generate(prompts, sampling):
            if text.strip():
                writer.add(missing[at], CachedText(text, usage))
            else:
                blank[missing[at]] = CachedText(text, usage)
            progress(1)
    finally:
        writer.flush()
    return blank
