"""Differences of excess risks near a minimum (node average, steady state), in closed forms that do not cancel.

Problem: as for the excess risks themselves, without heterogeneity.
Algorithm: the consensus form against ATC, and against CTA, with the same step, batch and graph.
Guarantee: EXACT. Consensus form minus ATC is positive, and to leading order eta^2 (m-1)/(2 m b) sum rho r on every graph;
consensus form minus CTA is negative for eta rho < 2 l/(1+l) on a positive eigenvalue l of W^Q.

>>> import bounds
>>> ring = dict(eta=0.1, b=2, rho=[1.0, 0.5], r=[1.0, 2.0], spectrum=[1, 2 / 3, 2 / 3, 1 / 3], Q=1)
>>> f'{bounds.get("excess_gap_consensus_atc").evaluate(**ring):.6e}'
'3.249620e-03'
>>> f'{bounds.get("excess_gap_consensus_cta").evaluate(**ring):.6e}'
'-2.229789e-04'
"""

from __future__ import annotations

from bounds.assumptions import Condition, Property
from bounds.bound import Bound, Reduction, Source
from bounds.catalogue.common import DOWN, MIXED, UP
from bounds.catalogue.modes import COMMON_HESSIAN, COMMON_NOISE, QUADRATIC, SYMMETRIC, noise_sum, walk
from bounds.formula import Formula, Let
from bounds.vocabulary import Direction, Kind, Quantity, Readout, UpdateForm

_SHARE = "eta**2/(2*size(spectrum)*b)"
_CONSENSUS, _DIFFUSION = walk(UpdateForm.CONSENSUS, "p"), walk(UpdateForm.ATC, "p")
_STABLE = Condition("eta*largest(p, rho, p) < 1 + smallest(l, spectrum, l**Q)")

_OPEN = "never seen to fall, and proved on the complete graph; with eigenvalues of either sign no proof was found in good time"


def _gap(form: UpdateForm, name: str, numerator: str, latex: str, notes: str, directions: dict[str, Direction]) -> Bound:
    denominator = f"((1-{_CONSENSUS})*(1+{_CONSENSUS})*(1-{_DIFFUSION})*(1+{_DIFFUSION}))"
    text = f"{_SHARE}*total(l, tail(spectrum), total(p, rho, v, r, p*v*{numerator}/{denominator}))"
    single = noise_sum(UpdateForm.CONSENSUS, False, "spectrum"), noise_sum(form, form is UpdateForm.ATC, "spectrum")
    return Bound(
        id=f"excess_gap_consensus_{form.value}",
        title=f"Excess risk of the consensus form minus that of {name}, steady state",
        quantity=Quantity.OTHER,
        kind=Kind.EXACT,
        update_forms=(UpdateForm.CONSENSUS,),
        readouts=(Readout.NODE_AVERAGE,),
        formula=Formula(("eta", "b", "rho", "r", "spectrum", "Q"), (), (Let("value", text),)),
        conditions=(_STABLE,),
        properties=(QUADRATIC, COMMON_HESSIAN, COMMON_NOISE, Property("homogeneous"), *SYMMETRIC),
        source=Source(
            "cao2024",
            "the comparison of Cao, Wu, Yuan, Sayed (2024) (arXiv 2406.20006), of which only summaries were read; derived here",
            "Difference of the two steady variances of every mode over their common denominator.",
            "reconstructed",
            latex=latex,
        ),
        directions=directions,
        open_questions={name: _OPEN for name, known in directions.items() if known is Direction.UNKNOWN},
        reductions=(Reduction((("b", 1),), "equals", value=f"eta**2/(2*size(spectrum))*({single[0]} - {single[1]})"),),
        notes=notes,
    )


excess_gap_consensus_atc = _gap(
    UpdateForm.ATC,
    "ATC",
    "(1-l**Q)*((1+l**Q)**2*(1-l**Q) + 2*eta*p*l**(2*Q))",
    r"\mathrm{ER}_{\mathrm{con}} > \mathrm{ER}_{\mathrm{dif}}",
    "Both at the node average, which for both is the gradient point. The leading order is one fresh gradient that was not averaged.",
    {"eta": Direction.UNKNOWN, "b": DOWN, "rho": Direction.UNKNOWN, "r": UP, "spectrum": MIXED, "Q": MIXED},
)

excess_gap_consensus_cta = _gap(
    UpdateForm.CTA,
    "CTA",
    "eta*p*(1-l**Q)*(eta*p*(1+l**Q) - 2*l**Q)",
    r"\mathrm{ER}_{\mathrm{con}} - \mathrm{ER}_{\mathrm{cta}} \ge 0 \quad\text{for}\quad \mu \rho \ge 1",
    "CTA is read before combination here; at the gradient points it equals ATC, and the difference is that to ATC.",
    dict.fromkeys(("eta", "b", "rho", "r", "spectrum", "Q"), MIXED),
)

BOUNDS = (excess_gap_consensus_atc, excess_gap_consensus_cta)
