"""How many gossip steps a step are enough for ATC D-SGD: the least Q whose consensus distance meets a target.

Problem: m beta-smooth local objectives, gradient noise of variance sigma2/b at each node, heterogeneity zeta2.
Algorithm: ATC D-SGD with Q gossip steps a step, constant step, all nodes starting from one point.
Guarantee: EXACT for the bound: the least integer Q >= 1 at which the fixed point of consensus_distance_atc is at most the
target. What it bounds may meet the target earlier.

>>> import bounds
>>> f'{bounds.get("mgs_gossip_needed").evaluate(eta=0.05, m=16, beta=1, sigma2=1, zeta2=1, gap=0.05, theta=0.1):.6e}'
'3.100000e+01'
"""

from __future__ import annotations

from bounds.assumptions import Condition
from bounds.bound import Bound, Reduction
from bounds.catalogue.common import DOWN, MIXED, UP
from bounds.catalogue.mgs_common import SPREAD, reconstructed
from bounds.formula import Formula, Let
from bounds.vocabulary import Kind, Quantity, Readout, UpdateForm

_LETS = (
    Let("target", "theta*(2*D0/(eta*T) + beta*eta*sigma2/(b*m))/beta**2", given=("D0", "T"), latex=r"\bar S^2"),
    Let("target", "theta*(r0**2/(eta*T) + eta*sigma2/(b*m))/(3/2*beta)", given=("r0", "T"), latex=r"\bar S^2"),
    Let("target", "theta*eta*sigma2/(b*m*beta)", latex=r"\bar S^2"),
    Let("reach", "(1 + eta*beta + eta*sqrt(zeta2/target))**2 + eta**2*sigma2/b*(1-1/m)/target", latex="x^{-2}"),
    Let("needed", "max(1, ceil(log(reach)/(-2*log(1-gap))))", latex="Q"),
    Let("value", "when(1-gap, when(target, needed, when(zeta2, inf, 1)), 1)"),
)

mgs_gossip_needed = Bound(
    id="mgs_gossip_needed",
    title="Gossip steps after which the consensus distance of ATC is at most a share of the other error terms",
    quantity=Quantity.GOSSIP_STEPS,
    kind=Kind.SOLUTION,
    update_forms=(UpdateForm.ATC,),
    readouts=(Readout.NETWORK_MEAN,),
    formula=Formula(("eta", "m", "beta", "sigma2", "zeta2", "gap", "theta"), ("b", "T", "D0", "r0"), _LETS, defaults=(("b", 1),)),
    conditions=(Condition("1 <= T", given=("D0",)), Condition("1 <= T", given=("r0",))),
    properties=SPREAD,
    source=reconstructed(
        "li2025",
        "decay of the optimization error in the number of gossip steps",
        "The fixed point S of S <- x sqrt(((1+eta beta) S + eta zeta)^2 + eta^2 (sigma2/b)(1-1/m)) rises with x = (1-gap)^Q and solves for "
        "x in closed form.",
        r"\mathcal O(e^{-c\,\delta Q})",
    ),
    directions={"eta": UP, "m": UP, "beta": UP, "sigma2": MIXED, "zeta2": UP, "gap": DOWN, "theta": DOWN}
    | {"b": MIXED, "T": UP, "D0": DOWN, "r0": DOWN},
    reductions=(Reduction((("gap", 1),), "equals", value="1"),),
    notes="The target is theta times what stands beside the consensus term: the noise floor beta eta sigma2/(2 b m) of mgs_pl by default; "
    "with D0 and T the rest of mgs_stationarity, also where r0 is given; with r0 and T alone that of mgs_convex (where convexity would "
    "allow even fewer). "
    "Infinite where the target is 0 and the nodes differ.",
)

BOUNDS = (mgs_gossip_needed,)
