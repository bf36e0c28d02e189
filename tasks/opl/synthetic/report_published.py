"""The paper's own results, to stand beside ours where the settings are the same."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tasks.opl.synthetic.report_read import Fields, Value

_FILE = Path(__file__).parent / "report_page" / "kiyohara2025.json"


class Sweep(BaseModel):
    """One figure: the swept field's values, and each method's mean optimality at them."""

    model_config = ConfigDict(frozen=True)

    values: list[float]
    optimality: dict[str, list[float]]


class Published(BaseModel):
    """The paper's default setting, as the values of each field that are it, and its sweeps of one field each."""

    model_config = ConfigDict(frozen=True)

    source: str
    setting: dict[str, list[Value]]
    sweeps: dict[str, Sweep]

    @property
    def methods(self) -> list[str]:
        """The methods of its figures."""
        return list(next(iter(self.sweeps.values())).optimality)

    def lines(self, field: str, fixed: Fields) -> Mapping[str, list[tuple[float, float]]]:
        """Method -> (value, optimality) of the sweep over `field`; nothing where another field is not the default's."""
        if field not in self.sweeps or not self._is_default(fixed, field):
            return {}
        sweep = self.sweeps[field]
        return {name: list(zip(sweep.values, line, strict=True)) for name, line in sweep.optimality.items()}

    def at(self, fields: Fields) -> Mapping[str, float]:
        """Method -> optimality in one setting; nothing where the paper has no such setting."""
        for field in self.sweeps:
            lines = self.lines(field, fields)
            found = {name: y for name, line in lines.items() for x, y in line if x == fields[field]}
            if found:
                return found
        return {}

    def _is_default(self, fields: Fields, but: str) -> bool:
        return all(fields[name] in allowed for name, allowed in self.setting.items() if name != but)


@cache
def published() -> Published:
    """Kiyohara et al. (RecSys 2025)."""
    return Published.model_validate_json(_FILE.read_text(encoding="utf-8"))
