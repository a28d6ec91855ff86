"""The gap between the bounds of decentralized and of centralized SGD, as an order in the number m of nodes."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import bounds
from bounds.expression import Name, parse, to_sympy
from verify.finding_case import Finding
from verify.verdict import Table, Verdict

if TYPE_CHECKING:
    import sympy

STATED, BATCH_ONE, DERIVED = "mgs_generalization_stated", "hardt2016_nonconvex_relaxed", "dsgd_nonconvex_relaxed"


def sympy_of(text: str) -> sympy.Expr:
    """An exponent's text as a sympy expression in positive symbols."""
    names = ("beta", "c", "m", "n", "N", "b", "T", "L", "M")
    found: sympy.Expr = to_sympy(parse(text, dict.fromkeys(names)))
    return found


@cache
def exponent(bound_id: str, parameter: str) -> sympy.Expr:
    """The proved exponent of a bound in one parameter.

    Raises:
        ArithmeticError: where the order is not known, or carries a logarithm.
    """
    found = bounds.rate(bounds.get(bound_id), parameter)
    if found.exponent is None or found.log_power != "0":
        raise ArithmeticError(f"the order of {bound_id} in {parameter} is not a known power: {found.reason}")
    return sympy_of(found.exponent)


@cache
def share_of_batch_m() -> sympy.Expr:
    """The derived bound of decentralized SGD over that of SGD with batches of m out of N = m n samples, simplified; both relaxed alike."""
    import sympy

    m, n, N, b = (to_sympy(Name(name)) for name in ("m", "n", "N", "b"))
    central = bounds.get(BATCH_ONE).sympy().subs({b: m, N: m * n}, simultaneous=True)
    return sympy.simplify(bounds.get(DERIVED).sympy().subs(b, 1) / central)


def _expected_share() -> sympy.Expr:
    m, n = to_sympy(Name("m")), to_sympy(Name("n"))
    found: sympy.Expr = 1 - 1 / (m * n)
    return found


def between_bounds(which: str) -> Finding:
    """``quoted``: against the centralized bound of batch 1; ``batch``: against that of batch m; ``derived``: both from one argument."""
    import sympy

    stated, serial = exponent(STATED, "m"), exponent(BATCH_ONE, "N")
    share = share_of_batch_m()
    alike = sympy.simplify(share - _expected_share()) == 0
    batch = exponent(DERIVED, "m")
    orders = (
        ("decentralized, as stated", STATED, str(stated)),
        ("centralized, batches of 1 out of N = m n, as quoted", BATCH_ONE, str(serial)),
        ("centralized, batches of m, the same argument", f"{BATCH_ONE} with b = m", str(batch) if alike else "unknown"),
        ("decentralized, l1 stability", DERIVED, str(batch)),
    )
    table = Table("Orders in m at fixed n, T and constants, proved", ("bound", "id", "exponent of m"), orders)
    gap = sympy.factor(stated - (serial if which == "quoted" else batch))
    return Finding(*_words(which, gap, batch, share, alike), tables=(table,))


def _words(which: str, gap: sympy.Expr, batch: sympy.Expr, share: sympy.Expr, alike: bool) -> tuple[Verdict, str]:
    positive = bool(gap.is_positive)
    if which == "quoted" and positive:
        return Verdict.HOLDS, (
            f"Between the two bounds as quoted there is a factor m^({gap}), which no number of gossip steps removes: true of the bounds. The quoted "
            "centralized form is that of batches of 1, so T gradients in all against m T."
        )
    if which == "batch" and positive and alike:
        return Verdict.HOLDS, (
            f"The argument behind the quoted centralized form gives m^({batch}) for batches of m. Against that a factor m^({gap}) is left between "
            "the bounds: true of the bounds, and smaller than between the quoted ones. It stems from bounding norm(W^Q e_j) by 1."
        )
    if which == "derived" and alike:
        return Verdict.VIOLATED, (
            f"The l1 stability argument gives decentralized SGD, whatever W and Q, {share} times the bound of SGD with batches of m out of "
            "N = m n samples: equal orders in T, n and m, and no gap. What is left between quoted bounds is how they were derived."
        )
    return Verdict.UNDECIDED, f"The difference of the exponents of m is {gap}, and the ratio of the derived bounds is {share}."
