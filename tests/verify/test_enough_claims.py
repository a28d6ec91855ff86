"""The claims on enough gossip: predictions, exact distances against closed forms, brackets on synthetic runs with known truth."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import bounds
from bounds.topology import topology
from empirical import Run
from empirical.optimisation import Optimisation, optimise
from verify.case import Context
from verify.claims.core import Budget
from verify.claims.multigossip import enough
from verify.claims.multigossip.enough import Plan
from verify.plan import execute
from verify.verdict import Verdict

BASE = Run(problem="quadratic", update_form="atc", m=8, n=4, T=30, eta=0.1, replicates=40, seed=3)


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.mark.parametrize("graph", ["ring", "torus", "hypercube"])
def test_the_prediction_is_the_calibrated_number_of_gossip_steps(graph: str) -> None:
    mixing, target = topology(graph, 16), enough.THETA * 0.05 / 16
    given = {"eta": 0.05, "m": 16, "beta": 1.0, "sigma2": 1.0, "zeta2": 1.0, "gap": mixing.gap}
    answer = bounds.calibrate(bounds.get("consensus_distance_atc"), "Q", target=target, **given)
    assert enough.predicted(mixing, 0.05, 1.0, 1.0, 1.0) == answer.value
    assert enough.predicted(mixing, 0.05, 1.0, np.array([1.0, 0.5]), np.array([1.0, 2.0])) >= answer.value


@pytest.mark.parametrize(("form", "Q"), [("atc", 1), ("atc", 3), ("consensus", 2), ("cta", 2)])
def test_exact_distance_is_the_sum_over_modes(form: str, Q: int) -> None:
    mixing = topology("hypercube", 8)
    places = enough.pulls(mixing, False, 7)
    values, vectors = np.linalg.eigh(mixing.matrix)
    total, eta = 0.0, 0.05
    for value, vector in zip(values[:-1] ** Q, vectors.T[:-1], strict=True):
        keep, gain = (value - eta, eta) if form == "consensus" else (value * (1 - eta), value * eta)
        noise, bias = gain**2 / (1 - keep**2), (gain * (vector @ places[:, 0]) / (1 - keep)) ** 2
        total += noise + bias
    assert enough.exact_distance(form, mixing, Q, places) == pytest.approx(total / 8, rel=1e-9)


def test_pulls_have_unit_size_and_lie_along_the_slowest_mode() -> None:
    mixing = topology("ring", 8)
    for aligned in (True, False):
        places = enough.pulls(mixing, aligned, 0)[:, 0]
        assert places.mean() == pytest.approx(0, abs=1e-12)
        assert np.mean(places**2) == pytest.approx(1)
    slow = enough.pulls(mixing, True, 0)[:, 0]
    np.testing.assert_allclose(mixing.matrix @ slow, (1 - mixing.gap) * slow, atol=1e-12)


def test_least_gossip_is_the_first_that_is_enough() -> None:
    assert enough.least_gossip(lambda Q: Q >= 7, 30) == 7
    assert enough.least_gossip(lambda Q: Q >= 130, 675) == 130
    assert enough.least_gossip(lambda Q: Q in (2, 4, 5), 5) == 2


def test_a_prediction_that_is_too_small_is_refuted_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    assert enough.exact_table("ring", (8,), 0).verdict is Verdict.HOLDS
    monkeypatch.setattr(enough, "predicted", lambda *given: 3)
    assert enough.exact_table("ring", (8,), 0).verdict is Verdict.VIOLATED


def test_the_consensus_form_keeps_its_floor() -> None:
    found = enough.consensus_floor(8)
    assert found.verdict is Verdict.VIOLATED
    # Every mode but the mean: keep = -eta, so noise eta^2/(1 - eta^2) and bias (eta/(1 + eta))^2 with pulls of mean square 1.
    eta = 0.05
    assert found.numbers.measured == pytest.approx(eta**2 / (1 - eta**2) * 7 / 8 + (eta / (1 + eta)) ** 2, rel=1e-9)


def synthetic(found: Optimisation, distance: float, noise: float, seed: int) -> Optimisation:
    """``found`` with a distance of known mean and a variance of exactly 1."""
    draw = np.random.default_rng(seed).exponential(1.0, (len(found.D0), 1)) - 1
    return replace(found, values={"spread": distance * (1 + noise * draw), "variance": np.ones_like(draw)})


def test_brackets_on_runs_with_known_truth() -> None:
    one = optimise(BASE, ("spread", "variance"), device="cpu")
    allowed = enough._factor(one)
    assert allowed == pytest.approx(0.1 * 0.1 / 8)

    def judged(*shares: float, noise: float = 0.2) -> object:
        plan = Plan((1, 2, 4, 8), 8)
        runs = tuple(synthetic(one, share * allowed, noise, k) for k, share in enumerate(shares))
        return enough.measured_gossip(runs, 0.01, rng(), (plan,))

    found = judged(9.0, 3.0, 0.5, 0.1)
    assert found.verdict is Verdict.HOLDS
    assert found.tables[0].rows[0][3:] == (8, "4", "4", "4")
    assert found.numbers.measured == pytest.approx(0.1 * allowed, rel=0.2)
    assert judged(9.0, 3.0, 2.0, 1.5).verdict is Verdict.VIOLATED
    wide = judged(9.0, 3.0, 1.0, 1.0, noise=1.0)
    assert wide.verdict is Verdict.UNDECIDED
    assert wide.tables[0].rows[0][6] == "none"


@pytest.mark.parametrize(
    ("first", "last", "verdict"),
    [(1.0, 0.01, Verdict.HOLDS), (1.0, 0.4, Verdict.VIOLATED), (1.0, 0.1, Verdict.UNDECIDED), (0.0, 0.0, Verdict.UNDECIDED)],
)
def test_bridges_with_known_gaps(first: float, last: float, verdict: Verdict) -> None:
    one = optimise(BASE, ("raw_training",), device="cpu")
    draw = np.random.default_rng(8).normal(0, 1, (3, 40, 1))
    central, noise = 3 + draw[0], 0.2
    losses = (central + first + noise * draw[1], central + last + 0.05 * noise * draw[2], central)
    measured = tuple(replace(one, values={"raw_training": loss}) for loss in losses)
    assert enough.bridges(measured, 0.01, rng(), 8).verdict is verdict


def test_bridges_err_at_most_at_their_level() -> None:
    one = SimpleNamespace(values={}, D0=np.zeros(30), settings=optimise(BASE, ("raw_training",), device="cpu").settings)
    wrong = 0
    for trial in range(25):
        draw = np.random.default_rng(trial).normal(0, 1, (2, 30, 1))
        losses = (1 + 0.3 * draw[0], 0.1 + 0.05 * draw[1], np.zeros((30, 1)))
        measured = tuple(SimpleNamespace(**(vars(one) | {"values": {"raw_training": loss}})) for loss in losses)
        # The truth lies exactly on the edge: either verdict would be false at most at its level.
        wrong += enough.bridges(measured, 0.1, np.random.default_rng(trial), 8).verdict is not Verdict.UNDECIDED
    assert wrong <= 8


def test_some_cases_end_to_end() -> None:
    built = enough.enough_gossip(Budget("quick", 40, 2), 0, "cpu")
    assert len({case.case for case in built}) == len(built) == 19
    wanted = {"exact-torus": Verdict.HOLDS, "measured-quadratic-torus": Verdict.HOLDS, "bridge-softmax-cta": Verdict.VIOLATED}
    for case in built:
        if case.case in wanted:
            assert case.decide(execute(case.tasks(), jobs=1), Context(0.001, 0)).verdict is wanted[case.case]


@pytest.mark.slow
def test_every_case_end_to_end() -> None:
    built = enough.enough_gossip(Budget("quick", 40, 2), 0, "cpu")
    found = {case.case: case.decide(execute(case.tasks(), jobs=1), Context(0.001, 0)).verdict for case in built}
    violated = {name for name, verdict in found.items() if verdict is Verdict.VIOLATED}
    assert violated == {"exact-consensus-form", "bridge-softmax-cta", "bridge-softmax-consensus"}
