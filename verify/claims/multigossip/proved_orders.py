"""The orders of bounds in T, n and m, proved by the calculus of orders, against those that the abstract states."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verify.claims.multigossip.bound_gaps import BATCH_ONE, DERIVED, STATED, exponent, share_of_batch_m, sympy_of
from verify.finding_case import Finding
from verify.verdict import Table, Verdict

if TYPE_CHECKING:
    import sympy

#: The abstract's exponents of T, n and m: T^(2 c beta/(2 c beta+2)) / (n m^(1/(2 c beta+2))), and T^(c beta/(c beta+1)) / (n m).
DECENTRALIZED = ("2*c*beta/(2*c*beta+2)", "-1", "-1/(2*c*beta+2)")
CENTRALIZED = ("c*beta/(c*beta+1)", "-1", "-1")
_MINIMISED = "dsgd_nonconvex"


def _orders(bound_id: str) -> tuple[sympy.Expr, sympy.Expr, sympy.Expr]:
    """Exponents of T, n and m; a centralized bound takes N = n m samples, so both are its exponent of N."""
    if bound_id == BATCH_ONE:
        return exponent(bound_id, "T"), exponent(bound_id, "N"), exponent(bound_id, "N")
    return exponent(bound_id, "T"), exponent(bound_id, "n"), exponent(bound_id, "m")


def _same(found: tuple[sympy.Expr, ...], stated: tuple[str, ...]) -> list[bool]:
    import sympy

    return [bool(sympy.simplify(one - sympy_of(text)) == 0) for one, text in zip(found, stated, strict=True)]


def _table() -> Table:
    rows = [(bound_id, *map(str, _orders(bound_id))) for bound_id in (STATED, BATCH_ONE, DERIVED, _MINIMISED)]
    return Table("Proved orders: exponents at fixed other parameters", ("bound", "of T", "of n", "of m"), tuple(rows))


def of_order(which: str) -> Finding:
    """One reading of the abstract's rates: which bound has them, and whether they are upper limits or the order itself."""
    verdict, reason = {"stated": _stated, "batch-1": _batch_one, "batch-m": _batch_m, "upper": _upper, "sharp": _sharp}[which]()
    return Finding(verdict, reason, tables=(_table(),))


def _stated() -> tuple[Verdict, str]:
    if all(_same(_orders(STATED), DECENTRALIZED)):
        return Verdict.HOLDS, (
            f"{STATED}, the shape of Theorem 1 at its best t0, has these orders in T, n and m. Its exponent of T is the centralized one, "
            "2 c beta/(2 c beta + 2) = c beta/(c beta + 1): only the exponents of m differ."
        )
    return Verdict.VIOLATED, f"{STATED} has the exponents {_orders(STATED)} of T, n and m."


def _batch_one() -> tuple[Verdict, str]:
    if all(_same(_orders(BATCH_ONE), CENTRALIZED)):
        return Verdict.HOLDS, f"{BATCH_ONE} with batches of 1 out of N = n m samples has these orders: T gradients in all."
    return Verdict.VIOLATED, f"{BATCH_ONE} has the exponents {_orders(BATCH_ONE)} of T, n and m."


def _batch_m() -> tuple[Verdict, str]:
    import sympy

    m = next(iter(sympy_of("m").free_symbols))
    alike = sympy.limit(share_of_batch_m(), m, sympy.oo) == 1
    found = exponent(DERIVED, "m")
    if alike and sympy.simplify(found + 1) != 0:
        return Verdict.VIOLATED, (
            f"{BATCH_ONE} with batches of m out of N = n m samples has the order m^({found}), not m^(-1): a batch draws the replaced sample m "
            "times as often, so the burn-in costs M t0/n. The quoted rate is that of batches of 1, not of mini-batch SGD with m samples a step."
        )
    return Verdict.UNDECIDED, f"The order in m with batches of m is not known; that of {DERIVED} is {found}."


def _upper() -> tuple[Verdict, str]:
    derived, stated = _orders(DERIVED), _orders(STATED)
    gain = [one - other for one, other in zip(stated, derived, strict=True)]
    if all(one == 0 or one.is_positive for one in map(_simplified, gain)):
        return Verdict.HOLDS, (
            f"Read as an upper limit: {DERIVED}, proved for a loss in [0, M] (which it takes) by l1 stability, has the same orders in T and n, and "
            f"m^({derived[2]}) <= m^({stated[2]})."
        )
    return Verdict.UNDECIDED, f"The exponents of {DERIVED} are {derived}, those stated {stated}."


def _sharp() -> tuple[Verdict, str]:
    derived, stated, least = exponent(DERIVED, "m"), exponent(STATED, "m"), exponent(_MINIMISED, "m")
    if _simplified(stated - derived).is_positive:
        return Verdict.VIOLATED, (
            f"Read as the order of the error, which a comparison of two rates needs: {DERIVED} is proved for every W and Q and falls like "
            f"m^({derived}), faster than m^({stated}); with the best integer t0, {_MINIMISED} even falls like m^({least}) once m is large."
        )
    return Verdict.UNDECIDED, f"No proved bound falls faster in m than m^({stated})."


def _simplified(expression: sympy.Expr) -> sympy.Expr:
    import sympy

    found: sympy.Expr = sympy.factor(expression)
    return found
