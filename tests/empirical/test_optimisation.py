"""Readings of optimization bounds: a plain loop over stored models, exact expectations on quadratics, and their errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from bounds.errors import DomainError, UnknownNameError
from empirical import Run, trajectory
from empirical.minimisers import minima
from empirical.optimisation import AT_THE_END, ON_THE_WAY, optimise
from empirical.oracles import affine_gradients, evolve, method_of
from empirical.problems import problem
from empirical.problems.base import Problem
from empirical.samples import draw_samples

BASE = Run(problem="softmax-l2-digits", update_form="atc", m=3, n=4, T=6, eta=0.8, Q=2, checkpoints=(2, 6), replicates=3, seed=5)
FORMS = ("atc", "cta", "consensus", "centralized")


def _losses(described: Problem, model: np.ndarray, row: np.ndarray) -> np.ndarray:
    return described.losses(torch.from_numpy(model.reshape(1, -1)), torch.from_numpy(row)[None])[0].numpy()


def _gradients(described: Problem, model: np.ndarray, row: np.ndarray) -> np.ndarray:
    models = torch.from_numpy(np.tile(model.reshape(1, -1), (len(row), 1)))
    return described.gradients(models, torch.from_numpy(row)[:, None]).numpy()


def _plain(run: Run, replicate: int) -> dict[str, list[float]]:
    """Every reading of one replicate from its stored models, model by model and sample by sample."""
    described, T = problem(run.problem), run.T
    path = trajectory(replace(run, checkpoints=tuple(range(1, T + 1))), device="cpu")[replicate].reshape(T, run.models, -1)
    path = np.concatenate([np.zeros_like(path[:1]), path])
    training = draw_samples(run, described).training[replicate]
    flat, nodes, everyone = training.reshape(-1), training.reshape(run.models, -1), np.arange(described.size)
    mix = np.linalg.matrix_power(run.mixing().matrix, run.Q) if run.update_form == "cta" else np.eye(run.models)
    points = np.einsum("kj,tjp->tkp", mix, path)
    least, risk = minima(described, flat[None]).least[0], minima(described, everyone[None]).least[0]
    found: dict[str, list[float]] = {name: [] for name in ON_THE_WAY + AT_THE_END}
    slopes = [[_gradients(described, points[t, k], nodes[k]) for k in range(run.models)] for t in range(T)]
    for t in run.read_at:
        for prefix, models in (("", path[t]), ("averaged ", path[:t].mean(axis=0))):
            for where, seen in (("network_mean", models.mean(axis=0)[None]), ("node_average", models)):
                found[f"{prefix}training {where}"].append(np.mean([_losses(described, one, flat).mean() for one in seen]) - least)
                found[f"{prefix}risk {where}"].append(np.mean([_losses(described, one, everyone).mean() for one in seen]) - risk)
        raw = np.mean([_losses(described, one, flat).mean() for one in path[t]])
        found["raw_training"].append(raw)
        found["generalization"].append(np.mean([_losses(described, one, everyone).mean() for one in path[t]]) - raw)
        means = [_gradients(described, path[s].mean(axis=0), flat).mean(axis=0) for s in range(t)]
        found["gradient"].append(np.mean([slope @ slope for slope in means]))
        met = [np.mean([_losses(described, points[s, k], nodes[k]).mean() for k in range(run.models)]) for s in range(t)]
        found["met"].append(np.mean(met))
        found["largest"].append(max(np.linalg.norm(slope, axis=1).max() for step in slopes[:t] for slope in step))
        end = [_gradients(described, path[t, k], nodes[k]) for k in range(run.models)]
        found["variance"].append(np.mean([((one - one.mean(axis=0)) ** 2).sum(axis=1).mean() for one in end]))
        found["spread"].append(((path[t] - path[t].mean(axis=0)) ** 2).sum(axis=1).mean())
    return found


@pytest.mark.parametrize("form", FORMS)
def test_equals_a_plain_loop(form: str) -> None:
    run = replace(BASE, update_form=form)
    found = optimise(run, ON_THE_WAY + AT_THE_END, device="cpu", chunk=2)
    for replicate in (0, 2):
        plain = _plain(run, replicate)
        for name, values in found.values.items():
            np.testing.assert_allclose(values[replicate], plain[name], rtol=1e-9, atol=1e-11, err_msg=name)
    assert all((values != 0).any() for name, values in found.values.items() if form != "centralized" or name != "spread")


def test_readings_depend_neither_on_chunks_nor_on_each_other() -> None:
    together = optimise(BASE, ON_THE_WAY + AT_THE_END, device="cpu", chunk=3)
    alone = optimise(BASE, ("gradient",), device="cpu", chunk=1)
    np.testing.assert_array_equal(alone.values["gradient"], together.values["gradient"])


@pytest.mark.parametrize("form", ["atc", "cta", "consensus"])
def test_mean_over_runs_agrees_with_the_exact_expectation(form: str) -> None:
    run = Run(problem="quadratic", update_form=form, m=4, n=3, T=8, eta=0.3, checkpoints=(1, 4, 8), replicates=100, seed=2)
    names = {"training network_mean": "network_mean", "training node_average": "node_average"}
    found, described = optimise(run, (*names, "spread"), device="cpu"), problem("quadratic")
    exact: dict[str, list[list[float]]] = {name: [] for name in (*names, "spread")}
    for indices in draw_samples(run, described).training:
        gradients = affine_gradients(described, indices)
        states = list(evolve(method_of(run), gradients, run.read_at))
        for name, where in names.items():
            exact[name].append([state.excess_risk(gradients.objective(), where) for state in states])
        exact["spread"].append([state.consensus_distance("node_average") for state in states])
    for name, values in exact.items():
        off = found.values[name] - np.array(values)
        z = off.mean(axis=0) / (off.std(axis=0, ddof=1) / np.sqrt(len(off)))
        assert np.abs(z).max() < 4, name
        assert off.std() > 1e-4


def test_constants_of_each_training_set() -> None:
    found = optimise(BASE, ("spread",), device="cpu")
    described = problem(BASE.problem)
    least = minima(described, draw_samples(BASE, described).training.reshape(3, -1))
    np.testing.assert_array_equal(found.r0, least.distance)
    np.testing.assert_array_equal(found.D0, least.above)
    assert found.sigma2.max() == pytest.approx(found.settings[0].loss.sigma2.value)
    assert found.sigma2.min() < found.sigma2.max()


def test_without_a_minimum_the_start_bounds_itself() -> None:
    found = optimise(replace(BASE, problem="sigmoid-digits"), ("gradient", "raw_training"), device="cpu")
    assert found.r0 is None
    np.testing.assert_allclose(found.D0, 0.5, rtol=1e-12)
    with pytest.raises(DomainError, match="not certified"):
        optimise(replace(BASE, problem="sigmoid-digits"), ("training network_mean",), device="cpu")


def test_errors() -> None:
    with pytest.raises(UnknownNameError):
        optimise(BASE, ("speed",), device="cpu")
    with pytest.raises(DomainError, match="iid"):
        optimise(replace(BASE, split="label_skew"), ("spread",), device="cpu")
    with pytest.raises(DomainError, match="diverged"):
        optimise(replace(BASE, problem="quadratic", eta=1e60, T=40, checkpoints=(40,)), ("spread",), device="cpu")
