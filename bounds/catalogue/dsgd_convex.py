"""On-average stability of decentralized SGD, convex loss (after Le Bars et al. 2024).

Problem: mean over m nodes of n local losses each, every loss convex, L-Lipschitz and beta-smooth.
Algorithm: D-SGD with Q gossip steps a step, T constant steps, one local batch per node and step.
Guarantee: UPPER, attained for linear losses with antithetic twins; no dependence on the graph.
"""

from bounds.assumptions import Condition, Property
from bounds.bound import Bound, Reduction, Source
from bounds.formula import Formula, Let
from bounds.recursion import Recursion
from bounds.vocabulary import Direction, Kind, Quantity, Readout, UpdateForm

_UP, _DOWN, _FLAT = Direction.INCREASING, Direction.DECREASING, Direction.CONSTANT
_FORMS = (UpdateForm.ATC, UpdateForm.CTA, UpdateForm.CONSENSUS)
_OPTIONAL = ("beta", "b", "Q", "gap", "w_min")
_DIRECTIONS = {"L": _UP, "eta": _UP, "T": _UP, "m": _DOWN, "n": _DOWN} | dict.fromkeys(_OPTIONAL, _FLAT)
_CONDITIONS = (
    Condition("eta <= 2/beta", forms=("atc", "cta")),
    Condition("eta <= 2*w_min/beta", forms=("consensus",)),
    Condition("b <= n"),
)
_PROPERTIES = (
    Property("convex"),
    Property("doubly_stochastic"),
    Property("nonnegative"),
    Property("common_start"),
    Property("uniform_sampling"),
)
_SOURCE = Source(
    paper="lebars2024",
    result="Le Bars, Bellet, Tommasi, Scaman, Neglia (2024), convex case (arXiv 2306.02939)",
    derivation="The vector of expected twin distances obeys d <- W^Q (d + (2 eta L/n) e_j) (ATC; consensus form likewise for "
    "eta <= 2 min_k (W^Q)_kk/beta); columns of W sum to 1, so the node mean grows by exactly 2 eta L/(m n) a step.",
    tag="recalled",
)
_REASON = "The recursion adds the same term at every step."

l1_stability_convex = Bound(
    id="l1_stability_convex",
    title="l1 on-average stability of D-SGD, convex loss",
    quantity=Quantity.L1_STABILITY,
    kind=Kind.UPPER,
    update_forms=_FORMS,
    readouts=(Readout.NODE_AVERAGE, Readout.NETWORK_MEAN, Readout.GRADIENT_POINT),
    formula=Formula(("L", "eta", "T", "m", "n"), _OPTIONAL, (Let("value", "2*L*eta*T/(m*n)"),), defaults=(("b", 1), ("Q", 1))),
    conditions=_CONDITIONS,
    properties=_PROPERTIES,
    source=_SOURCE,
    directions=_DIRECTIONS,
    recursion=Recursion((("d", "0"),), (("d", "d + 2*eta*L/(m*n)"),), "d", "equals", _REASON),
    notes="The network mean is no further from its twin than the nodes are on average.",
)

dsgd_convex = Bound(
    id="dsgd_convex",
    title="Generalization error of D-SGD, convex loss",
    quantity=Quantity.GENERALIZATION_ERROR,
    kind=Kind.UPPER,
    update_forms=_FORMS,
    readouts=(Readout.NODE_AVERAGE, Readout.NETWORK_MEAN, Readout.GRADIENT_POINT, Readout.WORST_NODE),
    formula=Formula(("L", "eta", "T", "m", "n"), _OPTIONAL, (Let("value", "2*L**2*eta*T/(m*n)"),), defaults=(("b", 1), ("Q", 1))),
    conditions=_CONDITIONS,
    properties=_PROPERTIES,
    source=_SOURCE,
    directions=_DIRECTIONS,
    recursion=Recursion((("d", "0"),), (("d", "d + 2*eta*L/(m*n)"),), "L*d", "equals", _REASON),
    reductions=(
        Reduction((("m", 1),), "equals", "hardt2016_convex", (("L", "L"), ("eta", "eta"), ("T", "T"), ("N", "n"))),
        Reduction((("gap", 1),), "equals", "hardt2016_convex", (("L", "L"), ("eta", "eta"), ("T", "T"), ("N", "m*n"), ("b", "m"))),
    ),
    notes="Rows of W sum to 1 as well, so averaged over the replaced sample every fixed node has the same bound.",
)

BOUNDS = (l1_stability_convex, dsgd_convex)
