"""What every text generator has in common: prompts, sampling, token counts, the protocol."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict, Field

from store.errors import UserError


class GenerationError(UserError):
    """Texts could not be generated: the model, the server or the settings are not as they must be."""


@dataclass(frozen=True)
class Message:
    """One turn of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


Chat = tuple[Message, ...]
Prompt = str | Chat
"""A plain text to continue, or a chat to answer."""


def plain(prompt: Prompt) -> str:
    """The prompt as one text, for models that know no chats."""
    return prompt if isinstance(prompt, str) else "\n\n".join(message.content for message in prompt)


class Sampling(BaseModel):
    """How texts are drawn from the model; all of it changes the text, so all of it is in the cache key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_new_tokens: int = Field(default=30, ge=1, description="Tokens of a text at most.")
    temperature: float = Field(default=0.0, ge=0, description="0 takes the likeliest token at every step (greedy).")
    top_p: float = Field(
        default=1.0, gt=0, le=1, description="Draw among the likeliest tokens of this total probability."
    )
    seed: int = Field(default=0, ge=0, description="Of the draws; without effect when greedy.")
    frequency_penalty: float = Field(
        default=0.0, ge=0, description="Taken from a token's logit for each time the text has it already: breaks loops."
    )
    stop: tuple[str, ...] = Field(default=(), description="Texts end before the first of these strings.")


@dataclass(frozen=True)
class Usage:
    """Tokens read and written."""

    prompt_tokens: int = 0
    new_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.prompt_tokens + other.prompt_tokens, self.new_tokens + other.new_tokens)


@dataclass(frozen=True)
class Identity:
    """Which model in which engine writes; part of the cache key.

    Attributes:
        model: name of a served model, or the content digest of local weights.
        revision: tells versions of a served model apart; empty for local weights.
        engine: code that decodes, with the version of ours.
        dtype: number format of the weights; empty when a server chooses it.
    """

    model: str
    revision: str
    engine: str
    dtype: str


class Generation(NamedTuple):
    """A finished text: the place of its prompt among those given, and what it cost."""

    at: int
    text: str
    usage: Usage


class TextGenerator(Protocol):
    """Anything that turns prompts into texts."""

    @property
    def identity(self) -> Identity:
        """What the texts depend on besides prompt and sampling."""
        ...

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> Iterator[Generation]:
        """One text for every prompt, in the order of completion, so that what is finished can be kept at once.

        Raises:
            GenerationError: the model or the server fails for good; texts yielded before stay valid.
        """
        ...


def cut_at_stop(text: str, stop: Sequence[str]) -> str:
    """The text up to the first stop string."""
    places = [at for at in (text.find(word) for word in stop) if at >= 0]
    return text[: min(places)] if places else text
