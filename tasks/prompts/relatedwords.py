"""Scrapes relatedwords.io: one page a seed word, politely.

A related word is an `<a>` element with the attribute `data-href`; its value is the word's path, `/science%20fiction`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

import httpx
from bs4 import BeautifulSoup

from tasks.api import TaskError

_AGENT = "lampworks (research; one page every few seconds)"
_AGAIN = frozenset({429, 500, 502, 503, 504})


class ScrapeError(TaskError):
    """A page could not be had, or holds no related words."""


@dataclass(frozen=True)
class Manners:
    """How a site is asked: patience, persistence and politeness, in seconds."""

    timeout_s: float = 20.0
    tries: int = 4
    back_off_s: float = 2.0
    delay_s: float = 3.0
    sleep: Callable[[float], None] = time.sleep


def parse(page: str) -> list[str]:
    """The related words of a page, in its order, each once."""
    anchors = BeautifulSoup(page, "html.parser").find_all("a", attrs={"data-href": True})
    words = (" ".join(unquote(str(anchor["data-href"])).removeprefix("/").split()) for anchor in anchors)
    return list(dict.fromkeys(word for word in words if word))


def scrape(address: str, seeds: Sequence[str], log: logging.Logger, manners: Manners | None = None) -> list[str]:
    """The related words of all seeds, in order, each once.

    Raises:
        ScrapeError: a page could not be had in the given tries, or holds no related word; names its URL.
    """
    manners = manners or Manners()
    words: dict[str, None] = {}
    with httpx.Client(timeout=manners.timeout_s, headers={"User-Agent": _AGENT}, follow_redirects=True) as client:
        for i, seed in enumerate(seeds):
            if i:
                manners.sleep(manners.delay_s)
            url = f"{address.rstrip('/')}/{quote(seed)}"
            found = parse(_get(client, url, manners))
            if not found:
                raise ScrapeError(
                    f"{url}: no related word on the page (its layout may have changed); use source: builtin"
                )
            log.info("%s: %d related words", url, len(found))
            words |= dict.fromkeys(found)
    return list(words)


def _get(client: httpx.Client, url: str, manners: Manners) -> str:
    """One page; transient failures are tried again, each time after twice the wait."""
    problem = ""
    for attempt in range(manners.tries):
        if attempt:
            manners.sleep(manners.back_off_s * 2 ** (attempt - 1))
        try:
            answer = client.get(url)
        except httpx.TransportError as error:
            problem = f"{type(error).__name__} {error}".strip()
            continue
        if answer.status_code == httpx.codes.OK:
            return answer.text
        problem = f"status {answer.status_code}"
        if answer.status_code not in _AGAIN:
            break
    raise ScrapeError(f"{url}: {problem}; check the address and the network, or use source: builtin")
