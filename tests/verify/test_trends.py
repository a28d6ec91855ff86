"""The trend test: directions of curves with known means, error rates at the margin, and power."""

from __future__ import annotations

import numpy as np
import pytest

from bounds.errors import DomainError
from verify.statistics import blocked, trend_calibration, trend_test
from verify.statistics.noise import KINDS, sampler
from verify.statistics.trends import Trend, _last_step, _one_fall
from verify.verdict import Verdict

LEVEL, RESAMPLES, MARGIN = 0.05, 499, 0.05


def trend(curve: list[float], spread: float = 0.3, correlation: float = 0.999, replicates: int = 60, seed: int = 1) -> Trend:
    rng = np.random.default_rng(seed)
    values = sampler("gaussian", correlation, spread)(np.array(curve), 1, replicates, rng)[0]
    return trend_test(values, MARGIN, LEVEL, RESAMPLES, rng)


@pytest.mark.parametrize(
    ("curve", "direction", "flat", "rising", "falling"),
    [
        ([1, 2, 3, 4], "increasing", False, Verdict.HOLDS, Verdict.VIOLATED),
        ([4, 3, 2, 1], "decreasing", False, Verdict.VIOLATED, Verdict.HOLDS),
        ([1, 2, 3, 1], "mixed", False, Verdict.VIOLATED, Verdict.VIOLATED),
        ([1, 2, 0.5, 3], "mixed", False, Verdict.VIOLATED, Verdict.VIOLATED),
        ([1, 1.02, 1.02, 1.02], "increasing", True, Verdict.VIOLATED, Verdict.VIOLATED),
        ([1, 1.5, 2, 1.99, 2.0], "increasing", False, Verdict.HOLDS, Verdict.VIOLATED),
    ],
)
def test_directions_and_verdicts_of_known_curves(curve: list[float], direction: str, flat: bool, rising: Verdict, falling: Verdict) -> None:
    found = trend(curve, spread=0.1)
    assert (found.direction, found.flat) == (direction, flat)
    assert (found.verdict("increasing"), found.verdict("decreasing")) == (rising, falling)


def test_equal_means_are_flat_and_never_decided_by_a_p_value() -> None:
    found = trend([2, 2, 2, 2], spread=0.1)
    assert found.flat
    assert found.verdict("increasing") is Verdict.VIOLATED
    vague = trend([2, 2, 2, 2], spread=1.0, correlation=0.0)
    assert (vague.direction, vague.verdict("increasing")) == ("unknown", Verdict.UNDECIDED)
    assert vague.words.startswith("unknown (")


def test_numbers_are_those_of_the_curve() -> None:
    values = np.random.default_rng(0).random((30, 3)) + np.array([5.0, 6.0, 8.0])
    found = trend_test(values, MARGIN, LEVEL, RESAMPLES, np.random.default_rng(0))
    mean = values.mean(axis=0)
    assert (found.first, found.last, found.mean) == pytest.approx((mean[0], mean[2], mean.mean()))
    assert found.change == pytest.approx(mean[2] - mean[0])
    assert found.low < found.change < found.high
    assert found.share == pytest.approx(found.change / found.first)
    assert found.words == f"increasing ({100 * found.share:+.0f} %)"
    backwards = trend_test(values, MARGIN, LEVEL, RESAMPLES, np.random.default_rng(0), order=(2, 1, 0))
    assert (backwards.direction, backwards.change) == ("decreasing", pytest.approx(-found.change))


def test_pairing_is_what_gives_power() -> None:
    """A rise by 2 % in noise of 30 %: shown on shared draws, not on independent ones."""
    curve = [1.0, 1.01, 1.02]
    assert trend(curve, correlation=0.99999).direction == "increasing"
    assert trend(curve, correlation=0.0).direction == "unknown"


def test_few_replicates_and_means_that_are_not_positive_decide_nothing() -> None:
    rng = np.random.default_rng(0)
    few = trend_test(np.arange(27.0).reshape(9, 3), MARGIN, LEVEL, RESAMPLES, rng)
    around_zero = trend_test(rng.standard_normal((40, 3)) * 0.01 + np.array([-1.0, 0.0, 1.0]), MARGIN, LEVEL, RESAMPLES, rng)
    for found in (few, around_zero):
        assert found.direction == "unknown"
        assert found.verdict("increasing") is Verdict.UNDECIDED


@pytest.mark.parametrize(("replicates", "blocks"), [(35, 35), (40, 40), (80, 40), (90, 30), (41, 41), (82, 41), (89, 89)])
def test_blocks_keep_means_and_order(replicates: int, blocks: int) -> None:
    values = np.arange(2.0 * replicates).reshape(replicates, 2)
    found = blocked(values, 41)
    assert found.shape == (blocks, 2)
    assert found.mean(axis=0) == pytest.approx(values.mean(axis=0))
    size = replicates // blocks
    assert found[3] == pytest.approx(values[3 * size : 4 * size].mean(axis=0))


def test_wrong_input_is_refused() -> None:
    values, rng = np.ones((20, 3)), np.random.default_rng(0)
    with pytest.raises(DomainError, match="at least 2 points"):
        trend_test(values[:, :1], MARGIN, LEVEL, RESAMPLES, rng)
    with pytest.raises(DomainError, match="margin"):
        trend_test(values, 0.0, LEVEL, RESAMPLES, rng)
    with pytest.raises(DomainError, match="resamples"):
        trend_test(values, MARGIN, 0.001, RESAMPLES, rng)
    with pytest.raises(DomainError, match="flat"):
        trend([1, 2, 3]).verdict("flat")  # type: ignore[arg-type]


def test_calibration_curves_lie_exactly_on_the_margin() -> None:
    step, fall = _last_step(0.1), _one_fall(0.1)
    assert step[-1] - step[0] == pytest.approx(0.1 * step.mean())
    assert fall[2] - fall[3] == pytest.approx(0.1 * fall.mean())


@pytest.mark.parametrize("noise", sorted(KINDS))
def test_false_verdicts_stay_below_the_level_and_real_trends_are_found(noise: str) -> None:
    (row,) = trend_calibration(80, 50, LEVEL, 299, seed=2, noises=[noise], correlation=0.995)
    for wrong in (row.false_direction, row.false_flat, row.false_holds, row.false_violated):
        assert wrong.low <= LEVEL
        assert wrong.rate <= 0.06
    assert row.power_direction.rate >= 0.95
    assert row.power_flat.rate >= 0.5


@pytest.mark.slow
def test_false_verdicts_over_many_trials() -> None:
    for row in trend_calibration(1000, 40, LEVEL, 999, seed=3):
        for wrong in (row.false_direction, row.false_flat, row.false_holds, row.false_violated):
            assert wrong.rate <= LEVEL + 0.015
