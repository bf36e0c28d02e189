from __future__ import annotations

import numpy as np
import pytest

from harness import read_golds
from store.digest import sha256_file
from tasks.api import TaskError
from tasks.opl.labels import in_order
from tasks.opl.score import fixed
from tests.tasks.opl.finished_run import N_ACTIONS, FinishedRun, finished_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    return finished_run(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def scored(run: FinishedRun):
    return run.score({"n_bootstrap": 200, "seed": 1})


def expected(run: FinishedRun) -> dict[str, float]:
    rewards = run.rewards[run.is_test].astype(np.float64)
    values = {name: float((p[run.is_test] * rewards).sum(axis=1).mean()) for name, p in run.policies.items()}
    values["logging"] = float((run.logging[run.is_test] * rewards).sum(axis=1).mean())
    return values | {"uniform": float(rewards.mean()), "optimal": float(rewards.max(axis=1).mean())}


def test_scores_equal_numpy(run, scored):
    wanted = expected(run)
    policies = scored.read_json("scores.json")["policies"]
    for name, value in wanted.items():
        metrics = policies[name]["metrics"]
        assert metrics["policy_value"]["value"] == pytest.approx(value, abs=1e-5)
        share = (value - wanted["uniform"]) / (wanted["optimal"] - wanted["uniform"])
        assert metrics["optimality"]["value"] == pytest.approx(share, abs=1e-5)
        assert metrics["improvement_over_logging"]["value"] == pytest.approx(value - wanted["logging"], abs=1e-5)
        assert scored.manifest.made_by.metrics[f"value_{name}"] == metrics["policy_value"]["value"]


def test_the_references_are_exact(scored):
    policies = scored.read_json("scores.json")["policies"]
    assert policies["optimal"]["metrics"]["optimality"]["value"] == 1.0
    assert policies["optimal"]["metrics"]["optimality"]["interval"] == [1.0, 1.0]
    assert policies["uniform"]["metrics"]["optimality"]["value"] == 0.0
    assert policies["logging"]["metrics"]["improvement_over_logging"]["value"] == 0.0
    assert policies["logging"]["metrics"]["improvement_over_logging"]["standard_error"] == 0.0


def test_intervals_are_clustered_by_user(run, scored):
    """The standard error is that of user totals (n_users clusters), as its formula says."""
    scores = scored.read_json("scores.json")
    rewards, users = run.rewards[run.is_test].astype(np.float64), run.user[run.is_test]
    values = (run.policies["online"][run.is_test] * rewards).sum(axis=1)
    totals = np.array([(values[users == user] - values.mean()).sum() for user in np.unique(users)])
    g = len(totals)
    error = np.sqrt(g / (g - 1) * (totals**2).sum()) / len(values)
    found = scores["policies"]["online"]["metrics"]["policy_value"]
    assert found["standard_error"] == pytest.approx(error, rel=1e-4)
    assert found["interval"][0] < found["value"] < found["interval"][1]
    assert scores["n_users"] == scores["n_clusters"] == g and scores["n_bootstrap"] == 200 and scores["seed"] == 1


def test_the_scores_say_what_they_are_of(run, scored):
    predictions, scores = run.predict(), scored.read_json("scores.json")
    assert scores["golds_sha256"] == read_golds(predictions.path("golds.zip")).sha256
    assert scores["golds_sha256"] == sha256_file(predictions.path("golds.zip"))
    assert scores["policies"]["ips"]["predictions_sha256"] == sha256_file(predictions.path("ips.zip"))
    assert scores["harness_version"] and scores["about"]["n_actions"] == N_ACTIONS


def test_the_table_reads_by_itself(run, scored):
    text = scored.path("table.txt").read_text()
    lines = text.splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("policy"))
    caption = " ".join(lines[:head])
    assert f"one of {N_ACTIONS} prompts" in caption and f"{run.is_test.sum()} contexts of" in caption
    assert "10 x the gain in simulated probability" in caption and "200 resamples of users" in caption
    names = [line.split("  ")[0].strip() for line in lines[head + 2 :]]
    assert names == [
        "Uniform",
        "Logging policy",
        "Direct method (DM)",
        "Inverse propensity (IPS)",
        "Online learner",
        "Optimal",
    ]
    assert len({len(line) for line in lines[head:]}) == 1 and max(map(len, lines)) <= 100
    assert "-0.0000" not in text
    assert f"{expected(run)['ips']:.4f}" in text


def test_without_resamples_there_are_no_intervals(run):
    made = run.score({"n_bootstrap": 0})
    assert made.read_json("scores.json")["policies"]["ips"]["metrics"]["policy_value"]["interval"] is None
    assert "[" not in made.path("table.txt").read_text()


def test_unsound_predictions_are_told_in_one_line(run):
    good = run.predict()

    def write(out):
        for file in good.manifest.files:
            source = "logging.zip" if file.path == "ips.zip" else file.path
            out.path(file.path).write_bytes(good.path("golds.zip" if file.path == "ips.zip" else source).read_bytes())

    broken = run.commit("opl/predictions", "opl.predict", {"broken": 1}, {}, write)
    with pytest.raises(TaskError, match=r"opl/predictions@\w+: .*ips.zip") as caught:
        run.run("opl.score", predictions=broken)
    assert "\n" not in str(caught.value)


def test_order_and_numbers():
    assert in_order(["optimal", "zeta", "online", "ips", "alpha", "uniform", "direct_method", "logging"]) == [
        "uniform",
        "logging",
        "direct_method",
        "ips",
        "alpha",
        "zeta",
        "online",
        "optimal",
    ]
    assert (fixed(-1e-9, 4), fixed(-1e-9, 4, sign=True), fixed(0.5, 2, sign=True)) == ("0.0000", "0.0000", "+0.50")
