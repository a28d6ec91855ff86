"""Consensus distance (1/m) sum_k E norm(x_k - xbar)^2 of D-SGD with linear gradients, exactly.

Problem: local gradients curvature (x - x*) + g_k + noise with sum_k g_k = 0: the noise has variance sigma2/b at every node,
the g_k have mean square zeta2 and the same size along every eigenvector of W but the first.
Algorithm: D-SGD with a constant step and Q gossip steps a step, all nodes starting from one point.
Guarantee: EXACT. With T: after T steps. Without T: the steady state.

>>> import bounds
>>> ring = dict(eta=0.1, b=2, sigma2=1, zeta2=0.5)
>>> spectrum = [1, 1 / 3, 1 / 3, -1 / 3]
>>> f'{bounds.get("disagreement_trace").evaluate(**ring, spectrum=spectrum, update_form="consensus"):.6e}'
'1.265625e-02'
>>> f'{bounds.get("disagreement_trace").evaluate(**ring, spectrum=spectrum, T=1):.6e}'
'9.722222e-04'
>>> f'{bounds.get("disagreement_trace_ring").evaluate(**ring, m=4):.6e}'
'1.265625e-02'
"""

from __future__ import annotations

from bounds.assumptions import Condition, Property
from bounds.bound import Bound, Reduction, Source
from bounds.catalogue.common import ALTERNATING, DECENTRALIZED, DOWN, MIXED, UP
from bounds.catalogue.modes import COMMON_HESSIAN, COMMON_NOISE, MIXES, QUADRATIC, SYMMETRIC, walk, weight
from bounds.formula import Formula, Let
from bounds.vocabulary import Direction, Kind, Quantity, Readout, UpdateForm

_REQUIRED = ("eta", "b", "sigma2", "zeta2", "spectrum")
_PROPERTIES = (QUADRATIC, COMMON_HESSIAN, COMMON_NOISE, *SYMMETRIC, Property("isotropic_heterogeneity"), Property("common_start"))
_READOUTS = (Readout.NODE_AVERAGE, Readout.GRADIENT_POINT)
_VALUE = "eta**2*(sigma2/b*noise/size(spectrum) + zeta2*bias/max(size(spectrum)-1, 1))"


def _sums(form: UpdateForm, mixed: bool, readouts: tuple[str, ...] = ()) -> tuple[Let, ...]:
    """Sums over the deviations: of what noise and heterogeneity put into a mode, after T steps or in the end."""
    a, w, forms = walk(form, "h"), weight(mixed), (form.value,)
    modes = "total(l, tail(spectrum), {})"
    return (
        Let("noise", modes.format(f"{w}geometric({a}**2, T)"), ("T",), r"\varphi_T", forms, readouts),
        Let("bias", modes.format(f"{w}geometric({a}, T)**2"), ("T",), r"\psi_T", forms, readouts),
        Let("noise", modes.format(f"{w}1/((1-{a})*(1+{a}))"), (), r"\varphi", forms, readouts),
        Let("bias", modes.format(f"{w}1/(1-{a})**2"), (), r"\psi", forms, readouts),
    )


def _source(derivation: str) -> Source:
    return Source(
        "zhu2023",
        "weight diversity matrix of Zhu, He, Chen, Song, Tao (2023) (arXiv 2306.02913); its size is derived here",
        derivation,
        "known",
        latex=r"\Xi(t) = \frac1m \sum_j (w_j - w_a)(w_j - w_a)^T,\quad \mathrm{Tr}\,\Xi(t)",
    )


disagreement_trace = Bound(
    id="disagreement_trace",
    title="Consensus distance of D-SGD with linear gradients",
    quantity=Quantity.CONSENSUS_DISTANCE,
    kind=Kind.EXACT,
    update_forms=DECENTRALIZED,
    readouts=_READOUTS,
    formula=Formula(
        _REQUIRED,
        ("curvature", "T", "Q"),
        (
            Let("h", "curvature", given=("curvature",), latex="h"),
            Let("h", "0", latex="h"),
            *_sums(UpdateForm.ATC, True),
            *_sums(UpdateForm.CTA, True, ("gradient_point",)),
            *_sums(UpdateForm.CTA, False),
            *_sums(UpdateForm.CONSENSUS, False),
            Let("value", _VALUE),
        ),
        defaults=(("Q", 1),),
    ),
    conditions=(
        Condition("eta*h < 2", forms=("atc", "cta"), absent=("T",)),
        Condition("eta*h < 1 + smallest(l, spectrum, l**Q)", forms=("consensus",), absent=("T",)),
        Condition(MIXES.text, absent=("T",)),
    ),
    properties=_PROPERTIES,
    source=_source("Every mode is a scalar linear recursion from 0: variance eta^2 w^2 s^2 sum a^(2t), mean -eta w g sum a^t."),
    directions={"b": DOWN, "sigma2": UP, "zeta2": UP}
    | dict.fromkeys(("spectrum", "curvature", "T"), MIXED)
    | dict.fromkeys(("eta", "Q"), Direction.UNKNOWN),
    open_questions={
        "eta": "with a curvature the step size also shortens the memory 1 - eta h, and the two effects were not told apart for all T",
        "Q": ALTERNATING,
    },
    reductions=(
        Reduction(
            (("Q", 1),),
            "dominates",
            value="eta**2*total(l, tail(spectrum), l**2*(sigma2/(b*size(spectrum)*(1-l**2)) + zeta2/((size(spectrum)-1)*(1-l)**2)))",
        ),
    ),
    notes="zeta2 is the mean of norm(g_k)^2 over the m nodes, shared by the m - 1 modes of the deviations. Leaving out the "
    "curvature means a flat direction (0). With a Hessian of several eigenvalues, a sum of such terms.",
)

disagreement_trace_ring = Bound(
    id="disagreement_trace_ring",
    title="Consensus distance of the consensus form on a ring, linear gradients",
    quantity=Quantity.CONSENSUS_DISTANCE,
    kind=Kind.EXACT,
    update_forms=(UpdateForm.CONSENSUS,),
    readouts=_READOUTS,
    formula=Formula(
        ("eta", "b", "sigma2", "zeta2", "m"),
        (),
        (
            Let("q", "(sqrt(3)-2)**m", latex="q"),
            Let("noise", "3/(4*m)*((m**2-1)/6 + m/sqrt(3)*(1+q)/(1-q) - 1/3)", latex=r"\varphi"),
            Let("bias", "(m+1)*(m**2+11)/80", latex=r"\psi"),
            Let("value", "eta**2*(sigma2/b*noise + zeta2*bias)"),
        ),
    ),
    conditions=(Condition("3 <= m"),),
    properties=(*_PROPERTIES, Property("ring_of_thirds")),
    source=_source("The sums over the eigenvalues (1 + 2 cos(2 pi k/m))/3, by partial fractions of a cosine."),
    directions={"eta": UP, "b": DOWN, "sigma2": UP, "zeta2": UP, "m": UP},
    reductions=(Reduction((("m", 3),), "equals", value="eta**2*(sigma2/b*2/3 + zeta2)"),),
    notes="Flat directions (curvature 0), one gossip step; grows like m/8 in the noise and m^3/80 in the heterogeneity.",
)

BOUNDS = (disagreement_trace, disagreement_trace_ring)
