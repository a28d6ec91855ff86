"""Writing down a bound of one's own in one call, ready for the verbs and the property tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from bounds.assumptions import Condition, Property
from bounds.bound import Bound, Reduction, Source
from bounds.checking import check, naming
from bounds.errors import UnknownParameterError
from bounds.formula import Formula, Let
from bounds.recursion import Recursion
from bounds.vocabulary import Direction, Kind, Quantity, Readout, UpdateForm, word


def one_step(
    initial: Mapping[str, str | int],
    step: Mapping[str, str],
    result: str,
    relation: Literal["equals", "dominates"] = "equals",
    reason: str = "",
) -> Recursion:
    """The recursion that a closed form closes: states with their start, one step of each, and what is read out.

    Args:
        relation: whether the closed form equals the unrolled recursion or only dominates (is at least) it.
    """
    return Recursion(tuple((name, str(text)) for name, text in initial.items()), tuple(step.items()), result, relation, reason)


def define(
    *,
    id: str,
    expression: str | Sequence[Let],
    required: Sequence[str],
    optional: Sequence[str] = (),
    where: Mapping[str, str] | Sequence[Let] = (),
    conditions: Sequence[str | Condition] = (),
    properties: Sequence[str] = (),
    directions: Mapping[str, str] | None = None,
    recursion: Recursion | None = None,
    reductions: Sequence[Reduction] = (),
    defaults: Mapping[str, int] | None = None,
    quantity: str = "generalization_error",
    kind: str = "upper",
    update_forms: Sequence[str] = ("atc", "cta", "consensus"),
    readouts: Sequence[str] = ("node_average",),
    title: str = "",
    source: str | Source = "own work",
    derivation: str = "not written down",
    supersedes: Sequence[str] = (),
    notes: str = "",
) -> Bound:
    """A bound from text. Everything is parsed here, so that a mistake shows where it was made.

    Args:
        expression: the value, such as ``2*L**2*eta*T/(m*n)``, in registry symbols and the names of ``where``; or several
            readings of it (:class:`bounds.formula.Let` named ``value``), of which the first that fits is taken.
        required, optional: parameters by registry name (:func:`bounds.register` adds one's own); optional ones may only occur in
            assumptions and in readings that ask for them, unless they have a default.
        where: definitions in order; each may use the parameters and the ones before it. As :class:`bounds.formula.Let`
            objects a definition may have several readings.
        conditions: inequalities such as ``eta <= 2/beta``.
        properties: structural facts such as ``convex`` or ``doubly_stochastic``.
        directions: how the value moves with a parameter; those left out count as ``unknown``.
        recursion: see :func:`one_step`.
        source: the paper, or a whole :class:`bounds.Source`, which has the derivation in it.

    >>> mine = define(id="mine", expression="2*L**2*eta*T/(m*n)", required="L eta T m n".split())
    >>> f"{mine.evaluate(L=1, eta=0.5, T=8, m=2, n=4):.6f}"
    '1.000000'

    Raises:
        ExpressionError, UnknownNameError, UnknownParameterError, MissingParameterError, DomainError: each one line that
            names the argument.
    """
    lets = tuple(Let(name, text, latex=name) for name, text in where.items()) if isinstance(where, Mapping) else tuple(where)
    values = (Let("value", expression),) if isinstance(expression, str) else tuple(expression)
    formula = Formula(tuple(required), tuple(optional), (*lets, *values), tuple((defaults or {}).items()))
    with naming(id):
        bound = Bound(
            id=id,
            title=title or id,
            quantity=word(Quantity, quantity),
            kind=word(Kind, kind),
            update_forms=tuple(word(UpdateForm, form) for form in update_forms),
            readouts=tuple(word(Readout, readout) for readout in readouts),
            formula=formula,
            source=source if isinstance(source, Source) else Source(source, source, derivation, "primary"),
            directions=_directions(formula, directions or {}),
            conditions=tuple(text if isinstance(text, Condition) else Condition(text) for text in conditions),
            properties=tuple(Property(name) for name in properties),
            recursion=recursion,
            reductions=tuple(reductions),
            supersedes=tuple(supersedes),
            notes=notes,
        )
        check(bound)
    return bound


def _directions(formula: Formula, declared: Mapping[str, str]) -> dict[str, Direction]:
    for name in declared:
        if name not in formula.parameters:
            raise UnknownParameterError(f"it declares a direction in {name!r}; its parameters are {', '.join(formula.parameters)}")
    return dict.fromkeys(formula.parameters, Direction.UNKNOWN) | {name: word(Direction, value) for name, value in declared.items()}
