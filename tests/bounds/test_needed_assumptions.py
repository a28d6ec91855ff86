"""Assumptions and readouts that a theorem cannot do without: each with the exact case that breaks it where they fail."""

import numpy as np
import pytest

import bounds
from bounds import Constant, LossClass, Readout, Schedule, Setting, UpdateForm
from bounds.topology import topology

RING = topology("ring", 5)


def known(value: float) -> Constant:
    return Constant(value, "certified", "chosen")


def centralized(common_start: bool) -> Setting:
    loss = LossClass("logistic", convex=True, L=known(1), beta=known(1), mu=known(0.1), M=known(1))
    return Setting(UpdateForm.CENTRALIZED, Readout.NODE_AVERAGE, 50, 10, Schedule(eta=0.1), loss, common_start=common_start)


@pytest.mark.parametrize("bound", ["hardt2016_convex", "hardt2016_strongly_convex"])
def test_twins_that_start_apart_are_not_stable(bound: str) -> None:
    assert bounds.get(bound).supports(centralized(True)) == []
    assert bounds.get(bound).supports(centralized(False)) == ["all nodes start from the same point: this is not so here"]


def test_self_bounding_needs_a_loss_that_is_never_negative() -> None:
    """l = (h/2)(w - z)^2 - K at the mean of n samples, with K such that the training loss is 0: the bound falls below the error."""
    n, h, v = 10, 2.0, 0.7
    error, square = h * v / n, 2 * v / n**2
    assert error > bounds.get("lei2020_on_average").evaluate(beta=h, R_S=0, D=square)
    for bound in ("lei2020_on_average", "dsgd_on_average_convex"):
        assert "nonnegative_loss" in [prop.name for prop in bounds.get(bound).properties]


@pytest.mark.parametrize("bound", [b for b in bounds.entries().values() if "M" in b.formula.required], ids=lambda b: b.id)
def test_every_supremum_comes_with_a_loss_above_zero(bound: bounds.Bound) -> None:
    """The first steps cost the range of the loss, which is M only where the loss is never negative."""
    assert "bounded_loss" in [prop.name for prop in bound.properties]


@pytest.mark.parametrize("form", ["atc", "cta"])
def test_gaps_of_excess_risks_are_those_without_heterogeneity(form: str) -> None:
    values = {"eta": 0.1, "b": 1, "rho": 1, "r": 1, "spectrum": RING.spectrum.tolist(), "Q": 1}
    uneven = {"heterogeneity": [0.0, 1.0, -1.0, 2.0, 0.5]}
    gap = bounds.get(f"excess_gap_consensus_{form}")
    for more, equal in (({}, True), (uneven, False)):
        consensus, other = (bounds.get(f"excess_risk_{name}").evaluate(**values, **more) for name in ("consensus", form))
        assert (abs(consensus - other - gap.evaluate(**values)) < 1e-12) is equal
    assert "at the minimum no node has a gradient" in [prop.text for prop in gap.properties]


def test_the_network_mean_does_not_have_the_step_limit_of_the_consensus_form() -> None:
    """At 1.2 times the limit the spread grows without end, and the mean of the models is centralized SGD all the same."""
    power, rho = RING.power(1), 2.0
    limit = bounds.get("step_limit_consensus").evaluate(rho_max=rho, spectrum=RING.spectrum.tolist(), Q=1)
    eta = 1.2 * limit
    step, covariance = power - eta * rho * np.eye(5), np.zeros((5, 5))
    for _ in range(60):
        covariance = step @ covariance @ step.T + eta**2 * np.eye(5)
    alone = bounds.get("excess_risk_centralized").evaluate(eta=eta, b=1, rho=rho, r=1, spectrum=RING.spectrum.tolist())
    assert rho / 2 * np.trace(covariance) / 5 > 1e5 * alone
    assert rho / 2 * covariance.mean() == pytest.approx(alone, rel=1e-6)
    for bound in ("step_limit_consensus", "edge_of_stability"):
        assert [readout.value for readout in bounds.get(bound).readouts] == ["node_average", "gradient_point"]
