"""Stability of centralized SGD (Hardt, Recht and Singer 2016).

Problem: the mean of N losses, each L-Lipschitz and beta-smooth in the weights.
Algorithm: mini-batch SGD, T steps, each batch drawn uniformly from the N samples.
Guarantee: UPPER; the convex case is attained for linear losses with antithetic twins, the strongly convex one for
(mu/2) norm(w)^2 plus a linear loss.
"""

from __future__ import annotations

from bounds.assumptions import Condition
from bounds.bound import Bound
from bounds.catalogue.common import CONVEX, DOWN, EVERY_READOUT, FLAT, MIXED, UNIFORM, UP, hardt2016
from bounds.formula import Formula, Let
from bounds.recursion import Recursion
from bounds.vocabulary import Kind, Quantity, UpdateForm

_BATCH = Condition("b <= N")
_NOTES = "One model only, so all four readouts coincide."
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
    properties=(CONVEX, UNIFORM),
    source=hardt2016("Theorem 3.8", f"A step is non-expansive for eta <= 2/beta; {_HIT}."),
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
    properties=(CONVEX, UNIFORM),
    source=hardt2016("Theorem 3.9", f"A step contracts by 1 - eta mu for eta <= 2/(beta+mu); {_HIT}. Projection keeps both."),
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
    properties=(UNIFORM,),
    source=hardt2016(
        "Theorem 3.12",
        "Until step t0 the replaced sample is drawn with probability at most b t0/N, at a cost of at most M; after it a step stretches by "
        "1 + q/t and adds 2 c L/(N t). The closed form keeps the exact product and the -1; the paper relaxes both.",
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
    notes=_NOTES + " Steps c/(t+tau) are smaller, so the bound covers them.",
)

BOUNDS = (hardt2016_convex, hardt2016_strongly_convex, hardt2016_nonconvex)
