"""Ratios, decays and exponents: against independent computations, known truths, and their nominal error rates."""

import math

import numpy as np
import pytest

from bounds.errors import DomainError
from verify.statistics import (
    SlopeJudgement,
    decay_test,
    exponent_verdict,
    grouped,
    grouped_band,
    max_t_band,
    rate,
    ratio_test,
    resamples_for,
    slope_test,
    slower_or_equal,
)
from verify.statistics.noise import KINDS, sampler
from verify.verdict import Verdict

X = 2.0 ** np.arange(6)


def noisy(mean: np.ndarray, seed: int = 0, replicates: int = 60, spread: float = 0.3, kind: str = "right_skewed") -> np.ndarray:
    return sampler(kind, spread=spread)(np.asarray(mean, dtype=float), 1, replicates, np.random.default_rng(seed))[0]


def ratio(true: float, paired: bool = False, replicates: int = 200, seed: int = 0):
    reference = noisy([1.0, 2.0], seed, replicates)
    values = true * (reference if paired else noisy([1.0, 2.0], seed + 1, replicates))
    return ratio_test(values, reference, 1.25, 0.05, 999, np.random.default_rng(2))


@pytest.mark.parametrize(
    ("true", "verdict"), [(1.0, Verdict.HOLDS), (1.7, Verdict.VIOLATED), (0.6, Verdict.VIOLATED), (1.25, Verdict.UNDECIDED)]
)
def test_known_ratios(true: float, verdict: Verdict) -> None:
    found = ratio(true)
    assert found.verdict is verdict
    assert (found.low < found.ratio).all()
    assert (found.ratio < found.high).all()
    assert f"{found.ratio[found.index]:.4g}" in found.reason


def test_the_ratio_is_that_of_the_means_and_its_error_the_jackknifes() -> None:
    ours, theirs = noisy([1.0], 0, 80)[:, 0], noisy([1.0], 1, 80)[:, 0]
    found = ratio_test(ours[:, None], theirs[:, None], 1.25, 0.32, 9999, np.random.default_rng(0))
    assert found.ratio[0] == pytest.approx(ours.mean() / theirs.mean(), rel=1e-12)
    left = np.array([math.log(np.delete(ours, k).mean() / np.delete(theirs, k).mean()) for k in range(80)])
    error = math.sqrt(79 / 80 * ((left - left.mean()) ** 2).sum())
    # 0.32/2 at each end is one standard error of a Gaussian.
    assert math.log(found.high[0] / found.low[0]) / 2 == pytest.approx(error, rel=0.1)


def test_pairs_have_more_power_and_equal_tables_a_ratio_without_error() -> None:
    paired, apart = ratio(1.2, paired=True, replicates=40), ratio(1.2, replicates=40)
    assert paired.verdict is Verdict.HOLDS
    assert apart.verdict is Verdict.UNDECIDED
    assert paired.low == pytest.approx([1.2, 1.2], abs=1e-12)


def test_no_ratio_of_few_or_doubtful_means() -> None:
    assert "too few" in ratio(1.0, replicates=9).reason
    flat = np.random.default_rng(0).standard_normal((50, 1))
    assert "not clearly positive" in ratio_test(flat, flat + 5, 1.25, 0.05, 999, np.random.default_rng(0)).reason


def test_error_rates_of_the_ratio_test_are_at_most_nominal() -> None:
    trials, level, factor = 150, 0.05, 1.25
    for kind in KINDS:
        verdicts: dict[float, list[Verdict]] = {1.0: [], factor: []}
        for trial in range(trials):
            ours, theirs = (noisy([1.0], 2 * trial + k + 1, 80, kind=kind) for k in range(2))
            for true, found in verdicts.items():
                found.append(ratio_test(true * ours, theirs, factor, level, 199, np.random.default_rng(trial)).verdict)
        for wrong in (Verdict.HOLDS, Verdict.VIOLATED):
            assert rate(verdicts[factor].count(wrong), trials).low <= level, (kind, wrong)
        assert verdicts[1.0].count(Verdict.HOLDS) > 0.8 * trials, kind


def test_an_exponential_has_its_rate() -> None:
    x = np.arange(3.0, 28.0, 4)
    values = noisy(np.exp(-0.4 * x))
    assert decay_test(values, x, -0.4, 0.02, 0.05, 999, np.random.default_rng(0)).verdict is Verdict.HOLDS
    found = decay_test(values, x, -0.8, 0.04, 0.05, 999, np.random.default_rng(0))
    assert found.verdict is Verdict.VIOLATED
    assert found.slope == pytest.approx(np.polyfit(x, np.log(values.mean(0)), 1)[0], rel=1e-12)
    floor = noisy(np.exp(-0.4 * x) + 0.05)
    assert decay_test(floor, x, -0.4, 0.02, 0.05, 999, np.random.default_rng(0)).verdict is not Verdict.HOLDS
    with pytest.raises(DomainError, match="at most 700"):
        decay_test(values, 200 * x, -0.4, 0.02, 0.05, 999, np.random.default_rng(0))


def judged(values: np.ndarray, exponent: float, margin: float = 0.1):
    return slope_test(values, X, exponent, margin, 0.05, 999, np.random.default_rng(1))


@pytest.mark.parametrize(
    ("true", "asked", "limit", "order"),
    [(-1.0, -0.4, Verdict.HOLDS, Verdict.VIOLATED), (-1.0, -1.0, None, Verdict.HOLDS), (-0.4, -1.0, Verdict.VIOLATED, Verdict.VIOLATED)],
)
def test_an_exponent_as_a_limit_and_as_the_order(true: float, asked: float, limit: Verdict | None, order: Verdict) -> None:
    found = judged(noisy(X**true, replicates=200), asked)
    assert limit is None or slower_or_equal(found, asked) is limit
    assert exponent_verdict(found) is order


def slope(low: float, high: float, drift_low: float = -0.02, drift_high: float = 0.02) -> SlopeJudgement:
    return SlopeJudgement(Verdict.UNDECIDED, "", -1.0, 0.1, (low + high) / 2, low, high, 0.0, drift_low, drift_high)


@pytest.mark.parametrize(
    ("found", "limit", "order"),
    [
        (slope(-1.2, -0.95), Verdict.UNDECIDED, Verdict.UNDECIDED),
        (slope(-1.3, -1.05), Verdict.HOLDS, Verdict.UNDECIDED),
        (slope(-1.3, -1.2), Verdict.HOLDS, Verdict.VIOLATED),
        (slope(-1.3, -1.2, -0.1, 0.5), Verdict.UNDECIDED, Verdict.UNDECIDED),
        (slope(-0.8, -0.7), Verdict.VIOLATED, Verdict.VIOLATED),
        (slope(-0.8, -0.7, -0.5, 0.1), Verdict.UNDECIDED, Verdict.UNDECIDED),
        (slope(-1.3, -1.2, 0.01, 0.1), Verdict.HOLDS, Verdict.UNDECIDED),
    ],
)
def test_ends_margin_and_drift_all_count(found: SlopeJudgement, limit: Verdict, order: Verdict) -> None:
    assert slower_or_equal(found, -1.0) is limit
    assert exponent_verdict(found) is order


def test_what_bends_or_is_unknown_has_no_order() -> None:
    bent = judged(noisy(np.log(1 + X), spread=0.05), 0.9)
    assert exponent_verdict(bent) is Verdict.UNDECIDED
    assert slower_or_equal(bent, 0.9) is Verdict.HOLDS
    unknown = judged(noisy(X)[:5], 1.0)
    assert exponent_verdict(unknown) is slower_or_equal(unknown, 1.0) is Verdict.UNDECIDED


def test_blocks_are_means_of_equal_size() -> None:
    table = np.arange(14.0).reshape(7, 2)
    assert grouped(table, 3).tolist() == [[1.0, 2.0], [5.0, 6.0], [9.0, 10.0]]
    assert grouped(table, 4) is not None
    assert np.array_equal(grouped(table, 4), table)
    values = noisy(X, replicates=640)
    blocks = grouped_band(values, 64, 0.05, 999, np.random.default_rng(0))
    plain = max_t_band(values, 0.05, 999, np.random.default_rng(0))
    assert blocks.replicates == 640
    assert blocks.high - blocks.mean == pytest.approx(plain.high - plain.mean, rel=0.3)


def test_the_tail_of_a_small_level_is_resampled() -> None:
    assert resamples_for(0.05, 9999) == 9999
    assert resamples_for(1e-4, 9999) == 50_000
    max_t_band(noisy(X), 1e-4, resamples_for(1e-4, 999), np.random.default_rng(0))
    with pytest.raises(DomainError, match="0 < level"):
        resamples_for(0.0, 999)


def test_mistakes_are_one_line() -> None:
    values = noisy(X)
    with pytest.raises(DomainError, match="need one shape"):
        ratio_test(values, values[:-1], 1.25, 0.05, 999, np.random.default_rng(0))
    with pytest.raises(DomainError, match="factor > 1"):
        ratio_test(values, values, 0.8, 0.05, 999, np.random.default_rng(0))
