"""A bound as frozen data, with the few verbs that every bound shares."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

from bounds import evaluation
from bounds.assumptions import Condition, Outcome, Property
from bounds.errors import DomainError, UnknownParameterError
from bounds.expression import Name, Node, PrecisionError, parse, to_latex, to_sympy
from bounds.expression.tree import names
from bounds.formula import Formula, without_false_flags
from bounds.notebook import table
from bounds.numeric.ways import Ways
from bounds.recursion import Recursion
from bounds.setting import Fact, Setting
from bounds.symbols import Symbol, rank_of, symbol
from bounds.vocabulary import Direction, Kind, Quantity, Readout, UpdateForm, word

if TYPE_CHECKING:
    import sympy
    from flint import arb


@dataclass(frozen=True, slots=True)
class Source:
    """Where a bound comes from: the paper that owns the result, and how the formula here was obtained.

    ``tag`` says how the paper's statement is known: read in the paper (primary), in somebody's summary (second-hand),
    standard (known), from memory (recalled), or rebuilt here from second-hand pieces (reconstructed). ``latex`` is the
    statement as the source writes it; the expression of the bound is the one that was derived and tested.
    """

    paper: str
    result: str
    derivation: str
    tag: Literal["primary", "second-hand", "known", "recalled", "reconstructed"]
    latex: str = ""


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

    ``directions`` declares for every parameter how the value moves on the admissible set, others held fixed;
    ``open_questions`` says for each that is unknown why.
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
    open_questions: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Bound {self.id}: {self.quantity.label}, {self.kind.value}>"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def _repr_html_(self) -> str:
        about = [("bounds", f"{self.quantity.label} ({self.kind.label})"), ("formula", self.formula.text(self.given(())))]
        about += [("update forms", ", ".join(form.value for form in self.update_forms)), ("source", self.source.paper)]
        assumed = [("assumes", text) for text in (*(one.text for one in self.conditions), *(one.text for one in self.properties))]
        names = [(one.name, f"{one.meaning} [{one.unit}], {one.domain}") for one in self.symbols]
        return f"<b>{self.id}</b>: {escape(self.title)}" + table(("", ""), about + assumed) + table(("parameter", "meaning"), names)

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """The parameters as symbols of the registry, required ones first."""
        return tuple(symbol(name) for name in self.formula.parameters)

    def words(self, update_form: str | None = None, readout: str | None = None) -> tuple[str, str]:
        """The update form and the readout meant, each the bound's first when left out.

        Raises:
            UnknownNameError, DomainError: for one that is none, or of which the bound does not speak.
        """
        return self.form(update_form).value, self.readout(readout).value

    def given(self, names: Iterable[str], update_form: str | None = None, readout: str | None = None) -> frozenset[str]:
        """What chooses the reading of the formula; ``names`` may be a mapping, where a flag that is 0 counts as not given."""
        return self.formula.given(names, self.words(update_form, readout))

    def reading(self, wanted: Iterable[str], update_form: str | None = None, readout: str | None = None) -> tuple[str, ...]:
        """The optional parameters among ``wanted``, with the fewest others that the formula needs to depend on them all.

        Some optional parameters act together only: gossip steps do nothing in a bound that was not told the gap.
        """
        words, wanted = self.words(update_form, readout), set(wanted)
        asked, others = ([name for name in self.formula.optional if (name in wanted) is kept] for kept in (True, False))
        groups = ({*asked, *more} for size in range(len(others) + 1) for more in combinations(others, size))
        readings = (tuple(name for name in self.formula.optional if name in group) for group in groups)
        return next((reading for reading in readings if names(self.expression(reading, *words)) >= set(asked)), tuple(asked))

    def expression(self, given: Iterable[str] = (), update_form: str | None = None, readout: str | None = None) -> Node:
        """The expression tree used when the optional parameters ``given`` are given."""
        return self.formula.trees(self.given(given, update_form, readout))["value"]

    def sympy(self, given: Sequence[str] = (), update_form: str | None = None, readout: str | None = None) -> sympy.Expr:
        """The expression as a sympy expression with positive symbols."""
        return to_sympy(self.expression(given, update_form, readout))

    def latex(self, given: Sequence[str] = (), update_form: str | None = None, readout: str | None = None) -> str:
        """The expression in LaTeX, followed by the definitions it uses."""
        return formula_latex(self.formula, self.given(given, update_form, readout))

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
        self.ways((None, None), tuple(values))
        for name, value in values.items():
            symbol(name).check(value)

    def ways(self, choice: evaluation.Choice, names: tuple[str, ...]) -> Ways:
        """The programs for (update form, readout) and parameters in this order.

        Raises:
            MissingParameterError, UnknownParameterError, UnknownNameError, DomainError: each one line.
        """
        key = (*choice, *names)
        if key not in self._ways:
            self._ways[key] = evaluation.ways(self, choice, names)
        return self._ways[key]

    @cached_property
    def _ways(self) -> dict[tuple[str | None, ...], Ways]:
        return {}

    @cached_property
    def _scalars(self) -> dict[tuple[str | None, ...], Callable[..., float | None]]:
        return {}

    def enclosure(self, values: Mapping[str, Any], update_form: str | None = None, readout: str | None = None) -> arb:
        """A sharp ball around the exact value at checked parameters.

        Raises:
            DomainError: where the expression has no value.
        """
        from bounds.expression.balls import enclose

        self.check_parameters(values)
        complete = dict(self.formula.defaults) | dict(values)
        try:
            return enclose(self.expression(without_false_flags(values).keys(), update_form, readout), complete)
        except PrecisionError:
            at = ", ".join(f"{name}={value}" for name, value in values.items())
            raise DomainError(f"{self.id} has no value at {at}; check its assumptions with 'gossip-bounds show {self.id}'") from None

    def rounded(self, ball: arb) -> float:
        """The float that stands for an enclosure: rounded up for an upper bound, to the nearest otherwise."""
        from bounds.expression.balls import round_near, round_up

        return round_up(ball) if self.kind is Kind.UPPER else round_near(ball)

    def evaluate(self, /, *, update_form: str | None = None, readout: str | None = None, **values: Any) -> Any:
        """The value at the given parameters: a float, or an array when any parameter is an array (they broadcast).

        An upper bound is rounded up, so that the number is an upper bound too. A parameter that is an array by itself
        (``spectrum``) is one and the same for all points.

        Args:
            update_form, readout: of the bound's own; its first when left out, and irrelevant where the formula is the
                same for all.

        Raises:
            MissingParameterError, UnknownParameterError, DomainError, UnknownNameError.
        """
        key = (update_form, readout, *values)
        program = self._scalars.get(key)
        if program is None:
            program = self._scalars[key] = self.ways((update_form, readout), tuple(values)).scalar
        value = program(*values.values())
        return evaluation.carefully(self, (update_form, readout), values) if value is None else value

    def log_value(self, values: Mapping[str, Any], update_form: str | None = None, readout: str | None = None) -> Any:
        """Natural logarithm of the value, finite wherever the value is positive and finite, however large or small.

        A float, or an array when any parameter is an array; rounded up where the bound is an upper bound.

        Raises:
            MissingParameterError, UnknownParameterError, DomainError, UnknownNameError: as :meth:`evaluate`; DomainError also
                where the value is negative.
        """
        numbers = [value for name, value in values.items() if not rank_of(name)]
        one = all(isinstance(value, int | float) for value in numbers)
        return (evaluation.log_value if one else evaluation.log_grid)(self, (update_form, readout), values)

    def rounded_log(self, ball: arb) -> float:
        """:meth:`rounded` for the logarithm of an enclosure; -inf for 0.

        Raises:
            DomainError: for a negative number.
        """
        if ball == 0:
            return -math.inf
        if ball < 0:
            raise DomainError(f"{self.id} is {float(ball.mid()):.6g} there and has no logarithm; ask for its value instead")
        return self.rounded(ball.log()) if ball.is_finite() else math.inf

    def readout(self, readout: str | None) -> Readout:
        """The readout meant: the given one, else the bound's first.

        Raises:
            UnknownNameError, DomainError: for a readout that is none, or of which the bound does not speak.
        """
        if readout is None:
            return self.readouts[0]
        chosen = word(Readout, readout)
        if chosen not in self.readouts:
            allowed = ", ".join(r.value for r in self.readouts)
            raise DomainError(f"{self.id} does not speak about the readout {chosen.value!r}; allowed: {allowed}")
        return chosen

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

    def assess(self, facts: Mapping[str, Fact], update_form: str | None = None, readout: str | None = None) -> list[Outcome]:
        """Every assumption that is false or undecidable from ``facts``; properties that are not among them are granted."""
        words = self.words(update_form, readout)
        outcomes = [prop.check(facts) for prop in self.properties if prop.name in facts]
        given = without_false_flags(facts)
        complete = dict(self.formula.defaults) | given
        relevant = (condition for condition in self.conditions if condition.relevant(words[0], given))
        outcomes += [condition.check(self.formula, complete, words) for condition in relevant]
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
        if not setting.one_mixing:
            return [f"{self.id} speaks about one mixing matrix W^Q at every step, not about graphs that change or local steps"]
        facts = setting.facts()
        missing = [name for name in self.formula.required if name not in facts]
        if missing:
            return [f"{self.id} needs {', '.join(missing)}, which the setting does not know"]
        unknown = [Outcome(None, f"{prop.text}: not known here") for prop in self.properties if prop.name not in facts]
        return [outcome.text for outcome in unknown + self.assess(facts, setting.update_form.value, setting.readout.value)]

    def at(self, setting: Setting) -> float:
        """The value for a supported setting."""
        return float(self.evaluate(update_form=setting.update_form.value, readout=setting.readout.value, **self.arguments(setting)))


def formula_latex(formula: Formula, given: frozenset[str]) -> str:
    """LaTeX of a formula: the value, then every definition it needs, in order."""
    *where, value = formula.used(given)
    known: dict[str, Node | None] = dict.fromkeys(formula.parameters) | {let.name: Name(let.name) for let in where}
    extra = {let.name: let.latex for let in where if let.latex}
    pieces = [to_latex(parse(value.text, known), extra)]
    pieces += [rf"{extra.get(let.name, let.name)} = {to_latex(parse(let.text, known), extra)}" for let in where]
    return r",\quad ".join(pieces)
