"""Points of a comparison: whether they are admissible and which bound is smaller there, in floats first and in Arb where those cannot tell."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bounds.box import Point, is_integer
from bounds.comparison.pair import Case, Relation
from bounds.errors import PrecisionError
from bounds.expression import Node, names
from bounds.expression.balls import enclose
from bounds.numeric.grid import filled, ready
from bounds.numeric.ways import Ways
from bounds.symbols import rank_of

Columns = Mapping[str, Any]
Values = NDArray[np.float64]
#: Four times what two values of :data:`bounds.numeric.code.TOLERANCE` may be wrong by together.
GUARD = 4e-12


class Points:
    """Admissibility and order in one case; columns are numpy arrays of one shape, an array parameter is one for all points."""

    def __init__(self, case: Case, parameters: Sequence[str]) -> None:
        self.case, self.parameters = case, tuple(name for name in parameters if name not in case.flags)

    @cached_property
    def _ways(self) -> dict[int, Ways]:
        return {}

    def values(self, node: Node, columns: Columns) -> Values:
        """Floats within a relative error of 4.8e-13 (nan where none is known), of the columns' shape.

        What is a count in the bound's own parameters is one here, too: much is known of counts.
        """
        own, mapped = self.case.own.get(id(node), (node, {}))
        if not mapped or not all(is_integer(name) for name in mapped):
            return self._floats(node, columns)
        return self._floats(own, {**columns, **{name: self._floats(tree, columns) for name, tree in mapped.items()}})

    def _floats(self, node: Node, columns: Columns) -> Values:
        if id(node) not in self._ways:
            self._ways[id(node)] = Ways(node, tuple(sorted(names(node))), {}, upward=False)
        ways = self._ways[id(node)]
        arguments = [
            ready(name, columns[name] if rank_of(name) else np.asarray(columns[name], dtype=np.float64)) for name in ways.parameters
        ]
        with np.errstate(all="ignore"):
            found = filled(ways, arguments, lambda _: math.nan)
        return np.asarray(np.broadcast_to(found, shape_of(columns)), dtype=np.float64)

    def slack(self, condition: Relation, columns: Columns) -> Values:
        """(right - left) over their sizes: above :data:`GUARD` where the condition surely holds, below -GUARD where it surely fails."""
        left, right = (self.values(side, columns) for side in (condition[0], condition[2]))
        with np.errstate(all="ignore"):
            share = (right - left) / np.maximum(np.abs(left) + np.abs(right), 1e-290)
        return np.where(np.isposinf(right), 1.0, share)

    def worst(self, columns: Columns) -> Values:
        """The least slack over the assumptions; nan where floats have none."""
        slacks = [self.slack(one, columns) for one in self.case.conditions]
        return np.minimum.reduce(slacks) if slacks else np.ones(shape_of(columns))

    def gap(self, columns: Columns) -> Values:
        """(a - b)/max(abs(a), abs(b)), nan where floats do not have it."""
        a, b = (self.values(node, columns) for node in (self.case.a, self.case.b))
        with np.errstate(all="ignore"):
            size = np.maximum(np.abs(a), np.abs(b))
            return np.where(size > 1e-290, (a - b) / size, np.nan)

    # one point ----------------------------------------------------------------------------------

    def holds(self, point: Point) -> bool:
        """Whether every assumption holds, decided by Arb."""
        return all(_holds(one, point) for one in self.case.conditions)

    def sign(self, point: Point) -> int:
        """The sign of a - b, certified by Arb; 0 where they are equal up to 2^-60, or one has no value."""
        try:
            a, b = enclose(self.case.a, point), enclose(self.case.b, point)
        except PrecisionError:
            return 0
        return 1 if a > b else -1 if a < b else 0

    # many points --------------------------------------------------------------------------------

    def admissible(self, columns: Columns) -> NDArray[np.bool_]:
        """Where every assumption holds: beyond the floats' error bounds, or else by Arb."""
        worst = self.worst(columns)
        return self._settled(worst > GUARD, ~(np.abs(worst) > GUARD), columns, self.holds, bool)

    def signs(self, columns: Columns, where: NDArray[np.bool_]) -> NDArray[np.int8]:
        """The sign of a - b at the points ``where``: beyond the floats' error bounds, or else by Arb."""
        gap = self.gap(columns)
        rough = np.where(np.isnan(gap), 0, np.sign(gap)).astype(np.int8)
        return self._settled(np.where(where, rough, 0), where & ~(np.abs(gap) > GUARD), columns, self.sign, np.int8)

    def _settled(self, rough: Any, open_: Any, columns: Columns, one: Any, kind: Any) -> NDArray[Any]:
        result: NDArray[Any] = np.array(rough, dtype=kind)
        for place in zip(*np.nonzero(open_), strict=True):
            result[place] = one(point_at(columns, place))
        return result


def _holds(condition: Relation, point: Point) -> bool:
    """As :meth:`bounds.assumptions.Condition.check`: balls this sharp overlap only at equality."""
    try:
        low, high = enclose(condition[0], point), enclose(condition[2], point)
    except PrecisionError:
        return False
    return bool(low < high) if condition[1] == "<" else not bool(low > high)


def shape_of(columns: Columns) -> tuple[int, ...]:
    """The shape that the numbers among the columns broadcast to."""
    return np.broadcast_shapes(*(np.shape(value) for name, value in columns.items() if not rank_of(name)))


def point_at(columns: Columns, place: Any) -> Point:
    """The point at an index of the columns, in plain Python numbers."""
    shape = shape_of(columns)
    point: Point = {}
    for name, column in columns.items():
        if rank_of(name):
            point[name] = column
        else:
            value = np.broadcast_to(column, shape)[place].item()
            point[name] = int(value) if is_integer(name) else value
    return point
