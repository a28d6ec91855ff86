"""Gossip steps by graph and nodes: against powers of matrices, against a search step by step, and mistakes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import bounds
from bounds.calibration.graphs import GRAPHS
from bounds.errors import DomainError, GossipBoundsError, MissingParameterError, UnknownNameError, UnknownParameterError
from bounds.topology import topology

SPREAD: dict[str, Any] = dict(eta=0.05, sigma2=1, zeta2=0.5, beta=1)


@pytest.mark.parametrize("target", [0.5, 1e-3])
def test_q_is_the_first_power_whose_norm_off_consensus_meets_the_target(target: float) -> None:
    names = (*GRAPHS, "star", "lazy_ring", "exponential_directed")
    for one in bounds.gossip_table(names, [4, 16], target=target):
        off = topology(one.topology, one.nodes).matrix - 1 / one.nodes
        norms = [np.linalg.norm(np.linalg.matrix_power(off, Q), 2) for Q in range(1, (one.Q or 0) + 1)]
        assert one.status == "found"
        assert norms[-1] <= target * (1 + 1e-9)
        assert all(norm > target for norm in norms[:-1])


def test_with_a_bound_q_is_the_first_at_which_it_meets_the_target() -> None:
    bound = bounds.get("consensus_distance_atc")
    for one in bounds.gossip_table(["ring", "torus", "complete"], [6, 16], target=1e-5, bound=bound, **SPREAD):
        values = SPREAD | dict(m=one.nodes, gap=one.gap)
        first = next(Q for Q in range(1, 200) if bound.evaluate(Q=Q, **values) <= 1e-5)
        assert (one.status, one.Q) == ("found", first)


def test_a_bound_in_the_whole_spectrum_takes_it_from_the_graph() -> None:
    bound, given = bounds.get("excess_risk_consensus"), dict(eta=0.1, b=1, rho=(1.0,), r=(1.0,))
    (one,) = bounds.gossip_table(["ring"], [8], target=0.0078, bound=bound, **given)
    spectrum = tuple(topology("ring", 8).spectrum.tolist())
    values = [bound.evaluate(Q=Q, spectrum=spectrum, **given) for Q in range(1, 9)]
    assert (one.status, one.Q) == ("found", 5)
    assert [value <= 0.0078 for value in values] == [False] * 4 + [True] * 4
    (directed,) = bounds.gossip_table(["exponential_directed"], [8], target=1.0, bound=bound, **given)
    assert directed.status == "undecided"


def test_graphs_that_do_not_exist_and_targets_below_the_floor_are_told_apart() -> None:
    rows = bounds.gossip_table(["torus", "hypercube", "ring"], [13], target=0.1)
    assert [(row.topology, row.status, row.Q, row.gap is None) for row in rows] == [
        ("torus", "absent", None, True),
        ("hypercube", "absent", None, True),
        ("ring", "found", rows[2].Q, False),
    ]
    excess = dict(T=1000, L=1, beta=1, n=100, r0=1, sigma2=1, zeta2=0.5, eta=0.01, b=1)
    (low,) = bounds.gossip_table(["ring"], [16], target=0.1, bound=bounds.get("mgs_excess_convex"), **excess)
    assert (low.status, low.Q) == ("impossible", None)
    assert "floor" in low.reason
    assert set(low.row()) == {"topology", "nodes", "status", "gap", "Q", "reason"}


def test_ten_thousand_nodes_need_no_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a matrix was built")

    monkeypatch.setattr("bounds.topology.network", refuse)
    rows = bounds.gossip_table(["ring", "torus", "exponential", "complete", "star"], [10_000], target=1e-3)
    # The gaps in closed form: of a ring 2 (1 - cos(2 pi/m))/3, of a torus of 100 by 100 the same over 5.
    expected = [np.log(1e-3) / np.log1p(-2 * (1 - np.cos(2 * np.pi / side)) / degree) for side, degree in ((10_000, 3), (100, 5))]
    assert pytest.approx(expected, rel=1e-6, abs=1) == [rows[0].Q, rows[1].Q]


@pytest.mark.parametrize(
    ("arguments", "values", "error", "words"),
    [
        (dict(graphs=[]), {}, DomainError, "at least one of each"),
        (dict(nodes=[1]), {}, DomainError, "at least 2"),
        (dict(nodes=[4, 4]), {}, DomainError, "4 twice"),
        (dict(graphs=["ring", "ring"]), {}, DomainError, "ring twice"),
        (dict(graphs=["rnig"]), {}, UnknownNameError, "did you mean 'ring'"),
        (dict(target=2.0), {}, DomainError, "target=2.0"),
        ({}, dict(eta=0.1), UnknownParameterError, "no bound"),
        (dict(bound="consensus_distance_atc"), SPREAD | dict(m=4), UnknownParameterError, "leave m=4 out"),
        (dict(bound="consensus_distance_atc"), dict(eta=0.1), MissingParameterError, "sigma2"),
        (dict(bound="hardt2016_convex"), {}, GossipBoundsError, "Q"),
    ],
)
def test_mistakes_are_one_line(arguments: dict[str, Any], values: dict[str, Any], error: type[Exception], words: str) -> None:
    asked = dict(graphs=["ring"], nodes=[4], target=1e-3) | arguments
    if "bound" in asked:
        asked["bound"] = bounds.get(asked["bound"])
    with pytest.raises(error, match=words) as caught:
        bounds.gossip_table(**asked, **values)
    assert "\n" not in str(caught.value)
