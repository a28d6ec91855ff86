"""The base experiments on scikit-learn's digits as a finite population: paper ``core``."""

from __future__ import annotations

from collections.abc import Mapping
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
_DISTANCE = (Quantity.CONSENSUS_DISTANCE, Readout.NODE_AVERAGE)
_DECENTRALIZED = (UpdateForm.ATC, UpdateForm.CTA, UpdateForm.CONSENSUS)

_CONVEX = (
    "For a convex, L-Lipschitz, beta-smooth loss the generalization error of T constant steps is at most 2 L^2 eta T / N for SGD on N "
    "samples and 2 L^2 eta T / (m n) for decentralized SGD, whatever the graph; its l1 on-average stability is at most "
    "2 L eta T / (m n); and only the worst node's bound contains the spectral gap."
)
_STRONG = (
    "For a mu-strongly convex loss the generalization error of projected SGD is at most 2 L^2 / (mu N), and that of decentralized SGD at "
    "most 2 L^2 / (mu m n) however long it runs; its l1 on-average stability is at most 2 L / (mu m n)."
)
_NONCONVEX = (
    "For a smooth non-convex loss in [0, M] and steps c/t the generalization error is at most the least, over t0, of M t0 / n plus "
    "(2 L^2 / (beta m n)) (prod_{t > t0} (1 + beta c / t) - 1), for every update form and every graph."
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


def base_run(budget: Budget, seed: int, problem: str, **change: Any) -> Run:
    """The run that the base experiments start from, with some of its fields changed."""
    common = {"m": 8, "n": 16, "T": 200, "radius": 10.0, "replicates": budget.replicates, "twins": budget.twins, "seed": seed}
    return Run(problem=problem, update_form=UpdateForm.ATC, **(common | change))


def alone(base: Run) -> Run:
    """Centralized SGD with as many samples as all nodes of ``base`` have together."""
    return replace(base, update_form=UpdateForm.CENTRALIZED, m=1, n=base.m * base.n, twins=0)


def sweep(base: Run, name: str, values: tuple[float, ...]) -> tuple[Point, ...]:
    """The points of a curve along one parameter; steps are checkpoints of one run."""
    if name == "T":
        steps = tuple(int(value) for value in values)
        run = replace(base, T=max(steps), checkpoints=steps)
        return tuple(Point(run, step, float(step)) for step in steps)
    field, whole = ("n" if name == "N" else name), name not in ("eta", "c", "tau")
    changes: list[dict[str, Any]] = [{field: int(value) if whole else value} for value in values]
    runs = [replace(base, **change) for change in changes]
    return tuple(Point(run, run.T, float(value)) for run, value in zip(runs, values, strict=True))


@dataclass(frozen=True, slots=True)
class _Stability:
    """Builds the cases of one stability claim; every run of a claim measures the same, so that its cases share runs."""

    claim: str
    statement: str
    device: str

    def case(self, name: str, bound_id: str, request: Request, parameter: str, points: tuple[Point, ...], trajectory: bool = False) -> Case:
        centralized = points[0].run.update_form is UpdateForm.CENTRALIZED
        requests = (_GEN,) if centralized else (_GEN, _STABLE, _WORST)
        return CurveCase(
            self.claim, name, PAPER, self.statement, bound_id, *request, parameter, points, requests, self.device, trajectory=trajectory
        )

    def both(self, run: Run, prefix: str, family: str, parameter: str, values: tuple[float, ...], trajectory: bool = False) -> list[Case]:
        """Generalization error and l1 stability of ``run`` along one parameter against the bounds of one family."""
        points = sweep(run, parameter, values)
        return [
            self.case(f"{prefix}-generalization-{parameter}", f"dsgd_{family}", _GEN, parameter, points, trajectory),
            self.case(f"{prefix}-stability-{parameter}", f"l1_stability_{family}", _STABLE, parameter, points),
        ]

    def centralized(self, run: Run, prefix: str, family: str, sweeps: Mapping[str, tuple[float, ...]]) -> list[Case]:
        """Generalization error of centralized SGD along several parameters."""
        return [
            self.case(f"{prefix}-generalization-{name}", f"hardt2016_{family}", _GEN, name, sweep(run, name, values))
            for name, values in sweeps.items()
        ]


def core_convex(budget: Budget, seed: int, device: str) -> list[Case]:
    """Stability and generalization error against n, m, T and eta, by update form; a step too large for the consensus form."""
    base, build = base_run(budget, seed, "softmax-digits", eta=0.5), _Stability("core-convex", _CONVEX, device)
    steps = dict.fromkeys(UpdateForm, (0.25, 0.5, 1.0, 2.0, 3.0)) | {UpdateForm.CONSENSUS: (0.25, 0.5, 1.0, 1.25)}
    lengths = (25, 50, 100, 200, 400)
    cases: list[Case] = []
    for form in _DECENTRALIZED:
        run = replace(base, update_form=form)
        cases += build.both(run, form.value, "convex", "n", (8, 16, 32, 64))
        cases += build.both(run, form.value, "convex", "T", lengths, trajectory=True)
        if form is not UpdateForm.CTA:
            cases += build.both(run, form.value, "convex", "m", (4, 8, 16, 32))
            cases += build.both(run, form.value, "convex", "eta", steps[form])
    large = sweep(replace(base, update_form=UpdateForm.CONSENSUS), "eta", (2.0, 4.0))
    cases.append(build.case("consensus-generalization-large-eta", "dsgd_convex", _GEN, "eta", large))
    for name, values in {"T": lengths, "m": (4, 8, 16, 32)}.items():
        cases.append(build.case(f"atc-worst-node-{name}", "dsgd_worst_node_convex", _WORST, name, sweep(base, name, values)))
    sweeps = {"N": (32, 64, 128, 256), "T": lengths, "eta": steps[UpdateForm.ATC]}
    return cases + build.centralized(alone(base), "centralized", "convex", sweeps)


def core_strongly_convex(budget: Budget, seed: int, device: str) -> list[Case]:
    """Penalised softmax regression, projected: generalization error and stability against T and n, by update form."""
    base = base_run(budget, seed, "softmax-l2-digits", eta=0.5, radius=5.0)
    build = _Stability("core-strongly-convex", _STRONG, device)
    lengths, cases = (25, 50, 100, 200, 400), list[Case]()
    for form in _DECENTRALIZED:
        run = replace(base, update_form=form)
        cases += build.both(run, form.value, "strongly_convex", "T", lengths)
        if form is UpdateForm.ATC:
            cases += build.both(run, form.value, "strongly_convex", "n", (8, 16, 32, 64))
    return cases + build.centralized(alone(base), "centralized", "strongly_convex", {"T": lengths})


def core_nonconvex(budget: Budget, seed: int, device: str) -> list[Case]:
    """The sigmoid loss and a two-layer tanh network with steps c/(t+tau), by update form; also with the first t0 steps excluded."""
    build, lengths = _Stability("core-nonconvex", _NONCONVEX, device), (25, 50, 100, 200, 400)
    cases: list[Case] = []
    for problem, word, c in (("sigmoid-digits", "sigmoid", 4.0), ("network-digits", "network", 3.0)):
        base = base_run(budget, seed, problem, c=c)
        forms = _DECENTRALIZED if word == "sigmoid" else (UpdateForm.ATC,)
        for form in forms:
            cases += build.both(replace(base, update_form=form), f"{word}-{form.value}", "nonconvex", "T", lengths)
        if word == "sigmoid":
            for name, values in {"n": (8, 16, 32, 64), "m": (4, 8, 16, 32), "c": (1.0, 2.0, 4.0, 8.0), "tau": (0.0, 1.0, 10.0)}.items():
                cases += build.both(base, f"{word}-atc", "nonconvex", name, values)
            late = sweep(replace(base, t0=5), "T", lengths)
            cases.append(build.case("sigmoid-atc-stability-after-t0", "l1_stability_nonconvex", _STABLE, "T", late))
        cases += build.centralized(alone(base), f"{word}-centralized", "nonconvex", {"T": lengths})
    return cases


def core_consensus(budget: Budget, seed: int, device: str) -> list[Case]:
    """Consensus distance against Q for each update form, on two graphs, with different or the same data at all nodes."""
    base = replace(base_run(budget, seed, "softmax-digits", eta=0.1), m=16, n=32, twins=0)
    cases: list[Case] = []
    for form in _DECENTRALIZED:
        for topology in ("ring", "torus"):
            own = replace(base, update_form=form, topology=topology)
            for run, word in ((own, "own-data"), (replace(own, data="shared"), "shared-data")):
                points = sweep(run, "Q", (1, 2, 4, 8, 16))
                case = f"{form.value}-{topology}-{word}"
                bound_id = f"consensus_distance_{form.value}"
                cases.append(CurveCase("core-consensus", case, PAPER, _CONSENSUS, bound_id, *_DISTANCE, "Q", points, (_DISTANCE,), device))
    return cases


def core_atc_minibatch(budget: Budget, seed: int, device: str) -> list[Case]:
    """ATC and the consensus form against mini-batch SGD on the same draws, as Q grows; and their bounds as expressions."""
    base = replace(base_run(budget, seed, "softmax-digits", eta=0.5), twins=0, replicates=max(10, budget.replicates // 10))
    other = replace(base, update_form=UpdateForm.CENTRALIZED, sampling="stratified")
    gossip = (1, 4, 16, 64, 256)
    cases: list[Case] = []
    for form in (UpdateForm.ATC, UpdateForm.CONSENSUS):
        runs = tuple(replace(base, update_form=form, Q=Q) for Q in gossip)
        x, case = tuple(map(float, gossip)), f"{form.value}-ring"
        cases.append(IdentityCase("core-atc-minibatch", case, PAPER, _MINIBATCH, runs, other, "Q", x, device=device))
    same = (("L", "L"), ("eta", "eta"), ("T", "T"), ("N", "m*n"))
    bounds = ("dsgd_convex", "hardt2016_convex")
    return [*cases, AlgebraCase("core-atc-minibatch", "atc-bounds", PAPER, _MINIBATCH, *bounds, same, "atc", "node_average")]


CLAIMS = {
    "core-convex": core_convex,
    "core-strongly-convex": core_strongly_convex,
    "core-nonconvex": core_nonconvex,
    "core-consensus": core_consensus,
    "core-atc-minibatch": core_atc_minibatch,
}
