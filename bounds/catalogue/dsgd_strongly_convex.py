"""On-average stability of decentralized SGD, strongly convex loss (after Le Bars et al. 2024).

Problem: mean over m nodes of n local losses each, every loss mu-strongly convex, L-Lipschitz and beta-smooth on a ball.
Algorithm: projected D-SGD with Q gossip steps a step, T constant steps.
Guarantee: UPPER, attained for (mu/2) norm(w)^2 plus a linear loss; no dependence on the graph.

>>> import bounds
>>> f'{bounds.get("l1_stability_strongly_convex").evaluate(L=1, eta=0.1, T=100, m=16, n=64, mu=0.2):.6e}'
'8.470512e-03'
>>> f'{bounds.get("dsgd_strongly_convex").evaluate(L=2, eta=0.1, T=100, m=16, n=64, mu=0.2):.6e}'
'3.388205e-02'
"""

from __future__ import annotations

from bounds.assumptions import Condition
from bounds.bound import Bound, Reduction
from bounds.catalogue.common import AVERAGED, BATCH, CONVEX, DECENTRALIZED, DOWN, EVERY_READOUT, FLAT, GOSSIP, UP, WHOLE_GRAPH, lebars2024
from bounds.formula import Formula, Let
from bounds.recursion import Recursion
from bounds.vocabulary import Kind, Quantity

_REQUIRED = ("L", "eta", "T", "m", "n", "mu")
_OPTIONAL = ("beta", "b", "Q", "gap", "w_min")
_DEFAULTS = (("b", 1), ("Q", 1))
_DIRECTIONS = {"L": UP, "eta": UP, "T": UP, "m": DOWN, "n": DOWN, "mu": DOWN} | dict.fromkeys(_OPTIONAL, FLAT)
_CONDITIONS = (
    Condition("mu <= beta"),
    Condition("eta*mu <= 1"),
    Condition("eta <= 2/(beta+mu)", forms=("atc", "cta")),
    Condition("eta <= 2*w_min/(beta+mu)", forms=("consensus",)),
    BATCH,
)
_SOURCE = lebars2024(
    "strongly convex",
    "The vector of expected twin distances obeys d <- W^Q ((1 - eta mu) d + (2 eta L/n) e_j) (ATC) or d <- W^Q d - eta mu d + "
    "(2 eta L/n) e_j (consensus form, eta <= 2 min_k (W^Q)_kk/(beta+mu)); the node mean contracts by 1 - eta mu and adds 2 eta L/(m n).",
    r"\mathbb{E}[R - R_S] = O\left(\frac{L^2}{\mu m n}\right)",
)
_STEP = (("d", "(1-eta*mu)*d + 2*eta*L/(m*n)"),)
_REASON = "A geometric sum with fixed point 2 L/(mu m n)."

l1_stability_strongly_convex = Bound(
    id="l1_stability_strongly_convex",
    title="l1 on-average stability of D-SGD, strongly convex loss",
    quantity=Quantity.L1_STABILITY,
    kind=Kind.UPPER,
    update_forms=DECENTRALIZED,
    readouts=AVERAGED,
    formula=Formula(_REQUIRED, _OPTIONAL, (Let("value", "2*L/(mu*m*n)*(1-(1-eta*mu)**T)"),), defaults=_DEFAULTS),
    conditions=_CONDITIONS,
    properties=(CONVEX, *GOSSIP),
    source=_SOURCE,
    directions=_DIRECTIONS,
    recursion=Recursion((("d", "0"),), _STEP, "d", "equals", _REASON),
    reductions=(Reduction((("m", 1),), "equals", value="2*L/(mu*n)*(1-(1-eta*mu)**T)"),),
)

_ARGUMENTS = (("L", "L"), ("eta", "eta"), ("T", "T"), ("mu", "mu"))

dsgd_strongly_convex = Bound(
    id="dsgd_strongly_convex",
    title="Generalization error of D-SGD, strongly convex loss",
    quantity=Quantity.GENERALIZATION_ERROR,
    kind=Kind.UPPER,
    update_forms=DECENTRALIZED,
    readouts=EVERY_READOUT,
    formula=Formula(_REQUIRED, _OPTIONAL, (Let("value", "2*L**2/(mu*m*n)*(1-(1-eta*mu)**T)"),), defaults=_DEFAULTS),
    conditions=_CONDITIONS,
    properties=(CONVEX, *GOSSIP),
    source=_SOURCE,
    directions=_DIRECTIONS,
    recursion=Recursion((("d", "0"),), _STEP, "L*d", "equals", _REASON),
    reductions=(
        Reduction((("m", 1),), "equals", "hardt2016_strongly_convex", (*_ARGUMENTS, ("N", "n"))),
        Reduction((("gap", 1),), "equals", "hardt2016_strongly_convex", (*_ARGUMENTS, ("N", "m*n"), ("b", "m*b"))),
    ),
    notes=f"A Lipschitz, strongly convex loss needs a bounded domain: project. Rows of W sum to 1, {WHOLE_GRAPH}",
)

BOUNDS = (l1_stability_strongly_convex, dsgd_strongly_convex)
