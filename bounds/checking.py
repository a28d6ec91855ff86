"""Reading every text of a bound once, in every reading, so that a mistake shows when the bound is written down."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from bounds.assumptions import PROPERTIES, Condition
from bounds.bound import Bound
from bounds.errors import DomainError, GossipBoundsError, MissingParameterError, UnknownNameError, unknown_name
from bounds.expression import Node, names, parse
from bounds.expression.parse import is_free_name
from bounds.formula import Formula, Let
from bounds.symbols import symbol
from bounds.vocabulary import Readout, UpdateForm, word

_ID = re.compile(r"[A-Za-z]\w*", re.ASCII)
_MOST_SWITCHES = 6
#: Names of optional parameters that are given, with an update form and a readout.
Choice = tuple[frozenset[str], str, str]


@contextmanager
def naming(place: str) -> Iterator[None]:
    """Put the place in front of any error of ours that is raised inside."""
    try:
        yield
    except GossipBoundsError as error:
        raise type(error)(f"{place}: {error}") from None


def check(bound: Bound) -> None:
    """Look every name up and parse every text.

    Raises:
        GossipBoundsError: each kind one line that starts with the key.
    """
    if not _ID.fullmatch(bound.id):
        raise DomainError(f"id: {bound.id!r} is no id; write letters, digits and _, such as my_bound")
    if not bound.update_forms or not bound.readouts:
        raise MissingParameterError("update_forms and readouts: write at least one of each")
    _check_parameters(bound.formula)
    for let in bound.formula.lets:
        with naming(_key(let)):
            _check_let(bound, let)
    for condition in bound.conditions:
        with naming(f"conditions, {condition.text!r}"):
            _check_choice(bound.formula, (*condition.given, *condition.absent), condition.forms, ())
    for prop in bound.properties:
        if prop.name not in PROPERTIES:
            raise unknown_name("property", prop.name, PROPERTIES)
    seen: set[frozenset[str]] = set()
    for chosen, form, readout in choices(bound):
        given = bound.given(chosen, form, readout)
        if given not in seen:
            _check_reading(bound, given, f"with {', '.join(sorted(given))}" if given else "with no optional parameter")
            seen.add(given)
        _check_conditions(bound, dict.fromkeys((*bound.formula.required, *chosen), 1.0), form, given)
    _check_relations(bound)


def _check_parameters(formula: Formula) -> None:
    for key in ("required", "optional"):
        with naming(key):
            for name in getattr(formula, key):
                symbol(name)
    twice = sorted({name for name in formula.parameters if formula.parameters.count(name) > 1})
    if twice:
        raise DomainError(f"required and optional: {twice[0]} is there twice; leave it out of one of them")
    for name, value in formula.defaults:
        with naming("defaults"):
            if name not in formula.optional:
                raise unknown_name("optional parameter", name, formula.optional)
            symbol(name).check(value)


def _key(let: Let) -> str:
    return "expression" if let.name == "value" else f"where, {let.name}"


def _check_let(bound: Bound, let: Let) -> None:
    if not is_free_name(let.name):
        raise DomainError(f"{let.name!r} cannot name a definition; write letters, digits and _, no function and no word of Python")
    if let.name in bound.formula.parameters:
        raise DomainError(f"{let.name} is a parameter; give the definition another name")
    _check_choice(bound.formula, let.given, let.forms, let.readouts)


def _check_choice(formula: Formula, given: Iterable[str], forms: Iterable[str], readouts: Iterable[str]) -> None:
    """What a reading or a condition is restricted to."""
    for name in given:
        if name not in formula.optional:
            raise unknown_name("optional parameter", name, formula.optional)
    for form in forms:
        word(UpdateForm, form)
    for readout in readouts:
        word(Readout, readout)


def choices(bound: Bound) -> Iterator[Choice]:
    """Every choice that can change what the texts mean; for very many optional parameters, up to two of them or all."""
    named = {name for let in bound.formula.lets for name in let.given} | {
        name for condition in bound.conditions for name in (*condition.given, *condition.absent)
    }
    sizes = range(len(named) + 1) if len(named) <= _MOST_SWITCHES else (0, 1, 2, len(named))
    subsets = itertools.chain.from_iterable(itertools.combinations(sorted(named), size) for size in sizes)
    for subset, form, readout in itertools.product(subsets, bound.update_forms, bound.readouts):
        yield frozenset(subset), form.value, readout.value


def _check_conditions(bound: Bound, present: Mapping[str, float], form: str, given: frozenset[str]) -> None:
    for condition in bound.conditions:
        if condition.relevant(form, present):
            _check_condition(bound, condition, given)


def _check_condition(bound: Bound, condition: Condition, given: frozenset[str]) -> None:
    with naming(f"conditions, {condition.text!r}"):
        condition.sides(bound.formula, given)


def _check_reading(bound: Bound, given: frozenset[str], words: str) -> None:
    formula = bound.formula
    built: dict[str, Node] = {}
    for name, let in formula.readings(given).items():
        with naming(_key(let)):
            built[name] = parse(let.text, dict.fromkeys(formula.parameters) | built)
    if "value" not in built:
        raise MissingParameterError(f"expression: no reading fits {words}; add one that asks for nothing")
    known = given | {name for name, _ in formula.defaults}
    for name in sorted(names(built["value"]) & set(formula.optional) - known):
        raise MissingParameterError(
            f"expression: it uses the optional {name} {words}; make {name} required, give it a default, or ask for it in the reading"
        )
    if bound.recursion is not None:
        with naming("recursion"):
            bound.recursion.trees(formula, given)


def _check_relations(bound: Bound) -> None:
    if not (bound.reductions or bound.supersedes):
        return
    # Only now, so that defining a bound need not load the catalogue.
    from bounds.registry import entries
    from bounds.targets import fixed, target

    for superseded in bound.supersedes:
        if superseded not in entries():
            raise unknown_name("bound in supersedes", superseded, entries())
    for reduction in bound.reductions:
        with naming("reductions"):
            if (reduction.to is None) == (reduction.value is None):
                raise UnknownNameError("give either to, the id of a bound, or value, a formula")
            if reduction.to is not None and reduction.to not in entries():
                raise unknown_name("bound", reduction.to, entries())
            fixed(bound, dict(reduction.at))
            target(bound, reduction.to or reduction.value or "", dict(reduction.arguments))
