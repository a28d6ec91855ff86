"""What a bound is held against at a point: its own unrolled recursion, another bound, or a formula."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flint import arb

from bounds.bound import Bound
from bounds.box import Point, is_admissible, is_integer
from bounds.errors import DomainError, MissingParameterError, UnknownParameterError
from bounds.expression import Node, PrecisionError, names, parse
from bounds.expression.balls import enclose
from bounds.registry import entries, get
from bounds.symbols import symbol

#: Relative slack of a comparison with an unrolled recursion (256 bits, but a closed form is sharp to 2^-60 only).
UNROLLED_SLACK = 2.0**-50
#: Relative slack of a comparison with a target whose arguments are rounded to floats.
TARGET_SLACK = 2.0**-48


@dataclass(frozen=True, slots=True)
class Target:
    """Another bound at arguments computed from a point of the first, or (``bound`` None) the formula ``value``."""

    name: str
    source: Bound
    bound: Bound | None
    arguments: Mapping[str, Node]
    value: Node | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """Optional parameters of the first bound that the comparison cannot do without."""
        named = {name for tree in (*self.arguments.values(), *filter(None, [self.value])) for name in names(tree)}
        required = set(self.bound.formula.required) - self.arguments.keys() if self.bound else set()
        return tuple(name for name in self.source.formula.optional if name in named | required)

    def point(self, values: Point) -> Point:
        """The other bound's parameters: computed where ``arguments`` says how, else the one of the same name."""
        assert self.bound is not None
        complete = dict(self.source.formula.defaults) | values
        shared = {name: complete[name] for name in self.bound.formula.parameters if name in complete}
        return shared | {name: _number(name, enclose(tree, complete)) for name, tree in self.arguments.items()}

    def holds(self, values: Point) -> bool:
        """Whether the other bound speaks about this point."""
        if self.bound is None:
            return True
        try:
            return is_admissible(self.bound, self.point(values))
        except PrecisionError:
            return False

    def ball(self, values: Point) -> arb:
        """The certified value to compare with."""
        if self.bound is not None:
            return self.bound.enclosure(self.point(values))
        assert self.value is not None
        return enclose(self.value, dict(self.source.formula.defaults) | values)


def _number(name: str, ball: arb) -> float | int:
    value = float(ball.mid())
    return round(value) if is_integer(name) and value == round(value) else value


def target(bound: Bound, to: Bound | str, arguments: Mapping[str, str] | None = None) -> Target:
    """Another bound, the id of one, or (any other text) a formula in the parameters of ``bound``.

    Args:
        arguments: the other bound's parameters as text in those of ``bound``; parameters left out are those of the same name.

    Raises:
        ExpressionError, MissingParameterError, UnknownParameterError: each one line.
    """
    known: dict[str, Node | None] = dict.fromkeys(bound.formula.parameters)
    if isinstance(to, str) and to not in entries():
        return Target(to, bound, None, {}, parse(to, known))
    other = get(to) if isinstance(to, str) else to
    trees = {name: parse(text, known) for name, text in (arguments or {}).items()}
    for name in trees:
        if name not in other.formula.parameters:
            raise UnknownParameterError(f"{other.id} has no parameter {name!r}; it takes {', '.join(other.formula.parameters)}")
    missing = [name for name in other.formula.required if name not in trees and name not in bound.formula.parameters]
    if missing:
        example = ", ".join(f"{name!r}: TEXT" for name in missing)
        raise MissingParameterError(f"{other.id} needs {', '.join(missing)}, which {bound.id} has not; give arguments={{{example}}}")
    return Target(other.id, bound, other, trees)


def fixed(bound: Bound, at: Mapping[str, float | int]) -> dict[str, tuple[float, float]]:
    """Ranges of a single value each, for a reduction.

    Raises:
        UnknownParameterError, DomainError: each one line.
    """
    if not at:
        raise DomainError("a reduction needs the values where it happens; give at={'m': 1} or the like")
    for name, value in at.items():
        if name not in bound.formula.parameters:
            raise UnknownParameterError(f"{bound.id} has no parameter {name!r}; it takes {', '.join(bound.formula.parameters)}")
        symbol(name).check(value)
    return {name: (value, value) for name, value in at.items()}
