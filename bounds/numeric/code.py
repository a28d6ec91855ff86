"""Straight-line code written while an expression is lowered: for one point with ``math``, or for a chunk of points with numpy.

The names in the code are numbered by us and its literals are printed by us: no text that a user typed reaches the compiler.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

#: Unit roundoff of float64, and what is allowed to an elementary function: 2 ulp, three times the worst that a test finds.
ROUND = 2.0**-53
FUNCTION = 4 * ROUND
#: The error function of scipy is off by up to 1.5 ulp.
ERF = 2 * FUNCTION
#: Largest relative error with which a fast value is accepted.
TOLERANCE = 4.8e-13
#: Decades by which an eigenvalue of 1 may be above 1 through rounding.
CLOSE = 1e-9
_NAME = re.compile(r"[a-z]\d+")
_OPERAND = r"([a-z]\d+|[-+.\de]+|\(-?[^()]*(?:\([^()]*\)[^()]*)*\))"
_OPERATION = re.compile(rf"{_OPERAND} ?([*/+-]) ?{_OPERAND}")
_UFUNCS = {"*": "multiply", "/": "divide", "+": "add", "-": "subtract"}
_ASSIGNMENT = re.compile(r"\s*([a-z]\d+) = ")


@dataclass(frozen=True, slots=True)
class Precision:
    """What the arithmetic promises, and how far it may be stretched.

    Attributes:
        round, function: relative error of an operation, and of an elementary function.
        loss: relative error that a difference may have before its point is handed on.
        amplification: an argument near a singularity may have its error grow by this factor.
        exponent: the largest logarithm of a power that is formed.
        decades: results outside 10^-decades..10^decades are handed on where nothing better is known beforehand.
        most_decades: what is known beforehand to stay within these needs no test.
    """

    round: float
    function: float
    loss: float
    amplification: float
    exponent: float
    decades: float
    most_decades: float


DOUBLE = Precision(ROUND, FUNCTION, 6e-14, 64.0, 80.0, 75.0, 290.0)
#: The 80-bit format of x86, eight guard digits for a few points; elsewhere it may be no more than a double.
EXTENDED = Precision(ROUND / 2**11, FUNCTION / 2**11, 6e-14, 2.0**16, 660.0, 290.0, 4700.0)


class UnsupportedError(Exception):
    """The expression has a part that the fast code does not know."""


@dataclass(frozen=True, slots=True)
class Value:
    """A number in the code: its name, a bound on its relative error, and what is known of it before it is computed.

    ``error`` is a constant or the name of a variable; ``sign`` is 1 for >= 0, -1 for <= 0, 0 for unknown; a value that is
    not 0 lies within 10^low and 10^high in size; ``zero`` says whether it may be 0, ``whole`` that it is an exact integer
    from ``least`` to ``most``. ``bad`` names the mask of the points where the error bound does not hold. ``slack`` is a factor and a constant
    whose product bounds the absolute error, where the relative one is large only for values that hardly matter.
    """

    ref: str
    error: float | str = 0.0
    sign: int = 1
    low: float = 0.0
    high: float = 0.0
    zero: bool = False
    whole: bool = False
    least: float = float("-inf")
    most: float = float("inf")
    bad: str | None = None
    slack: tuple[str, float] | None = None

    @property
    def exact(self) -> bool:
        """Whether the float is the value itself."""
        return self.error == 0.0


@dataclass(frozen=True, slots=True)
class Entries:
    """An array in the code: its name, its rank, and a value that stands for any of its entries."""

    ref: str
    rank: int
    entry: Value


class Code:
    """Lines of a function under construction; equal right-hand sides are written once."""

    def __init__(self, array: bool, precision: Precision = DOUBLE) -> None:
        self.array = array
        self.precision = precision
        self.lines: list[str] = []
        self.indent = "    "
        self.counter = 0
        self.seen: list[dict[str, str]] = [{}]
        self.constants: dict[str, Any] = {}
        #: Whether an infinity may be met on the way, from which a nan may come.
        self.singular = False
        #: What a text is the negative of.
        self.negated: dict[str, str] = {}

    def let(self, text: str, prefix: str = "v") -> str:
        """A variable that holds ``text``."""
        for known in self.seen:
            if text in known:
                return known[text]
        name = f"{prefix}{self.fresh()}"
        self.lines.append(f"{self.indent}{name} = {text}")
        self.seen[-1][text] = name
        return name

    def fresh(self) -> int:
        """A number not used before."""
        self.counter += 1
        return self.counter

    def do(self, text: str) -> None:
        """A statement."""
        self.lines.append(self.indent + text)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """An indented block; what it defines is not known outside."""
        self.do(head)
        self.indent += "    "
        self.seen.append({})
        yield
        self.seen.pop()
        self.indent = self.indent[:-4]

    def call(self, function: str, *arguments: str) -> str:
        """A function of ``math`` or numpy, which share these names."""
        return self.let(f"{function}({', '.join(arguments)})")

    def negation(self, ref: str) -> str:
        """-ref, written where it is used: most negations meet a difference or another negation."""
        if ref in self.negated:
            return self.negated[ref]
        self.negated[f"(-{ref})"] = ref
        return f"(-{ref})"

    def where(self, test: str, positive: str, other: str) -> str:
        """``positive`` where the test is true; for one point the other one is not computed."""
        return self.let(f"where({test}, {positive}, {other})" if self.array else f"({positive} if {test} else {other})")

    def extreme(self, function: str, first: str, second: str) -> str:
        """``minimum`` or ``maximum``."""
        if self.array:
            return f"{function}({first}, {second})"
        return f"({first} if {first} {'<' if function == 'minimum' else '>'} {second} else {second})"

    def worse(self, *errors: float | str) -> float | str:
        """The larger of several error bounds."""
        fixed = max((e for e in errors if not isinstance(e, str)), default=0.0)
        named = sorted({e for e in errors if isinstance(e, str)})
        if not named:
            return fixed
        return named[0] if len(named) == 1 and fixed == 0.0 else self.let(f"max({', '.join([repr(fixed), *named])})", "e")

    def error(self, constant: float, *terms: tuple[float | str, float | str]) -> float | str:
        """``constant`` plus the sum of factor * error over ``terms``."""
        named = []
        for factor, error in terms:
            if isinstance(factor, str) or isinstance(error, str):
                if error != 0.0 and factor != 0.0:
                    named.append(str(error) if factor == 1.0 else f"{factor}*{error}")
            else:
                constant += factor * error
        return self.let(" + ".join([repr(constant), *named]), "e") if named else constant

    def within(self, value: Value, most: float) -> tuple[str, Value]:
        """The size of a value (the largest over a chunk), and the value given up where its size is above ``most``."""
        ref, sign = value.ref, value.sign
        if not self.array:
            test = f"{ref} <= {most!r}" if sign > 0 else f"-{most!r} <= {ref}" if sign < 0 else f"-{most!r} <= {ref} <= {most!r}"
            size = ref if sign > 0 else f"(-{ref})" if sign < 0 else self.let(f"absolute({ref})", "s")
            return size, self.unless(value, test)
        found = self.let(f"{ {1: 'below', -1: 'above', 0: 'inside'}[sign] }({ref}, {most!r})", "f")
        return self.let(f"{found}[0]", "s"), replace(value, bad=self.bad(value.bad, self.let(f"{found}[1]", "b")))

    def beyond_one(self, ref: str, cap: float) -> str:
        """1 plus the largest positive value, at most ``cap``."""
        return self.let(f"1.0 + peak({ref}, {cap!r})" if self.array else f"(1.0 + {ref} if {ref} > 0.0 else 1.0)", "s")

    def bad(self, *masks: str | None) -> str | None:
        """The union of masks."""
        named = sorted({mask for mask in masks if mask is not None})
        return None if not named else named[0] if len(named) == 1 else self.let(f"either({', '.join(named)})", "b")

    def unless(self, value: Value, test: str) -> Value:
        """``value``, given up where ``test`` is not true."""
        if not self.array:
            self.do(f"if not ({test}): return None")
            return value
        return replace(value, bad=self.bad(value.bad, self.let(f"failing({test})", "b")))

    def numeric(self, value: Value) -> Value:
        """``value``, given up where it is no number: a comparison would take a side there."""
        return self.unless(value, f"{value.ref} == {value.ref}") if self.singular else value

    def ranged(self, value: Value, *zeros: str) -> Value:
        """``value``, given up where it is so large or so small that a float may overflow or lose digits.

        ``zeros`` are the factors that make it 0 by being 0.
        """
        most, decades = self.precision.most_decades, self.precision.decades
        if value.low >= -most and value.high <= most:
            return value
        size, low, high = f"absolute({value.ref})", repr(10**-decades), repr(10**decades)
        inside = [f"(({low} < {size}) & ({size} < {high}))", *(f"({zero} == 0.0)" for zero in dict.fromkeys(zeros))]
        return replace(self.unless(value, " | ".join(inside)), low=-decades, high=decades)

    def into(self, ref: str, out: str) -> None:
        """Write a value (a name, or one operation) into an array of the right shape; ``out`` then names what holds it."""
        if ref in self.negated:
            self.do(f"{out} = into(subtract, 0.0, {self.negated[ref]}, {out})")
            return
        line = next((line for line in self.lines if line.startswith(f"{self.indent}{ref} = ")), "")
        if line.partition(" = ")[2].startswith("product("):
            self.do(f"{out} = {line.partition(' = ')[2][:-1]}, {out})")
            return
        match = _OPERATION.fullmatch(line.partition(" = ")[2] or ref)
        self.do(f"{out} = into({_UFUNCS[match[2]]}, {match[1]}, {match[3]}, {out})" if match else f"{out} = {ref}")

    def function(self, name: str, arguments: list[str], runtime: Mapping[str, Any]) -> Callable[..., Any]:
        """Compile the lines into a function of ``arguments``."""
        source = f"def {name}({', '.join(arguments)}):\n" + "\n".join(_freed(_live(self.lines)) if self.array else _live(self.lines))
        scope: dict[str, Any] = {**runtime, **self.constants, "__builtins__": {}}
        exec(compile(source, f"<{name}>", "exec"), scope)
        made: Callable[..., Any] = scope[name]
        return made


def _live(lines: list[str]) -> list[str]:
    """The lines without assignments that nothing uses; what uses a name stands after its assignment."""
    used: set[str] = set()
    kept: list[str] = []
    for line in reversed(lines):
        name = _left(line)
        if name is None or name in used:
            kept.append(line)
            used.update(_NAME.findall(_right(line)))
    return kept[::-1]


def _freed(lines: list[str]) -> list[str]:
    """The lines with every intermediate array let go after its last use, so that the next one takes its place in the cache."""
    top = {_left(line) for line in lines if _left(line) and line.startswith("    ") and not line.startswith("     ")}
    last = {word: place for place, line in enumerate(lines) for word in set(_NAME.findall(_right(line))) if word in top}
    freed = [sorted(word for word, where in last.items() if where == place) for place in range(len(lines))]
    inner = [line.startswith("     ") or line.endswith(":") or "return" in line for line in lines]
    return [line if skip or not names else f"{line}; del {', '.join(names)}" for line, names, skip in zip(lines, freed, inner, strict=True)]


def _left(line: str) -> str | None:
    match = _ASSIGNMENT.match(line)
    return match[1] if match else None


def _right(line: str) -> str:
    match = _ASSIGNMENT.match(line)
    return line[match.end() :] if match else line
