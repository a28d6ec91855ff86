"""One run's curve: steps that increase and accuracies in percent, or a sentence that says what is wrong with it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from empirical.logs.names import LogSetting

UNITS = ("fraction", "percent")
#: More rows than this are no log of evaluations.
MOST_ROWS = 2_000_000
_SURELY_PERCENT = 5.0


class LogError(ValueError):
    """What is wrong with one log, in words; the other logs are read all the same."""


@dataclass(frozen=True, slots=True, eq=False)
class AccuracyLog:
    """One run: ``steps`` and ``accuracy`` (percent), both of shape (rows,); ``complete`` unless it ends before it should."""

    file: str
    setting: LogSetting
    steps: NDArray[np.int64]
    accuracy: NDArray[np.float64]
    complete: bool = True

    @property
    def final(self) -> float:
        """The last logged accuracy, in percent."""
        return float(self.accuracy[-1])

    @property
    def best(self) -> float:
        """The largest logged accuracy, in percent: the maximum of noisy values, so above what a model of this run would show again."""
        return float(self.accuracy.max())

    @property
    def gap(self) -> int:
        """The usual distance between two logged steps; 0 for a single row."""
        return int(np.median(np.diff(self.steps))) if self.steps.size > 1 else 0

    def same_curve(self, other: AccuracyLog) -> bool:
        """Whether both logs hold the same numbers."""
        return np.array_equal(self.steps, other.steps) and np.array_equal(self.accuracy, other.accuracy)


def _float(text: str, what: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise LogError(f"{what} {text[:40]!r} is not a number") from None


def whole_step(text: str, line: str) -> int:
    """A step, as an integer however it is written.

    Raises:
        LogError: when it is none.
    """
    value = _float(text, f"{line}: the step")
    if not math.isfinite(value) or not value.is_integer() or abs(value) > 2**53:
        raise LogError(f"{line}: the step {text[:40]!r} is not a whole number")
    return int(value)


def number(text: str, line: str) -> float:
    """A finite value.

    Raises:
        LogError: when it is none.
    """
    value = _float(text, f"{line}: the value")
    if not math.isfinite(value):
        raise LogError(f"{line}: the value is {text[:40].strip()}, so the run diverged or was not measured there")
    return value


def checked_curve(steps: Sequence[int], values: Sequence[float], unit: str | None) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Steps and accuracies in percent; ``unit`` is that of ``values``, guessed where it is None.

    Raises:
        LogError: for no rows, steps that do not increase, or values that are no accuracies.
    """
    if not steps:
        raise LogError("it has no rows")
    at, found = np.asarray(steps, dtype=np.int64), np.asarray(values, dtype=np.float64)
    backwards = np.flatnonzero(np.diff(at) <= 0)
    if backwards.size:
        first = int(backwards[0])
        raise LogError(f"step {at[first + 1]} follows step {at[first]}: two logs were joined, or the run was resumed")
    return at, _percent(found, unit)


def _percent(values: NDArray[np.float64], unit: str | None) -> NDArray[np.float64]:
    low, high = float(values.min()), float(values.max())
    if low >= 0 and high <= 1 and unit != "percent":
        return 100 * values
    if low >= 0 and high <= 100 and (unit == "percent" or (unit is None and float(np.median(values)) > _SURELY_PERCENT)):
        return values
    ends = "[0, 100]" if unit == "percent" else "[0, 1]"
    fix = "" if unit else ", nor percentages; state the unit if it is one"
    raise LogError(f"its values reach from {low:.6g} to {high:.6g}, which are no accuracies in {ends}{fix}")
