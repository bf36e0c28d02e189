from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tasks.api import Runtime, TaskError
from tasks.prompts.keywords import builtin
from tasks.prompts.relatedwords import Manners, ScrapeError, parse, scrape
from tasks.runner import prepare, run_job

LOG = logging.getLogger("test")
# A page as the site serves it: related words are anchors with data-href, among anchors that are none.
PAGE = """<!doctype html><html><head><title>Words related to {seed}</title></head><body>
<a href="/">Home</a><a href="/about" class="nav">About</a>
<div id="words"><span class="words">
<a class="item" href="/{seed}-film" data-href="/{seed}%20film">{seed} film</a>
<a class="item" href="/cinema" data-href="/cinema">cinema</a>
<a class="item" href="/r%26b" data-href="/r%26b">r&amp;b</a>
<a class="item" href="/cinema" data-href="/cinema">cinema</a>
</span></div><a data-href="/">empty</a></body></html>"""

Answer = tuple[int, str]


@pytest.fixture
def site() -> Iterator[Callable[[list[Answer] | None], str]]:
    """Starts a server that gives the listed answers first and good pages after; notes the paths asked for."""
    servers = []

    def start(first: list[Answer] | None = None) -> str:
        waiting = list(first or [])

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                paths.append(self.path)
                status, body = waiting.pop(0) if waiting else (200, PAGE.format(seed=self.path[1:]))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    paths: list[str] = []
    start.paths = paths  # type: ignore[attr-defined]
    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def _patient(slept: list[float]) -> Manners:
    return Manners(timeout_s=2, tries=3, back_off_s=1, delay_s=3, sleep=slept.append)


def test_words_come_in_order_decoded_and_once():
    assert parse(PAGE.format(seed="movie")) == ["movie film", "cinema", "r&b"]


def test_seeds_are_scraped_one_after_the_other_with_a_pause(site):
    slept: list[float] = []
    words = scrape(site(), ["movie", "genre"], LOG, _patient(slept))
    assert words == ["movie film", "cinema", "r&b", "genre film"] and slept == [3]
    assert site.paths == ["/movie", "/genre"]


def test_a_passing_fault_is_tried_again_with_back_off(site):
    slept: list[float] = []
    address = site([(500, "oops"), (429, "slow down")])
    assert scrape(address, ["movie"], LOG, _patient(slept))[0] == "movie film"
    assert slept == [1, 2]


@pytest.mark.parametrize(
    ("answers", "words", "asked"),
    [
        ([(500, ""), (500, ""), (500, "")], r"/movie: status 500; check the address", 3),
        ([(404, "")], r"/movie: status 404", 1),
        ([(200, "<html>nothing here</html>")], r"/movie: no related word on the page", 1),
    ],
)
def test_a_lasting_fault_names_the_page(site, answers, words, asked):
    with pytest.raises(ScrapeError, match=words):
        scrape(site(answers), ["movie"], LOG, _patient([]))
    assert len(site.paths) == asked


def test_no_server_is_told_in_one_line():
    with pytest.raises(ScrapeError, match=r"127.0.0.1:9/movie: ConnectError.*use source: builtin") as caught:
        scrape("http://127.0.0.1:9", ["movie"], LOG, _patient([]))
    assert "\n" not in str(caught.value)


def test_our_own_list_is_long_and_clean():
    words = builtin()
    assert len(words) >= 200 and len(words) == len({word.lower() for word in words})


def test_the_task_writes_a_table_that_passes_the_gate(local, site):
    for config in ({"limit": 5}, {"source": "relatedwords", "seeds": ["movie"], "address": site()}):
        artifact = run_job(prepare("prompts.keywords", config, {}), local, Runtime()).artifact
        run_job(prepare("gate", {}, {"subject": [artifact]}), local, Runtime())
    assert artifact.table("prompts").read().column("keyword").to_pylist() == ["movie film", "cinema", "r&b"]


def test_too_few_keywords_and_no_network_are_told(local):
    with pytest.raises(TaskError, match="limit is 100000 but builtin has"):
        run_job(prepare("prompts.keywords", {"limit": 100_000}, {}), local, Runtime())
    with pytest.raises(TaskError, match="needs the network"):
        run_job(prepare("prompts.keywords", {"source": "relatedwords"}, {}), local, Runtime(offline=True))
