"""Texts from any OpenAI-compatible server (vLLM, SGLang, a hosted one), many requests at a time."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, SecretStr, ValidationError

from tasks.generate.base import Generation, GenerationError, Identity, Prompt, Sampling, Usage, cut_at_stop

_RETRIED = frozenset({408, 409, 425, 429})
_LONGEST_PAUSE_S = 60.0
_LONGEST_RETRY_AFTER_S = 600.0


class _Message(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Message | None = None
    text: str | None = None


class _Usage(BaseModel):
    prompt_tokens: int
    completion_tokens: int


class _Reply(BaseModel):
    """The part of a server's answer that is read; the rest is ignored."""

    choices: tuple[_Choice, ...]
    usage: _Usage | None = None


class _Retry(Exception):
    """The attempt failed in a way that may pass."""

    def __init__(self, reason: str, after_s: float | None = None) -> None:
        super().__init__(reason)
        self.after_s = after_s


def shown_url(url: str) -> str:
    """The address without user, password, query and fragment."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for, given in seconds or as a date; None when absent or unreadable."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (ValueError, TypeError):  # no date, or one without a time zone
        return None


@dataclass
class OpenAIGenerator:
    """Asks `url`/chat/completions (chats) or `url`/completions (plain prompts).

    Attributes:
        url: base address, as in `http://host:8000/v1`.
        model: name under which the server knows the model.
        revision: tells versions of the model apart in the cache.
        api_key: sent as a bearer token; never logged, stored or shown.
        concurrency: requests in flight at most.
        timeout_s: seconds one request may take.
        tries: attempts a request, the first included.
        first_pause_s: before the second attempt; doubled after each, and varied by half so that clients part.
    """

    url: str
    model: str
    revision: str = ""
    api_key: SecretStr | None = None
    concurrency: int = 32
    timeout_s: float = 120.0
    tries: int = 6
    first_pause_s: float = 1.0
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("lampworks.generate"))

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise GenerationError(f"llm_url {shown_url(self.url)!r} is no address; write it as in http://host:8000/v1")
        self._jitter = random.Random()  # waits only; no text depends on it
        self._warned = False

    @property
    def identity(self) -> Identity:
        """Model and revision as configured; the server's address does not change a text."""
        return Identity(self.model, self.revision, "openai", "")

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> Iterator[Generation]:
        """See `TextGenerator`; drives its own event loop.

        Raises:
            GenerationError: a request was refused, or failed in all its tries.
        """
        loop = asyncio.new_event_loop()
        answers = self._answers(prompts, sampling)
        try:
            while True:
                try:
                    yield loop.run_until_complete(anext(answers))
                except StopAsyncIteration:
                    return
        finally:
            loop.run_until_complete(_wind_up(answers))
            loop.close()

    async def _answers(self, prompts: Sequence[Prompt], sampling: Sampling) -> AsyncGenerator[Generation]:
        headers = {"Authorization": f"Bearer {self.api_key.get_secret_value()}"} if self.api_key else {}
        limits = httpx.Limits(max_connections=self.concurrency, max_keepalive_connections=self.concurrency)
        waiting = iter(enumerate(prompts))
        running: set[asyncio.Task[Generation]] = set()
        async with httpx.AsyncClient(headers=headers, timeout=self.timeout_s, limits=limits) as client:
            try:
                while True:
                    while len(running) < self.concurrency and (entry := next(waiting, None)) is not None:
                        running.add(asyncio.create_task(self._answer(client, *entry, sampling)))
                    if not running:
                        return
                    done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                    for task in sorted(done, key=lambda task: task.exception() is not None):  # good ones first
                        yield task.result()
            finally:
                for task in running:
                    task.cancel()
                await asyncio.gather(*running, return_exceptions=True)

    async def _answer(self, client: httpx.AsyncClient, at: int, prompt: Prompt, sampling: Sampling) -> Generation:
        for attempt in range(1, self.tries + 1):
            try:
                text, usage = await self._ask(client, prompt, sampling)
                return Generation(at, text, usage)
            except _Retry as failure:
                if attempt == self.tries:
                    raise GenerationError(
                        f"{shown_url(self.url)} failed {self.tries} times, at last with: {failure}; "
                        "see that the server runs and keeps up (runtime.llm_concurrency, runtime.llm_timeout_s), "
                        "then run again: finished texts are kept"
                    ) from None
                pause = self._pause(attempt, failure.after_s)
                self.log.info("%s: %s; trying again in %.1f s", shown_url(self.url), failure, pause)
                await asyncio.sleep(pause)
        raise AssertionError("unreachable")

    def _pause(self, attempt: int, after_s: float | None) -> float:
        pause = min(_LONGEST_PAUSE_S, self.first_pause_s * 2.0 ** (attempt - 1)) * self._jitter.uniform(0.5, 1.5)
        return pause if after_s is None else min(after_s, _LONGEST_RETRY_AFTER_S) + 0.1 * pause

    async def _ask(self, client: httpx.AsyncClient, prompt: Prompt, sampling: Sampling) -> tuple[str, Usage]:
        path, body = self._request(prompt, sampling)
        try:
            # httpx limits each read; a server that drips bytes would still hang without the outer limit.
            async with asyncio.timeout(self.timeout_s):
                response = await client.post(self.url.rstrip("/") + path, json=body)
        except (httpx.TimeoutException, TimeoutError):
            raise _Retry(f"no answer within {self.timeout_s:g} s") from None
        except httpx.TransportError as error:
            raise _Retry(f"{type(error).__name__}: {self._shown(str(error))}") from None
        if response.status_code in _RETRIED or response.status_code >= 500:
            after = retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
            raise _Retry(f"HTTP {response.status_code}: {self._shown(response.text)}", after)
        if response.status_code != 200:
            raise GenerationError(
                f"{shown_url(self.url)} refused with HTTP {response.status_code}: {self._shown(response.text)}; "
                f"check runtime.llm_url, the model name {self.model} and LAMPWORKS_LLM_API_KEY"
            )
        return self._read(response, sampling)

    def _request(self, prompt: Prompt, sampling: Sampling) -> tuple[str, dict[str, object]]:
        body: dict[str, object] = {
            "model": self.model,
            "max_tokens": sampling.max_new_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": sampling.seed,
        }
        if sampling.frequency_penalty:
            body["frequency_penalty"] = sampling.frequency_penalty
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        if isinstance(prompt, str):
            return "/completions", body | {"prompt": prompt}
        return "/chat/completions", body | {"messages": [asdict(message) for message in prompt]}

    def _read(self, response: httpx.Response, sampling: Sampling) -> tuple[str, Usage]:
        try:
            reply = _Reply.model_validate_json(response.content)
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            where = ".".join(map(str, first["loc"])) or "body"
            raise _Retry(f"an answer that is no completion ({where}: {first['msg']})") from None
        if not reply.choices:
            raise _Retry("an answer without choices")
        choice = reply.choices[0]
        text = (choice.message.content if choice.message else choice.text) or ""
        if reply.usage is None and not self._warned:
            self._warned = True
            self.log.warning("%s reports no token usage; tokens are counted as 0", shown_url(self.url))
        usage = Usage(reply.usage.prompt_tokens, reply.usage.completion_tokens) if reply.usage else Usage()
        return cut_at_stop(text, sampling.stop), usage

    def _shown(self, text: str) -> str:
        """A server's words in one short line, without the key that some echo."""
        if self.api_key and self.api_key.get_secret_value():
            text = text.replace(self.api_key.get_secret_value(), "***")
        line = " ".join(text.split())
        return line if len(line) <= 200 else f"{line[:200]}…"


async def _wind_up(answers: AsyncGenerator[Generation]) -> None:
    """Ends what is in flight, also after an interrupt in the middle of a step."""
    mine = asyncio.current_task()
    rest = [task for task in asyncio.all_tasks() if task is not mine]
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    await answers.aclose()
