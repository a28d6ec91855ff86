"""Claims on the optimization error, the gap to mini-batch SGD and the exponents: every verdict path, and wrong theories."""

import dataclasses
import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import bounds
import verify.claims.multigossip.bound_gaps as bound_gaps
import verify.claims.multigossip.centralized as centralized
import verify.claims.multigossip.exponents as exponents
import verify.claims.multigossip.optimization as optimization
import verify.claims.multigossip.proved_orders as proved_orders
import verify.curve_case as curve_case
from bounds.expression import parse, to_sympy
from bounds.formula import Let
from bounds.topology import topology
from bounds.vocabulary import UpdateForm
from empirical import Run
from verify.case import Case, Context
from verify.claims.core import Budget
from verify.claims.multigossip.attained import attained, decide, expansive_twins
from verify.claims.multigossip.common import DISTANCE, GENERALIZATION, STABILITY
from verify.claims.multigossip.consensus_part import POINT, bounds_symbol, expansions, positive
from verify.claims.multigossip.measured_orders import Ask, in_sweep
from verify.claims.multigossip.quadratics import GRAPHS, distances, gossip_range, on_quadratics
from verify.claims.multigossip.quadratics import decide as decide_quadratics
from verify.claims.multigossip.sameness import NETWORK_MEAN, against_minibatch
from verify.claims.multigossip.spreading import in_runs
from verify.claims.multigossip.training import half_mixed, training_run
from verify.curve_case import CurveCase, Point, Request
from verify.finding_case import Heading, RunsCase
from verify.identity_case import IdentityCase
from verify.plan import execute
from verify.verdict import CaseResult, Verdict

CONTEXT = Context(0.05, 0)
TINY = Budget("quick", 24, 2)
ABOUT = Heading("claim", "case", "paper", "statement", "atc", "node_average")
SIGMOID = training_run("sigmoid-digits", 0, 40, n=4, T=20)
LINEAR = Run(problem="linear", update_form=UpdateForm.ATC, m=4, n=8, T=50, eta=0.1, replicates=160, twins=6, topology="complete")


def decided(case: Case) -> CaseResult:
    return case.decide(execute(case.tasks(), jobs=1), CONTEXT)


def found(runs: tuple[Run, ...], requests: tuple[Request, ...], find: Any, *arguments: Any) -> CaseResult:
    return decided(RunsCase(ABOUT, runs, requests, find, arguments))


def planted(monkeypatch: pytest.MonkeyPatch, bound_id: str, text: str, **change: Any) -> None:
    """Replace the value of every formula of a bound, as a wrong theory would."""
    bound = bounds.get(bound_id)
    lets = tuple(Let("value", text) if let.name == "value" else let for let in bound.formula.lets)
    wrong = dataclasses.replace(bound, formula=dataclasses.replace(bound.formula, lets=lets), **change)
    monkeypatch.setattr(curve_case.bounds, "get", lambda _: wrong)


def curve(run: Run, bound_id: str, request: Request) -> CurveCase:
    return CurveCase("claim", "case", "paper", "statement", bound_id, *request, "T", (Point(run, run.T, run.T),), (request,))


# Wrong theories are caught.


def test_a_bound_divided_by_twice_its_tightness_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    run = training_run("network-digits", 0, 40, n=8, T=20, twins=4)
    case = curve(run, "l1_stability_nonconvex", STABILITY)
    before = decided(case)
    assert before.verdict is Verdict.HOLDS
    text = next(let.text for let in bounds.get("l1_stability_nonconvex").formula.lets if let.name == "value")
    planted(monkeypatch, "l1_stability_nonconvex", f"({text})/{2 * before.numbers.tightness!r}")
    assert decided(case).verdict is Verdict.VIOLATED


@pytest.mark.parametrize("wrong", ["2*L*eta*T/(m**(3/2)*n)", "2*L*eta*T/(m*n**(3/2))"])
def test_an_exponent_changed_by_a_half_is_refuted_where_the_bound_is_attained(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = curve(LINEAR, "l1_stability_convex", STABILITY)
    assert decided(case).verdict is not Verdict.VIOLATED
    planted(monkeypatch, "l1_stability_convex", wrong)
    assert decided(case).verdict is Verdict.VIOLATED


def test_the_slope_test_rejects_an_exponent_of_m_changed_by_a_half() -> None:
    runs = tuple(replace(LINEAR, m=m) for m in (2, 4, 8, 16))
    verdicts = {power: found(runs, (STABILITY,), in_sweep, Ask("m", STABILITY, exponent=power)).verdict for power in (-1.0, -0.5, -1.5)}
    assert verdicts == {-1.0: Verdict.HOLDS, -0.5: Verdict.VIOLATED, -1.5: Verdict.VIOLATED}


def test_the_consensus_form_exceeds_the_bound_of_atc_as_gossip_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    """ATC's bound tends to 0 in Q, and the consensus form has a floor: taken for one another they are caught."""
    run = training_run("softmax-digits", 0, 24, T=20, topology="ring", Q=32)
    forms = (UpdateForm.ATC, UpdateForm.CONSENSUS)
    atc = bounds.get("consensus_distance_atc")
    monkeypatch.setattr(curve_case.bounds, "get", lambda _: dataclasses.replace(atc, update_forms=forms, conditions=()))
    assert decided(curve(run, "consensus_distance_atc", DISTANCE)).verdict is Verdict.HOLDS
    wrong = decided(curve(replace(run, update_form=UpdateForm.CONSENSUS), "consensus_distance_atc", DISTANCE))
    assert wrong.verdict is Verdict.VIOLATED


# The bounds as expressions in lambda^Q.


@pytest.mark.parametrize(("form", "readout"), [("atc", "network_mean"), ("cta", "network_mean")])
def test_the_coefficient_of_x_squared_is_what_the_bounds_show(form: str, readout: str) -> None:
    at = {"eta": 0.1, "beta": 0.7, "m": 8, "b": 2, "sigma2": 1.3, "zeta2": 0.6, "mu": 0.2, "T": 50, "D0": 1.0, "r0": 1.0}
    for row in expansions(form, readout):
        bound = bounds.get(row.bound)
        given = {name: value for name, value in at.items() if name in bound.formula.parameters}
        near, none = (bound.evaluate(update_form=form, readout=readout, gap=gap, Q=1, **given) for gap in (1 - 1e-4, 1.0))
        second = number(row.second, at)
        assert (near - none) / 1e-8 == pytest.approx(second, rel=2e-3)
        assert row.vanishes


def number(text: str, at: dict[str, float]) -> float:
    expression = to_sympy(parse(text, dict.fromkeys(at)))
    return float(expression.subs({symbol: at[symbol.name] for symbol in expression.free_symbols}))


@pytest.mark.parametrize(("form", "readout"), [("consensus", "network_mean"), ("cta", "node_average")])
def test_the_floor_is_what_the_bounds_tend_to(form: str, readout: str) -> None:
    at: dict[str, float] = {name: float(Fraction(value)) for name, value in POINT.items()}
    at |= {name: int(at[name]) for name in ("m", "b", "T")}
    for row in expansions(form, readout):
        bound = bounds.get(row.bound)
        given = {name: value for name, value in at.items() if name in bound.formula.parameters}
        ours = bound.evaluate(update_form=form, readout=readout, gap=1.0, Q=1, **given)
        atc = bound.evaluate(update_form="atc", readout=readout, gap=1.0, Q=1, **given)
        assert row.witness == pytest.approx(ours - atc, rel=1e-12)
        assert row.witness > 0
        assert not row.vanishes


def test_positive_counts_factors() -> None:
    m, eta, mu, T, zeta2 = map(bounds_symbol, ("m", "eta", "mu", "T", "zeta2"))
    assert positive((m - 1) * zeta2)
    assert positive(((1 - eta * mu) ** T - 1) * -eta)
    assert not positive((1 - eta * mu) ** T - 1)
    assert not positive(m - 2)
    assert not positive(zeta2 - eta)


def test_verdicts_of_bounds_by_form() -> None:
    assert optimization.of_bounds("atc", "network_mean").verdict is Verdict.HOLDS
    refuted = optimization.of_bounds("cta", "node_average")
    assert refuted.verdict is Verdict.VIOLATED
    assert "floor" in refuted.reason


# Quadratics and runs along Q.


@pytest.mark.parametrize(("name", "m"), GRAPHS)
def test_the_range_of_gossip_comes_from_the_spectrum(name: str, m: int) -> None:
    mixing = topology(name, m)
    first, lam = gossip_range(mixing)[0], 1 - mixing.gap
    energies = np.sort(np.abs(mixing.spectrum)) ** (2 * first)
    leading = energies[:-1] > 0.999 * lam ** (2 * first)
    assert lam**first <= 0.02
    assert energies[:-1][~leading].sum() <= 0.02 * energies[:-1][leading].sum()
    assert lam ** (first - 1) > 0.02 or name == "exponential"


def test_quadratics_by_form() -> None:
    assert on_quadratics("atc", "node_average").verdict is Verdict.HOLDS
    floor = on_quadratics("consensus", "node_average")
    assert floor.verdict is Verdict.VIOLATED
    assert len(floor.curves) == 3
    row = ("graph", "1 to 2", -1.0, -0.9, 1e-3, 0.0)
    assert decide_quadratics([row])[0] is Verdict.UNDECIDED
    assert distances("cta", "gradient_point", topology("ring", 4), (3,)) == pytest.approx(
        distances("atc", "node_average", topology("ring", 4), (3,)), rel=1e-9
    )


def test_runs_fall_or_reach_a_floor() -> None:
    gossip = ((16, 18, 20, 22),)
    base = training_run("sigmoid-digits", 0, 24, T=10, topology="ring")
    runs = tuple(replace(base, Q=Q) for Q in gossip[0])
    falls = found(runs, (DISTANCE,), in_runs, DISTANCE, gossip)
    assert falls.verdict is Verdict.HOLDS
    assert falls.numbers.measured == pytest.approx(2 * math.log(1 / 3 + 2 / 3 * math.cos(math.pi / 4)), rel=0.02)
    kept = found(tuple(replace(run, update_form=UpdateForm.CONSENSUS) for run in runs), (DISTANCE,), in_runs, DISTANCE, gossip)
    assert kept.verdict is Verdict.VIOLATED
    assert "floor" in kept.reason
    few = found(tuple(replace(run, replicates=5) for run in runs), (DISTANCE,), in_runs, DISTANCE, gossip)
    assert few.verdict is Verdict.UNDECIDED


# The gap to mini-batch SGD.


def test_gaps_between_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    verdicts = {which: bound_gaps.between_bounds(which).verdict for which in ("quoted", "batch", "derived")}
    assert verdicts == {"quoted": Verdict.HOLDS, "batch": Verdict.HOLDS, "derived": Verdict.VIOLATED}
    q = bounds_symbol("beta") * bounds_symbol("c")
    assert (bound_gaps.exponent(bound_gaps.STATED, "m") + 1 / (2 * q + 2)).simplify() == 0
    monkeypatch.setattr(bound_gaps, "_expected_share", lambda: bounds_symbol("m"))
    assert bound_gaps.between_bounds("derived").verdict is Verdict.UNDECIDED
    monkeypatch.setattr(bound_gaps, "exponent", lambda *_: -(bounds_symbol("m") ** 0))
    assert bound_gaps.between_bounds("quoted").verdict is Verdict.UNDECIDED


def test_a_claimed_difference_is_refuted_by_equal_models() -> None:
    base = replace(SIGMOID, replicates=3)
    other = centralized._minibatch(base)
    about = ("claim", "case", "paper", "statement")
    same = IdentityCase(*about, (replace(base, Q=256),), other, "Q", (256.0,), differ=True, consequence=" So.")
    assert decided(same).verdict is Verdict.VIOLATED
    assert decided(same).reason.endswith(" So.")
    assert decided(replace(same, differ=False)).verdict is Verdict.HOLDS
    assert decided(replace(same, runs=(replace(base, Q=1),))).verdict is Verdict.HOLDS


def test_equal_errors_refute_a_gap_and_unequal_ones_show_it() -> None:
    many = replace(SIGMOID, replicates=128)
    other = centralized._minibatch(many)
    same = found((replace(many, Q=64), other), (GENERALIZATION,), against_minibatch, GENERALIZATION, (64,), True)
    assert same.verdict is Verdict.VIOLATED
    assert same.numbers.measured == pytest.approx(1, abs=1e-6)
    more = replace(other, problem="softmax-digits", seed=1)
    gap = found((many, more), (GENERALIZATION,), against_minibatch, GENERALIZATION, (1,), False)
    assert gap.verdict is Verdict.HOLDS
    noisy = found((many, replace(other, seed=1)), (GENERALIZATION,), against_minibatch, GENERALIZATION, (1,), False)
    assert noisy.verdict is Verdict.UNDECIDED
    apart = replace(many, update_form=UpdateForm.CONSENSUS, topology="complete")
    spread = found((apart, other), (GENERALIZATION, NETWORK_MEAN, DISTANCE), against_minibatch, NETWORK_MEAN, (1,), True)
    assert spread.verdict is Verdict.VIOLATED
    assert "stay apart" in spread.reason


# Exponents.


def test_orders_of_the_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    readings = ("stated", "batch-1", "batch-m", "upper", "sharp")
    verdicts = [proved_orders.of_order(which).verdict for which in readings]
    assert verdicts == [Verdict.HOLDS, Verdict.HOLDS, Verdict.VIOLATED, Verdict.HOLDS, Verdict.VIOLATED]
    monkeypatch.setattr(proved_orders, "DECENTRALIZED", ("2*c*beta/(2*c*beta+2)", "-1", "-1/(2*c*beta+2)-1/2"))
    assert proved_orders.of_order("stated").verdict is Verdict.VIOLATED
    monkeypatch.setattr(proved_orders, "DERIVED", proved_orders.STATED)
    assert proved_orders.of_order("sharp").verdict is Verdict.UNDECIDED


def test_the_expansive_quadratic_attains_its_bound() -> None:
    mean = 0.0
    for t in range(1, 31):
        mean = (1 + 1 / t) * mean + 2 / t / (3 * 5)
    assert expansive_twins(3, 5, (30,))[0] == pytest.approx(mean, rel=1e-12)
    assert attained().verdict is Verdict.HOLDS
    right = {"m": -1.0, "n": -1.0, "T": 1.0}
    assert decide(right, right, 1e-12)[0] is Verdict.HOLDS
    assert decide(right | {"m": -0.5}, right, 1e-12)[0] is Verdict.VIOLATED
    assert decide(right, right, 1e-3)[0] is Verdict.VIOLATED


def test_stated_exponents_are_asked_only_where_the_theorems_speak() -> None:
    runs = tuple(replace(SIGMOID, m=m, topology=half_mixed(m), replicates=64, c=16.0) for m in (2, 4, 8, 16))
    ask = Ask("m", GENERALIZATION, upper=True)
    inside = found(runs, (GENERALIZATION,), in_sweep, ask)
    assert inside.verdict is not Verdict.NOT_APPLICABLE
    assert inside.numbers.bound == pytest.approx(-1 / (2 * 16 * 0.09622504 + 2), rel=1e-4)
    outside = found(tuple(replace(run, c=0.1) for run in runs), (GENERALIZATION,), in_sweep, ask)
    assert outside.verdict is Verdict.NOT_APPLICABLE
    assert "start" in outside.reason


def test_an_order_far_out_is_not_refuted_by_local_slopes() -> None:
    runs = (replace(LINEAR, checkpoints=(10, 20, 30, 40, 50)),)
    asks = [Ask("T", STABILITY, exponent=exponent, local=local) for exponent, local in ((1.0, True), (0.5, True), (0.5, False))]
    results = [found(runs, (STABILITY,), in_sweep, ask) for ask in asks]
    assert [one.verdict for one in results] == [Verdict.HOLDS, Verdict.UNDECIDED, Verdict.VIOLATED]
    assert "far out" in results[1].reason


# The claims themselves.


@pytest.mark.slow
def test_every_claim_on_one_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    few = {"quick": (24, 24)}
    for module in (centralized, exponents):
        monkeypatch.setattr(module, "_REPLICATES", few)
        monkeypatch.setattr(module, "PROBLEMS", ("softmax-digits", "sigmoid-digits"))
    cases = [case for build in (centralized.centralized, exponents.exponents) for case in build(TINY, 0, "cpu")]
    wanted = [case for case in cases if "sigmoid" in case.case or "linear" in case.case]
    results = execute([task for case in wanted for task in case.tasks()], jobs=1)
    decided = [case.decide(results, CONTEXT) for case in wanted]
    assert len(decided) > 10
    for one in decided:
        assert one.reason
        if "order" in one.case or "own-draws" in one.case:
            assert one.verdict is not Verdict.HOLDS, one.case
        if "linear" in one.case or "limit" in one.case or "n-stability" in one.case:
            assert one.verdict is not Verdict.VIOLATED, one.case


@pytest.mark.slow
@pytest.mark.parametrize("claim", [optimization.CLAIM, centralized.CLAIM, exponents.CLAIM])
def test_a_quick_run_of_each_claim(claim: str) -> None:
    from verify.suite import BUDGETS, run_suite

    found = run_suite({claim: BUDGETS["quick"]}, device="cpu", jobs=1)
    verdicts = {one.case: one.verdict for one in found.results}
    assert Verdict.VIOLATED in verdicts.values()
    assert all(one.verdict is not Verdict.NOT_APPLICABLE for one in found.results)
