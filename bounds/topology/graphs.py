"""Named communication graphs as networkx graphs, and the Metropolis weights that turn any graph into a mixing matrix."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bounds.errors import DisconnectedGraphError, TopologyError, unknown_name
from bounds.topology.mixing import MixingMatrix

if TYPE_CHECKING:
    import networkx as nx


def _ring(nodes: int) -> nx.Graph:
    import networkx as nx

    return nx.cycle_graph(nodes) if nodes > 2 else nx.path_graph(nodes)


def _complete(nodes: int) -> nx.Graph:
    import networkx as nx

    return nx.complete_graph(nodes)


def torus_sides(nodes: int) -> tuple[int, int]:
    """Sides (rows, columns) of the most square torus with ``nodes`` nodes.

    Raises:
        TopologyError: when ``nodes`` is a prime or below 4, so that no torus exists.
    """
    rows = next((side for side in range(math.isqrt(nodes), 1, -1) if nodes % side == 0), None)
    if rows is None:
        raise TopologyError(
            f"a torus of {nodes} nodes does not exist ({nodes} has no two factors above 1); take a composite number such as 16"
        )
    return rows, nodes // rows


def _torus(nodes: int) -> nx.Graph:
    import networkx as nx

    return nx.grid_2d_graph(*torus_sides(nodes), periodic=True)


def _exponential(nodes: int) -> nx.Graph:
    import networkx as nx

    hops = [2**power for power in range(max(1, math.ceil(math.log2(nodes)))) if 2**power < nodes] if nodes > 1 else []
    return nx.circulant_graph(nodes, hops)


GRAPHS: dict[str, Callable[[int], nx.Graph]] = {
    "ring": _ring,
    "complete": _complete,
    "torus": _torus,
    "exponential": _exponential,
}


def metropolis_weights(graph: nx.Graph) -> NDArray[np.float64]:
    """Metropolis weights: 1/(1 + max(deg_i, deg_j)) on each edge, the rest of each row on the diagonal.

    Self-loops are ignored. Returns an (m, m) symmetric doubly stochastic array in the graph's own node order.

    Raises:
        TopologyError: for a directed graph, a multigraph or no nodes.
        DisconnectedGraphError: when some nodes cannot reach the others.
    """
    import networkx as nx

    if graph.is_directed() or graph.is_multigraph():
        raise TopologyError(
            "got a directed graph or a multigraph; Metropolis weights need a simple undirected graph: call nx.Graph(graph) first"
        )
    if graph.number_of_nodes() == 0:
        raise TopologyError("got a graph without nodes; a network has at least one node")
    if not nx.is_connected(graph):
        pieces = sorted((len(piece) for piece in nx.connected_components(graph)), reverse=True)
        raise DisconnectedGraphError(
            f"the graph falls into {len(pieces)} unconnected pieces of sizes {pieces}; add edges until every node reaches every other"
        )
    adjacency = nx.to_numpy_array(graph, weight=None)
    np.fill_diagonal(adjacency, 0.0)
    degree = adjacency.sum(axis=1)
    weights: NDArray[np.float64] = adjacency / (1.0 + np.maximum.outer(degree, degree))
    np.fill_diagonal(weights, 1.0 - weights.sum(axis=1))
    return weights


def from_graph(graph: nx.Graph, name: str = "graph") -> MixingMatrix:
    """The Metropolis mixing matrix of any simple undirected connected networkx graph."""
    return MixingMatrix(metropolis_weights(graph), name=name)


def _closed_form_spectrum(name: str, nodes: int) -> NDArray[np.float64] | None:
    """Eigenvalues where a closed form is known (descending), else None."""
    if name == "complete":
        return np.concatenate([np.ones(1), np.zeros(nodes - 1)])
    if name == "ring" and nodes > 2:
        return np.sort((1 + 2 * np.cos(2 * np.pi * np.arange(nodes) / nodes)) / 3)[::-1]
    return None


def topology(name: str, nodes: int) -> MixingMatrix:
    """A named topology with Metropolis weights: ring, complete, torus (most square) or static undirected exponential.

    >>> round(topology("ring", 16).gap, 6)
    0.050747

    Raises:
        UnknownNameError: for a name not in :data:`GRAPHS`.
        TopologyError: when the topology does not exist for that many nodes.
    """
    if name not in GRAPHS:
        raise unknown_name("topology", name, GRAPHS)
    if nodes < 1:
        raise TopologyError(f"got {nodes} nodes; a network has at least one node")
    weights = metropolis_weights(GRAPHS[name](nodes))
    if name == "complete":
        weights = np.full((nodes, nodes), 1.0 / nodes)
    return MixingMatrix(weights, name=name, spectrum=_closed_form_spectrum(name, nodes))
