"""Random expressions with random proofs: whatever the checker accepts is true at every admissible pair of points drawn."""

import math
import random
from collections.abc import Iterator
from typing import Any

import pytest

import bounds
from bounds.checker import check
from bounds.errors import GossipBoundsError
from bounds.expression import names
from bounds.expression.balls import ball_at, exact_values

PARAMETERS = ("eta", "T", "beta", "mu", "n")
BOX = {name: (1, 40) if name in ("T", "n") else (0.01, 10.0) for name in PARAMETERS}
CONDITIONS = ["eta <= beta", "eta*beta <= 1", "eta <= 2/(beta+mu)", "mu <= beta", "n <= T", "eta < 1", "1 <= T*eta", "eta - beta <= mu"]
FORMS = [
    "({}+{})", "({}-{})", "({}*{})", "({}/{})", "({})**2", "({})**3", "({})**(-1)", "({})**(1/2)", "({})**T", "({})**eta", "exp(-{})",
    "sqrt({})", "log({})", "ceil({})", "geometric({},T)", "geometric({},T-1)", "geometric({},T/2)", "growth({},n,T)", "growth({},1,n+T)",
    "growth({},eta,T+eta)", "min({},{})", "max({},{})", "when({},{},{})", "(1-{})", "(1-(1-{})**T)",
    "least(t0,0,T,t0*exp(-{})+exp({})*(growth({},t0,n)-1))",
]  # fmt: skip
INTERVAL: dict[str, Any] = {"rule": "interval"}
PROOFS = [INTERVAL, *({"rule": rule, "parts": [INTERVAL] * k} for rule in ("pieces", "distributed") for k in (1, 2))]
PROOFS += [{"rule": rule, "parts": [INTERVAL]} for rule in ("difference", "peeled")]


def expression(draws: random.Random, depth: int) -> str:
    if depth == 0 or draws.random() < 0.05:
        return draws.choice([*PARAMETERS, "1", "2", "1/2"])
    form = draws.choice(FORMS)
    return form.format(*(expression(draws, depth - 1) for _ in range(form.count("{}"))))


def sections(bound: bounds.Bound, parameter: str) -> Iterator[dict[str, Any]]:
    for place, condition in enumerate(bound.conditions):
        left, _, right = condition.sides(bound.formula, bound.given(PARAMETERS))
        found = [name for name, side in (("left", left), ("right", right)) if parameter in names(side)]
        if found:
            way = -1 if found == ["right"] and "/" in condition.text else 1
            yield {"assumption": place, "of": found[0] if len(found) == 1 else "ratio", "way": way, "proof": INTERVAL}


def documents(bound: bounds.Bound, parameter: str) -> Iterator[dict[str, Any]]:
    label = {"update_form": "atc", "readout": "node_average", "given": list(PARAMETERS), "spectrum": None}
    subject = {"bound": "one", "parameter": parameter, "status": "proved", "witness": None, "update_form": None, "box": BOX}
    for direction in ("increasing", "decreasing"):
        for proof in PROOFS:
            case = {**label, "sections": list(sections(bound, parameter)), "proofs": [proof]}
            yield {"schema_version": 1, **subject, "direction": direction, "engine": "", "boxes": 0, "seconds": 0, "proofs": [case]}


def point(draws: random.Random) -> dict[str, Any]:
    ends = {name: tuple(map(math.log, BOX[name])) for name in PARAMETERS}
    return {name: draws.randint(1, 40) if name in ("T", "n") else math.exp(draws.uniform(*ends[name])) for name in PARAMETERS}


@pytest.mark.parametrize(("seed", "count", "least"), [(1, 100, 15), pytest.param(2, 2500, 500, marks=pytest.mark.slow)])
def test_what_is_accepted_is_true(seed: int, count: int, least: int) -> None:
    draws, accepted, pairs = random.Random(seed), 0, 0
    for _ in range(count):
        text, conditions = expression(draws, draws.choice([2, 2, 3])), draws.sample(CONDITIONS, draws.choice([0, 0, 1, 2]))
        parameter = draws.choice(["eta", "T", "beta"])
        try:
            bound = bounds.define(id="one", expression=text, required=PARAMETERS, update_forms=["atc"], conditions=conditions)
        except GossipBoundsError:
            continue
        tree = bound.expression(PARAMETERS)
        for document in documents(bound, parameter) if parameter in names(tree) else ():
            if not check(document, bound).accepted:
                continue
            accepted += 1
            for _ in range(20):
                one = point(draws)
                both = sorted((one[parameter], point(draws)[parameter]))
                low, high = ({**one, parameter: value} for value in both)
                if both[0] < both[1] and not bound.assess(low) and not bound.assess(high):
                    pairs += 1
                    first, second = (ball_at(tree, exact_values(place), 300) for place in (low, high))
                    wrong = first > second if document["direction"] == "increasing" else first < second
                    assert not wrong, (text, conditions, parameter, document["direction"], low, high)
    assert accepted > least
    assert pairs > 5 * least
