"""The tensor program against a plain loop over nodes, and against algorithms it must coincide with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from bounds.topology import MixingMatrix, topology
from empirical.configuration import Run
from empirical.measuring import trajectory
from empirical.mixing import bands, mixer

Plain = Callable[[Run, int], np.ndarray]


def _run(**changes: Any) -> Run:
    base = {"problem": "softmax-digits", "update_form": "atc", "m": 5, "n": 4, "T": 7, "eta": 1.5, "replicates": 2, "seed": 0}
    return Run(**(base | changes))


def _lopsided(m: int) -> MixingMatrix:
    """A doubly stochastic matrix that is neither symmetric nor circulant."""
    rng = np.random.default_rng(m)
    shares = rng.dirichlet(np.ones(6))
    return MixingMatrix(sum(share * np.eye(m)[rng.permutation(m)] for share in shares) * 0.9 + 0.1 / m)


@pytest.mark.parametrize("name", ["softmax-digits", "linear"])
@pytest.mark.parametrize("form", ["atc", "cta", "consensus", "centralized"])
@pytest.mark.parametrize(
    "changes",
    [{}, {"Q": 3, "b": 4}, {"radius": 0.7, "b": 2}, {"data": "shared"}, {"eta": None, "c": 3.0, "tau": 0.5, "radius": 0.7}],
    ids=["plain", "Q3b4", "ball", "shared", "decaying"],
)
def test_equals_the_plain_loop(plain_models: Plain, name: str, form: str, changes: dict[str, Any]) -> None:
    run = _run(problem=name, update_form=form, **changes)
    for replicate, models in enumerate(trajectory(run, device="cpu")[:, -1]):
        np.testing.assert_allclose(models, plain_models(run, replicate), rtol=0, atol=1e-12)


@pytest.mark.parametrize("form", ["atc", "cta", "consensus"])
@pytest.mark.parametrize("m", [2, 5, 9])
def test_any_mixing_matrix(plain_models: Plain, form: str, m: int) -> None:
    run = _run(update_form=form, m=m, topology=_lopsided(m), Q=2)
    np.testing.assert_allclose(trajectory(run, device="cpu")[1, -1], plain_models(run, 1), rtol=0, atol=1e-12)


@pytest.mark.parametrize("b", [1, 3])
def test_stratified_centralized_equals_the_plain_loop(plain_models: Plain, b: int) -> None:
    run = _run(update_form="centralized", sampling="stratified", b=b, radius=1.0)
    np.testing.assert_allclose(trajectory(run, device="cpu")[1, -1], plain_models(run, 1), rtol=0, atol=1e-12)


@pytest.mark.parametrize("b", [1, 3])
@pytest.mark.parametrize("changes", [{"Q": 120}, {"topology": "complete"}], ids=["many gossip steps", "complete"])
def test_atc_at_full_averaging_is_mini_batch_sgd(b: int, changes: dict[str, Any]) -> None:
    run = _run(b=b, T=40, checkpoints=(1, 20, 40), **changes)
    power = run.mixing().power(run.Q)
    assert abs(power - 1 / run.m).max() < 1e-15
    batch = _run(b=b, T=40, checkpoints=(1, 20, 40), update_form="centralized", sampling="stratified")
    np.testing.assert_allclose(*np.broadcast_arrays(trajectory(run, device="cpu"), trajectory(batch, device="cpu")), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "changes", [{}, {"Q": 3, "b": 2}, {"topology": _lopsided(5)}, {"radius": 0.7}, {"eta": None, "c": 4.0, "tau": 1.0}]
)
def test_gradient_points_of_cta_are_the_models_of_atc(changes: dict[str, Any]) -> None:
    run = _run(update_form="cta", T=12, checkpoints=(1, 5, 12), **changes)
    models = trajectory(run, device="cpu")
    mixed = np.einsum("kj,rtjcd->rtkcd", np.linalg.matrix_power(run.mixing().matrix, run.Q), models)
    atc = trajectory(replace(run, update_form="atc"), device="cpu")
    np.testing.assert_allclose(mixed, atc, rtol=0, atol=1e-12)
    assert abs(models - atc).max() > 1e-2


@pytest.mark.parametrize("form", ["atc", "cta", "consensus", "centralized"])
def test_a_decaying_step_with_a_huge_offset_is_a_constant_step(form: str) -> None:
    constant, decaying = _run(update_form=form), _run(update_form=form, eta=None, c=1.5e14, tau=1e14)
    np.testing.assert_allclose(trajectory(decaying, device="cpu"), trajectory(constant, device="cpu"), rtol=0, atol=1e-12)


def test_consensus_form_at_full_averaging_is_not_mini_batch_sgd() -> None:
    batch = trajectory(_run(update_form="centralized", sampling="stratified"), device="cpu")
    assert abs(trajectory(_run(update_form="consensus", Q=120), device="cpu") - batch).max() > 1e-2


@pytest.mark.parametrize("form", ["atc", "cta", "consensus"])
@pytest.mark.parametrize("name", ["ring", "complete"])
def test_one_node_is_plain_sgd(form: str, name: str) -> None:
    alone = trajectory(_run(m=1, update_form=form, topology=name, radius=2.0), device="cpu")
    assert np.array_equal(alone, trajectory(_run(m=1, update_form="centralized", radius=2.0), device="cpu"))


@pytest.mark.parametrize("form", ["atc", "cta", "consensus", "centralized"])
def test_projection_is_respected_and_binds(form: str) -> None:
    norms = np.linalg.norm(trajectory(_run(update_form=form, radius=0.5, T=20, eta=3.0), device="cpu"), axis=(3, 4))
    assert norms.max() <= 0.5 * (1 + 1e-15)
    assert norms.max() > 0.3


@pytest.mark.parametrize("changes", [{}, {"update_form": "cta"}, {"eta": None, "c": 3.0, "tau": 2.0}], ids=["atc", "cta", "decaying"])
def test_longer_run_begins_like_a_shorter_one(changes: dict[str, Any]) -> None:
    short, long = _run(T=6, **changes), _run(T=9, checkpoints=(6, 9), **changes)
    assert np.array_equal(trajectory(short, device="cpu")[:, 0], trajectory(long, device="cpu")[:, 0])


def test_float32_follows_float64() -> None:
    single, double = (trajectory(_run(precision=p), device="cpu") for p in ("float32", "float64"))
    np.testing.assert_allclose(single, double, atol=1e-5)
    assert not np.array_equal(single, double)


@pytest.mark.parametrize(
    "matrix", [topology("ring", 24).power(1), topology("ring", 24).power(2), topology("torus", 16).power(1), _lopsided(9).matrix]
)
def test_both_ways_to_mix(matrix: np.ndarray) -> None:
    models = torch.from_numpy(np.random.default_rng(0).normal(size=(3, len(matrix), 32)))
    out = torch.full_like(models, torch.nan)
    mixer(matrix, torch.device("cpu"), torch.float64)(models, out)
    np.testing.assert_allclose(out.numpy(), np.einsum("kj,bjp->bkp", matrix, models.numpy()), atol=1e-14)


def test_bands_rebuild_the_matrix() -> None:
    matrix = topology("ring", 9).power(2)
    rebuilt = sum(np.diag(w) @ np.roll(np.eye(9), s, axis=1) for s, w in bands(matrix))
    assert len(bands(matrix)) == 5
    np.testing.assert_array_equal(rebuilt, matrix)
