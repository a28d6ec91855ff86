"""On-average stability of decentralized SGD, smooth non-convex loss with values in [0, M] (after Le Bars et al. 2024).

Problem: mean over m nodes of n local losses each, every loss L-Lipschitz and beta-smooth.
Algorithm: D-SGD with any number of gossip steps a step, T steps c/(t+tau).
Guarantee: UPPER, the least over all integers t0; no dependence on the graph, and no condition on the step. The
relaxed form is the closed form of the same rate, never below it.

>>> import bounds
>>> f'{bounds.get("l1_stability_nonconvex").evaluate(L=1, c=0.5, t0=10, beta=1, T=1000, m=16, n=64):.6e}'
'1.688900e-02'
>>> f'{bounds.get("dsgd_nonconvex").evaluate(L=1, c=0.5, T=1000, m=16, n=64, beta=1, M=1):.6e}'
'6.015086e-02'
>>> f'{bounds.get("dsgd_nonconvex_relaxed").evaluate(L=1, c=0.5, T=1000, m=16, n=64, beta=1, M=1):.6e}'
'7.382350e-02'
"""

from __future__ import annotations

from bounds.assumptions import Condition
from bounds.bound import Bound, Reduction
from bounds.catalogue.common import (
    AVERAGED,
    BATCH,
    BOUNDED,
    DECENTRALIZED,
    DOWN,
    EVERY_READOUT,
    FLAT,
    GOSSIP,
    MIXED,
    RELAXED,
    RELAXED_OUTSIDE,
    RELAXED_RANGE,
    UP,
    WHOLE_GRAPH,
    lebars2024,
)
from bounds.formula import Formula, Let
from bounds.recursion import Recursion
from bounds.vocabulary import Kind, Quantity

_LATEX = r"\mathbb{E}[R - R_S] = O\left(\frac{T^{\beta c/(\beta c + 1)}}{n\, m^{1/(\beta c + 1)}}\right)"
_SOURCE = lebars2024(
    "non-convex",
    "Until step t0 the replaced sample is drawn with probability at most b t0/n, at a cost of at most M; after it the node mean of the "
    "expected twin distances obeys d <- (1 + beta c/(t+tau)) d + 2 c L/((t+tau) m n) for all three update forms.",
    _LATEX,
)
_STEP = (("d", "when(t-t0, (1+beta*c/(t+tau))*d + 2*c*L/((t+tau)*m*n), 0)"),)
_REASON = "The affine map has the fixed point -2 L/(beta m n) whatever t is; the products telescope to gamma functions."

l1_stability_nonconvex = Bound(
    id="l1_stability_nonconvex",
    title="l1 on-average stability of D-SGD, smooth non-convex loss, where the replaced sample is not drawn in the first t0 steps",
    quantity=Quantity.L1_STABILITY,
    kind=Kind.UPPER,
    update_forms=DECENTRALIZED,
    readouts=AVERAGED,
    formula=Formula(
        ("L", "c", "t0", "beta", "T", "m", "n"),
        ("b", "tau", "Q", "gap", "w_min"),
        (Let("value", "2*L/(beta*m*n)*(growth(beta*c, t0+tau, T+tau) - 1)"),),
        defaults=(("b", 1), ("tau", 0), ("Q", 1)),
    ),
    conditions=(Condition("t0 <= T"), BATCH),
    properties=GOSSIP,
    source=_SOURCE,
    directions={"L": UP, "c": UP, "t0": DOWN, "beta": UP, "T": UP, "m": DOWN, "n": DOWN, "tau": DOWN}
    | dict.fromkeys(("b", "Q", "gap", "w_min"), FLAT),
    recursion=Recursion((("d", "0"),), _STEP, "d", "equals", _REASON),
    reductions=(Reduction((("m", 1),), "equals", value="2*L/(beta*n)*(growth(beta*c, t0+tau, T+tau) - 1)"),),
    notes="It bounds E[distance times the indicator that the replaced sample is not drawn in steps 1..t0].",
)

dsgd_nonconvex = Bound(
    id="dsgd_nonconvex",
    title="Generalization error of D-SGD, smooth non-convex loss, steps c/(t+tau)",
    quantity=Quantity.GENERALIZATION_ERROR,
    kind=Kind.UPPER,
    update_forms=DECENTRALIZED,
    readouts=EVERY_READOUT,
    formula=Formula(
        ("L", "c", "T", "m", "n", "beta", "M"),
        ("b", "tau"),
        (Let("value", "least(t0, 0, T, M*b*t0/n + 2*L**2/(beta*m*n)*(growth(beta*c, t0+tau, T+tau) - 1))"),),
        defaults=(("b", 1), ("tau", 0)),
    ),
    conditions=(BATCH,),
    properties=(BOUNDED, *GOSSIP),
    source=_SOURCE,
    directions={"L": UP, "c": UP, "T": UP, "m": DOWN, "n": DOWN, "beta": UP, "M": UP, "b": UP, "tau": DOWN},
    recursion=Recursion((("d", "0"),), _STEP, "M*b*t0/n + L*d", "equals", _REASON, least="t0"),
    reductions=tuple(
        Reduction(at, "dominates", "hardt2016_nonconvex", (*((name, name) for name in ("L", "c", "T", "beta", "M")), *sizes))
        for at, sizes in (
            ((("m", 1), ("tau", 0)), (("N", "n"), ("b", "b"))),
            ((("tau", 0),), (("N", "m*n"), ("b", "m*b"))),
        )
    ),
    supersedes=("dsgd_nonconvex_relaxed",),
    notes="It dominates the centralized bound because only one node's steps can draw the replaced sample, so the factor 1 - 1/N in the "
    f"exponent is lost. Rows of W sum to 1, {WHOLE_GRAPH}",
)

dsgd_nonconvex_relaxed = Bound(
    id="dsgd_nonconvex_relaxed",
    title="Generalization error of D-SGD, smooth non-convex loss, steps c/t, in closed form",
    quantity=Quantity.GENERALIZATION_ERROR,
    kind=Kind.UPPER,
    update_forms=DECENTRALIZED,
    readouts=EVERY_READOUT,
    formula=Formula(
        ("L", "c", "T", "m", "n", "beta", "M"),
        ("b",),
        (
            Let("start", "(2*c*L**2/(m*M*b))**(1/(beta*c+1))*T**(beta*c/(beta*c+1))", latex="t_0^*"),
            Let("value", "(1 + 1/(beta*c))*M*b*start/n"),
        ),
        defaults=(("b", 1),),
    ),
    conditions=(*RELAXED_RANGE, BATCH),
    properties=(BOUNDED, *GOSSIP),
    source=lebars2024("non-convex", RELAXED, _LATEX),
    directions={"L": UP, "c": UP, "T": UP, "m": DOWN, "n": DOWN, "beta": MIXED, "M": UP, "b": UP},
    reductions=(
        Reduction((("M", 1),), "dominates", "dsgd_nonconvex"),
        Reduction(
            (("m", 1),),
            "equals",
            "hardt2016_nonconvex_relaxed",
            (*((name, name) for name in ("L", "c", "T", "beta", "M", "b")), ("N", "n+1")),
        ),
    ),
    notes="At m = 1 it has n where the paper on SGD has N - 1: there the 1 - 1/N in the exponent was spent. As beta falls to 0 it diverges, "
    f"and dsgd_nonconvex does not. {RELAXED_OUTSIDE} Rows of W sum to 1, {WHOLE_GRAPH}",
)

BOUNDS = (l1_stability_nonconvex, dsgd_nonconvex, dsgd_nonconvex_relaxed)
