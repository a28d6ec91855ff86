"""What gossip can and cannot remove from the bounds: limits as Q grows, the rate of what decays, and the floor that stays."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

import bounds
from bounds.bound import Bound
from bounds.formula import Let
from bounds.rates.limit import Limit
from bounds.setting import Fact
from bounds.symbols import symbol
from bounds.topology import topology
from bounds.vocabulary import Quantity
from verify.finding_case import Finding
from verify.verdict import Curve, Numbers, Table, Verdict

_RING = {"m": 16, "gap": topology("ring", 16).network(1).gap}
#: Where the numbers of the exact cases are taken: a ring of 16 nodes, constants 1.
OPTIMIZATION = _RING | {"eta": 0.01, "T": 2000, "beta": 1.0, "sigma2": 1.0, "zeta2": 1.0, "D0": 1.0, "mu": 0.1, "r0": 1.0}
GENERALIZATION = _RING | {"c": 0.5, "T": 500, "n": 128, "beta": 1.0, "M": 1.0, "L": 1.0, "gam": 1.0, "R_S": 0.05}
_GOSSIP = (1, 2, 4, 8, 16, 32)
_LATE = 60
_ALWAYS = "whatever the other parameters"
_STATIONARY = ("mgs_stationarity", "mgs_pl", "mgs_convex")


def rewritten(bound: Bound, text: str, *lets: Let) -> Bound:
    """``bound`` with ``text`` for its value; the old value is called ``whole`` in it."""
    old = tuple(replace(let, name="whole") if let.name == "value" else let for let in bound.formula.lets)
    formula = replace(bound.formula, lets=(*old, *lets, Let("value", text)))
    return replace(bound, formula=formula, recursion=None, reductions=(), directions={})


def needed(bound: Bound, values: Mapping[str, float], **more: float) -> dict[str, Any]:
    """The entries of ``values`` that the bound's required parameters and gap and Q name."""
    names = {*bound.formula.required, *({"gap", "Q"} & set(bound.formula.optional))}
    return {name: value for name, value in (dict(values) | more).items() if name in names}


def positive(bound: Bound, found: Limit, values: Mapping[str, float]) -> float | None:
    """The limit at ``values``, when its enclosure proves it positive and finite there; else None."""
    if found.value is None or found.value in ("0", "inf"):
        return None
    ball = rewritten(bound, found.value).enclosure(needed(bound, values, Q=1))
    return float(ball.mid()) if ball > 0 and ball.is_finite() else None


def consensus_part(form: str) -> Finding:
    """Whether the consensus distance, the part of the bounds that gossip acts on, falls to 0 exponentially in Q."""
    bound = bounds.get(f"consensus_distance_{form}")
    far = bounds.limit(bound, "Q", "inf")
    share = bounds.limit(rewritten(bound, "whole/(1-gap)**(2*Q)"), "Q", "inf")
    floor = positive(bound, far, OPTIMIZATION)
    first = bound.evaluate(**needed(bound, OPTIMIZATION, Q=1))
    table = Table(
        "Limits as Q grows", ("of", "limit"), (("bound", far.value or far.reason), ("bound/lambda^(2Q)", share.value or share.reason))
    )
    curves = (_against(bound, OPTIMIZATION, floor),)
    if far.value == "0" and share.status == "exact" and share.value not in ("0", "inf", None):
        reason = (
            f"{_ALWAYS.capitalize()} the bound on the mean-square consensus distance tends to 0, and bound/lambda^(2Q) to {share.value}: "
            "it falls at the rate lambda^(2Q)."
        )
        return Finding(Verdict.HOLDS, reason, Numbers(measured=first), tables=(table,), curves=curves)
    if floor is not None:
        reason = (
            f"The bound tends to {far.value} > 0: on a ring of 16 it goes from {first:.3g} at Q = 1 to {floor:.3g} however many gossip "
            "steps there are, because the fresh gradients of each step are not mixed."
        )
        return Finding(Verdict.VIOLATED, reason, Numbers(measured=first, bound=floor), tables=(table,), curves=curves)
    return Finding(Verdict.UNDECIDED, f"The limit was not found: {far.reason or share.reason}.", tables=(table,))


def optimization_part() -> Finding:
    """Whether the whole optimization part falls exponentially: refuted where its limit is positive."""
    rows: list[tuple[Fact, ...]] = []
    floors: list[float | None] = []
    for bound_id in _STATIONARY:
        bound = bounds.get(bound_id)
        far = bounds.limit(bound, "Q", "inf", update_form="atc")
        floors.append(positive(bound, far, OPTIMIZATION))
        rows.append((bound_id, far.value or far.reason, bound.evaluate(**needed(bound, OPTIMIZATION, Q=1)), floors[-1] or "not known"))
    table = Table("The optimization part as Q grows (numbers: ring of 16)", ("bound", "limit", "Q = 1", "limit there"), tuple(rows))
    if None in floors:
        return Finding(Verdict.UNDECIDED, "A limit was not proved to be positive.", tables=(table,))
    first, floor = float(str(rows[0][2])), float(str(rows[0][3]))
    reason = (
        f"Only the consensus part falls exponentially. {_STATIONARY[0]} tends to {rows[0][1]}: on a ring of 16 from {first:.4g} at Q = 1 to "
        f"{floor:.4g}. What the start and the gradient noise add does not depend on gossip."
    )
    return Finding(Verdict.VIOLATED, reason, Numbers(measured=first, bound=floor), tables=(table,))


def generalization_floor() -> Finding:
    """Whether the l2 generalization bound falls exponentially in Q: refuted by a floor that no Q passes."""
    bound = bounds.get("mgs_generalization")
    falls = [bounds.certify(bound, name, "decreasing").status for name in ("Q", "gap")]
    complete = bounds.limit(bound, "gap", 1)
    values = needed(bound, GENERALIZATION)
    first, ball = bound.evaluate(**values, Q=1), bound.enclosure({**values, "gap": 1.0, "Q": 1})
    free = complete.value is not None and not re.search(r"\b(Q|gap)\b", complete.value)
    if falls != ["proved", "proved"] or not ball > 0 or not free:
        return Finding(Verdict.UNDECIDED, "The floor of the bound was not proved.")
    floor = float(ball.mid())
    gradient = GENERALIZATION["beta"] / GENERALIZATION["gam"] * GENERALIZATION["R_S"]
    reason = (
        "mgs_generalization never rises with Q or with the gap (certified), and at gap = 1 it does not contain Q: that value is a floor for "
        f"every Q. On a ring of 16 (c = 0.5, T = 500, n = 128, R_S = 0.05) it goes from {first:.5g} at Q = 1 to no less than {floor:.5g}, so "
        f"all gossip together removes {100 * (1 - floor / first):.2g} %; {gradient:.3g} of the floor is the gradient term (beta/gam) R_S, in "
        "which Q does not occur. The shape stated in the paper's abstract does not contain Q at all."
    )
    return Finding(Verdict.VIOLATED, reason, Numbers(measured=first, bound=floor), curves=(_against(bound, GENERALIZATION, floor),))


# Beyond the value at gap = 1, at any t0 < T: what B1 and B2 add (see mgs_generalization), with a_t = (c/t) prod (1 + q/s).
_PART = (
    "k*(m-1)*(((growth(q, t0, T) - 1)/beta*far/(T-t0))**2/n**2"
    " + c**2/(1+2*q)*(growth(q, t0, T)**2/(t0 + (1+q)/2) - 1/(T + (1+q)/2))*far2/((T-t0)*n))"
)


def decaying_parts() -> Finding:
    """At which rate the parts that depend on Q vanish from the l2 bounds."""
    squares = bounds.get("l2_stability_atc_gap")
    convex = rewritten(squares, "((x*geometric(x, T))**2/n + (1-1/n)/b*x**2*geometric(x**2, T))/(1-gap)**(2*Q)")
    whole = bounds.get("mgs_generalization")
    lets = tuple(let for let in whole.formula.lets if let.name in ("q", "k", "x", "far", "far2") and let.text != "inf")
    lets = (*(replace(let, given=()) for let in lets), Let("value", f"{_PART}/(1-gap)**(2*Q)"))
    required = ("c", "T", "m", "n", "beta", "L", "gam", "t0", "Q", "gap")
    formula = replace(whole.formula, required=required, optional=(), lets=lets, defaults=())
    nonconvex = replace(whole, formula=formula, conditions=(), directions={}, recursion=None, reductions=())
    found = [(one.id, bounds.limit(one, "Q", "inf")) for one in (convex, nonconvex)]
    table = Table(
        "Part that depends on Q, over lambda^(2Q)", ("bound", "limit"), tuple((name, one.value or one.reason) for name, one in found)
    )
    if any(one.value in ("0", "inf", None) for _, one in found):
        return Finding(Verdict.UNDECIDED, "A rate was not found.", tables=(table,))
    ratio, lam2 = _late_ratio(whole), (1 - _RING["gap"]) ** 2
    reason = (
        "The squared l2 stability, and with it the generalization bound, lies above its value at gap = 1 by the consensus parts B1 and B2 "
        "alone, and these over lambda^(2Q) tend to a constant: what gossip removes, it removes at the rate lambda^(2Q), about e^(-2 gap Q) "
        f"(the paper has e^(-gap Q/4)). On a ring of 16 the excess of the bound shrinks by {ratio:.5f} a gossip step at Q = {_LATE}, where "
        f"lambda^2 = {lam2:.5f}."
    )
    return Finding(Verdict.HOLDS, reason, Numbers(measured=ratio, bound=lam2), tables=(table,))


def _late_ratio(bound: Bound) -> float:
    """Excess over the floor at Q = 61 over that at Q = 60, from enclosures of all three values."""
    values = needed(bound, GENERALIZATION)
    floor = bound.enclosure({**values, "gap": 1.0, "Q": 1})
    early, late = (bound.enclosure({**values, "Q": Q}) - floor for Q in (_LATE, _LATE + 1))
    return float((late / early).mid())


def gradient_term() -> Finding:
    """A run without any optimization error whose gradient term is as large as it was at the start."""
    samples = (Fraction(1), Fraction(-1))
    model = sum(samples, Fraction(0)) / len(samples)
    full = sum((model - z for z in samples), Fraction(0)) / len(samples)
    term = sum(((model - z) ** 2 for z in samples), Fraction(0)) / len(samples)
    shown = full == 0 and term > 0
    reason = (
        "The bound's gradient term is (1/(2 gam m n)) sum E norm(grad l(A; Z_ij))^2, of single samples' gradients. With "
        f"l(w; z) = (w - z)^2/2 on |w| <= 1 (values in [0, 2]) and samples 1 and -1 at every node, the model {model} "
        "minimises the training risk exactly and all nodes agree, but the mean square of the gradients is "
        f"{term}: driving the optimization error to 0, by gossip or otherwise, does not remove the term unless the model interpolates."
    )
    return Finding(Verdict.VIOLATED if shown else Verdict.UNDECIDED, reason, Numbers(measured=float(term), bound=float(full)))


def _against(bound: Bound, at: Mapping[str, float], floor: float | None) -> Curve:
    """The bound over Q on a ring of 16, its floor as a line beside it."""
    values = np.array([float(bound.enclosure(needed(bound, at, Q=Q)).mid()) for Q in _GOSSIP])
    lines = np.full(len(values), floor) if floor is not None else None
    return Curve.exact(
        symbol("Q"),
        Quantity.OTHER,
        np.array(_GOSSIP, dtype=float),
        values,
        lines,
        label=f"value of {bound.id}",
        bound_label="limit" if lines is not None else None,
    )
