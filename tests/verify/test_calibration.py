"""The verdict path has the error rates it promises, and the harness would notice if it had not."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from bounds.errors import DomainError, UnknownNameError
from verify.statistics import calibration, judge
from verify.statistics.bands import Band
from verify.statistics.calibration import calibration_table, false_alarm, power, power_curve, rate, verdict_rates
from verify.statistics.noise import KINDS, decaying_curve, sampler, standard_noise
from verify.verdict import Verdict

LEVEL, RESAMPLES = 0.05, 499
SKEWNESS = {"gaussian": 0.0, "right_skewed": 2.0, "left_skewed": -2.0, "bounded": 0.0}


@pytest.mark.parametrize(("count", "trials"), [(0, 7), (7, 7), (1, 20), (13, 400), (399, 400)])
def test_intervals_are_those_of_clopper_and_pearson(count: int, trials: int) -> None:
    found = rate(count, trials)
    exact = scipy.stats.binomtest(count, trials).proportion_ci(0.95, method="exact")
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))
    assert (found.count, found.trials, found.rate) == (count, trials, count / trials)


@pytest.mark.parametrize(("count", "trials"), [(1, 0), (-1, 5), (6, 5)])
def test_impossible_counts_are_refused(count: int, trials: int) -> None:
    with pytest.raises(DomainError):
        rate(count, trials)


@pytest.mark.parametrize("kind", sorted(SKEWNESS))
def test_noise_has_the_stated_moments_and_correlation(kind: str) -> None:
    noise = standard_noise(kind, (200_000, 3), np.random.default_rng(2))
    assert noise.mean(axis=0) == pytest.approx(0.0, abs=0.01)
    assert noise.var(axis=0) == pytest.approx(1.0, abs=0.03)
    assert scipy.stats.skew(noise[:, 0]) == pytest.approx(SKEWNESS[kind], abs=0.08)
    ranks = scipy.stats.spearmanr(noise).statistic
    assert ranks[0, 1] == pytest.approx(6 / np.pi * np.arcsin(0.9 / 2), abs=0.01)
    assert ranks[0, 2] == pytest.approx(6 / np.pi * np.arcsin(0.81 / 2), abs=0.01)


def test_heavy_tailed_noise_is_students_t_with_three_degrees_of_freedom() -> None:
    noise = standard_noise("heavy_tailed", (100_000, 2), np.random.default_rng(2))
    for point in range(2):
        assert scipy.stats.kstest(noise[:, point] * np.sqrt(3), scipy.stats.t(3).cdf).pvalue > 0.01
    assert np.isfinite(KINDS["heavy_tailed"](np.array([-9.0, 9.0]))).all()
    assert set(KINDS) == {*SKEWNESS, "heavy_tailed"}


def test_samplers_keep_the_shape_and_the_mean_curve() -> None:
    curve = decaying_curve(5)
    values = sampler("right_skewed")(curve, 50, 400, np.random.default_rng(0))
    assert values.shape == (50, 400, 5)
    np.testing.assert_allclose(values.mean(axis=(0, 1)), curve, rtol=0.02)


def test_unknown_noise_and_correlation_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="gaussian"):
        standard_noise("gausian", (2, 2), np.random.default_rng(0))
    with pytest.raises(DomainError, match="correlation"):
        standard_noise("gaussian", (2, 2), np.random.default_rng(0), correlation=1.0)


def test_gaussian_false_alarms_at_a_hundred_replicates_are_nominal() -> None:
    found = false_alarm(sampler("gaussian"), decaying_curve(20), 600, 100, LEVEL, RESAMPLES, np.random.default_rng(1))
    assert found.low < LEVEL < found.high
    assert found.rate < 0.075


@pytest.mark.parametrize(
    ("kind", "limit"), [("gaussian", 0.075), ("right_skewed", 0.075), ("bounded", 0.075), ("left_skewed", 0.1), ("heavy_tailed", 0.1)]
)
def test_both_errors_stay_near_the_level_from_twenty_replicates_on(kind: str, limit: float) -> None:
    for row in calibration_table(400, [20, 50], LEVEL, RESAMPLES, seed=3, noises=[kind], points=8):
        assert row.false_violated.rate <= limit
        assert row.holds_at_equality.rate <= row.false_holds.rate <= limit


def test_a_single_point_makes_false_holds_nominal_too() -> None:
    (row,) = calibration_table(800, [100], LEVEL, RESAMPLES, seed=4, noises=["gaussian"], points=1)
    assert row.false_holds.low < LEVEL < row.false_holds.high
    assert row.false_holds == row.holds_at_equality


def test_rare_events_are_not_called_safe() -> None:
    rng = np.random.default_rng(8)
    for chance in (0.02, 0.05, 0.2):
        values = (rng.random((400, 40, 1)) < chance) * rng.standard_exponential((400, 40, 1))
        found = verdict_rates(values, [chance], LEVEL, RESAMPLES, rng)
        assert found[Verdict.HOLDS].rate <= 0.075
        assert found[Verdict.VIOLATED].rate <= 0.075


def test_the_harness_exposes_a_pointwise_test(monkeypatch: pytest.MonkeyPatch) -> None:
    def pointwise(stack: np.ndarray, level: float, resamples: int, rng: np.random.Generator) -> list[Band]:
        quantile = float(scipy.stats.t.ppf(1 - level, stack.shape[1] - 1))
        mean, error = stack.mean(axis=1), stack.std(axis=1, ddof=1) / np.sqrt(stack.shape[1])
        blind = np.zeros(stack.shape[2], dtype=bool)
        return [
            Band(m, e, m - quantile * e, m + quantile * e, quantile, quantile, level, stack.shape[1], blind)
            for m, e in zip(mean, error, strict=True)
        ]

    monkeypatch.setattr(calibration, "max_t_bands", pointwise)
    found = false_alarm(sampler("gaussian"), decaying_curve(20), 400, 100, LEVEL, RESAMPLES, np.random.default_rng(1))
    assert found.low > 2 * LEVEL


def test_rates_count_what_judge_says_trial_by_trial() -> None:
    rng = np.random.default_rng(5)
    shift = np.repeat([0.0, 1.0, 2.0], [4, 5, 7])[:, None, None]
    values = shift + 0.1 * rng.standard_normal((16, 12, 3))
    bound = np.array([1.0, 3.0, 3.0])
    values[4:9, :, 0] += 1.0 - values[4:9, :, 0].mean(axis=1, keepdims=True)
    words = [judge(trial, bound, LEVEL, RESAMPLES, np.random.default_rng(0)).verdict for trial in values]
    found = verdict_rates(values, bound, LEVEL, RESAMPLES, np.random.default_rng(0))
    assert {verdict: r.count for verdict, r in found.items()} == {verdict: words.count(verdict) for verdict in found}
    assert [found[v].count for v in (Verdict.HOLDS, Verdict.UNDECIDED, Verdict.VIOLATED)] == [4, 5, 7]


def test_power_grows_with_the_planted_violation() -> None:
    curve = decaying_curve(6)
    values = sampler("gaussian", spread=0.2)(curve, 150, 30, np.random.default_rng(6))
    points = power_curve(values, curve, [1.0, 0.97, 0.9, 0.7], LEVEL, RESAMPLES, np.random.default_rng(6))
    rates = [point.violated.rate for point in points]
    assert rates == sorted(rates)
    assert rates[0] < 0.1
    assert 0.1 < rates[1] < 0.9
    assert rates[-1] == 1.0
    alone = power(sampler("gaussian", spread=0.2), curve, 0.7, 50, 30, LEVEL, RESAMPLES, np.random.default_rng(6))
    assert alone.rate == 1.0


def test_power_is_near_that_of_the_t_test_for_one_point() -> None:
    values = 1 + 0.5 * np.random.default_rng(7).standard_normal((600, 40, 1))
    (found,) = power_curve(values, [1.0], [0.85], LEVEL, RESAMPLES, np.random.default_rng(7))
    shift = 0.15 / 0.5 * np.sqrt(40)
    exact = scipy.stats.nct.sf(scipy.stats.t.ppf(1 - LEVEL, 39), 39, shift)
    assert found.violated.rate == pytest.approx(exact, abs=0.06)


def test_wrong_factors_bounds_and_replicates_are_refused() -> None:
    values, rng = np.ones((2, 12, 1)), np.random.default_rng(0)
    for factor in (0.0, 1.2, -0.5):
        with pytest.raises(DomainError, match="factor"):
            power_curve(values, [1.0], [factor], LEVEL, RESAMPLES, rng)
    with pytest.raises(DomainError, match="bound"):
        power_curve(values, [-1.0], [0.5], LEVEL, RESAMPLES, rng)
    with pytest.raises(DomainError, match="replicates"):
        verdict_rates(np.ones((2, 9, 1)), [1.0], LEVEL, RESAMPLES, rng)
    with pytest.raises(DomainError, match="shape"):
        verdict_rates(np.ones((12, 1)), [1.0], LEVEL, RESAMPLES, rng)


def test_a_table_is_its_seed_and_a_row_does_not_depend_on_the_others() -> None:
    whole = calibration_table(30, [10, 20], LEVEL, 99, seed=0, points=3)
    assert whole == calibration_table(30, [10, 20], LEVEL, 99, seed=0, points=3)
    assert [(row.noise, row.replicates) for row in whole] == [(kind, count) for kind in KINDS for count in (10, 20)]
    assert calibration_table(30, [20], LEVEL, 99, seed=0, noises=["bounded"], points=3) == (whole[-3],)
    assert calibration_table(300, [20], LEVEL, 99, seed=1, points=3) != calibration_table(300, [20], LEVEL, 99, seed=0, points=3)
