"""The settings of a synthetic environment: everything about it that is no matrix."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches

from harness.errors import HarnessError, shown
from harness.opl.generators import GENERATORS
from harness.opl.quoted import quoted
from harness.opl.reward_functions import REWARD_FUNCTIONS

CONTINUOUS, BINARY = "continuous", "binary"
DOUBLE_MEAN_NOISE, ALIASED_MATRICES = "double_mean_noise", "aliased_matrices"
PAPER = (ALIASED_MATRICES, DOUBLE_MEAN_NOISE)
BILINEAR = "bilinear"
_NUMBERS = ("noise_level", "reward_std", "frequency", "width", "max_abs_val", "scaler", "confounder_scale", "beta")
_NOT_NEGATIVE = ("noise_level", "reward_std", "confounder_scale")
_COUNTS = {
    "dim_confounded": "output coordinates",
    "hidden_outputs": "output coordinates",
    "hidden_contexts": "user coordinates",
}
_LATER = ("reward_function", "frequency", "width", "hidden_outputs", "hidden_contexts")  # golds may lack them


@dataclass(frozen=True)
class EnvironmentSettings:
    """How outputs and rewards arise; raises `HarnessError` for what no environment can have.

    Attributes:
        generator: name of the function g by which actions change the output.
        reward_type: "continuous", r ~ N(f, reward_std^2), or "binary", r ~ Bernoulli(Phi(f)), where f(x, q, o) is the
            reward function and Phi the normal distribution function: unlike f it is a probability, and unlike a
            logistic function its mean over the noise of the output has a closed form.
        reward_function: name of f: "bilinear", "periodic" or "ideal_point" (see `harness.opl.reward_functions`).
        frequency: w of the periodic one.
        width: of the ideal point: how far from it a reward is 1 lower.
        noise_level: standard deviation of the output around its mean, each coordinate.
        reward_std: standard deviation of a continuous reward, given the output.
        max_abs_val, scaler: height and frequency of sigmoid and trigonometric; power uses the scaler.
        bias: b of rational, None elsewhere or where it is still to be drawn.
        dim_confounded: how many of the last output coordinates are noise in place of an answer to query and action.
        confounder_scale: standard deviation of those.
        hidden_outputs: how many of the last output coordinates are rewarded but not shown to learners: what they see of
            the output is then not all that an action does.
        hidden_contexts: how many of the last user coordinates move the reward and the logging policy but are not shown to
            learners: the log is then confounded.
        beta: inverse temperature of the logging policy; 0 is uniform, less than 0 worse.
        compat: defects of the published environment that are reproduced: `double_mean_noise` (the output is twice its
            mean plus noise), `aliased_matrices` (the reward's matrices are those of the output, the first action
            embeddings too). The latter speaks of how matrices were drawn and changes no score.
    """

    generator: str = "trigonometric"
    reward_type: str = CONTINUOUS
    reward_function: str = BILINEAR
    frequency: float = 0.3
    width: float = 15.0
    noise_level: float = 1.0
    reward_std: float = 1.0
    max_abs_val: float = 5.0
    scaler: float = 1.0
    bias: float | None = None
    dim_confounded: int = 0
    confounder_scale: float = 1.0
    hidden_outputs: int = 0
    hidden_contexts: int = 0
    beta: float = 1.0
    compat: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if fault := self._fault():
            raise HarnessError(f"environment settings: {fault}")

    def _fault(self) -> str | None:
        for name, known in (("generator", GENERATORS), ("reward_function", REWARD_FUNCTIONS)):
            if fault := _unknown(name, getattr(self, name), list(known)):
                return fault
        if self.reward_type not in (CONTINUOUS, BINARY):
            return f"reward_type {quoted(self.reward_type)} must be {CONTINUOUS!r} or {BINARY!r}"
        if self.reward_type == BINARY and self.reward_function != BILINEAR:
            return (
                f"binary rewards of the reward_function {self.reward_function!r} have no closed form; "
                f"make reward_type {CONTINUOUS!r} or reward_function {BILINEAR!r}"
            )
        if self.generator != "rational" and self.bias is not None:
            return "bias belongs to the generator 'rational'; make it null"
        if not all(defect in PAPER for defect in self.compat):
            return f"compat holds {quoted(list(self.compat))}; the defects are {', '.join(PAPER)}"
        return self._number_fault()

    def _number_fault(self) -> str | None:
        for name in (*_NUMBERS, *(("bias",) if self.bias is not None else ())):
            value = getattr(self, name)
            if not _is_finite(value) or (name in _NOT_NEGATIVE and value < 0):
                least = " from 0" if name in _NOT_NEGATIVE else ""
                return f"{name} is {quoted(value)}; give a finite number{least}"
        if self.width <= 0:
            return f"width is {quoted(self.width)}; give a number above 0"
        for name, what in _COUNTS.items():
            value = getattr(self, name)
            if type(value) is not int or value < 0:
                return f"{name} is {quoted(value)}; give a number of {what} from 0"
        return None

    @property
    def mean_factor(self) -> float:
        """What the output's mean is multiplied by: 1, and 2 with the defect `double_mean_noise`."""
        return 2.0 if DOUBLE_MEAN_NOISE in self.compat else 1.0

    def to_json(self) -> dict[str, object]:
        """All settings as JSON values; those that came later only where they are not as they always were."""
        values = {
            entry.name: getattr(self, entry.name)
            for entry in fields(self)
            if entry.name not in _LATER or getattr(self, entry.name) != entry.default
        }
        return values | {"compat": sorted(self.compat)}

    @classmethod
    def from_json(cls, values: Mapping[str, object]) -> EnvironmentSettings:
        """The settings out of what `to_json` gave, none unknown; raises `HarnessError`."""
        known = [entry.name for entry in fields(cls)]
        for names, what in (
            ([name for name in known if name not in values and name not in _LATER], "lack"),
            (sorted(set(values) - set(known)), "hold the unknown"),
        ):
            if names:
                raise HarnessError(f"environment settings: {what} {shown(names)}; give {', '.join(known)}")
        compat = values["compat"]
        if not isinstance(compat, list):
            raise HarnessError(f"environment settings: compat is {quoted(compat)}; give a list")
        whole = {name: _as_float(value) for name, value in values.items() if name not in _COUNTS}
        return cls(**{**values, **whole, "compat": tuple(compat)})  # type: ignore[arg-type]  # checked where it is made


def _unknown(name: str, value: object, known: list[str]) -> str | None:
    """Why the value is none of the known names, and the nearest; None where it is one."""
    if value in known:  # a list, as what came from JSON may be unhashable
        return None
    near = get_close_matches(str(value), known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{name} {quoted(value)} is not one of {', '.join(known)}{hint}"


def _as_float(value: object) -> object:
    """JSON writes 1.0 as 1 at times; anything else stays for the check."""
    return float(value) if type(value) is int and _is_finite(value) else value


def _is_finite(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer that no float holds
        return False
