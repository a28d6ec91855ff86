"""Excess risk of D-SGD near a minimum: the steady state of the local quadratic model, exactly.

Problem: nodes with one Hessian (eigenvalues rho), local gradients at the minimum whose parts along the eigenvectors of W and
of the Hessian are ``heterogeneity``, and gradient noise of variance r/b along each eigenvector of the Hessian.
Algorithm: centralized SGD with batches of m b, ATC, CTA or the consensus form; constant step, Q gossip steps a step.
Guarantee: EXACT. Mean over nodes of E J - J(w*) (node average), the same of the averaged model (network mean: every update
form equals centralized SGD), or at the points where gradients are evaluated (gradient point: CTA then equals ATC).

A lazy ring of four nodes (half of every model stays at home): the consensus form > ATC > centralized SGD, and here CTA > consensus form:

>>> import bounds
>>> ring = dict(eta=0.1, b=2, rho=[1.0, 0.5], r=[1.0, 2.0], spectrum=[1, 2 / 3, 2 / 3, 1 / 3], Q=1)
>>> f'{bounds.get("excess_risk_centralized").evaluate(**ring):.6e}'
'9.699730e-03'
>>> f'{bounds.get("excess_risk_consensus").evaluate(**ring):.6e}'
'1.489855e-02'
>>> f'{bounds.get("excess_risk_atc").evaluate(**ring):.6e}'
'1.164893e-02'
>>> f'{bounds.get("excess_risk_cta").evaluate(**ring):.6e}'
'1.512153e-02'
>>> f'{bounds.get("excess_risk_cta").evaluate(**ring, readout="gradient_point"):.6e}'
'1.164893e-02'
"""

from __future__ import annotations

from bounds.assumptions import Condition
from bounds.bound import Bound, Reduction, Source
from bounds.catalogue.common import ALTERNATING, DOWN, FLAT, MIXED, SIGNED, UP
from bounds.catalogue.modes import BALANCED, COMMON_HESSIAN, COMMON_NOISE, QUADRATIC, READOUTS, SYMMETRIC, bias_sum, noise_sum
from bounds.formula import Formula, Let
from bounds.vocabulary import Direction, Kind, Quantity, Readout, UpdateForm

_CENTRALIZED = "eta/(2*size(spectrum)*b)*total(p, rho, v, r, v/(2-eta*p))"
_STABLE = Condition("eta*largest(p, rho, p) < 2")
_CONSENSUS_STABLE = Condition("eta*largest(p, rho, p) < 1 + smallest(l, spectrum, l**Q)")
_DIRECTIONS = {"eta": UP, "b": DOWN, "r": UP, "spectrum": MIXED, "heterogeneity": Direction.UNKNOWN}
_OPEN = {
    "heterogeneity": SIGNED,
    "Q": ALTERNATING,
    "rho": "a sharper minimum weighs the noise more and forgets it faster; which wins depends on the eigenvalue, and no fall was found",
}
_LOCAL = (Readout.NODE_AVERAGE.value, Readout.GRADIENT_POINT.value)
_MIXED_ONCE_MORE = (
    Let("noise", noise_sum(UpdateForm.CTA, True, "spectrum"), latex="S"),
    Let("bias", bias_sum(UpdateForm.CTA, True), given=("heterogeneity",), latex="B"),
)


def _source(derivation: str) -> Source:
    return Source(
        "cao2024",
        "model of Cao, Wu, Yuan, Sayed (2024) (arXiv 2406.20006), of which only summaries were read; the formula is derived here",
        derivation,
        "reconstructed",
        latex=r"\widetilde W_n = A_2 (A_1 - \mu H) \widetilde W_{n-1} + \mu A_2 d + \mu A_2 s_n",
    )


def _decentralized(
    form: UpdateForm, name: str, stable: Condition, reduction: Reduction, directions: dict[str, Direction], notes: str
) -> Bound:
    mixed = form is UpdateForm.ATC
    readouts = (Readout.NODE_AVERAGE.value,) if form is UpdateForm.CTA else ()
    lets = (
        Let("noise", noise_sum(form, mixed, "spectrum"), readouts=readouts, latex="S"),
        Let("bias", bias_sum(form, mixed), given=("heterogeneity",), readouts=readouts, latex="B"),
        *(_MIXED_ONCE_MORE if readouts else ()),
        Let("bias", "0", latex="B"),
        Let("value", "eta**2/(2*size(spectrum))*(noise/b + bias)", readouts=_LOCAL),
        Let("value", _CENTRALIZED),
    )
    return Bound(
        id=f"excess_risk_{form.value}",
        title=f"Excess risk of {name} near a minimum, steady state",
        quantity=Quantity.EXCESS_RISK,
        kind=Kind.EXACT,
        update_forms=(form,),
        readouts=READOUTS,
        formula=Formula(("eta", "b", "rho", "r", "spectrum", "Q"), ("heterogeneity",), lets),
        conditions=(stable, BALANCED),
        properties=(QUADRATIC, COMMON_HESSIAN, COMMON_NOISE, *SYMMETRIC),
        source=_source("Every mode is a scalar linear recursion: steady variance eta^2 w^2 r/(b (1-a^2)), steady mean -eta w g/(1-a)."),
        directions=_DIRECTIONS | directions,
        open_questions={name: _OPEN[name] for name, known in (_DIRECTIONS | directions).items() if known is Direction.UNKNOWN},
        reductions=(reduction,),
        notes=f"{notes} Leaving out the heterogeneity means none.",
    )


excess_risk_centralized = Bound(
    id="excess_risk_centralized",
    title="Excess risk of centralized SGD near a minimum, steady state",
    quantity=Quantity.EXCESS_RISK,
    kind=Kind.EXACT,
    update_forms=(UpdateForm.CENTRALIZED,),
    readouts=READOUTS,
    formula=Formula(("eta", "b", "rho", "r", "spectrum"), ("Q", "heterogeneity"), (Let("value", _CENTRALIZED),)),
    conditions=(_STABLE, BALANCED),
    properties=(QUADRATIC, COMMON_NOISE),
    source=_source("The averaged gradient has noise variance r/(m b) and no heterogeneity: steady variance eta r/(m b rho (2 - eta rho))."),
    directions={"eta": UP, "b": DOWN, "rho": UP, "r": UP, "spectrum": FLAT, "Q": FLAT, "heterogeneity": FLAT},
    reductions=(Reduction((("b", 1),), "dominates", value="eta/(4*size(spectrum))*total(p, rho, v, r, v)"),),
    notes="Of the spectrum only its length counts, the number of nodes; Q and the heterogeneity do not matter. "
    "With unequal Hessians rho belongs to their mean and r to the mean of the nodes' variances.",
)

excess_risk_consensus = _decentralized(
    UpdateForm.CONSENSUS,
    "the consensus form",
    _CONSENSUS_STABLE,
    Reduction((("Q", 1),), "dominates", to="excess_risk_atc"),
    {"rho": MIXED, "Q": MIXED},
    "For nodes with one Hessian never below ATC, which is never below centralized SGD. Read where the gradients are evaluated: "
    "after one more combination its excess risk may lie below that of ATC.",
)

excess_risk_atc = _decentralized(
    UpdateForm.ATC,
    "ATC",
    _STABLE,
    Reduction((("Q", 1),), "dominates", to="excess_risk_centralized"),
    {"rho": MIXED, "Q": Direction.UNKNOWN},
    "Equals centralized SGD where every eigenvalue but the first is 0. With unequal Hessians it may lie below centralized SGD.",
)

excess_risk_cta = _decentralized(
    UpdateForm.CTA,
    "CTA",
    _STABLE,
    Reduction((("Q", 1),), "dominates", to="excess_risk_atc"),
    {"rho": Direction.UNKNOWN, "Q": MIXED},
    "Read before combination (node average) above the consensus form for small steps and positive eigenvalues of W.",
)

BOUNDS = (excess_risk_centralized, excess_risk_consensus, excess_risk_atc, excess_risk_cta)
