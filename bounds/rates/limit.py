"""``limit``: what a bound becomes at special values of its parameters, or as one of them tends to infinity or to 0."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bounds.bound import Bound
from bounds.errors import DomainError, ExpressionError
from bounds.expression import parse
from bounds.expression.tree import Node, names
from bounds.notebook import Shown
from bounds.rates.calculus import Calculus, parameter, replaced
from bounds.rates.check import differs, far_off
from bounds.rates.fold import INFINITE, MINUS_INFINITE, ZERO, Folding, NoValueError
from bounds.rates.rational import UNIT, TooLargeError, number, text
from bounds.rates.series import Algebra, Order, Series, UnknownOrderError
from bounds.rates.settings import Settings
from bounds.rates.signs import Signs
from bounds.symbols import symbol

Place = Literal["inf", "0"]


@dataclass(frozen=True, slots=True)
class Limit(Shown):
    """What a bound is, or tends to, at ``at``: each parameter there is a number, or ``inf`` or ``0`` where it tends to that.

    ``value`` is text in the grammar of expressions and in the other parameters, ``inf`` where the bound grows beyond all
    numbers. With the status ``unknown`` it is None and ``reason`` says why.
    """

    bound: str
    at: Mapping[str, str]
    value: str | None
    status: Literal["exact", "unknown"]
    reason: str = ""

    def document(self) -> dict[str, Any]:
        """The JSON document."""
        content = {"bound": self.bound, "at": dict(self.at), "value": self.value, "status": self.status}
        return {"schema_version": 1, **content} | ({"reason": self.reason} if self.reason else {})


def limit(
    bound: Bound,
    at: str | Mapping[str, float | str],
    value: float | str | None = None,
    given: Iterable[str] = (),
    update_form: str | None = None,
    readout: str | None = None,
) -> Limit:
    """The bound at special values of some parameters, as an expression in the others.

    A value of the domain is put in; ``"inf"``, and a 0 that the domain leaves out, is a limit. At most one limit is taken,
    after all values are put in. The other parameters are in general position, as for :func:`bounds.rate`, and the answer is
    checked against the bound's own value at random admissible points.

    Args:
        at: a parameter, or a mapping from parameters to values.
        value: where ``at`` is one parameter, its value.
        given: further optional parameters that are given, with those that :meth:`bounds.bound.Bound.reading` adds.
        update_form, readout: of the bound's own; its first when left out.

    >>> import bounds
    >>> limit(bounds.get("consensus_distance_atc"), "Q", "inf").value
    '0'
    >>> limit(bounds.get("dsgd_strongly_convex"), "T", "inf").value
    '2*L**2/(mu*m*n)'

    Raises:
        UnknownParameterError, UnknownNameError, DomainError: each one line.
    """
    if isinstance(at, str) == (value is None):
        raise DomainError("give a parameter and its value, or a mapping from parameters to values")
    places = {name: _place(bound, name, one) for name, one in ({at: value} if isinstance(at, str) else dict(at)).items()}
    moving = [name for name, one in places.items() if isinstance(one, str)]
    if not places or len(moving) > 1:
        raise DomainError(f"got {len(moving)} limits; give at least one parameter, and inf or an open end to at most one of them")
    bound.check_names((*places, *given))
    chosen = bound.reading({*places, *given}, update_form, readout)
    first = moving[0] if moving else next(iter(places))
    fixed = {name: one for name, one in places.items() if not isinstance(one, str)}
    towards: Any = places[first] if moving else "inf"
    settings = Settings(bound, first, towards, chosen, bound.words(update_form, readout), fixed)
    shown = {name: one if isinstance(one, str) else f"{one}" for name, one in places.items()}
    try:
        found = _found(settings, bool(moving))
    except UnknownOrderError as error:
        return Limit(bound.id, shown, None, "unknown", str(error))
    return Limit(bound.id, shown, text(found), "exact", settings.outside() if moving else "")


def _place(bound: Bound, name: str, value: Any) -> Any:
    """A number of the domain, or "inf" or "0" for a limit."""
    bound.check_names([name])
    domain = symbol(name).domain
    if domain.rank:
        raise DomainError(f"{name} is an array of numbers; a limit is taken in a parameter that is one number")
    if str(value) == "inf" and domain.high == float("inf"):
        return "inf"
    try:
        value = float(value) if isinstance(value, str) else value
    except ValueError:
        raise DomainError(f"got {name}={value!r}; give a number or inf") from None
    if value == 0 == domain.low and value not in domain and not domain.integer:
        return "0"
    symbol(name).check(value)
    return int(value) if value == int(value) else value


def _found(settings: Settings, moves: bool) -> Node:
    if moves:
        return checked(settings, tends(settings, settings.expression))
    found = _put_in(settings)
    reason = differs(settings, _read_back(settings, found))
    if reason:
        raise UnknownOrderError(reason)
    return found


def _read_back(settings: Settings, found: Node) -> Node:
    """What is read from the text of an answer."""
    try:
        return parse(text(found), dict.fromkeys(settings.bound.formula.parameters))
    except ExpressionError:
        raise UnknownOrderError("the limit is too long to be written as one expression") from None


def checked(settings: Settings, found: Node) -> Node:
    """The limit, when values far out confirm its text.

    Raises:
        UnknownOrderError: when they do not.
    """
    reason = far_off(settings, _read_back(settings, found))
    if reason:
        raise UnknownOrderError(reason)
    return found


def calculus_for(settings: Settings) -> Calculus:
    """The calculus of series in the parameter, with the assumptions taken for granted."""
    moving = {settings.parameter: parameter(UNIT if settings.limit == "inf" else number(-1))}
    calculus = Calculus(Algebra(Signs(points=settings.points), settings.points), moving)
    settings.assume(calculus)
    return calculus


def _put_in(settings: Settings) -> Node:
    signs = Signs(points=settings.points)
    settings.assume(Calculus(Algebra(signs, settings.points), {}))
    try:
        return Folding(signs).fold(settings.expression)
    except NoValueError:
        raise UnknownOrderError("the formula has no value there") from None


def tends(settings: Settings, node: Node, series: Series | None = None) -> Node:
    """What a tree tends to: by continuity, else by the leading term of its ``series``.

    Raises:
        UnknownOrderError: where neither tells.
    """
    calculus = calculus_for(settings)
    algebra = calculus.algebra
    try:
        return Folding(algebra.signs, limit=True).fold(replaced(node, settings.parameter, INFINITE if settings.limit == "inf" else ZERO))
    except NoValueError:
        pass
    try:
        return _of_lead(algebra, calculus.series(node) if series is None else series)
    except (TooLargeError, ZeroDivisionError, RecursionError):
        raise UnknownOrderError("the expression is too large for the calculus") from None


def _of_lead(algebra: Algebra, series: Series) -> Node:
    if series.zero:
        return ZERO
    lead = series.lead
    side = algebra.compare(lead.order, Order())
    if side < 0:
        return ZERO
    if side > 0:
        sign = algebra.signs.of(lead.coefficient)
        if sign is None:
            raise UnknownOrderError("the sign of what grows depends on the parameters")
        return INFINITE if sign > 0 else MINUS_INFINITE
    found = _written(algebra.signs, lead.coefficient)
    if any(name.startswith("<") for name in names(found)):
        raise UnknownOrderError("the limit has no expression in the grammar")
    return Folding(algebra.signs).fold(found)


def _written(signs: Signs, node: Node) -> Node:
    """The tree with the names of long constants replaced by what they stand for."""
    for name in names(node) & signs.meanings.keys():
        node = _written(signs, replaced(node, name, signs.meanings[name]))
    return node
