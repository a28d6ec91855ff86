"""Mixing matrices against closed forms, networkx and plain simulation."""

import math

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds.errors import DisconnectedGraphError, DomainError, InputFileError, MixingMatrixError, TopologyError, UnknownNameError
from bounds.topology import NAMES, MixingMatrix, from_graph, load, topology, torus_sides

NAMED = [("ring", 8), ("ring", 9), ("ring", 2), ("complete", 5), ("torus", 16), ("torus", 12), ("exponential", 16), ("exponential", 11)]


@pytest.mark.parametrize(("name", "nodes"), NAMED)
def test_named_topologies_are_symmetric_doubly_stochastic_and_metropolis(name: str, nodes: int) -> None:
    matrix = topology(name, nodes).matrix
    assert np.allclose(matrix.sum(0), 1, atol=1e-14)
    assert np.allclose(matrix.sum(1), 1, atol=1e-14)
    assert np.array_equal(matrix, matrix.T)
    degree = (matrix > 0).sum(1) - (np.diag(matrix) > 0)
    for i, j in np.argwhere(matrix > 0):
        if i != j:
            assert matrix[i, j] == pytest.approx(1 / (1 + max(degree[i], degree[j])))


@pytest.mark.parametrize(("name", "nodes"), NAMED)
def test_spectrum_against_dense_eigenvalues(name: str, nodes: int) -> None:
    mixing = topology(name, nodes)
    dense = np.sort(np.linalg.eigvals(mixing.matrix).real)[::-1]
    assert np.allclose(mixing.spectrum, dense, atol=1e-12)
    assert mixing.gap == pytest.approx(1 - max(abs(dense[1:])), abs=1e-12)


def test_ring_gap_closed_form() -> None:
    for nodes in (5, 16, 101):
        assert topology("ring", nodes).gap == pytest.approx(4 / 3 * math.sin(math.pi / nodes) ** 2, rel=1e-12)


def test_torus_is_the_most_square_and_refuses_primes() -> None:
    assert torus_sides(24) == (4, 6)
    assert torus_sides(16) == (4, 4)
    with pytest.raises(TopologyError, match="13 nodes does not exist"):
        topology("torus", 13)


def test_static_exponential_neighbours_are_powers_of_two_away() -> None:
    row = topology("exponential", 16).matrix[0]
    assert set(np.flatnonzero(row)) == {0, 1, 2, 4, 8, 12, 14, 15}


@pytest.mark.parametrize(("name", "nodes"), [("ring", 32), ("torus", 12), ("complete", 4)])
def test_effective_neighbours_against_its_defining_sum(name: str, nodes: int) -> None:
    mixing, decay = topology(name, nodes), 0.95
    sigma, power = np.zeros((nodes, nodes)), np.eye(nodes)
    for k in range(1, 1500):
        power = power @ mixing.matrix
        sigma += decay ** (k - 1) * power @ power.T
    assert mixing.effective_neighbours(decay) == pytest.approx(1 / (1 - decay) / np.mean(np.diag(sigma)), rel=1e-9)


def test_effective_neighbours_of_a_ring_of_32() -> None:
    assert topology("ring", 32).effective_neighbours() == pytest.approx(8.7814, abs=5e-5)


def test_effective_neighbours_of_an_asymmetric_matrix() -> None:
    shift = np.roll(np.eye(5), 1, axis=1)
    mixing = MixingMatrix((np.eye(5) + shift) / 2)
    assert not mixing.symmetric
    assert mixing.lambda_2 is None
    sigma, power = np.zeros((5, 5)), np.eye(5)
    for k in range(1, 1500):
        power = power @ mixing.matrix
        sigma += 0.95 ** (k - 1) * power @ power.T
    assert mixing.effective_neighbours() == pytest.approx(20 / np.mean(np.diag(sigma)), rel=1e-9)


@settings(max_examples=30, deadline=None)
@given(nodes=st.integers(2, 14), density=st.floats(0.3, 1.0), seed=st.integers(0, 10**6), Q=st.integers(1, 6))
def test_any_connected_graph_contracts_by_its_gap(nodes: int, density: float, seed: int, Q: int) -> None:
    graph = nx.gnp_random_graph(nodes, density, seed=seed)
    graph.add_edges_from(nx.path_graph(nodes).edges)
    mixing = from_graph(graph)
    spread = mixing.power(Q) - 1 / nodes
    assert np.linalg.norm(spread, 2) <= (1 - mixing.gap) ** Q + 1e-12
    assert mixing.w_min(Q) == pytest.approx(np.linalg.matrix_power(mixing.matrix, Q).diagonal().min())


def test_validation_names_the_offending_row() -> None:
    good = topology("ring", 4).matrix.copy()
    bad = good.copy()
    bad[2] *= 1.1
    with pytest.raises(MixingMatrixError, match=r"row 2 .* sums to 1.1"):
        MixingMatrix(bad)
    skewed = np.array([[0.5, 0.5, 0], [0.5, 0.5, 0], [0.5, 0, 0.5]])
    with pytest.raises(MixingMatrixError, match="column 0"):
        MixingMatrix(skewed)
    negative = good.copy()
    negative[1, 2] = -0.1
    with pytest.raises(MixingMatrixError, match=r"row 1 .*negative weight -0.1 in column 2"):
        MixingMatrix(negative)
    with pytest.raises(MixingMatrixError, match=r"shape \(2, 3\)"):
        MixingMatrix(np.ones((2, 3)))
    infinite = good.copy()
    infinite[3, 0] = np.inf
    with pytest.raises(MixingMatrixError, match="row 3"):
        MixingMatrix(infinite)


def test_disconnected_and_periodic_graphs_are_refused() -> None:
    with pytest.raises(DisconnectedGraphError, match="2 unconnected pieces"):
        from_graph(nx.disjoint_union(nx.path_graph(3), nx.path_graph(2)))
    with pytest.raises(DisconnectedGraphError, match="row 2"):
        MixingMatrix(np.kron(np.eye(2), np.full((2, 2), 0.5)))
    with pytest.raises(DisconnectedGraphError, match="spectral gap of 0"):
        _ = MixingMatrix([[0, 1], [1, 0]]).gap
    with pytest.raises(TopologyError, match="directed"):
        from_graph(nx.DiGraph([(0, 1)]))


def test_files(tmp_path) -> None:
    (tmp_path / "w.csv").write_text("0.5,0.5\n0.5,0.5\n")
    assert load(str(tmp_path / "w.csv"), None).gap == pytest.approx(1)
    (tmp_path / "g.edgelist").write_text("a b\nb c\nc a\n")
    assert load(str(tmp_path / "g.edgelist"), 3).nodes == 3
    with pytest.raises(TopologyError, match="3 nodes but 4"):
        load(str(tmp_path / "g.edgelist"), 4)
    (tmp_path / "bad.csv").write_text("0.5,x\n0.5,0.5\n")
    with pytest.raises(InputFileError, match="not a table of numbers"):
        load(str(tmp_path / "bad.csv"), None)
    (tmp_path / "ragged.csv").write_text("0.5,0.5\n1\n")
    with pytest.raises(MixingMatrixError, match="row 1"):
        load(str(tmp_path / "ragged.csv"), None)
    (tmp_path / "g.gml").write_text("not gml [")
    with pytest.raises(InputFileError, match="not a graph"):
        load(str(tmp_path / "g.gml"), None)
    with pytest.raises(InputFileError, match="cannot read"):
        load(str(tmp_path / "missing.csv"), None)


def test_bad_names_and_numbers() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'ring'"):
        topology("rng", 4)
    with pytest.raises(TopologyError, match="at least one node"):
        topology("ring", 0)
    with pytest.raises(DomainError, match="decay"):
        topology("ring", 4).effective_neighbours(1.0)
    with pytest.raises(DomainError, match="Q=0"):
        topology("ring", 4).power(0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("nodes", [1, 2, 4, 8, 16])
def test_every_topology_and_its_lazy_variant(name: str, nodes: int) -> None:
    if name == "torus" and nodes < 4:
        pytest.skip("no torus that small")
    mixing, lazy = topology(name, nodes), topology(f"lazy_{name}", nodes)
    assert np.allclose(lazy.matrix, (np.eye(nodes) + mixing.matrix) / 2)
    for one in (mixing, lazy):
        assert np.allclose(one.matrix.sum(0), 1, atol=1e-13)
        assert np.allclose(one.matrix.sum(1), 1, atol=1e-13)
        others = np.sort(np.abs(np.linalg.eigvals(one.matrix)))[::-1][1:]
        assert one.gap == pytest.approx(1 - max(others, default=0.0), abs=1e-10)
        assert one.symmetric == (name != "exponential_directed" or nodes <= 2)
    if lazy.symmetric:
        assert lazy.lambda_min >= -1e-12


def test_graphs_are_the_ones_their_names_say() -> None:
    degrees = {name: sorted((topology(name, 8).matrix > 0).sum(1) - 1) for name in ("path", "star", "hypercube")}
    assert degrees == {"path": [1, 1, 2, 2, 2, 2, 2, 2], "star": [1] * 7 + [7], "hypercube": [3] * 8}
    row = topology("exponential_directed", 16).matrix[3]
    assert set(np.flatnonzero(row)) == {3, 4, 5, 7, 11}
    assert np.allclose(row[row > 0], 0.2)
    assert topology("exponential_directed", 16).lambda_min is None
    with pytest.raises(TopologyError, match="power of 2"):
        topology("hypercube", 12)
    for name in ("erdos_renyi", "watts_strogatz"):
        assert np.array_equal(topology(name, 20).matrix, topology(name, 20).matrix)
        assert not np.array_equal(topology(name, 20).matrix, topology("ring", 20).matrix)
