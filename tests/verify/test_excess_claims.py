"""The claims on excess risk: the ball that iterates stay in, true and planted bounds, and cases that do not apply."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import bounds
from bounds.bound import Bound
from bounds.errors import DomainError
from bounds.formula import Let
from bounds.vocabulary import Quantity, UpdateForm
from empirical import Run, trajectory
from empirical.optimisation import optimise
from verify.case import Context
from verify.claims.core import Budget
from verify.claims.multigossip import descent, excess
from verify.claims.multigossip.descent import Held, best_step, hold, invariant_radius, per_replicate
from verify.plan import execute
from verify.verdict import Verdict

BASE = Run(problem="quadratic", update_form="atc", m=4, n=8, T=20, eta=0.2, Q=2, checkpoints=(5, 20), replicates=60, seed=4)
STEPS: dict[str, Any] = {"parameter": "T", "places": ((0, 5), (0, 20)), "x": (5.0, 20.0), "label": "loss"}
PL = Held("mgs_pl", "training network_mean", "network_mean", quantity=Quantity.OTHER, **STEPS)
RISK = Held("mgs_excess_convex", "averaged risk network_mean", "network_mean", quantity=Quantity.EXCESS_RISK, in_ball=True, **STEPS)


def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def scaled(bound_id: str, factor: float) -> Bound:
    """The bound times ``factor``: a theory that forgot something."""
    bound = bounds.get(bound_id)
    lets = tuple(Let("value", f"({let.text})*{factor!r}") if let.name == "value" else let for let in bound.formula.lets)
    return dataclasses.replace(bound, formula=dataclasses.replace(bound.formula, lets=lets))


@pytest.mark.parametrize("form", ["atc", "cta"])
@pytest.mark.parametrize(("name", "eta"), [("quadratic", 1.0), ("softmax-l2-digits", 8.0)])
def test_unprojected_models_stay_in_the_ball(name: str, eta: float, form: str) -> None:
    run = replace(BASE, problem=name, update_form=UpdateForm(form), eta=eta, T=12, checkpoints=tuple(range(1, 13)), replicates=3)
    norms = np.sqrt((trajectory(run, device="cpu").reshape(3, 12, 4, -1) ** 2).sum(axis=-1)).max(axis=(0, 2))
    radii = np.array([invariant_radius(name, T, eta) for T in range(1, 13)])
    assert (norms <= radii).all()
    assert (radii <= invariant_radius(name, 1)).all()
    # The bound on the norm is not idle: the first step reaches a good part of it.
    assert norms[0] > 0.2 * radii[0]


def test_the_ball_needs_small_steps_and_a_penalty() -> None:
    with pytest.raises(DomainError, match="eta <= 10"):
        invariant_radius("softmax-l2-digits", 5, 10.5)
    with pytest.raises(DomainError, match="no proved ball"):
        invariant_radius("softmax-digits", 5, 0.1)


@pytest.mark.parametrize("held", [PL, RISK], ids=["pl", "excess"])
def test_true_bounds_hold_and_planted_ones_are_refuted(monkeypatch: pytest.MonkeyPatch, held: Held) -> None:
    measured = (optimise(BASE, (held.reading,), device="cpu"),)
    found = hold(measured, 0.01, rng(), held)
    assert found.verdict is Verdict.HOLDS
    assert found.numbers.measured < found.numbers.high <= found.numbers.bound
    assert found.numbers.bound == pytest.approx(per_replicate(measured[0], [5.0, 20.0].index(_deciding(found.reason)), held).mean())
    wrong = scaled(held.bound_id, 0.5 / found.numbers.tightness)
    monkeypatch.setattr(descent.bounds, "get", lambda _: wrong)
    assert hold(measured, 0.01, rng(), held).verdict is Verdict.VIOLATED


def _deciding(reason: str) -> float:
    return float(reason.split("T = ")[1].split(",")[0])


def test_a_bound_at_the_mean_is_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = (optimise(BASE, (PL.reading,), device="cpu"),)
    held = dataclasses.replace(PL, places=((0, 20),), x=(20.0,))
    exact = hold(measured, 0.01, rng(), held).numbers.tightness
    wrong = scaled("mgs_pl", 1 / exact)
    monkeypatch.setattr(descent.bounds, "get", lambda _: wrong)
    assert hold(measured, 0.01, rng(), held).verdict is Verdict.UNDECIDED


@pytest.mark.parametrize(
    ("change", "words"),
    [({"radius": 5.0}, "projection"), ({"eta": 0.9}, "4\\*eta\\*beta"), ({"update_form": UpdateForm.CTA}, "cta")],
    ids=["projected", "large step", "other form"],
)
def test_unmet_assumptions_are_named(change: dict[str, Any], words: str) -> None:
    measured = (optimise(replace(BASE, **change), (RISK.reading,), device="cpu"),)
    found = hold(measured, 0.01, rng(), RISK)
    assert found.verdict is Verdict.NOT_APPLICABLE
    assert re.search(words, found.reason)


def test_the_bound_uses_each_training_sets_own_constants() -> None:
    one = optimise(BASE, (PL.reading,), device="cpu")
    values, setting = per_replicate(one, 1, PL), one.settings[1]
    gap = setting.network.gap
    expected = bounds.get("mgs_pl").evaluate(
        update_form="atc", readout="network_mean", eta=0.2, T=20, m=4, beta=setting.loss.beta.value, mu=setting.loss.mu.value, b=1, gap=gap,
        Q=2, sigma2=one.sigma2[7], zeta2=one.zeta2[7], D0=one.D0[7],
    )  # fmt: skip
    assert values[7] == pytest.approx(expected)
    assert values.std() > 0.002


def test_the_best_step_is_the_calibrated_one() -> None:
    runs = tuple(replace(BASE, eta=eta, checkpoints=()) for eta in (0.05, 0.1, 0.2))
    held = dataclasses.replace(RISK, parameter="eta", places=((0, 20), (1, 20), (2, 20)), x=(0.05, 0.1, 0.2))
    found = best_step(tuple(optimise(run, (held.reading,), device="cpu") for run in runs), 0.01, rng(), held)
    assert found.verdict is Verdict.HOLDS
    assert "the bound is least at eta = " in found.reason
    assert "least at eta = 0.2" in found.reason


def test_exact_expectations_refute_a_planted_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    for form in ("atc", "cta", "consensus"):
        assert excess.exact_training(form, 0, 2, (1, 5), 1).verdict is Verdict.HOLDS
    wrong = scaled("mgs_pl", 0.5)
    monkeypatch.setattr(excess.bounds, "get", lambda _: wrong)
    found = excess.exact_training("atc", 0, 4, (1, 5), 1)
    assert found.verdict is Verdict.VIOLATED
    assert "exceeds" in found.reason


def test_projecting_every_node_moves_the_mean() -> None:
    found = excess.projected_witness(10_000, 0.1)
    assert found.verdict is Verdict.NOT_APPLICABLE
    # Both nodes leave the average of the pulls at -0.9 + 0.08 once the first is clipped: by hand from the two maps.
    assert found.numbers.measured == pytest.approx(0.0164, abs=1e-4)
    assert found.numbers.bound == pytest.approx(0.001)


def test_separability_is_found_or_undecided() -> None:
    assert excess.separable(0, 4, 4, 5_000).verdict is Verdict.NOT_APPLICABLE
    assert excess.separable(0, 8, 16, 1).verdict is Verdict.UNDECIDED


def test_some_cases_end_to_end() -> None:
    built = excess.excess_risk(Budget("quick", 40, 2), 0, "cpu")
    assert len({case.case for case in built}) == len(built) == 24
    for case in built:
        if case.case in ("convex-quadratic-T", "pl-quadratic-T", "stationarity-sigmoid-atc-T"):
            assert case.decide(execute(case.tasks(), jobs=1), Context(0.001, 0)).verdict is Verdict.HOLDS


@pytest.mark.slow
def test_every_case_end_to_end() -> None:
    built = excess.excess_risk(Budget("quick", 40, 2), 0, "cpu")
    found = {case.case: case.decide(execute(case.tasks(), jobs=1), Context(0.001, 0)).verdict for case in built}
    outside = {name for name, verdict in found.items() if verdict is Verdict.NOT_APPLICABLE}
    assert outside == {"projected", "softmax-without-penalty"}
    assert set(found.values()) == {Verdict.HOLDS, Verdict.NOT_APPLICABLE}
