"""A bound as frozen data, with the few verbs that every bound shares."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from flint import arb

from bounds.assumptions import Condition, Outcome, Property
from bounds.errors import DomainError, MissingParameterError, UnknownParameterError
from bounds.expression import Node, PrecisionError, enclose, parse, round_near, round_up, to_latex, to_sympy
from bounds.formula import Formula, without_false_flags
from bounds.recursion import Recursion
from bounds.setting import Fact, Setting
from bounds.symbols import Symbol, symbol
from bounds.vocabulary import Direction, Kind, Quantity, Readout, UpdateForm, word

if TYPE_CHECKING:
    import sympy


@dataclass(frozen=True, slots=True)
class Source:
    """Where a bound comes from: the paper that owns the result, and how the formula here was obtained."""

    paper: str
    result: str
    derivation: str
    tag: Literal["primary", "second-hand", "known", "recalled"]


@dataclass(frozen=True, slots=True)
class Reduction:
    """At the values ``at`` the bound equals (or dominates) another bound or a formula.

    ``to`` is a bound id whose arguments are given by ``arguments`` (text in this bound's parameters), or None, and
    then ``value`` is the formula itself.
    """

    at: tuple[tuple[str, float], ...]
    relation: Literal["equals", "dominates"]
    to: str | None = None
    arguments: tuple[tuple[str, str], ...] = ()
    value: str | None = None


@dataclass(frozen=True, repr=False)
class Bound:
    """One theorem: what it bounds, for which update forms and readouts, under which assumptions, and its expression.

    ``directions`` declares for every parameter how the value moves on the admissible set, others held fixed.
    """

    id: str
    title: str
    quantity: Quantity
    kind: Kind
    update_forms: tuple[UpdateForm, ...]
    readouts: tuple[Readout, ...]
    formula: Formula
    source: Source
    directions: Mapping[str, Direction]
    conditions: tuple[Condition, ...] = ()
    properties: tuple[Property, ...] = ()
    recursion: Recursion | None = None
    reductions: tuple[Reduction, ...] = ()
    supersedes: tuple[str, ...] = ()
    notes: str = ""

    def __repr__(self) -> str:
        return f"<Bound {self.id}: {self.quantity.label}, {self.kind.value}>"

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """The parameters as symbols of the registry, required ones first."""
        return tuple(symbol(name) for name in self.formula.parameters)

    def expression(self, given: Iterable[str] = ()) -> Node:
        """The expression tree used when the optional parameters ``given`` are given."""
        return self.formula.trees(self.formula.given(given))["value"]

    def sympy(self, given: Sequence[str] = ()) -> sympy.Expr:
        """The expression as a sympy expression with positive symbols."""
        return to_sympy(self.expression(given))

    def latex(self, given: Sequence[str] = ()) -> str:
        """The expression in LaTeX, followed by the definitions it uses."""
        return formula_latex(self.formula, self.formula.given(given))

    def check_names(self, names: Iterable[str]) -> None:
        """Raise :class:`UnknownParameterError` for the first name that is no parameter of the bound."""
        for name in names:
            if name not in self.formula.parameters:
                raise UnknownParameterError(f"{self.id} has no parameter {name!r}; it takes {', '.join(self.formula.parameters)}")

    def check_parameters(self, values: Mapping[str, Any]) -> None:
        """Check names and domains.

        Raises:
            MissingParameterError, UnknownParameterError, DomainError: each one line.
        """
        self.check_names(values)
        missing = [name for name in self.formula.required if name not in values]
        if missing:
            raise MissingParameterError(f"{self.id} needs {', '.join(missing)}; give {' '.join(f'{name}=VALUE' for name in missing)}")
        for name, value in values.items():
            symbol(name).check(value)

    def enclosure(self, values: Mapping[str, float | int]) -> arb:
        """A sharp ball around the exact value at checked parameters.

        Raises:
            DomainError: where the expression has no value.
        """
        self.check_parameters(values)
        complete = dict(self.formula.defaults) | dict(values)
        try:
            return enclose(self.expression(without_false_flags(values).keys()), complete)
        except PrecisionError:
            at = ", ".join(f"{name}={value:g}" for name, value in values.items())
            raise DomainError(f"{self.id} has no value at {at}; check its assumptions with 'gossip-bounds show {self.id}'") from None

    def rounded(self, ball: arb) -> float:
        """The float that stands for an enclosure: rounded up for an upper bound, to the nearest otherwise."""
        return round_up(ball) if self.kind is Kind.UPPER else round_near(ball)

    def evaluate(self, *, update_form: str | None = None, **values: Any) -> Any:
        """The value at the given parameters: a float, or an array when any parameter is an array (they broadcast).

        An upper bound is rounded up to the next float, so that the number is an upper bound too.

        Args:
            update_form: one of the bound's update forms; checked, and irrelevant where the formula is the same for all.

        Raises:
            MissingParameterError, UnknownParameterError, DomainError, UnknownNameError.
        """
        self.form(update_form)
        if all(isinstance(value, int | float) for value in values.values()):
            return self.rounded(self.enclosure(values))
        import numpy as np

        grids = np.broadcast_arrays(*(np.asarray(value) for value in values.values()))
        flat = [
            self.rounded(self.enclosure(dict(zip(values, point, strict=True))))
            for point in zip(*(g.ravel().tolist() for g in grids), strict=True)
        ]
        result = np.array(flat, dtype=np.float64).reshape(grids[0].shape)
        return result if result.ndim else float(result)

    def log_value(self, values: Mapping[str, float | int]) -> float:
        """Natural logarithm of the value, finite wherever the value is positive and finite, however large or small."""
        return self.rounded_log(self.enclosure(values))

    def rounded_log(self, ball: arb) -> float:
        """:meth:`rounded` for the logarithm of an enclosure; -inf for 0."""
        if ball == 0:
            return -math.inf
        return self.rounded(ball.log()) if ball.is_finite() else math.inf

    def form(self, update_form: str | None) -> UpdateForm:
        """The update form meant: the given one, else the bound's first.

        Raises:
            UnknownNameError: for a form that the bound does not speak about.
        """
        if update_form is None:
            return self.update_forms[0]
        form = word(UpdateForm, update_form)
        if form not in self.update_forms:
            raise DomainError(
                f"{self.id} does not speak about update form {form.value!r}; allowed: {', '.join(f.value for f in self.update_forms)}"
            )
        return form

    def assess(self, facts: Mapping[str, Fact], update_form: str | None = None) -> list[Outcome]:
        """Every assumption that is false or undecidable from ``facts``; properties that are not among them are granted."""
        form = self.form(update_form).value
        outcomes = [prop.check(facts) for prop in self.properties if prop.name in facts]
        given = without_false_flags(facts)
        complete = dict(self.formula.defaults) | given
        relevant = (condition for condition in self.conditions if condition.relevant(form, given))
        outcomes += [condition.check(self.formula, complete) for condition in relevant]
        return [outcome for outcome in outcomes if outcome.holds is not True]

    def arguments(self, setting: Setting) -> dict[str, float | int]:
        """The bound's parameters read off a setting; optional ones only where the setting knows them."""
        facts = setting.facts()
        return {name: facts[name] for name in self.formula.parameters if name in facts}  # type: ignore[misc]

    def supports(self, setting: Setting) -> list[str]:
        """The unmet assumptions in words; empty when the theorem speaks about this setting."""
        if setting.update_form not in self.update_forms:
            return [f"{self.id} speaks about {', '.join(self.update_forms)}, not about {setting.update_form.value}"]
        if setting.readout not in self.readouts:
            return [f"{self.id} speaks about the readouts {', '.join(self.readouts)}, not about {setting.readout.value}"]
        facts = setting.facts()
        missing = [name for name in self.formula.required if name not in facts]
        if missing:
            return [f"{self.id} needs {', '.join(missing)}, which the setting does not know"]
        unknown = [Outcome(None, f"{prop.text}: not known here") for prop in self.properties if prop.name not in facts]
        return [outcome.text for outcome in unknown + self.assess(facts, setting.update_form.value)]

    def at(self, setting: Setting) -> float:
        """The value for a supported setting."""
        return float(self.evaluate(update_form=setting.update_form.value, **self.arguments(setting)))


def formula_latex(formula: Formula, given: frozenset[str]) -> str:
    """LaTeX of a formula: the value, then every definition it needs, in order."""
    *where, value = formula.used(given)
    known: dict[str, Node | None] = dict.fromkeys((*formula.parameters, *(let.name for let in where)), None)
    extra = {let.name: let.latex for let in where if let.latex}
    pieces = [to_latex(parse(value.text, known), extra)]
    pieces += [rf"{extra.get(let.name, let.name)} = {to_latex(parse(let.text, known), extra)}" for let in where]
    return r",\quad ".join(pieces)
