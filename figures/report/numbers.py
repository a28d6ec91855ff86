"""Numbers as people read them: three significant digits, powers of ten, and more digits only where three would hide a difference."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

_DIGITS = 3
_MOST_DIGITS = 12
_MINUS = "\N{MINUS SIGN}"
_NONE = Markup("\N{EN DASH}")
_TIMES = "\N{MULTIPLICATION SIGN}"
_INFINITY = "\N{INFINITY}"
_THIN = "\N{NARROW NO-BREAK SPACE}"


def number(value: float | int | None, digits: int = _DIGITS) -> Markup:
    """``value`` in HTML with ``digits`` significant digits; whole numbers below a million are shown whole."""
    if value is None:
        return _NONE
    if not math.isfinite(value):
        return Markup("not a number") if math.isnan(value) else Markup(_INFINITY if value > 0 else f"{_MINUS}{_INFINITY}")
    if isinstance(value, int) and abs(value) < 1_000_000:
        return Markup(_signed(str(value)))
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    power = int(exponent)
    if value == 0 or -3 <= power < max(4, digits):
        return Markup(_signed(_trim(f"{float(f'{mantissa}e{power}'):.{max(0, digits - 1 - power)}f}")))
    base = _signed(_trim(mantissa))
    return Markup(f'<span class="number">{base}{_THIN}{_TIMES}{_THIN}10<sup>{_signed(str(power))}</sup></span>')


def times(value: float | None) -> Markup:
    """A ratio, as ``12.3x`` typographically; never rounded onto 1 from either side."""
    return _NONE if value is None else number(value, digits_apart([value, 1.0])) + Markup(_TIMES)


def digits_apart(values: Sequence[float | int | None]) -> int:
    """Significant digits (3 to 12) that keep values which differ apart, so that no verdict looks like a tie."""
    distinct = {float(value) for value in values if value is not None and math.isfinite(value)}
    for digits in range(_DIGITS, _MOST_DIGITS):
        if len({f"{value:.{digits - 1}e}" for value in distinct}) == len(distinct):
            return digits
    return _MOST_DIGITS


def _trim(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _signed(text: str) -> str:
    return text.replace("-", _MINUS)
