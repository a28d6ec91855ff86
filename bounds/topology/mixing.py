"""A validated mixing matrix with the spectral facts that theorems ask for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bounds.errors import DisconnectedGraphError, DomainError, MixingMatrixError
from bounds.setting import Network

_TOLERANCE = 1e-12


def _check_sums(matrix: NDArray[np.float64], axis: int, word: str) -> None:
    sums = matrix.sum(axis=axis)
    worst = int(np.argmax(np.abs(sums - 1)))
    if abs(sums[worst] - 1) > _TOLERANCE * max(1, matrix.shape[0]):
        raise MixingMatrixError(
            f"{word} {worst} of the mixing matrix sums to {sums[worst]:.15g}; a doubly stochastic matrix has every row and column sum 1: rescale it"
        )


def validated(matrix: ArrayLike) -> NDArray[np.float64]:
    """Return ``matrix`` as a float64 (m, m) array after checking that it is doubly stochastic with entries >= 0.

    Raises:
        MixingMatrixError: naming the offending row, column or entry.
    """
    array = np.array(matrix, dtype=np.float64)
    if array.ndim != 2 or array.shape[0] != array.shape[1] or array.shape[0] == 0:
        raise MixingMatrixError(f"got a mixing matrix of shape {array.shape}; it must be square with one row per node")
    if not np.isfinite(array).all():
        row = int(np.argwhere(~np.isfinite(array))[0][0])
        raise MixingMatrixError(f"row {row} of the mixing matrix has an entry that is not finite; all weights must be numbers >= 0")
    if (array < 0).any():
        row, column = map(int, np.argwhere(array < 0)[0])
        raise MixingMatrixError(
            f"row {row} of the mixing matrix has the negative weight {array[row, column]:g} in column {column}; weights must be >= 0"
        )
    _check_sums(array, 1, "row")
    _check_sums(array, 0, "column")
    return array


class MixingMatrix:
    """A doubly stochastic (m, m) matrix W with entries >= 0; row k holds the weights node k gives its neighbours.

    Args:
        matrix: the weights; checked on construction.
        name: what people call the topology.
        spectrum: the eigenvalues in descending order when a closed form is known; computed otherwise.

    Raises:
        MixingMatrixError: when the matrix is not doubly stochastic (the message names the row or column).
        DisconnectedGraphError: when the eigenvalue 1 is repeated, so that the nodes can never agree.
    """

    def __init__(self, matrix: ArrayLike, name: str = "custom", spectrum: NDArray[Any] | None = None) -> None:
        self.name = name
        self.matrix = validated(matrix)
        self.matrix.setflags(write=False)
        self.symmetric = bool(np.allclose(self.matrix, self.matrix.T, rtol=0, atol=_TOLERANCE))
        self._check_connected()
        self.spectrum = self._eigenvalues() if spectrum is None else spectrum
        self.spectrum.setflags(write=False)

    @property
    def nodes(self) -> int:
        """Number of nodes m."""
        return int(self.matrix.shape[0])

    def _check_connected(self) -> None:
        from scipy.sparse.csgraph import connected_components

        pieces, labels = connected_components(self.matrix > 0, directed=True, connection="strong")
        if pieces > 1:
            row = int(np.argmax(labels != labels[0]))
            raise DisconnectedGraphError(
                f"row {row} of the mixing matrix has no path to node 0 ({pieces} unconnected pieces); add weights until every node reaches every other"
            )

    def _eigenvalues(self) -> NDArray[Any]:
        if self.symmetric:
            return np.linalg.eigvalsh(self.matrix)[::-1]
        values = np.linalg.eigvals(self.matrix)
        return values[np.argsort(-values.real)]

    @property
    def lambda_2(self) -> float | None:
        """Second largest eigenvalue; None for one node or an asymmetric matrix."""
        return float(self.spectrum[1]) if self.symmetric and self.nodes > 1 else None

    @property
    def lambda_min(self) -> float | None:
        """Smallest eigenvalue; None for an asymmetric matrix."""
        return float(self.spectrum[-1]) if self.symmetric else None

    @property
    def gap(self) -> float:
        """Spectral gap 1 - max_{i>=2} |lambda_i|; 1 for a single node.

        Raises:
            DisconnectedGraphError: when it is 0 although the graph is connected (a bipartite graph without self-weights).
        """
        if self.nodes == 1:
            return 1.0
        others = np.delete(self.spectrum, int(np.argmin(np.abs(self.spectrum - 1))))
        gap = float(1 - np.max(np.abs(others)))
        if gap <= _TOLERANCE:
            raise DisconnectedGraphError(
                f"the mixing matrix {self.name!r} has a spectral gap of 0 (an eigenvalue of modulus 1 besides the first); give every node some self-weight"
            )
        return min(gap, 1.0)

    def power(self, Q: int) -> NDArray[np.float64]:
        """The (m, m) matrix W^Q of ``Q`` gossip steps.

        Raises:
            DomainError: when ``Q`` is not an integer >= 1.
        """
        if int(Q) != Q or Q < 1:
            raise DomainError(f"got Q={Q!r} gossip steps; Q takes an integer >= 1")
        return np.linalg.matrix_power(self.matrix, int(Q))

    def w_min(self, Q: int = 1) -> float:
        """Smallest diagonal entry of W^Q."""
        return float(np.diag(self.power(Q)).min())

    def effective_neighbours(self, decay: float = 0.95) -> float:
        """Effective number of neighbours of the walk x <- W(sqrt(d) x + noise), noise of unit variance (Vogels et al. 2022).

        It is (1/(1-d)) / mean_i Sigma_ii with Sigma = sum_{k>=1} d^(k-1) W^k (W^k)^T, between 1 and m.

        Raises:
            DomainError: when ``decay`` is not in [0, 1).
        """
        if not 0 <= decay < 1:
            raise DomainError(f"got decay={decay!r}; it takes a number >= 0 and < 1")
        if self.symmetric:
            squares = np.abs(self.spectrum) ** 2
            variance = float(np.mean(squares / (1 - decay * squares)))
        else:
            from scipy.linalg import solve_discrete_lyapunov

            covariance = solve_discrete_lyapunov(np.sqrt(decay) * self.matrix, self.matrix @ self.matrix.T)
            variance = float(np.mean(np.diag(covariance)))
        return 1 / ((1 - decay) * variance)

    def network(self, Q: int = 1) -> Network:
        """The facts about W and W^Q that a theorem may ask for."""
        return Network(
            name=self.name,
            m=self.nodes,
            gap=self.gap,
            w_min=self.w_min(Q),
            spectrum=tuple(float(value) for value in self.spectrum) if self.symmetric else None,
            symmetric=self.symmetric,
        )
