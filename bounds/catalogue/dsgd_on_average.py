"""On-average stability of decentralized SGD in squares, convex smooth loss without a Lipschitz constant (after Lei and Ying 2020).

Problem: mean over m nodes of n local losses each, every loss >= 0, convex and beta-smooth.
Algorithm: ATC with any number of gossip steps a step, T constant steps, any local batch.
Guarantee: UPPER, by the training loss F met on the way and that of the output, R_S; no dependence on the graph.

>>> import bounds
>>> setting = {"beta": 1, "eta": 0.1, "T": 100, "m": 16, "n": 64, "F": 0.2, "R_S": 0.1}
>>> f'{bounds.get("dsgd_on_average_convex").evaluate(**setting):.6e}'
'5.209752e-02'
>>> f'{bounds.get("dsgd_on_average_convex").evaluate(gam=1, **setting):.6e}'
'1.108837e-01'
"""

from __future__ import annotations

from bounds.assumptions import Condition
from bounds.bound import Bound, Reduction, Source
from bounds.catalogue.common import AVERAGED, CONVEX, DOWN, GOSSIP, MIXED, NONNEGATIVE_LOSS, UP
from bounds.formula import Formula, Let
from bounds.recursion import Recursion
from bounds.vocabulary import Kind, Quantity, UpdateForm

_STABILITY = "8*exp(1)*(1+T/n)*beta*eta**2*T*F/(m*n)"

dsgd_on_average_convex = Bound(
    id="dsgd_on_average_convex",
    title="Generalization error of D-SGD (ATC), convex smooth loss, by the training loss met on the way",
    quantity=Quantity.GENERALIZATION_ERROR,
    kind=Kind.UPPER,
    update_forms=(UpdateForm.ATC,),
    readouts=AVERAGED,
    formula=Formula(
        ("beta", "eta", "T", "m", "n", "F", "R_S"),
        ("gam",),
        (
            Let("D", _STABILITY, latex="D"),
            Let("young", "gam", given=("gam",), latex=r"\gamma"),
            Let("young", "sqrt(2*beta*R_S/D)", latex=r"\gamma"),
            Let("value", "beta/gam*R_S + (beta+gam)/2*D", given=("gam",)),
            Let("value", "beta/2*D + sqrt(2*beta*R_S*D)"),
        ),
    ),
    conditions=(Condition("eta <= 2/beta"),),
    properties=(CONVEX, NONNEGATIVE_LOSS, *GOSSIP),
    source=Source(
        "lei2020",
        "Lei, Ying (2020), stability of convex SGD (arXiv 2006.08157), carried over to the node average of D-SGD here",
        "A step is non-expansive, and drawing the replaced sample as a share k of the batch adds at most k (p d^2 + (1+1/p) (eta g)^2) to "
        "the squared distance d^2 of the twins at that node, E g^2 <= 8 beta E l; averaging over nodes by W never raises the sum of squares. "
        "So D <- (1+p/n) D + 8 beta (1+1/p) eta^2 F_t/(m n), and p = n/T.",
        "recalled",
        r"\frac{1}{n} \sum_{i=1}^n \mathbb{E} \|w_{t+1} - w_{t+1}^{(i)}\|^2 \le"
        r" \frac{8 (1 + t/n) \beta e}{n} \sum_{j=1}^t \eta_j^2 \mathbb{E}[F_S(w_j)]",
    ),
    directions={"beta": UP, "eta": UP, "T": UP, "m": DOWN, "n": DOWN, "F": UP, "R_S": UP, "gam": MIXED},
    recursion=Recursion(
        (("d2", "0"),),
        (("d2", "(1+1/T)*d2 + 8*beta*(1+T/n)*eta**2*F/(m*n)"),),
        "beta/young*R_S + (beta+young)/2*d2",
        "dominates",
        "(1+1/T)^T <= e, whatever the order in which the training losses of mean F are met.",
    ),
    reductions=(
        Reduction((("m", 1),), "equals", "lei2020_on_average", (("beta", "beta"), ("R_S", "R_S"), ("D", _STABILITY.replace("m*n", "n")))),
        Reduction((("R_S", 0),), "equals", value="4*exp(1)*(1+T/n)*(beta*eta)**2*T*F/(m*n)"),
    ),
    notes="gam left out is its minimiser. "
    "F = (1/T) sum_t (1/mn) sum_ij E l(x_j^t; Z_ij), every node on its own samples before the step; R_S is the training loss of the "
    "readout. Both are known only after a run. It bounds E[R - R_S] from above, not its absolute value.",
)

BOUNDS = (dsgd_on_average_convex,)
