from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_torch

from tasks.api import TaskError
from tasks.opl.contract import EMBEDDINGS, INTERACTIONS_CSV, MATRIX, PCA, PROMPTS_CSV, QUERIES_CSV, VALUE
from tasks.opl.custom_data import read_custom_data
from tests.tasks.opl.custom_folder import custom_folder, interactions, pca, tensor


def test_custom_data_is_read(tmp_path: Path) -> None:
    data = read_custom_data(custom_folder(tmp_path))
    assert data.user.tolist() == [0, 1, 1]
    assert data.item.tolist() == [0, 1, 0]
    assert data.reward.tolist() == [1, 0, 1]
    assert data.queries == ["A, film", 'B "b"']
    assert data.prompts == ["love", "war", "art"]
    shapes = {of: vectors.shape for of, vectors in data.embeddings.items()}
    assert shapes == {"users_text": (2, 4), "queries": (2, 5), "prompts": (3, 6)}
    assert data.n_users == 2
    assert set(data.pca) == {"query_matrix", "query_mean"}
    assert np.array_equal(data.pca["query_mean"], np.zeros(9))


def test_csvs_alone_will_do_with_other_columns_and_a_byte_order_mark(tmp_path: Path) -> None:
    for file in custom_folder(tmp_path).glob("*.safetensors"):
        file.unlink()
    (tmp_path / INTERACTIONS_CSV).write_text(
        "\ufeffreward,rating,item_id,user_id\n1,5,1,0\n0,2,1,1\n", encoding="utf-8"
    )
    data = read_custom_data(tmp_path)
    assert (data.user.tolist(), data.item.tolist(), data.reward.tolist()) == ([0, 1], [1, 1], [1, 0])
    assert data.n_users == 2
    assert not data.embeddings and not data.pca


def test_half_precision_becomes_float32(tmp_path: Path) -> None:
    custom_folder(tmp_path)
    save_file({VALUE: np.ones((3, 2), np.float16)}, tmp_path / f"{EMBEDDINGS['prompts']}.safetensors")
    assert read_custom_data(tmp_path).embeddings["prompts"].dtype == np.float32


def text(file: str, content: str) -> Callable[[Path], object]:
    return lambda folder: (folder / file).write_bytes(content.encode("latin-1"))


def eighths(path: Path) -> None:
    save_torch({VALUE: torch.ones(3, 6, dtype=torch.float8_e4m3fn)}, path)


def rows(*values: tuple[object, object, object]) -> Callable[[Path], object]:
    return lambda folder: interactions(folder, *values)


def remove(*files: str) -> Callable[[Path], object]:
    return lambda folder: [(folder / file).unlink() for file in files]


def vectors(of: str, *shape: int, key: str = VALUE, value: float = 0.5) -> Callable[[Path], object]:
    return lambda folder: tensor(folder, EMBEDDINGS[of], shape, key, value)


NO_USERS = remove(f"{EMBEDDINGS['users_text']}.safetensors")


def without_users(*values: tuple[object, object, object]) -> Callable[[Path], object]:
    return lambda folder: (NO_USERS(folder), interactions(folder, *values))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (remove(INTERACTIONS_CSV), 'data.csv is missing; docs/movielens_opl.md, "Your own data", lists'),
        (remove(PROMPTS_CSV), "prompts.csv is missing"),
        (text(PROMPTS_CSV, "a,b\n1,2\n"), "2 columns; it must have exactly one"),
        (text(PROMPTS_CSV, "vocab\nlove\nwar\nlove\n"), "rows 1 and 3: the prompt 'love' occurs twice"),
        (text(PROMPTS_CSV, "vocab\nlove\n \nart\n"), "row 2: the prompt is blank"),
        (text(PROMPTS_CSV, "vocab\nlove\n"), "one prompt leaves nothing to choose; give at least two"),
        (text(PROMPTS_CSV, "vocab\nlove\n" + 201 * "x"), "row 2: the prompt has 201 characters; it may have 200"),
        (text(QUERIES_CSV, "query\n" + 1001 * "x"), "row 1: the query has 1001 characters; it may have 1000"),
        (text(PROMPTS_CSV, "vocab\nlove\n\nart\n"), "line 3: 0 values for 1 columns"),
        (text(PROMPTS_CSV, "vocab\nam\xe9lie\n"), "no csv in UTF-8"),
        (text(PROMPTS_CSV, 'vocab\n"love\nwar\n'), "no csv in UTF-8 with quotes doubled"),
        (text(QUERIES_CSV, "title\nx\ny\n"), "no column query; its columns are title"),
        (text(QUERIES_CSV, "query\nx\nx\n"), "rows 1 and 2: the query 'x' occurs twice"),
        (text(QUERIES_CSV, "query\n"), "no rows"),
        (text(QUERIES_CSV, ""), "no column query; its columns are none"),
        (text(QUERIES_CSV, "query\nx\ny\nz\n"), "2 rows but movielens_query.csv has 3"),
        (rows((0, 7, 1)), "row 1: item_id is 7 but movielens_query.csv has 2 rows; ids count from 0"),
        (rows((0, 0, 1), (5, 0, 1)), "row 2: user_id is 5 but movielens_transformer_user_embeddings has 2"),
        (rows((0, -1, 1)), "item_id is -1 but"),
        (rows((0, 0, 4)), "row 1: reward is 4; it must be 0 or 1"),
        (rows((0, 0, 1), (1, 0, 1)), "every reward is 1; both 0 and 1 must occur"),
        (rows((0, 0, "x")), "row 1: reward is 'x'; it must be a whole number"),
        (rows((0, 0, 0.5)), "reward is '0.5'; it must be a whole number"),
        (rows(("9" * 30, 0, 1)), "user_id is '9999.*; it must be a whole number"),
        (rows((0, 0, 1), (1, 1, 0), (0, 0, 0)), "rows 1 and 3: user 0 and item 0 occur twice; keep one row"),
        (without_users((0, 0, 1), (2, 1, 0)), "user_id 2 occurs but 1 does not; without user embeddings number"),
        (without_users((-1, 0, 1)), "user_id -1 occurs but 0 does not"),
        (text(INTERACTIONS_CSV, "user_id,item_id\n0,0\n"), "no column reward; its columns are user_id, item_id$"),
        (
            text(INTERACTIONS_CSV, "user_id,item_id,rating\n0,0,5\n"),
            "no column reward; its columns are user_id, item_id, rating; make of each rating a reward, 1 or 0",
        ),
        (text(INTERACTIONS_CSV, "user_id,item_id,reward,reward\n0,0,1,0\n"), "it has 2 columns reward; keep one"),
        (text(INTERACTIONS_CSV, "user_id,item_id,reward\n1,2\n"), "line 2: 2 values for 3"),
        (vectors("prompts", 2, 6), "has 2 rows but movielens_benchmark_prompts.csv has 3"),
        (vectors("prompts", 3), r"has shape \(3,\); it must be \(rows, dimensions\)"),
        (vectors("prompts", 3, 0), r"has shape \(3, 0\)"),
        (vectors("prompts", 3, 6, value=np.nan), "all finite"),
        (lambda d: save_file({VALUE: np.full((3, 6), 1e300)}, d / f"{EMBEDDINGS['prompts']}.safetensors"), "all finite as"),
        (lambda d: eighths(d / f"{EMBEDDINGS['prompts']}.safetensors"), "is no safetensors file of float32 .*float8"),
        (vectors("prompts", 3, 6, key="other"), "no tensor embeddings; it has other"),
        (vectors("users_cf", 3, 4), "transformer_user_embeddings.safetensors has 2 rows but movielens_naive_cf.* has 3"),
        (lambda d: tensor(d, PCA["query"], (9, 4), MATRIX), r"\(9, 4\) but the query embeddings have shape \(2, 5\)"),
        (lambda d: pca(d, "sentence", (9, 4), (4,)), r"mean has shape \(4,\) and matrix \(9, 4\); mean must be \(9,\)"),
        (text(f"{EMBEDDINGS['prompts']}.safetensors", "no tensors"), "is no safetensors file of float32"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(spoil: Callable[[Path], object], message: str, tmp_path: Path) -> None:
    spoil(custom_folder(tmp_path))
    with pytest.raises(TaskError, match=message) as caught:
        read_custom_data(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "key"), [(EMBEDDINGS["prompts"], VALUE), (PCA["query"], MATRIX)])
def test_a_pickle_is_refused_with_the_command_that_converts_it(name: str, key: str, tmp_path: Path) -> None:
    folder = tmp_path / "my data"
    folder.mkdir()
    custom_folder(folder)
    plain = folder / f"{name}.safetensors"
    before = read_custom_data(folder)
    plain.unlink()
    shape = (3, 6) if key == VALUE else (9, 5)
    torch.save(torch.nn.Parameter(torch.full(shape, 0.5, dtype=torch.bfloat16)), folder / f"{name}.pt")
    with pytest.raises(TaskError, match=re.escape(f"{name}.pt: .pt files are not read")) as caught:
        read_custom_data(folder)
    assert "\n" not in str(caught.value)
    program, *arguments = shlex.split(str(caught.value).partition("convert it: ")[2])
    assert program == "python"
    subprocess.run([sys.executable, *arguments], check=True)
    after = read_custom_data(folder)
    for given in ("embeddings", "pca"):
        ours, theirs = getattr(after, given), getattr(before, given)
        assert set(ours) == set(theirs) and all(np.array_equal(ours[of], theirs[of]) for of in ours)
