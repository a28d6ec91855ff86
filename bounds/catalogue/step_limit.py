"""Largest stable constant step on quadratics, by update form.

Problem: quadratic local losses with one Hessian, largest eigenvalue rho_max (the edge of stability: curvature).
Algorithm: centralized SGD, ATC, CTA or the consensus form with Q gossip steps a step.
Guarantee: EXACT. The moments converge for every step below the limit and for none above it.

Every third of the model comes from one neighbour on a ring of four: the consensus form has a third of the room.

>>> import bounds
>>> ring = dict(spectrum=[1, 1 / 3, 1 / 3, -1 / 3], Q=1)
>>> f'{bounds.get("step_limit_centralized").evaluate(rho_max=2):.6e}'
'1.000000e+00'
>>> f'{bounds.get("step_limit_atc").evaluate(rho_max=2):.6e}'
'1.000000e+00'
>>> f'{bounds.get("step_limit_cta").evaluate(rho_max=2):.6e}'
'1.000000e+00'
>>> f'{bounds.get("step_limit_consensus").evaluate(rho_max=2, **ring):.6e}'
'3.333333e-01'
>>> f'{bounds.get("edge_of_stability").evaluate(curvature=2, **ring):.6e}'
'3.333333e-01'
>>> f'{bounds.get("edge_of_stability").evaluate(curvature=2, **ring, update_form="atc"):.6e}'
'1.000000e+00'
"""

from __future__ import annotations

from bounds.assumptions import Condition
from bounds.bound import Bound, Reduction, Source
from bounds.catalogue.common import DOWN, FLAT, MIXED
from bounds.catalogue.modes import COMMON_HESSIAN, QUADRATIC, READOUTS, SYMMETRIC
from bounds.formula import Formula, Let
from bounds.vocabulary import Kind, Quantity, Readout, UpdateForm

_EDGE = "(1 + smallest(l, spectrum, l**Q))"
#: Not the network mean: with one Hessian it does not see the deviations from it, and is stable up to 2/rho_max.
_WITH_DEVIATIONS = (Readout.NODE_AVERAGE, Readout.GRADIENT_POINT)


def _source(derivation: str, latex: str) -> Source:
    return Source(
        "derived", "spectral radius of the linear recursion; classical for decentralized gradient descent", derivation, "known", latex
    )


def _diffusion(form: UpdateForm, name: str, reduction: Reduction, notes: str) -> Bound:
    return Bound(
        id=f"step_limit_{form.value}",
        title=f"Largest stable step of {name} on quadratics",
        quantity=Quantity.STEP_LIMIT,
        kind=Kind.EXACT,
        update_forms=(form,),
        readouts=READOUTS,
        formula=Formula(("rho_max",), ("spectrum", "Q"), (Let("value", "2/rho_max"),)),
        properties=(QUADRATIC,) if form is UpdateForm.CENTRALIZED else (QUADRATIC, COMMON_HESSIAN, *SYMMETRIC),
        source=_source("Every mode is multiplied by l^Q (1 - eta rho), and the mean's has l = 1.", r"\mu < 2/\rho_{\max}"),
        directions={"rho_max": DOWN, "spectrum": FLAT, "Q": FLAT},
        reductions=(reduction,),
        notes=notes,
    )


step_limit_centralized = _diffusion(
    UpdateForm.CENTRALIZED,
    "centralized SGD",
    Reduction((("Q", 1),), "dominates", to="step_limit_consensus"),
    "The graph does not matter. With unequal Hessians rho_max is the largest eigenvalue of their mean.",
)

step_limit_atc = _diffusion(
    UpdateForm.ATC,
    "ATC",
    Reduction((("Q", 1),), "equals", to="step_limit_centralized"),
    "The graph does not matter. With unequal Hessians a step below 2 over the largest eigenvalue of any of them is enough.",
)

step_limit_cta = _diffusion(
    UpdateForm.CTA,
    "CTA",
    Reduction((("Q", 1),), "equals", to="step_limit_atc"),
    "The same as for ATC, whose factors come in the other order.",
)

step_limit_consensus = Bound(
    id="step_limit_consensus",
    title="Largest stable step of the consensus form on quadratics",
    quantity=Quantity.STEP_LIMIT,
    kind=Kind.EXACT,
    update_forms=(UpdateForm.CONSENSUS,),
    readouts=_WITH_DEVIATIONS,
    formula=Formula(("rho_max", "spectrum", "Q"), (), (Let("value", _EDGE + "/rho_max"),)),
    properties=(QUADRATIC, COMMON_HESSIAN, *SYMMETRIC),
    source=_source("Every mode is multiplied by l^Q - eta rho.", r"\mu < (1+\lambda_{\min}(A))/\rho_{\max}"),
    directions={"rho_max": DOWN, "spectrum": MIXED, "Q": MIXED},
    reductions=(
        Reduction((("Q", 1),), "equals", value="(1 + element(spectrum, size(spectrum)))/rho_max"),
        Reduction((("Q", 2),), "dominates", value="1/rho_max"),
    ),
    notes="0 (no step is stable) where the graph is bipartite without weight on the own model and Q is odd. With unequal Hessians "
    "the largest eigenvalue of any of them gives a step that is enough.",
)

edge_of_stability = Bound(
    id="edge_of_stability",
    title="Curvature times step at which full-batch D-SGD loses stability, as a step limit",
    quantity=Quantity.STEP_LIMIT,
    kind=Kind.EXACT,
    update_forms=(UpdateForm.CONSENSUS, UpdateForm.ATC),
    readouts=_WITH_DEVIATIONS,
    formula=Formula(
        ("curvature", "spectrum", "Q"),
        (),
        (Let("value", _EDGE + "/curvature", forms=("consensus",)), Let("value", "2/curvature")),
    ),
    conditions=(Condition("0 < curvature"),),
    properties=(QUADRATIC, COMMON_HESSIAN, *SYMMETRIC),
    source=_source(
        "The deviations from the mean obey delta <- (l^Q - eta h) delta in the consensus form, l^Q (1 - eta h) delta in ATC.",
        r"\eta \lambda_{\max}(H) < 1 + \lambda_{\min}(P)",
    ),
    directions={"curvature": DOWN, "spectrum": MIXED, "Q": MIXED},
    reductions=(Reduction((("Q", 1),), "dominates", to="step_limit_consensus", arguments=(("rho_max", "curvature"),)),),
    notes="The curvature is the largest eigenvalue of the Hessian where the nodes are. Full-batch training whose curvature grows is "
    "held at this edge: by the smallest eigenvalue of W^Q in the consensus form, not by the spectral gap.",
)

BOUNDS = (step_limit_centralized, step_limit_atc, step_limit_cta, step_limit_consensus, edge_of_stability)
