"""The task `click`: metrics by hand, against scikit-learn and over all orders of ties, their laws, and refusals."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import HarnessError, Result, SubmissionError, score_pair, score_strings
from harness.errors import SelectionError

Score = Callable[..., Result]
Impression = list[tuple[int, float]]
RANKED = ("GAUC", "MRR", "MRR_mind", "LRAP", "nDCG@1", "nDCG@5", "nDCG@10", "HitRatio@5", "HitRatio@10")
TIED = st.integers(-2, 3).map(float)
PROBABILITY = st.floats(0, 1)


def bare(result: Result) -> dict[str, float]:
    """The value of each metric."""
    return {name: metric.value for name, metric in result.metrics.items()}


def impressions(
    scores: st.SearchStrategy[float], most: int = 16, unique: bool = False
) -> st.SearchStrategy[Impression]:
    """Candidates as (label, score), with both labels."""
    pairs = st.tuples(st.integers(0, 1), scores)
    lists = st.lists(pairs, min_size=2, max_size=most, unique_by=(lambda pair: pair[1]) if unique else None)
    return lists.filter(lambda pairs: len({label for label, _ in pairs}) == 2)


def halves(sample: list[Impression]) -> tuple[list[list[int]], list[list[float]]]:
    labels = [[label for label, _ in impression] for impression in sample]
    return labels, [[score for _, score in impression] for impression in sample]


def in_order(labels: list[int]) -> dict[str, float]:
    """The metrics of labels that stand in the order of their rank, as MIND's formulas have them."""
    ranks = [rank for rank, label in enumerate(labels, start=1) if label]
    values = {"MRR": 1 / ranks[0], "MRR_mind": float(np.mean([1 / rank for rank in ranks]))}
    for k in (1, 5, 10):
        ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(k, len(ranks)) + 1))
        values[f"nDCG@{k}"] = sum(1 / math.log2(rank + 1) for rank in ranks if rank <= k) / ideal
    for k in (5, 10):
        values[f"HitRatio@{k}"] = float(ranks[0] <= k)
    wins = sum(1 - label for rank in ranks for label in labels[rank:])
    return values | {"GAUC": wins / (len(ranks) * (len(labels) - len(ranks)))}


def test_by_hand(score_clicks: Score) -> None:
    """Clicks at ranks 1 and 4 of 4, the example by which LRAP and the two reciprocal ranks differ."""
    values = bare(score_clicks([[0, 1, 1, 0]], [[0.6, 0.2, 0.9, 0.4]]))
    losses = [math.log(0.4), math.log(0.2), math.log(0.9), math.log(0.6)]
    assert values == pytest.approx(
        {
            "GAUC": 2 / 4,
            "MRR": 1,
            "MRR_mind": (1 + 1 / 4) / 2,
            "LRAP": (1 + 2 / 4) / 2,
            "nDCG@1": 1,
            "nDCG@5": (1 + 1 / math.log2(5)) / (1 + 1 / math.log2(3)),
            "nDCG@10": (1 + 1 / math.log2(5)) / (1 + 1 / math.log2(3)),
            "HitRatio@5": 1,
            "HitRatio@10": 1,
            "log_loss": -sum(losses) / 4,
        }
    )


def test_equal_scores_earn_what_chance_earns(score_clicks: Score) -> None:
    """One click among 20: its rank is any of 20, wherever it stands in the file."""
    for place in (0, 19):
        labels = [int(place == other) for other in range(20)]
        values = bare(score_clicks([labels], [[3] * 20]))
        assert values["GAUC"] == 0.5
        assert (values["HitRatio@5"], values["HitRatio@10"]) == pytest.approx((5 / 20, 10 / 20))
        assert values["MRR"] == pytest.approx(np.mean([1 / rank for rank in range(1, 21)]))
        assert values["MRR_mind"] == pytest.approx(values["MRR"])
        assert values["LRAP"] == pytest.approx(1 / 20)


@given(st.lists(impressions(TIED), min_size=1, max_size=6))
@settings(max_examples=80, deadline=None)
def test_agrees_with_sklearn_ties_and_all(score_clicks: Score, sample: list[Impression]) -> None:
    from sklearn.metrics import label_ranking_average_precision_score, ndcg_score, roc_auc_score

    labels, scores = halves(sample)
    values = bare(score_clicks(labels, scores))
    pairs = list(zip(labels, scores, strict=True))
    assert values["GAUC"] == pytest.approx(np.mean([roc_auc_score(y, s) for y, s in pairs]))
    assert values["LRAP"] == pytest.approx(np.mean([label_ranking_average_precision_score([y], [s]) for y, s in pairs]))
    for k in (1, 5, 10):
        assert values[f"nDCG@{k}"] == pytest.approx(np.mean([ndcg_score([y], [s], k=k) for y, s in pairs]))


@given(st.lists(impressions(st.floats(-1e9, 1e9), unique=True), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_agrees_with_trec_eval_and_minds_formulas_without_ties(score_clicks: Score, sample: list[Impression]) -> None:
    values = bare(score_clicks(*halves(sample)))
    ordered = [[label for label, _ in sorted(one, key=lambda pair: -pair[1])] for one in sample]
    expected = [in_order(labels) for labels in ordered]
    for name in expected[0]:
        assert values[name] == pytest.approx(np.mean([one[name] for one in expected])), name
    pytrec_eval = pytest.importorskip("pytrec_eval")
    qrels = {str(one): {str(c): label for c, label in enumerate(labels)} for one, labels in enumerate(ordered)}
    runs = {str(one): {str(c): -float(c) for c in range(len(labels))} for one, labels in enumerate(ordered)}
    measures = {"ndcg_cut.1,5,10", "success.5,10", "recip_rank"}
    theirs = pytrec_eval.RelevanceEvaluator(qrels, measures).evaluate(runs).values()
    names = {"nDCG@1": "ndcg_cut_1", "nDCG@5": "ndcg_cut_5", "nDCG@10": "ndcg_cut_10"}
    names |= {"HitRatio@5": "success_5", "HitRatio@10": "success_10", "MRR": "recip_rank"}
    for ours, name in names.items():
        assert values[ours] == pytest.approx(np.mean([one[name] for one in theirs])), ours


@given(impressions(st.integers(0, 2).map(float), most=7))
@settings(max_examples=60, deadline=None)
def test_ties_are_the_mean_over_all_their_orders(score_clicks: Score, impression: Impression) -> None:
    values = bare(score_clicks(*halves([impression])))
    places = range(len(impression))
    falling = [-score for _, score in impression]
    orders = [order for order in permutations(places) if sorted(order, key=falling.__getitem__) == list(order)]
    every = [in_order([impression[place][0] for place in order]) for order in orders]
    for name in every[0]:
        assert values[name] == pytest.approx(np.mean([one[name] for one in every])), name


def test_hit_ratio_of_ties_that_reach_past_k_agrees_with_sampling(score_clicks: Score) -> None:
    labels, scores = [0] * 2 + [1] * 3 + [0] * 27, [2.0] * 2 + [1.0] * 28 + [0.0] * 2
    values = bare(score_clicks([labels], [scores]))
    rng = np.random.default_rng(0)
    drawn = [in_order([0, 0, *rng.permutation(labels[2:30]).tolist(), 0, 0]) for _ in range(4000)]
    for name in ("HitRatio@5", "HitRatio@10", "MRR", "MRR_mind", "nDCG@5", "nDCG@10"):
        sampled = np.array([one[name] for one in drawn])
        assert abs(values[name] - sampled.mean()) < 4 * sampled.std() / math.sqrt(len(drawn)), name


@given(st.lists(st.lists(st.tuples(st.integers(0, 1), PROBABILITY), min_size=1, max_size=12), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_log_loss_is_sklearns_over_all_candidates(score_clicks: Score, sample: list[Impression]) -> None:
    """Impressions of one class count too; an impression with both is added, as ranking needs one."""
    from sklearn.metrics import log_loss

    labels, scores = halves([*sample, [(1, 1.0), (0, 0.0), (0, 1.0)]])
    theirs = log_loss([y for one in labels for y in one], [p for one in scores for p in one], labels=[0, 1])
    assert bare(score_clicks(labels, scores))["log_loss"] == pytest.approx(theirs)


@given(st.lists(impressions(TIED), min_size=1, max_size=5), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_order_of_candidates_and_samples_and_the_scale_of_scores_change_nothing(
    score_clicks: Score, sample: list[Impression], shuffler: random.Random
) -> None:
    labels, scores = halves(sample)
    plain = score_clicks(labels, scores, n_bootstrap=20).metrics
    shuffled = [shuffler.sample(impression, len(impression)) for impression in sample]
    order = shuffler.sample(range(len(sample)), len(sample))
    other_labels, other_scores = halves(shuffled)
    again = score_clicks(other_labels, other_scores, order=order, n_bootstrap=20).metrics
    assert all(again[name] == plain[name] for name in RANKED)
    stretched = [[7 * math.exp(score) for score in one] for one in scores]
    assert {name: bare(score_clicks(labels, stretched))[name] for name in RANKED} == {
        name: plain[name].value for name in RANKED
    }


@given(st.lists(impressions(TIED), min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_bounds_growth_with_k_and_reversal(score_clicks: Score, sample: list[Impression]) -> None:
    labels, scores = halves(sample)
    values = bare(score_clicks(labels, scores))
    assert all(0 <= values[name] <= 1 for name in RANKED)
    assert values["HitRatio@5"] <= values["HitRatio@10"]
    assert values["nDCG@1"] <= values["HitRatio@5"] + 1e-12
    assert values["MRR_mind"] <= values["MRR"] + 1e-12
    reversed_scores = [[-score for score in one] for one in scores]
    assert bare(score_clicks(labels, reversed_scores))["GAUC"] == pytest.approx(1 - values["GAUC"])


@given(st.lists(impressions(st.floats(-1, 1), unique=True), min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_clicked_candidates_first_score_1_exactly(score_clicks: Score, sample: list[Impression]) -> None:
    labels, _ = halves(sample)
    lifted = [[s + 5 * y for y, s in impression] for impression in sample]
    values = bare(score_clicks(labels, lifted))
    assert {values[name] for name in RANKED if name != "MRR_mind"} == {1.0}
    told = bare(score_clicks(labels, [[float(label) for label in one] for one in labels]))
    assert all(told[name] == pytest.approx(1) for name in RANKED if name != "MRR_mind")
    assert told["log_loss"] == pytest.approx(0, abs=1e-15)


def test_rounding_takes_nothing_from_1_and_never_passes_it(score_clicks: Score) -> None:
    """1 to 60 clicks ahead of 60 others, without ties and with all clicks tied."""
    labels = [[1] * clicks + [0] * 60 for clicks in range(1, 61)]
    falling = [[-float(place) for place in range(len(one))] for one in labels]
    exact, tied = (score_clicks(labels, scores, per_sample=True).per_sample or () for scores in (falling, labels))
    names = [name for name in RANKED if name != "MRR_mind"]
    assert {sample[name] for sample in exact for name in names} == {1.0}
    assert all(1 - 1e-12 < float(sample[name] or 0) <= 1 for sample in tied for name in names)
    over = [[1] * clicks + [0] * others for clicks in range(1, 12) for others in range(1, 12)]
    for sample in score_clicks(over, [[0] * len(one) for one in over], per_sample=True).per_sample or ():
        assert all(0 <= float(sample[name] or 0) <= 1 for name in RANKED)


def test_impressions_of_one_class_are_left_out_and_noted(score_clicks: Score) -> None:
    labels, scores = [[1, 0], [1, 1], [0], [0, 1]], [[0.9, 0.1], [0.3, 0.2], [0.4], [0.9, 0.8]]
    result = score_clicks(labels, scores, per_sample=True, n_bootstrap=200)
    assert result.notes == ("2 of 4 impressions lack a positive or a negative; only log_loss counts them",)
    alone = score_clicks([labels[0], labels[3]], [scores[0], scores[3]])
    assert all(result.metrics[name].value == alone.metrics[name].value for name in RANKED)
    assert [sample["ranked"] for sample in result.per_sample or ()] == [1, 0, 0, 1]
    assert [sample["candidates"] for sample in result.per_sample or ()] == [2, 2, 1, 2]
    losses = np.log([0.9, 0.9, 0.3, 0.2, 0.6, 0.1, 0.8])
    assert bare(result)["log_loss"] == pytest.approx(-losses.mean())
    assert math.isfinite(result.metrics["GAUC"].standard_error or math.nan)


def test_log_loss_is_left_out_of_scores_that_are_no_probabilities(score_clicks: Score) -> None:
    result = score_clicks([[1, 0], [1, 0]], [[1.5, -2], [0.5, 0.1]])
    assert "log_loss" not in result.metrics
    assert result.notes == ("log_loss is left out: 1 of 2 impressions has a score outside 0 to 1, no probability",)
    sure = score_clicks([[1, 0]], [[0, 1]]).metrics["log_loss"]
    assert (sure.value, sure.higher_is_better) == (pytest.approx(-math.log(np.finfo(float).eps)), False)


@pytest.mark.parametrize(
    ("labels", "fault"),
    [
        ([[1, 0], 1], "id 's001': output must be a list of labels, 1 \\(clicked\\) or 0"),
        ([[1, 0], []], "id 's001': output must be a list of labels"),
        ([[1, 0], [1, 2]], "id 's001': output must be a list of labels"),
        ([[1, 0], [True, 0]], "id 's001': output must be a list of labels"),
        ([[1, 0], [1.0, 0]], "id 's001': output must be a list of labels"),
        ([[1, 0], ["1", "0"]], "id 's001': output must be a list of labels"),
        ([[1, 0], [[1], 0]], "id 's001': output must be a list of labels"),
        ([[1, 0], [0, 1] * 5001], "id 's001': output has 10,002 candidates; at most 10,000 are allowed"),
    ],
)
def test_golds_that_are_refused(score_clicks: Score, labels: list[object], fault: str) -> None:
    with pytest.raises(HarnessError, match=fault) as caught:
        score_clicks(labels, [[0.5, 0.5]] * len(labels))
    assert not isinstance(caught.value, SubmissionError)


@pytest.mark.parametrize(
    ("output", "fault"),
    [
        (0.5, "output must be a list of scores, one for each candidate"),
        ("0.5, 0.1", "output must be a list of scores"),
        ({"0": 0.5}, "output must be a list of scores"),
        ([0.5], "output has 1 score for 2 candidates; give one for each, in their order"),
        ([0.5, 0.1, 0.2], "output has 3 scores for 2 candidates"),
        ([], "output has 0 scores for 2 candidates"),
        ([0.5, "0.1"], "scores must be numbers"),
        ([0.5, None], "scores must be numbers"),
        ([0.5, True], "scores must be numbers"),
        ([[0.5], 0.1], "scores must be numbers"),
    ],
)
def test_predictions_that_are_refused(score_clicks: Score, output: object, fault: str) -> None:
    with pytest.raises(SubmissionError, match=f"predictions.*id 's001': {fault}"):
        score_clicks([[1, 0], [0, 1]], [[0.5, 0.1], output])


@pytest.mark.parametrize(
    "score", [math.nan, math.inf, -math.inf, 10**309, -(10**400)], ids=["nan", "inf", "-inf", "1e309", "-1e400"]
)
def test_scores_in_memory_must_be_finite(score: float) -> None:
    for call in (
        lambda: score_strings([[1, 0], [0, 1]], [[0.5, 0.1], [0, score]], task="click"),
        lambda: score_strings([[1, 0], [0, 1]], [[0.5, 0.1], [score, -score]], task="click"),
    ):
        with pytest.raises(SubmissionError, match="^strings: id '1': scores must be finite numbers"):
            call()
    with pytest.raises(SubmissionError, match="id '0': scores must be finite numbers"):
        score_pair([1, 0], [0, score], task="click")


def test_scores_in_memory_are_of_pythons_own_kinds() -> None:
    for score in (True, np.float64(0.5), np.int64(1)):
        with pytest.raises(SubmissionError, match="id '0': scores must be numbers"):
            score_pair([1, 0], [score, 0], task="click")
    assert score_pair([1, 0], [10**308, -1e308], task="click")["GAUC"] == 1


def test_samples_that_rank_nothing_are_a_fault_of_their_choice(score_clicks: Score) -> None:
    with pytest.raises(SelectionError, match="no impression holds both a positive and a negative"):
        score_clicks([[1, 1], [0, 0]], [[0.5, 0.5]] * 2)
