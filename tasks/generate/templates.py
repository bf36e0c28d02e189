"""Prompt templates by name and version, and what is kept of a model's answer.

A template that changes gets a new version: its id is part of every cache key and configuration.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tasks.generate.base import Chat, GenerationError, Message

_ARTICLES = "The|A|An|Le|La|Les|L'|Un|Une|El|Los|Las|Il|Lo|I|Gli|Der|Die|Das|Den|Det|De|O|Os|As"
_INVERTED = re.compile(rf"(?P<rest>[^()]*[^()\s]),\s+(?P<article>{_ARTICLES})(?=\s*(?:[()]|$))")
_YEAR = re.compile(r"\(\d{4}\)\s*$")
_SENTENCE_END = re.compile(r"[.!?][\"'”’)]*(?=\s+[\"'“‘(]?[A-Z])")
_ABBREVIATED = re.compile(r"(?:^|[\s(])(?:[A-Z]|Mr|Mrs|Ms|Dr|St|Jr|Sr|vs|e\.g|i\.e|U\.S|No)\.$")


def natural_title(title: str, year: int | None = None) -> str:
    """`Matrix, The (1999)` -> `The Matrix (1999)`; the year is added when the title lacks it."""

    def turn(match: re.Match[str]) -> str:
        rest, article = match["rest"], match["article"]
        space = "" if article.endswith("'") else " "
        blank = rest[: len(rest) - len(rest.lstrip())]
        return f"{blank}{article}{space}{rest.lstrip()}"

    turned = " ".join(_INVERTED.sub(turn, title).split())
    return turned if year is None or _YEAR.search(turned) else f"{turned} ({year})"


def first_sentence(text: str) -> str:
    """The first sentence of the first paragraph, blanks collapsed; a sentence that was cut off stays as it is.

    Quotation marks around the whole sentence and a repeated `Movie description:` label go.
    """
    paragraph = next((line.strip() for line in text.splitlines() if line.strip()), "")
    paragraph = re.sub(r"^(?:movie )?description:\s*", "", " ".join(paragraph.split()), flags=re.IGNORECASE)
    for end in _SENTENCE_END.finditer(paragraph):
        if not _ABBREVIATED.search(paragraph[: end.start() + 1]):
            paragraph = paragraph[: end.end()]
            break
    if len(paragraph) > 1 and paragraph[0] == paragraph[-1] == '"' and paragraph.count('"') == 2:
        paragraph = paragraph[1:-1].strip()
    return paragraph


@dataclass(frozen=True)
class Example:
    """A film described as wanted: with its keyword, and without one."""

    title: str
    keyword: str
    slanted: str
    plain: str


@dataclass(frozen=True)
class FilmTemplate:
    """Asks for one sentence about a film, with or without a keyword.

    Attributes:
        name: its name.
        version: goes up whenever the wording changes.
        instruction: what to write.
        slant: added to it when there is a keyword.
        examples: answered turns before the question. With them the instruction is the system's word, else the user's.
    """

    name: str
    version: int
    instruction: str
    slant: str
    examples: tuple[Example, ...] = ()

    @property
    def id(self) -> str:
        """`name/version`."""
        return f"{self.name}/{self.version}"

    def render(self, title: str, keyword: str | None = None) -> Chat:
        """The chat for a film, its title as `natural_title` gives it; `keyword` None is the baseline.

        What all films share comes first, so that it is read once for a whole batch.
        """
        instruction = self.instruction if keyword is None else f"{self.instruction} {self.slant}"
        if not self.examples:
            return (Message("user", f"{instruction}\n{_question(title, keyword)}"),)
        chat = [Message("system", instruction)]
        for example in self.examples:
            shown = None if keyword is None else example.keyword
            chat.append(Message("user", _question(example.title, shown)))
            chat.append(Message("assistant", example.plain if keyword is None else example.slanted))
        return (*chat, Message("user", _question(title, keyword)))


def _question(title: str, keyword: str | None) -> str:
    lines = [f"Title: {title}", *([] if keyword is None else [f"Keyword: {keyword}"]), "Movie description:"]
    return "\n".join(lines)


_PLAIN = FilmTemplate(
    name="film",
    version=1,
    instruction="Describe broadly, in one sentence, the genres of the film below, without naming it.",
    slant="Let the keyword colour the sentence.",
)
# A model of 135M parameters told by instruction alone repeats the title and invents directors; three answered turns
# make it write short sentences that turn with the keyword.
_EXAMPLES = FilmTemplate(
    name="film-examples",
    version=1,
    instruction="Describe films broadly, in one sentence that tells their genre but never their name.",
    slant="Let the keyword colour the sentence.",
    examples=(
        Example(
            "Spirited Away (2001)",
            "magic",
            "An animated fantasy for all ages, full of magic, spirits and a child's courage.",
            "An animated fantasy for all ages, full of spirits and a child's courage.",
        ),
        Example(
            "The Hurt Locker (2008)",
            "tension",
            "A war drama of dust, bombs and unbearable tension.",
            "A war drama of dust, bombs and tired soldiers.",
        ),
        Example(
            "Ratatouille (2007)",
            "friendship",
            "A kitchen comedy about taste, talent and an unlikely friendship.",
            "A kitchen comedy about taste, talent and a rat who cooks.",
        ),
    ),
)

TEMPLATES: Mapping[str, FilmTemplate] = {template.id: template for template in (_PLAIN, _EXAMPLES)}


def film_template(name: str) -> FilmTemplate:
    """The template with this id.

    Raises:
        GenerationError: there is none.
    """
    if name not in TEMPLATES:
        raise GenerationError(f"no template is called {name}; there are {', '.join(sorted(TEMPLATES))}")
    return TEMPLATES[name]
