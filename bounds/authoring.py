"""Writing down a bound of one's own in one call, ready for the verbs and the property tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from bounds.assumptions import PROPERTIES, Condition, Property
from bounds.bound import Bound, Reduction, Source
from bounds.errors import MissingParameterError, UnknownParameterError, unknown_name
from bounds.expression import names
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
    expression: str,
    required: Sequence[str],
    optional: Sequence[str] = (),
    where: Mapping[str, str] | None = None,
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
    source: str = "own work",
    derivation: str = "not written down",
) -> Bound:
    """A bound from text. Everything is parsed here, so that a mistake shows where it was made.

    Args:
        expression: the value, such as ``2*L**2*eta*T/(m*n)``, in registry symbols and the names of ``where``.
        required, optional: parameters by registry name; optional ones may only occur in assumptions, unless they
            have a default.
        where: definitions in order; each may use the parameters and the ones before it.
        conditions: inequalities such as ``eta <= 2/beta``.
        properties: structural facts such as ``convex`` or ``doubly_stochastic``.
        directions: how the value moves with a parameter; those left out count as ``unknown``.
        recursion: see :func:`one_step`.

    >>> define(id="mine", expression="2*L**2*eta*T/(m*n)", required="L eta T m n".split()).evaluate(L=1, eta=0.5, T=8, m=2, n=4)
    1.0

    Raises:
        ExpressionError, UnknownNameError, UnknownParameterError, MissingParameterError: each one line.
    """
    lets = tuple(Let(name, text, latex=name) for name, text in (where or {}).items())
    formula = Formula(tuple(required), tuple(optional), (*lets, Let("value", expression)), tuple((defaults or {}).items()))
    bound = Bound(
        id=id,
        title=title or id,
        quantity=word(Quantity, quantity),
        kind=word(Kind, kind),
        update_forms=tuple(word(UpdateForm, form) for form in update_forms),
        readouts=tuple(word(Readout, readout) for readout in readouts),
        formula=formula,
        source=Source(source, source, derivation, "primary"),
        directions=_directions(id, formula, directions or {}),
        conditions=tuple(text if isinstance(text, Condition) else Condition(text) for text in conditions),
        properties=tuple(Property(name) for name in properties),
        recursion=recursion,
        reductions=tuple(reductions),
    )
    _check(bound)
    return bound


def _directions(bound_id: str, formula: Formula, declared: Mapping[str, str]) -> dict[str, Direction]:
    for name in declared:
        if name not in formula.parameters:
            raise UnknownParameterError(f"{bound_id} declares a direction in {name!r}; its parameters are {', '.join(formula.parameters)}")
    return dict.fromkeys(formula.parameters, Direction.UNKNOWN) | {name: word(Direction, value) for name, value in declared.items()}


def _check(bound: Bound) -> None:
    """Parse every text once and look every name up."""
    formula, given = bound.formula, bound.formula.given(())
    with_default = {name for name, _ in formula.defaults}
    for name in sorted(names(bound.expression()) & set(formula.optional) - with_default):
        raise MissingParameterError(f"{bound.id} uses the optional {name} in its value; make it required or give it a default")
    for condition in bound.conditions:
        condition.sides(formula, given)
    for prop in bound.properties:
        if prop.name not in PROPERTIES:
            raise unknown_name("property", prop.name, PROPERTIES)
    if bound.recursion is not None:
        bound.recursion.trees(formula, given)
