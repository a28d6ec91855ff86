"""Consensus distance (1/m) sum_k E norm(x_k - xbar)^2 of D-SGD, by update form.

Problem: m beta-smooth local objectives, gradient noise of variance sigma2/b at each node, heterogeneity zeta2.
Algorithm: D-SGD with Q gossip steps a step, constant step, all nodes starting from one point.
Guarantee: UPPER. With T: after T steps. Without T: for every number of steps (the fixed point of the recursion).

>>> import bounds
>>> setting = {"eta": 0.05, "sigma2": 1.0, "zeta2": 0.5, "m": 16, "gap": 0.3, "Q": 2, "beta": 1.0}
>>> f'{bounds.get("consensus_distance_atc").evaluate(**setting):.6e}'
'2.348369e-03'
>>> f'{bounds.get("consensus_distance_atc").evaluate(convex=1, T=10, **setting):.6e}'
'2.178220e-03'
>>> f'{bounds.get("consensus_distance_cta").evaluate(**setting):.6e}'
'9.780797e-03'
>>> f'{bounds.get("consensus_distance_consensus").evaluate(**setting):.6e}'
'1.063053e-02'
"""

from __future__ import annotations

from bounds.assumptions import Condition, Property
from bounds.bound import Bound, Reduction, Source
from bounds.catalogue.common import DOWN, UNIFORM, UP
from bounds.formula import Formula, Let
from bounds.recursion import Recursion
from bounds.vocabulary import Direction, Kind, Quantity, Readout, UpdateForm

_REQUIRED = ("eta", "sigma2", "zeta2", "m", "gap", "Q", "beta")
_MIXED = Let("x", "(1-gap)**Q", latex="x")
_STRETCH = (
    Let("rho", "1 - eta*mu", given=("mu",), latex=r"\rho"),
    Let("rho", "1", given=("convex",), latex=r"\rho"),
    Let("rho", "1 + eta*beta", latex=r"\rho"),
    Let("r", "x*rho", latex="r"),
)
_FRESH = (Let("z", "eta*sqrt(zeta2)", latex="z"), Let("s2", "eta**2*sigma2/b*(1-1/m)", latex="s^2"))
_MIXED_FRESH = (Let("z", "x*eta*sqrt(zeta2)", latex="z"), Let("s2", "x**2*eta**2*sigma2/b*(1-1/m)", latex="s^2"))
_LIMIT = (
    Let("limit", "((r*z + sqrt(z**2 + (1-r**2)*s2))/(1-r**2))**2", latex=r"S_\infty^2"),
    Let("drift", "z*geometric(r, T)", given=("T",), latex="A_T"),
    Let("cross", "2*z*r*geometric(r**2, T-1)*sqrt(s2*geometric(r**2, T-1))", given=("T",), latex="C_T"),
    Let("transient", "drift**2 + s2*geometric(r**2, T) + cross", given=("T",), latex="S_T^2"),
    Let("value", "when(1-r, min(limit, transient), transient)", given=("T",)),
    Let("value", "when(1-r, limit, inf)"),
)
_STABLE = Condition("r < 1", absent=("T",))
_STRETCH_CONDITIONS = (
    _STABLE,
    Condition("eta <= 2/beta", given=("convex",)),
    Condition("mu <= beta", given=("mu",)),
    Condition("eta <= 2/(beta+mu)", given=("mu",)),
)
_DIRECTIONS = {"eta": UP, "sigma2": UP, "zeta2": UP, "m": UP, "gap": DOWN, "Q": DOWN, "beta": UP, "T": UP, "b": DOWN}
_OPEN = "proved to grow without mu; with mu the step size also shrinks 1 - eta mu, and though no fall was found, no proof was either"
_ALONE = Reduction((("m", 1), ("zeta2", 0)), "equals", value="0")
_NOTES = "Projection onto a convex set after the gradient step only shrinks the spread, so the bound survives it. "
_LATEX = r"S_{t+1}^2 \le (r S_t + z)^2 + s^2, \quad S_t^2 = \frac{1}{m} \sum_k \mathbb{E} \|x_k^t - \bar x^t\|^2"
_FLOOR = (
    "when(1-eta*beta, ((eta*beta*eta*sqrt(zeta2) + sqrt(eta**2*zeta2 + (1-(eta*beta)**2)*eta**2*sigma2/b*(1-1/m)))"
    "/(1-(eta*beta)**2))**2, inf)"
)


def _bound(form: UpdateForm, name: str, readouts: tuple[Readout, ...], formula: Formula, derivation: str, floor: str, notes: str) -> Bound:
    return Bound(
        id=f"consensus_distance_{form.value}",
        title=f"Consensus distance of {name}",
        quantity=Quantity.CONSENSUS_DISTANCE,
        kind=Kind.UPPER,
        update_forms=(form,),
        readouts=readouts,
        formula=formula,
        conditions=_STRETCH_CONDITIONS if "mu" in formula.optional else (_STABLE,),
        properties=(Property("symmetric"), Property("doubly_stochastic"), Property("common_start"), UNIFORM),
        source=Source(
            "derived", "L2 recursion of the node deviations; same orders as Koloskova et al. (2020)", derivation, "known", _LATEX
        ),
        directions=_DIRECTIONS | ({"convex": DOWN, "mu": DOWN, "eta": Direction.UNKNOWN} if "mu" in formula.optional else {}),
        open_questions={"eta": _OPEN} if "mu" in formula.optional else {},
        recursion=Recursion(
            initial=(("S", "0"),),
            step=(("S", "sqrt((r*S + z)**2 + s2)"),),
            result="S**2",
            relation="dominates",
            reason="From 0 the recursion rises to its fixed point and never passes it; and with A <- r A + z and B^2 <- r^2 B^2 + s^2, "
            "S <= A + B makes V = S^2 - A^2 - B^2 obey V <- r^2 V + 2 r z B at most, where B only grows.",
        ),
        reductions=(_ALONE, Reduction((("gap", 1),), "equals", value=floor)),
        notes=_NOTES + notes,
    )


consensus_distance_atc = _bound(
    UpdateForm.ATC,
    "ATC",
    (Readout.NODE_AVERAGE, Readout.GRADIENT_POINT),
    Formula(_REQUIRED, ("T", "b", "convex", "mu"), (_MIXED, *_STRETCH, *_MIXED_FRESH, *_LIMIT), defaults=(("b", 1),)),
    "Minkowski in L2 on the deviations from the mean; a step maps the spread S to sqrt((r S + z)^2 + s^2).",
    "0",
    "sigma2 may be the mean over nodes of the nodes' variances.",
)

consensus_distance_cta = _bound(
    UpdateForm.CTA,
    "CTA",
    (Readout.NODE_AVERAGE,),
    Formula(_REQUIRED, ("T", "b", "convex", "mu"), (_MIXED, *_STRETCH, *_FRESH, *_LIMIT), defaults=(("b", 1),)),
    "A step mixes the spread first and then adds fresh gradients: z and s keep their size however large Q is (a floor).",
    "eta**2*zeta2 + eta**2*sigma2/b*(1-1/m)",
    "At the gradient points Y = W^Q X the spread is that of ATC.",
)

consensus_distance_consensus = _bound(
    UpdateForm.CONSENSUS,
    "the consensus form",
    (Readout.NODE_AVERAGE, Readout.GRADIENT_POINT),
    Formula(_REQUIRED, ("T", "b"), (_MIXED, Let("r", "x + eta*beta", latex="r"), *_FRESH, *_LIMIT), defaults=(("b", 1),)),
    "As for ATC, but the fresh gradients are not mixed: z and s keep their size however large Q is (a floor).",
    _FLOOR,
    "",
)

BOUNDS = (consensus_distance_atc, consensus_distance_cta, consensus_distance_consensus)
