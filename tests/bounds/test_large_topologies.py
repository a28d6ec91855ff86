"""Closed-form spectra and Lanczos iterations against dense eigenvalues, and sizes that no matrix would fit."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import mpmath
import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import sparse

from bounds.errors import DisconnectedGraphError, DomainError, MixingMatrixError, TopologyError
from bounds.topology import (
    Extremes,
    MixingMatrix,
    Spectrum,
    closed_form,
    extremes,
    from_graph,
    gossip_steps,
    network,
    product_spectrum,
    sparse_metropolis,
    structured,
    topology,
)
from gossip_bounds.main import run

CLOSED = ("ring", "torus", "hypercube", "exponential", "complete", "path", "star", "exponential_directed")
REGULAR = CLOSED[:5]


def dense(name: str, nodes: int) -> MixingMatrix:
    try:
        return topology(name, nodes)
    except TopologyError:
        assume(False)
        raise


def by_size(values: Any) -> Any:
    """Complex eigenvalues in one order, whatever their last digits."""
    values = np.asarray(values, dtype=complex)
    return values[np.lexsort((values.imag.round(9), values.real.round(9)))]


@settings(max_examples=80)
@given(name=st.sampled_from(CLOSED), nodes=st.integers(1, 40), lazy=st.booleans())
def test_closed_forms_are_the_eigenvalues_of_the_matrix(name: str, nodes: int, lazy: bool) -> None:
    name = f"lazy_{name}" if lazy else name
    matrix = dense(name, nodes)
    found = closed_form(name, nodes)
    assert found is not None
    assert found.nodes == nodes
    assert np.allclose(by_size(found.spectrum), by_size(np.linalg.eigvals(matrix.matrix)), atol=1e-9)
    assert found.symmetric == matrix.symmetric
    assert found.gap == pytest.approx(matrix.gap, abs=1e-10)
    assert found.effective_neighbours() == pytest.approx(matrix.effective_neighbours(), rel=1e-8)
    if found.symmetric:
        assert found.lambda_min == pytest.approx(matrix.lambda_min, abs=1e-12)
        assert found.lambda_2 == (None if nodes == 1 else pytest.approx(matrix.lambda_2, abs=1e-12))
    if found.transitive:
        for Q in (1, 2, 5):
            assert found.w_min(Q) == pytest.approx(matrix.w_min(Q), abs=1e-12)
    assert ((matrix.matrix > 0).sum(axis=1) - 1).max() == found.degree


@settings(max_examples=25)
@given(factors=st.lists(st.tuples(st.sampled_from(CLOSED), st.integers(1, 6)), min_size=1, max_size=3))
def test_products_gossip_in_one_factor_after_the_other(factors: list[tuple[str, int]]) -> None:
    whole = np.ones((1, 1))
    for factor in factors:
        whole = np.kron(whole, dense(*factor).matrix)
    found = product_spectrum("*".join(f"{name}:{nodes}" for name, nodes in factors))
    assert np.allclose(by_size(found.spectrum), by_size(np.linalg.eigvals(whole)), atol=1e-7)
    if found.transitive:
        assert found.w_min(3) == pytest.approx(np.linalg.matrix_power(whole, 3).diagonal().min(), abs=1e-12)


@settings(max_examples=25)
@given(factors=st.lists(st.tuples(st.sampled_from(REGULAR), st.integers(1, 8)), min_size=2, max_size=3))
def test_sums_join_the_edges_of_all_factors(factors: list[tuple[str, int]]) -> None:
    graph = nx.empty_graph(1)
    for name, nodes in factors:
        matrix = dense(name, nodes).matrix
        adjacency = (matrix > 0) & ~np.eye(nodes, dtype=bool)
        graph = nx.cartesian_product(graph, nx.from_numpy_array(adjacency.astype(float)))
    assume(graph.number_of_nodes() <= 200)
    found = product_spectrum("+".join(f"{name}:{nodes}" for name, nodes in factors))
    assert np.allclose(found.spectrum, from_graph(graph).spectrum, atol=1e-12)
    assert {degree for _, degree in graph.degree} == {found.degree}


def test_a_torus_is_a_sum_of_rings_and_a_hypercube_one_of_pairs() -> None:
    torus, sum_of_rings = closed_form("torus", 600), product_spectrum("ring:24+ring:25")
    assert torus is not None
    assert np.array_equal(torus.distance, sum_of_rings.distance)
    cube = closed_form("hypercube", 64)
    assert cube is not None
    assert np.allclose(cube.distance, product_spectrum("+".join(["ring:2"] * 6)).distance, atol=1e-15)


@pytest.mark.parametrize(
    ("name", "nodes"), [("ring", 10**6), ("torus", 10**6), ("path", 10**6), ("lazy_ring", 999_983), ("torus", 999_999)]
)
def test_the_gap_of_a_million_nodes_to_twelve_digits(name: str, nodes: int) -> None:
    mpmath.mp.dps = 40
    sides = {"path": 2 * nodes, "ring": nodes, "lazy_ring": nodes, "torus": {10**6: 1000, 999_999: 1001}.get(nodes)}
    square = mpmath.sin(mpmath.pi / sides[name]) ** 2
    exact = {"ring": 4 * square / 3, "path": 4 * square / 3, "lazy_ring": 2 * square / 3, "torus": 4 * square / 5}[name]
    found = closed_form(name, nodes)
    assert found is not None
    assert found.gap == pytest.approx(float(exact), rel=1e-12)


def test_hypercube_and_exponential_graphs_of_a_million_nodes() -> None:
    cube, exponential = closed_form("hypercube", 2**20), closed_form("exponential", 2**16)
    assert cube is not None
    assert exponential is not None
    assert cube.gap == pytest.approx(2 / 21, rel=1e-13)
    # Neighbours 1, 2, ..., 2^15 places away on both sides, the last one once: eigenvalue 1 has the largest modulus.
    k = 1
    wave = sum(mpmath.cos(2 * mpmath.pi * k * sign * 2**p / 2**16) for p in range(15) for sign in (1, -1)) + mpmath.cos(mpmath.pi * k)
    largest = max(abs(exponential.spectrum[1:]))
    assert exponential.degree == 31
    assert 1 - exponential.gap == pytest.approx(largest, rel=1e-12)
    assert min(abs(exponential.spectrum - float((1 + wave) / 32))) < 1e-14


@settings(max_examples=60)
@given(gap=st.floats(1e-12, 1.0), target=st.floats(1e-12, 0.999))
def test_gossip_steps_are_the_fewest(gap: float, target: float) -> None:
    steps = gossip_steps(gap, target)
    with mpmath.workdps(60):
        left = mpmath.mpf(1) - mpmath.mpf(gap)
        slack = 1 + mpmath.mpf(10) ** -13 * abs(mpmath.log(target))
        assert left**steps <= target * slack
        assert steps == 1 or left ** (steps - 1) > target / slack


def test_gossip_steps_of_a_matrix() -> None:
    matrix = topology("torus", 36)
    steps = gossip_steps(matrix.gap, 1e-3)
    norms = [np.linalg.norm(matrix.power(Q) - 1 / 36, 2) for Q in (steps, steps - 1)]
    assert norms[0] <= 1e-3 < norms[1]


@pytest.mark.parametrize(("gap", "target"), [(0.0, 0.1), (1.5, 0.1), (float("nan"), 0.1), (0.5, 0.0), (0.5, 1.0), (0.5, float("nan"))])
def test_gossip_steps_outside_their_domain(gap: float, target: float) -> None:
    with pytest.raises(DomainError, match="it takes a number"):
        gossip_steps(gap, target)


def _sparse(matrix: Any) -> Any:
    return sparse.csr_array(matrix * ~np.eye(len(matrix), dtype=bool))


@settings(max_examples=30)
@given(nodes=st.integers(3, 40), density=st.floats(0.05, 1.0), seed=st.integers(0, 10**6))
def test_lanczos_finds_the_ends_of_a_dense_spectrum(nodes: int, density: float, seed: int) -> None:
    graph = nx.gnp_random_graph(nodes, density, seed=seed)
    graph.add_edges_from(nx.path_graph(nodes).edges)
    matrix = from_graph(graph)
    weights = sparse_metropolis(nx.to_scipy_sparse_array(graph))
    assert np.allclose(weights.toarray(), matrix.matrix, atol=1e-15)
    found = extremes(weights, accuracy=1e-7)
    assert found.lambda_2 == pytest.approx(matrix.lambda_2, abs=1e-9)
    assert found.lambda_min == pytest.approx(matrix.lambda_min, abs=1e-9)
    assert found.gap == pytest.approx(matrix.gap, abs=1e-9)
    assert found.residual <= 1e-7


@pytest.mark.parametrize("name", ["torus", "exponential", "hypercube"])
def test_lanczos_against_closed_forms(name: str) -> None:
    nodes = 4096
    exact = closed_form(name, nodes)
    assert exact is not None
    rows = np.arange(nodes)
    side, hops = 64, [2**power for power in range(12)]
    ends = {
        "torus": [(rows // side + 1) % side * side + rows % side, rows // side * side + (rows % side + 1) % side],
        "exponential": [(rows + hop) % nodes for hop in hops],
        "hypercube": [rows ^ hop for hop in hops],
    }[name]
    adjacency = sum(sparse.coo_array((np.ones(nodes), (rows, end)), shape=(nodes, nodes)) for end in ends)
    found = extremes(sparse_metropolis(adjacency + adjacency.T), name)
    assert found.degree == exact.degree
    assert found.gap == pytest.approx(exact.gap, rel=0.01)
    assert found.gap >= exact.gap * (1 - 1e-9)
    assert found.lambda_min == pytest.approx(exact.lambda_min, abs=0.01)


def test_lanczos_refuses_what_is_no_symmetric_mixing_matrix() -> None:
    good = sparse_metropolis(nx.to_scipy_sparse_array(nx.cycle_graph(8)))
    with pytest.raises(MixingMatrixError, match=r"row 0 .*sums to 1\.1"):
        extremes(good * 1.1)
    with pytest.raises(MixingMatrixError, match="sums to nan"):
        extremes(good * np.nan)
    with pytest.raises(MixingMatrixError, match="not symmetric"):
        extremes(sparse.csr_array((np.eye(8) + np.roll(np.eye(8), 1, axis=1)) / 2))
    with pytest.raises(MixingMatrixError, match="at least three nodes"):
        extremes(sparse.csr_array(np.full((2, 2), 0.5)))
    with pytest.raises(MixingMatrixError, match="negative weight"):
        extremes(sparse.csr_array(1.5 * np.eye(3) - np.full((3, 3), 0.5 / 3)))
    with pytest.raises(TopologyError, match="directed"):
        sparse_metropolis(sparse.csr_array(np.roll(np.eye(5), 1, axis=1)))
    with pytest.raises(DisconnectedGraphError, match="2 unconnected pieces"):
        sparse_metropolis(nx.to_scipy_sparse_array(nx.disjoint_union(nx.cycle_graph(4), nx.cycle_graph(3))))
    with pytest.raises(TopologyError, match="square"):
        sparse_metropolis(sparse.csr_array(np.ones((2, 3))))


def test_a_gap_too_small_for_lanczos_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bounds.topology.lanczos._RESTARTS", 2)
    with pytest.raises(DomainError, match="the gap is too small for Lanczos"):
        extremes(sparse_metropolis(nx.to_scipy_sparse_array(nx.cycle_graph(3000))))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """From 101 nodes on no matrix is built."""
    monkeypatch.setattr("bounds.topology.large.DENSE", 100)


@pytest.mark.usefixtures("few")
def test_the_matrix_is_built_for_small_networks_only(tmp_path: Path) -> None:
    assert isinstance(network("ring", 100), MixingMatrix)
    assert isinstance(network("ring", 101), Spectrum)
    assert isinstance(structured("lazy_torus", 102), Spectrum)
    assert isinstance(structured("erdos_renyi", 102), MixingMatrix)
    assert isinstance(structured("ring:3*complete:4", 12), Spectrum)
    found = network("lazy_watts_strogatz", 110)
    assert isinstance(found, Extremes)
    assert found.gap == pytest.approx(topology("lazy_watts_strogatz", 110).gap, rel=0.01)
    (tmp_path / "cycle.edgelist").write_text("".join(f"{i} {(i + 1) % 120}\n" for i in range(120)))
    cycle = network(str(tmp_path / "cycle.edgelist"), None)
    exact = closed_form("ring", 120)
    assert isinstance(cycle, Extremes)
    assert exact is not None
    assert cycle.gap == pytest.approx(exact.gap, rel=0.01)
    (tmp_path / "words.edgelist").write_text("".join(f"a{i} a{(i + 1) % 120} {{}}\n" for i in range(120)))
    assert network(str(tmp_path / "words.edgelist"), 120).gap == cycle.gap
    (tmp_path / "few.edgelist").write_text("0 1\n1 2\n2 0\n")
    assert isinstance(network(str(tmp_path / "few.edgelist"), None), MixingMatrix)
    with pytest.raises(TopologyError, match="120 nodes but 7"):
        network(str(tmp_path / "cycle.edgelist"), 7)


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert run(["topology", *arguments, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.usefixtures("few")
def test_the_command_at_any_size(capsys: pytest.CaptureFixture[str]) -> None:
    small, large = shown(capsys, "ring", "--m", "100"), shown(capsys, "ring", "--m", "1026", "--target", "0.001")
    assert large.keys() - small.keys() == {"degree", "gossip_steps"}
    assert large["gap"] == pytest.approx(4 / 3 * np.sin(np.pi / 1026) ** 2, rel=1e-12)
    assert large["gossip_steps"] == gossip_steps(large["gap"], 0.001)
    assert len(large["spectrum"]) == 1026
    directed = shown(capsys, "exponential_directed", "--nodes", "2000")
    assert (directed["symmetric"], directed["lambda_min"], len(directed["spectrum"][7])) == (False, None, 2)
    assert run(["topology", "torus", "--nodes", "1000000", "--target", "1e-3"]) == 0
    printed = capsys.readouterr().out
    assert "874877" in printed
    assert len(printed) < 2000
    graph = shown(capsys, "watts_strogatz", "--nodes", "110")
    assert (graph["spectrum"], graph["effective_neighbours"]) == (None, None)
    assert 0 < graph["residual"] <= 0.01 * graph["gap"]
    assert run(["topology", "watts_strogatz", "--nodes", "110"]) == 0
    assert "they are estimates" in capsys.readouterr().out


def test_a_bound_on_a_million_nodes(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["evaluate", "consensus_distance_atc", "eta=0.05", "sigma2=1", "zeta2=0.5", "beta=1", "convex=1", "Q=3", "--json"]
    values = []
    for extra in (["m=1048576", "--topology", "hypercube"], ["m=1048576", f"gap={2 / 21!r}"]):
        assert run([*given, *extra]) == 0
        values.append(json.loads(capsys.readouterr().out)["value"])
    assert values[0] == pytest.approx(values[1], rel=1e-9)
    assert values[0] > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ring:3*rng:4"], "did you mean 'ring'"),
        (["ring:3*"], "got the factor ''"),
        (["ring:3+star:4"], "a sum takes ring"),
        (["ring:3+complete:4*ring:5"], "with * or + alone"),
        (["ring:3*watts_strogatz:9"], "no closed form"),
        (["ring:0*ring:3"], "at least one node"),
        (["ring:3*ring:3", "--nodes", "10"], "9 nodes but 10"),
        (["ring", "--nodes", "1000000000"], "does not fit the memory"),
        (["torus", "--nodes", "1000003"], "no two factors"),
        (["hypercube", "--nodes", "1000000"], "power of 2"),
        (["ring", "--nodes", "2000", "--target", "2"], "target=2"),
        (["ring", "--nodes", "2000", "--decay", "1"], "decay"),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["topology", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert words in captured.err


def test_products_do_not_depend_on_the_order_of_their_factors() -> None:
    found = [product_spectrum("*".join(order)).distance for order in itertools.permutations(["ring:5", "complete:3", "star:4"])]
    for other in found[1:]:
        assert np.allclose(found[0], other, atol=1e-15)


def test_the_diagonal_is_not_known_where_nodes_differ() -> None:
    path = closed_form("path", 5000)
    assert path is not None
    with pytest.raises(TopologyError, match="give w_min=VALUE"):
        path.w_min(2)


def test_eigenvalues_of_a_ring_come_in_equal_pairs() -> None:
    ring = closed_form("ring", 999_999)
    assert ring is not None
    assert np.allclose(ring.distance[1::2], ring.distance[2::2], rtol=1e-11, atol=0)


def test_lanczos_where_all_other_eigenvalues_are_negative() -> None:
    found = extremes(sparse.csr_array((np.ones((6, 6)) - np.eye(6)) / 5), accuracy=1e-9)
    assert (found.lambda_2, found.lambda_min) == (pytest.approx(-0.2, abs=1e-12), pytest.approx(-0.2, abs=1e-12))
    assert found.gap == pytest.approx(0.8, abs=1e-12)
