"""Small networks in rational arithmetic against the float recursions; the search finds what is known to exist and nothing that cannot."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from empirical.oracles import evolve, steady_state
from verify.claims.flatness import search
from verify.claims.flatness.networks import Family, Network, draws, floats
from verify.claims.flatness.rationals import after, expands, settled
from verify.claims.flatness.search import QUESTIONS, Question, Reading, again, examine
from verify.verdict import Verdict

FORMS = ("centralized", "atc", "cta", "consensus")


def dec(text: str) -> Fraction:
    return Fraction(text)


PAIR = Network(
    mixing=((dec("0.7"), dec("0.3")), (dec("0.3"), dec("0.7"))),
    hessians=(((dec("2"),),), ((dec("0.02"),),)),
    minimisers=((dec("0"),), (dec("0"),)),
    noise=(((dec("1"),),), ((dec("0"),),)),
    eta=dec("0.1"),
)


def test_the_known_counterexample_in_exact_numbers() -> None:
    found = {form: float(settled(PAIR, form).excess()) for form in FORMS}
    assert found == pytest.approx({"centralized": 0.006582, "atc": 0.006444, "consensus": 0.007123, "cta": 0.007650}, abs=5e-7)
    assert float(settled(PAIR, "atc").excess(averaged=True)) == pytest.approx(0.006214, abs=5e-7)
    assert examine(QUESTIONS["atc-below-centralized"], PAIR) is not None
    assert examine(QUESTIONS["consensus-below-centralized"], PAIR) is None


def test_rational_and_float_moments_agree() -> None:
    for network, _ in zip(draws(Family(pulls=True), np.random.default_rng(2)), range(4), strict=False):
        problem = network.problem()
        objective = problem.objective()
        for form in FORMS:
            if not search.contracts(network, form):
                continue
            state, exact = steady_state(network.method(form), problem), settled(network, form)
            assert float(exact.excess()) == pytest.approx(state.excess_risk(objective, "node_average"), rel=1e-10)
            assert float(exact.excess(averaged=True)) == pytest.approx(state.excess_risk(objective, "network_mean"), rel=1e-10)
            assert [float(exact.excess(k)) for k in range(len(state.models.mean))] == pytest.approx(
                list(state.models.excesses(objective)), rel=1e-9
            )
            late = next(evolve(network.method(form), problem, [3], start=objective.minimiser()))
            assert float(after(network, form, 3).excess()) == pytest.approx(late.excess_risk(objective, "node_average"), rel=1e-10)


def test_drawn_networks_are_what_their_family_says() -> None:
    for network, _ in zip(draws(Family("common", "none", True, lazy=True), np.random.default_rng(3)), range(20), strict=False):
        W = floats(network.mixing)
        assert np.array_equal(W, W.T)
        assert all(sum(row) == 1 for row in network.mixing)
        assert W.diagonal().min() >= 0.5
        assert len(set(network.hessians)) == 1
        assert np.linalg.eigvalsh(floats(network.hessians)).min() >= -1e-12
        assert not floats(network.noise).any()


@pytest.mark.parametrize("name", sorted(set(QUESTIONS) - {"noise-order", "cta-below-centralized", "consensus-below-centralized"}))
def test_every_known_exception_is_found_and_holds_in_float_arithmetic_too(name: str) -> None:
    witness = search.search(QUESTIONS[name], 1, 1500).witness
    assert witness is not None
    assert witness.left < witness.right
    assert again(witness) == pytest.approx((float(witness.left), float(witness.right)), rel=1e-8)


def test_what_cannot_be_is_not_found() -> None:
    impossible = Question(Family("common", "common", pulls=True), Reading("consensus"), Reading("atc"))
    assert search.search(impossible, 0, 60).witness is None
    finding = search.found("consensus-below-centralized", 0, 20, Verdict.VIOLATED)
    assert finding.verdict is Verdict.UNDECIDED


def test_a_finding_carries_every_number_of_its_witness() -> None:
    finding = search.found("node-order", 0, 200, Verdict.VIOLATED)
    assert finding.verdict is Verdict.VIOLATED
    names = [row[0] for row in finding.tables[0].rows]
    assert names[:3] == ["eta", "b", "Q"]
    assert sum(str(name).startswith("W, row") for name in names) == sum(str(name).startswith("minimiser") for name in names)
    assert finding.numbers.measured < finding.numbers.bound


def test_expansion_is_decided_by_the_edge_of_stability() -> None:
    ring = ((dec("0.5"), dec("0.5")), (dec("0.5"), dec("0.5")))
    one = ((dec("1"),),)

    def stepped(eta: str) -> Network:
        return Network(ring, (one, one), ((dec("0"),), (dec("0"),)), (one, one), dec(eta))

    assert not expands(stepped("0.99"), "consensus")
    assert expands(stepped("1.01"), "consensus")
    assert search.radius(stepped("1.01"), "consensus") == pytest.approx(1.01)
