"""Stability of centralized SGD (Hardt, Recht and Singer 2016).

Problem: the mean of N losses, each L-Lipschitz and beta-smooth in the weights.
Algorithm: mini-batch SGD, T steps, each batch drawn uniformly from the N samples.
Guarantee: UPPER; the convex case is attained for linear losses with antithetic twins, the strongly convex one for
(mu/2) norm(w)^2 plus a linear loss. The non-convex case takes the least over all integers t0; the relaxed one is the
paper's closed form, never below it.

>>> import bounds
>>> f'{bounds.get("hardt2016_convex").evaluate(L=1, eta=0.1, T=100, N=1000):.6e}'
'2.000000e-02'
>>> f'{bounds.get("hardt2016_strongly_convex").evaluate(L=1, eta=0.1, T=100, N=1000, mu=0.5):.6e}'
'3.976318e-03'
>>> f'{bounds.get("hardt2016_nonconvex").evaluate(L=1, c=1, T=1000, N=100, beta=0.01, M=1):.6e}'
'1.432860e-01'
>>> f'{bounds.get("hardt2016_nonconvex_relaxed").evaluate(L=1, c=1, T=1000, N=100, beta=0.01, M=1):.6e}'
'2.169895e+00'
"""

from __future__ import annotations

from bounds.assumptions import Condition
from bounds.bound import Bound, Reduction
from bounds.catalogue.common import (
    BOUNDED,
    COMMON_START,
    CONVEX,
    DOWN,
    EVERY_READOUT,
    FLAT,
    MIXED,
    RELAXED,
    RELAXED_OUTSIDE,
    RELAXED_RANGE,
    UNIFORM,
    UP,
    hardt2016,
)
from bounds.formula import Formula, Let
from bounds.recursion import Recursion
from bounds.vocabulary import Kind, Quantity, UpdateForm

_BATCH = Condition("b <= N")
_NOTES = "One model only, so all four readouts coincide."
_RELAXED_LATEX = (
    r"\epsilon_{\mathrm{stab}} \le \frac{1 + 1/(\beta c)}{n - 1} (2 c L^2)^{\frac{1}{\beta c + 1}} T^{\frac{\beta c}{\beta c + 1}},"
    r"\quad f \in [0, 1]"
)
_HIT = "the replaced sample is drawn with expected weight 1/N a step (any batch size b) and then moves the twins apart by at most 2 eta L"

hardt2016_convex = Bound(
    id="hardt2016_convex",
    title="Generalization error of SGD, convex loss",
    quantity=Quantity.GENERALIZATION_ERROR,
    kind=Kind.UPPER,
    update_forms=(UpdateForm.CENTRALIZED,),
    readouts=EVERY_READOUT,
    formula=Formula(("L", "eta", "T", "N"), ("beta", "b"), (Let("value", "2*L**2*eta*T/N"),), defaults=(("b", 1),)),
    conditions=(Condition("eta <= 2/beta"), _BATCH),
    properties=(CONVEX, COMMON_START, UNIFORM),
    source=hardt2016(
        "Theorem 3.8",
        f"A step is non-expansive for eta <= 2/beta; {_HIT}.",
        r"\epsilon_{\mathrm{stab}} \le \frac{2 L^2}{n} \sum_{t=1}^T \alpha_t",
    ),
    directions={"L": UP, "eta": UP, "T": UP, "N": DOWN, "beta": FLAT, "b": FLAT},
    recursion=Recursion((("d", "0"),), (("d", "d + 2*eta*L/N"),), "L*d", "equals", "The recursion adds the same term at every step."),
    notes=_NOTES,
)

hardt2016_strongly_convex = Bound(
    id="hardt2016_strongly_convex",
    title="Generalization error of SGD, strongly convex loss",
    quantity=Quantity.GENERALIZATION_ERROR,
    kind=Kind.UPPER,
    update_forms=(UpdateForm.CENTRALIZED,),
    readouts=EVERY_READOUT,
    formula=Formula(("L", "eta", "T", "N", "mu"), ("beta", "b"), (Let("value", "2*L**2/(mu*N)*(1-(1-eta*mu)**T)"),), defaults=(("b", 1),)),
    conditions=(Condition("mu <= beta"), Condition("eta*mu <= 1"), Condition("eta <= 2/(beta+mu)"), _BATCH),
    properties=(CONVEX, COMMON_START, UNIFORM),
    source=hardt2016(
        "Theorem 3.9",
        f"A step contracts by 1 - eta mu for eta <= 2/(beta+mu); {_HIT}. Projection keeps both.",
        r"\epsilon_{\mathrm{stab}} \le \frac{2 L^2}{\gamma n}",
    ),
    directions={"L": UP, "eta": UP, "T": UP, "N": DOWN, "mu": DOWN, "beta": FLAT, "b": FLAT},
    recursion=Recursion(
        (("d", "0"),), (("d", "(1-eta*mu)*d + 2*eta*L/N"),), "L*d", "equals", "A geometric sum with fixed point 2 L/(mu N)."
    ),
    notes=_NOTES + " A Lipschitz, strongly convex loss needs a bounded domain: project.",
)

hardt2016_nonconvex = Bound(
    id="hardt2016_nonconvex",
    title="Generalization error of SGD, smooth non-convex loss, steps c/t",
    quantity=Quantity.GENERALIZATION_ERROR,
    kind=Kind.UPPER,
    update_forms=(UpdateForm.CENTRALIZED,),
    readouts=EVERY_READOUT,
    formula=Formula(
        ("L", "c", "T", "N", "beta", "M"),
        ("b",),
        (
            Let("q", "beta*c*(1-1/N)", latex="q"),
            Let("value", "least(t0, 0, T, M*b*t0/N + 2*L**2/(beta*(N-1))*(growth(q, t0, T) - 1))"),
        ),
        defaults=(("b", 1),),
    ),
    conditions=(Condition("2 <= N"), _BATCH),
    properties=(BOUNDED, COMMON_START, UNIFORM),
    source=hardt2016(
        "Theorem 3.12",
        "Until step t0 the replaced sample is drawn with probability at most b t0/N, at a cost of at most M; after it a step stretches by "
        "1 + q/t and adds 2 c L/(N t). The closed form keeps the exact product and the -1; the paper relaxes both.",
        _RELAXED_LATEX,
    ),
    directions={"L": UP, "c": UP, "T": UP, "N": MIXED, "beta": UP, "M": UP, "b": UP},
    recursion=Recursion(
        (("d", "0"),),
        (("d", "when(t-t0, (1+q/t)*d + 2*c*L/(N*t), 0)"),),
        "M*b*t0/N + L*d",
        "equals",
        "The affine map has the fixed point -2 L/(beta (N-1)) whatever t is; the products telescope to gamma functions.",
        least="t0",
    ),
    supersedes=("hardt2016_nonconvex_relaxed",),
    notes=_NOTES + " Steps c/(t+tau) are smaller, so the bound covers them.",
)

hardt2016_nonconvex_relaxed = Bound(
    id="hardt2016_nonconvex_relaxed",
    title="Generalization error of SGD, smooth non-convex loss, steps c/t: the paper's closed form",
    quantity=Quantity.GENERALIZATION_ERROR,
    kind=Kind.UPPER,
    update_forms=(UpdateForm.CENTRALIZED,),
    readouts=EVERY_READOUT,
    formula=Formula(
        ("L", "c", "T", "N", "beta", "M"),
        ("b",),
        (
            Let("start", "(2*c*L**2/(M*b))**(1/(beta*c+1))*T**(beta*c/(beta*c+1))", latex="t_0^*"),
            Let("value", "(1 + 1/(beta*c))*M*b*start/(N-1)"),
        ),
        defaults=(("b", 1),),
    ),
    conditions=(*RELAXED_RANGE, Condition("2 <= N"), _BATCH),
    properties=(BOUNDED, COMMON_START, UNIFORM),
    source=hardt2016("Theorem 3.12", RELAXED, _RELAXED_LATEX),
    directions={"L": UP, "c": UP, "T": UP, "N": DOWN, "beta": MIXED, "M": UP, "b": UP},
    reductions=(Reduction((("M", 1),), "dominates", "hardt2016_nonconvex"),),
    notes=_NOTES + " As beta falls to 0 it diverges, and hardt2016_nonconvex does not. " + RELAXED_OUTSIDE,
)

BOUNDS = (hardt2016_convex, hardt2016_strongly_convex, hardt2016_nonconvex, hardt2016_nonconvex_relaxed)
