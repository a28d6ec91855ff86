"""Faces and centred forms: boxes that they save, what mpmath computes at random points, and leaves that the checker must not believe."""

from __future__ import annotations

import json
import math
from typing import Any

import mpmath
import pytest
from flint import ctx

import bounds
from bounds.certificates import boxes as rule
from bounds.certificates.arb_intervals import ArbIntervals
from bounds.certificates.branch import Budget
from bounds.certificates.calculus import Scope
from bounds.certificates.graph import Graph
from bounds.certificates.prover import Prover
from bounds.certificates.sharper import least_known, smooth
from bounds.checker import check
from bounds.checker.faces import check_faces
from bounds.checker.ranges import Range, number
from bounds.checker.scope import Scope as CheckedScope
from bounds.checker.scope import UnconfirmedError
from bounds.checker.trees import Trees
from bounds.expression import parse

Box = dict[str, tuple[float, float]]
CUBIC, FACES = "eta**3 - 3*eta**2 + 3.1*eta", "eta*beta**2 - beta*log(1+eta)"
_REAL = ("beta", "eta", "gap")


def _scope(graph: Graph, box: Box, mover: str) -> Scope:
    ends = {name: (ArbIntervals.number(low)[0], ArbIntervals.number(high)[1]) for name, (low, high) in box.items()}
    return Scope(graph, ends, {}, frozenset((mover,)))


def _halvings(text: str, box: Box, sign: int = 1) -> tuple[Any, int]:
    """The proof by halvings alone that the text rises (or falls) with eta, and the number of boxes looked at."""
    graph = Graph()
    node = graph.added(parse(text, dict.fromkeys(box)))
    saved, ctx.prec = ctx.prec, 80
    try:
        prover = Prover(graph, Budget(math.inf, each=50_000))
        return rule.boxes(prover, node, sign, _scope(graph, box, "eta"), 0), prover.budget.boxes
    finally:
        ctx.prec = saved


def test_a_cubic_without_a_root_needs_fewer_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    # 3 (eta - 1)^2 + 1/10: near 1 an interval sees it only in boxes a few thousandths wide, a centred form in some ten times wider.
    proof, sharp = _halvings(CUBIC, {"eta": (0.1, 10)})
    assert json.dumps(proof).count('"c"') >= 10
    monkeypatch.setattr(rule, "_smooth_goal", lambda *_: None)
    plain_proof, plain = _halvings(CUBIC, {"eta": (0.1, 10)})
    assert '"c"' not in json.dumps(plain_proof)
    assert sharp < 0.4 * plain


def test_a_rate_that_is_least_on_a_face_needs_no_halving(monkeypatch: pytest.MonkeyPatch) -> None:
    # The rate eta beta^2 - beta eta/(1+eta) rises with both; its two summands overlap over the box.
    box = {"eta": (0.8, 1.0), "beta": (1.0, 2.0)}
    proof, count = _halvings(FACES, box)
    assert (proof["tree"], count) == ("c", 1)
    monkeypatch.setattr(rule, "_smooth_goal", lambda *_: None)
    assert _halvings(FACES, box)[1] > 5


@pytest.mark.parametrize("text", ["eta**3 - 3*eta**2 + 2.99*eta", "eta*beta**2 - 1.9*beta*log(1+eta)"])
def test_a_rate_just_below_zero_is_not_proved(text: str) -> None:
    box = {"eta": (0.1, 10), "beta": (0.8, 2.0)} if "beta" in text else {"eta": (0.1, 10)}
    assert _halvings(text, box)[0] is None


def _ranges(draw: Any) -> Box:
    lows = {name: 10 ** draw.draws.uniform(-1, 1) for name in _REAL}
    return {name: (low, low * (1 + 10 ** draw.draws.uniform(-3, 0))) for name, low in lows.items()}


def _points(draw: Any, box: Box, count: int = 5) -> list[dict[str, Any]]:
    def point() -> dict[str, Any]:
        # The other names may stand in a tree where they cancel.
        inside = {name: draw.draws.choice((low, high, draw.draws.uniform(low, high))) for name, (low, high) in box.items()}
        return {**draw.point(draw.box()), **inside}

    return [point() for _ in range(count)]


def _end(end: Any) -> Any:
    mantissa, exponent = end.mid().man_exp()
    return mpmath.ldexp(mpmath.mpf(int(mantissa)), int(exponent))


def _least_holds(seed: int, drawer: Any, reference: Any, undefined: Any) -> bool:
    """Whether a finite lower end was found for a random tree and box; it must lie below every point's value."""
    draw, graph = drawer(seed), Graph()
    tree, box = draw.tree(draw.draws.choice((2, 3))), _ranges(draw)
    node, sign = graph.separated(tree), draw.draws.choice((1, -1))
    scope = _scope(graph, box, "eta")
    if not smooth(node, scope):
        return False
    least = least_known(node, sign, scope, dict(scope.ranges), ArbIntervals)
    if isinstance(least, float):
        return False
    for point in _points(draw, box):
        run = reference(point, {})
        try:
            value = sign * run.at(tree)[0]
        except (undefined, ZeroDivisionError, OverflowError):
            continue
        assert _end(least) <= value + mpmath.mpf(10) ** -30 * run.largest, (seed, sign, tree, box, point, least, value)
    return True


def test_no_point_lies_below_the_least_value_known(drawer: Any, reference: Any, undefined: Any) -> None:
    with mpmath.workdps(60):
        assert sum(_least_holds(seed, drawer, reference, undefined) for seed in range(1_500)) > 200


def _checked(text_or_tree: Any, box: Box, sign: int) -> bool:
    trees = Trees()
    node = parse(text_or_tree, dict.fromkeys(box)) if isinstance(text_or_tree, str) else text_or_tree
    ends = {name: Range(number(low).low, number(high).high) for name, (low, high) in box.items()}
    try:
        check_faces(trees.taken(node), sign, CheckedScope(trees, ends, {}, frozenset(("eta",))))
    except UnconfirmedError:
        return False
    return True


def _checked_holds(seed: int, drawer: Any, reference: Any, undefined: Any) -> bool:
    """Whether the checker confirms a sign of a random tree's rate; the rate must have it at every point."""
    draw = drawer(seed)
    tree, box = draw.tree(draw.draws.choice((2, 3))), _ranges(draw)
    if not set(_names(tree)) <= set(_REAL):
        return False
    signs = [sign for sign in (1, -1) if _checked(tree, box, sign)]
    for point in _points(draw, box) if signs else []:
        run = reference(point, {"eta": point["eta"]})
        try:
            rate = run.at(tree)[1]
        except (undefined, ZeroDivisionError, OverflowError):
            continue
        assert all(sign * rate >= -(mpmath.mpf(10) ** -30) * run.largest for sign in signs), (seed, signs, tree, box, point, rate)
    return bool(signs) and "eta" in _names(tree)


def _names(tree: Any) -> set[str]:
    graph = Graph()
    return set(graph.names(graph.added(tree)))


def test_what_the_checker_confirms_by_faces_holds_at_every_point(drawer: Any, reference: Any, undefined: Any) -> None:
    with mpmath.workdps(60):
        assert sum(_checked_holds(seed, drawer, reference, undefined) for seed in range(2_000)) > 50


def test_the_checker_looks_at_faces_and_centre_itself() -> None:
    assert _checked(CUBIC, {"eta": (0.98, 1.02)}, 1)
    assert _checked(FACES, {"eta": (0.8, 1.0), "beta": (1.0, 2.0)}, 1)
    for sign, text, box in (
        (-1, CUBIC, {"eta": (0.98, 1.02)}),
        (1, "eta**3 - 3*eta**2 + 2.99*eta", {"eta": (0.98, 1.02)}),
        # Least on the other face.
        (1, "eta*(beta - 1.5)", {"eta": (0.5, 1.0), "beta": (1.0, 2.0)}),
        # A pole between the faces, a logarithm of what may be negative, and a jump.
        (1, "-1/(eta-2)**2", {"eta": (1.0, 3.0)}),
        (1, "eta*(log(beta - 1) + 9)", {"eta": (0.1, 1.0), "beta": (0.5, 2.0)}),
        (1, "ceil(eta)*0 - eta", {"eta": (0.1, 1.0)}),
    ):
        assert not _checked(text, box, sign), (sign, text)


@pytest.mark.parametrize(
    "text", ["-1/(eta-2)**2", "eta*(log(beta-1)+9)", "sqrt(eta-2)", "(eta-2)**(1/2)", "(eta-2)**(-2)", "growth(eta, beta, 4)"]
)
def test_the_checker_wants_trees_that_are_smooth_all_over_the_box(text: str) -> None:
    trees, box = Trees(), {"eta": (1.0, 3.0), "beta": (0.5, 2.0)}
    ends = {name: Range(number(low).low, number(high).high) for name, (low, high) in box.items()}
    with pytest.raises(UnconfirmedError, match="not smooth"):
        check_faces(trees.taken(parse(text, dict.fromkeys(box))), 1, CheckedScope(trees, ends, {}, frozenset(("eta",))))


def _certificate() -> tuple[bounds.Bound, dict[str, Any]]:
    bound = bounds.define(id="one", expression=CUBIC, required=["eta"], update_forms=["atc"])
    found = bounds.certify(bound, "eta", "increasing", {"eta": (0.1, 10)})
    assert found.status == "proved"
    return bound, json.loads(json.dumps(found.document(proofs=True)))


def test_a_leaf_by_faces_is_checked_where_it_stands() -> None:
    bound, document = _certificate()
    assert '"c"' in json.dumps(document["proofs"])
    assert check(document, bound).accepted
    (proof,) = document["proofs"][0]["proofs"]
    while proof["rule"] != "boxes":
        (proof,) = proof["parts"]
    for tree in ("c", {"split": "eta", "at": 3, "low": "c", "high": "c"}):
        proof["tree"] = tree
        finding = check(document, bound)
        assert not finding.accepted
        assert "faces" in finding.reason
