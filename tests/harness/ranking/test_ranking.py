"""The task `ranking`: metrics by hand and against trec_eval and scikit-learn, their laws, and what is refused."""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import HarnessError, Result, SubmissionError

Score = Callable[..., Result]
ITEMS = st.integers(0, 30)
SAMPLES = st.lists(
    st.tuples(st.sets(ITEMS, min_size=1, max_size=25), st.lists(ITEMS, max_size=40)), min_size=1, max_size=8
)
EXACT = 2**53  # up to there all integers are numbers in JSON
BEYOND = "holds an integer beyond 2\\^53, where numbers in JSON are no longer exact; write all items as strings"
SHARES = ("out_of_catalogue_rate", "repeat_rate")


def bare(result: Result) -> dict[str, float]:
    """The value of each metric."""
    return {name: metric.value for name, metric in result.metrics.items()}


def ranked(result: Result) -> dict[str, float]:
    """The metrics of which more is better."""
    return {name: value for name, value in bare(result).items() if name not in SHARES}


def test_one_relevant_item_by_hand(score_lists: Score) -> None:
    """Ranks 1, 3, none and 11: NDCG@k is 1 / log2(rank + 1) within k."""
    lists = [["a", "b"], ["x", "y", "a"], ["x", "y", "z"], [f"x{place}" for place in range(10)] + ["a"]]
    result = score_lists(["a", ["a"], "a", "a"], lists)
    assert bare(result) == pytest.approx(
        {
            "HR@1": 1 / 4,
            "HR@5": 2 / 4,
            "HR@10": 2 / 4,
            "HR@20": 3 / 4,
            "NDCG@5": (1 + 1 / 2) / 4,
            "NDCG@10": (1 + 1 / 2) / 4,
            "NDCG@20": (1 + 1 / 2 + 1 / math.log2(12)) / 4,
            "Recall@5": 2 / 4,
            "Recall@10": 2 / 4,
            "Recall@20": 3 / 4,
            "MRR": (1 + 1 / 3 + 1 / 11) / 4,
            "repeat_rate": 0,
        }
    )
    assert (result.primary, result.notes) == ("NDCG@10", ("no list holds more than 11 items, fewer than @20 look at",))


def test_several_relevant_items_by_hand(score_lists: Score) -> None:
    """Relevant 1, 2, 3 at ranks 2 and 4: the ideal fills ranks 1 to 3, though the list is shorter than 5."""
    values = bare(score_lists([[1, 2, 3]], [[9, 2, 8, 1]]))
    gain = 1 / math.log2(3) + 1 / math.log2(5)
    assert values["NDCG@5"] == pytest.approx(gain / (1 + 1 / math.log2(3) + 1 / 2))
    assert values["Recall@5"] == pytest.approx(2 / 3)
    assert (values["HR@1"], values["HR@5"], values["MRR"]) == (0, 1, 1 / 2)


def test_a_repeated_item_keeps_its_place_and_hits_once(score_lists: Score) -> None:
    values = bare(score_lists([[1, 2]], [[1, 1, 1, 2, 2, 7]]))
    assert values["NDCG@5"] == pytest.approx((1 + 1 / math.log2(5)) / (1 + 1 / math.log2(3)))
    assert values["repeat_rate"] == 3 / 6


def test_shares_are_of_all_lists_together(score_lists: Score) -> None:
    """Of 5 items listed, 3 are not in the catalogue (8 twice) and 1 is repeated; per sample they are counts."""
    result = score_lists([1, 2], [[8, 8, 1, 9], [2]], catalogue=[1, 2, 3], per_sample=True)
    assert (bare(result)["out_of_catalogue_rate"], bare(result)["repeat_rate"]) == (3 / 5, 1 / 5)
    samples = result.per_sample or ()
    assert [sample["out_of_catalogue"] for sample in samples] == [3, 0]
    assert [sample["repeated"] for sample in samples] == [1, 0]
    assert [sample["listed"] for sample in samples] == [4, 1]
    assert not result.metrics["repeat_rate"].higher_is_better


@given(st.lists(st.lists(ITEMS, min_size=10, max_size=10), min_size=1, max_size=5))
@settings(max_examples=30, deadline=None)
def test_shares_of_full_lists_are_counts_per_list_over_k(score_lists: Score, lists: list[list[int]]) -> None:
    """RecLM-cgen's definition: the mean over lists of a count, divided by k."""
    values = bare(score_lists([0] * len(lists), lists, catalogue=list(range(20))))
    strays = np.mean([sum(item >= 20 for item in items) for items in lists]) / 10
    repeats = np.mean([sum(item in items[:place] for place, item in enumerate(items)) for items in lists]) / 10
    assert (values["out_of_catalogue_rate"], values["repeat_rate"]) == pytest.approx((strays, repeats))


@given(SAMPLES)
@settings(max_examples=80, deadline=None)
def test_agrees_with_trec_eval(score_lists: Score, samples: list[tuple[set[int], list[int]]]) -> None:
    """trec_eval knows no repeats: there, an item that is listed again gives its place to an unknown one."""
    pytrec_eval = pytest.importorskip("pytrec_eval")
    qrels = {str(place): {str(item): 1 for item in wanted} for place, (wanted, _) in enumerate(samples)}
    runs = {}
    for place, (_, items) in enumerate(samples):
        names = [str(item) if item not in items[:rank] else f"again{rank}" for rank, item in enumerate(items)]
        runs[str(place)] = {name: float(-rank) for rank, name in enumerate(names or ["nothing"])}
    measures = {"success.1,5,10,20", "ndcg_cut.5,10,20", "recall.5,10,20", "recip_rank"}
    theirs = pytrec_eval.RelevanceEvaluator(qrels, measures).evaluate(runs)
    names = {"HR": "success", "NDCG": "ndcg_cut", "Recall": "recall", "MRR": "recip_rank"}
    ours = score_lists([sorted(wanted) for wanted, _ in samples], [items for _, items in samples], per_sample=True)
    for place, sample in enumerate(ours.per_sample or ()):
        for metric in ranked(ours):
            name, _, k = metric.partition("@")
            their = theirs[str(place)][f"{names[name]}_{k}" if k else names[name]]
            assert sample[metric] == pytest.approx(their), metric


@given(st.permutations(list(range(24))), st.sets(st.integers(0, 23), min_size=1))
@settings(max_examples=40, deadline=None)
def test_ndcg_of_a_full_ranking_is_sklearns(score_lists: Score, ranking: list[int], wanted: set[int]) -> None:
    from sklearn.metrics import ndcg_score

    values = bare(score_lists([sorted(wanted)], [ranking]))
    labels = [[int(item in wanted) for item in ranking]]
    for k in (5, 10, 20):
        assert values[f"NDCG@{k}"] == pytest.approx(ndcg_score(labels, [list(range(24, 0, -1))], k=k))


@given(SAMPLES)
@settings(max_examples=40, deadline=None)
def test_bounds_and_growth_with_k(score_lists: Score, samples: list[tuple[set[int], list[int]]]) -> None:
    golds, lists = [sorted(wanted) for wanted, _ in samples], [items for _, items in samples]
    values = bare(score_lists(golds, lists, catalogue=list(range(31))))
    assert all(0 <= value <= 1 for value in values.values())
    assert values["HR@1"] <= values["HR@5"] <= values["HR@10"] <= values["HR@20"]
    assert values["Recall@5"] <= values["Recall@10"] <= values["Recall@20"]
    assert all(values[f"Recall@{k}"] <= values[f"HR@{k}"] + 1e-12 for k in (5, 10, 20))
    assert values["HR@1"] <= values["MRR"] + 1e-12


@given(st.lists(st.sets(ITEMS, min_size=1, max_size=25), min_size=1, max_size=8))
@settings(max_examples=30, deadline=None)
def test_the_relevant_items_first_score_1_exactly(score_lists: Score, wanted: list[set[int]]) -> None:
    golds = [sorted(items) for items in wanted]
    values = ranked(score_lists(golds, [[*items, 99] for items in golds]))
    assert all(values[name] == 1 for name in values if not name.startswith("Recall"))
    for k in (5, 10, 20):
        assert values[f"Recall@{k}"] == pytest.approx(np.mean([min(1, k / len(items)) for items in golds]))


@given(st.sets(ITEMS, min_size=1), st.lists(ITEMS, min_size=1, max_size=30), st.data())
@settings(max_examples=60, deadline=None)
def test_repeats_never_help(score_lists: Score, wanted: set[int], items: list[int], data: st.DataObject) -> None:
    place = data.draw(st.integers(1, len(items)))
    again = data.draw(st.sampled_from(items[:place]))
    inserted = [*items[:place], again, *items[place:]]
    replaced = [*items[:place], again, *items[place + 1 :]]
    result = score_lists([sorted(wanted)] * 3, [items, inserted, replaced], per_sample=True)
    plain, *repeating = result.per_sample or ()
    for sample in repeating:
        assert all(float(sample[name] or 0) <= float(plain[name] or 0) + 1e-12 for name in ranked(result))


@given(SAMPLES, st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_nothing_depends_on_the_order_of_samples_or_on_the_kind_of_item(
    score_lists: Score, samples: list[tuple[set[int], list[int]]], shuffler: random.Random
) -> None:
    golds, lists = [sorted(wanted) for wanted, _ in samples], [items for _, items in samples]
    order = list(range(len(samples)))
    shuffler.shuffle(order)
    plain = score_lists(golds, lists, n_bootstrap=20)
    assert score_lists(golds, lists, order=order, n_bootstrap=20).metrics == plain.metrics
    named = score_lists([[str(item) for item in items] for items in golds], [[str(i) for i in one] for one in lists])
    assert bare(named) == bare(plain)


def test_empty_lists_find_nothing_and_are_noted(score_lists: Score) -> None:
    result = score_lists([1, 2, 3], [[1], [], []], catalogue=[1, 2, 3])
    assert bare(result)["HR@1"] == pytest.approx(1 / 3)
    assert result.notes[0] == "2 of 3 lists are empty and count as finding nothing"
    nothing = score_lists([1], [[]], catalogue=[1])
    assert set(ranked(nothing).values()) == {0.0}
    assert not nothing.metrics.keys() & set(SHARES)


def test_without_a_catalogue_its_rate_is_left_out(score_lists: Score) -> None:
    assert "out_of_catalogue_rate" not in score_lists([1], [[1]]).metrics
    assert "out_of_catalogue_rate" in score_lists([1], [[1]], catalogue=[1]).metrics


@pytest.mark.parametrize(
    ("golds", "fault"),
    [
        ([[]], "id 's000': output is an empty list; give at least one relevant item"),
        ([1.5], "id 's000': output must be an item or a list of items"),
        ([True], "id 's000': output must be an item or a list of items"),
        ([None], "id 's000': output must be an item or a list of items"),
        ([{"item": 1}], "id 's000': output must be an item or a list of items"),
        ([[[1]]], "id 's000': output must be an item or a list of items"),
        ([[1, "1"]], "id 's000': output must be an item or a list of items"),
        ([1, "1"], "id 's001': output must be an item or a list of items"),
        ([[1, 1]], "id 's000': output names an item twice"),
        ([1, EXACT + 1], f"id 's001': output {BEYOND}"),
        ([[1, -EXACT - 1]], f"id 's000': output {BEYOND}"),
    ],
)
def test_golds_that_are_refused(score_lists: Score, golds: list[object], fault: str) -> None:
    with pytest.raises(HarnessError, match=fault) as caught:
        score_lists(golds, [[1]] * len(golds))
    assert not isinstance(caught.value, SubmissionError)


@pytest.mark.parametrize(
    ("given_settings", "fault"),
    [
        ({"catalog": [1]}, "unknown settings 'catalog'; the one known is \"catalogue\""),
        ({"catalogue": "1"}, '"catalogue" must be a list of items, integers as in the golds'),
        ({"catalogue": []}, '"catalogue" must be a list of items'),
        ({"catalogue": ["1"]}, '"catalogue" must be a list of items'),
        ({"catalogue": [[1]]}, '"catalogue" must be a list of items'),
        ({"catalogue": [1, EXACT + 1]}, f'"catalogue" {BEYOND}'),
        ({"catalogue": [2]}, "lacks relevant items of 1 id: 's000'; it must hold all items"),
    ],
)
def test_settings_that_are_refused(score_lists: Score, given_settings: dict[str, object], fault: str) -> None:
    with pytest.raises(HarnessError, match=fault) as caught:
        score_lists([1], [[1]], settings=given_settings)
    assert not isinstance(caught.value, SubmissionError)


@pytest.mark.parametrize(
    ("output", "fault"),
    [
        ("secret", "output must be the list of recommended items, the best first"),
        (None, "output must be the list of recommended items, the best first"),
        ({"a": 1}, "output must be the list of recommended items, the best first"),
        ([1], "output must list items that are strings, as in the golds"),
        (["a", None], "output must list items that are strings"),
        ([["a"]], "output must list items that are strings"),
        (["a"] * 1001, "output lists 1,001 items; give the best 1,000 at most"),
    ],
)
def test_predictions_that_are_refused(score_lists: Score, output: object, fault: str) -> None:
    with pytest.raises(SubmissionError, match=f"predictions.*id 's001': {fault}") as caught:
        score_lists(["secret-0", "secret-1"], [["a"], output])
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "output",
    [[EXACT + 1], [1, -EXACT - 1], [10**299], [sys.hash_info.modulus * factor for factor in range(1, 1001)]],
)
def test_integers_that_could_share_a_hash_are_refused(score_lists: Score, output: list[int]) -> None:
    """A set of a thousand integers of one hash compares each with each."""
    with pytest.raises(SubmissionError, match=f"id 's001': output {BEYOND}"):
        score_lists([1, 2], [[1], output], catalogue=[1, 2])


def test_integers_within_json_have_a_hash_each(score_lists: Score) -> None:
    assert sys.hash_info.modulus > EXACT
    ends = [EXACT, -EXACT, EXACT - 1]
    assert bare(score_lists([ends], [ends], catalogue=ends))["NDCG@10"] == 1
