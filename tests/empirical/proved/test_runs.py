"""The problems in training runs: null twins, chunks and a measurement with everything a bound needs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from bounds.vocabulary import Quantity, Readout
from empirical.configuration import Run
from empirical.measuring import measure
from empirical.problems import problem
from empirical.simulation import simulate
from empirical.streams import stream

NAMES = ["softmax-l2-digits", "sigmoid-digits", "network-digits"]
GAP = (Quantity.GENERALIZATION_ERROR, Readout.NODE_AVERAGE)
L1 = (Quantity.L1_STABILITY, Readout.NODE_AVERAGE)


def _run(**changes: Any) -> Run:
    base: dict[str, Any] = {"update_form": "atc", "m": 5, "n": 6, "T": 6, "eta": 3.0, "radius": 2.0, "replicates": 4, "twins": 3}
    return Run(**(base | changes))


def _null_lanes(run: Run, size: int) -> np.ndarray:
    """Training sets (1, 6, m, n): a base and five twins that replace, each at another node, a sample no batch draws."""
    rng = np.random.default_rng(0)
    lanes = np.repeat(rng.integers(size, size=(1, 1, run.m, run.n)), 6, axis=1)
    drawn = stream(run.seed, "batch", 0).integers(0, run.n, (run.T, run.m, run.b), np.uint16)
    for twin in range(1, 6):
        node = twin % run.m
        place = next(j for j in range(run.n) if not (drawn[:, node] == j).any())
        lanes[0, twin, node, place] = (lanes[0, twin, node, place] + 1) % size
    return lanes


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["atc", "consensus"])
@pytest.mark.parametrize("b", [1, 4])
@pytest.mark.parametrize("m", [3, 16, 25])
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_null_twins_differ_by_exactly_zero(name: str, form: Any, b: int, m: int, precision: Any) -> None:
    run = _run(problem=name, update_form=form, b=b, m=m, n=40, T=8, replicates=1, precision=precision)
    described = problem(name)
    for state in simulate(run, described, _null_lanes(run, described.size), range(1), torch.device("cpu"), late=False):
        assert state.abs().max() > 0.02
        assert torch.equal(state, state[:, :1].expand_as(state))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("changes", [{}, {"update_form": "consensus", "b": 3, "precision": "float32"}], ids=["atc", "consensus"])
def test_chunks_give_the_same_bits(name: str, changes: dict[str, Any]) -> None:
    run = _run(problem=name, checkpoints=(2, 6), **changes)
    reference = measure(run, [GAP, L1], device="cpu")
    for chunk in (1, 3):
        for ours, theirs in zip(measure(run, [GAP, L1], device="cpu", chunk=chunk), reference, strict=True):
            assert np.array_equal(ours.values, theirs.values)


@pytest.mark.parametrize("name", NAMES)
def test_a_measurement_carries_certified_constants_and_respects_them(name: str) -> None:
    run = _run(problem=name, T=40, eta=0.5, replicates=6)
    for measured in measure(run, [GAP, L1], device="cpu"):
        constants = measured.setting.loss.constants()
        assert set(constants) >= {"L", "beta", "M", "sigma2", "zeta2"}
        assert ("mu" in constants) == (name == "softmax-l2-digits")
        assert measured.setting.estimated() == []
        assert (np.abs(measured.values) <= (constants["M"].value if measured.quantity is GAP[0] else 2 * 2.0)).all()
        assert measured.values.std() > 0
        if measured.quantity is L1[0]:
            # A hit moves one of m nodes by at most 2 eta L, and a twin is hit T/n times on average; twice that covers the luck.
            assert measured.values.max() <= 4 * run.eta * constants["L"].value * run.T / (run.m * run.n)


@pytest.mark.parametrize("name", NAMES)
def test_padding_weights_stay_zero(name: str) -> None:
    described = problem(name)
    narrow = type(described)("narrow", described.features[:, :5], *_labels(name))  # type: ignore[call-arg]
    weights = torch.zeros(3, narrow.width, dtype=torch.float64)
    for step in range(4):
        narrow.add_gradient_(weights, weights, torch.tensor([[step], [7 + step], [90 + step]]), -0.5)
    rows = weights.view(3, *narrow.weight_shape)
    assert rows[..., :5].abs().max() > 0.01
    assert torch.equal(rows[..., 5:], torch.zeros_like(rows[..., 5:]))


def _labels(name: str) -> tuple[np.ndarray]:
    from empirical.problems.digits import digits, parity

    return (digits()[1] if "softmax" in name else parity(digits()[1]),)
