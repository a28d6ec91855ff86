r"""Two nodes whose losses may differ, exactly: exit times from the transition kernel, excess risks from the moment recursion.

V_k(x) = (x^2 - 1)^2/4 +- (pull x + bend x^2/2), mixed by [[a, 1-a], [1-a, a]] of second eigenvalue ``second``. What pulls the
nodes apart also pulls their mean (derived here, leading order): for V_k = V + W_k with sum_k W_k = 0 the disagreement
-eta P W'(u), P = (I-W)^+, feeds back through W_k'', and the mean moves in V(u) - (eta/2m) W'(u)^T P W'(u). With
W' = +-(pull + bend u) the barrier changes by (eta/2) (bend^2 - 2 pull bend)/(1 - second): it rises where gradients differ more at
the minimum than at the barrier.

A search draws random pairs of nodes and returns the first that does what a predicate names; exact values decide.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache, partial
from typing import Any

import numpy as np

from bounds.errors import unknown_name
from bounds.setting import Fact, Schedule
from empirical.exits import Pair, Passage, Walk
from empirical.oracles import Method, Quadratic, State, steady_state
from empirical.streams import stream
from verify.claims.flatness.walks import BARRIER, BOTTOM, LEVEL, well_slope
from verify.verdict import Table

CURVATURE = 2.0
_LOW = -1.9
#: A witness must show at least these relative differences of exit times and excess risks, worth speaking of; errors come on top.
CLEAR, CLEAR_RISK = 0.05, 0.01
FORMS = ("atc", "cta", "consensus")


@dataclass(frozen=True, slots=True)
class TwoNodes:
    """One pair of nodes. ``temperature`` is eta r/(4 b); ``second`` in (0, 1)."""

    eta: float
    temperature: float
    second: float
    pull: float = 0.0
    bend: float = 0.0

    @property
    def noise(self) -> float:
        """Variance r/b of a node's batch gradient."""
        return 4 * self.temperature / self.eta

    def numbers(self) -> dict[str, Fact]:
        """All that is needed to evaluate the witness again."""
        return {one.name: getattr(self, one.name) for one in fields(self)} | {"noise": self.noise}


def node_slope(x: Any, pull: float, bend: float) -> Any:
    """dV_k/dx."""
    return well_slope(x) + pull + bend * x


@cache
def exit_time(nodes: TwoNodes, form: str) -> Passage:
    """Mean steps until the network mean of ``form`` passes x = 1/2 from the minimum -1, exactly up to ``error``."""
    if form == "centralized":
        return Walk(well_slope, nodes.eta, nodes.eta * math.sqrt(nodes.noise / 2), _LOW, LEVEL).mean_time(BOTTOM)
    slopes = (partial(node_slope, pull=nodes.pull, bend=nodes.bend), partial(node_slope, pull=-nodes.pull, bend=-nodes.bend))
    return Pair(slopes, form, nodes.eta, math.sqrt(nodes.noise), nodes.second, _LOW, LEVEL).mean_time(BOTTOM)  # type: ignore[arg-type]


def settled(nodes: TwoNodes, form: str) -> tuple[State, Quadratic]:
    """The steady state of the local quadratic model: every Hessian frozen at the minimum -1, where node k's gradient is +-(pull - bend)."""
    curvatures = np.array([CURVATURE + nodes.bend, CURVATURE - nodes.bend])
    pulls = np.array([1.0, -1.0]) * (nodes.pull - nodes.bend)
    problem = Quadratic(curvatures[:, None, None], (-pulls / curvatures)[:, None], [[nodes.noise]])
    share = (1 + nodes.second) / 2
    mixing = [[share, 1 - share], [1 - share, share]]
    return steady_state(Method(update_form=form, schedule=Schedule(eta=nodes.eta), mixing=mixing), problem), problem  # type: ignore[arg-type]


@cache
def excess_risk(nodes: TwoNodes, form: str, readout: str) -> float:
    """E J - J(w*) of the local quadratic model in the steady state, exactly."""
    state, problem = settled(nodes, form)
    return state.excess_risk(problem.objective(), readout)


def slower(nodes: TwoNodes, one: str, two: str) -> bool:
    """Does ``one`` take clearly longer to leave than ``two``?"""
    first, second = exit_time(nodes, one), exit_time(nodes, two)
    return first.mean - 10 * first.error > (1 + CLEAR) * (second.mean + 10 * second.error)


def riskier(nodes: TwoNodes, one: str, two: str, readout: str) -> bool:
    """Has ``one`` clearly the larger excess risk?"""
    return excess_risk(nodes, one, readout) > (1 + CLEAR_RISK) * excess_risk(nodes, two, readout)


def _riskier_and_slower(nodes: TwoNodes, one: str, two: str, readout: str) -> bool:
    return riskier(nodes, one, two, readout) and slower(nodes, one, two)


def _opposed(nodes: TwoNodes) -> bool:
    """Among centralized, ATC and consensus, is any clearly riskier at its gradient points and clearly slower?"""
    names = ("centralized", "atc", "consensus")
    return any(_riskier_and_slower(nodes, one, two, "gradient_point") for one in names for two in names if one != two)


PREDICATES: dict[str, Callable[[TwoNodes], bool]] = {
    "atc slower than centralized": lambda nodes: slower(nodes, "atc", "centralized"),
    "consensus slower than centralized": lambda nodes: slower(nodes, "consensus", "centralized"),
    "consensus slower than atc": lambda nodes: slower(nodes, "consensus", "atc"),
    "atc riskier and slower than centralized": lambda nodes: _riskier_and_slower(nodes, "atc", "centralized", "node_average"),
    "consensus riskier and slower than centralized": lambda nodes: _riskier_and_slower(nodes, "consensus", "centralized", "node_average"),
    "cta riskier and slower than consensus": lambda nodes: _riskier_and_slower(nodes, "cta", "consensus", "node_average"),
    "riskier at gradient points and slower": _opposed,
}


def draw(rng: np.random.Generator, different: bool) -> TwoNodes:
    """A random pair: the same loss at both nodes, or ``different`` ones; all forms are stable in the well."""
    eta, temperature, second = 10 ** rng.uniform(-1.3, -1.0), rng.uniform(0.05, 0.1), rng.uniform(0.1, 0.8)
    pull, bend = (rng.uniform(-1, 1), rng.uniform(-1, 1)) if different else (0.0, 0.0)
    return TwoNodes(*(round(float(value), 4) for value in (eta, temperature, second, pull, bend)))


@dataclass(frozen=True, slots=True)
class Found:
    """The first witness of a search, None if there was none, and how many pairs were tried."""

    witness: TwoNodes | None
    tried: int


def search(predicate: str, seed: int, tries: int, different: bool) -> Found:
    """The first random pair of nodes with the property that ``predicate`` names.

    Raises:
        UnknownNameError: for a predicate that is none.
    """
    if predicate not in PREDICATES:
        raise unknown_name("predicate", predicate, PREDICATES)
    holds, rng = PREDICATES[predicate], stream(seed, f"two nodes {different}", 0)
    for number in range(1, tries + 1):
        nodes = draw(rng, different)
        if holds(nodes):
            return Found(nodes, number)
    return Found(None, tries)


def table(nodes: TwoNodes) -> Table:
    """Exit times and excess risks of all forms."""
    heads = ("update form", "mean exit time", "numerical error", *(f"excess risk, {name.replace('_', ' ')}" for name in _READOUTS))
    rows = list[tuple[Fact, ...]]()
    for form in ("centralized", *FORMS):
        time = exit_time(nodes, form)
        rows.append((form, time.mean, time.error, *(excess_risk(nodes, form, readout) for readout in _READOUTS)))
    return Table(f"Two nodes exactly: {', '.join(f'{k} = {v:g}' for k, v in nodes.numbers().items())}", heads, tuple(rows))


_READOUTS = ("node_average", "gradient_point", "network_mean")


def barrier_change(nodes: TwoNodes) -> float:
    """By how much different losses raise the barrier of the mean at leading order, over the barrier."""
    return nodes.eta / 2 * (nodes.bend**2 - 2 * nodes.pull * nodes.bend) / (1 - nodes.second) / BARRIER
