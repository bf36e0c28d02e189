"""Named synthetic environments: the published one, and harder ones that each take away what a kind of learner relies on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.errors import HarnessError
from harness.opl.drawing import Sizes, draw_environment
from harness.opl.environment import SyntheticEnvironment
from harness.opl.environment_settings import EnvironmentSettings


@dataclass(frozen=True)
class Variant:
    """A family of environments, one a seed.

    Attributes:
        breaks: what learners may no longer rely on.
        settings, sizes: what `draw_environment` takes. In all of them learners see 10 numbers of a context, 5 of an output
            and 1,000 actions; expected rewards have a standard deviation of about a half, 0.3 of the published ones without
            `compat` and 0.6 with it.
    """

    breaks: str
    settings: EnvironmentSettings
    sizes: Sizes


VARIANTS: Mapping[str, Variant] = {
    "published": Variant(
        "nothing: rewards are bilinear in context and output, and both are seen; with `compat` the paper's environments, "
        "whose outputs, and so expected rewards, are twice as large by a defect",
        EnvironmentSettings(),
        Sizes(),
    ),
    "nonlinear": Variant(
        "the form of the reward: it is periodic in the output, so a regression linear in the output finds about half",
        EnvironmentSettings(reward_function="periodic"),
        Sizes(),
    ),
    "misspecified": Variant(
        "mediation: half of the rewarded output coordinates are not seen, so actions move the reward past what is seen of "
        "the output; weights and regressions by output are biased, weights by action are not",
        EnvironmentSettings(hidden_outputs=5),
        Sizes(dim_output=10, normalizer=250.0),
    ),
    "confounded": Variant(
        "ignorability: half of the user, independent of the rest, is not seen, but moves the reward and a logging policy "
        "that chooses well; regressions are too high on what was chosen, weights by the logged pscore stay unbiased, and "
        "an optimality of 1, which is of all of the user, is out of reach",
        EnvironmentSettings(hidden_contexts=5, scaler=0.5, beta=3.0),
        Sizes(dim_context=10, normalizer=200.0),
    ),
    "hard": Variant(
        "all three at once",
        EnvironmentSettings(reward_function="periodic", hidden_outputs=5, hidden_contexts=5, scaler=0.5, beta=3.0),
        Sizes(dim_context=10, dim_output=10),
    ),
}


def draw_variant(name: str, seed: int, *, compat: bool = False) -> SyntheticEnvironment:
    """The environment of a seed of the variant of that name, as `draw_environment` draws it.

    Raises `HarnessError` where there is none.
    """
    if name not in VARIANTS:
        raise HarnessError(f"variant {name!r} is not one of {', '.join(VARIANTS)}")
    return draw_environment(seed, VARIANTS[name].sizes, VARIANTS[name].settings, compat=compat)
