"""The off-policy learners, one a file: `learn(problem, config, generators, advance)` returns a `Fit`.

A new learner is a file with that function, an entry here and its name in `tasks.opl.config.LearnMethod`.
"""

from __future__ import annotations

from collections.abc import Mapping

from tasks.opl.learners import (
    behaviour_cloning,
    direct_method,
    doubly_robust,
    dr_shrinkage,
    dso,
    dso_dr,
    greedy,
    ips,
    mips,
    potec,
    sentence_direct_method,
    sentence_greedy,
    snips,
    sub_gaussian_ips,
    switch_dr,
)
from tasks.opl.problem import Learner

LEARNERS: Mapping[str, Learner] = {
    "behaviour_cloning": behaviour_cloning.learn,
    "greedy": greedy.learn,
    "direct_method": direct_method.learn,
    "ips": ips.learn,
    "snips": snips.learn,
    "sub_gaussian_ips": sub_gaussian_ips.learn,
    "doubly_robust": doubly_robust.learn,
    "switch_dr": switch_dr.learn,
    "dr_shrinkage": dr_shrinkage.learn,
    "mips": mips.learn,
    "potec": potec.learn,
    "dso": dso.learn,
    "dso_dr": dso_dr.learn,
    "sentence_direct_method": sentence_direct_method.learn,
    "sentence_greedy": sentence_greedy.learn,
}
"""`online` is not among them: it sees the environment (`tasks.opl.learners.online`)."""
