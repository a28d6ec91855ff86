"""The ends of the spectrum of a large sparse mixing matrix, by Lanczos iterations; no dense matrix is built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bounds.errors import DisconnectedGraphError, DomainError, MixingMatrixError, TopologyError

_VECTORS = 32
_RESTARTS = 400
#: Residual of the first try; each further one asks for a tenth.
_FIRST = 1e-2
_ACCURACY = 0.01
_ROUNDING = 1e-14


@dataclass(frozen=True)
class Extremes:
    """Second largest and smallest eigenvalue of a symmetric mixing matrix, as far as Lanczos found them.

    Ritz values lie inside the true spectrum: ``lambda_2`` is at most the true one, ``gap`` at least, up to rounding. An
    eigenvalue lies within ``residual`` of each; that it is the outermost one is very likely, and not proved.

    Args:
        degree: neighbours of every node; None where they differ.
        residual: the larger of the two norms of W v - lambda v.
        products: matrix-vector products that it took.
    """

    name: str
    nodes: int
    lambda_2: float
    lambda_min: float
    degree: int | None
    residual: float
    products: int

    @property
    def gap(self) -> float:
        """Spectral gap 1 - max(lambda_2, -lambda_min)."""
        return 1 - max(self.lambda_2, -self.lambda_min)


def sparse_metropolis(adjacency: Any) -> Any:
    """Metropolis weights of an undirected connected graph as a sparse (m, m) array.

    Args:
        adjacency: scipy sparse, (m, m), symmetric; every stored nonzero is an edge, the diagonal is ignored.

    Raises:
        TopologyError: when it is not square and symmetric, or has no nodes.
        DisconnectedGraphError: when some nodes cannot reach the others.
    """
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    if adjacency.ndim != 2 or adjacency.shape[0] != adjacency.shape[1] or adjacency.shape[0] == 0:
        raise TopologyError(f"got an adjacency of shape {adjacency.shape}; it must be square with one row per node")
    edges = sparse.coo_array(adjacency)
    kept = (edges.row != edges.col) & (edges.data != 0)
    row, column = edges.row[kept], edges.col[kept]
    pattern = sparse.csr_array((np.ones(len(row)), (row, column)), shape=edges.shape)
    pattern.data[:] = 1.0
    if (pattern != pattern.T).nnz:
        raise TopologyError("got a directed adjacency; Metropolis weights need every edge in both directions: add its transpose")
    pieces = connected_components(pattern, directed=False)[0]
    if pieces > 1:
        raise DisconnectedGraphError(f"the graph falls into {pieces} unconnected pieces; add edges until every node reaches every other")
    degree = np.diff(pattern.indptr)
    pattern.data = 1.0 / (1.0 + np.maximum(np.repeat(degree, degree), degree[pattern.indices]))
    return (pattern + sparse.diags_array(1.0 - pattern.sum(axis=1))).tocsr()


def _degree(weights: Any) -> int | None:
    counts = np.diff(weights.indptr) - (weights.diagonal() != 0)
    return int(counts[0]) if (counts == counts[0]).all() else None


class _Products:
    """v -> W v - shift * mean(v): the matrix with its eigenvalue 1 moved to 1 - shift; counts its calls."""

    def __init__(self, weights: Any) -> None:
        self.weights, self.count = weights, 0

    def outermost(self, end: str, shift: float, tolerance: float, start: Any) -> tuple[float, Any, float]:
        """The largest ("LA") or smallest ("SA") eigenvalue, its vector, and the norm of its residual."""
        from scipy.sparse.linalg import ArpackError, ArpackNoConvergence, LinearOperator, eigsh

        nodes = self.weights.shape[0]

        def product(vector: Any) -> Any:
            self.count += 1
            return self.weights @ vector - shift * vector.mean()

        operator = LinearOperator((nodes, nodes), matvec=product, dtype=np.float64)
        try:
            values, vectors = eigsh(operator, 1, which=end, v0=start, ncv=min(_VECTORS, nodes), tol=tolerance, maxiter=_RESTARTS)
        except ArpackNoConvergence:
            raise DomainError(
                f"no eigenvalue of {nodes} nodes converged to {tolerance:.0e} in {self.count} products: the gap is too small for Lanczos; "
                "take fewer nodes, or a topology with a closed form"
            ) from None
        except ArpackError as error:
            raise DomainError(f"the eigenvalues of {nodes} nodes could not be found ({error}); check the weights") from None
        return float(values[0]), vectors[:, 0], float(np.linalg.norm(product(vectors[:, 0]) - values[0] * vectors[:, 0]))


def extremes(weights: Any, name: str = "graph", accuracy: float = _ACCURACY) -> Extremes:
    """Second largest and smallest eigenvalue of a sparse symmetric doubly stochastic (m, m) array of at least three nodes.

    Iterates until the residuals are at most ``accuracy`` times the gap. The start vector is fixed, so the same weights give
    the same numbers. Memory: about 40 vectors of m numbers beside the weights; products grow like 1/sqrt(gap).

    Raises:
        MixingMatrixError: when the weights are not symmetric with rows of sum 1 and entries >= 0, or have fewer than three rows.
        DomainError: when nothing converges.
    """
    weights = weights.tocsr()
    _check(weights)
    products, tolerance = _Products(weights), _FIRST
    start = np.random.default_rng(0).standard_normal(weights.shape[0])
    ends = (start, start)
    while True:
        # Moved to -1 the eigenvalue 1 is below all others; left where it is, it is above them.
        second, top, one = products.outermost("LA", 2.0, tolerance, ends[0])
        smallest, bottom, other = products.outermost("SA", 0.0, tolerance, ends[1])
        found = Extremes(name, weights.shape[0], second, smallest, _degree(weights), max(one, other), products.count)
        if found.residual <= max(accuracy * found.gap, _ROUNDING):
            return found
        ends, tolerance = (top, bottom), tolerance / 10


def _check(weights: Any) -> None:
    if weights.ndim != 2 or weights.shape[0] != weights.shape[1] or weights.shape[0] < 3:
        raise MixingMatrixError(f"got weights of shape {weights.shape}; Lanczos iterations take a square matrix of at least three nodes")
    sums = weights.sum(axis=1)
    worst = int(np.argmax(np.abs(sums - 1)))
    # Written so that a row with nan is caught too.
    if not abs(sums[worst] - 1) <= 1e-9:
        raise MixingMatrixError(f"row {worst} of the mixing matrix sums to {sums[worst]:.15g}; every row has sum 1: rescale it")
    if weights.nnz and weights.data.min() < 0:
        raise MixingMatrixError(f"the mixing matrix has the negative weight {weights.data.min():g}; weights must be >= 0")
    difference = abs(weights - weights.T)
    if difference.nnz and difference.max() > 1e-12:
        raise MixingMatrixError("the mixing matrix is not symmetric; Lanczos iterations need a symmetric one")
