"""Named communication graphs as networkx graphs, and the Metropolis weights that turn any graph into a mixing matrix."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
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

    return nx.circulant_graph(nodes, powers_of_two(nodes))


def _path(nodes: int) -> nx.Graph:
    import networkx as nx

    return nx.path_graph(nodes)


def _star(nodes: int) -> nx.Graph:
    import networkx as nx

    return nx.star_graph(nodes - 1)


def _hypercube(nodes: int) -> nx.Graph:
    import networkx as nx

    if nodes & (nodes - 1):
        raise TopologyError(f"a hypercube of {nodes} nodes does not exist; take a power of 2 such as 16")
    return nx.hypercube_graph(nodes.bit_length() - 1) if nodes > 1 else nx.path_graph(1)


def _first_connected(build: Callable[[int], nx.Graph]) -> nx.Graph:
    """The first connected graph among those of the seeds 0, 1, ..., so that a name always means the same graph."""
    import networkx as nx

    found = next((graph for graph in map(build, range(10_000)) if nx.is_connected(graph)), None)
    if found is None:
        raise TopologyError("none of 10000 random graphs is connected; raise the edge probability")
    return found


def erdos_renyi(nodes: int, probability: float | None = None) -> nx.Graph:
    """An Erdos-Renyi graph: every edge with ``probability`` (default min(1, 2 ln m / m)); the first connected seed."""
    import networkx as nx

    chance = min(1.0, 2 * math.log(max(nodes, 2)) / nodes) if probability is None else probability
    return _first_connected(lambda seed: nx.gnp_random_graph(nodes, chance, seed=seed))


def watts_strogatz(nodes: int, neighbours: int = 4, rewired: float = 0.1) -> nx.Graph:
    """A Watts-Strogatz graph: a ring of ``neighbours`` nearest neighbours, each edge rewired with chance ``rewired``.

    The first connected seed; complete when there are no more than ``neighbours`` nodes."""
    import networkx as nx

    if nodes <= neighbours:
        return nx.complete_graph(nodes)
    return _first_connected(lambda seed: nx.watts_strogatz_graph(nodes, neighbours, rewired, seed=seed))


#: What draws the undirected graph of each name, given a number of nodes.
GRAPHS: dict[str, Callable[[int], nx.Graph]] = {
    "ring": _ring,
    "path": _path,
    "star": _star,
    "complete": _complete,
    "torus": _torus,
    "hypercube": _hypercube,
    "exponential": _exponential,
    "erdos_renyi": erdos_renyi,
    "watts_strogatz": watts_strogatz,
}
_DIRECTED = "exponential_directed"
_LAZY = "lazy_"
_SMALL = 256
#: Every name that :func:`topology` knows; each also with the prefix ``lazy_``.
NAMES = (*GRAPHS, _DIRECTED)


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


def powers_of_two(nodes: int) -> list[int]:
    """1, 2, 4, ... below ``nodes``: how far the neighbours of an exponential graph are."""
    return [2**power for power in range((nodes - 1).bit_length())]


def directed_hops(nodes: int) -> list[int]:
    """How far ahead the nodes are that each one of ``exponential_directed`` gives equal weights, itself first."""
    return [0, *powers_of_two(nodes)]


def _directed_exponential(nodes: int) -> NDArray[np.float64]:
    """Circulant, hence doubly stochastic."""
    hops = directed_hops(nodes)
    weights = np.zeros((nodes, nodes))
    for hop in hops:
        weights[np.arange(nodes), (np.arange(nodes) + hop) % nodes] += 1 / len(hops)
    return weights


def _closed_form_spectrum(name: str, nodes: int) -> NDArray[np.float64] | None:
    """Eigenvalues where a closed form is known (descending), else None."""
    if name == "complete":
        return np.concatenate([np.ones(1), np.zeros(nodes - 1)])
    if name == "ring" and nodes > 2:
        return np.sort((1 + 2 * np.cos(2 * np.pi * np.arange(nodes) / nodes)) / 3)[::-1]
    if name == "star" and nodes > 2:
        return np.concatenate([np.ones(1), np.full(nodes - 2, 1 - 1 / nodes), np.zeros(1)])
    if name == "hypercube":
        sides = nodes.bit_length() - 1
        return np.concatenate([np.full(math.comb(sides, k), 1 - 2 * k / (sides + 1)) for k in range(sides + 1)])
    return None


def plain_name(name: str) -> str:
    """``name`` without ``lazy_``.

    Raises:
        UnknownNameError: for a name that is neither in :data:`NAMES` nor ``lazy_`` before one of them.
    """
    plain = name.removeprefix(_LAZY)
    if plain not in NAMES:
        raise unknown_name("topology", name, NAMES)
    return plain


def check_nodes(nodes: int, most: int | None = None) -> None:
    """Refuse no nodes at all, and more than ``most``.

    Raises:
        TopologyError: one line.
    """
    if nodes < 1:
        raise TopologyError(f"got {nodes} nodes; a network has at least one node")
    if most is not None and nodes > most:
        raise TopologyError(f"got {nodes} nodes; a spectrum of more than {most} does not fit the memory: take fewer")


def topology(name: str, nodes: int) -> MixingMatrix:
    """A named topology with ``nodes`` nodes.

    Undirected graphs get Metropolis weights; ``exponential_directed`` has equal weights and is not symmetric. The prefix
    ``lazy_`` gives (I + W)/2, whose eigenvalues are all >= 0 when W is symmetric. The torus is the most square one, the
    random graphs (``erdos_renyi``, ``watts_strogatz``) are always the same for a given size.

    >>> round(topology("ring", 16).gap, 6)
    0.050747

    Raises:
        UnknownNameError: for a name that is neither in :data:`NAMES` nor ``lazy_`` before one of them.
        TopologyError: when the topology does not exist for that many nodes.
    """
    return _remembered(name, nodes) if nodes <= _SMALL else _build(name, nodes)


def _build(name: str, nodes: int) -> MixingMatrix:
    plain = plain_name(name)
    check_nodes(nodes)
    if plain == "complete":
        weights, spectrum = np.full((nodes, nodes), 1.0 / nodes), _closed_form_spectrum(plain, nodes)
    elif plain == _DIRECTED:
        weights, spectrum = _directed_exponential(nodes), None
    else:
        weights, spectrum = metropolis_weights(GRAPHS[plain](nodes)), _closed_form_spectrum(plain, nodes)
    if plain != name:
        weights, spectrum = (np.eye(nodes) + weights) / 2, None if spectrum is None else (1 + spectrum) / 2
    return MixingMatrix(weights, name=name, spectrum=spectrum)


#: Matrices never change, and a report asks for the same few a thousand times.
_remembered = lru_cache(maxsize=128)(_build)
