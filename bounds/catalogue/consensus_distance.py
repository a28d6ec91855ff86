"""Consensus distance (1/m) sum_k E norm(x_k - xbar)^2 of D-SGD, by update form.

Problem: m beta-smooth local objectives, gradient noise of variance sigma2/b at each node, heterogeneity zeta2.
Algorithm: D-SGD with Q gossip steps a step, constant step, all nodes starting from one point.
Guarantee: UPPER. With T: after T steps. Without T: for every number of steps (the fixed point of the recursion).
"""

from bounds.assumptions import Condition, Property
from bounds.bound import Bound, Reduction, Source
from bounds.formula import Formula, Let
from bounds.recursion import Recursion
from bounds.vocabulary import Direction, Kind, Quantity, Readout, UpdateForm

_UP, _DOWN, _FLAT = Direction.INCREASING, Direction.DECREASING, Direction.CONSTANT
_REQUIRED = ("eta", "sigma2", "zeta2", "m", "gap", "Q", "beta")
_PROPERTIES = (Property("symmetric"), Property("doubly_stochastic"), Property("common_start"), Property("uniform_sampling"))
_READOUTS = (Readout.NODE_AVERAGE, Readout.GRADIENT_POINT)
_LIMIT = (
    Let("limit", "(r*z + sqrt(z**2 + (1-r**2)*s2))/(1-r**2)", latex=r"S_\infty"),
    Let("transient", "z*geometric(r, T) + sqrt(s2*geometric(r**2, T))", given=("T",), latex="S_T"),
    Let("value", "when(1-r, min(limit, transient), transient)**2", given=("T",)),
    Let("value", "when(1-r, limit, inf)**2"),
)
_RECURSION = Recursion(
    initial=(("S", "0"),),
    step=(("S", "sqrt((r*S + z)**2 + s2)"),),
    result="S**2",
    relation="dominates",
    reason="From 0 the recursion rises to its fixed point and never passes it; and S_T <= A_T + B_T where A <- r A + z and "
    "B^2 <- r^2 B^2 + s^2, since (A' + r B)^2 + s^2 <= (A' + B')^2.",
)
_DIRECTIONS = {"eta": _UP, "sigma2": _UP, "zeta2": _UP, "m": _UP, "gap": _DOWN, "Q": _DOWN, "beta": _UP, "T": _UP, "b": _DOWN}


def _source(derivation: str) -> Source:
    return Source("derived", "L2 recursion of the node deviations; same orders as Koloskova et al. (2020)", derivation, "known")


consensus_distance_atc = Bound(
    id="consensus_distance_atc",
    title="Consensus distance of ATC",
    quantity=Quantity.CONSENSUS_DISTANCE,
    kind=Kind.UPPER,
    update_forms=(UpdateForm.ATC,),
    readouts=_READOUTS,
    formula=Formula(
        _REQUIRED,
        ("T", "b", "convex", "mu"),
        (
            Let("x", "(1-gap)**Q", latex="x"),
            Let("rho", "1 - eta*mu", given=("mu",), latex=r"\rho"),
            Let("rho", "1", given=("convex",), latex=r"\rho"),
            Let("rho", "1 + eta*beta", latex=r"\rho"),
            Let("r", "x*rho", latex="r"),
            Let("z", "x*eta*sqrt(zeta2)", latex="z"),
            Let("s2", "x**2*eta**2*sigma2/b*(1-1/m)", latex="s^2"),
            *_LIMIT,
        ),
        defaults=(("b", 1),),
    ),
    conditions=(
        Condition("r < 1", absent=("T",)),
        Condition("eta <= 2/beta", given=("convex",)),
        Condition("mu <= beta", given=("mu",)),
        Condition("eta <= 2/(beta+mu)", given=("mu",)),
    ),
    properties=_PROPERTIES,
    source=_source("Minkowski in L2 on the deviations from the mean; a step maps the spread S to sqrt((r S + z)^2 + s^2)."),
    directions=_DIRECTIONS | {"convex": _DOWN, "mu": _DOWN},
    recursion=_RECURSION,
    reductions=(
        Reduction((("m", 1), ("zeta2", 0)), "equals", value="0"),
        Reduction((("gap", 1),), "equals", value="0"),
    ),
    notes="Projection onto a convex set after the gradient step only shrinks the spread, so the bound survives it. "
    "sigma2 may be the mean over nodes of the nodes' variances.",
)

consensus_distance_consensus = Bound(
    id="consensus_distance_consensus",
    title="Consensus distance of the consensus form",
    quantity=Quantity.CONSENSUS_DISTANCE,
    kind=Kind.UPPER,
    update_forms=(UpdateForm.CONSENSUS,),
    readouts=_READOUTS,
    formula=Formula(
        _REQUIRED,
        ("T", "b"),
        (
            Let("x", "(1-gap)**Q", latex="x"),
            Let("r", "x + eta*beta", latex="r"),
            Let("z", "eta*sqrt(zeta2)", latex="z"),
            Let("s2", "eta**2*sigma2/b*(1-1/m)", latex="s^2"),
            *_LIMIT,
        ),
        defaults=(("b", 1),),
    ),
    conditions=(Condition("r < 1", absent=("T",)),),
    properties=_PROPERTIES,
    source=_source("As for ATC, but the fresh gradients are not mixed: z and s keep their size however large Q is (a floor)."),
    directions=_DIRECTIONS,
    recursion=_RECURSION,
    reductions=(
        Reduction((("m", 1), ("zeta2", 0)), "equals", value="0"),
        Reduction(
            (("gap", 1),),
            "equals",
            value="when(1-eta*beta, ((eta*beta*eta*sqrt(zeta2) + sqrt(eta**2*zeta2 + (1-(eta*beta)**2)*eta**2*sigma2/b*(1-1/m)))"
            "/(1-(eta*beta)**2))**2, inf)",
        ),
    ),
    notes="Projection onto a convex set after the step only shrinks the spread, so the bound survives it.",
)

BOUNDS = (consensus_distance_atc, consensus_distance_consensus)
