"""The sentences beside a figure: what it shows, under which conditions, and what its verdict does not claim."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bounds.setting import Fact
from bounds.vocabulary import Quantity
from verify.verdict import CaseResult, Curve, Evidence, Map, Scatter, Verdict

_WORD_FOR = {Evidence.PROVED: "exact", Evidence.EXACT: "exact", Evidence.MEASURED: "measured", Evidence.LOGGED: "logged"}
_BOUND_PASS = (
    "A pass does not say that the bound is tight, nor that it holds at other settings, "
    "nor that the measured quantity moves the way the bound does."
)
_ENDS = "Either end of a band, taken alone, holds at all of its points together with the confidence named."
_PASS = "A pass does not say that the statement is true at other settings."
_VACUOUS = "The bound is vacuous here: it exceeds the trivial bound, so the pass carries no information."
_VIOLATED = "A refutation here says neither which step of the argument fails, nor that the statement fails at other settings."
_UNDECIDED = "An undecided case says neither that the statement is true nor that it is false."
_NOT_APPLICABLE = "Nothing here speaks for or against the statement."


def caption(result: CaseResult) -> str:
    """Plain sentences: what is shown, the conditions, the verdict, and what the verdict does not claim."""
    return " ".join([shown_words(result), f"{_conditions(result)}.", result.verdict.value, *limits(result)]).lstrip()


def shown_words(result: CaseResult) -> str:
    """The part of the caption that says what is shown, for where conditions and verdict stand beside the figure."""
    shown = [f"{_shown(curve, result.evidence)}." for curve in result.curves]
    if any(0 < curve.level < 1 for curve in result.curves):
        shown.append(_ENDS)
    return " ".join(shown)


def limits(result: CaseResult) -> list[str]:
    """What the verdict does not claim, and on what it is conditional, one sentence each."""
    estimated = [name for name, constant in result.constants.items() if constant.tag == "estimated"]
    decided = result.verdict in (Verdict.HOLDS, Verdict.VIOLATED)
    sentences = _verdict_limits(result)
    if decided and estimated:
        sentences.append(f"It is conditional on {join_words(estimated)}, estimated rather than proved.")
    return sentences


def _verdict_limits(result: CaseResult) -> list[str]:
    if result.verdict is Verdict.HOLDS:
        compared = result.numbers.bound is not None or any(curve.bound is not None for curve in result.curves)
        return [_BOUND_PASS if compared else _PASS] + ([_VACUOUS] if result.vacuous else [])
    if result.verdict is Verdict.VIOLATED:
        return [_VIOLATED]
    if result.verdict is Verdict.NOT_APPLICABLE:
        return [_NOT_APPLICABLE]
    more = result.numbers.more_replicates
    hint = f"About {more} more replicates would decide it with a chance of 80 % if the present means and spreads persist."
    return [_UNDECIDED] + ([] if more is None else [hint])


def alt_text(result: CaseResult) -> str:
    """What a reader who cannot see the figure needs: per panel the axes, the ends of each curve, and the verdict."""
    panels = " ".join(_ends(curve, result.evidence) for curve in result.curves)
    kind = "Chart" if len(result.curves) == 1 else f"{len(result.curves)} charts"
    return f"{kind} for {result.claim}, case {result.case}. {panels} Verdict: {result.verdict.name.replace('_', ' ')}."


def map_caption(one: Map | Scatter) -> str:
    """What a map or a scatter shows: its title, its axes, and what the lines are."""
    if isinstance(one, Scatter):
        return (
            f"{one.title[:1].upper()}{one.title[1:]}: {one.axes[0]} (across), {one.axes[1]} (up), {one.axes[2]} (colour). "
            "Lines: levels of the plane."
        )
    lines = f" Lines: {'; '.join(name for name, _, _ in one.borders)}." if one.borders else ""
    return f"{one.title[:1].upper()}{one.title[1:]}, over {one.axes[0]} (across) and {one.axes[1]} (up).{lines}".replace("$", "")


def map_alt_text(one: Map | Scatter, result: CaseResult) -> str:
    """What a reader who cannot see it needs: how much of a map each answer takes, and the plane of a scatter."""
    if isinstance(one, Scatter):
        level, across, up = one.plane
        plane = f"{level:.4g} {across:+.4g} x {up:+.4g} y"
        return f"Scatter for {result.claim}, case {result.case}: {one.title}. {len(one.x)} points; the plane is {plane}."
    counts = np.bincount(one.regions.ravel(), minlength=len(one.labels)) / one.regions.size
    shares = [f"{label} on {100 * share:.0f} %" for label, share in zip(one.labels, counts, strict=True)]
    return f"Map for {result.claim}, case {result.case}: {one.title}. Of the area: {join_words(shares)}."


def band_words(curve: Curve, evidence: Evidence | None = None) -> str:
    """What the drawn points are: exact values, a mean with the range of its runs, or a mean with a simultaneous band.

    A curve of 0 replicates is exact whatever the case rests on; without ``evidence`` any other one is measured.
    """
    if curve.replicates == 0:
        return "exact value"
    word = "measured" if evidence is None else _WORD_FOR[evidence]
    count = f"{curve.replicates} replicate{'' if curve.replicates == 1 else 's'}"
    if not 0 < curve.level < 1:
        return f"mean and range ({count})" if word == "exact" else f"{word} mean ({count})"
    return f"{word} mean, simultaneous {confidence(curve.level)} band ({count})"


def curve_words(curve: Curve) -> str:
    """What is drawn: the curve's own label, or its quantity."""
    return curve.label or quantity_words(curve.quantity)


def reference_words(curve: Curve) -> str:
    """What the measured curve is held against: a bound by its id, or a value that no catalogue names."""
    if curve.bound_label is not None:
        return curve.bound_label
    return "reference value" if curve.bound_id is None else f"bound {curve.bound_id}"


def quantity_words(quantity: Quantity) -> str:
    """The registry's label; the quantity without a name of its own is called just that."""
    return "compared quantity" if quantity is Quantity.OTHER else quantity.label


def confidence(level: float) -> str:
    """``1 - level`` in percent, rounded down at the level's second digit: never more than was promised."""
    percent = 100 * level
    digits = max(0, 1 - math.floor(math.log10(percent)))
    shown = f"{math.floor((100 - percent) * 10**digits + 1e-6) / 10**digits:.{digits}f}"
    return (shown.rstrip("0").rstrip(".") if "." in shown else shown) + "\N{NO-BREAK SPACE}%"


def fact_words(value: Fact) -> str:
    """A condition's value as people write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def join_words(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(words) if len(words) < 3 else f"{', '.join(words[:-1])} and {words[-1]}"


def other_conditions(result: CaseResult) -> dict[str, Fact]:
    """The conditions without the update form and the readout, which are told apart from them."""
    return {name: value for name, value in result.conditions.items() if name not in ("update_form", "readout")}


def _axes_words(curve: Curve) -> str:
    return f"{curve_words(curve)} over {curve.parameter.meaning} ({curve.parameter.name})"


def _shown(curve: Curve, evidence: Evidence) -> str:
    against = "no bound beside it" if curve.bound is None else f"against the {reference_words(curve)}"
    sentence = f"{_axes_words(curve)}: {band_words(curve, evidence)}, {against}"
    return sentence[:1].upper() + sentence[1:]


def _conditions(result: CaseResult) -> str:
    facts = [f"{name} = {fact_words(value)}" for name, value in other_conditions(result).items()]
    fixed = [f"update form {result.update_form}", f"readout {result.readout.replace('_', ' ')}"]
    return f"Conditions: {', '.join(fixed + facts)}"


def _ends(curve: Curve, evidence: Evidence) -> str:
    points = f"{curve.x.size} point{'' if curve.x.size == 1 else 's'}"
    series = [f"{band_words(curve, evidence)}{_from_to(curve.x, curve.mean)}"]
    if curve.bound is not None:
        series.append(f"{reference_words(curve)}{_from_to(curve.x, curve.bound)}")
    start = _axes_words(curve)
    return f"{start[:1].upper()}{start[1:]}, {points}: {'; '.join(series)}."


def _from_to(x: NDArray[np.float64], values: NDArray[np.float64]) -> str:
    finite = np.isfinite(values)
    if not finite.any():
        return " without a finite value"
    order = np.argsort(x[finite], kind="stable")
    first, last = values[finite][order[0]], values[finite][order[-1]]
    return f" at {first:.3g}" if finite.sum() == 1 else f" from {first:.3g} to {last:.3g}"
