"""Generalization from squared on-average stability, smooth losses without a Lipschitz constant (Lei and Ying 2020).

Problem: losses >= 0, each beta-smooth in the weights.
Algorithm: any, with a known or bounded squared l2 on-average stability D and expected training loss R_S of its output.
Guarantee: UPPER, for every Young parameter gam > 0 chosen beforehand; left out, it is the minimiser sqrt(2 beta R_S/D).

>>> import bounds
>>> f'{bounds.get("lei2020_on_average").evaluate(beta=2, R_S=0.1, D=0.001):.6e}'
'2.100000e-02'
>>> f'{bounds.get("lei2020_on_average").evaluate(beta=2, R_S=0.1, D=0.001, gam=5):.6e}'
'4.350000e-02'
"""

from __future__ import annotations

from bounds.bound import Bound, Reduction, Source
from bounds.catalogue.common import DECENTRALIZED, EVERY_READOUT, MIXED, NONNEGATIVE_LOSS, UP
from bounds.formula import Formula, Let
from bounds.vocabulary import Kind, Quantity, UpdateForm

lei2020_on_average = Bound(
    id="lei2020_on_average",
    title="Generalization error from squared l2 on-average stability, smooth loss",
    quantity=Quantity.GENERALIZATION_ERROR,
    kind=Kind.UPPER,
    update_forms=(UpdateForm.CENTRALIZED, *DECENTRALIZED),
    readouts=EVERY_READOUT,
    formula=Formula(
        ("beta", "R_S", "D"),
        ("gam",),
        (
            Let("value", "beta/gam*R_S + (beta+gam)/2*D", given=("gam",)),
            Let("value", "beta/2*D + sqrt(2*beta*R_S*D)"),
        ),
    ),
    properties=(NONNEGATIVE_LOSS,),
    source=Source(
        "lei2020",
        "Lei, Ying (2020), Theorem 2(b) (arXiv 2006.08157)",
        "l(A'; z) - l(A; z) <= <grad l(A; z), A' - A> + (beta/2) norm(A' - A)^2, then Young's inequality with gam and norm(grad l)^2 <= "
        "2 beta l for a loss >= 0; the minimiser in gam is sqrt(2 beta R_S/D).",
        "primary",
        r"\mathbb{E}[F(A(S)) - F_S(A(S))] \le \frac{\beta}{\gamma} \mathbb{E}[F_S(A(S))]"
        r" + \frac{\beta + \gamma}{2 n} \sum_{i=1}^n \mathbb{E} \|A(S) - A(S^{(i)})\|^2",
    ),
    directions={"beta": UP, "R_S": UP, "D": UP, "gam": MIXED},
    reductions=(
        Reduction((("R_S", 0),), "equals", value="beta/2*D"),
        Reduction((("gam", 1),), "dominates", value="beta/2*D + sqrt(2*beta*R_S*D)"),
    ),
    notes="gam left out is its minimiser. R_S and D are those of the readout: means over nodes for the node average. It bounds E[R - R_S] from "
    "above, not its absolute value. With a loss in [0, M] counted only where the replaced sample is not drawn in the first t0 steps, add M t0/n.",
)

BOUNDS = (lei2020_on_average,)
