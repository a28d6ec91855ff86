"""``calibrate``: from a bound and a target to the value of a parameter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bounds.bound import Bound
from bounds.calibration.admissible import UnmetError, ranges
from bounds.calibration.answer import Calibration, Side
from bounds.calibration.inner import is_inner, solve_inner
from bounds.calibration.line import line_of
from bounds.calibration.problem import Problem
from bounds.calibration.search import Search
from bounds.errors import DomainError, UnknownParameterError
from bounds.vocabulary import Direction


def calibrate(
    bound: Bound,
    parameter: str | Sequence[str],
    *,
    target: float | None,
    update_form: str | None = None,
    readout: str | None = None,
    side: Side | None = None,
    **values: Any,
) -> Calibration:
    """The value of ``parameter`` at which the bound is at most ``target`` and every assumption holds, others held fixed.

    The smallest where the bound falls with the parameter, the largest where it rises. Where it falls and then rises: the
    smallest integer, or the largest real. The declared direction is relied upon; every comparison that decides is Arb's.

    Args:
        parameter: one name; or two, ``("eta", "T")``: the smallest T for which some eta meets the target, with the eta
            that ``calibrate`` gives there.
        target: the bound is to be at most this; None asks for the parameter at which the bound is least.
        side: "smallest" or "largest" of the values that meet the target, in place of the side named above.
        values: all the other parameters.

    Without a target, ``parameter`` may also be the number of steps over which a bound takes its least value (t0): the answer
    is the one at which it does.

    Returns:
        A :class:`Calibration`: found, impossible (``reason`` names the floor or the assumption) or undecided.

    Raises:
        MissingParameterError, UnknownParameterError, UnknownNameError, DomainError: each one line.
    """
    return solve(bound, parameter, target, values, update_form, readout, side=side)


def solve(
    bound: Bound,
    parameter: str | Sequence[str],
    target: float | None,
    values: Mapping[str, Any],
    update_form: str | None = None,
    readout: str | None = None,
    facts: Mapping[str, Any] | None = None,
    side: Side | None = None,
) -> Calibration:
    """:func:`calibrate` with the structural ``facts`` that are known (of a topology); others are granted."""
    names = (parameter,) if isinstance(parameter, str) else tuple(parameter)
    words = bound.words(update_form, readout)
    if len(names) == 1 and is_inner(bound, names[0], values, words):
        _check_target(target)
        return solve_inner(bound, names[0], target, values, words)
    _check(bound, names, target, values)
    _check_side(side, names, target)
    if len(names) == 2:
        from bounds.calibration.pair import solve_pair

        return solve_pair(bound, names, target, values, words, facts or {})
    bound.check_parameters({**values, names[0]: line_of(names[0]).value(line_of(names[0]).last)})
    return solve_one(Problem(bound, line_of(names[0]), dict(values), *words), target, facts or {}, side)


def solve_one(problem: Problem, target: float | None, facts: Mapping[str, Any], side: Side | None = None) -> Calibration:
    """The answer for one parameter, its input checked before."""
    try:
        parts = ranges(problem, facts)
    except UnmetError as error:
        return Calibration(problem.bound.id, problem.line.name, "impossible", None, None, None, None, target, str(error))
    answers = [Search(problem, part, target, side).run() for part in parts]
    return _admissible(problem, answers[0] if len(answers) == 1 else _chosen(problem, answers, target, side))


def _admissible(problem: Problem, answer: Calibration) -> Calibration:
    """The answer, where no assumption fails at it: between the points of a grid one may."""
    if answer.status != "found":
        return answer
    wrong = [
        outcome.text
        for outcome in problem.bound.assess(problem.point(answer.value), problem.form, problem.readout)
        if outcome.holds is False
    ]
    if not wrong:
        return answer
    reason = f"the assumption {wrong[0]} fails at {problem.line.name}={answer.value:.12g}, between places where it holds"
    return replace(answer, status="undecided", value=None, low=None, high=None, reason=reason)


def _chosen(problem: Problem, answers: list[Calibration], target: float | None, side: Side | None) -> Calibration:
    """One answer for the intervals that the assumptions leave: the least value, or the value on the side that is asked for."""
    name, direction = problem.line.name, problem.bound.directions.get(problem.line.name, Direction.UNKNOWN)
    note = f"; the assumptions leave {len(answers)} intervals of {name} on a grid"
    open_ = next((answer for answer in answers if answer.status == "undecided"), None)
    found = [answer for answer in answers if answer.status == "found"]
    if open_ is not None:
        return replace(open_, value=None, low=None, high=None, reason=open_.reason + note)
    if not found or target is None:
        nearest = min(answers, key=lambda answer: math.inf if answer.achieved is None else answer.achieved)
        return replace(nearest, reason=nearest.reason + note)
    smallest = side == "smallest" or (side is None and (direction is Direction.DECREASING or problem.line.integer))
    largest_rises = side is None and direction is Direction.INCREASING
    chosen = found[0] if smallest and not largest_rises else found[-1]
    return replace(chosen, reason=chosen.reason + note)


def _check(bound: Bound, names: tuple[str, ...], target: float | None, values: Mapping[str, Any]) -> None:
    if not 1 <= len(names) <= 2 or len(set(names)) != len(names):
        raise UnknownParameterError(f"got the parameters {','.join(names)}; calibrate takes one, or two different ones")
    bound.check_names((*names, *values))
    for name in names:
        line_of(name)
        if name in values:
            raise UnknownParameterError(f"{name} is what is sought and is given too; leave {name}={values[name]} out")
    _check_target(target)


def _check_side(side: str | None, names: tuple[str, ...], target: float | None) -> None:
    if side not in (None, "smallest", "largest"):
        raise DomainError(f"got side={side!r}; give smallest or largest")
    if side is not None and (len(names) == 2 or target is None):
        raise DomainError("a side needs one parameter and a target; leave side out")


def _check_target(target: float | None) -> None:
    if target is not None and (isinstance(target, str | bool) or not math.isfinite(target)):
        raise DomainError(f"got target={target!r}; give a finite number")
