"""The measured direction of a quantity along an ordered parameter: runs that share their draws, compared point by point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

import bounds
from bounds.setting import Setting
from bounds.symbols import Symbol
from empirical import Measurement
from verify.case import RESAMPLES
from verify.claims.multigossip.certified import Claimed
from verify.claims.multigossip.common import PAPER
from verify.curve_case import Point, Request, shared_conditions
from verify.finding_case import Finding, Heading, Measured, RunsCase
from verify.precision import centre_precision
from verify.statistics import Band, Trend, blocked, max_t_band, resamples_for, trend_test
from verify.verdict import Curve, Numbers, Verdict

#: Differences below this share of the sweep's mean count as none.
MARGIN = 0.05
#: Replicates are averaged over this many blocks before they are resampled.
_BLOCKS = 128
_MOVES = {"increasing": "rise", "decreasing": "fall"}


@dataclass(frozen=True)
class Course:
    """One quantity along the points of a sweep, in the order in which it is ``claimed`` to rise or fall.

    ``places`` are (index of the run, step of the reading). ``bound_id`` is drawn where it applies to every point; it decides nothing.
    """

    request: Request
    parameter: Symbol
    x: tuple[float, ...]
    places: tuple[tuple[int, int], ...]
    claimed: Claimed
    bound_id: str | None = None
    margin: float = MARGIN
    note: str = ""

    def found(self, measured: Sequence[Measured]) -> list[Measurement]:
        """The measurement at each point."""
        return [measured[run][self.request, step] for run, step in self.places]

    def values(self, measured: Sequence[Measured]) -> np.ndarray:
        """(replicates, points)."""
        return np.stack([one.values for one in self.found(measured)], axis=1)

    def trend(self, measured: Sequence[Measured], level: float, rng: np.random.Generator) -> Trend:
        """The trend test of its points."""
        return trend_test(blocked(self.values(measured), _BLOCKS), self.margin, level, resamples_for(level / 2, RESAMPLES), rng)


def course_case(
    claim: str,
    case: str,
    statement: str,
    points: Sequence[Point],
    parameter: Symbol,
    request: Request,
    requests: tuple[Request, ...],
    claimed: Claimed,
    bound_id: str | None,
    device: str,
    note: str = "",
) -> RunsCase:
    """The case that ``request`` moves as ``claimed`` along ``points``; ``requests`` is what each run measures, ``note`` ends the reason."""
    runs = tuple(dict.fromkeys(point.run for point in points))
    places = tuple((runs.index(point.run), point.T) for point in points)
    course = Course(request, parameter, tuple(point.x for point in points), places, claimed, bound_id, note=note)
    about = Heading(claim, case, PAPER, statement, points[0].run.update_form.value, request[1].value)
    return RunsCase(about, runs, requests, course_found, (course,), device)


def course_found(measured: Sequence[Measured], level: float, rng: np.random.Generator, course: Course) -> Finding:
    """HOLDS where the quantity moves as claimed by more than the margin, VIOLATED where it is flat or moves the other way."""
    found, values = course.found(measured), course.values(measured)
    trend = course.trend(measured, level, rng)
    verdict = trend.verdict(course.claimed)
    band = max_t_band(values, level, resamples_for(level, RESAMPLES), rng)
    settings = [one.setting for one in found]
    drawn = _curve(course, band, values, settings)
    return Finding(
        verdict,
        reason(trend, course, verdict) + centre_precision(band) + _estimated(settings, drawn.bound_id),
        Numbers(measured=trend.change, low=_finite(trend.low), high=_finite(trend.high), replicates=len(values)),
        conditions=shared_conditions(settings),
        curves=(*_changes(course, values, level, rng), drawn),
    )


def reason(trend: Trend, course: Course, verdict: Verdict) -> str:
    """What was measured from the first point to the last, and what decides."""
    name, (x0, x1) = course.parameter.name, (course.x[0], course.x[-1])
    quantity = course.request[0].label
    moved = f"{trend.first:.4g} to {trend.last:.4g}, {trend.percent}"
    start = (
        f"From {name} = {x0:.4g} to {x1:.4g} the mean of the {quantity} goes from {moved} "
        f"(paired change {trend.change:.3g}, simultaneous band {trend.low:.3g} to {trend.high:.3g})"
    )
    margin = f"{100 * trend.margin:g} % of the sweep's mean"
    wanted = _MOVES[course.claimed]
    if verdict is Verdict.HOLDS:
        end = f"a {wanted} beyond the margin of {margin}, and nowhere the opposite by more than it"
    elif verdict is Verdict.UNDECIDED:
        end = f"neither shown to {wanted} by more than the margin of {margin} nor shown not to"
    else:
        wrong = trend.falls if course.claimed == "increasing" else trend.rises
        opposite = f"a {_MOVES['decreasing' if course.claimed == 'increasing' else 'increasing']} is shown where a {wanted} is claimed"
        flat = f"no two points differ by more than the margin of {margin}"
        end = "; ".join([opposite] * wrong + [flat] * trend.flat)
    return f"{start}: {end}.{' ' + course.note if course.note else ''}"


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _changes(course: Course, values: np.ndarray, level: float, rng: np.random.Generator) -> tuple[Curve, ...]:
    """The paired change since the first point in percent of its mean, where there are points enough for a curve."""
    changes = 100 * (values[:, 1:] - values[:, :1]) / values[:, 0].mean()
    if changes.shape[1] < 2:
        return ()
    band = max_t_band(blocked(changes, _BLOCKS), level, resamples_for(level, RESAMPLES), rng)
    shown = Curve(
        parameter=course.parameter,
        quantity=course.request[0],
        x=np.array(course.x[1:], dtype=float),
        mean=band.mean,
        low=band.low,
        high=band.high,
        bound=np.zeros(changes.shape[1]),
        bound_id=None,
        level=level,
        replicates=len(values),
        values=changes,
        label=f"change of the {course.request[0].label} in %",
        bound_label=f"as at {course.parameter.name} = {course.x[0]:.4g}",
    )
    return (shown,)


def _curve(course: Course, band: Band, values: np.ndarray, settings: Sequence[Setting]) -> Curve:
    drawn = course.bound_id is not None and not any(bounds.get(course.bound_id).supports(setting) for setting in settings)
    line = np.array([bounds.get(str(course.bound_id)).at(setting) for setting in settings]) if drawn else None
    return Curve(
        parameter=course.parameter,
        quantity=course.request[0],
        x=np.array(course.x, dtype=float),
        mean=band.mean,
        low=band.low,
        high=band.high,
        bound=line,
        bound_id=course.bound_id if drawn else None,
        level=band.level,
        replicates=band.replicates,
        values=values,
    )


def _estimated(settings: Sequence[Setting], bound_id: str | None) -> str:
    """Which constants of the line that is drawn are not proved; empty when all are."""
    names = sorted({name for setting in settings for name in setting.estimated()}) if bound_id else []
    return f" In the line that is drawn, not proved but estimated: {', '.join(names)}." if names else ""
