"""The fast way of judging many trials says what the ordinary case says, and the audit's verdict about itself can be bad."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import bounds
from bounds.vocabulary import Quantity, Readout
from empirical import Measurement
from verify import curve_case
from verify.audit import alarms
from verify.audit.alarms import cell, cells, judged, tight_curve, tight_settings
from verify.audit.power import forecasts, power_cells
from verify.audit.results import LEVEL, NOMINAL, Cell, keeps, least_replicates, pooled
from verify.case import Context
from verify.curve_case import CurveCase, Point
from verify.self_check import tight_run
from verify.statistics import KINDS, MIN_REPLICATES, Rate, rate, sampler
from verify.verdict import Verdict

ASKED = (Quantity.L1_STABILITY, Readout.NODE_AVERAGE)


def test_the_curve_is_that_of_a_setting_on_which_the_bound_applies() -> None:
    bound, settings = bounds.get("l1_stability_convex"), tight_settings()
    assert all(bound.supports(setting) == [] for setting in settings)
    # d <- d + 2 eta L/(m n), by hand.
    assert tight_curve() == pytest.approx([2 * 0.1 * setting.T / (4 * 8) for setting in settings])


def _ordinary(values: np.ndarray, monkeypatch: pytest.MonkeyPatch, seed: int) -> Verdict:
    """The verdict of an ordinary case that measured these replicates (replicates, points)."""
    monkeypatch.setattr(curve_case, "RESAMPLES", 499)
    run = dataclasses.replace(tight_run(1, 2, 0), checkpoints=alarms._STEPS)
    case = CurveCase(
        claim="audit",
        case="audit",
        paper="core",
        statement="",
        bound_id="l1_stability_convex",
        quantity=ASKED[0],
        readout=ASKED[1],
        parameter="T",
        points=tuple(Point(run, T, T) for T in run.checkpoints),
        requests=(ASKED,),
        device="cpu",
    )
    measured = {(ASKED, s.T): Measurement(*ASKED, values[:, k], s) for k, s in enumerate(tight_settings())}
    results: dict[Any, Any] = dict.fromkeys(case.tasks(), measured)
    return case.decide(results, Context(LEVEL, seed)).verdict


def test_trials_end_as_they_would_in_an_ordinary_case(monkeypatch: pytest.MonkeyPatch) -> None:
    truth, rng = np.array(tight_curve()), np.random.default_rng(1)
    values = 1.15 * sampler("gaussian")(truth, 40, 30, rng)
    ordinary = [_ordinary(trial, monkeypatch, 0) for trial in values]
    fast = judged("gaussian", values, truth, rng).violated
    assert 3 < fast.count < 37
    # Only trials at the very edge may differ between two sets of resamples.
    assert abs(fast.count - ordinary.count(Verdict.VIOLATED)) <= 3


def test_verdicts_are_undecided_below_the_least_number_of_replicates(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = np.array(tight_curve())
    values = 10 * sampler("gaussian", spread=0.01)(truth, 1, MIN_REPLICATES - 1, np.random.default_rng(0))[0]
    assert _ordinary(values, monkeypatch, 0) is Verdict.UNDECIDED


def test_cells_cover_what_is_promised() -> None:
    known = cells()
    assert {(noise, count) for noise, count, _ in known} >= {(noise, count) for noise in KINDS for count in (10, 20, 50, 100, 200)}
    assert {points for _, _, points in known} == {1, 12}
    assert {noise for noise, _, _ in known} - set(KINDS) == {"training_runs"}


@pytest.mark.parametrize(("noise", "replicates", "points"), [("gaussian", 20, 12), ("left_skewed", 20, 1), ("training_runs", 20, 12)])
def test_cells_are_reproducible_and_near_the_level(noise: str, replicates: int, points: int) -> None:
    found = cell(noise, replicates, points, 60, 3)
    assert found == cell(noise, replicates, points, 60, 3)
    assert found.violated.low <= (LEVEL if noise in NOMINAL else 2 * LEVEL)
    assert (found.noise, found.replicates, found.points, found.violated.trials) == (noise, replicates, points, 60)


def test_a_pointwise_band_would_be_exposed() -> None:
    """Levels that are not split over the points: the audit must see it."""
    truth, rng = np.array(tight_curve()), np.random.default_rng(2)
    values = sampler("gaussian", correlation=0.0)(truth, 150, 30, rng)
    alone = [judged("gaussian", values[..., [k]], truth[[k]], np.random.default_rng(k)).violated for k in range(12)]
    wrong = Cell("gaussian", 30, 12, rate(sum(one.count for one in alone), 150), rate(0, 150))
    assert not keeps(wrong)


def _cell(noise: str, replicates: int, share: float) -> Cell:
    return Cell(noise, replicates, 1, rate(round(4000 * share), 4000), rate(0, 4000))


def test_promises_by_law() -> None:
    assert keeps(_cell("gaussian", 20, 0.055))
    assert not keeps(_cell("gaussian", 20, 0.06))
    assert keeps(_cell("heavy_tailed", 50, 0.09))
    assert not keeps(_cell("left_skewed", 50, 0.1))
    table = [_cell("gaussian", 10, 0.2), _cell("gaussian", 20, 0.05), _cell("left_skewed", 20, 0.3), _cell("gaussian", 50, 0.05)]
    assert least_replicates(table) == 50
    assert least_replicates([_cell("gaussian", 50, 0.2)]) is None
    found = pooled(table)
    assert (found.count, found.trials) == (400, 8000)


def test_power_table_and_forecasts() -> None:
    table = {(one.slack, one.factor): one for one in power_cells(20, 60, 0)}
    assert table[1.0, 0.5].violated.rate > 0.9
    assert table[2.0, 1.0].holds.rate > 0.9
    # What counts is bound over truth, however it came about.
    assert table[2.0, 0.5].violated == table[1.0, 1.0].violated
    for one in forecasts(80, 0):
        assert one.decided.high > 0.8
        assert isinstance(one.decided, Rate)
