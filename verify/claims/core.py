"""The base experiments on scikit-learn's digits as a finite population: paper ``core``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from bounds.vocabulary import Quantity, Readout, UpdateForm
from empirical import Run
from verify.algebra_case import AlgebraCase
from verify.case import Case
from verify.curve_case import CurveCase, Point, Request
from verify.identity_case import IdentityCase

PAPER = "core"
_GEN = (Quantity.GENERALIZATION_ERROR, Readout.NODE_AVERAGE)
_WORST = (Quantity.GENERALIZATION_ERROR, Readout.WORST_NODE)
_STABLE = (Quantity.L1_STABILITY, Readout.NODE_AVERAGE)
_DISTANCE = (Quantity.CONSENSUS_DISTANCE, Readout.GRADIENT_POINT)
_FORMS = (UpdateForm.ATC, UpdateForm.CONSENSUS)

_CONVEX = (
    "For a convex, L-Lipschitz, beta-smooth loss the generalization error of T constant steps is at most 2 L^2 eta T / N for SGD on N "
    "samples and 2 L^2 eta T / (m n) for decentralized SGD, whatever the graph; its l1 on-average stability is at most "
    "2 L eta T / (m n); and only the worst node's bound contains the spectral gap."
)
_CONSENSUS = "The mean-square consensus distance stays below the fixed-point bound in Q, the spectral gap, the noise and the heterogeneity."
_MINIBATCH = (
    "With enough gossip steps decentralized SGD is mini-batch SGD with one sample per node: the same models from the same draws, "
    "and the same generalization bound."
)


@dataclass(frozen=True, slots=True)
class Budget:
    """How many replicates and coupled twins each configuration gets."""

    name: str
    replicates: int
    twins: int


def _base(budget: Budget, seed: int) -> Run:
    return Run(
        problem="softmax-digits",
        update_form=UpdateForm.ATC,
        m=8,
        n=16,
        T=200,
        eta=0.5,
        radius=10.0,
        replicates=budget.replicates,
        twins=budget.twins,
        seed=seed,
    )


def _sweep(base: Run, name: str, values: tuple[float, ...]) -> tuple[Point, ...]:
    if name == "T":
        steps = tuple(int(value) for value in values)
        run = replace(base, T=max(steps), checkpoints=steps)
        return tuple(Point(run, step, float(step)) for step in steps)
    field, whole = ("n" if name == "N" else name), name != "eta"
    changes: list[dict[str, Any]] = [{field: int(value) if whole else value} for value in values]
    runs = [replace(base, **change) for change in changes]
    return tuple(Point(run, run.T, float(value)) for run, value in zip(runs, values, strict=True))


def _convex(case: str, bound_id: str, request: Request, parameter: str, points: tuple[Point, ...], device: str) -> CurveCase:
    centralized = points[0].run.update_form is UpdateForm.CENTRALIZED
    requests = (_GEN,) if centralized else (_GEN, _STABLE, _WORST)
    return CurveCase("core-convex", case, PAPER, _CONVEX, bound_id, *request, parameter, points, requests, device)


def core_convex(budget: Budget, seed: int, device: str) -> list[Case]:
    """Stability and generalization error against n, m, T and eta, by update form; a step too large for the consensus form."""
    base = _base(budget, seed)
    steps = {UpdateForm.ATC: (0.25, 0.5, 1.0, 2.0, 3.0), UpdateForm.CONSENSUS: (0.25, 0.5, 1.0, 1.25)}
    cases: list[Case] = []
    for form in _FORMS:
        run = replace(base, update_form=form)
        sweeps = {"n": (8, 16, 32, 64), "m": (4, 8, 16, 32), "T": (25, 50, 100, 200, 400), "eta": steps[form]}
        for name, values in sweeps.items():
            points = _sweep(run, name, values)
            cases.append(_convex(f"{form.value}-generalization-{name}", "dsgd_convex", _GEN, name, points, device))
            cases.append(_convex(f"{form.value}-stability-{name}", "l1_stability_convex", _STABLE, name, points, device))
    large = _sweep(replace(base, update_form=UpdateForm.CONSENSUS), "eta", (2.0, 4.0))
    cases.append(_convex("consensus-generalization-large-eta", "dsgd_convex", _GEN, "eta", large, device))
    for name, values in {"T": (25, 50, 100, 200, 400), "m": (4, 8, 16, 32)}.items():
        points = _sweep(base, name, values)
        cases.append(_convex(f"atc-worst-node-{name}", "dsgd_worst_node_convex", _WORST, name, points, device))
    alone = replace(base, update_form=UpdateForm.CENTRALIZED, m=1, n=128, twins=0)
    for name, values in {"N": (32, 64, 128, 256), "T": (25, 50, 100, 200, 400), "eta": steps[UpdateForm.ATC]}.items():
        points = _sweep(alone, name, values)
        cases.append(_convex(f"centralized-generalization-{name}", "hardt2016_convex", _GEN, name, points, device))
    return cases


def core_consensus(budget: Budget, seed: int, device: str) -> list[Case]:
    """Consensus distance against Q for ATC and the consensus form, on two graphs, with different or the same data at all nodes."""
    base = replace(_base(budget, seed), m=16, n=32, eta=0.1, twins=0)
    cases: list[Case] = []
    for form in _FORMS:
        for topology in ("ring", "torus"):
            own = replace(base, update_form=form, topology=topology)
            for run, word in ((own, "own-data"), (replace(own, data="shared"), "shared-data")):
                points = _sweep(run, "Q", (1, 2, 4, 8, 16))
                case = f"{form.value}-{topology}-{word}"
                bound_id = f"consensus_distance_{form.value}"
                cases.append(CurveCase("core-consensus", case, PAPER, _CONSENSUS, bound_id, *_DISTANCE, "Q", points, (_DISTANCE,), device))
    return cases


def core_atc_minibatch(budget: Budget, seed: int, device: str) -> list[Case]:
    """ATC and the consensus form against mini-batch SGD on the same draws, as Q grows; and their bounds as expressions."""
    base = replace(_base(budget, seed), twins=0, replicates=max(10, budget.replicates // 10), topology="ring")
    other = replace(base, update_form=UpdateForm.CENTRALIZED, sampling="stratified")
    gossip = (1, 4, 16, 64, 256)
    cases: list[Case] = []
    for form in _FORMS:
        runs = tuple(replace(base, update_form=form, Q=Q) for Q in gossip)
        case = f"{form.value}-ring"
        cases.append(
            IdentityCase("core-atc-minibatch", case, PAPER, _MINIBATCH, runs, other, "Q", tuple(map(float, gossip)), device=device)
        )
    arguments = (("L", "L"), ("eta", "eta"), ("T", "T"), ("N", "m*n"))
    cases.append(
        AlgebraCase(
            "core-atc-minibatch", "atc-bounds", PAPER, _MINIBATCH, "dsgd_convex", "hardt2016_convex", arguments, "atc", "node_average"
        )
    )
    return cases


CLAIMS = {"core-convex": core_convex, "core-consensus": core_consensus, "core-atc-minibatch": core_atc_minibatch}
