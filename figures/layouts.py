"""Where the nodes of a network are drawn: the usual picture of a named graph, springs for any other."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bounds.topology import MixingMatrix, torus_sides

Places = NDArray[np.float64]
#: Chosen by a search in which nodes keep as far as they can from one another and from the edges that are not theirs.
_MOVES = ((1.0, 0.0), (0.0, 1.0), (0.463, 0.45), (-0.241, 0.221), (0.378, 0.132), (-0.201, 0.032), (0.074, 0.224))


def places(matrix: MixingMatrix) -> Places:
    """A point (x, y) for every node, shape (m, 2), chosen by the topology's name; nodes are in the order of the matrix's rows."""
    name = matrix.name.removeprefix("lazy_")
    if matrix.nodes <= 3:
        return _circle(matrix.nodes)
    usual = name in _NAMED and (name != "hypercube" or matrix.nodes <= 1 << len(_MOVES))
    return _NAMED[name](matrix.nodes) if usual else _springs(matrix)


def edges(matrix: MixingMatrix) -> list[tuple[int, int, float]]:
    """(node, neighbour, weight) of every edge; of a symmetric matrix each edge once."""
    rows, columns = np.nonzero(matrix.matrix)
    kept = rows < columns if matrix.symmetric else rows != columns
    pairs = zip(rows[kept].tolist(), columns[kept].tolist(), strict=True)
    return [(row, column, float(matrix.matrix[row, column])) for row, column in pairs]


def _circle(nodes: int) -> Places:
    angle = np.pi / 2 - 2 * np.pi * np.arange(nodes) / nodes
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _star(nodes: int) -> Places:
    """Node 0 in the middle, the others around it."""
    return np.concatenate([np.zeros((1, 2)), _circle(nodes - 1)])


def _path(nodes: int) -> Places:
    """Rows that turn at their ends, so that a long path still fills a square."""
    columns = math.ceil(math.sqrt(nodes))
    row, column = np.divmod(np.arange(nodes), columns)
    return np.stack([np.where(row % 2 == 0, column, columns - 1 - column), -row], axis=1).astype(np.float64)


def _torus(nodes: int) -> Places:
    """The grid, bent a little so that the edge from one end of a row or column to the other is seen beside the edges between."""
    rows, columns = torus_sides(nodes)
    row, column = np.divmod(np.arange(nodes), columns)
    bend = (_bend(row, rows), _bend(column, columns))
    return np.stack([column + 0.30 * bend[0], -(row + 0.30 * bend[1])], axis=1)


def _bend(place: NDArray[np.int64], count: int) -> Places:
    across = place / max(count - 1, 1)
    return 4 * across * (1 - across)


def _hypercube(nodes: int) -> Places:
    """Every bit of a node's number moves it by a vector of its own."""
    bits = nodes.bit_length() - 1
    digits = (np.arange(nodes)[:, None] >> np.arange(bits)[::-1]) & 1
    return np.asarray(digits @ np.array(_MOVES[:bits]), dtype=np.float64)


def _springs(matrix: MixingMatrix) -> Places:
    """Kamada and Kawai (1989), which start from a circle and draw nothing at random."""
    import networkx as nx

    graph = nx.Graph(matrix.matrix - np.diag(np.diag(matrix.matrix)))
    # Lengths by the number of edges between two nodes, not by weights.
    found = nx.kamada_kawai_layout(graph, weight=None)
    return np.array([found[node] for node in range(matrix.nodes)])


_NAMED: dict[str, Callable[[int], Places]] = {
    "ring": _circle,
    "complete": _circle,
    "exponential": _circle,
    "exponential_directed": _circle,
    "watts_strogatz": _circle,
    "star": _star,
    "path": _path,
    "torus": _torus,
    "hypercube": _hypercube,
}
