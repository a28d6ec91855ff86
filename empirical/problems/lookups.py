"""Products of models with rows of a table that are named by index, without copying the rows where that can be avoided.

On a CPU the copies alone take as long as a product. Both functions read the rows where they stand: as the entries of a sparse
matrix that are asked for (sampled dense-dense product), and as a weighted bag of rows. What one model gets depends on its own
weights and indices only, to the last bit, wherever it stands.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import lru_cache

import torch
from torch import Tensor

_COPIED = 1 << 26
"""Most numbers in copied rows at a time."""


@lru_cache(maxsize=1)
def _accept_sparse_layout() -> None:
    """Let torch say once, unheard, that its sparse layouts are in beta; users can do nothing about it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        torch.sparse_csr_tensor([0, 1], [0], [0.0], size=(1, 1), check_invariants=False)


def _copied(table: Tensor, indices: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Slices of the models, and the copies (models, b, d) of their rows, a bounded number of them at a time."""
    step = max(1, _COPIED // (indices.shape[1] * table.shape[1]))
    for start in range(0, len(indices), step):
        chosen = indices[start : start + step]
        yield slice(start, start + step), table.index_select(0, chosen.reshape(-1)).view(*chosen.shape, -1)


def _in_place(table: Tensor, b: int) -> bool:
    """Can rows be read where they stand? torch refuses more sparse entries than places, even where some are repeated."""
    return table.device.type == "cpu" and b <= len(table)


def row_products(table: Tensor, models: Tensor, indices: Tensor) -> Tensor:
    """The inner products <models[k], table[indices[k, j]]>, (B, b), of a table (size, d), models (B, d) and indices (B, b)."""
    count, b = indices.shape
    if not _in_place(table, b):
        return torch.cat([torch.bmm(rows, models[part].unsqueeze(2)).squeeze(2) for part, rows in _copied(table, indices)])
    _accept_sparse_layout()
    starts, nothing = torch.arange(0, count * b + 1, b), models.new_zeros(count * b)
    asked = torch.sparse_csr_tensor(starts, indices.reshape(-1), nothing, size=(count, len(table)), check_invariants=False)
    products: Tensor = torch.sparse.sampled_addmm(asked, models, table.t(), beta=0.0)
    return products.values().view(count, b)


def add_rows_(target: Tensor, table: Tensor, indices: Tensor, factors: Tensor, scale: float) -> None:
    """target[k] += scale * sum_j factors[k, j] table[indices[k, j]], in place; target (B, d), the others as above, factors (B, b)."""
    count, b = indices.shape
    if not _in_place(table, b):
        for part, rows in _copied(table, indices):
            target[part].unsqueeze(1).baddbmm_(factors[part].unsqueeze(1), rows, alpha=scale)
        return
    # The operation under torch.nn.functional.embedding_bag, whose checks of two-dimensional indices cost as much as the sums.
    sums = torch.embedding_bag(table, indices.reshape(-1), torch.arange(0, count * b, b), False, 0, False, factors.reshape(-1))[0]
    target.add_(sums, alpha=scale)
