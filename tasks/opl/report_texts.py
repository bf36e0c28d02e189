"""What was written and what it is worth: keywords over all held-out contexts, and sentences film by film."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from store import Table
from tasks.api import TaskError
from tasks.opl.env import LanguageEnvironment
from tasks.opl.rounds import LoggedRounds
from tasks.opl.tables import Floats, Ints, Sentences, integers, sorted_rows


@dataclass(frozen=True)
class Keyword:
    """A prompt: its mean expected reward on held-out contexts, the share of them it is best for, its share of the log.

    `bar` is the mean over the largest absolute mean shown, in -1..1.
    """

    word: str
    mean: float
    best: float
    logged: float
    bar: float


@dataclass(frozen=True)
class Written:
    """A sentence with its mean expected reward over the film's held-out contexts, and the share of them it is best for."""

    keyword: str
    text: str
    reward: float
    best: float


@dataclass(frozen=True)
class Film:
    """A film's sentence without a keyword, and sentences with one, most rewarded first; `left_out` are not shown."""

    title: str
    year: int | None
    genres: str
    n_contexts: int
    baseline: str
    written: list[Written]
    left_out: int


@dataclass(frozen=True)
class Texts:
    """The tables of words, checked against the environment.

    Attributes:
        keywords: by action `(n_actions,)`.
        sentences: baselines and keyword sentences.
        titles: of each item `(n_items,)`, with years and genres beside.
    """

    keywords: list[str]
    sentences: Sentences
    titles: list[str]
    years: list[int | None]
    genres: list[str]

    @classmethod
    def read(cls, items: Table, prompts: Table, sentences: Table, environment: LanguageEnvironment) -> Texts:
        """Reads the three tables.

        Raises:
            TaskError: they are not those that the environment was made from.
        """
        films, words = sorted_rows(items, ("item_id",)), sorted_rows(prompts, ("prompt_id",))
        keywords = words["keyword"].to_pylist()
        if len(keywords) != environment.n_actions:
            raise TaskError(
                f"prompts: {len(keywords)} keywords but the environment has {environment.n_actions} actions; "
                "give the prompts it was made from"
            )
        written = Sentences.read(sentences, n_items=films.num_rows, n_prompts=len(keywords))
        lacking = np.setdiff1d(environment.item, written.items)
        if len(lacking):
            raise TaskError(
                f"sentences: item {lacking[0]} of the environment has no keyword sentences; give those it was made from"
            )
        if not np.array_equal(integers(films, "item_id"), np.arange(films.num_rows)):
            raise TaskError("items: the item ids are not 0, 1, 2, …; build the tables again")
        return cls(
            keywords, written, films["title"].to_pylist(), films["year"].to_pylist(), films["genres"].to_pylist()
        )


def keywords(texts: Texts, environment: LanguageEnvironment, rounds: LoggedRounds, n: int) -> list[Keyword]:
    """At most `n` keywords by mean expected reward on the test split: the first half and the last."""
    rewards = environment.expected_rewards("test").astype(np.float64)
    mean, best = rewards.mean(axis=0), best_shares(rewards)
    logged = np.bincount(rounds.action, minlength=len(mean)) / len(rounds)
    shown = both_ends(mean, n)
    widest = max(float(np.abs(mean[shown]).max()), 1e-12)
    return [
        Keyword(texts.keywords[a], float(mean[a]), float(best[a]), float(logged[a]), float(mean[a] / widest))
        for a in shown
    ]


def films(texts: Texts, environment: LanguageEnvironment, n_films: int, n_sentences: int) -> list[Film]:
    """The films of most test contexts with the sentences of most and least reward, over those contexts."""
    test = environment.contexts("test")
    items, counts = np.unique(environment.item[test], return_counts=True)
    chosen = items[np.argsort(-counts, kind="stable")][:n_films]
    return [_film(texts, environment, int(item), test[environment.item[test] == item], n_sentences) for item in chosen]


def _film(texts: Texts, environment: LanguageEnvironment, item: int, contexts: Ints, n_sentences: int) -> Film:
    rewards = environment.rewards[contexts].astype(np.float64)
    mean, best = rewards.mean(axis=0), best_shares(rewards)
    shown = both_ends(mean, n_sentences)
    first = int(np.searchsorted(texts.sentences.items, item)) * texts.sentences.n_prompts
    written = [
        Written(texts.keywords[a], texts.sentences.texts[first + a], float(mean[a]), float(best[a])) for a in shown
    ]
    genres = ", ".join(part for part in texts.genres[item].split("|") if part)
    baseline, left_out = texts.sentences.baseline[item], len(mean) - len(shown)
    return Film(texts.titles[item], texts.years[item], genres, len(contexts), baseline, written, left_out)


def best_shares(rewards: Floats) -> Floats:
    """The share of the contexts for which each action is the best `(n_actions,)`, of rewards `(n_contexts, n_actions)`."""
    shares: Floats = np.bincount(rewards.argmax(axis=1), minlength=rewards.shape[1]) / len(rewards)
    return shares


def both_ends(mean: Floats, n: int) -> list[int]:
    """Actions by falling mean; where there are more than `n`, the first half of `n` and the last."""
    order = np.argsort(-mean, kind="stable").tolist()
    return order if len(order) <= n else [*order[: (n + 1) // 2], *order[len(order) - n // 2 :]]
