"""Stability of centralized SGD (Hardt, Recht and Singer 2016).

Problem: the mean of N losses, each L-Lipschitz and beta-smooth in the weights.
Algorithm: mini-batch SGD, T constant steps, each batch drawn uniformly from the N samples.
Guarantee: UPPER, attained for linear losses with antithetic twins.
"""

from bounds.assumptions import Condition, Property
from bounds.bound import Bound, Source
from bounds.formula import Formula, Let
from bounds.recursion import Recursion
from bounds.vocabulary import Direction, Kind, Quantity, Readout, UpdateForm

_UP, _DOWN, _FLAT = Direction.INCREASING, Direction.DECREASING, Direction.CONSTANT

hardt2016_convex = Bound(
    id="hardt2016_convex",
    title="Generalization error of SGD, convex loss",
    quantity=Quantity.GENERALIZATION_ERROR,
    kind=Kind.UPPER,
    update_forms=(UpdateForm.CENTRALIZED,),
    readouts=(Readout.NODE_AVERAGE, Readout.NETWORK_MEAN, Readout.GRADIENT_POINT, Readout.WORST_NODE),
    formula=Formula(("L", "eta", "T", "N"), ("beta", "b"), (Let("value", "2*L**2*eta*T/N"),), defaults=(("b", 1),)),
    conditions=(Condition("eta <= 2/beta"), Condition("b <= N")),
    properties=(Property("convex"), Property("uniform_sampling")),
    source=Source(
        paper="hardt2016",
        result="Hardt, Recht, Singer (2016), Theorem 3.8 (arXiv 1509.01240)",
        derivation="A step is non-expansive for eta <= 2/beta; the replaced sample is drawn with expected weight 1/N a step "
        "(any batch size b) and then moves the twins apart by at most 2 eta L.",
        tag="known",
    ),
    directions={"L": _UP, "eta": _UP, "T": _UP, "N": _DOWN, "beta": _FLAT, "b": _FLAT},
    recursion=Recursion(
        initial=(("d", "0"),),
        step=(("d", "d + 2*eta*L/N"),),
        result="L*d",
        relation="equals",
        reason="The recursion adds the same term at every step.",
    ),
    notes="One model only, so all four readouts coincide.",
)

BOUNDS = (hardt2016_convex,)
