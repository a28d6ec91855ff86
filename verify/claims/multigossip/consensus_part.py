"""What lack of consensus adds to the bounds on the optimization error, as a series in x = lambda^Q."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import bounds
from bounds.vocabulary import UpdateForm, word

if TYPE_CHECKING:
    import sympy

#: An admissible point of all three bounds (r < 1 from x = 0 on), where a floor that is not 0 shows.
POINT = {"eta": "1/10", "beta": "1", "m": "8", "b": "1", "sigma2": "1", "zeta2": "1", "mu": "1/2", "T": "100", "D0": "1", "r0": "1"}
_BOUNDS = ("mgs_stationarity", "mgs_pl", "mgs_convex")


@dataclass(frozen=True, slots=True)
class Expansion:
    """What the network adds to a bound is ``floor`` + O(x); where floor and first order are 0, it is ``second`` x^2 + O(x^3).

    Texts in the bound's parameters; ``second`` is empty where the part does not start with x^2. ``vanishes``: floor and first order are
    identically 0 and ``second`` is positive for m > 1, zeta2 > 0, sigma2 > 0. ``witness`` is the floor at :data:`POINT`.
    """

    bound: str
    floor: str
    second: str
    vanishes: bool
    witness: float


def consensus_part(bound: bounds.Bound, form: str, readout: str) -> tuple[sympy.Expr, sympy.Symbol]:
    """The bound, minus what ATC is left with under perfect averaging, as an expression in a positive symbol x for (1-gap)^Q.

    Square roots of x^2 A are written x sqrt(A), so that the expression is smooth at x = 0. What ATC is left with is the bound
    of mini-batch SGD, so this part is all that the network adds.
    """
    import sympy

    gap, Q, x = bounds_symbol("gap"), bounds_symbol("Q"), sympy.Symbol("x", positive=True)
    ours = _smooth(bound.sympy(update_form=form, readout=readout).subs((1 - gap) ** Q, x), x)
    central = _smooth(bound.sympy(update_form=UpdateForm.ATC.value, readout=readout).subs((1 - gap) ** Q, x), x).subs(x, 0)
    if ours.has(Q) or ours.has(gap):
        raise ArithmeticError(f"{bound.id} depends on Q or gap otherwise than through (1-gap)^Q")
    return ours - central, x


def bounds_symbol(name: str) -> sympy.Symbol:
    """The sympy symbol of a parameter."""
    from bounds.expression import Name, to_sympy

    found: Any = to_sympy(Name(name))
    return found


def _smooth(expression: sympy.Expr, x: sympy.Symbol) -> sympy.Expr:
    import sympy

    def pulled(root: sympy.Expr) -> sympy.Expr:
        inside = sympy.expand(root.base)
        lowest = min(term.as_coeff_exponent(x)[1] for term in sympy.Add.make_args(inside))
        return x ** (lowest / 2) * sympy.sqrt(sympy.expand(inside / x**lowest))

    # Inside the theorem's own domain (r < 1) the first branch of a case distinction is the bound.
    plain = expression.replace(lambda e: e.is_Piecewise, lambda e: e.args[0].expr)
    return plain.replace(lambda e: e.is_Pow and e.exp == sympy.Rational(1, 2) and e.has(x), pulled)


def expansions(form: str, readout: str) -> tuple[Expansion, ...]:
    """One row per bound that speaks about this update form at this readout."""
    return tuple(
        _expansion(bound, form, readout)
        for bound in map(bounds.get, _BOUNDS)
        if word(UpdateForm, form) in bound.update_forms and readout in {one.value for one in bound.readouts}
    )


def _expansion(bound: bounds.Bound, form: str, readout: str) -> Expansion:
    import sympy

    part, x = consensus_part(bound, form, readout)
    floor = sympy.factor(part.subs(x, 0))
    if floor != 0:
        at = {bounds_symbol(name): sympy.Rational(value) for name, value in POINT.items()}
        return Expansion(bound.id, str(floor), "", False, float(floor.subs(at)))
    first, second = (sympy.factor(sympy.diff(part, x, order).subs(x, 0) / order) for order in (1, 2))
    return Expansion(bound.id, "0", str(second), first == 0 and positive(second), 0.0)


def positive(expression: sympy.Expr) -> bool:
    """Whether an expression is positive for m > 1 and 0 < eta mu < 1, all other symbols being positive: an even number of negative factors."""
    import sympy

    m, eta, mu, T = map(bounds_symbol, ("m", "eta", "mu", "T"))
    others, gone = sympy.symbols("others gone", positive=True)
    # 0 < (1 - eta mu)^T < 1 is written 1/(1 + gone).
    shifted = expression.subs((1 - eta * mu) ** T, 1 / (1 + gone)).subs(m, 1 + others)
    signs = [_sign(factor) for factor in sympy.Mul.make_args(sympy.factor(sympy.together(shifted)))]
    return all(signs) and math.prod(signs) > 0


def _sign(factor: sympy.Expr) -> int:
    """1 or -1 where all terms of the expanded factor have that sign, else 0."""
    import sympy

    if factor.is_Pow and factor.exp.is_Integer:
        return int(_sign(factor.base) ** abs(int(factor.exp)))
    terms = sympy.Add.make_args(sympy.expand(factor))
    return 1 if all(term.is_positive for term in terms) else -1 if all(term.is_negative for term in terms) else 0
