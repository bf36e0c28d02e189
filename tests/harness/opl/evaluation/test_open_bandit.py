"""The Open Bandit Dataset: its loader, and estimates between its two policies beside what each really earned."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.errors import HarnessError
from harness.opl.evaluation import (
    BalancedInverseProbabilityWeighting,
    BanditFeedback,
    DirectMethod,
    DoublyRobust,
    InverseProbabilityWeighting,
    SelfNormalizedInverseProbabilityWeighting,
    empirical_action_dist,
    evaluate_policies,
    load_open_bandit,
)

HEAD = ",timestamp,item_id,position,click,propensity_score,user-item_affinity_0,user-item_affinity_1\n"
LINE = "0,2019-11-24,1,3,0,0.25,0.5,2.0\n"


@pytest.fixture(scope="module")
def logs(shared_data: Path) -> dict[str, BanditFeedback]:
    root = shared_data / "redistributable" / "open_bandit"
    if not root.is_dir():
        pytest.skip(f"no Open Bandit logs at {root}")
    return {name: load_open_bandit(root / name / "men" / "men.csv.gz", n_actions=34) for name in ("random", "bts")}


def test_reads_what_the_logs_hold(logs: dict[str, BanditFeedback]) -> None:
    random = logs["random"]
    assert (random.n_rounds, random.n_actions) == (10_000, 34)
    assert random.pscore == pytest.approx(1 / 34) and set(random.reward) == {0.0, 1.0}
    assert random.position is not None and set(random.position.tolist()) == {0, 1, 2}
    assert random.context is not None and random.context.shape == (10_000, 34)


def test_random_to_bts_covers_what_bts_earned(logs: dict[str, BanditFeedback]) -> None:
    """And the other way round, where weights are larger."""
    random = replace(logs["random"], logging_dist=np.full((10_000, 34), 1 / 34))
    pi = empirical_action_dist(logs["bts"], random)
    clicks = np.bincount(random.action, random.reward, 34) + 34 * random.reward.mean()
    q_hat = np.tile(clicks / (np.bincount(random.action, minlength=34) + 34), (10_000, 1))
    truth = float(logs["bts"].reward.mean())
    estimators = [
        InverseProbabilityWeighting(),
        SelfNormalizedInverseProbabilityWeighting(),
        DoublyRobust(),
        BalancedInverseProbabilityWeighting(),
        DirectMethod(),
    ]
    rows = evaluate_policies(random, {"bts": pi}, estimators, q_hat, truth={"bts": truth}).table
    for row in rows[:-1]:  # the model alone has no noise of clicks, so its interval promises nothing
        assert row.low <= truth <= row.high, row
    uniform = np.full((10_000, 34), 1 / 34)
    back = evaluate_policies(logs["bts"], {"random": uniform}, estimators[:2]).table
    assert all(row.low <= logs["random"].reward.mean() <= row.high for row in back), back


def test_reads_plain_and_packed_files(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(HEAD + LINE + "1,2019-11-24,0,1,1,0.5,0.0,1.0\n")
    with gzip.open(tmp_path / "log.csv.gz", "wt") as stream:
        stream.write((tmp_path / "log.csv").read_text())
    for name in ("log.csv", "log.csv.gz"):
        log = load_open_bandit(tmp_path / name)
        assert log.context is not None and log.position is not None and log.n_actions == 2
        assert (log.action.tolist(), log.reward.tolist(), log.pscore.tolist()) == ([1, 0], [0, 1], [0.25, 0.5])
        assert (log.position.tolist(), log.context.tolist()) == ([2, 0], [[0.5, 2.0], [0.0, 1.0]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no column 'item_id', 'position', 'click', 'propensity_score'"),
        (HEAD.replace("click", "clicked") + LINE, "has no column 'click'; the first line must name"),
        (HEAD, "has no rounds"),
        (
            HEAD + LINE.replace("0.25", "often"),
            "log.csv: line 2: propensity_score is 'often', which is no finite number",
        ),
        (HEAD + "0,2019-11-24,1\n", "line 2: position is '', which is no finite number"),
        (HEAD + LINE.replace("0.25", "0"), r"log.csv: pscore: \[0\] = 0 is not in \(0, 1\]"),
        (HEAD + LINE.replace(",3,", ",0,"), r"position: \[0\] = -1 is out of range"),
        (HEAD + LINE.replace(",1,3", ",nan,3"), "line 2: item_id is 'nan', which is no finite number"),
    ],
)
def test_says_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "log.csv").write_text(text)
    with pytest.raises(HarnessError, match=message):
        load_open_bandit(tmp_path / "log.csv")


def test_says_which_file_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="No such file"):
        load_open_bandit(tmp_path / "none.csv")
    (tmp_path / "torn.csv.gz").write_bytes(gzip.compress(b"x" * 1000)[:20])
    with pytest.raises(HarnessError, match=r"torn.csv.gz: cannot be read"):
        load_open_bandit(tmp_path / "torn.csv.gz")
    broken = bytearray(gzip.compress(LINE.encode() * 99))
    broken[12:20] = b"\xff" * 8
    (tmp_path / "broken.csv.gz").write_bytes(bytes(broken))
    with pytest.raises(HarnessError, match=r"broken.csv.gz: cannot be read"):
        load_open_bandit(tmp_path / "broken.csv.gz")
    (tmp_path / "log.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(HarnessError, match="is no CSV in UTF-8"):
        load_open_bandit(tmp_path / "log.csv")


def test_frequencies_go_by_position() -> None:
    log = BanditFeedback(np.ones(4), np.array([0, 1, 1, 1]), np.full(4, 0.5), 2, position=np.array([0, 0, 1, 1]))
    rounds = replace(log, position=np.array([1, 0, 0, 1]))
    assert empirical_action_dist(log, rounds).tolist() == [[0, 1], [0.5, 0.5], [0.5, 0.5], [0, 1]]
    with pytest.raises(HarnessError, match="has no round at position 2"):
        empirical_action_dist(log, replace(log, position=np.array([2, 0, 0, 0])))
    with pytest.raises(HarnessError, match="has 2 actions, the rounds 3"):
        empirical_action_dist(log, replace(log, n_actions=3))
