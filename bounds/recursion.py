"""The one-step recursion that a closed form closes, unrolled in certified arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any, Literal

from bounds.expression import Name, Node, parse
from bounds.formula import Formula

if TYPE_CHECKING:
    from flint import arb

_BITS = 256


@dataclass(frozen=True, slots=True)
class Recursion:
    """``state <- step(state)`` from ``initial``, read out through ``result``.

    The texts may use the formula's parameters and definitions, the states, and ``t``, the number of the step being
    taken (1, 2, ..., T). ``relation`` says whether the closed form equals or dominates (is at least) the unrolled
    recursion; ``reason`` says why in one sentence. With ``least`` the texts may also use an integer of that name, and the
    result after T steps is the least one over its values 0, 1, ..., T.
    """

    initial: tuple[tuple[str, str], ...]
    step: tuple[tuple[str, str], ...]
    result: str
    relation: Literal["equals", "dominates"]
    reason: str
    least: str = ""

    def trees(self, formula: Formula, given: frozenset[str]) -> tuple[dict[str, Node], dict[str, Node], Node]:
        """The parsed initial states, steps and result.

        Raises:
            ExpressionError: for text outside the grammar or an unknown name.
        """
        known: dict[str, Node | None] = dict.fromkeys(formula.parameters) | dict(formula.trees(given))
        known |= {name: Name(name) for name in (*(state for state, _ in self.initial), "t", *filter(None, [self.least]))}
        initial = {name: parse(text, known) for name, text in self.initial}
        return initial, {name: parse(text, known) for name, text in self.step}, parse(self.result, known)

    def unroll(self, formula: Formula, values: Mapping[str, Any], steps: int, words: Iterable[str] = ()) -> list[arb]:
        """Results after 0, 1, ..., ``steps`` steps as balls (computed at 256 bits, inputs exact)."""
        from flint import arb

        from bounds.expression.balls import exact_values

        complete = dict(formula.defaults) | dict(values)
        exact = exact_values(complete)
        trees = self.trees(formula, formula.given(values, words))
        if not self.least:
            return _unrolled(trees, exact, steps)
        runs = [_unrolled(trees, exact | {self.least: arb(start)}, steps) for start in range(steps + 1)]
        return [reduce(arb.min, (run[t] for run in runs[: t + 1])) for t in range(steps + 1)]


def _unrolled(trees: tuple[dict[str, Node], dict[str, Node], Node], exact: dict[str, Any], steps: int) -> list[arb]:
    from flint import arb

    from bounds.expression.balls import ball_at

    initial, step, result = trees
    state = {name: ball_at(tree, exact, _BITS) for name, tree in initial.items()}
    results = [ball_at(result, exact | state, _BITS)]
    for t in range(1, steps + 1):
        here = exact | state | {"t": arb(t)}
        state = {name: ball_at(tree, here, _BITS) for name, tree in step.items()}
        results.append(ball_at(result, exact | state, _BITS))
    return results
