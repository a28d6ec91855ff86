"""Claims on excess risks: golden numbers, verdicts on known truth, planted wrong theory."""

from __future__ import annotations

import numpy as np
import pytest

from verify.case import Context
from verify.claims.core import Budget
from verify.claims.flatness import batch, excess, modes, order, runs
from verify.plan import execute
from verify.verdict import Verdict

QUICK = Budget("quick", 40, 2)


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def test_ratios_by_batch_are_the_golden_table() -> None:
    alike, unlike = (batch.ratios("consensus", (1, 16, 256, 4096), 0.02, pulled) for pulled in (False, True))
    assert alike == pytest.approx([1.420] * 4, abs=5e-4)
    assert unlike == pytest.approx([1.479, 2.360, 16.4, 242], rel=3e-3)
    assert batch.ratios("atc", (1, 16), 0.02, True) == pytest.approx([1.191, 1.779], abs=5e-4)
    assert batch.crossover("consensus") == pytest.approx((13.9, 17.04), abs=0.02)
    assert batch.ratios("consensus", (1, 64), 0.002, False, scaled=True) == pytest.approx([1.044, 3.2], abs=6e-3)


def test_the_complete_graph_leaves_consensus_its_floor() -> None:
    at = excess.both_ways("consensus", "node_average", runs.lazy_ring(), 0.1, 1, 1)
    assert at[0] == pytest.approx(at[1], rel=1e-10)
    assert excess.complete_graph("atc", "node_average").verdict is Verdict.VIOLATED
    floor = excess.complete_graph("consensus", "node_average")
    assert floor.verdict is Verdict.HOLDS
    assert floor.numbers.measured > floor.numbers.bound


@pytest.mark.parametrize("form", excess.FORMS)
def test_proofs_on_one_hessian(form: str) -> None:
    assert excess.never_below(form, "node_average").verdict is Verdict.HOLDS
    assert excess.mean_is_centralized(form).verdict is Verdict.VIOLATED


@pytest.mark.slow
def test_the_order_is_proved_where_it_holds_and_refuted_where_not() -> None:
    found = [
        order.above_atc(),
        order.against_cta(True),
        order.against_cta(False),
        order.combined(),
        order.at_any_time(),
        order.leading_gap(),
    ]
    assert [one.verdict.name for one in found] == ["HOLDS", "VIOLATED", "HOLDS", "VIOLATED", "HOLDS", "HOLDS"]
    assert found[1].numbers.measured < found[1].numbers.bound
    (drawn,) = found[1].maps
    column = int(np.abs(drawn.x - 0.5).argmin())
    border = 2 * drawn.x[column] / (1 + drawn.x[column])
    assert all((number == 1) == (y < border) for y, number in zip(drawn.y, drawn.regions[:, column], strict=True) if y < 1)
    assert not (drawn.regions == 2).any()


def test_a_planted_wrong_factor_is_not_called_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    true = modes.factor
    monkeypatch.setattr(modes, "factor", lambda form: true("cta" if form == "consensus" else "consensus" if form == "atc" else form))
    assert order.above_atc().verdict is Verdict.UNDECIDED
    assert excess.mean_is_centralized("atc").verdict is Verdict.VIOLATED
    monkeypatch.setattr(modes, "factor", lambda form: 2 * modes.X if form == "atc" else true(form))
    assert excess.mean_is_centralized("atc").verdict is Verdict.UNDECIDED


def test_a_planted_wrong_closed_form_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    right = excess.both_ways
    monkeypatch.setattr(excess, "both_ways", lambda *given: (right(*given)[0], 1.01 * right(*given)[1], right(*given)[2]))
    assert excess.never_below("atc", "node_average").verdict is Verdict.UNDECIDED


@pytest.fixture(scope="module")
def measured() -> dict[str, tuple[runs.Excess, ...]]:
    etas = excess.ETAS
    return {
        form: tuple(runs.read_excess(runs.run(form, 3, 16, eta), (), "cpu") for eta in etas)
        for form in ("centralized", "atc", "consensus", "cta")
    }


@pytest.mark.slow
def test_runs_agree_with_their_exact_values(measured: dict[str, tuple[runs.Excess, ...]]) -> None:
    for found in measured.values():
        for one in found[1:]:
            for where, values in one.measured.items():
                error = (values - one.exact[where]).std(ddof=1) / np.sqrt(len(values))
                assert abs((values - one.exact[where]).mean()) < 4.5 * error


@pytest.mark.slow
def test_measured_verdicts_on_known_truth(measured: dict[str, tuple[runs.Excess, ...]]) -> None:
    central, atc, consensus, cta = (measured[form] for form in ("centralized", "atc", "consensus", "cta"))
    assert excess.above_centralized(atc + central, 0.01, rng(), "atc", "node_average").verdict is Verdict.HOLDS
    assert excess.above_centralized(central + atc, 0.01, rng(), "atc", "node_average").verdict is Verdict.VIOLATED
    assert excess.above_centralized(atc + central, 0.01, rng(), "atc", "network_mean").verdict is Verdict.VIOLATED
    assert order.compared(consensus + atc, 0.01, rng(), excess.ETAS, "node_average", "atc").verdict is Verdict.HOLDS
    assert order.compared(consensus + cta, 0.01, rng(), excess.ETAS, "node_average", "cta").verdict is Verdict.VIOLATED
    assert order.compared(consensus + cta, 0.01, rng(), excess.ETAS, "gradient_point", "cta").verdict is Verdict.HOLDS
    assert order.compared(consensus + atc, 0.01, rng(), excess.ETAS, "combined", "atc").verdict is Verdict.VIOLATED


def batches(extra: list[float], noise: float, seed: int) -> tuple[runs.Excess, ...]:
    """Runs of the consensus form and centralized SGD whose b (difference) is ``extra`` on average, and the centralized one 1/b."""
    draw = np.random.default_rng(seed)
    made = []
    for form, add in (("consensus", np.array(extra)), ("centralized", np.zeros(len(extra)))):
        for b, more in zip(batch.RUN_BATCHES, add, strict=True):
            values = {"node_average": (1 + more + noise * draw.normal(size=60)) / b}
            made.append(runs.Excess(runs.run(form, 0, 60, 0.1, b), values, values, np.zeros((60, 1, 4))))
    return tuple(made)


def test_batch_verdicts_on_known_truth() -> None:
    judged = [
        batch.measured_homogeneous(batches(extra, noise, 1), 0.01, rng()).verdict.name
        for extra, noise in (([0.5] * 4, 0.02), ([0.5, 0.7, 0.9, 1.2], 0.02), ([0.5] * 4, 0.5))
    ]
    assert judged == ["VIOLATED", "HOLDS", "UNDECIDED"]
    grown = [0.3 + 0.2 * b for b in batch.RUN_BATCHES]
    finding = batch.measured_heterogeneous(batches(grown, 0.02, 2), 0.01, rng())
    assert finding.verdict is Verdict.HOLDS
    # Constant part 0.2 against 1/b: equal at b = 5.
    assert "above 4 and below 8" in finding.reason
    assert batch.measured_heterogeneous(batches([0.5, 0.5, 0.3, 0.5], 0.02, 3), 0.01, rng()).verdict is Verdict.VIOLATED


def test_the_exact_batch_cases() -> None:
    assert [find("atc").verdict.name for find in (batch.homogeneous, batch.heterogeneous, batch.scaled_step)] == [
        "VIOLATED",
        "HOLDS",
        "HOLDS",
    ]


def test_cases_are_named_once_and_decided_end_to_end() -> None:
    for build in (excess.excess_risk, order.consensus_worse, batch.large_batch):
        built = build(QUICK, 0, "cpu")
        assert len({case.case for case in built}) == len(built)
    chosen = [case for case in order.consensus_worse(QUICK, 0, "cpu") if case.case in ("beyond-stability", "single-node")]
    verdicts = {case.case: case.decide(execute(case.tasks(), jobs=1), Context(0.001, 0)).verdict.name for case in chosen}
    assert verdicts == {"beyond-stability": "NOT_APPLICABLE", "single-node": "VIOLATED"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_verdicts_are_the_same_under_every_seed(seed: int) -> None:
    expected = None
    for master in (0, seed):
        built = [case for build in (excess.excess_risk, order.consensus_worse, batch.large_batch) for case in build(QUICK, master, "cpu")]
        results = execute([task for case in built for task in case.tasks()], jobs=1)
        verdicts = {(case.claim, case.case): case.decide(results, Context(0.05 / 40, master)).verdict for case in built}
        assert expected is None or verdicts == expected
        expected = verdicts
