"""Products of models with rows of a table that are named by index, without copying the rows where that can be avoided.

On a CPU the copies alone take as long as a product. Both functions read the rows where they stand: as the entries of a sparse
matrix that are asked for (sampled dense-dense product), and as a weighted bag of rows. What one model gets depends on its own
weights and indices only, to the last bit, wherever it stands.
"""

from __future__ import annotations

import warnings
from functools import lru_cache

import torch
from torch import Tensor


@lru_cache(maxsize=1)
def _accept_sparse_layout() -> None:
    """Let torch say once, unheard, that its sparse layouts are in beta; users can do nothing about it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        torch.sparse_csr_tensor([0, 1], [0], [0.0], size=(1, 1), check_invariants=False)


def row_products(table: Tensor, models: Tensor, indices: Tensor) -> Tensor:
    """The inner products <models[k], table[indices[k, j]]>, (B, b), of a table (size, d), models (B, d) and indices (B, b)."""
    count, b = indices.shape
    # torch refuses more entries than the matrix has places, whichever are repeated.
    if table.device.type != "cpu" or b > len(table):
        rows = table.index_select(0, indices.reshape(-1)).view(count, b, -1)
        return torch.bmm(rows, models.unsqueeze(2)).squeeze(2)
    _accept_sparse_layout()
    starts = torch.arange(0, count * b + 1, b)
    asked = torch.sparse_csr_tensor(
        starts, indices.reshape(-1), models.new_zeros(count * b), size=(count, len(table)), check_invariants=False
    )
    products: Tensor = torch.sparse.sampled_addmm(asked, models, table.t(), beta=0.0)
    return products.values().view(count, b)


def add_rows_(target: Tensor, table: Tensor, indices: Tensor, factors: Tensor, scale: float) -> None:
    """target[k] += scale * sum_j factors[k, j] table[indices[k, j]], in place; target (B, d), the others as above, factors (B, b)."""
    count, b = indices.shape
    if table.device.type != "cpu":
        rows = table.index_select(0, indices.reshape(-1)).view(count, b, -1)
        target.unsqueeze(1).baddbmm_(factors.unsqueeze(1), rows, alpha=scale)
        return
    starts = torch.arange(0, count * b, b)
    # The operation under torch.nn.functional.embedding_bag, whose checks of two-dimensional indices cost as much as the sums.
    sums = torch.embedding_bag(table, indices.reshape(-1), starts, False, 0, False, factors.reshape(-1))[0]
    target.add_(sums, alpha=scale)
