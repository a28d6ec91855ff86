"""Products with rows named by index against dense arrays in numpy."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from empirical.problems import lookups
from empirical.problems.lookups import add_rows_, row_products

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("copied", [False, True])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(("size", "d", "count", "b"), [(7, 16, 3, 1), (5, 48, 6, 4), (1, 16, 2, 3), (9, 64, 1, 20), (4, 16, 3, 4)])
def test_both_are_dense_products(
    monkeypatch: pytest.MonkeyPatch, size: int, d: int, count: int, b: int, dtype: torch.dtype, copied: bool
) -> None:
    if copied:  # the way of a GPU, two models at a time
        monkeypatch.setattr(lookups, "_in_place", lambda *_: False)
        monkeypatch.setattr(lookups, "_COPIED", 2 * b * d)
    table, models, factors = (torch.from_numpy(RNG.normal(size=shape)).to(dtype) for shape in ((size, d), (count, d), (count, b)))
    indices = torch.from_numpy(RNG.integers(0, size, (count, b)))
    rows, tolerance = table.double().numpy()[indices], 1e-13 if dtype is torch.float64 else 1e-4
    expected = np.einsum("kjd,kd->kj", rows, models.double().numpy())
    np.testing.assert_allclose(row_products(table, models, indices).double().numpy(), expected, atol=tolerance)
    summed = models.double().numpy() - 0.3 * np.einsum("kj,kjd->kd", factors.double().numpy(), rows)
    add_rows_(models, table, indices, factors, -0.3)
    np.testing.assert_allclose(models.double().numpy(), summed, atol=tolerance)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("b", [1, 3, 8])
def test_a_model_has_the_same_bits_wherever_it_stands(dtype: torch.dtype, b: int) -> None:
    table, models, factors = (torch.from_numpy(RNG.normal(size=shape)).to(dtype) for shape in ((40, 64), (50, 64), (50, b)))
    indices, order = torch.from_numpy(RNG.integers(0, 40, (50, b))), torch.from_numpy(RNG.permutation(50))[:37]
    products, summed = row_products(table, models, indices), models.clone()
    add_rows_(summed, table, indices, factors, 0.7)
    assert torch.equal(row_products(table, models[order], indices[order]), products[order])
    moved = models[order]
    add_rows_(moved, table, indices[order], factors[order], 0.7)
    assert torch.equal(moved, summed[order])


@pytest.mark.slow
def test_nothing_is_said_about_sparse_layouts() -> None:
    """In a process of its own, because torch says it once."""
    call = "row_products(torch.ones(2, 16), torch.ones(1, 16), torch.zeros(1, 1).long())"
    code = f"import torch; from empirical.problems.lookups import row_products; {call}"
    assert subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True).stderr == ""
