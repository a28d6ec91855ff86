"""Rules of proof at the places where they could go wrong: poles, jumps, ends that move, whole numbers, assumptions."""

from __future__ import annotations

import math
from typing import Any

import pytest

from bounds.certificates.arb_intervals import ArbIntervals
from bounds.certificates.branch import Budget
from bounds.certificates.calculus import Calculus, Scope
from bounds.certificates.facts import spelt_out, with_caps
from bounds.certificates.graph import Graph
from bounds.certificates.prover import Prover
from bounds.certificates.sections import sections
from bounds.expression import parse
from bounds.symbols import rank_of

Ranges = dict[str, tuple[float, float]]


def _scope(graph: Graph, ranges: Ranges, mover: str) -> Scope:
    ends = {name: (ArbIntervals.number(low)[0], ArbIntervals.number(high)[1]) for name, (low, high) in ranges.items()}
    numbers = {name: interval for name, interval in ends.items() if not rank_of(name)}
    return Scope(graph, numbers, {name: interval for name, interval in ends.items() if rank_of(name)}, frozenset((mover,)))


def _tree(graph: Graph, text: str, ranges: Ranges) -> Any:
    return graph.separated(parse(text, dict.fromkeys(ranges)))


def _way(text: str, mover: str, facts: tuple[tuple[str, str], ...] = (), **ranges: tuple[float, float]) -> str:
    """Which directions are proved: "+", "-", "+-" (constant) or ""."""
    graph = Graph()
    node = _tree(graph, text, ranges)
    pairs = [(_tree(graph, left, ranges), _tree(graph, right, ranges)) for left, right in facts]
    scope = with_caps(_scope(graph, ranges, mover), spelt_out(graph, pairs, [node]), [node], ArbIntervals)
    prover = Prover(graph, Budget(math.inf, most=20_000))
    found = ((name, prover.search(node, sign, scope, (0, 150, 1_000))) for name, sign in (("+", 1), ("-", -1)))
    return "".join(name for name, proof in found if proof is not None)


@pytest.mark.parametrize(
    ("text", "ways"),
    [
        ("1/(2 - eta)", {(0.1, 1.9): "+", (0.1, 3.0): "", (2.5, 3.0): "+"}),
        ("(2 - eta)**(-1)", {(0.1, 1.9): "+", (0.1, 3.0): ""}),
        ("(2 - eta)**(-2)", {(0.1, 1.9): "+", (0.1, 3.0): ""}),
        ("when(eta - 1, eta + 1, eta)", {(0.1, 3.0): "+"}),
        ("when(eta - 1, eta, eta + 1)", {(0.1, 3.0): "", (0.1, 0.9): "+", (1.5, 2.0): "+"}),
        ("when(1 - eta, eta, eta + 1)", {(0.1, 3.0): "+"}),
        ("when(1 - eta, eta, inf)", {(0.1, 3.0): "+"}),
        ("when(eta, 1, 2)", {(0.0, 3.0): "-"}),
        ("ceil(eta) - eta", {(0.1, 3.0): ""}),
        ("min(eta, 2 - eta)", {(0.1, 3.0): "", (0.1, 0.9): "+", (1.1, 1.9): "-"}),
    ],
)
def test_poles_and_jumps(text: str, ways: dict[tuple[float, float], str]) -> None:
    for ends, way in ways.items():
        assert _way(text, "eta", eta=ends) == way, ends


def test_whole_numbers_and_powers_of_negative_ones() -> None:
    negative = (0.0, 0.3)
    assert _way("(gap - 1/2)**Q", "Q", gap=(0.0, 0.4), Q=(1, 5)) == ""
    assert _way("(gap - 3/2)**(2*Q)", "Q", gap=(0.0, 0.9), Q=(1, 5)) == ""
    assert _way("(3*gap - 2)**Q*(3*gap - 2)**Q", "Q", gap=negative, Q=(1, 5)) == ""
    # r < 0: the sum of powers goes up and down with the number of its terms.
    assert _way("geometric(gap - 1/2, T)", "T", gap=negative, T=(1, 5)) == ""
    assert _way("geometric(gap, T)", "gap", gap=(0.1, 0.9), T=(1, 5)) == "+"
    # (1 - sqrt(r))/(1 - r) = 1/(1 + sqrt(r)) falls with r.
    assert _way("geometric(gap, 1/2)", "gap", gap=(0.1, 0.9)) in ("", "-")


def test_the_moving_end_of_a_least_value() -> None:
    body = "(t0 - 2)**2 + n"
    assert _way(f"least(t0, 0, T, {body})", "T", n=(1, 2), T=(1, 6)) == "-"
    assert _way("least(t0, 0, T, 10 - t0 + 2*T)", "T", T=(1, 6)) == "+"
    assert _way("least(t0, 0, T, 10 - t0 + T/2)", "T", T=(1, 6)) == ""
    # In half steps of the range the last place is not its end: 0, 1, 1, 2, ... for T = 1, 2, 3, 4.
    assert _way("least(t0, 0, T/2, 100 - t0)", "T", T=(1, 6)) == ""


def test_entries_that_move_by_amounts_of_their_own() -> None:
    assert _way("total(p, rho, p/(1 + p))", "rho", rho=(0.1, 2.0)) == "+"
    assert _way("total(p, rho, p)/largest(p, rho, p)", "rho", rho=(0.1, 2.0)) == ""
    assert _way("total(p, rho, total(v, rho, p/v))", "rho", rho=(0.1, 2.0)) == ""
    assert _way("total(p, rho, p) - total(v, r, v)", "r", rho=(0.1, 2.0), r=(0.1, 2.0)) == "-"
    assert _way("total(p, rho, p)", "r", rho=(0.1, 2.0), r=(0.1, 2.0)) == "+-"


def test_assumptions_about_one_array_do_not_speak_about_another() -> None:
    facts = (("eta*largest(p, rho, p)", "1"),)
    ranges = {"eta": (0.1, 2.0), "rho": (0.1, 4.0), "r": (0.1, 4.0)}
    assert _way("total(p, rho, eta*p*(2 - eta*p))", "eta", facts, **ranges) == "+"
    assert _way("total(p, r, eta*p*(2 - eta*p)) + total(p, rho, eta*p)", "eta", facts, **ranges) == ""


def _sections(facts: tuple[tuple[str, str], ...], mover: str, **ranges: tuple[float, float]) -> Any:
    graph = Graph()
    pairs = [(_tree(graph, left, ranges), _tree(graph, right, ranges)) for left, right in facts]
    return sections(Prover(graph, Budget(math.inf, most=20_000)), pairs, _scope(graph, ranges, mover))


def test_assumptions_whose_values_form_two_intervals_do_not_pass() -> None:
    eta, beta = (0.1, 10.0), (0.5, 2.0)
    assert _sections((("beta", "(eta - 3)**2"),), "eta", eta=eta, beta=beta) is None
    assert _sections((("1", "max(2 - eta, eta - 4)"),), "eta", eta=eta) is None
    assert _sections((("(eta - 3)*(eta - 5)", "0"), ("0", "(eta - 4)**2 - beta/100")), "eta", eta=eta, beta=beta) is None
    (entry,) = _sections((("eta*beta", "1"),), "eta", eta=eta, beta=beta)
    assert (entry["of"], entry["way"]) == ("left", 1)


def test_a_ratio_of_what_may_be_negative_is_not_capped() -> None:
    graph, ranges = Graph(), {"eta": (0.1, 3.0), "beta": (1.0, 2.0)}
    node, left, right = (_tree(graph, text, ranges) for text in ("(eta - 1)/beta", "eta - 1", "beta"))
    scope = with_caps(_scope(graph, ranges, "eta"), [(left, right)], [node], ArbIntervals)
    low, high = Calculus(scope, ArbIntervals).state(node).value
    assert float(low.mid()) <= -0.9
    assert float(high.mid()) >= 1.0
    positive = with_caps(_scope(graph, {**ranges, "eta": (1.1, 3.0)}, "eta"), [(left, right)], [node], ArbIntervals)
    assert Calculus(positive, ArbIntervals).state(node).value[1] == 1
