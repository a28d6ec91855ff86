"""Two factors and one outcome: coefficients, rank correlations and permutations within groups, bands over whole replicates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bounds.errors import DomainError

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Within:
    """Outcome and two factors of every replicate, centred within its groups; tables (replicates, points), scaled to variance 1.

    ``groups`` (points,) says which points are compared with one another; the mean of a group says nothing. One unit of a table is
    the standard deviation, within groups, over all replicates.
    """

    outcome: Values
    first: Values
    second: Values

    @classmethod
    def of(cls, outcome: ArrayLike, first: ArrayLike, second: ArrayLike, groups: ArrayLike) -> Within:
        """Centre and scale three tables (replicates, points).

        Raises:
            DomainError: for tables of different shapes, values that are not finite, or a table without spread within groups.
        """
        labels = np.asarray(groups)
        tables = [np.asarray(one, dtype=np.float64) for one in (outcome, first, second)]
        if len({one.shape for one in tables}) != 1 or tables[0].ndim != 2 or labels.shape != tables[0].shape[1:]:
            shapes = ", ".join(str(one.shape) for one in (*tables, labels))
            raise DomainError(f"got shapes {shapes}; need three tables (replicates, points) and the group of every point")
        return cls(*(_scaled(one, labels) for one in tables))

    def coefficients(self) -> tuple[Values, Values]:
        """Least squares of the outcome on both factors, (2,), and each replicate's pseudo-values, (replicates, 2), whose mean they are.

        With A the mean over replicates of X^T X and e the residuals, a replicate adds A^-1 X_r^T e_r to the coefficients (the delta
        method), so that a bootstrap of the pseudo-values is one over whole replicates.

        Raises:
            DomainError: when the factors are collinear.
        """
        design = np.stack([self.first, self.second], axis=-1)
        gram = np.einsum("rpi,rpj->ij", design, design) / len(design)
        if np.linalg.cond(gram) > 1e10:
            raise DomainError("the two factors are collinear within groups; nothing tells their parts apart")
        moment = np.einsum("rpi,rp->i", design, self.outcome) / len(design)
        found = np.linalg.solve(gram, moment)
        rest = self.outcome - design @ found
        return found, found + np.linalg.solve(gram, np.einsum("rpi,rp->ir", design, rest)).T

    def explained(self) -> tuple[float, float, float]:
        """Shares of the outcome's variance within groups that the first factor alone, the second alone, and both explain."""
        total = float((self.outcome**2).sum())
        alone = [float((self.outcome * one).sum()) ** 2 / float((one**2).sum()) / total for one in (self.first, self.second)]
        both = self.first * self.coefficients()[0][0] + self.second * self.coefficients()[0][1]
        return alone[0], alone[1], 1 - float(((self.outcome - both) ** 2).sum()) / total

    def permuted(self, which: int, groups: ArrayLike, count: int, rng: np.random.Generator) -> float:
        """p of the hypothesis that factor ``which`` (0 or 1) adds nothing to the other one: residuals exchanged within groups.

        Freedman and Lane (1983): what the other factor leaves of the outcome is permuted within every group of every replicate, and
        held against what it leaves of the factor. The p value counts the observed order as one of count + 1.
        """
        other, factor = (self.first, self.second) if which == 1 else (self.second, self.first)
        own, rest = _left(factor, other), _left(self.outcome, other)
        observed, labels, hits = abs(float((own * rest).sum())), np.asarray(groups), 1
        for _ in range(count):
            keys = rng.random(rest.shape) + _ranked(labels)
            hits += abs(float((own * np.take_along_axis(rest, _within_order(keys, labels), axis=1)).sum())) >= observed
        return hits / (count + 1)


def rank_correlations(first: ArrayLike, second: ArrayLike) -> Values:
    """Spearman's correlation of every row of two tables (replicates, points), ties by their mean rank; 0 where a row has no spread."""
    from scipy.stats import rankdata

    a, b = (rankdata(np.asarray(one, dtype=np.float64), axis=1) for one in (first, second))
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    size = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return np.asarray(np.divide((a * b).sum(axis=1), size, out=np.zeros(len(a)), where=size > 0))


def _scaled(table: Values, labels: NDArray[np.generic]) -> Values:
    if not np.isfinite(table).all():
        raise DomainError("got values that are not finite; leave such replicates out and say so")
    centred = table.copy()
    for label in np.unique(labels):
        columns = labels == label
        centred[:, columns] -= centred[:, columns].mean(axis=1, keepdims=True)
    spread = float(np.sqrt((centred**2).mean()))
    if spread <= 1e-12 * float(np.abs(table).max()):
        raise DomainError("a factor or the outcome does not vary within groups; nothing can be told from it")
    return centred / spread


def _left(table: Values, by: Values) -> Values:
    return table - by * (float((table * by).sum()) / float((by**2).sum()))


def _ranked(labels: NDArray[np.generic]) -> Values:
    return np.asarray(np.unique(labels, return_inverse=True)[1], dtype=np.float64)


def _within_order(keys: Values, labels: NDArray[np.generic]) -> NDArray[np.int64]:
    """Positions that exchange the members of every group at random: sorted keys of a group go to the group's own places."""
    order = np.argsort(keys, axis=1)
    places = np.argsort(_ranked(labels), kind="stable")
    found = np.empty_like(order)
    found[:, places] = order
    return found
