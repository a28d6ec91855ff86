"""The mean gradient norm met on the way, against a plain loop over steps, nodes and samples."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from bounds.errors import DomainError
from empirical.configuration import Run
from empirical.path_norms import gradient_norms
from empirical.problems import PROBLEMS, problem
from empirical.problems.base import Problem


def _run(**changes: Any) -> Run:
    base = {
        "problem": "softmax-digits",
        "update_form": "atc",
        "m": 4,
        "n": 3,
        "T": 6,
        "eta": 2.0,
        "replicates": 2,
        "checkpoints": (1, 4, 6),
    }
    return Run(**(base | changes))


@pytest.mark.parametrize("form", ["atc", "cta", "consensus", "centralized"])
@pytest.mark.parametrize(
    "changes", [{}, {"problem": "quadratic", "eta": 0.3, "Q": 2}, {"radius": 0.5, "b": 2}], ids=["digits", "quadratic", "ball"]
)
@pytest.mark.usefixtures("quadratic")
def test_equals_a_plain_loop(plain: Any, form: str, changes: dict[str, Any]) -> None:
    run = _run(update_form=form, **changes)
    described = problem(run.problem)
    found = gradient_norms(run, device="cpu")
    assert found.shape == (2, 3)
    for replicate in range(2):
        training, places = plain[0](run, replicate, described.size)
        nodes = training.reshape(1, -1) if form == "centralized" else training
        met = []
        for t in range(run.T):
            models = plain[1](run, described, training, places[:t])
            if form == "cta":
                models = np.einsum("kj,j...->k...", np.linalg.matrix_power(run.mixing().matrix, run.Q), models)
            met.append(np.mean([np.linalg.norm(plain[2](described, w, z)) for w, row in zip(models, nodes, strict=True) for z in row]))
        np.testing.assert_allclose(found[replicate], [np.mean(met[:T]) for T in run.read_at], rtol=1e-12)
    assert found.std() > 1e-3


def test_cta_meets_the_gradients_of_atc() -> None:
    cta, atc = (gradient_norms(_run(update_form=form), device="cpu") for form in ("cta", "atc"))
    np.testing.assert_allclose(cta, atc, rtol=1e-13)


def test_linear_gradients_have_one_length_and_a_longer_run_begins_like_a_shorter_one() -> None:
    np.testing.assert_allclose(gradient_norms(_run(problem="linear", eta=0.1), device="cpu"), 1.0, rtol=1e-15)
    assert np.array_equal(gradient_norms(_run(T=4, checkpoints=(1, 4)), device="cpu"), gradient_norms(_run(), device="cpu")[:, :2])


@pytest.mark.parametrize("name", sorted({*PROBLEMS, "quadratic"}))
@pytest.mark.usefixtures("quadratic")
def test_norms_are_norms_of_gradients(name: str) -> None:
    described = problem(name)
    rng = np.random.default_rng(4)
    weights = torch.from_numpy(rng.normal(size=(3, described.width)))
    indices = torch.from_numpy(rng.integers(described.size, size=(3, 5)))
    one_by_one = [
        [float(described.gradients(w[None], z[None, None])[0].norm()) for z in row] for w, row in zip(weights, indices, strict=True)
    ]
    for norms in (described.gradient_norms(weights, indices), Problem.gradient_norms(described, weights, indices)):
        np.testing.assert_allclose(norms.numpy(), one_by_one, rtol=1e-12)


def test_never_above_the_lipschitz_constant() -> None:
    loss = problem("softmax-digits").loss_class()
    assert loss.L is not None
    assert gradient_norms(_run(eta=50.0), device="cpu").max() <= loss.L.value


def test_refused_in_one_line() -> None:
    with pytest.raises(DomainError, match="give the run eta instead of c") as caught:
        gradient_norms(replace(_run(), eta=None, c=1.0), device="cpu")
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("quadratic")
def test_a_diverged_run_is_never_a_number() -> None:
    with np.errstate(all="ignore"), pytest.raises(DomainError, match="diverged"):
        gradient_norms(_run(problem="quadratic", eta=1e200), device="cpu")
