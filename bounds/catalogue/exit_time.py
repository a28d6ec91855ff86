"""Escape from a basin, in steps: Kramers' exit time of centralized SGD, and what decentralization divides it by.

Problem: a basin of one dimension that matters, with curvature H_a at its minimum and -H_b at the top of its barrier, both in
``curvatures``; gradient noise of variance r/b along it, independent over nodes and steps.
Algorithm: centralized SGD with batches of m b; D-SGD, whose mean moves in the loss smoothed by the spread of the points
where gradients are evaluated.
Guarantee: LEADING, for barriers of many temperatures eta r/(2 m b), steps that resolve the basin, and a small effect.

>>> import bounds
>>> basin = dict(eta=0.02, m=8, b=1, r=40, barrier=0.25, curvatures=[2, 1])
>>> f'{bounds.get("exit_time_centralized").evaluate(**basin):.6e}'
'3.296911e+04'
>>> ring = dict(eta=0.02, curvatures=[2, 1], spectrum=[1, 1 / 3, 1 / 3, -1 / 3], Q=1)
>>> f'{bounds.get("exit_time_ratio").evaluate(**ring, update_form="consensus"):.6e}'
'8.166865e-01'
>>> f'{bounds.get("exit_time_ratio").evaluate(**ring, update_form="atc"):.6e}'
'9.777512e-01'
"""

from __future__ import annotations

from bounds.assumptions import Condition
from bounds.bound import Bound, Reduction, Source
from bounds.catalogue.common import ALTERNATING, DECENTRALIZED, DOWN, MIXED, SIGNED, UP
from bounds.catalogue.modes import BALANCED, COMMON_NOISE, MIXES, SYMMETRIC
from bounds.formula import Formula, Let
from bounds.vocabulary import Direction, Kind, Quantity, Readout, UpdateForm

_NOISY = "0 < element(r, 1)"
_SUM = "element(curvatures, 1) + element(curvatures, 2)"
_FRESH = "total(l, tail(spectrum), 1/((1-l**Q)*(1+l**Q)))"
_MIXED = "total(l, tail(spectrum), l**(2*Q)/((1-l**Q)*(1+l**Q)))"
_PULL = "total(l, tail(spectrum), row, tail(heterogeneity), {}element(row, 1)**2/(1-l**Q)**2)"
_PULLED = ("heterogeneity", "r")
_PREFACTOR = "2*pi/(eta*sqrt(element(curvatures, 1)*element(curvatures, 2)))"
_UNKNOWN = Direction.UNKNOWN

exit_time_centralized = Bound(
    id="exit_time_centralized",
    title="Exit time of centralized SGD from a basin",
    quantity=Quantity.EXIT_TIME,
    kind=Kind.LEADING,
    update_forms=(UpdateForm.CENTRALIZED,),
    readouts=(Readout.NETWORK_MEAN,),
    formula=Formula(
        ("eta", "b", "m", "r", "barrier", "curvatures"),
        (),
        (
            Let("temperature", "eta*element(r, 1)/(2*m*b)", latex=r"\mathcal{T}"),
            Let("value", f"{_PREFACTOR}*exp(barrier/temperature)"),
        ),
    ),
    conditions=(Condition(_NOISY),),
    properties=(COMMON_NOISE,),
    source=Source(
        "kramers1940",
        "Kramers (1940), for SGD as in Xie, Sato, Sugiyama (2021) (arXiv 2002.03495)",
        "Mean first passage time of the diffusion with drift -eta J' and variance eta^2 r/(m b) a step, by Laplace's method at both ends.",
        "known",
        latex=r"\tau = \frac{2\pi}{\mu\sqrt{H_a |H_b|}}\, e^{\Delta L/T},\quad T = \frac{\mu r}{2 K B}",
    ),
    directions={"eta": DOWN, "b": UP, "m": UP, "r": DOWN, "barrier": UP, "curvatures": DOWN},
    reductions=(Reduction((("m", 1),), "equals", value=f"{_PREFACTOR}*exp(2*b*barrier/(eta*element(r, 1)))"),),
    notes="Until the iterate is well behind the barrier; the first visit of its top takes half as long. r is the variance along the "
    "way out, its first entry if there are several.",
)

exit_time_ratio = Bound(
    id="exit_time_ratio",
    title="Exit time of D-SGD over that of centralized SGD",
    quantity=Quantity.OTHER,
    kind=Kind.LEADING,
    update_forms=DECENTRALIZED,
    readouts=(Readout.NETWORK_MEAN,),
    formula=Formula(
        ("eta", "curvatures", "spectrum", "Q"),
        ("heterogeneity", "b", "r"),
        (
            Let("spread", _MIXED, forms=("atc", "cta"), latex="S"),
            Let("spread", _FRESH, latex="S"),
            Let("pull", _PULL.format("l**(2*Q)*"), forms=("atc", "cta"), given=_PULLED, latex=r"\|Xb\|^2"),
            Let("pull", _PULL.format(""), given=_PULLED, latex=r"\|Xb\|^2"),
            Let("value", f"exp(-eta*({_SUM})*(spread + b*pull/element(r, 1)))", given=_PULLED),
            Let("value", f"exp(-eta*({_SUM})*spread)"),
        ),
        defaults=(("b", 1),),
    ),
    conditions=(MIXES, BALANCED, Condition(_NOISY, given=("heterogeneity",))),
    properties=(COMMON_NOISE, *SYMMETRIC),
    source=Source(
        "derived",
        "escape claim of Cao, Wu, Yuan, Sayed (2024) (arXiv 2406.20006), of which only summaries were read; the formula is derived here",
        "The mean moves in E J(w + delta), delta the spread Xi at the gradient points: the barrier falls by Xi (H_a + H_b)/2, the "
        "temperature stays. Xi by the steady state of the modes with weak curvature.",
        "reconstructed",
        latex=r"\tau_{\mathrm{dec}}/\tau_{\mathrm{cen}} \approx \exp\left[-\Xi (H_a + |H_b|)/(2T)\right]",
    ),
    directions={"eta": DOWN, "curvatures": DOWN, "spectrum": MIXED, "Q": _UNKNOWN, "heterogeneity": _UNKNOWN, "b": DOWN, "r": UP},
    open_questions={"Q": ALTERNATING, "heterogeneity": SIGNED},
    reductions=(Reduction((("Q", 1),), "dominates", value=f"exp(-eta*({_SUM})*total(l, tail(spectrum), 1/(1-l**2)))"),),
    notes="Without heterogeneity independent of the batch. The heterogeneity needs r and counts along the way out, its first "
    "column. Needs an effect below about 1 in the exponent and a spread that forgets faster than the basin relaxes; no exit at "
    "all without noise, however large the heterogeneity.",
)

BOUNDS = (exit_time_centralized, exit_time_ratio)
