"""On-average stability of decentralized SGD, convex loss (after Le Bars et al. 2024).

Problem: mean over m nodes of n local losses each, every loss convex, L-Lipschitz and beta-smooth.
Algorithm: D-SGD with Q gossip steps a step, T constant steps, one local batch per node and step.
Guarantee: UPPER, attained for linear losses with antithetic twins; no dependence on the graph.

>>> import bounds
>>> f'{bounds.get("l1_stability_convex").evaluate(L=1, eta=0.05, T=1000, m=16, n=64):.6e}'
'9.765625e-02'
>>> f'{bounds.get("dsgd_convex").evaluate(L=2, eta=0.05, T=1000, m=16, n=64):.6e}'
'3.906250e-01'
>>> f'{bounds.get("dsgd_convex_trajectory").evaluate(L=2, eta=0.05, T=1000, m=16, n=64, G=0.3):.6e}'
'5.859375e-02'
"""

from __future__ import annotations

from bounds.assumptions import Condition
from bounds.bound import Bound, Reduction
from bounds.catalogue.common import AVERAGED, BATCH, CONVEX, DECENTRALIZED, DOWN, EVERY_READOUT, FLAT, GOSSIP, UP, WHOLE_GRAPH, lebars2024
from bounds.formula import Formula, Let
from bounds.recursion import Recursion
from bounds.vocabulary import Kind, Quantity

_OPTIONAL = ("beta", "b", "Q", "gap", "w_min")
_DEFAULTS = (("b", 1), ("Q", 1))
_DIRECTIONS = {"L": UP, "eta": UP, "T": UP, "m": DOWN, "n": DOWN} | dict.fromkeys(_OPTIONAL, FLAT)
_CONDITIONS = (
    Condition("eta <= 2/beta", forms=("atc", "cta")),
    Condition("eta <= 2*w_min/beta", forms=("consensus",)),
    BATCH,
)
_SOURCE = lebars2024(
    "convex",
    "The vector of expected twin distances obeys d <- W^Q (d + (2 eta L/n) e_j) (ATC; consensus form likewise for "
    "eta <= 2 min_k (W^Q)_kk/beta); columns of W sum to 1, so the node mean grows by exactly 2 eta L/(m n) a step.",
    r"\mathbb{E}[R - R_S] \le \frac{2 L^2}{m n} \sum_{t=1}^T \eta_t",
)
_REASON = "The recursion adds the same term at every step."

l1_stability_convex = Bound(
    id="l1_stability_convex",
    title="l1 on-average stability of D-SGD, convex loss",
    quantity=Quantity.L1_STABILITY,
    kind=Kind.UPPER,
    update_forms=DECENTRALIZED,
    readouts=AVERAGED,
    formula=Formula(("L", "eta", "T", "m", "n"), _OPTIONAL, (Let("value", "2*L*eta*T/(m*n)"),), defaults=_DEFAULTS),
    conditions=_CONDITIONS,
    properties=(CONVEX, *GOSSIP),
    source=_SOURCE,
    directions=_DIRECTIONS,
    recursion=Recursion((("d", "0"),), (("d", "d + 2*eta*L/(m*n)"),), "d", "equals", _REASON),
    reductions=(Reduction((("m", 1),), "equals", value="2*L*eta*T/n"),),
    notes="The network mean is no further from its twin than the nodes are on average.",
)

dsgd_convex = Bound(
    id="dsgd_convex",
    title="Generalization error of D-SGD, convex loss",
    quantity=Quantity.GENERALIZATION_ERROR,
    kind=Kind.UPPER,
    update_forms=DECENTRALIZED,
    readouts=EVERY_READOUT,
    formula=Formula(("L", "eta", "T", "m", "n"), _OPTIONAL, (Let("value", "2*L**2*eta*T/(m*n)"),), defaults=_DEFAULTS),
    conditions=_CONDITIONS,
    properties=(CONVEX, *GOSSIP),
    source=_SOURCE,
    directions=_DIRECTIONS,
    recursion=Recursion((("d", "0"),), (("d", "d + 2*eta*L/(m*n)"),), "L*d", "equals", _REASON),
    reductions=(
        Reduction((("m", 1),), "equals", "hardt2016_convex", (("L", "L"), ("eta", "eta"), ("T", "T"), ("N", "n"))),
        Reduction((("gap", 1),), "equals", "hardt2016_convex", (("L", "L"), ("eta", "eta"), ("T", "T"), ("N", "m*n"), ("b", "m*b"))),
    ),
    notes=f"Rows of W sum to 1 as well, {WHOLE_GRAPH}",
)

dsgd_convex_trajectory = Bound(
    id="dsgd_convex_trajectory",
    title="Generalization error of D-SGD, convex loss, by the gradients met on the way",
    quantity=Quantity.GENERALIZATION_ERROR,
    kind=Kind.UPPER,
    update_forms=DECENTRALIZED,
    readouts=EVERY_READOUT,
    formula=Formula(("L", "eta", "T", "m", "n", "G"), ("beta", "w_min"), (Let("value", "2*L*eta*T*G/(m*n)"),)),
    conditions=_CONDITIONS[:2],
    properties=(CONVEX, *GOSSIP),
    source=lebars2024(
        "optimization-dependent convex",
        "As dsgd_convex, but a drawn replaced sample moves the twins apart by eta times two gradient norms, which are 2 G on average with "
        "G = (1/T) sum_t (1/mn) sum_ij E norm(grad l(x_j^t; Z_ij)) at the gradient point.",
        r"\mathbb{E}[R - R_S] \le \frac{2 L}{m n} \sum_{t=1}^T \eta_t \bar G_t",
    ),
    directions={"L": UP, "eta": UP, "T": UP, "m": DOWN, "n": DOWN, "G": UP, "beta": FLAT, "w_min": FLAT},
    recursion=Recursion((("d", "0"),), (("d", "d + 2*eta*G/(m*n)"),), "L*d", "equals", _REASON),
    reductions=(
        Reduction((("m", 1),), "equals", value="2*L*eta*T*G/n"),
        Reduction((("G", 1), ("L", 1)), "equals", "dsgd_convex", (("L", "L"), ("eta", "eta"), ("T", "T"), ("m", "m"), ("n", "n"))),
    ),
    notes=f"G <= L, so it is never above dsgd_convex; G is met on the way, hence known only after a run. Rows of W sum to 1, {WHOLE_GRAPH}",
)

BOUNDS = (l1_stability_convex, dsgd_convex, dsgd_convex_trajectory)
