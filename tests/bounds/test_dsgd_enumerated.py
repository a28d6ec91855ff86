"""Bounds on D-SGD against the truth of tiny problems: every data set and every sequence of drawn samples, no sampling error.

Two nodes with two samples each, up to three steps, a population of two points. The network W^Q = J + x (I - J) has x = (1 - gap)^Q.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pytest

import bounds

POINTS, STEPS, SLACK = 1000, 3, 1 + 1e-9
FORMS = ("atc", "cta", "consensus")
# Axes of every array of models: problem, data set, sequence, node.
DATA = np.array(list(product((0, 1), repeat=4))).reshape(16, 2, 2)
DRAWS = np.array(list(product((0, 1), repeat=2 * STEPS))).reshape(-1, STEPS, 2)
TWIN = np.array([int("".join(map(str, (1 - s[0, 0], *s.ravel()[1:]))), 2) for s in DATA])
Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass
class Problem:
    """One loss per random problem, its constants, and the learning rates (problem, step)."""

    loss: Callable[[Array, Array], Array]
    slope: Callable[[Array, Array], Array]
    constants: dict[str, Array]
    rates: Callable[[Array], Array]
    radius: Array
    samples: Array
    schedule: dict[str, Array]


def wide(values: Array) -> Array:
    return values[:, None, None, None]


def softplus(rng: np.random.Generator, curved: bool) -> Problem:
    """(h/2) w^2 + s log(1 + exp(a w z)) on a ball where h > 0; the learning rate goes up to what the theorem admits."""
    scale, steep, share = rng.uniform(0.2, 3, POINTS), rng.uniform(0.5, 4, POINTS), rng.uniform(0.05, 1, POINTS)
    samples = rng.uniform(-1, 1, (POINTS, 2))
    most = np.abs(samples).max(1)
    h = rng.uniform(0.05, 1, POINTS) if curved else np.zeros(POINTS)
    radius = rng.uniform(0.5, 2, POINTS) if curved else np.full(POINTS, np.inf)
    L, beta = scale * steep * most + (h * radius if curved else 0), scale * (steep * most) ** 2 / 4 + h
    return Problem(
        loss=lambda w, z: wide(h) * w**2 / 2 + wide(scale) * np.logaddexp(0, wide(steep) * w * z),
        slope=lambda w, z: wide(h) * w + wide(scale * steep) * z / (1 + np.exp(-wide(steep) * w * z)),
        constants={"L": L, "beta": beta, "mu": h},
        rates=lambda room: np.repeat((share * 2 * room / (beta + h))[:, None], STEPS, axis=1),
        radius=wide(radius),
        samples=samples,
        schedule={},
    )


def wave(rng: np.random.Generator) -> Problem:
    """M (1 + sin(a w z + o))/2, non-convex and in [0, M], with steps c/(t + tau)."""
    M, steep, offset = rng.uniform(0.2, 3, POINTS), rng.uniform(0.5, 4, POINTS), rng.uniform(-3, 3, POINTS)
    c, tau, samples = 10 ** rng.uniform(-2, 1, POINTS), rng.choice([0.0, 1.5], POINTS), rng.uniform(-1, 1, (POINTS, 2))
    most = np.abs(samples).max(1)
    return Problem(
        loss=lambda w, z: wide(M) * (1 + np.sin(wide(steep) * w * z + wide(offset))) / 2,
        slope=lambda w, z: wide(M * steep) * z * np.cos(wide(steep) * w * z + wide(offset)) / 2,
        constants={"L": M * steep * most / 2, "beta": M * (steep * most) ** 2 / 2, "M": M},
        rates=lambda room: c[:, None] / (np.arange(1, STEPS + 1) + tau[:, None]),
        radius=wide(np.full(POINTS, np.inf)),
        samples=samples,
        schedule={"c": c, "tau": tau},
    )


@dataclass
class Truth:
    """Exact expectations of one update form on every problem."""

    parameters: dict[str, Array]
    models: Array
    generalization: Array
    of_mean: Array
    loss_met: list[Array]
    squares: list[Array]

    def evaluate(self, bound_id: str, *names: str, where: Any = slice(None), **more: Any) -> Array:
        bound = bounds.get(bound_id)
        values = {"m": 2, "n": 2} | {name: self.parameters[name][where] for name in names} | more
        result: Array = bound.evaluate(**{name: value for name, value in values.items() if name in bound.formula.parameters})
        return result

    def twin_distance(self, power: int, keep: Array | None = None) -> Array:
        """E norm(x_k - x_k^(ij))^power for the first sample of the first node (the nodes are alike), by problem and node."""
        distance = np.abs(self.models - self.models[:, TWIN]) ** power
        # The fresh copy of the sample equals the old one half of the time.
        return (distance if keep is None else distance * keep[:, None, :, None]).mean((1, 2)) / 2


def risks(problem: Problem, models: Array) -> tuple[Array, Array]:
    """Expected risk and training risk by problem and model."""
    z = problem.samples
    risk = sum(problem.loss(models, wide(z[:, i])).mean((1, 2)) for i in (0, 1)) / 2
    train = sum(problem.loss(models, z[:, DATA[:, j, i]][:, :, None, None]).mean((1, 2)) for i in (0, 1) for j in (0, 1)) / 4
    return risk, train


@cache
def truth(kind: str, form: str) -> Truth:
    rng = np.random.default_rng([ord(kind[0]), len(form)])
    problem = wave(rng) if kind == "nonconvex" else softplus(rng, kind == "strongly_convex")
    T, Q, gap = rng.integers(1, STEPS + 1, POINTS), rng.integers(1, 4, POINTS), rng.uniform(0.01, 1, POINTS)
    x = wide((1 - gap) ** Q)
    w_min = (1 + x[:, 0, 0, 0]) / 2
    rates = problem.rates(w_min if form == "consensus" else np.ones(POINTS))
    z = problem.samples

    def mixed(models: Array) -> Array:
        mean = models.mean(-1, keepdims=True)
        return mean + x * (models - mean)

    def projected(models: Array) -> Array:
        return np.clip(models, -problem.radius, problem.radius)

    models = np.zeros((POINTS, 16, len(DRAWS), 2))
    final, losses, gradients, squares = models, [], np.zeros(POINTS), [np.zeros(POINTS)]
    for t in range(STEPS):
        at = mixed(models) if form == "cta" else models
        drawn = z[:, DATA[:, (0, 1), DRAWS[:, t]]]
        own = [z[:, DATA[:, :, i]][:, :, None, :] for i in (0, 1)]
        losses.append(sum(problem.loss(at, one).mean((1, 2, 3)) for one in own) / 2)
        gradients = gradients + (t < T) / T * sum(np.abs(problem.slope(at, one)).mean((1, 2, 3)) for one in own) / 2
        start = models if form == "atc" else mixed(models)
        models = projected(start - wide(rates[:, t]) * problem.slope(at, drawn))
        models = mixed(models) if form == "atc" else models
        squares.append(np.mean((models - models[:, TWIN]) ** 2, axis=(1, 2, 3)) / 2)
        final = np.where(wide(t + 1 == T), models, final)
    risk, train = risks(problem, final)
    risk_mean, train_mean = risks(problem, final.mean(-1, keepdims=True))
    parameters = problem.constants | problem.schedule | {"T": T, "Q": Q, "gap": gap, "w_min": w_min, "eta": rates[:, 0]}
    parameters |= {"F": sum((t < T) / T * losses[t] for t in range(STEPS)), "G": gradients, "R_S": train.mean(1)}
    return Truth(parameters, final, risk - train, (risk_mean - train_mean)[:, 0], losses, squares)


def holds(exact: Array, bound: Array) -> bool:
    return bool(np.all(exact <= bound * SLACK + 1e-13))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("kind", "names"), [("convex", ("L", "eta", "T")), ("strongly_convex", ("L", "eta", "T", "mu"))])
def test_constant_steps(kind: str, names: tuple[str, ...], form: str) -> None:
    here = truth(kind, form)
    stability = here.evaluate(f"l1_stability_{kind}", *names)
    assert holds(here.twin_distance(1).mean(1), stability)
    bound = here.evaluate(f"dsgd_{kind}", *names)
    assert holds(np.abs(here.generalization).max(1), bound)
    assert holds(np.abs(here.of_mean), bound)
    # The comparison is worth something only where the truth comes near the bound; a fresh copy of a sample is often the old one.
    assert np.max(here.twin_distance(1).mean(1) / stability) > 0.2
    assert np.max(here.generalization.max(1) / bound) > 0.05


@pytest.mark.parametrize("form", FORMS)
def test_by_the_gradients_met_on_the_way(form: str) -> None:
    here = truth("convex", form)
    bound = here.evaluate("dsgd_convex_trajectory", "L", "eta", "T", "G")
    assert holds(np.abs(here.generalization).max(1), bound)
    assert np.max(here.generalization.max(1) / bound) > 0.2


@pytest.mark.parametrize(("form", "suffix"), [("atc", ""), ("consensus", "_consensus")])
def test_worst_node_and_worst_data_set(form: str, suffix: str) -> None:
    here = truth("convex", form)
    bound = here.evaluate(f"dsgd_worst_node_convex{suffix}", "L", "eta", "T", "gap", "Q")
    assert holds(np.abs(here.generalization).max(1), bound)
    uniform = np.abs(here.models - here.models[:, TWIN]).mean(2).max((1, 2))
    assert holds(here.parameters["L"] * uniform, bound)
    assert np.max(here.parameters["L"] * uniform / bound) > 0.3


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_decaying_steps_nonconvex(form: str) -> None:
    here = truth("nonconvex", form)
    bound = here.evaluate("dsgd_nonconvex", "L", "c", "T", "beta", "M", "tau")
    assert holds(np.abs(here.generalization).max(1), bound)
    assert holds(np.abs(here.of_mean), bound)
    assert np.max(here.generalization.max(1) / bound) > 0.1
    t0 = np.random.default_rng(1).integers(0, here.parameters["T"] + 1)
    unhit = ~((DRAWS[None, :, :, 0] == 0) & (np.arange(1, STEPS + 1) <= t0[:, None, None])).any(2)
    stability = here.evaluate("l1_stability_nonconvex", "L", "c", "T", "beta", "tau", t0=t0)
    assert holds(here.twin_distance(1, unhit).mean(1), stability)


@pytest.mark.parametrize("form", FORMS)
def test_relaxed_form_nonconvex(form: str) -> None:
    """Also where its assumption 1 <= t0* <= T fails: the proof does not use it."""
    here = truth("nonconvex", form)
    assert holds(np.abs(here.generalization).max(1), here.evaluate("dsgd_nonconvex_relaxed", "L", "c", "T", "beta", "M"))


def test_squares() -> None:
    here = truth("convex", "atc")
    square = here.twin_distance(2).mean(1)
    assert holds(square, here.evaluate("l2_stability_atc_gap", "L", "eta", "T", "gap", "Q"))
    for p in range(POINTS):
        spectrum = [1.0, 1 - here.parameters["gap"][p]]
        assert holds(square[p], here.evaluate("l2_stability_atc", "L", "eta", "T", "Q", where=p, spectrum=spectrum))


@pytest.mark.parametrize("gam", [None, 0.3])
def test_on_average(gam: float | None) -> None:
    here, free = truth("convex", "atc"), {"gam": gam} if gam else {}
    error = here.generalization.mean(1)
    assert holds(error, here.evaluate("dsgd_on_average_convex", "beta", "eta", "T", "F", "R_S", **free))
    lei = here.evaluate("lei2020_on_average", "beta", "R_S", D=here.twin_distance(2).mean(1), **free)
    assert holds(error, lei)
    assert np.max(error / lei) > 0.2


@pytest.mark.parametrize("p", [0.05, 0.5, 2.0, 20.0])
def test_one_step_of_the_squared_stability(p: float) -> None:
    """D <- (1 + p/n) D + 8 beta (1 + 1/p) eta^2 F_t/(m n), step by step, for every p > 0 that the derivation may choose."""
    here = truth("convex", "atc")
    fresh = 8 * here.parameters["beta"] * (1 + 1 / p) * here.parameters["eta"] ** 2 / 4
    for t in range(STEPS):
        assert holds(here.squares[t + 1], (1 + p / 2) * here.squares[t] + fresh * here.loss_met[t])
