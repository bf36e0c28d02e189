from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from tasks.api import TaskError
from tasks.opl import contract
from tasks.opl.contract import read_contract
from tasks.opl.export import distinct, write_csv


def write(directory: Path) -> None:
    rows = [(0, 0, 1, "A, film", "Said\nso"), (1, 1, 0, 'B "b"', "Other"), (1, 0, 1, "A, film", "Said\nso")]
    write_csv(directory / contract.INTERACTIONS_CSV, contract.COLUMNS, rows)
    write_csv(directory / contract.PROMPTS_CSV, ("vocab",), [("love",), ("war",), ("art",)])
    write_csv(directory / contract.QUERIES_CSV, ("query",), [("A, film",), ('B "b"',)])
    tensor(directory, contract.USERS["cf"], (2, 4))
    tensor(directory, contract.QUERIES, (2, 5))
    tensor(directory, contract.PROMPTS, (3, 6))
    tensor(directory, contract.PCA["query"], (9, 5), "matrix")


def tensor(directory: Path, name: str, shape: tuple[int, ...], key: str = contract.VALUE) -> None:
    save_file({key: np.zeros(shape, np.float32)}, directory / f"{name}.safetensors")


def test_custom_data_is_read(tmp_path: Path) -> None:
    write(tmp_path)
    data = read_contract(tmp_path)
    assert data.user.tolist() == [0, 1, 1]
    assert data.reward.tolist() == [1, 0, 1]
    assert data.queries == ["A, film", 'B "b"']
    assert data.descriptions == {0: "Said\nso", 1: "Other"}
    assert data.prompts == ["love", "war", "art"]
    assert data.users["cf"].shape == (2, 4)


Spoil = Callable[[Path], object]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda d: (d / contract.PROMPTS_CSV).unlink(), "movielens_benchmark_prompts.csv is missing"),
        (lambda d: (d / contract.PROMPTS_CSV).write_text("a,b\n1,2\n"), "2 columns; it must have exactly one"),
        (lambda d: (d / contract.QUERIES_CSV).write_text("title\nx\ny\n"), "no column query; its columns are title"),
        (lambda d: (d / contract.QUERIES_CSV).write_text("query\nx\nx\n"), "the query 'x' occurs twice"),
        (lambda d: (d / contract.QUERIES_CSV).write_text("query\n"), "no rows"),
        (lambda d: (d / contract.QUERIES_CSV).write_text("query\nx\ny\nz\n"), "2 rows but movielens_query.csv has 3"),
        (
            lambda d: write_csv(d / contract.INTERACTIONS_CSV, contract.COLUMNS, [(0, 7, 1, "t", "d")]),
            "item_id is 7 but movielens_query",
        ),
        (
            lambda d: write_csv(d / contract.INTERACTIONS_CSV, contract.COLUMNS, [(5, 0, 1, "t", "d")]),
            "user_id is 5 but movielens_naive",
        ),
        (
            lambda d: write_csv(d / contract.INTERACTIONS_CSV, contract.COLUMNS, [(0, 0, 4, "t", "d")]),
            "reward is 4; it must be 0 or 1",
        ),
        (
            lambda d: write_csv(d / contract.INTERACTIONS_CSV, contract.COLUMNS, [(0, 0, "x", "t", "d")]),
            "reward is 'x'; it must be a whole",
        ),
        (lambda d: write_csv(d / contract.INTERACTIONS_CSV, ("user_id", "item_id"), [(0, 0)]), "no column reward"),
        (
            lambda d: (d / contract.INTERACTIONS_CSV).write_text("user_id,item_id,reward,title,description\n1,2\n"),
            "line 2: 2 values for 5",
        ),
        (lambda d: tensor(d, contract.PROMPTS, (2, 6)), "has 2 rows but movielens_benchmark_prompts.csv has 3"),
        (lambda d: tensor(d, contract.PROMPTS, (3,)), r"has shape \(3,\); it must be \(rows, dimensions\)"),
        (lambda d: tensor(d, contract.PROMPTS, (3, 6), "other"), "no tensor embeddings; it has other"),
        (
            lambda d: tensor(d, contract.PCA["query"], (9, 4), "matrix"),
            r"shape \(9, 4\) but the query embeddings have shape \(2, 5\)",
        ),
        (lambda d: (d / f"{contract.PROMPTS}.safetensors").write_bytes(b"no tensors"), "is no safetensors file"),
        (
            lambda d: (d / f"{contract.USERS['cf']}.safetensors").unlink(),
            "has neither movielens_naive_cf_user_embeddings",
        ),
    ],
)
def test_what_does_not_fit_is_named(spoil: Spoil, message: str, tmp_path: Path) -> None:
    write(tmp_path)
    spoil(tmp_path)
    with pytest.raises(TaskError, match=message) as caught:
        read_contract(tmp_path)
    assert "\n" not in str(caught.value)


@given(st.lists(st.sampled_from(["a", "b", "a (2)", "a (2) (2)"]), max_size=12))
def test_queries_become_distinct_and_first_titles_stay(titles: list[str]) -> None:
    queries = distinct(titles)
    assert len(set(queries)) == len(titles) == len(queries)
    assert all(query.startswith(title) for query, title in zip(queries, titles, strict=True))
    firsts = {title: titles.index(title) for title in titles}
    assert all(queries[place] == title for title, place in firsts.items())
