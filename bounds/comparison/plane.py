"""Which of two bounds is smaller over a plane of two parameters, point by point, and the curve on which they cross."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bounds.bound import Bound
from bounds.box import Point, is_integer
from bounds.comparison.pair import Pair
from bounds.comparison.points import Points
from bounds.errors import DomainError, UnknownParameterError
from bounds.formula import FLAGS
from bounds.symbols import rank_of

_POINTS = 317
_HALVINGS = 40
_NUDGE = 2e-10
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Plane:
    """Signs of a - b on a grid, decided by Arb wherever floats cannot.

    ``x`` of shape (columns,) and ``y`` (rows,) ascend; ``signs`` of shape (rows, columns) is 1 where a is larger, -1 where b is, 0
    where they are equal (to 2^-60) or have no value, and counts only where ``admissible``. ``curve`` has a row (x, low, high) for every
    crossing found between neighbours in a column: Arb has opposite signs of a - b at the ends ``low`` and ``high`` of y (neighbours
    where y counts, else at most 1e-9 apart relatively).
    """

    a: str
    b: str
    names: tuple[str, str]
    x: Values
    y: Values
    signs: NDArray[np.int8]
    admissible: NDArray[np.bool_]
    curve: Values
    fixed: Mapping[str, Any]
    let: Mapping[str, str]


def crossover(
    a: Bound,
    b: Bound,
    x: tuple[str, float, float],
    y: tuple[str, float, float],
    fixed: Mapping[str, float],
    *,
    update_form: str | None = None,
    readout: str | None = None,
    let: Mapping[str, str] | None = None,
    points: int = _POINTS,
) -> Plane:
    """The order of two bounds over two parameters, the others fixed.

    Args:
        x, y: (name, low, high) of either parameter.
        fixed: values of all the others.
        update_form, readout, let: as in :func:`bounds.compare`.
        points: of either axis (fewer where a count has no more values), spaced evenly by ratio where positive; the default makes a
            hundred thousand in all.

    Raises:
        UnknownParameterError, UnknownNameError, DomainError, ExpressionError: each one line.
    """
    if points < 2 or x[0] == y[0]:
        raise DomainError(f"got points={points} over {x[0]} and {y[0]}; give at least 2 points and two parameters")
    box = {**{name: (value, value) for name, value in fixed.items()}, x[0]: x[1:], y[0]: y[1:]}
    pair = Pair(a, b, box, update_form, readout, let)
    free = [name for name, (low, high) in pair.box.items() if name not in (x[0], y[0]) and (low < high or rank_of(name))]
    if free:
        raise DomainError(
            f"a plane of {x[0]} and {y[0]} needs all other parameters fixed; give {' '.join(f'{name}=VALUE' for name in free)}"
        )
    if {x[0], y[0]} & FLAGS:
        raise UnknownParameterError(f"a plane is drawn over parameters with a range; {' and '.join({x[0], y[0]} & FLAGS)} is 0 or 1")
    (case,) = pair.cases()
    work = _Grid(Points(case, pair.names), (x[0], y[0]), {n: low for n, (low, _) in pair.box.items() if n not in (x[0], y[0])})
    return work.plane(pair, *(_axis(name, *pair.box[name], points) for name in (x[0], y[0])))


def _axis(name: str, low: float, high: float, count: int) -> Values:
    values = np.geomspace(low, high, count) if low > 0 else np.linspace(low, high, count)
    values[0], values[-1] = low, high
    return np.unique(np.rint(values)) if is_integer(name) else values


class _Grid:
    def __init__(self, points: Points, names: tuple[str, str], at: Point) -> None:
        self.points, self.names = points, names
        self.at = {name: value for name, value in at.items() if name not in points.case.flags}
        self.fixed = at

    def columns(self, x: Values, y: Values) -> dict[str, Any]:
        """All parameters over points that broadcast."""
        return {**self.at, self.names[0]: x, self.names[1]: y}

    def plane(self, pair: Pair, x: Values, y: Values) -> Plane:
        columns = self.columns(x[None, :], y[:, None])
        admissible = self.points.admissible(columns)
        signs = self.points.signs(columns, admissible)
        curve = self.curve(x, y, signs, admissible)
        return Plane(pair.a.bound.id, pair.b.bound.id, self.names, x, y, signs, admissible, curve, self.fixed, pair.let)

    def curve(self, x: Values, y: Values, signs: NDArray[np.int8], admissible: NDArray[np.bool_]) -> Values:
        """Brackets between neighbouring rows, halved in floats all at once, and then their ends' signs in Arb."""
        rows, columns = np.nonzero((signs[:-1] * signs[1:] < 0) & admissible[:-1] & admissible[1:])
        low, high, at, before = y[rows], y[rows + 1], x[columns], signs[rows, columns]
        whole = is_integer(self.names[1])
        for _ in range(_HALVINGS if rows.size else 0):
            middle = np.rint((low + high) / 2) if whole else np.where(low > 0, np.sqrt(np.abs(low * high)), (low + high) / 2)
            gap = self.points.gap(self.columns(at, middle))
            stays = np.sign(gap) == before
            low, high = np.where(stays, middle, low), np.where(stays, high, middle)
        if not whole:
            low, high = low * (1 - _NUDGE * np.sign(low)), high * (1 + _NUDGE * np.sign(high))
        kept = [
            place
            for place in range(rows.size)
            if self._sign(at[place], low[place]) == before[place] == -self._sign(at[place], high[place]) != 0
        ]
        order = sorted(kept, key=lambda place: (at[place], low[place]))
        return np.stack([at[order], low[order], high[order]], axis=1) if order else np.empty((0, 3))

    def _sign(self, x: float, y: float) -> int:
        point = {**self.at, **{name: int(v) if is_integer(name) else float(v) for name, v in zip(self.names, (x, y), strict=True)}}
        return self.points.sign(point) if math.isfinite(y) and self.points.holds(point) else 0
