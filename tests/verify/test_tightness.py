"""Tightness: ratios by hand, and what has none."""

from __future__ import annotations

import numpy as np
import pytest

from bounds.errors import DomainError
from verify.tightness import tightness_map

POINTS = [(1.0, 10.0), (2.0, 10.0), (1.0, 20.0), (4.0, 20.0)]


def test_ratios_lie_where_their_points_are() -> None:
    values = np.array([[1.0, 2.0, -1.0, 8.0]] * 12) + np.linspace(-0.1, 0.1, 12)[:, None]
    found = tightness_map("some_bound", ("T", "n"), POINTS, values, [3.0, 5.0, 7.0, 4.0], [True, False, True, True])
    assert (found.x.tolist(), found.y.tolist(), found.replicates) == ([1, 2, 4], [10, 20], 12)
    nan = np.nan
    # No ratio outside the assumptions (2, 10) or below a negative mean (1, 20); 0.5 where the mean lies above the bound.
    np.testing.assert_allclose(found.ratio, [[3.0, nan, nan], [nan, nan, 0.5]], rtol=1e-12)
    assert found.measured.tolist() == [[True, True, False], [True, False, True]]
    assert found.applies.tolist() == [[True, False, False], [True, False, True]]
    assert found.sure.tolist() == [[True, True, False], [False, False, True]]


def test_noise_that_reaches_zero_is_not_sure_and_few_replicates_never_are() -> None:
    rng = np.random.default_rng(0)
    values = 0.1 + rng.standard_normal((20, 1))
    assert not tightness_map("b", ("T", "n"), [(1.0, 1.0)], values, [1.0], [True]).sure.any()
    few = tightness_map("b", ("T", "n"), [(1.0, 1.0)], np.ones((2, 1)), [1.0], [True])
    assert (few.sure.any(), few.ratio.item()) == (False, 1.0)


@pytest.mark.parametrize(
    ("points", "values", "words"),
    [
        ([], np.ones((3, 0)), "0 points"),
        (POINTS[:2], np.ones((3, 1)), "one value and bound per point"),
        ([POINTS[0]] * 2, np.ones((3, 2)), "twice"),
    ],
)
def test_mistakes(points: list[tuple[float, ...]], values: np.ndarray, words: str) -> None:
    with pytest.raises(DomainError, match=words):
        tightness_map("b", ("T", "n"), points, values, np.ones(len(points)), [True] * len(points))
