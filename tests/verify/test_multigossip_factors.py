"""Claims about factors and gossip: certified directions, measured sweeps with a known truth, and wrong theories that must be caught."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import bounds
from bounds.bound import Bound
from bounds.formula import Let
from bounds.setting import Setting
from bounds.symbols import symbol
from bounds.topology import topology
from bounds.vocabulary import UpdateForm
from empirical import Measurement, Run
from verify.case import Case, Context
from verify.claims.core import Budget
from verify.claims.multigossip import certified, factors, floors, generalization, linear, summary
from verify.claims.multigossip import moves as courses
from verify.claims.multigossip.certified import directions, fixed_total, moves
from verify.claims.multigossip.common import GENERALIZATION, STABILITY
from verify.claims.multigossip.moves import Course, course_found
from verify.finding_case import RunsCase
from verify.plan import execute
from verify.verdict import CaseResult, Verdict

BUDGET = Budget("quick", 12, 2)
CONTEXT = Context(0.05, 0)


def planted(monkeypatch: pytest.MonkeyPatch, bound_id: str, text: str, more: tuple[str, ...] = ()) -> None:
    """Replace a bound's value by another expression in further parameters, as another theory would."""
    known: Callable[[str], Bound] = bounds.get
    bound = known(bound_id)
    required = (*bound.formula.required, *more)
    formula = dataclasses.replace(bound.formula, required=required, optional=(), lets=(Let("value", text),), defaults=())
    wrong = dataclasses.replace(bound, formula=formula, conditions=(), recursion=None, reductions=(), directions={})
    monkeypatch.setattr(bounds, "get", lambda name: wrong if name == bound_id else known(name))


def test_directions_of_bounds_hold_are_refuted_or_disagree() -> None:
    assert directions((("dsgd_convex", "n"), ("dsgd_nonconvex", "n")), "decreasing").verdict is Verdict.HOLDS
    assert directions((("dsgd_convex", "n"), ("dsgd_nonconvex", "n")), "increasing").verdict is Verdict.VIOLATED
    assert directions((("dsgd_convex", "gap"), ("dsgd_nonconvex", "zeta2")), "decreasing").verdict is Verdict.VIOLATED
    split = directions((("dsgd_convex", "gap"), ("dsgd_worst_node_convex", "gap")), "decreasing")
    assert split.verdict is Verdict.UNDECIDED
    assert [row[3] for row in split.tables[0].rows] == ["constant", "decreasing"]


def test_a_theory_with_the_gap_in_it_is_told_from_one_without(monkeypatch: pytest.MonkeyPatch) -> None:
    assert moves(bounds.get("dsgd_convex"), "gap") == "constant"
    planted(monkeypatch, "dsgd_convex", "2*L**2*eta*T/(m*n)*(1 + (1-gap)/n)", ("gap",))
    assert directions((("dsgd_convex", "gap"),), "decreasing").verdict is Verdict.HOLDS
    assert moves(bounds.get("dsgd_convex"), "gap") == "decreasing"


@pytest.mark.parametrize("bound_id", ["dsgd_convex", "dsgd_nonconvex", "mgs_generalization_stated"])
def test_a_fixed_total_only_rewrites_n(bound_id: str) -> None:
    known = {"L": 1.0, "eta": 0.1, "c": 0.5, "T": 200, "m": 4, "n": 32, "N": 128, "beta": 1.0, "M": 1.0, "G2": 1.0, "gam": 1.0}
    bound, total = bounds.get(bound_id), fixed_total(bounds.get(bound_id))
    given, rewritten = ({name: known[name] for name in one.formula.required} for one in (bound, total))
    assert "n" not in rewritten
    assert total.evaluate(**rewritten) == pytest.approx(bound.evaluate(**given), rel=1e-14)
    assert moves(total, "m") in ("constant", "increasing")


def test_the_abstracts_shape_grows_with_nodes_at_a_fixed_total() -> None:
    assert moves(fixed_total(bounds.get("mgs_generalization_stated")), "m") == "increasing"
    assert moves(fixed_total(bounds.get("dsgd_convex")), "m") == "constant"


SETTING = Run(problem="softmax-digits", update_form=UpdateForm.ATC, m=4, n=8, T=10, eta=0.1, replicates=2)


def sweep_of(mean: list[float], claimed: Any, spread: float) -> Any:
    """The finding about a sweep whose runs have these means, with paired noise."""
    from empirical import measure

    setting: Setting = measure(dataclasses.replace(SETTING, replicates=1), [GENERALIZATION])[0].setting
    noise = spread * np.random.default_rng(3).standard_normal((60, 1))
    values = np.array(mean) * (1 + noise) + 0.001 * np.random.default_rng(4).standard_normal((60, len(mean)))
    measured = [{(GENERALIZATION, 10): Measurement(*GENERALIZATION, values[:, i], setting)} for i in range(len(mean))]
    places = tuple((i, 10) for i in range(len(mean)))
    course = Course(GENERALIZATION, symbol("n"), tuple(float(i + 1) for i in range(len(mean))), places, claimed, "dsgd_convex")
    return course_found(measured, 0.05, np.random.default_rng(0), course)


@pytest.mark.parametrize(
    ("mean", "spread", "verdict", "words"),
    [
        ([3, 2, 1], 0.2, Verdict.HOLDS, "a fall beyond the margin"),
        ([1, 2, 3], 0.2, Verdict.VIOLATED, "a rise is shown where a fall is claimed"),
        ([1, 1, 1], 0.2, Verdict.VIOLATED, "no two points differ by more than the margin"),
        ([3, 1, 2], 0.2, Verdict.VIOLATED, "a rise is shown where a fall is claimed"),
        ([1, 1, 1 - 0.05 / (1 + 0.05 / 3)], 0.2, Verdict.UNDECIDED, "neither shown to fall"),
    ],
)
def test_a_sweep_with_a_known_truth_is_decided_right(mean: list[float], spread: float, verdict: Verdict, words: str) -> None:
    found = sweep_of(mean, "decreasing", spread)
    assert found.verdict is verdict
    assert words in found.reason
    change, curve = found.curves
    assert curve.bound_id == "dsgd_convex"
    assert curve.values.shape == (60, 3)
    assert change.mean == pytest.approx(100 * (curve.mean[1:] / curve.mean[0] - 1))
    assert found.numbers.low <= found.numbers.measured <= found.numbers.high


def test_the_consensus_part_vanishes_in_atc_only(monkeypatch: pytest.MonkeyPatch) -> None:
    verdicts = {form: floors.consensus_part(form).verdict for form in ("atc", "cta", "consensus")}
    assert verdicts == {"atc": Verdict.HOLDS, "cta": Verdict.VIOLATED, "consensus": Verdict.VIOLATED}
    planted(monkeypatch, "consensus_distance_atc", "eta**2*sigma2*(1 + (1-gap)**(2*Q))")
    assert floors.consensus_part("atc").verdict is Verdict.VIOLATED


def test_slower_than_exponential_is_not_called_exponential(monkeypatch: pytest.MonkeyPatch) -> None:
    planted(monkeypatch, "consensus_distance_atc", "eta**2*sigma2/Q**2")
    assert floors.consensus_part("atc").verdict is Verdict.UNDECIDED


def test_the_floors_of_the_optimization_bounds_are_their_values_at_gap_one() -> None:
    found = floors.optimization_part()
    assert found.verdict is Verdict.VIOLATED
    for bound_id, _, first, floor in found.tables[0].rows:
        bound = bounds.get(str(bound_id))
        values = floors.needed(bound, floors.OPTIMIZATION)
        assert floor == pytest.approx(bound.evaluate(**{**values, "gap": 1.0, "Q": 1}), rel=1e-12)
        assert first == bound.evaluate(**values, Q=1)


@pytest.mark.slow
def test_a_generalization_bound_without_a_floor_is_not_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert floors.generalization_floor().verdict is Verdict.VIOLATED
    planted(monkeypatch, "mgs_generalization", "L**2/n*(1-gap)**(2*Q)", ("gap", "Q"))
    assert floors.generalization_floor().verdict is Verdict.UNDECIDED


def test_what_depends_on_q_is_at_most_the_part_that_is_said_to_decay() -> None:
    """The excess over the floor against sums of the weights themselves, taken at the best t0 of the floor."""
    found = floors.decaying_parts()
    assert found.verdict is Verdict.HOLDS
    assert found.numbers.measured == pytest.approx(found.numbers.bound, rel=1e-3)
    bound, at = bounds.get("mgs_generalization"), floors.needed(bounds.get("mgs_generalization"), floors.GENERALIZATION)
    floor = bound.evaluate(**{**at, "gap": 1.0, "Q": 1})
    c, T, m, n, Q = at["c"], at["T"], at["m"], at["n"], 8
    x = (1 - at["gap"]) ** Q

    def excess(t0: int) -> tuple[float, float]:
        a = np.array([c / t * np.prod(1 + c / np.arange(t + 1, T + 1)) for t in range(t0 + 1, T + 1)])
        k, far = 2 * 2 / m**2, x / (1 - x)
        total = t0 / n + k * (a.sum() ** 2 / n**2 + (a**2).sum() / n) + at["R_S"]
        return total, k * (m - 1) * ((a.sum() * far / (T - t0)) ** 2 / n**2 + 4 / 3 * (a**2).sum() * x**2 / (1 - x**2) / (T - t0) / n)

    total, part = min(excess(t0) for t0 in range(12))
    assert total == pytest.approx(floor, rel=0.02)
    assert 0 < bound.evaluate(**at, Q=Q) - floor <= part


def test_the_linear_loss_knows_no_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = bounds.get("l1_stability_convex").evaluate(L=1, eta=0.1, T=8, m=4, n=2)
    lopsided = 0.7 * np.eye(4) + 0.3 * topology("path", 4).power(1)
    for form in UpdateForm.ATC, UpdateForm.CTA, UpdateForm.CONSENSUS:
        assert linear.l1_stability(form, lopsided, 3, seed=7) == pytest.approx(expected, rel=1e-12)
    assert linear.linear_stability().verdict is Verdict.VIOLATED
    planted(monkeypatch, "l1_stability_convex", "L*eta*T/(m*n)")
    assert linear.linear_stability().verdict is Verdict.UNDECIDED


def test_the_gradient_term_survives_perfect_optimization() -> None:
    found = floors.gradient_term()
    assert (found.verdict, found.numbers.measured, found.numbers.bound) == (Verdict.VIOLATED, 1.0, 0.0)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of 8 steps on one problem, and few resamples."""
    monkeypatch.setattr(courses, "RESAMPLES", 999)
    for module in (factors, generalization):
        original = module.run
        monkeypatch.setattr(module, "problems", lambda budget, images=True: ("sigmoid-digits",))
        monkeypatch.setattr(module, "run", lambda *a, _f=original, **k: _f(*a, **(k | {"T": 8, "replicates": 12, "scale": 1.0})))


def decided(cases: list[Case]) -> list[CaseResult]:
    results = execute([task for case in cases for task in case.tasks()], jobs=1)
    return [case.decide(results, CONTEXT) for case in cases]


@pytest.mark.slow
def test_every_claim_runs_and_the_summary_repeats_its_verdicts(tiny: None) -> None:
    cases = [case for factor in factors.FACTORS for case in factor.measured_cases(BUDGET, 0, "cpu")]
    found = decided([*cases, *summary.factors(BUDGET, 0, "cpu")])
    assert all(result.curves[0].values.shape[0] == 12 for result in found[:-1])
    counts = {verdict: sum(result.verdict is verdict for result in found[:-1]) for verdict in Verdict}
    for verdict, count in counts.items():
        assert f"{count} {verdict.name}" in found[-1].reason or count == 0
    (table,) = found[-1].tables
    assert len(table.rows) == 8
    assert [row[2] for row in table.rows[-3:-1]] == ["not in the bound", "not in the bound"]
    assert table.rows[-1][2] == "increasing"


def test_the_gossip_claim_runs_and_names_each_case_once(tiny: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generalization, "PROBLEMS", ("sigmoid-digits",))
    cases = generalization.gossip_tightens_generalization(BUDGET, 0, "cpu")
    measured = [case for case in cases if isinstance(case, RunsCase)]
    found = decided(measured)
    assert {result.update_form for result in found} == {"atc", "cta", "consensus"}
    assert len({case.case for case in cases}) == len(cases)
    assert {case.requests for case in measured} == {(GENERALIZATION, STABILITY)}


def test_boxes_are_those_the_reason_names() -> None:
    found = certified.certificates(bounds.get("dsgd_convex"), "m")[0]
    assert (found.box["m"], found.box["T"], found.box["n"]) == ((2, 1024), (1, 1e6), (2, 1e6))
