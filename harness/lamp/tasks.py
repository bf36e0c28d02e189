"""The declarations of the LaMP tasks."""

from __future__ import annotations

from harness.lamp.accuracy import ACCURACY
from harness.lamp.classification import classification
from harness.lamp.generation import generation_pair, generation_samples
from harness.lamp.labels import CITATIONS, MOVIE_TAGS, NEWS_CATEGORIES
from harness.lamp.macro_f1 import macro_f1
from harness.lamp.mae import MAE
from harness.lamp.rating import rating_samples
from harness.lamp.rmse import RMSE
from harness.lamp.rouge1 import ROUGE_1
from harness.lamp.rougeL import ROUGE_L
from harness.registry import Task

LAMP_1 = Task(
    name="LaMP_1",
    version=1,
    summary="LaMP: which of two papers an author cites",
    gold_output='the label "[1]" or "[2]"',
    prediction_output='the label "[1]" or "[2]"; anything else is wrong',
    metrics=(ACCURACY, macro_f1(len(CITATIONS))),
    primary="accuracy",
    samples=classification(CITATIONS),
    labels=CITATIONS,
)

LAMP_2 = Task(
    name="LaMP_2",
    version=1,
    summary="LaMP: the tag a user gives a movie, one of 15",
    gold_output="one of the 15 movie tags",
    prediction_output="one of the 15 movie tags, lower case; anything else is wrong",
    metrics=(ACCURACY, macro_f1(len(MOVIE_TAGS))),
    primary="accuracy",
    samples=classification(MOVIE_TAGS, "LaMP_2_news", NEWS_CATEGORIES),
    labels=MOVIE_TAGS,
)

LAMP_2_NEWS = Task(
    name="LaMP_2_news",
    version=1,
    summary="LaMP, retired: the category an author gives a news article, one of 15",
    gold_output="one of the 15 news categories",
    prediction_output="one of the 15 news categories, lower case; anything else is wrong",
    metrics=(ACCURACY, macro_f1(len(NEWS_CATEGORIES))),
    primary="accuracy",
    samples=classification(NEWS_CATEGORIES, "LaMP_2", MOVIE_TAGS),
    labels=NEWS_CATEGORIES,
    also_named=("LaMP_2",),
)

LAMP_3 = Task(
    name="LaMP_3",
    version=1,
    summary="LaMP: the stars a user gives a product, 1 to 5",
    gold_output='the rating, "1" to "5"',
    prediction_output="a number, as text or JSON number; other text counts as the end of the scale farther from the gold",
    metrics=(MAE, RMSE),
    primary="MAE",
    samples=rating_samples,
)


def _generation(number: int, summary: str, what: str) -> Task:
    return Task(
        name=f"LaMP_{number}",
        version=1,
        summary=f"LaMP: {summary}",
        gold_output=f"the {what}, a string",
        prediction_output=f"the generated {what}, a string",
        metrics=(ROUGE_1, ROUGE_L),
        primary="rouge-1",
        samples=generation_samples,
        pair=generation_pair,
    )


LAMP_4 = _generation(4, "the headline an author gives a news article", "headline")
LAMP_5 = _generation(5, "the title an author gives a paper", "title")
LAMP_6 = _generation(6, "the subject a sender gives a mail", "subject")
LAMP_7 = _generation(7, "a tweet paraphrased in its author's style", "tweet")
