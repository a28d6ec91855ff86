"""The cost model against an event-by-event reckoning, and plans against trying every choice."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bounds
from bounds.cost import Link, Plan, Workload, arrivals, busiest_degree, message_bytes, plans
from bounds.cost.planning import SLACK
from bounds.errors import DomainError, MissingParameterError, UnknownNameError, UnknownParameterError
from bounds.topology import MixingMatrix, topology

EXCESS = bounds.get("mgs_excess_convex")
VALUES: dict[str, Any] = {"L": 1, "n": 100, "r0": 1, "sigma2": 1, "zeta2": 0.5, "beta": 1}
seconds = st.floats(0, 10)


def _reckoned(link: Link, sizes: list[int]) -> list[float]:
    """Message by message: when it may start, when its last byte leaves, when that arrives."""
    free, found = 0.0, []
    for size in sizes:
        start = 0.0 if link.sends == "parallel" else free
        left = start + size / link.bandwidth
        arrived = left + link.latency
        free = arrived if link.sends == "serial" else left
        found.append(arrived)
    return found


@settings(max_examples=60)
@given(
    latency=seconds,
    bandwidth=st.floats(1, 1e9),
    sends=st.sampled_from(["serial", "overlapping", "parallel"]),
    sizes=st.lists(st.integers(0, 10**6), max_size=6),
)
def test_arrivals_are_those_of_the_events(latency: float, bandwidth: float, sends: Any, sizes: list[int]) -> None:
    link = Link(latency, bandwidth, sends)
    assert arrivals(link, sizes) == pytest.approx(_reckoned(link, sizes), rel=1e-12, abs=1e-300)


@given(latency=seconds, bandwidth=st.floats(1, 1e9), degree=st.integers(0, 20), size=st.integers(1, 10**6))
@settings(max_examples=60)
def test_seconds_in_closed_form(latency: float, bandwidth: float, degree: int, size: int) -> None:
    one = size / bandwidth
    closed = {"serial": degree * (latency + one), "overlapping": latency + degree * one, "parallel": latency + one}
    for sends, expected in closed.items():
        found = Link(latency, bandwidth, sends).seconds(degree, size)  # type: ignore[arg-type]
        assert found == pytest.approx(expected if degree else 0.0, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "m", "degree"),
    [
        ("ring", 8, 2),
        ("complete", 8, 7),
        ("torus", 16, 4),
        ("hypercube", 16, 4),
        ("star", 9, 8),
        ("exponential_directed", 16, 4),
        ("ring", 1, 0),
    ],
)
def test_degrees(name: str, m: int, degree: int) -> None:
    assert busiest_degree(topology(name, m).matrix) == degree


def test_the_busier_direction_counts() -> None:
    # Node 0 hears from two others and sends to one.
    assert busiest_degree(np.array([[0.0, 0.5, 0.5], [0.5, 0.5, 0.0], [0.0, 0.5, 0.5]])) == 2


def test_bytes_and_bad_input() -> None:
    assert (message_bytes(650), message_bytes(650, "float64")) == (2600, 5200)
    for bad in (lambda: Link(-1, 1), lambda: Link(0, 0), lambda: Link(math.nan, 1), lambda: message_bytes(0), lambda: Workload(1, 0, 0)):
        with pytest.raises(DomainError):
            bad()
    with pytest.raises(UnknownNameError, match="did you mean 'serial'"):
        Link(0, 1, "seriall")  # type: ignore[arg-type]


LINK, WORK = Link(2e-3, 1e6), Workload(2600, 1e-3, 2e-4)


def _brute(name: str, m: int, most: int, batches: tuple[int, ...], target: float) -> float:
    """The least time over every choice, each calibrated on its own."""
    matrix, best = topology(name, m), math.inf
    degree = {"ring": 2, "complete": m - 1, "exponential_directed": 3}[name]
    for Q in range(1, most + 1):
        for b in batches:
            answer = bounds.calibrate(EXCESS, ("eta", "T"), target=target, **VALUES, m=m, gap=matrix.gap, Q=Q, b=b)
            if answer.status == "found":
                best = min(best, answer.value["T"] * (1e-3 + 2e-4 * b + Q * (2e-3 + degree * 2600 / 1e6)))
    return best


def _check(plan: Plan, m: int, target: float, matrix: Any) -> None:
    chosen = {"eta": plan.rate, "T": plan.T, "Q": plan.Q, "b": plan.b, "gap": matrix.gap, "m": m}
    assert EXCESS.evaluate(**VALUES, **chosen) <= target
    assert plan.seconds == pytest.approx(plan.T * (1e-3 + 2e-4 * plan.b + plan.Q * (2e-3 + plan.degree * 2600 / 1e6)), rel=1e-12)
    assert plan.bytes == plan.T * plan.step_bytes == plan.T * plan.Q * plan.degree * 2600


@pytest.mark.slow
def test_more_nodes_than_fit_a_matrix_are_planned_by_closed_forms() -> None:
    def planned(graph: Any, m: int) -> Plan:
        (found,) = plans(EXCESS, [graph], target=0.2, m=m, link=Link(1e-3, 1e6), work=Workload(100, 1e-3), batches=(4,), most=2, **VALUES)
        return found

    large = planned("complete", 4096)
    assert (large.status, large.degree, large.gap) == ("found", 4095, 1.0)
    assert large.Q == 1
    assert planned("ring:4*ring:4", 16).degree == 4
    by_matrix = MixingMatrix(np.kron(topology("ring", 4).matrix, topology("ring", 4).matrix), name="grid")
    assert planned("ring:4*ring:4", 16).T == planned(by_matrix, 16).T


def test_the_plan_is_the_best_of_all_choices() -> None:
    (plan,) = plans(EXCESS, ["ring"], target=0.15, m=8, link=LINK, work=WORK, most=3, batches=(2, 16), **VALUES)
    best = _brute("ring", 8, 3, (2, 16), 0.15)
    assert best <= plan.seconds <= best / (1 - SLACK) * (1 + 1e-12)
    _check(plan, 8, 0.15, topology("ring", 8))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "m"), [("ring", 6), ("ring", 12), ("complete", 8)])
@pytest.mark.parametrize("target", [0.12, 0.3])
def test_the_plan_is_the_best_of_many_choices(name: str, m: int, target: float) -> None:
    (plan,) = plans(EXCESS, [name], target=target, m=m, link=LINK, work=WORK, most=12, batches=(1, 4, 32), **VALUES)
    best = _brute(name, m, 12, (1, 4, 32), target)
    assert best <= plan.seconds <= best / (1 - SLACK) * (1 + 1e-12)
    _check(plan, m, target, topology(name, m))


def test_graphs_that_do_not_help_say_why() -> None:
    found = plans(
        EXCESS, ["ring", "hypercube", "exponential_directed"], target=0.01, m=6, link=LINK, work=WORK, most=2, batches=(1,), **VALUES
    )
    reasons = {one.topology: one.reason for one in found}
    assert {one.status for one in found} == {"impossible"}
    assert "floor" in reasons["ring"]
    assert "power of 2" in reasons["hypercube"]
    (directed,) = plans(
        EXCESS, [topology("exponential_directed", 6)], target=0.4, m=6, link=LINK, work=WORK, most=1, batches=(4,), **VALUES
    )
    assert (directed.status, "symmetric" in directed.reason) == ("impossible", True)


@pytest.mark.parametrize(
    ("changes", "error", "word"),
    [
        ({"Q": 2}, UnknownParameterError, "Q is given and is chosen here"),
        ({"eta": 0.1}, UnknownParameterError, "eta is given"),
        ({"L": None}, MissingParameterError, "needs L"),
        ({"batches": (0,)}, DomainError, "batches"),
        ({"most": 0}, DomainError, "most"),
    ],
)
def test_mistakes_are_one_line(changes: dict[str, Any], error: type[Exception], word: str) -> None:
    given = {**VALUES, "target": 0.2, "m": 8, "link": LINK, "work": WORK, **changes}
    with pytest.raises(error, match=word) as caught:
        plans(EXCESS, ["ring"], **{name: value for name, value in given.items() if value is not None})
    assert "\n" not in str(caught.value)


def test_a_bound_without_gossip_has_no_plan() -> None:
    with pytest.raises(UnknownParameterError, match="has no gap"):
        plans(bounds.get("hardt2016_convex"), ["ring"], target=0.2, m=8, link=LINK, work=WORK)
