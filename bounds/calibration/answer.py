"""What a calibration says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from bounds.notebook import Shown

Status = Literal["found", "impossible", "undecided"]
#: Which of the values that meet a target.
Side = Literal["smallest", "largest"]
#: A number, or for two parameters one number by name.
Number = float | int | Mapping[str, float | int]


@dataclass(frozen=True, slots=True)
class Calibration(Shown):
    """The value of ``parameter`` that meets ``target``, the other parameters held fixed.

    ``value`` itself meets the target and every assumption; the threshold lies in [low, high] (for an integer, both are the
    value). ``achieved`` is the bound there. Where nothing was found, ``achieved`` is the value that comes nearest: the
    floor, where one is known. Without a target, ``value`` is where the bound is least, and [low, high] encloses that place.
    """

    bound: str
    parameter: str
    status: Status
    value: Number | None
    low: Number | None
    high: Number | None
    achieved: float | None
    target: float | None
    reason: str

    def document(self) -> dict[str, Any]:
        """The JSON document."""
        return {"schema_version": 1, **asdict(self)}
