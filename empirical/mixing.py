"""Gossip as a tensor operation: W^Q applied to many networks at once, each exactly as if it were alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Mix = Callable[[Tensor, Tensor], None]
"""mix(models, out): write W^Q X into ``out`` for every network X of ``models``, both (networks, m, P)."""


def bands(matrix: NDArray[np.float64]) -> list[tuple[int, NDArray[np.float64]]]:
    """The cyclic diagonals (s, w) of an (m, m) matrix that are not all zero, w[k] = W[k, (k + s) mod m]; s = 0 always."""
    rows = np.arange(matrix.shape[0])
    diagonals = ((s, matrix[rows, (rows + s) % len(rows)]) for s in range(len(rows)))
    return [(s, weights) for s, weights in diagonals if s == 0 or weights.any()]


_LARGE_MODEL = 1 << 17
_MANY_NODES = 32


def is_sparse(matrix: NDArray[np.float64], width: int) -> bool:
    """Are sums over neighbours faster than the product on a CPU (measured, see docs/performance.md)?"""
    m = len(matrix)
    return m >= _MANY_NODES and width >= _LARGE_MODEL and 4 * int(np.count_nonzero(matrix)) <= m * m


def mixer(matrix: NDArray[np.float64], device: torch.device, dtype: torch.dtype, by_column: bool = False, width: int = 0) -> Mix:
    """The fastest of three ways to apply ``matrix``, chosen by its entries, the device and the ``width`` P of one model (0:
    small) only, never by the number of networks.

    ``by_column`` asks for the way whose every column of X has the same bits whatever stands beside it and however many there are.
    """
    if device.type == "cpu" and not by_column and is_sparse(matrix, width):
        return _sparse(matrix)
    diagonals = bands(matrix)
    if by_column or (device.type == "cpu" and len(diagonals) <= 2 + len(matrix) // 8):
        if not by_column and all((weights == weights[0]).all() for _, weights in diagonals):
            return _circulant([(s, float(weights[0])) for s, weights in diagonals])
        return _banded([(s, torch.from_numpy(weights).to(device, dtype)[:, None]) for s, weights in diagonals])
    return _dense(torch.tensor(matrix, dtype=dtype, device=device))


def _dense(weights: Tensor) -> Mix:
    def mix(models: Tensor, out: Tensor) -> None:
        # One batch entry per network: networks side by side in one product would see different summation orders.
        torch.bmm(weights.expand(models.shape[0], *weights.shape), models, out=out)

    return mix


def _banded(diagonals: list[tuple[int, Tensor]]) -> Mix:
    """Add up the cyclic diagonals one by one: for a ring three passes instead of a product with m columns."""

    def mix(models: Tensor, out: Tensor) -> None:
        m = models.shape[1]
        for s, weights in diagonals:
            if s == 0:
                torch.mul(models, weights, out=out)
                continue
            out[:, : m - s].addcmul_(models[:, s:], weights[: m - s])
            out[:, m - s :].addcmul_(models[:, :s], weights[m - s :])

    return mix


def _circulant(diagonals: list[tuple[int, float]]) -> Mix:
    """The same for diagonals of one number each: rows that lie together are then one stretch, which for small models is twice as fast."""

    def mix(models: Tensor, out: Tensor) -> None:
        m = models.shape[1]
        for s, weight in diagonals:
            if s == 0:
                torch.mul(models, weight, out=out)
                continue
            out[:, : m - s].add_(models[:, s:], alpha=weight)
            out[:, m - s :].add_(models[:, :s], alpha=weight)

    return mix


def _sparse(matrix: NDArray[np.float64]) -> Mix:
    """Add up each node's neighbours in the order of their numbers, one model at a time: m * degree passes instead of m * m."""
    edges = [[(int(j), float(row[j])) for j in np.flatnonzero(row)] for row in matrix]

    def mix(models: Tensor, out: Tensor) -> None:
        for network, target in zip(models, out, strict=True):
            for node, ((first, weight), *others) in enumerate(edges):
                torch.mul(network[first], weight, out=target[node])
                for neighbour, share in others:
                    target[node].add_(network[neighbour], alpha=share)

    return mix


def ordered_mixer(matrices: Sequence[NDArray[np.float64]]) -> Mix:
    """The gossip steps ``matrices``, one after the other, each in the one order of summation that any implementation can repeat.

    A step gives node k the sum over its neighbours j, ascending, of round(W[k, j]) x_j in the models' precision: each product
    is rounded, then added, so that no bit depends on fused operations, on widths of registers, or on what stands beside.
    """
    steps = [[[(int(j), float(row[j])) for j in np.flatnonzero(row)] for row in matrix] for matrix in matrices]

    def mix(models: Tensor, out: Tensor) -> None:
        source = models
        for number, rows in enumerate(steps):
            target = out if number == len(steps) - 1 else torch.empty_like(out)
            for node, terms in enumerate(rows):
                target[:, node] = ordered_sum([(source[:, j], weight) for j, weight in terms])
            source = target

    return mix


def ordered_sum(terms: Sequence[tuple[Tensor, float]]) -> Tensor:
    """The sum of weight * tensor over ``terms`` in their order, every product and every sum rounded."""
    (first, weight), *others = terms
    total = first * weight
    for tensor, share in others:
        # Not add_(tensor, alpha=share), which may or may not round the product.
        total += tensor * share
    return total
