"""A bound held against a measured curve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

import bounds
from bounds.bound import Bound
from bounds.setting import Constant, Fact, Setting
from bounds.symbols import symbol
from bounds.vocabulary import Kind, Quantity, Readout
from empirical import Measurement, Run, gradient_norms, measure
from verify.case import RESAMPLES, Case, Context
from verify.plan import Task
from verify.statistics import Judgement, judge, resamples_for
from verify.verdict import CaseResult, Curve, Evidence, Numbers, Verdict

Request = tuple[Quantity, Readout]
Values = NDArray[np.float64]
Companions = tuple[tuple[str, Values], ...]
_SHOWN = ("m", "n", "N", "T", "eta", "c", "tau", "t0", "b", "Q", "gap", "w_min")
_TRAJECTORY = "dsgd_convex_trajectory"
_TRAJECTORY_REPLICATES = 32
_DECIDING = (Kind.UPPER, Kind.EXACT)


@dataclass(frozen=True, slots=True)
class Point:
    """One point of the curve: a run, read after ``T`` steps, drawn at ``x``."""

    run: Run
    T: int
    x: float


def run_requests(run: Run, requests: tuple[Request, ...], device: str) -> dict[tuple[Request, int], Measurement]:
    """Measurements of one run by request and number of steps (a :class:`Task` function)."""
    return {((found.quantity, found.readout), found.setting.T): found for found in measure(run, requests, device=device)}


def asked(task: Task) -> tuple[Run, tuple[Request, ...], str] | None:
    """Run, requests and device of a task that trains by :func:`run_requests`; None for any other task."""
    return cast(tuple[Run, tuple[Request, ...], str], task.arguments) if task.function is run_requests else None


def norms_met(run: Run, device: str) -> dict[int, float]:
    """The mean gradient norm met on the way, by number of steps, averaged over replicates (a :class:`Task` function)."""
    return dict(zip(run.read_at, gradient_norms(run, device=device).mean(axis=0).tolist(), strict=True))


@dataclass(frozen=True)
class CurveCase(Case):
    """``quantity`` at ``readout`` along ``parameter`` against the bound ``bound_id``, all points judged at once.

    ``requests`` is what each run measures; cases that ask the same of the same run share it. With ``trajectory`` the bound
    fed with the gradients met on the way is drawn between the bound and the measured curve; it decides nothing.
    """

    claim: str
    case: str
    paper: str
    statement: str
    bound_id: str
    quantity: Quantity
    readout: Readout
    parameter: str
    points: tuple[Point, ...]
    requests: tuple[Request, ...]
    device: str = "auto"
    trajectory: bool = False
    measured: bool = True

    def _task(self, point: Point) -> Task:
        run = point.run
        return Task(run_requests, (run, self.requests, self.device), run.samples_read)

    def _norms_task(self, point: Point) -> Task:
        run = replace(point.run, replicates=min(point.run.replicates, _TRAJECTORY_REPLICATES), twins=0)
        return Task(norms_met, (run, self.device), float(run.replicates * run.m * run.n * run.T) / 4)

    def tasks(self) -> list[Task]:
        norms = [self._norms_task(point) for point in self.points] if self.trajectory else []
        return [self._task(point) for point in self.points] + norms

    def decide(self, results: Mapping[Task, Any], context: Context) -> CaseResult:
        found = [results[self._task(p)][(self.quantity, self.readout), p.T] for p in self.points]
        bound = bounds.get(self.bound_id)
        if bound.kind not in _DECIDING:
            return self._not_comparable(found, bound)
        unmet = {f"{self.parameter} = {p.x:g}": bound.supports(one.setting) for p, one in zip(self.points, found, strict=True)}
        if any(unmet.values()):
            return self._not_applicable(found, unmet)
        values, ceilings = _columns(found, bound)
        resamples, rng = resamples_for(context.level, RESAMPLES), context.rng(self.claim, self.case)
        judgement = judge(values, ceilings, context.level, resamples, rng, points=self._labels(found))
        return self._result(found, values, ceilings, judgement, self._companions(found, results))

    def _companions(self, found: list[Measurement], results: Mapping[Task, Any]) -> Companions:
        """The bound with the gradient norms that were met in place of the Lipschitz constant."""
        if not self.trajectory:
            return ()
        bound = bounds.get(_TRAJECTORY)
        met = [results[self._norms_task(point)][point.T] for point in self.points]
        facts = [one.setting.facts() | {"G": norm} for one, norm in zip(found, met, strict=True)]
        values = [bound.evaluate(**{name: fact[name] for name in bound.formula.required}) for fact in facts]
        return ((f"{_TRAJECTORY}, gradients met on the way", np.array(values)),)

    def _labels(self, found: list[Measurement]) -> list[str]:
        labels = []
        for point, one in zip(self.points, found, strict=True):
            label = f"{self.parameter} = {point.x:g}"
            labels += [label] if one.values.ndim == 1 else [f"{label}, node {k}" for k in range(_width(one))]
        return labels

    def _common(self, found: list[Measurement]) -> dict[str, Any]:
        return {
            **self.heading(),
            "evidence": Evidence.MEASURED,
            "update_form": found[0].setting.update_form.value,
            "readout": self.readout.value,
            "conditions": shared_conditions([one.setting for one in found]),
            "constants": _constants(found),
        }

    def _not_applicable(self, found: list[Measurement], unmet: Mapping[str, list[str]]) -> CaseResult:
        reason = ". ".join(f"At {label}: {'; '.join(texts)}" for label, texts in unmet.items() if texts) + "."
        return CaseResult(verdict=Verdict.NOT_APPLICABLE, reason=reason, **self._common(found))

    def _not_comparable(self, found: list[Measurement], bound: Bound) -> CaseResult:
        reason = f"{bound.id} is no theorem about a run ({bound.kind.value}: {bound.kind.label}), so nothing was compared."
        return CaseResult(verdict=Verdict.NOT_APPLICABLE, reason=reason, **self._common(found))

    def _result(
        self, found: list[Measurement], values: Values, ceilings: Values, judgement: Judgement, companions: Companions
    ) -> CaseResult:
        band, numbers = judgement.band, judgement.numbers
        groups = np.repeat(np.arange(len(found)), [_width(one) for one in found])
        worst = [int(max(np.flatnonzero(groups == g), key=lambda column: band.high[column])) for g in range(len(found))]
        curve = Curve(
            parameter=symbol(self.parameter),
            quantity=self.quantity,
            x=np.array([point.x for point in self.points], dtype=float),
            mean=band.mean[worst],
            low=band.low[worst],
            high=band.high[worst],
            bound=ceilings[worst],
            bound_id=self.bound_id,
            level=band.level,
            replicates=band.replicates,
            values=values[:, worst],
            companions=companions,
        )
        return CaseResult(
            verdict=judgement.verdict,
            reason=judgement.reason + _estimated(found),
            numbers=numbers,
            vacuous=_vacuous(numbers, self.quantity, found[int(groups[judgement.index])].setting),
            curves=(curve,),
            **self._common(found),
        )


def _width(one: Measurement) -> int:
    """How many columns a measurement gives the statistics: one, or one per node."""
    return 1 if one.values.ndim == 1 else int(one.values.shape[1])


def _estimated(found: list[Measurement]) -> str:
    """A sentence that names the constants that are not proved; empty when all are."""
    names = sorted({name for one in found for name in one.setting.estimated()})
    return f" Not proved but estimated: {', '.join(names)}." if names else ""


def _columns(found: list[Measurement], bound: Bound) -> tuple[Values, Values]:
    """Values (replicates, columns) and the bound per column; a worst-node point has one column per node."""
    tables = [one.values.reshape(len(one.values), -1) for one in found]
    ceilings = [np.full(table.shape[1], bound.at(one.setting)) for table, one in zip(tables, found, strict=True)]
    return np.concatenate(tables, axis=1), np.concatenate(ceilings)


def shared_conditions(settings: list[Setting]) -> dict[str, Fact]:
    """What the settings have in common, and the range of what varies."""
    facts = [{**{k: v for k, v in s.facts().items() if k in _SHOWN}, **s.conditions} for s in settings]
    shown: dict[str, Fact] = {"update_form": settings[0].update_form.value, "loss": settings[0].loss.name}
    if settings[0].network is not None:
        shown["topology"] = settings[0].network.name
    for name in facts[0]:
        values = [fact[name] for fact in facts if name in fact]
        same = all(value == values[0] for value in values)
        numeric = [value for value in values if isinstance(value, int | float)]
        shown[name] = values[0] if same else f"{min(numeric):.4g} to {max(numeric):.4g}" if len(numeric) == len(values) else "varies"
    radius = settings[0].projection_radius
    shown["projection"] = "none" if radius is None else f"ball of radius {radius:g}"
    return shown


def _constants(found: list[Measurement]) -> dict[str, Constant]:
    """The largest value of each constant over the points; estimated ones hide the certified ones, never the reverse."""
    merged: dict[str, Constant] = {}
    for one in found:
        for name, constant in one.setting.loss.constants().items():
            old = merged.get(name)
            if old is None or (constant.tag == "estimated", constant.value) > (old.tag == "estimated", old.value):
                merged[name] = constant
    return merged


def _vacuous(numbers: Numbers, quantity: Quantity, setting: Setting) -> bool | None:
    """Whether the bound says no more than the trivial one: M for a generalization error, the diameter for a distance."""
    loss = setting.loss
    trivial = None
    if quantity in (Quantity.GENERALIZATION_ERROR, Quantity.EXCESS_RISK) and loss.M is not None:
        trivial = loss.M.value
    if quantity is Quantity.L1_STABILITY and loss.diameter is not None:
        trivial = loss.diameter.value
    if quantity in (Quantity.L2_STABILITY, Quantity.CONSENSUS_DISTANCE) and loss.diameter is not None:
        trivial = loss.diameter.value**2
    return None if trivial is None or numbers.bound is None else numbers.bound > trivial
