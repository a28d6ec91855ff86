"""The claims on bounded gradients: the implied bound and its sharpness, exact twins, and planted theories."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import numpy as np
import pytest

import bounds
from bounds.formula import Let
from empirical import Run
from empirical.optimisation import optimise
from empirical.oracles import l2_stability, method_of
from verify.case import Context
from verify.claims.core import Budget
from verify.claims.multigossip import gradients
from verify.plan import execute
from verify.verdict import Verdict

RUN = Run(problem="quadratic", update_form="atc", m=3, n=4, T=12, eta=0.3, checkpoints=(4, 12), replicates=60, twins=2, seed=1)
WANTED = ("met", "raw_training", "generalization")


def rng() -> np.random.Generator:
    return np.random.default_rng(2)


def test_the_extremal_loss_attains_the_constant_and_keeps_the_assumptions() -> None:
    x = np.linspace(-1, 3, 4001)
    values = gradients._extremal(x)
    second = np.diff(values, 2) / (x[1] - x[0]) ** 2
    assert values.min() == 0
    assert values.max() == 1
    assert np.abs(second).max() <= 1 + 1e-6
    assert 0.999 < gradients.largest_slope(3001) <= 1


def test_a_loss_that_breaks_its_range_is_caught() -> None:
    run = replace(RUN, problem="sigmoid-digits", eta=2.0, twins=0)
    found = optimise(run, ("largest",), device="cpu")
    assert gradients.below_implied((found,), 0.01, rng()).verdict is Verdict.HOLDS
    loss = found.settings[-1].loss
    small = replace(loss, M=replace(loss.M, value=0.1))
    lied = replace(found, settings=tuple(replace(one, loss=small) for one in found.settings))
    assert gradients.below_implied((lied,), 0.01, rng()).verdict is Verdict.VIOLATED
    without = replace(found, settings=tuple(replace(one, loss=replace(loss, M=None)) for one in found.settings))
    assert gradients.below_implied((without,), 0.01, rng()).verdict is Verdict.NOT_APPLICABLE


def test_exact_twins_are_those_of_the_oracle() -> None:
    draw = np.random.default_rng(0)
    data, other = gradients._data(draw, 3, 2), gradients._data(draw, 3, 2)
    method = method_of(replace(RUN, n=2))
    stable, met = gradients.exact_twins(method, data, other, 6)
    np.testing.assert_allclose(stable[[2, 6]], l2_stability(method, data, other, (2, 6), "node_average"), rtol=1e-10)
    # Before the first step every model is 0: the mean of y^2/2 over the samples, and over their replacements.
    assert met[0] == pytest.approx((data.constants.mean() + other.constants.mean()) / 2)
    assert met.shape == (6,)


def test_the_exact_case_refutes_a_bound_that_is_too_small(monkeypatch: pytest.MonkeyPatch) -> None:
    found = gradients.stability_without_gradients(0, 1, (3, 8))
    assert found.verdict is Verdict.HOLDS
    least = found.numbers.tightness
    true = gradients.exact_twins
    monkeypatch.setattr(gradients, "exact_twins", lambda *given: (true(*given)[0], true(*given)[1] * 0.5 / least))
    assert gradients.stability_without_gradients(0, 1, (3, 8)).verdict is Verdict.VIOLATED


def test_measured_bounds_hold_and_planted_ones_are_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = gradients.read_on_average(RUN, WANTED, "cpu")
    for find in (gradients.generalizes, gradients.stays_close):
        found = find((measured,), 0.01, rng())
        assert found.verdict is Verdict.HOLDS
    tightness = found.numbers.tightness
    true = gradients._distance
    monkeypatch.setattr(gradients, "_distance", lambda *given: true(*given) * 0.3 / tightness)
    assert gradients.stays_close((measured,), 0.01, rng()).verdict is Verdict.VIOLATED
    monkeypatch.undo()
    tightness = gradients.generalizes((measured,), 0.01, rng()).numbers.tightness
    rule = bounds.get("dsgd_on_average_convex")
    lets = tuple(
        Let("value", f"({let.text})*{0.2 / tightness!r}", given=let.given) if let.name == "value" else let for let in rule.formula.lets
    )
    wrong = dataclasses.replace(rule, formula=dataclasses.replace(rule.formula, lets=lets))
    monkeypatch.setattr(gradients, "_RULE", wrong)
    assert gradients.generalizes((measured,), 0.01, rng()).verdict is Verdict.VIOLATED


def test_a_step_too_large_or_a_loss_that_is_not_convex_does_not_apply() -> None:
    large = gradients.read_on_average(replace(RUN, eta=2.1, T=4, checkpoints=(4,), twins=0), WANTED, "cpu")
    assert gradients.generalizes((large,), 0.01, rng()).verdict is Verdict.NOT_APPLICABLE
    bent = gradients.read_on_average(replace(RUN, problem="sigmoid-digits", twins=0), WANTED, "cpu")
    assert gradients.generalizes((bent,), 0.01, rng()).verdict is Verdict.NOT_APPLICABLE


@pytest.mark.slow
def test_every_case_end_to_end() -> None:
    built = gradients.no_bounded_gradients(Budget("quick", 14, 2), 0, "cpu")
    found = {case.case: case.decide(execute(case.tasks(), jobs=1), Context(0.001, 0)).verdict for case in built}
    assert found.pop("scope") is Verdict.NOT_APPLICABLE
    assert set(found.values()) == {Verdict.HOLDS}
    assert len(found) == len(built) - 1 == 9
