"""What the checker knows where a step of a proof is taken: ranges, what moves, and the assumptions as gaps that are >= 0.

A gap is a sum of monomials, kept as {monomial: coefficient}; a monomial is a set of (node id, exponent) pairs. Where a
node is ``k * gap + rest`` with a number k > 0, it is at least the least value of the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

from bounds.checker.ranges import ALL, ONE, ZERO, Range, number
from bounds.checker.trees import Trees, origin, value_of
from bounds.expression.tree import Call, Name, Node, Number, Power, Product, Quotient, Reduce, Sum
from bounds.symbols import REGISTRY

Monomial = frozenset[tuple[int, Fraction]]
Gap = dict[Monomial, Fraction]
_ONE: Monomial = frozenset()
_MOST_TERMS = 16
_MOST_GAPS = 60


class UnconfirmedError(Exception):
    """A step that cannot be confirmed, with the reason."""


@dataclass(frozen=True)
class Scope:
    """``members`` are bound variables with the arrays whose entries they run over, ``steps`` turns on whole steps p to p + 1."""

    trees: Trees
    ranges: Mapping[str, Range]
    entries: Mapping[str, Range]
    moving: frozenset[str] = frozenset()
    facts: tuple[tuple[Node, Node], ...] = ()
    members: Mapping[str, str] = field(default_factory=dict)
    steps: bool = False
    strict: bool = True
    known_gaps: tuple[Gap, ...] | None = None

    def still(self, node: Node) -> bool:
        """Whether nothing in the node moves."""
        return self.trees.names(node).isdisjoint(self.moving)

    def knows(self, node: Node) -> bool:
        """Whether every free name has a range."""
        return self.trees.names(node) <= self.ranges.keys() | self.entries.keys()

    def under(self, *facts: tuple[Node, Node]) -> Scope:
        """The scope with more facts."""
        return replace(self, facts=self.facts + facts, known_gaps=None)

    def within(self, ranges: Mapping[str, Range]) -> Scope:
        """The scope with narrower ranges of names it knows: what its gaps rest on still holds."""
        return replace(self, ranges={**self.ranges, **ranges}, known_gaps=self.gaps)

    def running(self, variables: tuple[str, ...], arrays: tuple[Node, ...]) -> Scope:
        """The scope inside a sum or an extreme over arrays."""
        names = [origin(array) for array in arrays]
        moving = [v for v, array in zip(variables, arrays, strict=True) if not self.still(array)]
        # Where nothing is known but ranges, an inner meaning of a name may hide an outer one.
        taken = REGISTRY.keys() | (self.ranges.keys() | self.entries.keys() if self.strict else set())
        if set(variables) & taken:
            raise UnconfirmedError(f"the bound variable {variables[0]} has another meaning outside")
        if any(not self.entries[origin(array)].positive for array in arrays if not self.still(array)):
            raise UnconfirmedError("entries that move may be negative")
        if moving and (len(moving) > 1 or self.moving & self.members.keys() - names_of(arrays[variables.index(moving[0])])):
            raise UnconfirmedError("entries of a moving array meet each other, and each moves by an amount of its own")
        ends = {variable: self.entries[name] for variable, name in zip(variables, names, strict=True)}
        members = {**self.members, **dict(zip(variables, names, strict=True))}
        inner = replace(self, ranges={**self.ranges, **ends}, entries={**self.entries, **ends}, members=members, known_gaps=None)
        return replace(inner, moving=self.moving | set(moving))

    @cached_property
    def states(self) -> dict[int, Any]:
        """States of nodes, filled by :mod:`bounds.checker.motion`."""
        return {}

    @cached_property
    def bare(self) -> Scope:
        """The ranges alone, for values."""
        return replace(self, moving=frozenset(), facts=(), known_gaps=(), steps=False, strict=False)

    def value(self, node: Node) -> Range:
        """The node's values."""
        from bounds.checker.motion import state

        return state(self, node).value

    # gaps ---------------------------------------------------------------------------------------

    @cached_property
    def gaps(self) -> tuple[Gap, ...]:
        """The facts as sums of monomials that are >= 0, with what follows from them by single replacements."""
        if self.known_gaps is not None:
            return self.known_gaps
        found: list[Gap] = []
        for left, right in self.facts:
            if self.knows(left) and self.knows(right):
                found.append(plus(monomials(self.trees, right), monomials(self.trees, left), Fraction(-1)))
        place = 0
        while place < len(found) and len(found) < _MOST_GAPS:
            found += [gap for gap in self._weaker(found[place], found) if gap not in found]
            place += 1
        return tuple(found)

    def _weaker(self, gap: Gap, known: list[Gap]) -> Iterator[Gap]:
        nodes = self.trees.memo["nodes"]
        for atom in sorted({key for monomial in gap for key, _ in monomial}):
            node = nodes[atom]
            if any((atom, Fraction(-1)) in monomial for monomial in gap) and self.bare.value(node).positive:
                yield _times(gap, monomials(self.trees, node), atom)
            for smaller, sign in self._ordered(node, known):
                swapped = self._swapped(gap, atom, smaller, sign)
                if swapped is not None:
                    yield swapped

    def _ordered(self, node: Node, known: list[Gap]) -> Iterator[tuple[Node, int]]:
        """(other, -1) for nodes that are at most this one, (other, 1) for those that are at least this one."""
        match node:
            case Call("min", arguments):
                yield from ((argument, 1) for argument in arguments)
            case Reduce("largest" | "smallest" as function, (variable,), (array,), body) if isinstance(array, Name):
                for name, over in self.members.items():
                    if over == array.name:
                        yield self.trees.put(body, {variable: self.trees.name(name)}), -1 if function == "largest" else 1
            case Name():
                nodes = self.trees.memo["nodes"]
                for gap in known:
                    keys = {key for monomial in gap for key, _ in monomial}
                    if gap.get(frozenset({(id(node), Fraction(1))})) == 1 and len(gap) == len(keys) == 2:
                        (other,) = keys - {id(node)}
                        if gap.get(frozenset({(other, Fraction(1))})) == -1 and isinstance(nodes[other], Name):
                            yield nodes[other], -1

    def _swapped(self, gap: Gap, atom: int, other: Node, sign: int) -> Gap | None:
        """The gap with an atom replaced by what makes it larger: it stands in terms of one sign only, with rests >= 0."""
        result: Gap = {}
        by = monomials(self.trees, other)
        for monomial, share in gap.items():
            if (atom, Fraction(1)) not in monomial:
                if any(key == atom for key, _ in monomial):
                    return None
                result = plus(result, {monomial: share})
                continue
            rest = monomial - {(atom, Fraction(1))}
            if share * sign < 0 or not self._of_monomial(rest).positive:
                return None
            result = plus(result, product(by, {rest: share}))
        return result

    def _of_monomial(self, monomial: Monomial) -> Range:
        result, nodes = ONE, self.trees.memo["nodes"]
        for key, exponent in monomial:
            value = self.bare.value(nodes[key])
            power = value.whole_power(abs(int(exponent))) if exponent.denominator == 1 else value.power(number(abs(exponent)))
            result = result * (power if exponent > 0 else ONE / power)
        return result

    def _of_gap(self, gap: Gap) -> Range:
        value = ZERO
        for monomial, share in gap.items():
            value = value + number(share) * self._of_monomial(monomial)
        return value

    def expanded(self, node: Node) -> Range:
        """The node's values, from its monomials."""
        return self._of_gap(monomials(self.trees, node))

    def cap(self, node: Node) -> Range:
        """What the gaps say about a node."""
        found = ALL
        if self.gaps and not isinstance(node, Number):
            for over, rest in self._plan(node):
                value = self._of_gap(rest)
                found = found.meet(Range(value.low, ALL.high) if over else Range(ALL.low, value.high))
        return found

    def _plan(self, node: Node) -> list[tuple[bool, Gap]]:
        """(whether the node is at least (or at most) the rest, rest) for the gaps that have a monomial in common with it."""
        memo, key = self.trees.memo["plans"], (id(node), id(self.gaps))
        if key not in memo:
            own, plans = monomials(self.trees, node), []
            for gap in self.gaps:
                for times in {own[m] / gap[m] for m in own.keys() & gap.keys() - {_ONE}}:
                    rest = plus(own, gap, -times)
                    if len(rest) <= max(len(own), len(gap)):
                        plans.append((times > 0, rest))
            # The gaps are kept with the plan so that their identity stays theirs.
            memo[key] = (self.gaps, plans)
        found: list[tuple[bool, Gap]] = memo[key][1]
        return found


def plus(first: Gap, second: Gap, times: Fraction = Fraction(1)) -> Gap:
    """first + times * second."""
    result = dict(first)
    for monomial, share in second.items():
        result[monomial] = result.get(monomial, Fraction(0)) + times * share
    return {monomial: share for monomial, share in result.items() if share}


def product(first: Gap, second: Gap) -> Gap:
    """The product, expanded."""
    result: Gap = {}
    for one, share in first.items():
        for other, times in second.items():
            powers = dict(one)
            for key, exponent in other:
                powers[key] = powers.get(key, Fraction(0)) + exponent
            result = plus(result, {frozenset(item for item in powers.items() if item[1]): share * times})
    return result


def _times(gap: Gap, node: Gap, atom: int) -> Gap:
    """The gap times a node that is an atom of it, with that atom's reciprocal cancelled."""
    result: Gap = {}
    for monomial, share in gap.items():
        inverse = (atom, Fraction(-1))
        result = plus(result, {monomial - {inverse}: share} if inverse in monomial else product({monomial: share}, node))
    return result


def monomials(trees: Trees, node: Node) -> Gap:
    """The node as a sum of monomials, expanded while it stays short."""
    memo = trees.memo["monomials"]
    if id(node) not in memo:
        found = _expanded(trees, node)
        memo[id(node)] = found if found is not None and len(found) <= _MOST_TERMS else _atom(trees, node)
    result: Gap = memo[id(node)]
    return result


def names_of(array: Node) -> set[str]:
    """The name of an array that is one."""
    return {array.name} if isinstance(array, Name) else set()


def _atom(trees: Trees, node: Node, exponent: Fraction = Fraction(1)) -> Gap:
    trees.memo["nodes"][id(node)] = node
    return {frozenset({(id(node), exponent)}): Fraction(1)}


def _expanded(trees: Trees, node: Node) -> Gap | None:
    match node:
        case Number(value) if value is not None:
            return {_ONE: value} if value else {}
        case Sum(left, right):
            return plus(monomials(trees, left), monomials(trees, right))
        case Product(left, right):
            return product(monomials(trees, left), monomials(trees, right))
        case Quotient(left, right):
            return product(monomials(trees, left), _powered(trees, right, Fraction(-1)))
        case Power(base, exponent) if (count := value_of(exponent)) is not None and count.denominator == 1:
            return _powered(trees, base, count)
    return None


def _powered(trees: Trees, base: Node, count: Fraction) -> Gap:
    own = monomials(trees, base)
    if len(own) == 1:
        ((monomial, share),) = own.items()
        return {frozenset((key, exponent * count) for key, exponent in monomial): share ** int(count)}
    return _atom(trees, base, count)
