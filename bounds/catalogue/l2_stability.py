"""Squared l2 on-average stability of decentralized SGD (ATC), convex loss: how much of it the graph keeps from averaging out.

Problem: mean over m nodes of n local losses each, every loss convex, L-Lipschitz and beta-smooth.
Algorithm: ATC with Q gossip steps a step, T constant steps, local batches drawn with or without replacement.
Guarantee: UPPER; attained by linear losses with antithetic twins and batches drawn with replacement, in the whole spectrum.
With the gap in place of the spectrum: UPPER, attained where moreover all eigenvalues but the first are lambda >= 0.

>>> import bounds
>>> f'{bounds.get("l2_stability_atc").evaluate(L=1, eta=0.1, T=50, n=64, Q=1, spectrum=[1, 0.5, 0.5, 0]):.6e}'
'3.475342e-03'
>>> f'{bounds.get("l2_stability_atc_gap").evaluate(L=1, eta=0.1, T=50, m=4, n=64, Q=1, gap=0.5):.6e}'
'3.488770e-03'
"""

from __future__ import annotations

from bounds.assumptions import Condition, Property
from bounds.bound import Bound, Reduction, Source
from bounds.catalogue.common import ALTERNATING, AVERAGED, BATCH, CONVEX, DOWN, FLAT, GOSSIP, UP
from bounds.formula import Formula, Let
from bounds.recursion import Recursion
from bounds.vocabulary import Direction, Kind, Quantity, UpdateForm

_OPTIONAL = ("beta", "b")
_CONDITIONS = (Condition("eta <= 2/beta"), BATCH)
_PROPERTIES = (CONVEX, Property("symmetric"), *GOSSIP)
_DIRECTIONS = {"L": UP, "eta": UP, "T": UP, "n": DOWN, "b": DOWN, "beta": FLAT}
_DERIVATION = (
    "Twin distances obey d^T <= sum_t 2 L eta h_t W^(Q(T-t+1)) e_j entrywise, where h_t is the share of the replaced sample in the batch of "
    "step t, of mean 1/n and variance at most (1/n - 1/n^2)/b, independent over steps. The mean over k and j of the squares is a trace, hence "
    "a sum over the eigenvalues of W^Q"
)
_LATEX = (
    r"\frac{1}{m^2 n} \sum_{k, i, j} \mathbb{E} \|x_k - x_k^{(ij)}\|^2 \le \frac{4 L^2 \eta^2}{m^2} \sum_{l=1}^m \left["
    r"\frac{1}{n^2} \Big(\sum_{s=1}^T \lambda_l^{Q s}\Big)^2 + \frac{1}{b} \Big(\frac{1}{n} - \frac{1}{n^2}\Big) \sum_{s=1}^T \lambda_l^{2 Q s}\right]"
)
_ONE_STEP = "(1/n + (1-1/n)/b)/n"


def _source(derivation: str) -> Source:
    return Source("derived", "l2 on-average stability as Li et al. (2025) define it (arXiv 2510.07980)", derivation, "known", _LATEX)


l2_stability_atc = Bound(
    id="l2_stability_atc",
    title="Squared l2 on-average stability of D-SGD (ATC), convex loss, in the whole spectrum",
    quantity=Quantity.L2_STABILITY,
    kind=Kind.UPPER,
    update_forms=(UpdateForm.ATC,),
    readouts=AVERAGED,
    formula=Formula(
        ("L", "eta", "T", "n", "Q", "spectrum"),
        _OPTIONAL,
        (
            Let("first", "total(v, spectrum, (v**Q*geometric(v**Q, T))**2)", latex="A"),
            Let("second", "total(v, spectrum, v**(2*Q)*geometric(v**(2*Q), T))", latex="B"),
            Let("value", "(2*L*eta/size(spectrum))**2*(first/n + (1-1/n)/b*second)/n"),
        ),
        defaults=(("b", 1),),
    ),
    conditions=_CONDITIONS,
    properties=_PROPERTIES,
    source=_source(f"{_DERIVATION}."),
    directions=_DIRECTIONS | {"Q": Direction.UNKNOWN, "spectrum": Direction.UNKNOWN},
    open_questions={
        "Q": ALTERNATING,
        "spectrum": "raising a negative eigenvalue shrinks it and raising a positive one lets it grow; no witness of a fall was found",
    },
    reductions=(
        Reduction((("T", 1),), "equals", value=f"(2*L*eta/size(spectrum))**2*total(v, spectrum, v**(2*Q))*{_ONE_STEP}"),
        Reduction((("n", 1),), "equals", value="(2*L*eta/size(spectrum))**2*total(v, spectrum, (v**Q*geometric(v**Q, T))**2)"),
    ),
    supersedes=("l2_stability_atc_gap",),
    notes="Equality for linear losses with z' = -z; for an independent copy z' of the sample, E norm(z - z')^2 takes the place of 4 L^2. "
    "It falls with Q and with a smaller spectrum where all eigenvalues are >= 0; a negative one can make two "
    "gossip steps worse than one (weights 0.1 and 0.9 on two nodes of two samples each).",
)

l2_stability_atc_gap = Bound(
    id="l2_stability_atc_gap",
    title="Squared l2 on-average stability of D-SGD (ATC), convex loss, by the spectral gap",
    quantity=Quantity.L2_STABILITY,
    kind=Kind.UPPER,
    update_forms=(UpdateForm.ATC,),
    readouts=AVERAGED,
    formula=Formula(
        ("L", "eta", "T", "m", "n", "Q", "gap"),
        _OPTIONAL,
        (
            Let("x", "(1-gap)**Q", latex="x"),
            Let("first", "T**2 + (m-1)*(x*geometric(x, T))**2", latex="A"),
            Let("second", "T + (m-1)*x**2*geometric(x**2, T)", latex="B"),
            Let("value", "(2*L*eta/m)**2*(first/n + (1-1/n)/b*second)/n"),
        ),
        defaults=(("b", 1),),
    ),
    conditions=_CONDITIONS,
    properties=_PROPERTIES,
    source=_source(f"{_DERIVATION}, each but the first at most x = lambda^Q in modulus."),
    directions=_DIRECTIONS | {"m": DOWN, "Q": DOWN, "gap": DOWN},
    recursion=Recursion(
        (("p", "0"), ("q", "0"), ("u", "0"), ("v", "0")),
        (("p", "p + 1"), ("q", "x*(q + 1)"), ("u", "u + 1"), ("v", "x**2*(v + 1)")),
        "(2*L*eta/m)**2*((p**2 + (m-1)*q**2)/n**2 + (1/n-1/n**2)/b*(u + (m-1)*v))",
        "equals",
        "Mean and variance of the weight of the hits along an eigenvector of W are geometric sums.",
    ),
    reductions=(
        Reduction((("m", 1),), "equals", value="(2*L*eta)**2*T/n*(T/n + (1-1/n)/b)"),
        Reduction((("gap", 1),), "equals", value="(2*L*eta)**2*T/(m*n)*(T/(m*n) + (1-1/n)/(m*b))"),
        Reduction((("T", 1),), "equals", value=f"(2*L*eta/m)**2*(1 + (m-1)*(1-gap)**(2*Q))*{_ONE_STEP}"),
    ),
    notes="At gap = 1 the nodes are one mini-batch SGD that draws b samples from each of m strata. Equality for linear losses with z' = -z "
    "where all eigenvalues but the first are 1 - gap.",
)

BOUNDS = (l2_stability_atc, l2_stability_atc_gap)
