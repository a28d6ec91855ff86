"""What is known of two bounds' order, in a form that can be printed and saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from bounds.box import Box, Point
from bounds.notebook import Shown

Answer = Literal["<=", ">=", "crosses", "undecided"]


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where a - b changes its sign along ``parameter``, the others held fixed ``at`` their values.

    ``low`` and ``high`` enclose it: Arb has the sign ``before`` of a - b at ``low`` and the opposite one at ``high``, both
    admissible. For an integer they are neighbours, unless the bounds are equal in between. ``unique`` says that it is proved
    to be the only one between them.
    """

    parameter: str
    low: float | int
    high: float | int
    before: Literal["-", "+"]
    unique: bool
    at: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Witness:
    """An admissible point, and the values that Arb encloses both bounds in there (to the nearest float)."""

    point: Mapping[str, Any]
    a: float
    b: float


@dataclass(frozen=True, slots=True)
class Comparison(Shown):
    """The order of two bounds a and b over the admissible part of a box.

    ``relation`` is proved (<= and >= need not be strict); ``crosses`` by two ``witnesses``, a smaller at the first one.
    ``let`` are parameters of one bound as expressions in those of the other. ``complete`` says whether ``crossings`` are all there are
    along the parameter asked for (None where none was). ``boxes`` counts goals and boxes looked at.
    """

    a: str
    b: str
    relation: Answer
    crossings: tuple[Crossing, ...]
    box: Box
    engine: str
    update_form: Mapping[str, str]
    readout: Mapping[str, str]
    let: Mapping[str, str]
    witnesses: tuple[Witness, ...] = ()
    complete: bool | None = None
    boxes: int = 0
    seconds: float = field(default=0.0, compare=False)
    reason: str = ""

    def document(self) -> dict[str, Any]:
        """The JSON document."""
        return {"schema_version": 1, **asdict(self), "box": {name: list(ends) for name, ends in self.box.items()}}


def witness(point: Point, a: float, b: float) -> Witness:
    """A witness with plain lists for arrays."""
    return Witness({name: list(value) if isinstance(value, tuple) else value for name, value in point.items()}, a, b)
