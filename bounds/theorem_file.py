"""A theorem in a TOML file: its tables as pydantic models, and the bound they describe. Nothing in such a file is executed.

Imported when a file is loaded, not before: see :mod:`bounds.own`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from bounds.assumptions import Condition
from bounds.authoring import define
from bounds.bound import Bound, Reduction, Source
from bounds.checking import naming
from bounds.document import read_toml, validated
from bounds.errors import DomainError
from bounds.formula import Let
from bounds.recursion import Recursion
from bounds.symbols import Array, Domain, Symbol, register

Relation = Literal["equals", "dominates"]
Words = tuple[str, ...]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ReadingTable(_Table):
    """One reading of a definition or of the value, and what it is for."""

    text: str = Field(description='the expression; write { text = "1 - eta*mu", given = ["mu"] }')
    given: Words = ()
    forms: Words = ()
    readouts: Words = ()
    latex: str = ""


class ConditionTable(_Table):
    """An inequality, and what it is for."""

    text: str = Field(description='the inequality; write { text = "eta <= 2/beta", forms = ["atc"] }')
    forms: Words = ()
    given: Words = ()
    absent: Words = ()


class DomainTable(_Table):
    """The values a symbol may take; ``rank`` 1 is a list of numbers, 2 a list of lists."""

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    integer: bool = False
    rank: int = Field(default=0, ge=0, le=2)

    def domain(self) -> Domain | Array:
        """The domain of the registry."""
        if not self.low < self.high:
            raise DomainError(f"domain: got low = {self.low:g} and high = {self.high:g}; low must be below high")
        entry = Domain(self.low, self.high, self.low_open, self.integer)
        return Array(entry, self.rank) if self.rank else entry


class SymbolTable(_Table):
    """A symbol of one's own."""

    name: str = Field(description='write name = "kappa"')
    meaning: str = Field(description="what it is in a few words")
    domain: DomainTable = Field(description="the values it may take; write domain = { low = 0, low_open = true }")
    latex: str = ""
    unit: str = "-"

    def symbol(self) -> Symbol:
        """The symbol of the registry."""
        with naming(f"symbols, {self.name}"):
            return Symbol(self.name, self.latex or self.name, self.meaning, self.unit, self.domain.domain())


class SourceTable(_Table):
    """Where the theorem comes from."""

    paper: str = "own work"
    result: str = ""
    derivation: str = "not written down"
    tag: Literal["primary", "second-hand", "known", "recalled", "reconstructed"] = "primary"
    latex: str = ""

    def source(self) -> Source:
        """The provenance."""
        return Source(self.paper, self.result or self.paper, self.derivation, self.tag, self.latex)


class RecursionTable(_Table):
    """The one-step recursion that the closed form closes."""

    initial: dict[str, str | int | float] = Field(description="the states at the start; write initial = { d = 0 }")
    step: dict[str, str] = Field(description='one step of each state; write step = { d = "d + eta" }')
    result: str = Field(description='what is read out; write result = "L*d"')
    relation: Relation = "equals"
    reason: str = ""
    least: str = ""

    def recursion(self) -> Recursion:
        """The recursion; decimals are taken as they are written."""
        initial = tuple((name, value if isinstance(value, str) else repr(value)) for name, value in self.initial.items())
        return Recursion(initial, tuple(self.step.items()), self.result, self.relation, self.reason, self.least)


class ReductionTable(_Table):
    """What the bound becomes at some values."""

    at: dict[str, int | float] = Field(description="the values where it happens; write at = { m = 1 }")
    relation: Relation = "equals"
    to: str | None = None
    arguments: dict[str, str] = Field(default_factory=dict)
    value: str | None = None

    def reduction(self) -> Reduction:
        """The reduction."""
        return Reduction(tuple(self.at.items()), self.relation, self.to, tuple(self.arguments.items()), self.value)


Readings = str | ReadingTable | tuple[ReadingTable, ...]


class TheoremFile(_Table):
    """The whole file."""

    id: str = Field(description='write id = "my_bound"')
    expression: Readings = Field(description='write expression = "2*L**2*eta*T/(m*n)"')
    required: Words = Field(description='the parameters; write required = ["L", "eta"]')
    optional: Words = ()
    defaults: dict[str, int] = Field(default_factory=dict)
    where: dict[str, Readings] = Field(default_factory=dict)
    symbols: tuple[SymbolTable, ...] = ()
    conditions: tuple[str | ConditionTable, ...] = ()
    properties: Words = ()
    directions: dict[str, str] = Field(default_factory=dict)
    recursion: RecursionTable | None = None
    reductions: tuple[ReductionTable, ...] = ()
    title: str = ""
    quantity: str = "generalization_error"
    kind: str = "upper"
    update_forms: Words = ("atc", "cta", "consensus")
    readouts: Words = ("node_average",)
    source: SourceTable = SourceTable()
    supersedes: Words = ()
    notes: str = ""

    def bound(self) -> Bound:
        """The bound, with the symbols it needs registered."""
        for table in self.symbols:
            with naming("symbols"):
                register(table.symbol())
        return define(
            id=self.id,
            expression=tuple(_lets({"value": self.expression})),
            required=self.required,
            optional=self.optional,
            where=tuple(_lets(self.where)),
            conditions=[one if isinstance(one, str) else Condition(one.text, one.forms, one.given, one.absent) for one in self.conditions],
            properties=self.properties,
            directions=self.directions,
            recursion=None if self.recursion is None else self.recursion.recursion(),
            reductions=[one.reduction() for one in self.reductions],
            defaults=self.defaults,
            quantity=self.quantity,
            kind=self.kind,
            update_forms=self.update_forms,
            readouts=self.readouts,
            title=self.title,
            source=self.source.source(),
            supersedes=self.supersedes,
            notes=self.notes,
        )


def _lets(definitions: Mapping[str, Readings]) -> Iterator[Let]:
    for name, readings in definitions.items():
        for one in readings if isinstance(readings, tuple) else (readings,):
            table = ReadingTable(text=one) if isinstance(one, str) else one
            yield Let(name, table.text, table.given, table.latex or name, table.forms, table.readouts)


def read_theorem(path: Path) -> Bound:
    """The bound in a TOML file.

    Raises:
        GossipBoundsError: one line naming the file and the key.
    """
    table = validated(read_toml(path), TheoremFile, path)
    with naming(repr(str(path))):
        return table.bound()
