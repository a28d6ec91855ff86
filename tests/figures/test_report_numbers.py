"""Numbers in HTML: three digits, powers of ten, and never a tie that is none."""

from __future__ import annotations

import pytest

from figures.report.numbers import digits_apart, number, times


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0123456, "0.0123"),
        (0.05, "0.05"),
        (0, "0"),
        (0.0, "0"),
        (1.0, "1"),
        (99.96, "100"),
        (1234.6, "1230"),
        (999999, "999999"),
        (-0.0018, "−0.0018"),
        (float("inf"), "∞"),
        (float("-inf"), "−∞"),
        (float("nan"), "not a number"),
    ],
)
def test_plain_numbers(value: float, shown: str) -> None:
    assert str(number(value)) == shown


@pytest.mark.parametrize(
    ("value", "base", "power"),
    [(1.2e-4, "1.2", "−4"), (-3.456e-300, "−3.46", "−300"), (12345.0, "1.23", "4"), (9.996e-5, "1", "−4"), (2_000_000, "2", "6")],
)
def test_powers_of_ten(value: float, base: str, power: str) -> None:
    assert f"{base}\u202f×\u202f10<sup>{power}</sup>" in str(number(value))


def test_an_absent_number_is_a_dash() -> None:
    assert str(number(None)) == "–"
    assert times(None) == number(None)


def test_different_numbers_never_look_alike() -> None:
    assert digits_apart([0.1, 0.2, None, float("nan")]) == 3
    assert digits_apart([0.1, 0.1]) == 3
    digits = digits_apart([0.10004, 0.1])
    assert str(number(0.10004, digits)) == "0.10004"
    assert digits_apart([1.0, 1.0 + 1e-15]) == 12


@pytest.mark.parametrize(("ratio", "shown"), [(12.34, "12.3"), (0.99971, "0.9997"), (1.0004, "1.0004"), (1.0, "1")])
def test_a_tightness_is_never_rounded_onto_one(ratio: float, shown: str) -> None:
    assert str(times(ratio)) == f"{shown}×"
