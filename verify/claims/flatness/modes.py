"""One mode of the local quadratic model as exact algebra: differences of excess risks, and proofs of their signs.

Nodes with one Hessian (an eigenvalue h) and a symmetric W (an eigenvalue l of W^Q): with x = eta h, the noise share of a mode's excess
risk is eta^2 h r/(2 m b) times w^2/(1 - a^2), and its bias share eta^2 h g^2/(2 m) times (w/(1 - a))^2; factor a and weight w by update
form are those of :mod:`bounds.catalogue.modes`. Consensus is stable for 0 < x < 1 + l, the others for 0 < x < 2.

A sign is proved as follows: the region is the image of all u, t > 0 under a rational substitution; after it, numerator and denominator are
polynomials in u and t, and if all coefficients of either have one sign, neither vanishes on the region and the quotient has one sign.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import sympy

from bounds.catalogue.modes import walk
from bounds.expression import parse, to_sympy
from bounds.vocabulary import UpdateForm, word

L, X, U, T = sympy.symbols("l x u t")
_CENTRE = sympy.Integer(0)
#: w by update form at the models themselves and where gradients are evaluated; consensus also after one more combination.
_WEIGHTS = {
    ("atc", "node_average"): L,
    ("atc", "gradient_point"): L,
    ("cta", "node_average"): sympy.Integer(1),
    ("cta", "gradient_point"): L,
    ("consensus", "node_average"): sympy.Integer(1),
    ("consensus", "gradient_point"): sympy.Integer(1),
    ("consensus", "combined"): L,
}


@cache
def factor(form: str) -> Any:
    """a in l and x, read from the catalogue's text for Q = 1 (l stands for the eigenvalue of W^Q)."""
    text = walk(word(UpdateForm, form), "p")
    found = to_sympy(parse(text, dict.fromkeys(("l", "Q", "eta", "p"))))
    places = {symbol.name: symbol for symbol in found.free_symbols}
    return found.subs({places["Q"]: 1}).subs({places["l"]: L, places["eta"]: X, places["p"]: 1})


def noise(form: str, readout: str = "node_average") -> Any:
    """w^2/(1 - a^2)."""
    return _WEIGHTS[form, readout] ** 2 / ((1 - factor(form)) * (1 + factor(form)))


def bias(form: str, readout: str = "node_average") -> Any:
    """(w/(1 - a))^2."""
    return (_WEIGHTS[form, readout] / (1 - factor(form))) ** 2


@dataclass(frozen=True, slots=True)
class Region:
    """Values of l and x as rational functions of u, t > 0 that cover a region; ``words`` describes it."""

    words: str
    eigenvalue: Any
    x: Any


def between(low: Any, high: Any, by: Any) -> Any:
    """The open interval (low, high) as ``by`` runs over the positive numbers."""
    return (low + high * by) / (1 + by)


_POSITIVE, _NEGATIVE = between(0, 1, U), between(0, -1, U)
_BORDER = 2 * _POSITIVE / (1 + _POSITIVE)
#: Every l in (-1, 1) and every x at which consensus is stable, in three pieces.
STABLE = (
    Region("0 < l < 1, 0 < x < 1 + l", _POSITIVE, between(0, 1 + _POSITIVE, T)),
    Region("l = 0, 0 < x < 1", _CENTRE, between(0, 1, T)),
    Region("-1 < l < 0, 0 < x < 1 + l", _NEGATIVE, between(0, 1 + _NEGATIVE, T)),
)
#: Every l in (-1, 1) and every x at which centralized SGD, ATC and CTA are stable.
WIDE = tuple(Region(one.words.partition(", ")[0] + ", 0 < x < 2", one.eigenvalue, between(0, 2, T)) for one in STABLE)
SMALL_STEPS = (Region("0 < l < 1, 0 < x < 2l/(1+l)", _POSITIVE, between(0, _BORDER, T)),)
LARGE_STEPS = (Region("0 < l < 1, 2l/(1+l) < x < 1 + l", _POSITIVE, between(_BORDER, 1 + _POSITIVE, T)), *STABLE[1:])


@cache
def sign(expression: Any, region: Region) -> int | None:
    """1 or -1 where the sign is proved all over the region, 0 where the expression vanishes, None where this shows nothing."""
    found = sympy.cancel(sympy.together(expression.subs({L: region.eigenvalue, X: region.x}, simultaneous=True)))
    if found == 0:
        return 0
    parts = [_sign(part) for part in sympy.fraction(found)]
    return None if None in parts else int(parts[0] * parts[1])  # type: ignore[operator]


def _sign(polynomial: Any) -> int | None:
    coefficients = sympy.Poly(polynomial, U, T).coeffs()
    if all(value > 0 for value in coefficients):
        return 1
    return -1 if all(value < 0 for value in coefficients) else None


def signs(expression: Any, regions: tuple[Region, ...]) -> Mapping[str, int | None]:
    """The proved sign on each region."""
    return {region.words: sign(expression, region) for region in regions}


def proved(expression: Any, regions: tuple[Region, ...], allowed: tuple[int, ...]) -> bool:
    """Is the sign proved to be one of ``allowed`` on every region?"""
    return all(found in allowed for found in signs(expression, regions).values())


def same(left: Any, right: Any) -> bool:
    """Are two rational functions one?"""
    return bool(sympy.cancel(sympy.together(left - right)) == 0)


def leading_gap() -> Any:
    """Consensus minus ATC, noise share of one mode, at x = 0: a number if it does not depend on l."""
    return sympy.cancel(sympy.together(noise("consensus") - noise("atc"))).subs(X, 0)
