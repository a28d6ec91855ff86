"""Uniform stability of the worst node of D-SGD, convex loss: where the spectral gap enters.

Problem: mean over m nodes of n local losses each, every loss convex, L-Lipschitz and beta-smooth.
Algorithm: ATC with Q gossip steps a step, T constant steps.
Guarantee: UPPER, for the node that holds the replaced sample and hence for any node and any sample.
"""

from __future__ import annotations

from bounds.assumptions import Condition, Property
from bounds.bound import Bound, Reduction, Source
from bounds.catalogue.common import CONVEX, DOWN, FLAT, GOSSIP, UP
from bounds.formula import Formula, Let
from bounds.recursion import Recursion
from bounds.vocabulary import Kind, Quantity, Readout, UpdateForm

dsgd_worst_node_convex = Bound(
    id="dsgd_worst_node_convex",
    title="Generalization error of the worst node of D-SGD (ATC), convex loss",
    quantity=Quantity.GENERALIZATION_ERROR,
    kind=Kind.UPPER,
    update_forms=(UpdateForm.ATC,),
    readouts=(Readout.WORST_NODE, Readout.NODE_AVERAGE, Readout.NETWORK_MEAN, Readout.GRADIENT_POINT),
    formula=Formula(
        ("L", "eta", "T", "m", "n", "gap", "Q"),
        ("beta",),
        (
            Let("x", "(1-gap)**Q", latex="x"),
            Let("g", "x*geometric(x, T)", latex="g"),
            Let("value", "2*L**2*eta/n*(T/m + (1-1/m)*g)"),
        ),
    ),
    conditions=(Condition("eta <= 2/beta"),),
    properties=(CONVEX, Property("symmetric"), *GOSSIP),
    source=Source(
        paper="derived",
        result="uniform stability over nodes and samples; the node-averaged result is Le Bars et al. (2024)",
        derivation="Unrolling d <- W^Q (d + (2 eta L/n) e_j) and bounding (W^(Qs))_kj <= 1/m + (1-1/m) x^s with x = lambda^Q.",
        tag="known",
    ),
    directions={"L": UP, "eta": UP, "T": UP, "m": DOWN, "n": DOWN, "gap": DOWN, "Q": DOWN, "beta": FLAT},
    recursion=Recursion(
        initial=(("a", "0"), ("e", "0")),
        step=(("a", "a + 2*eta*L/(m*n)"), ("e", "x*(e + 2*eta*L/n*(1-1/m))")),
        result="L*(a + e)",
        relation="equals",
        reason="The mean part adds, the deviation part is a geometric sum in x = lambda^Q.",
    ),
    reductions=(
        Reduction((("m", 1),), "equals", "hardt2016_convex", (("L", "L"), ("eta", "eta"), ("T", "T"), ("N", "n"))),
        Reduction((("gap", 1),), "equals", "hardt2016_convex", (("L", "L"), ("eta", "eta"), ("T", "T"), ("N", "m*n"), ("b", "m"))),
    ),
    notes="It holds for every fixed replaced sample; averaged over the replaced sample, dsgd_convex holds for every node too. "
    "At m = 1 the deviation part has weight 1 - 1/m = 0, so the centralized bound is met.",
)

BOUNDS = (dsgd_worst_node_convex,)
