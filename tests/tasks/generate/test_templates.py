from __future__ import annotations

import pytest

from tasks.generate.base import GenerationError
from tasks.generate.templates import TEMPLATES, film_template, first_sentence, natural_title


@pytest.mark.parametrize(
    ("title", "year", "expected"),
    [
        ("Matrix, The (1999)", None, "The Matrix (1999)"),
        ("Matrix, The", 1999, "The Matrix (1999)"),
        ("Toy Story (1995)", 1995, "Toy Story (1995)"),
        ("Toy Story", None, "Toy Story"),
        ("Few Good Men, A (1992)", 1992, "A Few Good Men (1992)"),
        ("American in Paris, An (1951)", 1951, "An American in Paris (1951)"),
        ("Cook the Thief His Wife & Her Lover, The (1989)", 1989, "The Cook the Thief His Wife & Her Lover (1989)"),
        (
            "City of Lost Children, The (Cité des enfants perdus, La) (1995)",
            1995,
            "The City of Lost Children (La Cité des enfants perdus) (1995)",
        ),
        ("Avventura, L' (Adventure, The) (1960)", 1960, "L'Avventura (The Adventure) (1960)"),
        ("Good, the Bad and the Ugly, The (1966)", 1966, "The Good, the Bad and the Ugly (1966)"),
        ("Me, Myself & Irene (2000)", 2000, "Me, Myself & Irene (2000)"),
        ("Matrix, The (1999) ", 1999, "The Matrix (1999)"),
        ("2001: A Space Odyssey (1968)", 1968, "2001: A Space Odyssey (1968)"),
        ("(500) Days of Summer", 2009, "(500) Days of Summer (2009)"),
    ],
)
def test_titles_read_as_people_say_them(title, year, expected):
    assert natural_title(title, year) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("  A war drama. It is long.", "A war drama."),
        ("A war drama\nwith more", "A war drama"),
        ("\n\n A  war \t drama.\n\nTitle: Alien", "A war drama."),
        ("A film by Mr. Lean about a U.S. Army doctor.", "A film by Mr. Lean about a U.S. Army doctor."),
        ("Set in the U.S. It is long.", "Set in the U.S. It is long."),
        ('"A war drama."', "A war drama."),
        ('He says "no." She says "yes."', 'He says "no."'),
        ("Movie description: A war drama.", "A war drama."),
        ("It costs 3.50 dollars. Truly", "It costs 3.50 dollars."),
        ("cut off in the mid", "cut off in the mid"),
        ("What? A war drama!", "What?"),
        (" \n\t ", ""),
        ("", ""),
    ],
)
def test_the_first_sentence_is_kept(answer, expected):
    assert first_sentence(answer) == expected


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_templates_say_what_they_must(name):
    template = film_template(name)
    assert template.id == name
    plain, slanted = template.render("The Matrix (1999)"), template.render("The Matrix (1999)", "romance")
    assert plain[-1].role == slanted[-1].role == "user"
    assert plain[-1].content.endswith("Title: The Matrix (1999)\nMovie description:")
    assert slanted[-1].content.endswith("Title: The Matrix (1999)\nKeyword: romance\nMovie description:")
    assert "Keyword" not in "".join(message.content for message in plain)
    everything = "".join(message.content for message in plain)
    assert "one sentence" in everything and "genre" in everything and "nam" in everything


def test_films_share_all_but_the_end():
    template = film_template("film-examples/1")
    one, other = template.render("A", "x"), template.render("B", "y")
    assert one[:-1] == other[:-1] and one[-1] != other[-1]


def test_an_unknown_template_is_told():
    with pytest.raises(GenerationError, match=r"no template is called film/9; there are film-examples/1, film/1"):
        film_template("film/9")
