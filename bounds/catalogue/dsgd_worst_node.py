"""Uniform stability of the worst node of D-SGD, convex loss: where the spectral gap enters.

Problem: mean over m nodes of n local losses each, every loss convex, L-Lipschitz and beta-smooth.
Algorithm: D-SGD (ATC, or the consensus form) with Q gossip steps a step, T constant steps.
Guarantee: UPPER, for the node that holds the replaced sample and hence for any node and any sample. As Q grows, the part of
the gap vanishes for ATC and tends to a floor for the consensus form, whose last gradient is never mixed.

>>> import bounds
>>> f'{bounds.get("dsgd_worst_node_convex").evaluate(L=1, eta=0.1, T=100, m=16, n=64, gap=0.2, Q=2):.6e}'
'2.473958e-02'
>>> f'{bounds.get("dsgd_worst_node_convex_consensus").evaluate(L=1, eta=0.1, T=100, m=16, n=64, gap=0.2, Q=2):.6e}'
'2.766927e-02'
"""

from __future__ import annotations

from bounds.assumptions import Condition, Property
from bounds.bound import Bound, Reduction, Source
from bounds.catalogue.common import CONVEX, DOWN, FLAT, GOSSIP, UP
from bounds.formula import Formula, Let
from bounds.recursion import Recursion
from bounds.vocabulary import Kind, Quantity, Readout, UpdateForm

_TO_ONE_NODE = Reduction((("m", 1),), "equals", "hardt2016_convex", (("L", "L"), ("eta", "eta"), ("T", "T"), ("N", "n")))
_TO_MINI_BATCH = (("L", "L"), ("eta", "eta"), ("T", "T"), ("N", "m*n"), ("b", "m"))


def _bound(
    form: UpdateForm, suffix: str, condition: Condition, deviation: str, derivation: str, step: str, reductions: tuple[Reduction, ...]
) -> Bound:
    optional = ("beta", "w_min") if "w_min" in condition.text else ("beta",)
    return Bound(
        id=f"dsgd_worst_node_convex{suffix}",
        title=f"Generalization error of the worst node of D-SGD ({'ATC' if form is UpdateForm.ATC else 'consensus form'}), convex loss",
        quantity=Quantity.GENERALIZATION_ERROR,
        kind=Kind.UPPER,
        update_forms=(form,),
        readouts=(Readout.WORST_NODE, Readout.NODE_AVERAGE, Readout.NETWORK_MEAN, Readout.GRADIENT_POINT),
        formula=Formula(
            ("L", "eta", "T", "m", "n", "gap", "Q"),
            optional,
            (
                Let("x", "(1-gap)**Q", latex="x"),
                Let("g", deviation, latex="g"),
                Let("value", "2*L**2*eta/n*(T/m + (1-1/m)*g)"),
            ),
        ),
        conditions=(condition,),
        properties=(CONVEX, Property("symmetric"), *GOSSIP),
        source=Source(
            paper="derived",
            result="uniform stability over nodes and samples; the node-averaged result is Le Bars et al. (2024)",
            derivation=f"Unrolling {derivation} and bounding (W^(Qs))_kj <= 1/m + (1-1/m) x^s with x = lambda^Q.",
            tag="known",
            latex=r"\max_{k, j} \mathbb{E} \delta_k^T \le \frac{2 \eta L}{n} \left(\frac{T}{m} + \left(1 - \frac{1}{m}\right) g\right)",
        ),
        directions={"L": UP, "eta": UP, "T": UP, "m": DOWN, "n": DOWN, "gap": DOWN, "Q": DOWN} | dict.fromkeys(optional, FLAT),
        recursion=Recursion(
            initial=(("a", "0"), ("e", "0")),
            step=(("a", "a + 2*eta*L/(m*n)"), ("e", step)),
            result="L*(a + e)",
            relation="equals",
            reason="The mean part adds, the deviation part is a geometric sum in x = lambda^Q.",
        ),
        reductions=(_TO_ONE_NODE, *reductions),
        notes="It holds for every fixed replaced sample; averaged over the replaced sample, dsgd_convex holds for every node too. "
        "At m = 1 the deviation part has weight 1 - 1/m = 0, so the centralized bound is met.",
    )


dsgd_worst_node_convex = _bound(
    UpdateForm.ATC,
    "",
    Condition("eta <= 2/beta"),
    "x*geometric(x, T)",
    "d <- W^Q (d + (2 eta L/n) e_j)",
    "x*(e + 2*eta*L/n*(1-1/m))",
    (Reduction((("gap", 1),), "equals", "hardt2016_convex", _TO_MINI_BATCH),),
)

dsgd_worst_node_convex_consensus = _bound(
    UpdateForm.CONSENSUS,
    "_consensus",
    Condition("eta <= 2*w_min/beta"),
    "geometric(x, T)",
    "d <- W^Q d + (2 eta L/n) e_j, which needs eta <= 2 min_k (W^Q)_kk/beta,",
    "x*e + 2*eta*L/n*(1-1/m)",
    (
        Reduction((("gap", 1),), "dominates", "hardt2016_convex", _TO_MINI_BATCH),
        Reduction((("gap", 1),), "equals", value="2*L**2*eta/n*((T-1)/m + 1)"),
    ),
)

BOUNDS = (dsgd_worst_node_convex, dsgd_worst_node_convex_consensus)
