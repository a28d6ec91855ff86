"""What the explorer page knows: parameters with ranges, every reading of every bound with its assumptions, and graphs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Any

from bounds.assumptions import Condition
from bounds.bound import Bound
from bounds.box import default_box
from bounds.errors import TopologyError
from bounds.expression import parse_comparison
from bounds.expression.tree import names
from bounds.formula import FLAGS
from bounds.symbols import Symbol, rank_of
from bounds.topology import topology
from bounds.vocabulary import Kind, Readout, UpdateForm
from figures.explorer.javascript import to_javascript
from figures.explorer.mathml import formula_mathml, symbol_mathml

#: How the formula of a bound stands to its quantity; = for all other kinds.
RELATIONS = {Kind.UPPER: "≤", Kind.STATED: "≲", Kind.LEADING: "≈"}
#: Where the sliders stand at first; others start in the middle of their range.
_STARTS: dict[str, Any] = {
    "m": 16, "n": 100, "N": 1600, "T": 1000, "eta": 0.01, "c": 0.5, "tau": 10, "t0": 10, "b": 1, "Q": 1, "w_min": 0.3, "mu": 0.1, "zeta2": 0.1,
    "sigma2": 1.0, "R_S": 0.1, "F": 0.1, "theta": 0.1, "convex": 1, "rho": [0.1, 1.0], "r": [0.1, 1.0], "curvatures": [1.0, 1.0],
}  # fmt: skip
_GRAPHS = ("ring", "torus", "hypercube", "exponential", "complete", "star")
_SIZES = (2, 4, 8, 9, 16, 25, 32, 36, 64, 100, 128, 256, 512, 1024)
_MOST_EIGENVALUES = 64


def explorer_model(chosen: Sequence[Bound]) -> dict[str, Any]:
    """Everything as plain data: ``bounds`` by id, ``parameters`` and ``graphs`` by name.

    A reading of a formula is keyed by the words that choose it, sorted and joined by spaces; it carries the expression and
    both sides of its assumptions in JavaScript, and its formula in MathML.
    """
    symbols = {one.name: one for bound in chosen for one in bound.symbols if rank_of(one.name) < 2}
    boxes = {name: span for bound in chosen for name, span in default_box(bound).items()}
    needs_spectrum = "spectrum" in symbols
    return {
        "bounds": {bound.id: _bound(bound) for bound in chosen},
        "parameters": {name: _parameter(one, *boxes[name]) for name, one in symbols.items()},
        "graphs": {name: _graphs(name, needs_spectrum) for name in _GRAPHS},
    }


def _parameter(one: Symbol, low: float, high: float) -> dict[str, Any]:
    domain = one.domain
    logarithmic = low > 0 and high / low > 20
    middle = math.sqrt(low * high) if logarithmic else (low + high) / 2
    start = _STARTS.get(one.name, 1.0 if low <= 1 <= high else middle)
    return {
        "math": f"<math>{symbol_mathml(one.latex)}</math>", "meaning": one.meaning, "unit": one.unit, "rank": rank_of(one.name),
        "low": low, "high": high, "integer": domain.integer, "log": logarithmic, "flag": one.name in FLAGS, "start": start,
    }  # fmt: skip


def _bound(bound: Bound) -> dict[str, Any]:
    formula = bound.formula
    optional = [name for name in formula.optional if rank_of(name) < 2]
    switches = {name for let in formula.lets for name in let.given} & set(optional)
    readings: dict[str, Any] = {}
    for form, readout in itertools.product(bound.update_forms, bound.readouts):
        for some in _subsets(sorted(switches)):
            given = formula.given(some, (form.value, readout.value))
            key = " ".join(sorted(given))
            if key not in readings:
                readings[key] = _reading(bound, given)
    return {
        "title": bound.title, "quantity": bound.quantity.label, "kind": bound.kind.label, "source": bound.source.paper,
        "required": list(formula.required), "optional": optional, "defaults": dict(formula.defaults),
        "forms": _values(bound.update_forms), "readouts": [readout.value for readout in bound.readouts],
        "switches": sorted(formula.given(formula.parameters, (*_values(bound.update_forms), *_values(bound.readouts)))), "readings": readings,
    }  # fmt: skip


def _values(words: Sequence[UpdateForm] | Sequence[Readout]) -> list[str]:
    return [word.value for word in words]


def _subsets(words: Sequence[str]) -> Iterable[tuple[str, ...]]:
    return itertools.chain.from_iterable(itertools.combinations(words, size) for size in range(len(words) + 1))


def _reading(bound: Bound, given: frozenset[str]) -> dict[str, Any]:
    value = bound.formula.trees(given)["value"]
    head = f"<mtext>{bound.quantity.label}</mtext>"
    return {
        "value": f"p=>{to_javascript(value)}",
        "needs": sorted(names(value)),
        "math": formula_mathml(bound.formula, given, head, RELATIONS.get(bound.kind, "=")),
        "conditions": [_condition(one, bound, given) for one in bound.conditions],
    }


def _condition(one: Condition, bound: Bound, given: frozenset[str]) -> dict[str, Any]:
    trees = bound.formula.trees(given)
    left, relation, right = parse_comparison(one.text, dict.fromkeys(bound.formula.parameters) | dict(trees))
    return {
        "text": one.text, "forms": list(one.forms), "given": list(one.given), "absent": list(one.absent), "relation": relation,
        "left": f"p=>{to_javascript(left)}", "right": f"p=>{to_javascript(right)}", "needs": sorted(names(left) | names(right)),
    }  # fmt: skip


def _graphs(name: str, spectra: bool) -> dict[str, Any]:
    """Gap by number of nodes, and the eigenvalues of the smaller ones, where the graph exists."""
    found: dict[str, Any] = {}
    for nodes in _SIZES:
        try:
            network = topology(name, nodes)
        except TopologyError:
            continue
        listed = [float(value) for value in network.spectrum] if spectra and nodes <= _MOST_EIGENVALUES else None
        found[str(nodes)] = {"gap": network.gap, "spectrum": listed}
    return found
