"""The off-policy learners, one a file: `learn(problem, config, generators, advance)` returns a `Fit`.

A new learner is a file with that function, an entry here and its name in `tasks.opl.config.LearnMethod`.
"""

from __future__ import annotations

from collections.abc import Mapping

from tasks.opl.learners import (
    direct_method,
    doubly_robust,
    greedy,
    ips,
    sentence_direct_method,
    sentence_greedy,
    snips,
)
from tasks.opl.problem import Learner

LEARNERS: Mapping[str, Learner] = {
    "greedy": greedy.learn,
    "direct_method": direct_method.learn,
    "ips": ips.learn,
    "snips": snips.learn,
    "doubly_robust": doubly_robust.learn,
    "sentence_direct_method": sentence_direct_method.learn,
    "sentence_greedy": sentence_greedy.learn,
}
"""`online` is not among them: it sees the environment (`tasks.opl.learners.online`)."""
