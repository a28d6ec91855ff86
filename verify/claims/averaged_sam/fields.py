"""Is there a loss that D-SGD descends when the spread of the nodes moves with their mean? Polynomial fields in the plane, by sympy.

The mean step is -eta times F = grad L + D^3 L[Xi]/2 with Xi held fixed in the derivative.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import sympy

X, Y, C = sympy.symbols("x y c", real=True)
#: A quartic with a nonconstant Hessian.
LOSS = X**2 * Y**2 / 2 + X**4 / 4 + Y**2 / 2
_PLACE = (X, Y)


def hessian(loss: Any) -> Any:
    """(2, 2) matrix of second derivatives."""
    return sympy.hessian(loss, _PLACE)


def frozen_pull(loss: Any, spread: Any) -> list[Any]:
    """D^3 L[Xi]/2: the gradient of Tr(H Xi)/2 with Xi held fixed."""
    H = hessian(loss)
    return [sympy.expand(sum(H.diff(v)[k, j] * spread[k, j] for k in range(2) for j in range(2)) / 2) for v in _PLACE]


def curl(field: list[Any]) -> Any:
    """d F_y/dx - d F_x/dy: 0 everywhere in the plane if and only if F is a gradient."""
    return sympy.expand(sympy.diff(field[1], X) - sympy.diff(field[0], Y))


def direction(loss: Any, spread: Any) -> list[Any]:
    """The mean step over -eta, to the order of Tr(H Xi)."""
    return [sympy.diff(loss, v) + pull for v, pull in zip(_PLACE, frozen_pull(loss, spread), strict=True)]


@cache
def anisotropic() -> Any:
    """The curl for Xi = c diag(1 + x^2, 1)."""
    return curl(direction(LOSS, C * sympy.diag(1 + X**2, 1)))


def of_hessian(power: int) -> tuple[Any, Any]:
    """For Xi = c H^power: the curl, and by how much the field misses the gradient of L + c Tr H^(power+1)/(2 (power+1))."""
    H = hessian(LOSS)
    field = direction(LOSS, C * H**power)
    potential = LOSS + C * (H ** (power + 1)).trace() / (2 * (power + 1))
    rest = [sympy.expand(one - sympy.diff(potential, v)) for one, v in zip(field, _PLACE, strict=True)]
    return curl(field), rest


def of_inverse() -> tuple[Any, Any, Any]:
    """For Xi = c H^-1: whether the field is grad(L + c log det H/2), and the gradient of Tr(H Xi)/2 with Xi moving."""
    H = hessian(LOSS)
    spread = C * H.inv()
    field = direction_rational(spread)
    potential = LOSS + C * sympy.log(H.det()) / 2
    rest = [sympy.cancel(sympy.together(one - sympy.diff(potential, v))) for one, v in zip(field, _PLACE, strict=True)]
    penalty = sympy.cancel(sympy.together((H * spread).trace() / 2))
    return rest, penalty, [sympy.cancel(sympy.diff(potential - LOSS, v)) for v in _PLACE]


def direction_rational(spread: Any) -> list[Any]:
    """:func:`direction` for rational entries."""
    H = hessian(LOSS)
    pulls = [sum(H.diff(v)[k, j] * spread[k, j] for k in range(2) for j in range(2)) / 2 for v in _PLACE]
    return [sympy.diff(LOSS, v) + pull for v, pull in zip(_PLACE, pulls, strict=True)]


def cubic_rest() -> list[Any]:
    """What a general cubic in the plane with three nodes leaves of: mean gradient minus gradient of L + Tr(H Xi)/2 at the mean. All zero."""
    names = sympy.symbols("a0:10")
    powers = [(i, j) for i in range(4) for j in range(4 - i)]
    loss = sum(a * X**i * Y**j for a, (i, j) in zip(names, powers, strict=True))
    u, v, p, q = sympy.symbols("u v p q")
    away = ((u, v), (p, q), (-u - p, -v - q))
    spread = sympy.Matrix(2, 2, lambda k, j: sum(d[k] * d[j] for d in away) / 3)
    rest = []
    for place, pull in zip(_PLACE, frozen_pull(loss, spread), strict=True):
        slope = sympy.diff(loss, place)
        mean = sum(slope.subs({X: X + d[0], Y: Y + d[1]}, simultaneous=True) for d in away) / 3
        rest.append(sympy.expand(mean - slope - pull))
    return rest
