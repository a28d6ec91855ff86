"""The slope test against polyfit, the jackknife and curves with a known exponent."""

import numpy as np
import pytest

from bounds.errors import DomainError
from verify.statistics import slope_calibration, slope_test
from verify.statistics.noise import sampler
from verify.statistics.slopes import _pseudo_values, _weights
from verify.verdict import Verdict

X = 2.0 ** np.arange(6)


def curve(mean: np.ndarray, seed: int = 0, replicates: int = 60, spread: float = 0.3) -> np.ndarray:
    return sampler("right_skewed", spread=spread)(mean, 1, replicates, np.random.default_rng(seed))[0]


def judged(values: np.ndarray, exponent: float, margin: float = 0.1, **options: float):
    return slope_test(values, X, exponent, margin, 0.05, 1999, np.random.default_rng(1), **options)


def test_the_slope_is_polyfits() -> None:
    values = curve(X**-0.7)
    expected = np.polyfit(np.log(X), np.log(values.mean(0)), 1)[0]
    assert judged(values, -0.7).slope == pytest.approx(expected, rel=1e-12)
    early = np.polyfit(np.log(X[:3]), np.log(values.mean(0)[:3]), 1)[0]
    late = np.polyfit(np.log(X[3:]), np.log(values.mean(0)[3:]), 1)[0]
    assert judged(values, -0.7).drift == pytest.approx(late - early, rel=1e-12)


def test_the_standard_error_is_the_jackknifes() -> None:
    values = curve(X**-0.7)
    count = len(values)
    left_out = [np.polyfit(np.log(X), np.log(np.delete(values, r, axis=0).mean(0)), 1)[0] for r in range(count)]
    jackknife = np.sqrt((count - 1) / count * np.sum((left_out - np.mean(left_out)) ** 2))
    linear = _pseudo_values(values[None], _weights(X))[0, :, 0].std(ddof=1) / np.sqrt(count)
    assert linear == pytest.approx(jackknife, rel=0.03)


@pytest.mark.parametrize(
    ("true", "asked", "verdict"),
    [(-0.5, -0.5, Verdict.HOLDS), (-0.5, -1.0, Verdict.VIOLATED), (1.0, 0.5, Verdict.VIOLATED), (1.0, 1.0, Verdict.HOLDS)],
)
def test_known_exponents(true: float, asked: float, verdict: Verdict) -> None:
    assert judged(curve(X**true), asked).verdict is verdict


def test_few_noisy_replicates_decide_nothing() -> None:
    assert judged(curve(X**-0.5, replicates=10, spread=0.5), -0.62).verdict is Verdict.UNDECIDED
    assert "too few" in judged(curve(X**-0.5, replicates=9), -0.5).reason
    assert "not clearly positive" in judged(curve(np.full(6, 1e-3)) - 1e-3, 0.0).reason


def test_a_curve_that_bends_has_no_exponent() -> None:
    values = curve(1 / X + 0.1, spread=0.05)
    result = judged(values, judged(values, 0.0).slope)
    assert result.verdict is Verdict.UNDECIDED
    assert "drift" in result.reason
    assert judged(values, result.slope, drift_margin=5.0).verdict is Verdict.HOLDS


def test_mistakes_are_one_line() -> None:
    for x in (X[:3], X[::-1], np.arange(6.0)):
        with pytest.raises(DomainError, match="at least 4 ascending"):
            slope_test(curve(X)[:, : len(x)], x, 1.0, 0.1, 0.05, 999, np.random.default_rng(0))
    with pytest.raises(DomainError, match="must be > 0"):
        judged(curve(X), 1.0, margin=0.0)


def test_calibration_keeps_its_level_and_has_power() -> None:
    rows = slope_calibration(200, 40, 0.05, 999, 0)
    assert [row.noise for row in rows] == ["gaussian", "right_skewed", "left_skewed", "bounded", "heavy_tailed"]
    for row in rows:
        assert row.false_holds.low <= 0.05
        assert row.false_violated.low <= 0.05
        assert row.power.rate > 0.8
    assert rows == slope_calibration(200, 40, 0.05, 999, 0)
