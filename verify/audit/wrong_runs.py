"""Runs and measurements with a mistake in them: shared samples, uncoupled twins, one node's buffers, constants from too short a path."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

import bounds
from bounds.assumptions import PROPERTIES
from bounds.setting import Constant, LossClass, Network, Schedule, Setting
from bounds.vocabulary import UpdateForm, word
from empirical.oracles import Method, evolve, evolve_twins
from verify.audit.moments import _basins
from verify.audit.results import Catcher, Mutant
from verify.audit.spreads import balanced, one_eigenvalue
from verify.audit.stabilities import generalization_error, signed
from verify.audit.witness import Collector
from verify.statistics import judge
from verify.verdict import Verdict

Array = NDArray[np.float64]
_FORMS = ("atc", "cta", "consensus")
_LEVEL, _RESAMPLES = 0.05, 999


def wrong_runs() -> list[Mutant]:
    """Every mistake of a run or of a reading, judged."""
    return [*_shared_samples(), *_fresh_twins(), *_one_nodes_buffers(), *_training_risks(), *_short_paths(), *_projected()]


def _mistake(name: str, bound_id: str, catcher: Catcher, how: str = "") -> Mutant:
    return Mutant(f"{bound_id}: {name}", bound_id, name, "mistake", catcher, how)


def _held(found: Collector, name: str) -> Mutant:
    """The ordinary verdict on exact values that carry a mistake."""
    violated = found.witness().verdict(bounds.get(found.bound_id)) is Verdict.VIOLATED
    return _mistake(name, found.bound_id, "verdict" if violated else "missed", found.name if violated else "")


def _shared_samples() -> Iterator[Mutant]:
    """Every sample lies on two nodes, so replacing it changes both: half as many samples as the bound is told."""
    m, n, L, eta, T = 4, 3, 2.0, 0.1, 9
    for form, (bound_id, curvature, schedule) in product(
        _FORMS,
        (
            ("l1_stability_convex", 0.0, Schedule(eta=eta)),
            ("l1_stability_strongly_convex", 1.0, Schedule(eta=eta)),
            ("l1_stability_nonconvex", -1.0, Schedule(c=eta)),
        ),
    ):
        ours, theirs = signed(m, n, curvature, L)
        method = Method(update_form=word(UpdateForm, form), mixing=one_eigenvalue(m, 1 / 2), schedule=schedule)
        # Gradients are affine: two replacements move the mean by the sum of what each does.
        moved = [next(evolve_twins(method, ours, theirs, node, 0, [T])).difference.models.mean[:, 0] for node in (0, 2)]
        found = Collector(bound_id, "affine gradients, every sample on two nodes", "dominates")
        constants = {"mu": curvature} if curvature > 0 else {"beta": -curvature, "t0": 0} if curvature else {}
        found.add(form, "node_average", float(np.abs(sum(moved)).mean()), L=L, T=T, m=m, n=n, **schedule.facts(), **constants)
        found.places[0].point.pop("tau", None)
        yield _held(found, f"samples on two nodes, {form}")


def _fresh_twins() -> Iterator[Mutant]:
    """Twins that draw their own batches: their distance is twice the variance of a run, however many samples there are."""
    m, n, L, eta, T = 3, 50, 2.0, 0.1, 40
    ours, _ = signed(m, n, 0.0, L)
    method = Method(update_form=UpdateForm.ATC, mixing=one_eigenvalue(m, 1 / 2), schedule=Schedule(eta=eta))
    (state,) = evolve(method, ours, [T])
    apart = 2 * float(np.trace(state.models.blocks(), axis1=1, axis2=2).mean())
    found = Collector("l2_stability_atc_gap", "linear losses, twins with draws of their own", "dominates")
    found.add("atc", "node_average", apart, L=L, eta=eta, T=T, m=m, n=n, Q=1, gap=1 / 2)
    yield _held(found, "twin with fresh randomness")
    signs = np.random.default_rng(0).choice((-L, L), size=(2, 40, T, m))
    values = np.abs(eta * (signs[0] - signs[1]).mean(axis=2).sum(axis=1))[:, None]
    bound = bounds.get("l1_stability_convex").evaluate(L=L, eta=eta, T=T, m=m, n=n)
    verdict = judge(values, [bound], _LEVEL, _RESAMPLES, np.random.default_rng(1)).verdict
    yield _mistake(
        "twin with fresh randomness, measured", "l1_stability_convex", "verdict" if verdict is Verdict.VIOLATED else "missed", "40 runs"
    )
    # A null pair, where the replaced sample equals its replacement, must not part at all.
    yield _mistake(
        "twin with fresh randomness, null pair", "l1_stability_convex", "contract" if values.any() else "missed", "a null pair parts"
    )


def _one_nodes_buffers() -> Iterator[Mutant]:
    """The averaged model keeps the second coordinate of node 0."""
    for form in _FORMS:
        found = Collector(f"excess_risk_{form}", "averaged model with one coordinate of node 0", "equals")
        for basin in _basins((0.0,)):
            state = basin.state(form)
            squares = [state.models.average().blocks()[0][0, 0], state.models.blocks()[0][1, 1]]
            found.add(form, "network_mean", float(np.dot(basin.rho, squares)) / 2, **basin.point())
        yield _held(found, "one node's buffers in the averaged model")


def _training_risks() -> Iterator[Mutant]:
    """The population risk read on the training set makes every generalization error 0, which no upper bound can refute."""
    for bound_id, mu, form in product(("dsgd_convex", "dsgd_strongly_convex"), (0.5,), _FORMS):
        curvature = mu if "strongly" in bound_id else 0.0
        exact = generalization_error(form, one_eigenvalue(2, 1 / 2), (2, 2), Schedule(eta=0.1), curvature, 2.0, 10)
        caught = abs(exact) > 1e-9
        yield _mistake(
            f"population risk from the training set, {form}",
            bound_id,
            "contract" if caught else "missed",
            "the generalization error of every training set",
        )


def _settle(form: str, power: Array, eta: float, slope: Callable[[Array], Array], T: int, start: float = 0.0) -> Array:
    """(T + 1, m): deterministic models after every step; ``slope`` gives every node's gradient at its own model."""
    models = np.full((T + 1, len(power)), start)
    for t in range(1, T + 1):
        before = models[t - 1]
        at = power @ before if form == "cta" else before
        models[t] = power @ (before - eta * slope(at)) if form == "atc" else power @ before - eta * slope(at)
    return models


def _short_paths() -> Iterator[Mutant]:
    """Heterogeneity, or smoothness, that was found on the first steps and grows afterwards."""
    eta, power = 0.1, one_eigenvalue(2, 1 / 2)
    curvature, pull = np.array([1.0, -1.0]), balanced(2, 1.0)[:, 0]
    for form in _FORMS:
        models = _settle(form, power, eta, lambda x: curvature * x - 1.0, 60)
        spread = float(models[-1].var())
        early = float((np.abs(models[:3].mean(axis=1)) ** 2).max())
        found = Collector(f"consensus_distance_{form}", "nodes that grow apart on the way", "dominates")
        found.add(form, "node_average", spread, eta=eta, sigma2=0.0, zeta2=early, m=2, gap=1 / 2, Q=1, beta=1.0, T=60)
        yield _held(found, "heterogeneity estimated on too short a path")
        models = _settle(form, power, eta, lambda x: pull - 2 * np.clip(x, -3.0, 3.0) ** 3, 24, start=0.4)
        early = float((6 * models[:3] ** 2).max())
        found = Collector(f"consensus_distance_{form}", "a loss that curves more and more", "dominates")
        grown = next(T for T in range(2, 25) if (6 * models[T] ** 2).max() > 4 * early)
        found.add(
            form, "node_average", float(models[grown].var()), eta=eta, sigma2=0.0, zeta2=1.0, m=2, gap=1 / 2, Q=1, beta=early, T=grown
        )
        yield _held(found, "smoothness estimated on too short a path")


def _projected() -> Iterator[Mutant]:
    """A projected run held against a bound for runs without projection: the verdict must be NOT_APPLICABLE."""
    one = Constant(1.0, "certified", "planted")
    loss = LossClass("planted", convex=True, L=one, beta=one, mu=one, M=one, sigma2=one, zeta2=one)
    network = Network("complete", 4, 1.0, 1 / 4, (1.0, 0.0, 0.0, 0.0))
    for bound in bounds.entries().values():
        if all(prop.name != "unprojected" for prop in bound.properties):
            continue
        schedule = Schedule(c=2.0, tau=2) if "c" in bound.formula.required else Schedule(eta=0.1)
        setting = Setting(bound.update_forms[0], bound.readouts[0], 8, 10, schedule, loss, network, projection_radius=1.0)
        facts = {name: 1.0 for name in ("D0", "r0") if name in bound.formula.required}
        unmet = [outcome.text for outcome in bound.assess(setting.facts() | facts, setting.update_form.value, setting.readout.value)]
        caught = any(PROPERTIES["unprojected"] in text for text in unmet)
        yield _mistake("projected run held against an unprojected bound", bound.id, "contract" if caught else "missed", "its assumptions")
