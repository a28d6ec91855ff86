r"""Optimization and excess-risk bounds held against runs, each replicate against the bound with its own training set's constants.

The bounds hold given the training set S (the generalization part of an excess risk, on average over S), so the mean over replicates
of (measured - bound(S)) is at most 0: no constant has to be maximised over training sets, and the spread of r0^2 over them is
part of the statistics rather than an error of the bound.

Unprojected iterates stay in a ball. A loss phi + (mu/2)\|w\|^2 with \|grad phi\| <= G everywhere gives, for eta_t mu <= 1,
\|w - eta_t (grad phi + mu w)\| <= (1 - eta_t mu)\|w\| + eta_t G, and averaging with nonnegative weights that sum to 1 does not lead out
of a ball; so from w = 0 the models of ATC, CTA and centralized SGD after t constant steps have norm at most
(G/mu)(1 - (1 - eta mu)^t), whatever is drawn. There L, and the largest loss M, are those of the ball: nothing is projected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

import bounds
from bounds.errors import DomainError
from bounds.setting import Constant, Fact, Setting
from bounds.symbols import symbol
from bounds.vocabulary import Quantity
from empirical import Run
from empirical.optimisation import Optimisation, optimise
from empirical.problems import problem
from empirical.problems.quadratic import QuadraticLoss
from empirical.problems.softmax_l2 import SoftmaxL2
from verify.case import RESAMPLES
from verify.curve_case import shared_conditions
from verify.finding_case import Finding
from verify.precision import centre_precision
from verify.statistics import Band, judge, max_t_band, resamples_for
from verify.verdict import Curve, Numbers, Table, Verdict

Values = NDArray[np.float64]
PAIRED = " (The band is that of measured minus the bound of each replicate's own training set, moved up by the mean bound.)"


def read_descent(run: Run, wanted: tuple[str, ...], device: str) -> Optimisation:
    """What the optimization bounds of one run need (the ``read`` of a case)."""
    return optimise(run, wanted, device)


def invariant_radius(name: str, T: int, eta: float | None = None) -> float:
    """A ball that T unprojected steps from zero never leave; without ``eta``, for all steps of at most 1/mu, however many.

    Raises:
        DomainError: for a problem without such a ball, or a step above 1/mu.
    """
    described = problem(name)
    if isinstance(described, QuadraticLoss):
        pull, mu = described.curvature * described.reach, described.curvature
    elif isinstance(described, SoftmaxL2):
        pull, mu = float(np.sqrt(2)) * described.reach, described.mu
    else:
        raise DomainError(
            f"got problem {name!r}, whose iterates have no proved ball without projection; use softmax-l2-digits or quadratic"
        )
    if eta is not None and eta * mu > 1:
        raise DomainError(f"got eta={eta!r} with mu={mu:g}; the ball needs eta <= {1 / mu:g}")
    share = 1.0 if eta is None else 1 - (1 - eta * mu) ** T
    return pull / mu * share * (1 + 1e-12)


def in_the_ball(setting: Setting) -> dict[str, Constant]:
    """L and M of the ball that the iterates of ``setting`` stay in."""
    name = str(setting.conditions["problem"])
    loss = problem(name).loss_class(invariant_radius(name, setting.T, setting.schedule.eta))
    return {name: constant for name, constant in loss.constants().items() if name in ("L", "M")}


@dataclass(frozen=True, slots=True)
class Held:
    """One bound against one reading: ``places`` are (run, steps) of the points, drawn at ``x`` along ``parameter``.

    ``in_ball``: the bound needs L or M, which hold in the ball of :func:`invariant_radius`.
    """

    bound_id: str
    reading: str
    readout: str
    parameter: str
    places: tuple[tuple[int, int], ...]
    x: tuple[float, ...]
    quantity: Quantity
    label: str
    in_ball: bool = False


def parameters(found: Optimisation, column: int, held: Held) -> tuple[dict[str, Any], dict[str, Fact]]:
    """The bound's parameters, those of the training sets as arrays (replicates,), and all facts with each array's largest value."""
    setting = found.settings[column]
    facts = setting.facts() | {"readout": held.readout}
    if held.in_ball:
        facts |= {name: constant.value for name, constant in in_the_ball(setting).items()}
        facts |= {"bounded_loss": True, "nonnegative_loss": True}
    proved: dict[str, Any] = {"sigma2": found.sigma2, "zeta2": found.zeta2, "D0": found.D0, "r0": found.r0}
    each = {name: values for name, values in proved.items() if values is not None}
    facts |= {name: float(values.max()) for name, values in each.items()}
    bound = bounds.get(held.bound_id)
    given = {name: each.get(name, facts.get(name)) for name in bound.formula.parameters if name in facts}
    return given, facts


def unmet(found: Optimisation, column: int, held: Held) -> list[str]:
    """The bound's assumptions that fail, in words."""
    bound, setting = bounds.get(held.bound_id), found.settings[column]
    _, facts = parameters(found, column, held)
    missing = [f"{name} is not known here" for name in bound.formula.required if name not in facts]
    unknown = [prop.text + ": not known here" for prop in bound.properties if prop.name not in facts]
    if setting.update_form not in bound.update_forms:
        missing.append(f"{bound.id} does not speak about {setting.update_form.value}")
    return missing + unknown + ([] if missing else [one.text for one in bound.assess(facts, setting.update_form.value, held.readout)])


def per_replicate(found: Optimisation, column: int, held: Held, **change: Any) -> Values:
    """The bound with each replicate's own constants; (replicates,)."""
    given, _ = parameters(found, column, held)
    form = found.settings[column].update_form.value
    values = bounds.get(held.bound_id).evaluate(update_form=form, readout=held.readout, **(given | change))
    return np.asarray(np.broadcast_to(values, (len(found.D0),)), dtype=np.float64)


def columns(measured: tuple[Optimisation, ...], held: Held) -> list[tuple[Optimisation, int]]:
    """(run, column) of each point."""
    return [(measured[run], [s.T for s in measured[run].settings].index(T)) for run, T in held.places]


def hold(measured: tuple[Optimisation, ...], level: float, rng: np.random.Generator, held: Held) -> Finding:
    """The verdict on one bound along one sweep: mean of (measured - bound of the training set) at most 0 at every point."""
    points = columns(measured, held)
    settings = [one.settings[column] for one, column in points]
    failing = {f"{held.parameter} = {x:g}": unmet(*point, held) for x, point in zip(held.x, points, strict=True)}
    if any(failing.values()):
        reason = ". ".join(f"At {label}: {'; '.join(texts)}" for label, texts in failing.items() if texts) + "."
        return Finding(Verdict.NOT_APPLICABLE, reason, conditions=shared_conditions(settings))
    values = np.stack([one.values[held.reading][:, column] for one, column in points], axis=1)
    ceilings = np.stack([per_replicate(*point, held) for point in points], axis=1)
    mean = ceilings.mean(axis=0)
    labels = [f"{held.parameter} = {x:g}" for x in held.x]
    found = judge(values - (ceilings - mean), mean, level, resamples_for(level, RESAMPLES), rng, points=labels)
    start = np.array([one.D0.mean() for one, _ in points])
    band = band_of(values, level, rng)
    curve = _curve(held, values, band.low, band.high, mean, level, start)
    return Finding(
        found.verdict,
        found.reason + PAIRED + _size(held, mean, start, values.mean(axis=0)) + centre_precision(band),
        found.numbers,
        _vacuous(held, points, found.index, float(mean[found.index])),
        shared_conditions(settings),
        _constants(points, held),
        (curve,),
        (_table(held, values, mean),),
    )


def band_of(values: Values, level: float, rng: np.random.Generator) -> Band:
    """The simultaneous band of the measured values themselves, to be drawn; :func:`hold` judges their differences from the bound."""
    return max_t_band(values, level, resamples_for(level, RESAMPLES), rng)


def _curve(held: Held, values: Values, low: Values, high: Values, bound: Values, level: float, start: Values) -> Curve:
    above = () if held.quantity is Quantity.GRADIENT_NORM else (("training loss of the start above its minimum", start),)
    x = np.asarray(held.x, dtype=np.float64)
    parts = (x, values.mean(axis=0), low, high, bound)
    return Curve(symbol(held.parameter), held.quantity, *parts, held.bound_id, level, len(values), values, held.label, companions=above)


def _size(held: Held, bound: Values, start: Values, mean: Values) -> str:
    ratios = bound / mean
    words = f" Bound over measured lies between {ratios.min():.3g} and {ratios.max():.3g}."
    if held.quantity is Quantity.GRADIENT_NORM:
        return words
    below = int((bound < start).sum())
    return words + f" At {below} of {len(bound)} points the bound is below what the start, before any training, has ({start[0]:.3g})."


def _vacuous(held: Held, points: list[tuple[Optimisation, int]], index: int, bound: float) -> bool | None:
    """Against the largest loss M in the ball; only an excess risk has this trivial bound."""
    if held.quantity is not Quantity.EXCESS_RISK:
        return None
    return bound > in_the_ball(points[index][0].settings[points[index][1]])["M"].value


def _constants(points: list[tuple[Optimisation, int]], held: Held) -> Mapping[str, Any]:
    """Every constant, at the last point, with its proof; those of the ball where the bound needs it."""
    one, column = points[-1]
    setting = one.settings[column]
    constants = dict(setting.loss.constants())
    if held.in_ball:
        where = "in the ball that the unprojected iterates never leave: "
        constants |= {name: replace(value, source=where + value.source) for name, value in in_the_ball(setting).items()}
    return constants


def _table(held: Held, values: Values, bound: Values) -> Table:
    rows = tuple((float(x), float(v), float(b), float(b / v)) for x, v, b in zip(held.x, values.mean(axis=0), bound, strict=True))
    return Table(f"{held.label}, along {held.parameter}", (held.parameter, "measured", "bound", "bound / measured"), rows)


def best_step(measured: tuple[Optimisation, ...], level: float, rng: np.random.Generator, held: Held) -> Finding:
    """:func:`hold` along eta or T, with the best value by the bound beside the best one measured (over the sweep's own values)."""
    finding = hold(measured, level, rng, held)
    if finding.verdict is Verdict.NOT_APPLICABLE:
        return finding
    points = columns(measured, held)
    values = np.stack([one.values[held.reading][:, column] for one, column in points], axis=1)
    given, _ = parameters(*points[-1], held)
    fixed = {name: float(np.mean(value)) for name, value in given.items() if name != held.parameter}
    if "r0" in given:
        fixed["r0"] = float(np.sqrt(np.mean(np.square(given["r0"]))))
    whole: dict[str, Any] = {name: int(value) if name in ("m", "n", "T", "Q", "b") else value for name, value in fixed.items()}
    answer = bounds.calibrate(bounds.get(held.bound_id), held.parameter, target=None, update_form="atc", readout=held.readout, **whole)
    best = int(np.argmin(values.mean(axis=0)))
    if not isinstance(answer.value, int | float) or answer.achieved is None:
        return replace(finding, reason=f"{finding.reason} The bound has no best {held.parameter}: {answer.reason}.")
    nearest = int(np.argmin(np.abs(np.log(np.asarray(held.x) / float(answer.value)))))
    lost = values[:, nearest].mean() / values[:, best].mean()
    words = (
        f" With the constants of the last point the bound is least at {held.parameter} = {float(answer.value):.3g} (there "
        f"{answer.achieved:.3g}); of the values run, the measured "
        f"one is least at {held.parameter} = {held.x[best]:g} ({values[:, best].mean():.3g}), and at {held.x[nearest]:g}, nearest to the "
        f"bound's choice, it is {lost:.3g} times that."
    )
    return replace(finding, reason=finding.reason + words)


def exact_numbers(measured: float, bound: float) -> Numbers:
    """The numbers of a case without sampling error."""
    return Numbers(measured, measured, measured, bound, bound / measured if measured > 0 else None)
