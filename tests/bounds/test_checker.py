"""The checker of certificates: what it accepts, what no rule may let through, and its enclosures against other evaluations."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mpmath
import pytest
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st

import bounds
from bounds.box import check_box
from bounds.checker import check
from bounds.checker.motion import State, state
from bounds.checker.ranges import Range, number
from bounds.checker.scope import Scope, UnconfirmedError
from bounds.checker.trees import Trees
from bounds.expression import parse
from bounds.formula import Let
from bounds.symbols import Domain, Symbol
from bounds.vocabulary import Direction
from gossip_bounds.main import run

NAMES = ("eta", "T", "m", "n", "beta", "mu")
INTERVAL, CONSTANT = {"rule": "interval"}, {"rule": "constant"}


def pieces(*parts: Any) -> dict[str, Any]:
    return {"rule": "pieces", "parts": list(parts)}


def define(expression: Any, required: tuple[str, ...] = NAMES, **more: Any) -> bounds.Bound:
    return bounds.define(id="one", expression=expression, required=list(required), update_forms=["atc"], **more)


def claimed(bound: bounds.Bound, parameter: str, direction: str, proof: Any, sections: Any = (), box: Any = None) -> dict[str, Any]:
    """A certificate written by hand: the same proof and sections for the one case."""
    label = {"update_form": "atc", "readout": "node_average", "given": list(bound.formula.parameters), "spectrum": None}
    subject = {"bound": bound.id, "parameter": parameter, "direction": direction, "status": "proved", "witness": None, "update_form": None}
    case = {**label, "sections": list(sections), "proofs": [proof] * (2 if direction == "constant" else 1)}
    return {"schema_version": 1, **subject, "box": check_box(bound, box), "engine": "", "boxes": 0, "seconds": 0.0, "proofs": [case]}


def section(of: str, way: int, proof: Any, assumption: int = 0) -> dict[str, Any]:
    return {"assumption": assumption, "of": of, "way": way, "proof": proof}


TRUE = [
    (define("2*eta*T/m"), "T", "increasing", INTERVAL, ()),
    (define("2*eta*T/m"), "m", "decreasing", pieces(INTERVAL), ()),
    (define("2*eta*T/m"), "n", "constant", CONSTANT, ()),
    (define("(eta-beta)**2", conditions=["eta <= beta"]), "eta", "decreasing", INTERVAL, [section("left", 1, INTERVAL)]),
    (define("1/(2-eta)", conditions=["eta < 2"]), "eta", "increasing", INTERVAL, [section("left", 1, INTERVAL)]),
    (define("growth(eta, m, m+T)"), "eta", "increasing", INTERVAL, ()),
    (define("geometric(eta, T)"), "eta", "increasing", INTERVAL, ()),
]


@pytest.mark.parametrize(("bound", "parameter", "direction", "proof", "sections"), TRUE)
def test_proofs_by_hand(bound: bounds.Bound, parameter: str, direction: str, proof: Any, sections: Any) -> None:
    document = claimed(bound, parameter, direction, proof, sections)
    assert check(document, bound).accepted, check(document, bound).reason
    if sections:
        assert "no section" in check(claimed(bound, parameter, direction, proof), bound).reason


ARRAYS = ("eta", "T", "rho", "r")
#: False directions, each with the proof that some rule without its conditions would give.
FALSE = [
    # A pole: the derivative is positive on both sides of it.
    (define("1/(2-eta)"), "eta", "increasing", pieces(pieces(INTERVAL)), ()),
    (define("(2-eta)**(-1)"), "eta", "increasing", INTERVAL, ()),
    (define("(2-eta)**(-1)"), "eta", "increasing", pieces(INTERVAL), ()),
    (define("-1/log(eta)"), "eta", "increasing", pieces(pieces(INTERVAL)), ()),
    # A pole in an assumption: the admissible values are two pieces.
    (define("eta*T", conditions=["1/(2-eta) <= 1"]), "eta", "increasing", INTERVAL, [section("left", 1, INTERVAL)]),
    # growth(q, s, S) falls where q < 0, and below 1 where S < s.
    (define("growth(eta-beta, 1, T)"), "T", "increasing", INTERVAL, ()),
    (define("growth(eta, n, T)"), "eta", "increasing", INTERVAL, ()),
    (define("growth(eta, n, T)"), "eta", "increasing", pieces(INTERVAL), ()),
    (define("beta*(growth(eta, n, T) - 1)"), "beta", "increasing", INTERVAL, ()),
    (define("least(t0, 0, n, t0*mu + beta*(growth(eta, t0, T) - 1))"), "beta", "increasing", INTERVAL, ()),
    # A sum of fewer than one term falls with its ratio.
    (define("geometric(eta, 1/2)"), "eta", "increasing", INTERVAL, ()),
    (define("geometric(eta, T/2)"), "eta", "increasing", pieces(INTERVAL), ()),
    # a - b <= c does not say that a - b >= 0, and two negative sides turn a ratio round.
    (define("(eta-beta)**2", conditions=["eta - beta <= mu"]), "eta", "increasing", INTERVAL, [section("left", 1, INTERVAL)]),
    (
        define("total(p, rho, (1-eta*p)**2)", ARRAYS, conditions=["-largest(p, rho, p) <= -1/eta"]),
        "eta",
        "decreasing",
        INTERVAL,
        [section("right", 1, INTERVAL)],
    ),
    # Two entries of one array move by amounts of their own.
    (define("total(p, rho, total(q, rho, p/q))", ARRAYS), "rho", "constant", INTERVAL, ()),
    # Eigenvalues may be negative.
    (define("total(l, spectrum, l**2)", ("spectrum",)), "spectrum", "increasing", INTERVAL, ()),
    # A root of a square is not the number.
    (define("((eta-beta)**2)**0.5*(T+m)"), "eta", "increasing", {"rule": "distributed", "parts": [INTERVAL, INTERVAL]}, ()),
    # 0^0 = 1.
    (define("1 - (1-1)**t0", ("t0",)), "t0", "constant", CONSTANT, ()),
]


@pytest.mark.parametrize(("bound", "parameter", "direction", "proof", "sections"), FALSE)
def test_what_is_false_is_never_confirmed(bound: bounds.Bound, parameter: str, direction: str, proof: Any, sections: Any) -> None:
    assert not check(claimed(bound, parameter, direction, proof, sections), bound).accepted


def test_false_directions_are_false() -> None:
    """The list above holds true directions nowhere: two admissible points say so."""
    pairs: list[tuple[int, Mapping[str, Any], str, float, float]] = [
        (0, {}, "eta", 1.0, 3.0),
        (3, {}, "eta", 0.5, 2.0),
        (5, {"beta": 1, "eta": 0.5}, "T", 1, 2),
        (6, {"n": 9, "T": 2}, "eta", 1.0, 2.0),
        (10, {}, "eta", 1.0, 2.0),
        (11, {"T": 1}, "eta", 1.0, 2.0),
        (12, {"beta": 2, "mu": 1}, "eta", 1.0, 2.0),
        (13, {"rho": [1.0], "r": [1.0], "T": 1}, "eta", 1.0, 2.0),
        (14, {"r": [1.0], "eta": 1.0, "T": 1}, "rho", [1.0, 1.0], [1.0, 2.0]),  # type: ignore[list-item]
        (15, {}, "spectrum", [1.0, -0.5], [1.0, 0.0]),  # type: ignore[list-item]
        (16, {"beta": 2}, "eta", 1.0, 2.0),
        (17, {}, "t0", 0, 1),
    ]
    for place, point, parameter, low, high in pairs:
        bound, _, direction, *_ = FALSE[place]
        rest = {name: 1 for name in bound.formula.parameters if name not in point and name != parameter}
        before, after = (bound.evaluate(**{**rest, **point, parameter: value}) for value in (low, high))
        for value in (low, high):
            assert bound.assess({**rest, **point, parameter: value}) == []
        assert before != after if direction == "constant" else (after < before) == (direction == "increasing") and before != after


def test_a_parameter_that_may_be_negative() -> None:
    bounds.register(Symbol("shift_tested", "s", "a shift", "-", Domain(-5.0, 5.0)))
    bound = define("shift_tested**2", ("shift_tested",))
    for low in (-5, 0):
        document = claimed(bound, "shift_tested", "increasing", INTERVAL, box={"shift_tested": (low, 5)})
        assert check(document, bound).accepted == (low == 0)


def test_flags_name_only_the_places_where_two_trees_differ() -> None:
    # With the flag (1 + eta)/(1 + eta)^3, without it (2 + eta)/(1 + eta)^3: it makes the value smaller.
    lets = [Let("x", "1", given=("convex",)), Let("x", "2"), Let("value", "(x+eta)/(1+eta)**3")]
    bound = define(lets, ("eta",), optional=["convex"])
    proof = {"rule": "flag", "way": 1, "parts": [INTERVAL]}
    assert check(claimed(bound, "convex", "decreasing", proof), bound).accepted
    assert not check(claimed(bound, "convex", "increasing", proof), bound).accepted
    assert not check(claimed(bound, "convex", "increasing", proof | {"way": -1}), bound).accepted


def test_a_split_between_whole_numbers_loses_a_step() -> None:
    bound = define("T + (-1/2)**T", ("T",))
    tree = {"split": "T", "at": 2, "low": "+", "high": "+"}
    proof = {"rule": "difference", "parts": [{"rule": "boxes", "names": {}, "tree": tree}]}
    assert check(claimed(bound, "T", "increasing", proof, box={"T": (1, 4)}), bound).accepted
    tree["at"] = 2.5
    assert "loses the step" in check(claimed(bound, "T", "increasing", proof, box={"T": (1, 4)}), bound).reason


# enclosures -------------------------------------------------------------------------------------

FORMS = [
    "x*y/(1+x)",
    "1 - (1-x/9)**T",
    "geometric(x/4, T)",
    "x*geometric(y/4, T) - geometric(x/4, T)",
    "growth(x, y, y+T) - 1",
    "growth(y, x, T+x)*x",
    "sqrt(x**2+y)*exp(-x)",
    "log(1+x*y)/x",
    "erf(x)/x",
    "min(x, y)**2 - max(x*y, 1)",
    "when(x - y, x*y, y**2)",
    "x**y/y**x",
    "least(t, 0, T, t*x + growth(y, t, T)/x)",
    "2/x - 3/(x+y)",
]


def value(text: str, x: Any, y: Any, count: int) -> Any:
    def growth(q: Any, s: Any, end: Any) -> Any:
        return mpmath.gammaprod([end + 1 + q, s + 1], [end + 1, s + 1 + q])

    def least(t: Any, low: int, high: int, body: Any) -> Any:
        return min(body(place) for place in range(low, high + 1))

    words = {name: getattr(mpmath, name) for name in ("sqrt", "exp", "log", "erf")} | {"min": min, "max": max, "growth": growth}
    words |= {"geometric": lambda r, k: mpmath.fsum(r**s for s in range(k)), "when": lambda c, a, b: a if c > 0 else b, "least": least}
    text = text.replace("least(t, 0, T, ", "least(0, 0, T, lambda t: ")
    return eval(text, words | {"x": x, "y": y, "T": count})


@settings(max_examples=120)
@given(
    st.sampled_from(FORMS),
    st.tuples(*[st.floats(0.05, 3.5)] * 4),
    st.tuples(st.floats(0, 1), st.floats(0, 1)),
    st.integers(1, 6),
    st.integers(0, 3),
)
def test_states_hold_value_rate_and_elasticity(text: str, ends: Any, shares: Any, count: int, more: int) -> None:
    low, high = [min(ends[:2]), min(ends[2:])], [max(ends[:2]), max(ends[2:])]
    x, y = (mpmath.mpf(a) + mpmath.mpf(b - a) * mpmath.mpf(share) for a, b, share in zip(low, high, shares, strict=True))
    trees = Trees()
    node = trees.taken(parse(text, dict.fromkeys(("x", "y", "T"))))
    ranges = {name: Range(number(a).low, number(b).high) for name, a, b in zip("xy", low, high, strict=True)}
    scope = Scope(trees, ranges | {"T": Range(arb(count), arb(count + more))}, {}, frozenset("x"))
    try:
        found: State = state(scope, node)
    except UnconfirmedError:
        return
    with mpmath.workdps(40):
        here, step = value(text, x, y, count), mpmath.mpf(10) ** -15
        slope = (value(text, x * (1 + step), y, count) - value(text, x * (1 - step), y, count)) / (2 * step)
    assert inside(here, found.value, 1e-12)
    if "min" in text or "when" in text or "least" in text:
        if abs(x - y) > 1e-9:
            assert inside(slope, found.rate, 1e-6)
        return
    assert inside(slope, found.rate, 1e-9)
    assert inside(slope / here, found.elasticity, 1e-9 * (1 + abs(1 / float(here)))) if here else True


def inside(number_: Any, found: Range, slack: float) -> bool:
    slack = slack * (1 + abs(float(number_)))
    return float(found.low) - slack <= float(number_) <= float(found.high) + slack


def test_steps_hold_differences_of_negative_powers() -> None:
    trees = Trees()
    names = dict.fromkeys(("T", "eta"))
    for text in ("(-3/4)**T", "geometric(-3/4, T)", "T**2/(1 + (-3/4)**T/4)"):
        node = trees.taken(parse(text, names))
        for low in range(1, 6):
            scope = Scope(trees, {"T": Range(arb(low), arb(low + 1))}, {}, frozenset(("T",)), steps=True)
            first, second = (value(text, 0, 0, low + more) for more in (0, 1))
            assert inside(second - first, state(scope, node).rate, 1e-12)


# the catalogue ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_all_but_one_proved_direction_of_the_catalogue_is_confirmed() -> None:
    accepted, not_confirmed = 0, []
    for bound in bounds.entries().values():
        for parameter in bound.formula.parameters:
            if bound.directions[parameter] is Direction.UNKNOWN:
                continue
            certificate = bounds.certify(bound, parameter, samples=1000 if bound.directions[parameter] is Direction.MIXED else 60)
            if certificate.status != "proved":
                continue
            found = check(json.loads(json.dumps(certificate.document(proofs=True))))
            accepted += found.accepted
            not_confirmed += [] if found.accepted else [(bound.id, parameter)]
    assert set(not_confirmed) <= {("consensus_distance_atc", "convex")}
    assert accepted >= 340


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "eta.json"
    assert run(["certify", "dsgd_convex", "eta", "--out", str(file)]) == 0
    capsys.readouterr()
    assert run(["check", str(file)]) == 0
    assert "CONFIRMED, dsgd_convex is " in capsys.readouterr().out
    file.write_text(file.read_text().replace('"increasing"', '"decreasing"'))
    assert run(["check", str(file), "--json"]) == 1
    (row,) = json.loads(capsys.readouterr().out)
    assert row["accepted"] is False
