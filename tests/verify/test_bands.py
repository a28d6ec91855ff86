"""The bootstrap band against brute-force, enumerated and exact references."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds.errors import DomainError
from verify.statistics import bands as module
from verify.statistics.bands import max_t_band, max_t_bands

LEVEL, RESAMPLES = 0.05, 199


def _data(replicates: int = 12, points: int = 4, seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.standard_exponential((replicates, points)).cumsum(axis=1)


def _band(values: np.ndarray, level: float = LEVEL, resamples: int = RESAMPLES, seed: int = 11) -> module.Band:
    return max_t_band(values, level, resamples, np.random.default_rng(seed))


def _loop_reference(values: np.ndarray, level: float, resamples: int, seed: int) -> tuple[float, float]:
    """Quantiles by copying rows, one resample at a time, straight from the definition."""
    rng, count = np.random.default_rng(seed), len(values)
    lows, highs = [], []
    for drawn in rng.integers(0, count, size=(resamples, count), dtype=np.uint32):
        copy = values[drawn]
        error = copy.std(axis=0, ddof=1) / math.sqrt(count)
        ratio = (copy.mean(axis=0) - values.mean(axis=0)) / error
        lows.append(ratio.max())
        highs.append((-ratio).max())
    rank = math.ceil((1 - level) * (resamples + 1))
    return sorted(lows)[rank - 1], sorted(highs)[rank - 1]


@pytest.mark.parametrize("points", [1, 4])
@pytest.mark.parametrize("level", [0.05, 0.2])
def test_quantiles_equal_a_row_by_row_loop(points: int, level: float) -> None:
    values = _data(points=points)
    band = _band(values, level)
    low, high = _loop_reference(values, level, RESAMPLES, 11)
    assert band.quantile_low == pytest.approx(low, rel=1e-10)
    assert band.quantile_high == pytest.approx(high, rel=1e-10)
    error = values.std(axis=0, ddof=1) / math.sqrt(len(values))
    np.testing.assert_allclose(band.low, values.mean(axis=0) - low * error)
    np.testing.assert_allclose(band.high, values.mean(axis=0) + high * error)
    np.testing.assert_allclose(band.standard_error, error)
    assert (band.level, band.replicates) == (level, len(values))


def test_quantiles_agree_with_all_resamples_enumerated() -> None:
    values = np.array([[0.0, 1.0], [1.0, 3.5], [4.0, 2.0], [9.0, 7.0], [2.5, -1.0]])
    band = _band(values, level=0.1, resamples=4999)
    lows, highs = [], []
    for rows in itertools.product(range(5), repeat=5):
        copy = values[list(rows)]
        error = copy.std(axis=0, ddof=1) / math.sqrt(5)
        if (error == 0).any():
            lows.append(math.inf)
            highs.append(math.inf)
            continue
        ratio = (copy.mean(axis=0) - values.mean(axis=0)) / error
        lows.append(ratio.max())
        highs.append((-ratio).max())
    for found, exact in ((band.quantile_low, lows), (band.quantile_high, highs)):
        share = np.mean(np.array(exact) <= found * (1 + 1e-9))
        assert 0.9 - 0.015 < share < 0.9 + 0.03


def test_whole_replicates_are_kept_together() -> None:
    column = _data(points=1)
    copies = np.hstack([column * scale for scale in (1.0, 2.0, 5.0, 0.1)])
    apart = np.random.default_rng(0).permuted(copies, axis=0)
    assert _band(copies).quantile_low == pytest.approx(_band(column).quantile_low)
    assert _band(copies).quantile_high == pytest.approx(_band(column).quantile_high)
    assert _band(apart).quantile_high > 1.2 * _band(column).quantile_high


@given(scale=st.floats(1e-6, 1e6), shift=st.floats(-1e3, 1e3), seed=st.integers(0, 50))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_the_band_moves_with_units_and_swaps_ends_under_a_sign(scale: float, shift: float, seed: int) -> None:
    values = _data(seed=seed)
    band = _band(values)
    moved, turned = _band(values * scale), _band(-(values + shift))
    np.testing.assert_allclose(moved.low, band.low * scale, rtol=1e-8)
    np.testing.assert_allclose(moved.high, band.high * scale, rtol=1e-8)
    np.testing.assert_allclose(turned.low, -band.high - shift, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(turned.high, -band.low - shift, rtol=1e-8, atol=1e-8)


@given(seed=st.integers(0, 1000), points=st.integers(1, 5))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_the_ends_enclose_the_mean_and_widen_as_the_level_falls(seed: int, points: int) -> None:
    values = _data(points=points, seed=seed)
    strict, loose = _band(values, 0.05), _band(values, 0.2)
    assert (strict.low <= loose.low).all()
    assert (loose.low <= strict.mean).all()
    assert (strict.high >= loose.high).all()
    assert (loose.high >= strict.mean).all()


def test_same_seed_same_bits_and_chunks_change_nothing_but_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    values = _data()
    first = _band(values)
    np.testing.assert_array_equal(first.low, _band(values).low)
    monkeypatch.setattr(module, "_MEMORY", 4096)
    np.testing.assert_allclose(_band(values).low, first.low, rtol=1e-12)
    np.testing.assert_allclose(_band(values).high, first.high, rtol=1e-12)


def test_a_stack_is_its_trials_side_by_side() -> None:
    stack = np.stack([_data(seed=seed) for seed in range(3)])
    for values, band in zip(stack, max_t_bands(stack, LEVEL, RESAMPLES, np.random.default_rng(11)), strict=True):
        np.testing.assert_allclose(band.low, _band(values).low, rtol=1e-10)
        np.testing.assert_allclose(band.high, _band(values).high, rtol=1e-10)


def test_later_blocks_of_a_stack_draw_fresh_weights() -> None:
    values = _data()
    bands = max_t_bands(np.stack([values] * 21), LEVEL, RESAMPLES, np.random.default_rng(11))
    assert bands[0].quantile_low == bands[19].quantile_low != bands[20].quantile_low


def test_a_point_without_spread_is_blind_and_leaves_the_others_alone() -> None:
    values = _data()
    band = _band(np.column_stack([np.full(12, 0.1), values]))
    assert band.blind.tolist() == [True, False, False, False, False]
    assert (band.mean[0], band.low[0], band.high[0]) == (0.1, -math.inf, math.inf)
    np.testing.assert_allclose(band.low[1:], _band(values).low)
    np.testing.assert_allclose(band.high[1:], _band(values).high)


def test_spread_of_rounding_size_is_no_spread() -> None:
    wobble = 1.0 + np.arange(12) % 2 * np.finfo(float).eps
    assert _band(wobble[:, None]).blind.all()


@pytest.mark.parametrize("seen", [1, 2])
def test_rare_events_hardly_seen_get_an_infinite_band_of_their_own(seen: int) -> None:
    rare = np.zeros(100)
    rare[:seen] = np.arange(1, seen + 1)
    steady = _data(100, 1)[:, 0]
    band = _band(np.column_stack([rare, steady]))
    assert (band.low[0], band.high[0]) == (-math.inf, math.inf)
    assert np.isfinite([band.low[1], band.high[1]]).all()


def test_resamples_that_collapse_never_narrow_the_band() -> None:
    # Three different rows: 3 of 27 resamples repeat one row, more than the level, and no value is common enough to be blind.
    band = _band(np.array([[0.0], [1.0], [5.0]]), level=0.05)
    assert not band.blind.any()
    assert (band.quantile_low, band.quantile_high) == (math.inf, math.inf)
    assert (band.low[0], band.high[0]) == (-math.inf, math.inf)


def test_a_value_repeated_at_the_mean_collapses_too() -> None:
    values = np.array([[-1.0], [0.0], [0.0], [1.0]])
    assert _band(values, level=0.05, resamples=999).quantile_low == math.inf


@pytest.mark.parametrize(
    ("values", "level", "resamples", "words"),
    [
        (np.zeros(5), 0.05, 199, "shape (5,)"),
        (np.zeros((5, 0)), 0.05, 199, "shape (5, 0)"),
        (np.array([[1.0, 2.0], [1.0, np.nan]]), 0.05, 199, "nan at replicate 1, point 1"),
        (np.array([[1.0, np.inf], [1.0, 2.0]]), 0.05, 199, "inf at replicate 0, point 1"),
        (np.array([[1.0, 1e300], [1.0, 2.0]]), 0.05, 199, "1e+300"),
        (np.ones((1, 3)), 0.05, 199, "at least 2"),
        (np.ones((5, 3)), 0.0, 199, "level 0.0"),
        (np.ones((5, 3)), 0.6, 199, "level 0.6"),
        (np.ones((5, 3)), math.nan, 199, "level nan"),
        (np.ones((5, 3)), 0.05, 98, "use at least 99"),
        (np.ones((5, 3)), 0.001, 199, "use at least 4999"),
    ],
)
def test_errors_are_one_line_and_say_how_to_fix_it(values: np.ndarray, level: float, resamples: int, words: str) -> None:
    with pytest.raises(DomainError) as caught:
        _band(values, level, resamples)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_advised_number_of_resamples_is_enough() -> None:
    assert np.isfinite(_band(_data(), 0.05, 99).low).all()
    assert np.isfinite(_band(_data(40), 0.001, 4999).low).all()
