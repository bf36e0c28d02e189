from __future__ import annotations

import json
import logging
import time
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from tasks.generate.base import GenerationError, Message, Sampling, Usage
from tasks.generate.openai_backend import OpenAIGenerator, retry_after, shown_url

KEY = "sk-very-secret"


def client(url: str, **settings) -> OpenAIGenerator:
    values = {"model": "m", "first_pause_s": 0.01, "tries": 3, "timeout_s": 5.0} | settings
    return OpenAIGenerator(url=url, **values)


def chats(n: int) -> list[tuple[Message, ...]]:
    return [(Message("user", f"q{i}"),) for i in range(n)]


def test_chats_and_texts_go_where_they_belong(serve):
    server = serve()
    sampling = Sampling(max_new_tokens=9, temperature=0.5, seed=3, stop=("\n",), frequency_penalty=0.5)
    answers = list(client(server.url, api_key=SecretStr(KEY)).generate([*chats(1), "plain"], sampling))
    assert sorted(answers) == [(0, "re: q0", Usage(7, 2)), (1, "re: plain", Usage(7, 2))]
    assert sorted(server.paths) == ["/v1/chat/completions", "/v1/completions"]
    body = next(request for request in server.requests if "messages" in request)
    assert body == {
        "model": "m",
        "messages": [{"role": "user", "content": "q0"}],
        "max_tokens": 9,
        "temperature": 0.5,
        "top_p": 1.0,
        "seed": 3,
        "stop": ["\n"],
        "frequency_penalty": 0.5,
    }
    assert {headers["authorization"] for headers in map(_lower, server.headers)} == {f"Bearer {KEY}"}


def _lower(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def test_every_prompt_is_answered_once_and_few_at_a_time(serve):
    server = serve(delay_s=0.03)
    answers = list(client(server.url, concurrency=4).generate(chats(30), Sampling()))
    assert sorted(at for at, _, _ in answers) == list(range(30))
    assert all(text == f"re: q{at}" for at, text, _ in answers)
    assert sum((usage for _, _, usage in answers), Usage()) == Usage(210, 60)
    assert 2 <= server.most_at_once <= 4 and len(server.requests) == 30


def test_no_key_no_header(serve):
    server = serve()
    list(client(server.url).generate(chats(1), Sampling()))
    assert "authorization" not in _lower(server.headers[0])


PASSING = {
    "500": (500, {}, b"oops"),
    "503": (503, {}, b""),
    "429": (429, {}, b"slow down"),
    "no JSON": (200, {}, b"<html>hello</html>"),
    "no choices": (200, {}, b'{"choices": []}'),
    "choices missing": (200, {}, b'{"ok": true}'),
    "cut off": (200, {}, b'{"choices": [{"mess'),
    "wrong type": (200, {}, b'{"choices": "many"}'),
    "silence": 1.5,
}


@pytest.mark.parametrize("fault", PASSING)
def test_a_passing_fault_is_tried_again(serve, fault):
    server = serve([PASSING[fault], PASSING[fault]])
    (answer,) = client(server.url, timeout_s=0.4).generate(chats(1), Sampling())
    assert answer.text == "re: q0" and len(server.requests) == 3


LASTING = {
    "500": r"at last with: HTTP 500: oops; see that the server runs",
    "429": r"HTTP 429: slow down",
    "no JSON": r"an answer that is no completion \(body: Invalid JSON",
    "no choices": r"an answer without choices",
    "choices missing": r"an answer that is no completion \(choices: Field required",
    "silence": r"no answer within 0.4 s",
}


@pytest.mark.parametrize("fault", LASTING)
def test_a_lasting_fault_is_told_in_one_line(serve, fault):
    server = serve([PASSING[fault]] * 3)
    with pytest.raises(GenerationError, match=rf"{server.url} failed 3 times, .*{LASTING[fault]}") as caught:
        list(client(server.url, timeout_s=0.4).generate(chats(1), Sampling()))
    assert "\n" not in str(caught.value) and len(server.requests) == 3


def test_nobody_there_is_told():
    with pytest.raises(GenerationError, match=r"http://127\.0\.0\.1:9/v1 failed 3 times, at last with: ConnectError"):
        list(client("http://127.0.0.1:9/v1").generate(chats(3), Sampling()))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_is_not_tried_again(serve, status):
    server = serve([(status, {}, f'{{"error": "Incorrect API key: {KEY}\n bad"}}'.encode())])
    with pytest.raises(
        GenerationError, match=rf"refused with HTTP {status}: .*\*\*\*.*check runtime.llm_url"
    ) as caught:
        list(client(server.url, api_key=SecretStr(KEY)).generate(chats(1), Sampling()))
    assert KEY not in str(caught.value) and len(server.requests) == 1


def test_the_key_is_nowhere_to_be_seen(serve, caplog):
    server = serve([(500, {}, KEY.encode())] * 2)
    made = client(server.url, api_key=SecretStr(KEY))
    with caplog.at_level(logging.DEBUG):
        list(made.generate(chats(1), Sampling()))
    assert KEY not in caplog.text and "HTTP 500" in caplog.text
    assert KEY not in repr(made) and KEY not in repr(made.identity)


def test_retry_after_is_obeyed(serve):
    server = serve([(429, {"Retry-After": "1"}, b"")])
    started = time.monotonic()
    list(client(server.url).generate(chats(1), Sampling()))
    assert time.monotonic() - started >= 1.0


def test_retry_after_in_both_spellings():
    now = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
    assert retry_after("2.5", now) == 2.5
    assert retry_after("Thu, 01 Jan 2026 12:00:30 GMT", now) == 30
    assert retry_after("Thu, 01 Jan 2026 11:00:00 GMT", now) == 0
    assert retry_after("soon", now) is None and retry_after(None, now) is None


def test_finished_answers_come_before_the_failure(serve):
    server = serve()
    answers = iter(client(server.url, concurrency=1).generate(chats(5), Sampling()))
    got = [next(answers), next(answers)]
    server.replies += [(400, {}, b"no")] * 3
    with pytest.raises(GenerationError):
        got.extend(answers)
    assert [answer.text for answer in got[:2]] == ["re: q0", "re: q1"]


def test_leaving_early_ends_what_is_in_flight(serve):
    server = serve(delay_s=0.05)
    answers = client(server.url, concurrency=4).generate(chats(100), Sampling())
    next(answers)
    answers.close()
    time.sleep(0.2)
    asked = len(server.requests)
    assert asked < 20
    time.sleep(0.2)
    assert len(server.requests) == asked


def test_an_empty_answer_is_an_answer(serve):
    body = {"choices": [{"message": {"content": None}}], "usage": {"prompt_tokens": 1, "completion_tokens": 0}}
    server = serve([(200, {}, json.dumps(body).encode())])
    assert list(client(server.url).generate(chats(1), Sampling())) == [(0, "", Usage(1, 0))]


def test_missing_usage_is_told_once(serve, caplog):
    body = json.dumps({"choices": [{"message": {"content": "x"}}]}).encode()
    server = serve([(200, {}, body)] * 3)
    with caplog.at_level(logging.WARNING):
        assert [answer.usage for answer in client(server.url).generate(chats(3), Sampling())] == [Usage()] * 3
    assert caplog.text.count("reports no token usage") == 1


def test_stop_strings_hold_where_a_server_ignores_them(serve):
    server = serve()
    (answer,) = client(server.url).generate(["one\ntwo"], Sampling(stop=("\n",)))
    assert answer.text == "re: one"


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://host/v1", "http://"])
def test_no_address_is_refused(url):
    with pytest.raises(GenerationError, match="is no address"):
        client(url)


def test_secrets_in_an_address_are_not_shown():
    assert shown_url("https://me:pw@host:8000/v1?key=1#x") == "https://host:8000/v1"
