"""A tiny model with a chat template, a generator that thinks nothing, and a server that misbehaves on request."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM, PreTrainedTokenizerFast

from tasks.generate.base import Generation, Identity, Prompt, Sampling, Usage, plain

WORDS = [f"w{i}" for i in range(60)]
SPECIAL = ["<unk>", "<eos>", "<user>", "<bot>"]
CHAT = "{% for m in messages %}<user> {{ m['content'] }} {% endfor %}{% if add_generation_prompt %}<bot>{% endif %}"


def save_tiny(directory: Path, *, sliding: bool = False) -> Path:
    """Two layers, 64 units, random weights; words as tokens."""
    backend = Tokenizer(models.WordLevel({word: i for i, word in enumerate([*SPECIAL, *WORDS])}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>", eos_token="<eos>")
    tokenizer.add_special_tokens({"additional_special_tokens": ["<user>", "<bot>"]})
    tokenizer.chat_template = CHAT
    tokenizer.save_pretrained(directory)
    sizes = {
        "vocab_size": len(SPECIAL) + len(WORDS),
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "intermediate_size": 96,
        "max_position_embeddings": 128,
        "initializer_range": 0.4,
        "bos_token_id": None,
        "eos_token_id": 1,
    }
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = (
            MistralForCausalLM(MistralConfig(**sizes, sliding_window=4))
            if sliding
            else LlamaForCausalLM(LlamaConfig(**sizes))
        )
    model.save_pretrained(directory)
    return directory


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def tiny_sliding(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("tiny-sliding"), sliding=True)


@dataclass
class Echo:
    """Answers `<prompt>!`, last prompt first; notes what it was asked."""

    asked: list[str] = field(default_factory=list)
    fail_after: int | None = None
    model: str = "echo"

    @property
    def identity(self) -> Identity:
        return Identity(self.model, "", "echo", "")

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> Iterator[Generation]:
        for at in reversed(range(len(prompts))):
            if self.fail_after is not None and len(self.asked) >= self.fail_after:
                raise RuntimeError("the model fell over")
            self.asked.append(plain(prompts[at]))
            yield Generation(at, f"{plain(prompts[at])}!", Usage(3, 2))


Reply = tuple[int, dict[str, str], bytes] | float
"""Status, headers and body; or seconds of silence."""


@dataclass
class Server:
    """An OpenAI-like server: says the listed replies first, then answers properly."""

    replies: list[Reply] = field(default_factory=list)
    requests: list[dict] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    delay_s: float = 0.0
    most_at_once: int = 0
    url: str = ""
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, body: dict) -> bytes:
        if "messages" in body:
            said = f"re: {body['messages'][-1]['content']}"
            choice = {"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}
        else:
            choice = {"index": 0, "text": f"re: {body['prompt']}", "finish_reason": "length"}
        usage = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
        return json.dumps({"id": "x", "object": "chat.completion", "choices": [choice], "usage": usage}).encode()

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        with self._lock:
            self.requests.append(body)
            self.paths.append(handler.path)
            self.headers.append(dict(handler.headers))
            reply = self.replies.pop(0) if self.replies else None
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        time.sleep(reply if isinstance(reply, float) else self.delay_s)
        with self._lock:
            self._now -= 1
        status, headers, content = reply if isinstance(reply, tuple) else (200, {}, self.answer(body))
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        with contextlib.suppress(OSError):  # the client has given up
            handler.wfile.write(content)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    running = []

    def start(replies: Sequence[Reply] = (), delay_s: float = 0.0) -> Server:
        server = Server(list(replies), delay_s=delay_s)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                server.handle(self)

            def log_message(self, *_: object) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_: object) -> None:
                pass

        http = Quiet(("127.0.0.1", 0), Handler)
        threading.Thread(target=http.serve_forever, args=(0.05,), daemon=True).start()
        running.append(http)
        server.url = f"http://127.0.0.1:{http.server_port}/v1"
        return server

    yield start
    for http in running:
        http.shutdown()
        http.server_close()


@pytest.fixture
def echo() -> Echo:
    return Echo()
