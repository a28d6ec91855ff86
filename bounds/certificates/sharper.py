"""A sharper look at one box: the faces on which a rate is least, and its centred form between them.

With g the elasticity or the rate as a tree and u = log x: where x dg/dx has one sign over a box, g is least on one of the two
faces across x. Along the other variables g lies in g(c) + sum over x of (x dg/dx)(box) * (u - log c), the mean value form in
logarithms (Neumaier, Interval Methods for Systems of Equations, section 2.3). The way to a face or to the centre may leave the
points that are admissible, so that the box is taken without the assumptions, and only where g is smooth all over it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from bounds.certificates.arb_intervals import ArbIntervals
from bounds.certificates.calculus import Calculus, Scope
from bounds.certificates.points import as_float
from bounds.expression.tree import Call, Least, Node, Number, Power, Quotient, Reduce

_ROUGH = frozenset({"ceil", "when", "element", "growth"})


def smooth(goal: Node, scope: Scope) -> bool:
    """Whether a tree is made of functions that are continuous wherever their arguments are what they should be."""
    parts = list(scope.graph.walk(goal))
    rough = any(isinstance(part, Least | Reduce) or (isinstance(part, Call) and part.function in _ROUGH) for part in parts)
    return not rough and scope.graph.names(goal) <= scope.ranges.keys()


def least_known(goal: Node, sign: int, scope: Scope, ranges: Mapping[str, Any], of: Any) -> Any:
    """A lower end for sign * goal over each box (``ranges`` within ``scope``), -infinity where nothing is known.

    ``goal`` must be :func:`smooth`.
    """
    plain = replace(scope, ranges={**scope.ranges, **ranges}, caps={}, facts=(), moving=frozenset())
    moving = sorted(ranges.keys() & scope.graph.names(goal))
    slopes = {name: _signed(of, sign, Calculus(replace(plain, moving=frozenset((name,))), of).state(goal).rate) for name in moving}
    face, centre, spread = dict(plain.ranges), dict(plain.ranges), of.zero
    for name, slope in slopes.items():
        low, high = ranges[name]
        up, down = of.at_least_zero(slope), of.at_least_zero(of.neg(slope))
        face[name] = of.select(up, (low, low), of.select(down, (high, high), (low, high)))
        middle = _middle(low, high, of)
        centre[name] = of.select(up | down, face[name], middle)
        away = of.add(of.log(ranges[name]), of.neg(of.log(middle)))
        spread = of.add(spread, of.select(up | down, of.zero, of.mul(slope, away)))
    on_face, at_centre = (_signed(of, sign, Calculus(replace(plain, ranges=ends), of).state(goal).value) for ends in (face, centre))
    whole = of.select(_meant(goal, plain, of), of.meet(on_face, of.add(at_centre, spread)), of.all)
    return whole[0]


def _signed(of: Any, sign: int, interval: Any) -> Any:
    return interval if sign > 0 else of.neg(interval)


def _meant(goal: Node, plain: Scope, of: Any) -> Any:
    """Whether all over the box nothing is divided by 0, and no root, logarithm or real power taken of what is not positive."""
    run, sure = Calculus(plain, of), of.at_least_zero(of.zero)
    for part in plain.graph.walk(goal):
        inner, either = _delicate(part)
        if inner is not None:
            value = run.state(inner).value
            sure = sure & (of.above_zero(value) | (either & of.above_zero(of.neg(value))))
    return sure


def _delicate(part: Node) -> tuple[Node | None, bool]:
    """What must not be 0 for a node to be smooth, and whether it may be negative."""
    match part:
        case Quotient(_, under):
            return under, True
        case Power(_, Number(value)) if value is not None and value.denominator == 1 and value >= 0:
            return None, False
        case Power(base, Number(value)) if value is not None and value.denominator == 1:
            return base, True
        case Power(base, _):
            return base, False
        case Call("sqrt" | "log" | "geometric", (argument, *_)):
            return argument, False
    return None, False


def _middle(low: Any, high: Any, of: Any) -> Any:
    """A point of the box in the middle of its logarithm, the low end where there is none."""
    if of is ArbIntervals:
        middle = (
            of.number(float(np.sqrt(as_float(low)) * np.sqrt(as_float(high)))) if low > 0 and not isinstance(high, float) else (low, low)
        )
        return middle if middle[0] >= low and middle[1] <= high else (low, low)
    middle = np.sqrt(low) * np.sqrt(high)
    inside = (low > 0) & (middle >= low) & (middle <= high) & np.isfinite(middle)
    at = np.where(inside, middle, low)
    return (at, at)
