"""The settings of a synthetic environment: everything about it that is no matrix."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches

from harness.errors import HarnessError, shown
from harness.opl.generators import GENERATORS
from harness.opl.quoted import quoted

CONTINUOUS, BINARY = "continuous", "binary"
DOUBLE_MEAN_NOISE, ALIASED_MATRICES = "double_mean_noise", "aliased_matrices"
PAPER = (ALIASED_MATRICES, DOUBLE_MEAN_NOISE)
_NOT_NEGATIVE = ("noise_level", "reward_std", "confounder_scale")


@dataclass(frozen=True)
class EnvironmentSettings:
    """How outputs and rewards arise; raises `HarnessError` for what no environment can have.

    Attributes:
        generator: name of the function g by which actions change the output.
        reward_type: "continuous", r ~ N(f, reward_std^2), or "binary", r ~ Bernoulli(Phi(f)), where f(x, q, o) is the
            reward function and Phi the normal distribution function: unlike f it is a probability, and unlike a
            logistic function its mean over the noise of the output has a closed form.
        noise_level: standard deviation of the output around its mean, each coordinate.
        reward_std: standard deviation of a continuous reward, given the output.
        max_abs_val, scaler: height and frequency of sigmoid and trigonometric; power uses the scaler.
        bias: b of rational, None elsewhere or where it is still to be drawn.
        dim_confounded: how many of the last output coordinates are noise in place of an answer to query and action.
        confounder_scale: standard deviation of those.
        beta: inverse temperature of the logging policy; 0 is uniform, less than 0 worse.
        compat: defects of the published environment that are reproduced: `double_mean_noise` (the output is twice its
            mean plus noise), `aliased_matrices` (the reward's matrices are those of the output, the first action
            embeddings too). The latter speaks of how matrices were drawn and changes no score.
    """

    generator: str = "trigonometric"
    reward_type: str = CONTINUOUS
    noise_level: float = 1.0
    reward_std: float = 1.0
    max_abs_val: float = 5.0
    scaler: float = 1.0
    bias: float | None = None
    dim_confounded: int = 0
    confounder_scale: float = 1.0
    beta: float = 1.0
    compat: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if fault := self._fault():
            raise HarnessError(f"environment settings: {fault}")

    def _fault(self) -> str | None:
        if self.generator not in list(GENERATORS):  # a list, as what came from JSON may be unhashable
            near = get_close_matches(str(self.generator), GENERATORS, n=1)
            return f"generator {quoted(self.generator)} is not one of {', '.join(GENERATORS)}" + (
                f"; did you mean {near[0]!r}?" if near else ""
            )
        if self.reward_type not in (CONTINUOUS, BINARY):
            return f"reward_type {quoted(self.reward_type)} must be {CONTINUOUS!r} or {BINARY!r}"
        numbers = ("noise_level", "reward_std", "max_abs_val", "scaler", "confounder_scale", "beta")
        for name in (*numbers, *(("bias",) if self.bias is not None else ())):
            value = getattr(self, name)
            if not _is_finite(value) or (name in _NOT_NEGATIVE and value < 0):
                least = " from 0" if name in _NOT_NEGATIVE else ""
                return f"{name} is {quoted(value)}; give a finite number{least}"
        if self.generator != "rational" and self.bias is not None:
            return "bias belongs to the generator 'rational'; make it null"
        if type(self.dim_confounded) is not int or self.dim_confounded < 0:
            return f"dim_confounded is {quoted(self.dim_confounded)}; give a number of output coordinates from 0"
        if not all(defect in PAPER for defect in self.compat):
            return f"compat holds {quoted(list(self.compat))}; the defects are {', '.join(PAPER)}"
        return None

    @property
    def mean_factor(self) -> float:
        """What the output's mean is multiplied by: 1, and 2 with the defect `double_mean_noise`."""
        return 2.0 if DOUBLE_MEAN_NOISE in self.compat else 1.0

    def to_json(self) -> dict[str, object]:
        """All settings as JSON values."""
        values = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return values | {"compat": sorted(self.compat)}

    @classmethod
    def from_json(cls, values: Mapping[str, object]) -> EnvironmentSettings:
        """The settings out of what `to_json` gave: all of them, none unknown; raises `HarnessError`."""
        known = [entry.name for entry in fields(cls)]
        for names, what in (
            ([name for name in known if name not in values], "lack"),
            (sorted(set(values) - set(known)), "hold the unknown"),
        ):
            if names:
                raise HarnessError(f"environment settings: {what} {shown(names)}; give {', '.join(known)}")
        compat = values["compat"]
        if not isinstance(compat, list):
            raise HarnessError(f"environment settings: compat is {quoted(compat)}; give a list")
        whole = {name: _as_float(value) for name, value in values.items() if name != "dim_confounded"}
        return cls(**{**values, **whole, "compat": tuple(compat)})  # type: ignore[arg-type]  # checked where it is made


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
