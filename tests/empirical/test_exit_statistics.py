"""Censored estimates against enumeration, simulation with a known truth, permutations and formulas written out."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bounds.errors import DomainError, LengthError
from empirical.exits import ExitTimes, kaplan_meier, log_rank, mean_exit_time, rate_ratio

DATA = st.lists(st.tuples(st.integers(1, 12), st.booleans()), min_size=1, max_size=25)


def made(pairs: list[tuple[int, bool]]) -> ExitTimes:
    return ExitTimes(np.array([time for time, _ in pairs]), np.array([seen for _, seen in pairs]))


def censored(times: np.ndarray, horizon: float) -> ExitTimes:
    return ExitTimes(np.minimum(times, horizon), times <= horizon)


def test_a_curve_by_hand() -> None:
    curve = kaplan_meier(made([(1, True), (2, True), (2, False), (4, True), (5, False)]))
    assert curve.times.tolist() == [1, 2, 4]
    assert curve.at_risk.tolist() == [5, 4, 2]
    assert curve.survival.tolist() == pytest.approx([4 / 5, 3 / 5, 3 / 10])
    assert [curve.at(t) for t in (0, 0.9, 1, 3.9, 4, 5)] == pytest.approx([1, 1, 0.8, 0.6, 0.3, 0.3])
    terms = [1 / (5 * 4), 1 / (4 * 3), 1 / (2 * 1)]
    assert curve.standard_error(4) == pytest.approx(0.3 * math.sqrt(sum(terms)))
    assert curve.standard_error(0.5) == 0
    found = curve.restricted_mean(5)
    assert found.mean == pytest.approx(1 + 0.8 + 0.6 * 2 + 0.3)
    after = [0.8 + 1.2 + 0.3, 1.2 + 0.3, 0.3]
    assert found.standard_error == pytest.approx(math.sqrt(sum(a**2 * term for a, term in zip(after, terms, strict=True))))


@given(DATA)
def test_redistributing_the_censored_gives_the_same_curve(pairs: list[tuple[int, bool]]) -> None:
    """Efron's (1967) other construction: each censored replicate hands its mass on, in equal shares, to all that are later."""
    data = made(pairs)
    order = sorted(range(len(pairs)), key=lambda i: (pairs[i][0], not pairs[i][1]))
    mass = np.full(len(pairs), 1 / len(pairs))
    for place, i in enumerate(order):
        later = order[place + 1 :]
        if not pairs[i][1] and later:
            mass[later] += mass[i] / len(later)
            mass[i] = 0
    curve = kaplan_meier(data)
    for time in range(int(data.times.max()) + 1):
        kept = sum(share for share, (t, seen) in zip(mass, pairs, strict=True) if t > time or (t == time and not seen and share))
        assert curve.at(time) == pytest.approx(kept, abs=1e-12)


@given(st.lists(st.integers(1, 30), min_size=2, max_size=40), st.integers(1, 30))
def test_the_restricted_mean_under_a_common_horizon_is_the_mean_of_the_shortened_times(times: list[int], horizon: int) -> None:
    shortened = np.minimum(times, horizon)
    found = kaplan_meier(censored(np.array(times), horizon)).restricted_mean(min(horizon, max(times)))
    assert found.mean == pytest.approx(shortened.mean(), rel=1e-12)
    assert found.standard_error == pytest.approx(shortened.std() / math.sqrt(len(times)), rel=1e-9, abs=1e-12)


@given(DATA)
def test_a_curve_falls_from_one_and_stays_above_zero(pairs: list[tuple[int, bool]]) -> None:
    survival = kaplan_meier(made(pairs)).survival
    assert (np.diff(np.concatenate([[1.0], survival])) < 0).all()
    assert (survival >= 0).all()


def test_a_curve_says_nothing_beyond_its_data() -> None:
    curve = kaplan_meier(made([(1, True), (3, False)]))
    for call in (curve.at, curve.restricted_mean, curve.standard_error):
        with pytest.raises(DomainError, match="ask up to 3"):
            call(3.5)
    done = kaplan_meier(made([(1, True), (3, True)]))
    assert (done.at(100), done.standard_error(100)) == (0, 0)
    assert done.restricted_mean(100).mean == 2
    with pytest.raises(DomainError, match="a time > 0"):
        done.restricted_mean(0)


@given(DATA)
def test_the_mean_is_where_the_likelihood_is_largest(pairs: list[tuple[int, bool]]) -> None:
    data = made(pairs)
    found = mean_exit_time(data)
    if not data.exits:
        assert (found.mean, found.standard_error, found.high) == (math.inf, math.inf, math.inf)
        return

    def log_likelihood(mean: float) -> float:
        return sum((-math.log(mean) if seen else 0) - time / mean for time, seen in pairs)

    assert all(log_likelihood(found.mean) >= log_likelihood(found.mean * factor) for factor in (0.9, 0.999, 1.001, 1.1))
    # The observed information: minus the second derivative, by central differences.
    h = 1e-4 * found.mean
    curvature = (log_likelihood(found.mean + h) - 2 * log_likelihood(found.mean) + log_likelihood(found.mean - h)) / h**2
    assert found.standard_error == pytest.approx(1 / math.sqrt(-curvature), rel=1e-3)


def test_no_exit_still_bounds_the_mean_from_below() -> None:
    """With time at risk S and no exit, exp(-S/mean) = 0.025 at the lower end."""
    found = mean_exit_time(made([(40, False), (60, False)]))
    assert math.exp(-100 / found.low) == pytest.approx(0.025)


@pytest.mark.parametrize("horizon", [15.0, 60.0, 1e9])
def test_intervals_cover_and_censoring_leaves_no_bias(horizon: float) -> None:
    rng = np.random.default_rng(0)
    draws = rng.exponential(30.0, (1500, 40))
    found = [mean_exit_time(censored(row, horizon)) for row in draws]
    covered = np.mean([one.low <= 30 <= one.high for one in found])
    # Standard error of the coverage 0.0056; conservative under censoring.
    assert 0.935 < covered < 0.985
    means = np.array([one.mean for one in found])
    exits = np.array([one.exits for one in found]).mean()
    # Without censoring the estimate is a plain mean, unbiased; with it the bias is of order mean/exits.
    allowed = 0 if horizon == 1e9 else 30 / exits
    assert abs(means.mean() - 30) < allowed + 4 * means.std() / math.sqrt(1500)


def test_a_naive_mean_of_censored_times_would_be_far_off() -> None:
    times = np.random.default_rng(1).exponential(30.0, 4000)
    data = censored(times, 15.0)
    assert data.times[data.observed].mean() < data.times.mean() < 15
    assert mean_exit_time(data).mean == pytest.approx(30, rel=0.1)


def test_ratio_intervals_cover() -> None:
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(1500):
        found = rate_ratio(censored(rng.exponential(20.0, 30), 40.0), censored(rng.exponential(30.0, 50), 25.0))
        hits += found.low <= 1.5 <= found.high
    assert 0.93 < hits / 1500 < 0.97


@given(DATA, DATA)
def test_swapping_groups_inverts_the_ratio_and_turns_the_log_rank(first: list[tuple[int, bool]], second: list[tuple[int, bool]]) -> None:
    a, b = made(first), made(second)
    if a.exits and b.exits:
        forth, back = rate_ratio(a, b), rate_ratio(b, a)
        assert (forth.ratio, forth.low, forth.high) == pytest.approx((1 / back.ratio, 1 / back.high, 1 / back.low))
    try:
        one = log_rank(a, b)
    except DomainError:
        with pytest.raises(DomainError):
            log_rank(b, a)
        return
    other = log_rank(b, a)
    assert (one.z, one.p_value, one.variance) == pytest.approx((-other.z, other.p_value, other.variance))
    assert one.observed + other.observed == pytest.approx(one.expected + other.expected)


def plain_log_rank(first: list[tuple[int, bool]], second: list[tuple[int, bool]]) -> tuple[float, float]:
    """(observed - expected, variance), time by time, with moments summed over scipy's hypergeometric chances."""
    difference = variance = 0.0
    for time in sorted({t for t, seen in first + second if seen}):
        n1, n = (sum(t >= time for t, _ in group) for group in (first, first + second))
        d1, d = (sum(t == time and seen for t, seen in group) for group in (first, first + second))
        values = np.arange(d + 1)
        chances = stats.hypergeom.pmf(values, n, n1, d)
        mean = (chances * values).sum()
        difference += d1 - mean
        variance += (chances * (values - mean) ** 2).sum()
    return difference, variance


def test_the_log_rank_against_hypergeometric_moments() -> None:
    rng = np.random.default_rng(3)
    for _ in range(5):
        groups = [[(int(t), bool(seen)) for t, seen in zip(rng.integers(1, 9, k), rng.random(k) < 0.7, strict=True)] for k in (12, 17)]
        found = log_rank(*map(made, groups))
        difference, variance = plain_log_rank(*groups)
        assert found.observed - found.expected == pytest.approx(difference)
        assert found.variance == pytest.approx(variance)
        assert found.z == pytest.approx(difference / math.sqrt(variance))
        assert found.p_value == pytest.approx(2 * stats.norm.sf(abs(found.z)))


def test_the_log_rank_against_all_permutations() -> None:
    """Under equal censoring the labels are exchangeable: the exact permutation p-value, of all 924 ways to deal 12 replicates."""
    rng = np.random.default_rng(4)
    times = np.concatenate([rng.exponential(10, 6), rng.exponential(30, 6)]).round(1) + 0.1
    data = censored(times, 25.0)
    found = log_rank(ExitTimes(data.times[:6], data.observed[:6]), ExitTimes(data.times[6:], data.observed[6:]))

    def distance(chosen: tuple[int, ...]) -> float:
        mask = np.isin(np.arange(12), chosen)
        dealt = [ExitTimes(data.times[part], data.observed[part]) for part in (mask, ~mask)]
        result = log_rank(*dealt)
        return abs(result.observed - result.expected)

    all_of_them = np.array([distance(chosen) for chosen in itertools.combinations(range(12), 6)])
    exact = np.mean(all_of_them >= abs(found.observed - found.expected) - 1e-12)
    assert exact == pytest.approx(found.p_value, abs=0.03)
    # The permutation variance of the statistic is close to, not equal to, the hypergeometric one.
    assert np.mean(all_of_them**2) == pytest.approx(found.variance, rel=0.25)


def test_the_log_rank_rejects_at_its_level_and_has_power() -> None:
    rng = np.random.default_rng(5)

    def rejected(mean: float) -> float:
        pairs = [(censored(rng.exponential(20, 60), 30.0), censored(rng.exponential(mean, 60), 30.0)) for _ in range(600)]
        return float(np.mean([log_rank(*pair).p_value < 0.05 for pair in pairs]))

    assert 0.025 < rejected(20.0) < 0.075
    assert rejected(45.0) > 0.9


def test_what_cannot_be_compared_is_refused() -> None:
    inside, gone = made([(5, False)] * 3), made([(2, True)] * 3)
    with pytest.raises(DomainError, match="got 0 and 3 exits"):
        rate_ratio(inside, gone)
    with pytest.raises(DomainError, match="while both groups"):
        log_rank(inside, inside)
    for call in (lambda: mean_exit_time(gone, 1.0), lambda: rate_ratio(gone, gone, 0.0)):
        with pytest.raises(DomainError, match="confidence"):
            call()
    for times, observed in (([], []), ([1.0], [True, False]), ([1.0], [1])):
        with pytest.raises(LengthError):
            ExitTimes(np.array(times), np.array(observed, dtype=bool if len(observed) != 1 else int))
    for wrong in (0, -1, math.nan, math.inf):
        with pytest.raises(DomainError, match="finite numbers > 0"):
            ExitTimes(np.array([wrong]), np.array([True]))
