"""What Li et al. (2025) say of each factor: samples, nodes, topology, learning rate, heterogeneity and steps, by bound and by run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bounds.symbols import Domain, Symbol, symbol
from empirical import Run
from verify.case import Case
from verify.claims.core import Budget, sweep
from verify.claims.images import absent
from verify.claims.multigossip.certified import Claimed, Rows, directions
from verify.claims.multigossip.common import GENERALIZATION, PAPER, STABILITY, Build
from verify.claims.multigossip.moves import course_case
from verify.claims.multigossip.settings import model, problems, run
from verify.curve_case import Point, Request
from verify.finding_case import ExactCase, Heading, RunsCase

_BOTH = (GENERALIZATION, STABILITY)
_NAMES = {GENERALIZATION: "generalization", STABILITY: "stability"}
_ALPHA = Symbol("alpha", r"\alpha", "Dirichlet parameter of the nodes' class proportions", "-", Domain(0, low_open=True))
_ALIKE = Symbol("alike", "a", "0: the labels are dealt out to the nodes in order, 1: every node draws from all of them", "-", Domain(0, 1))
_GRAPHS = ("ring", "torus", "exponential", "complete")

#: The bounds of the generalization error that the sentences are read against: for constant steps, c/t, and the paper's shape.
_L1 = ("dsgd_convex", "dsgd_nonconvex", "mgs_generalization_stated")
_OPTIMIZATION = ("mgs_stationarity", "mgs_pl", "mgs_convex")


def rows(bound_ids: Sequence[str], parameter: str) -> Rows:
    """The same parameter in several bounds."""
    return tuple((bound_id, parameter) for bound_id in bound_ids)


@dataclass(frozen=True)
class Measured:
    """One sweep: its cases are called ``<problem>-<quantity><suffix>``; ``images``: also on images where there are any."""

    suffix: str
    parameter: Symbol
    claimed: Claimed
    points: Callable[[Budget, int, str], tuple[Point, ...]]
    note: str = ""
    images: bool = True


@dataclass(frozen=True)
class Certified:
    """One set of bounds whose direction in a parameter is proved or refuted."""

    case: str
    rows: Rows
    claimed: Claimed
    total: bool = False
    words: str = ""


@dataclass(frozen=True)
class Factor:
    """One sentence: the bounds and the sweeps that decide it."""

    claim: str
    name: str
    statement: str
    certified: tuple[Certified, ...]
    measured: tuple[Measured, ...]

    def cases(self, budget: Budget, seed: int, device: str) -> list[Case]:
        """The certified directions, then every sweep on every problem, generalization error and l1 stability."""
        cases = [*self.certified_cases(), *self.measured_cases(budget, seed, device)]
        return cases + absent(self.claim, PAPER, self.statement, budget)

    def certified_cases(self) -> list[ExactCase]:
        """One case for each set of bounds."""
        return [
            ExactCase(
                Heading(self.claim, one.case, PAPER, self.statement, "any", "node_average"),
                directions,
                (one.rows, one.claimed, one.total, one.words),
                cost=1e6,
            )
            for one in self.certified
        ]

    def measured_cases(self, budget: Budget, seed: int, device: str) -> list[RunsCase]:
        """One case for each sweep, problem and quantity."""
        return [
            self._course(one, problem, request, one.points(budget, seed, problem), device)
            for one in self.measured
            for problem in problems(budget, one.images)
            for request in _BOTH
        ]

    def _course(self, one: Measured, problem: str, request: Request, points: tuple[Point, ...], device: str) -> RunsCase:
        case = f"{model(problem)}-{_NAMES[request]}{one.suffix}"
        bound_id = line(points[0].run, request)
        return course_case(self.claim, case, self.statement, points, one.parameter, request, _BOTH, one.claimed, bound_id, device, one.note)


def line(one: Run, request: Request) -> str:
    """The bound that is drawn beside a measured curve."""
    steps = "convex" if one.eta is not None else "nonconvex"
    return f"{'dsgd' if request == GENERALIZATION else 'l1_stability'}_{steps}"


def _along(name: str, values: tuple[float, ...]) -> Callable[[Budget, int, str], tuple[Point, ...]]:
    return lambda budget, seed, problem: sweep(run(budget, seed, problem), name, values)


def _rates(budget: Budget, seed: int, problem: str) -> tuple[Point, ...]:
    base = run(budget, seed, problem)
    if base.eta is not None:
        return tuple(replace(point, x=point.x / base.eta) for point in sweep(base, "eta", tuple(base.eta * f for f in (0.25, 0.5, 1, 2))))
    assert base.c is not None
    return tuple(replace(point, x=point.x / base.c) for point in sweep(base, "c", tuple(base.c * f for f in (0.1, 0.3, 1, 3))))


def _lengths(budget: Budget, seed: int, problem: str) -> tuple[Point, ...]:
    base = run(budget, seed, problem)
    return sweep(base, "T", tuple(base.T * f for f in (0.25, 0.5, 1, 2)))


def _fixed_total(budget: Budget, seed: int, problem: str) -> tuple[Point, ...]:
    """All sizes split the same N samples: runs of one seed share them, replicate by replicate."""
    base = run(budget, seed, problem, scale=2)
    runs = [replace(base, m=m, n=base.m * base.n // m) for m in (4, 8, 16, 32)]
    return tuple(Point(one, one.T, float(one.m)) for one in runs)


def _graphs(budget: Budget, seed: int, problem: str) -> tuple[Point, ...]:
    """Graphs on 16 nodes by their spectral gap."""
    base = run(budget, seed, problem, m=16, n=8)
    points = [Point(one, one.T, one.mixing().network(1).gap) for one in (replace(base, topology=name) for name in _GRAPHS)]
    return tuple(sorted(points, key=lambda point: point.x))


def _dirichlet(budget: Budget, seed: int, problem: str) -> tuple[Point, ...]:
    base = run(budget, seed, problem)
    alphas = (0.1, 0.5, 2.0, 100.0)
    return tuple(Point(replace(base, split="dirichlet", dirichlet_alpha=alpha), base.T, alpha) for alpha in alphas)


def _skew(budget: Budget, seed: int, problem: str) -> tuple[Point, ...]:
    base = run(budget, seed, problem)
    return Point(replace(base, split="label_skew"), base.T, 0.0), Point(base, base.T, 1.0)


_UNEVEN = "A small alpha also makes the classes of all nodes together less even; the label-skew cases keep them as they are."
_EVEN = (
    "All nodes together draw from the whole population either way. A node of few classes replaces a sample by one that is more like it, "
    "which moves the model less."
)
_FACTOR = Symbol("rate", "f", "learning rate as a multiple of the base experiment's", "-", Domain(0, low_open=True))

FACTORS = (
    Factor(
        "li2025-learning-rate",
        "learning rate",
        "A smaller learning rate (a smaller c of the steps c/t) makes the model generalize better.",
        (Certified("bound", (("dsgd_convex", "eta"), *rows((*_L1[1:], "mgs_generalization"), "c")), "increasing"),),
        (Measured("", _FACTOR, "increasing", _rates),),
    ),
    Factor(
        "li2025-samples",
        "samples per node",
        "More samples per node make the model generalize better.",
        (Certified("bound", rows((*_L1, "mgs_generalization"), "n"), "decreasing"),),
        (Measured("", symbol("n"), "decreasing", _along("n", (8, 16, 32, 64))),),
    ),
    Factor(
        "li2025-nodes",
        "nodes",
        "More nodes make the model generalize better.",
        (
            Certified("bound-fixed-n", rows((*_L1, "mgs_generalization"), "m"), "decreasing"),
            Certified(
                "bound-fixed-total",
                rows(_L1, "m"),
                "decreasing",
                total=True,
                words="With all samples dealt out to more nodes no bound improves, and the paper's shape grows like "
                "m^((2 beta c + 1)/(2 beta c + 2)): the sentence is about more data, not about more nodes.",
            ),
        ),
        (
            Measured("-fixed-n", symbol("m"), "decreasing", _along("m", (4, 8, 16, 32))),
            Measured("-fixed-total", symbol("m"), "decreasing", _fixed_total, images=False),
        ),
    ),
    Factor(
        "li2025-topology",
        "topology",
        "A better connected topology (a larger spectral gap) makes the model generalize better.",
        (
            Certified(
                "bound-l1",
                rows(("l1_stability_convex", "l1_stability_nonconvex", *_L1), "gap"),
                "decreasing",
                words="The gap drops out because W is doubly stochastic; the shape stated in the paper's abstract does not contain it either.",
            ),
            Certified("bound-l2", rows(("mgs_generalization", "l2_stability_atc_gap"), "gap"), "decreasing"),
            Certified("bound-worst-node", rows(("dsgd_worst_node_convex", "dsgd_worst_node_convex_consensus"), "gap"), "decreasing"),
            Certified("bound-optimization-part", rows(_OPTIMIZATION, "gap"), "decreasing"),
        ),
        (Measured("", symbol("gap"), "decreasing", _graphs),),
    ),
    Factor(
        "li2025-heterogeneity",
        "heterogeneity",
        "Less heterogeneous data make the model generalize better.",
        (
            Certified(
                "bound-generalization",
                rows((*_L1, "mgs_generalization", "l1_stability_convex", "l1_stability_nonconvex", "l2_stability_atc_gap"), "zeta2"),
                "increasing",
                words="Stability compares two runs on data of the same nodes, so how nodes differ never enters.",
            ),
            Certified("bound-optimization-part", rows(_OPTIMIZATION, "zeta2"), "increasing"),
        ),
        (
            Measured("-dirichlet", _ALPHA, "decreasing", _dirichlet, _UNEVEN, images=False),
            Measured("-label-skew", _ALIKE, "decreasing", _skew, _EVEN),
        ),
    ),
    Factor(
        "li2025-horizon",
        "steps",
        "Fewer steps make the model generalize better.",
        (Certified("bound", rows(_L1, "T"), "increasing"),),
        (Measured("", symbol("T"), "increasing", _lengths),),
    ),
)


CLAIMS: dict[str, Build] = {factor.claim: factor.cases for factor in FACTORS}
