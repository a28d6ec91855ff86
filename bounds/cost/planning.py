"""The cheapest way to a target: for each graph the gossip steps, the batch and the learning rate with the least time by a bound.

The time is T (compute(b) + Q gossip(degree)): T the smallest number of steps for which ``calibrate`` finds a learning rate that meets the
target, compute(b) the seconds of a step on a batch of b, gossip the seconds of a gossip step (see :mod:`bounds.cost.link`). It is the time
until the *bound* is at most the target: a guarantee, and no forecast of the run, which may be there long before.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from bounds.bound import Bound
from bounds.calibration import Calibration, solve
from bounds.cost.link import Link, busiest_degree
from bounds.errors import DomainError, MissingParameterError, TopologyError, UnknownParameterError
from bounds.vocabulary import Direction

if TYPE_CHECKING:
    from bounds.topology import MixingMatrix, Spectrum

#: The graphs that :func:`plans` tries when none are given.
GRAPHS = ("ring", "torus", "hypercube", "exponential", "complete")
#: The local batches that :func:`plans` tries when none are given.
BATCHES = (1, 2, 4, 8, 16, 32, 64)
#: No choice of Q and b that was not tried is faster by more than this.
SLACK = 0.02
_SET_HERE = ("gap", "Q", "T")
_KNOWN = {"doubly_stochastic": True, "nonnegative": True}


@dataclass(frozen=True, slots=True)
class Workload:
    """What a node does in a step.

    Args:
        message: bytes of the model that it sends to a neighbour. step_seconds: seconds of a step whatever the batch.
        sample_seconds: seconds for each sample of the batch.

    Raises:
        DomainError: for negative numbers, or a step that takes no time at all.
    """

    message: int
    step_seconds: float
    sample_seconds: float = 0.0

    def __post_init__(self) -> None:
        for name in ("message", "step_seconds", "sample_seconds"):
            if not 0 <= getattr(self, name) < math.inf:
                raise DomainError(f"got {name}={getattr(self, name)!r}; it is a finite number >= 0")
        if self.step_seconds + self.sample_seconds == 0:
            raise DomainError("got step_seconds=0 and sample_seconds=0; a step takes some time: measure it and give one of them")

    def seconds(self, b: int) -> float:
        """Seconds of computing in one step on a batch of ``b``."""
        return self.step_seconds + b * self.sample_seconds


@dataclass(frozen=True, slots=True)
class Plan:
    """The cheapest choice on one graph.

    Attributes:
        status: "found"; "impossible" where no choice meets the target, ``reason`` says why; "undecided" where the search cannot tell.
        degree: messages that the busiest node sends in a gossip step. gap: the graph's spectral gap.
        Q, b, rate, T: gossip steps, local batch, learning rate (the factor c of a decaying one) and steps.
        step_seconds, step_bytes: of one training step, bytes being what the busiest node sends. seconds, bytes: of all T.
        achieved: the bound there.
    """

    topology: str
    status: str
    degree: int | None = None
    gap: float | None = None
    Q: int | None = None
    b: int | None = None
    rate: float | None = None
    T: int | None = None
    step_seconds: float | None = None
    seconds: float | None = None
    step_bytes: int | None = None
    bytes: int | None = None
    achieved: float | None = None
    reason: str = ""

    def row(self) -> dict[str, Any]:
        """The JSON object of this plan."""
        return asdict(self)


@dataclass
class _Search:
    """Calibrations of one bound at several gaps, gossip steps and batches, each done once."""

    bound: Bound
    target: float
    values: Mapping[str, Any]
    words: tuple[str | None, str | None]
    link: Link
    work: Workload
    batches: Sequence[int]
    most: int
    done: dict[tuple[float, int, int, bool], Calibration] = field(default_factory=dict)

    @property
    def rate(self) -> str:
        return "eta" if "eta" in self.bound.formula.parameters else "c"

    def solve(self, gap: float, Q: int, b: int, symmetric: bool) -> Calibration:
        key = (gap, Q, b, symmetric)
        if key not in self.done:
            self.done[key] = self._solve(gap, Q, b, _KNOWN | {"symmetric": symmetric})
        return self.done[key]

    def _solve(self, gap: float, Q: int, b: int, facts: Mapping[str, Any]) -> Calibration:
        batch = {"b": b} if "b" in self.bound.formula.parameters else {}
        return solve(self.bound, (self.rate, "T"), self.target, {**self.values, **batch, "gap": gap, "Q": Q}, *self.words, facts)

    def at_best(self, b: int) -> Calibration:
        """With perfect gossip, which no graph and no Q beats."""
        return self.solve(1.0, 1, b, True)

    def falls(self, name: str) -> bool:
        return self.bound.directions.get(name) in (Direction.DECREASING, Direction.CONSTANT)


def plans(
    bound: Bound,
    graphs: Sequence[str | MixingMatrix] = GRAPHS,
    *,
    target: float,
    m: int,
    link: Link,
    work: Workload,
    batches: Sequence[int] = BATCHES,
    most: int = 64,
    update_form: str | None = None,
    readout: str | None = None,
    **values: Any,
) -> list[Plan]:
    """For each graph of ``m`` nodes the Q <= ``most``, b in ``batches`` and learning rate with the least time to the target.

    What the bound says at a larger Q or b holds from above at smaller ones where it is declared to fall with them, so that
    most choices need no calibration; an answer is within :data:`SLACK` of the best one.

    Args:
        values: the bound's other parameters, without gap, Q, b, T and the learning rate.

    Returns:
        The fastest first; graphs that do not exist for m, or on which nothing meets the target, last.

    Raises:
        UnknownNameError, UnknownParameterError, MissingParameterError, DomainError: for names or values that are unknown, missing or set here.
    """
    search = _search(bound, target, {**values, "m": m}, (update_form, readout), link, work, batches, most)
    found = [_on(search, graph, m) for graph in graphs]
    return sorted(found, key=lambda one: math.inf if one.seconds is None else one.seconds)


def _on(search: _Search, graph: str | MixingMatrix, m: int) -> Plan:
    from bounds.topology import structured

    try:
        matrix = structured(graph, m) if isinstance(graph, str) else graph
    except TopologyError as error:
        return Plan(str(graph), "impossible", reason=str(error))
    if matrix.nodes != m:
        raise DomainError(f"got m={m} with a mixing matrix of {matrix.nodes} nodes; set m={matrix.nodes}")
    return _plan(search, matrix)


def _search(
    bound: Bound,
    target: float,
    values: Mapping[str, Any],
    words: tuple[str | None, str | None],
    link: Link,
    work: Workload,
    batches: Sequence[int],
    most: int,
) -> _Search:
    lacking = [name for name in _SET_HERE if name not in bound.formula.parameters]
    if lacking:
        raise UnknownParameterError(f"{bound.id} has no {lacking[0]}; plans need a bound in gap, Q and T, such as mgs_excess_convex")
    if not batches or any(isinstance(b, bool) or not isinstance(b, int) or b < 1 for b in batches):
        raise DomainError(f"got batches={batches!r}; give integers >= 1")
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise DomainError(f"got most={most!r}; the largest number of gossip steps is an integer >= 1")
    search = _Search(bound, target, values, words, link, work, tuple(batches) if "b" in bound.formula.parameters else (1,), most)
    for name in (*_SET_HERE, "b", search.rate):
        if name in values:
            raise UnknownParameterError(f"{name} is given and is chosen here; leave {name}={values[name]} out")
    missing = [name for name in bound.formula.required if name not in {*values, *_SET_HERE, search.rate}]
    if missing:
        raise MissingParameterError(f"{bound.id} needs {', '.join(missing)}; give {missing[0]}=VALUE")
    return search


def _plan(search: _Search, matrix: MixingMatrix | Spectrum) -> Plan:
    tree = _Choices(search, matrix)
    best: tuple[float, int, int, Calibration] | None = None
    for least, Q, b in tree.promising():
        if best is not None and least >= best[0] * (1 - SLACK):
            break
        answer = tree.tried(Q, b)
        steps = _steps(answer)
        if steps is not None and (best is None or steps * tree.seconds(Q, b) < best[0]):
            best = (steps * tree.seconds(Q, b), Q, b, answer)
    return tree.without() if best is None else tree.plan(best[1], best[2], best[3])


def _degree(matrix: MixingMatrix | Spectrum) -> int:
    from bounds.topology import Spectrum

    return matrix.degree if isinstance(matrix, Spectrum) else busiest_degree(matrix.matrix)


def _steps(answer: Calibration) -> int | None:
    return int(answer.value["T"]) if isinstance(answer.value, Mapping) else None


class _Choices:
    """The choices of Q and b on one graph, the most promising first."""

    def __init__(self, search: _Search, matrix: MixingMatrix | Spectrum) -> None:
        self.search, self.matrix = search, matrix
        self.degree, self.gap = _degree(matrix), matrix.gap
        self.known: dict[tuple[int, int], Calibration] = {}

    def seconds(self, Q: int, b: int) -> float:
        return self.search.work.seconds(b) + Q * self.search.link.seconds(self.degree, self.search.work.message)

    def tried(self, Q: int, b: int) -> Calibration:
        self.known[(Q, b)] = self.search.solve(self.gap, Q, b, self.matrix.symmetric)
        return self.known[(Q, b)]

    def promising(self) -> Iterator[tuple[float, int, int]]:
        """(a lower bound on the seconds, Q, b) of the choice with the smallest one that was not yet tried, again and again."""
        while True:
            open_ = [(Q, b) for b in self.search.batches for Q in range(1, self.search.most + 1) if (Q, b) not in self.known]
            rated = [(self._least(Q, b) * self.seconds(Q, b), -Q, -b) for Q, b in open_]
            least = min(rated, default=(math.inf, 0, 0))
            if least[0] == math.inf:
                return
            yield least[0], -least[1], -least[2]

    def _least(self, Q: int, b: int) -> float:
        """At least so many steps are needed, as far as what is known says; inf where no number is enough."""
        more_Q, more_b = self.search.falls("Q"), self.search.falls("b")
        found = [1.0]
        if self.search.falls("gap") and more_Q:
            found.append(_floor(self.search.at_best(b)))
        found += [
            _floor(answer) for (P, a), answer in self.known.items() if (P == Q or (more_Q and P > Q)) and (a == b or (more_b and a > b))
        ]
        return max(found)

    def plan(self, Q: int, b: int, answer: Calibration) -> Plan:
        steps = _steps(answer)
        assert steps is not None
        assert isinstance(answer.value, Mapping)
        sent = Q * self.degree * self.search.work.message
        return Plan(
            self.matrix.name,
            "found",
            self.degree,
            self.gap,
            Q,
            b if "b" in self.search.bound.formula.parameters else None,
            float(answer.value[self.search.rate]),
            steps,
            self.seconds(Q, b),
            steps * self.seconds(Q, b),
            sent,
            steps * sent,
            answer.achieved,
            answer.reason,
        )

    def without(self) -> Plan:
        # Nothing was tried where not even perfect gossip meets the target.
        answers = [*self.known.values()] or [self.search.at_best(b) for b in self.search.batches]
        open_ = next((one for one in answers if one.status == "undecided"), None)
        nearest = open_ or min(answers, key=lambda one: math.inf if one.achieved is None else one.achieved)
        return Plan(self.matrix.name, nearest.status, self.degree, self.gap, achieved=nearest.achieved, reason=nearest.reason)


def _floor(answer: Calibration) -> float:
    """At least so many steps at this choice, and at any that the bound puts above it."""
    steps = _steps(answer)
    if steps is not None:
        return float(steps)
    return math.inf if answer.status == "impossible" else 1.0
