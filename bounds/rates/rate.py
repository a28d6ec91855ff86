"""The order of a bound in one parameter, the others held fixed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from bounds.bound import Bound
from bounds.errors import DomainError, UnknownParameterError
from bounds.expression.tree import Node, Number, Product
from bounds.notebook import Shown
from bounds.rates.check import disagreement
from bounds.rates.limit import calculus_for, checked, tends
from bounds.rates.rational import TooLargeError, text, tree
from bounds.rates.series import Order, Series, UnknownOrderError
from bounds.rates.settings import Settings
from bounds.rates.signs import Signs
from bounds.symbols import symbol

Limit = Literal["inf", "0"]
_DEADLINE = 5.0
_INFINITE = Number(None)


@dataclass(frozen=True, slots=True)
class Rate(Shown):
    """value ~ C * parameter**exponent * log(parameter)**log_power as the parameter tends to ``limit``.

    ``exponent`` and ``log_power`` are text in the grammar of expressions; an exponential has the exponent inf or -inf. Where
    the parameter tends to 0, log_power is that of log(1/parameter). With the status ``unknown`` both are None and ``reason``
    says why.
    """

    bound: str
    parameter: str
    limit: Limit
    exponent: str | None
    log_power: str | None
    status: Literal["exact", "unknown"]
    reason: str = ""
    value: str | None = None

    def document(self) -> dict[str, Any]:
        """The JSON document."""
        content = {name: getattr(self, name) for name in ("bound", "parameter", "limit", "exponent", "log_power", "status", "value")}
        return {"schema_version": 1, **content} | ({"reason": self.reason} if self.reason else {})


def rate(
    bound: Bound,
    parameter: str,
    given: Iterable[str] = (),
    update_form: str | None = None,
    readout: str | None = None,
    *,
    limit: Limit | None = None,
    second_opinion: bool = False,
) -> Rate:
    """The order of ``bound`` as ``parameter`` tends to its limit, all others fixed at admissible values in general position.

    Args:
        given: optional parameters that are given; :meth:`bounds.bound.Bound.reading` adds those without which ``parameter`` does nothing.
        update_form, readout: of the bound's own; its first when left out.
        limit: "inf" or "0"; when left out, counts tend to infinity and everything else to 0.
        second_opinion: also ask sympy, in a process that is killed after a few seconds; where it disagrees the answer is unknown.

    >>> import bounds
    >>> found = rate(bounds.get("dsgd_nonconvex_relaxed"), "T")
    >>> found.exponent, found.log_power, found.status
    ('beta*c/(beta*c + 1)', '0', 'exact')

    Raises:
        UnknownParameterError, UnknownNameError, DomainError: each one line.
    """
    towards, wanted = _limit(bound, parameter, limit), {parameter, *given}
    bound.check_names(wanted)
    chosen = bound.reading(wanted, update_form, readout)
    settings = Settings(bound, parameter, towards, chosen, bound.words(update_form, readout))
    try:
        series, exponent, log_power = _order(settings)
        reason = disagreement(settings, exponent, log_power)
        if not reason and second_opinion:
            from bounds.rates.second import opinion

            reason = opinion(settings.expression, parameter, towards, exponent, log_power, _DEADLINE)
    except UnknownOrderError as error:
        reason = str(error)
    except (TooLargeError, ZeroDivisionError, RecursionError):
        reason = "the expression is too large for the calculus"
    if reason:
        return Rate(bound.id, parameter, towards, None, None, "unknown", reason)
    return Rate(bound.id, parameter, towards, text(exponent), text(log_power), "exact", settings.outside(), _value(settings, series))


def _value(settings: Settings, series: Series) -> str | None:
    """What the bound tends to, where the same checks confirm it."""
    try:
        return text(checked(settings, tends(settings, settings.expression, series)))
    except UnknownOrderError:
        return None


def _limit(bound: Bound, name: str, limit: Limit | None) -> Limit:
    if name not in bound.formula.parameters:
        raise UnknownParameterError(f"{bound.id} has no parameter {name!r}; it takes {', '.join(bound.formula.parameters)}")
    domain = symbol(name).domain
    reached: list[Limit] = []
    if domain.rank == 0:
        reached += ["inf"] if domain.high == float("inf") else []
        reached += ["0"] if domain.low <= 0 < domain.high and not domain.integer else []
    if not reached:
        raise DomainError(f"{name} tends neither to infinity nor to 0: it takes {domain}")
    if limit is None:
        return reached[-1]
    if limit not in reached:
        raise DomainError(f"got the limit {limit!r} for {name}; give {' or '.join(reached)}")
    return limit


def _order(settings: Settings) -> tuple[Series, Node, Node]:
    calculus = calculus_for(settings)
    series = calculus.series(settings.expression)
    return (series, *_shown(calculus.algebra.signs, series.lead.order, settings.limit))


def _shown(signs: Signs, order: Order, towards: Limit) -> tuple[Node, Node]:
    """Exponent and power of the logarithm; an exponential's exponent is infinite."""
    if not order.rates:
        return tree(order.power if towards == "inf" else -order.power), tree(order.log)
    sign = signs.of(order.rates[0][1])
    if sign is None:
        raise UnknownOrderError("whether an exponential grows depends on the parameters")
    return (_INFINITE if (sign > 0) == (towards == "inf") else Product(Number(Fraction(-1)), _INFINITE)), Number(Fraction(0))
