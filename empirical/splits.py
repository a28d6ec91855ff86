"""How the data of one labelled population come to differ between nodes, with the meaning of every word stated.

``iid``: every node's distribution D_k is uniform over the whole population.

``label_skew``: the population, sorted by label (ties by index), is cut into m contiguous parts whose sizes differ by at
most one; D_k is uniform over part k.

``dirichlet``: node k's class proportions are drawn from a symmetric Dirichlet distribution over the classes with
parameter alpha, independently for every node (and replicate); D_k picks a class by them and then a point of that class
uniformly. Small alpha: nearly one class per node; large alpha: equal classes.

A run draws each node's n samples from D_k *with replacement*, because theory speaks of independent samples; the same
population point may therefore occur twice, also on two nodes. :func:`partition` is the other kind of split: fixed,
without replacement, every point on exactly one node.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bounds.errors import DomainError, unknown_name
from empirical.streams import stream

SPLITS = ("iid", "label_skew", "dirichlet")
LARGEST_ALPHA = 1e6

Indices = NDArray[np.int64]
Values = NDArray[np.float64]


def check_split(split: str, alpha: float | None) -> None:
    """Raise unless ``split`` is known and ``alpha`` is given exactly when it is ``dirichlet``.

    Raises:
        UnknownNameError: for an unknown split. DomainError: for a missing, needless or out-of-range alpha.
    """
    if split not in SPLITS:
        raise unknown_name("split", split, SPLITS)
    if split != "dirichlet" and alpha is not None:
        raise DomainError(f"got a Dirichlet alpha={alpha!r} with split={split!r}, which has none; leave it out or use split='dirichlet'")
    if split == "dirichlet" and (alpha is None or not 0 < alpha <= LARGEST_ALPHA):
        raise DomainError(f"got a Dirichlet alpha={alpha!r}; split='dirichlet' takes a number > 0 and <= {LARGEST_ALPHA:g}, such as 0.5")


def _check_nodes(size: int, m: int) -> None:
    if not 1 <= m <= size:
        raise DomainError(f"got m={m} nodes for {size} labelled points; take 1 <= m <= {size}")


def _label_parts(labels: Indices, m: int) -> list[Indices]:
    _check_nodes(len(labels), m)
    return np.array_split(np.argsort(labels, kind="stable").astype(np.int64), m)


def node_distributions(labels: Indices, m: int, split: str, alpha: float | None, generator: np.random.Generator) -> Values:
    """The nodes' distributions D_k over the population, (m, size), each row summing to 1 up to rounding.

    Args:
        labels: (size,) integers 0..C-1. alpha: for ``dirichlet`` only. generator: used by ``dirichlet`` only.

    Raises:
        UnknownNameError, DomainError: see :func:`check_split`; also for more nodes than points (``label_skew``).
    """
    check_split(split, alpha)
    if split == "dirichlet":
        assert alpha is not None
        counts = np.bincount(labels)
        present = np.flatnonzero(counts)
        shares = np.zeros((m, len(counts)))
        shares[:, present] = generator.dirichlet(np.full(len(present), alpha), size=m)
        return np.asarray(shares[:, labels] / counts[labels])
    if split == "iid":
        return np.full((m, len(labels)), 1.0 / len(labels))
    rows = np.zeros((m, len(labels)))
    for row, part in zip(rows, _label_parts(labels, m), strict=True):
        row[part] = 1.0 / len(part)
    return rows


def draw_from(distribution: Values, uniforms: Values) -> Indices:
    """Population indices with the given probabilities (size,), one for each uniform number in [0, 1), by inversion.

    A point of probability 0 is never drawn.
    """
    cumulative = np.cumsum(distribution)
    # u * total stays below the total for every double u < 1, so the result is always a point of positive probability.
    return np.asarray(np.searchsorted(cumulative, uniforms * cumulative[-1], side="right"), dtype=np.int64)


def partition(labels: Indices, m: int, split: str = "iid", alpha: float | None = None, seed: int = 0) -> list[Indices]:
    """Deal every index 0..size-1 to exactly one of ``m`` nodes; the ascending indices of each node.

    ``iid``: a random permutation cut into m parts whose sizes differ by at most one. ``label_skew``: the parts of the
    run's split of that name (sorted by label, cut into m parts). ``dirichlet``: each *class* is shuffled and dealt to the
    nodes in proportions drawn from a symmetric m-dimensional Dirichlet distribution with parameter ``alpha`` (over nodes,
    not over classes: proportions over classes cannot be met when each point is used once); sizes vary and a node may
    get nothing.

    Args:
        labels: (size,) integers >= 0. seed: any integer >= 0; equal arguments give equal parts.

    Raises:
        UnknownNameError, DomainError: see :func:`check_split`; also unless 1 <= m <= size.
    """
    labels = np.asarray(labels)
    check_split(split, alpha)
    _check_nodes(len(labels), m)
    generator = stream(seed, "partition", 0)
    if split == "iid":
        parts = np.array_split(generator.permutation(len(labels)), m)
    elif split == "label_skew":
        parts = list(_label_parts(labels, m))
    else:
        assert alpha is not None
        dealt = [_deal(np.flatnonzero(labels == label), m, alpha, generator) for label in np.unique(labels)]
        parts = [np.concatenate(pieces) for pieces in zip(*dealt, strict=True)]
    return [np.sort(part).astype(np.int64) for part in parts]


def _deal(members: Indices, m: int, alpha: float, generator: np.random.Generator) -> list[Indices]:
    """Shuffle ``members`` and cut them at the rounded cumulative Dirichlet proportions."""
    shares = np.cumsum(generator.dirichlet(np.full(m, alpha)))
    cuts = np.rint(shares[:-1] / shares[-1] * len(members)).astype(np.int64)
    return np.split(generator.permutation(members), cuts)
