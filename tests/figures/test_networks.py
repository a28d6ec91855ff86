"""Networks beside their spectra: every node and edge once, the gap where it is, and graphs of any kind."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from bounds.errors import DomainError
from bounds.topology import MixingMatrix, from_graph, network, topology
from figures import topology_figure
from figures.layouts import edges, places

KINDS = [
    ("ring", 16),
    ("torus", 24),
    ("hypercube", 128),
    ("exponential", 20),
    ("star", 5),
    ("path", 7),
    ("watts_strogatz", 12),
    ("lazy_torus", 9),
]


def second_line(figure: Figure) -> float:
    """The height of the upper broken line."""
    return max(float(np.asarray(line.get_ydata())[0]) for line in figure.axes[-1].get_lines() if line.get_linestyle() == "--")


@pytest.mark.parametrize(("name", "nodes"), KINDS)
def test_nodes_keep_apart_and_every_edge_is_drawn_once(name: str, nodes: int) -> None:
    matrix = topology(name, nodes)
    at = places(matrix)
    assert at.shape == (nodes, 2)
    apart = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1)) + np.eye(nodes)
    assert apart.min() > 0.03 * np.ptp(at, axis=0).max()
    links = edges(matrix)
    assert len(links) == np.count_nonzero(np.triu(matrix.matrix, 1))
    assert all(matrix.matrix[row, column] == weight for row, column, weight in links)


@pytest.mark.parametrize("name", ["torus", "hypercube"])
def test_no_edge_runs_through_a_third_node(name: str) -> None:
    matrix = topology(name, 16)
    at = places(matrix)
    for row, column, _ in edges(matrix):
        along = at[column] - at[row]
        for other in set(range(16)) - {row, column}:
            share = np.clip((at[other] - at[row]) @ along / (along @ along), 0, 1)
            assert np.hypot(*(at[row] + share * along - at[other])) > 0.05


def test_the_picture_shows_the_graph_and_the_gap() -> None:
    matrix = topology("ring", 16)
    figure = topology_figure(matrix)
    graph, spectrum = figure.axes
    (links,) = [part for part in graph.collections if isinstance(part, LineCollection)]
    assert len(links.get_segments()) == 16
    assert second_line(figure) == pytest.approx(1 - matrix.gap)
    drawn = next(line for line in spectrum.get_lines() if line.get_marker() == "o")
    np.testing.assert_allclose(np.asarray(drawn.get_ydata()), matrix.spectrum)
    low, high = spectrum.get_ylim()
    assert low < matrix.spectrum.min()
    assert high > 1
    told = [text.get_text() for text in spectrum.texts]
    assert told == [r"gap $\delta$ = 0.05075", r"$\lambda$ = 0.9493"]


def test_a_directed_graph_has_arrows_and_a_plane_of_eigenvalues() -> None:
    figure = topology_figure(topology("exponential_directed", 8))
    assert len(figure.axes[0].texts) == np.count_nonzero(topology("exponential_directed", 8).matrix) - 8
    assert figure.axes[1].get_xlabel() == r"real part of $\lambda_i$"


@pytest.mark.slow
def test_a_million_nodes_have_a_spectrum_alone() -> None:
    found = network("ring", 1_000_000)
    figure = topology_figure(found)  # type: ignore[arg-type]
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    assert max(np.asarray(line.get_xdata()).size for line in axes.get_lines()) <= 2000
    assert "λ = 0.9999999999868" in figure.get_suptitle()


@pytest.mark.slow
def test_any_graph_of_ones_own_is_drawn_the_same_way_each_time() -> None:
    import networkx as nx

    matrix = from_graph(nx.petersen_graph(), "petersen")
    assert np.array_equal(places(matrix), places(matrix))
    assert len(edges(matrix)) == 15


@pytest.mark.parametrize("nodes", [2, 3])
def test_small_networks(nodes: int) -> None:
    assert "gap 1" in topology_figure(topology("ring", nodes)).get_suptitle()


def test_one_node_is_refused() -> None:
    with pytest.raises(DomainError, match="at least 2"):
        topology_figure(MixingMatrix(np.ones((1, 1))))
