"""Planted errors are what their names say, and each kind of test alone catches an error that only it can see."""

from __future__ import annotations

from fractions import Fraction

import pytest

import bounds
from bounds.bound import Bound
from bounds.expression.tree import Name, Number, Power
from verify.audit import mutants
from verify.audit.contracts import CONTRACTS, broken, has_equality_test, moves, places, unit_powers
from verify.audit.mutants import judged, mutants_of, witnesses
from verify.audit.rules import Change, Planted, planted, rewritten
from verify.verdict import Verdict

POINT = {"L": 2.0, "eta": 0.5, "T": 10, "m": 4, "n": 8}


def _value(bound: Bound, **changed: float) -> float:
    return float(bound.evaluate(**{**POINT, **changed}))


def _planted(bound_id: str) -> dict[str, Bound]:
    return {f"{one.rule} {one.word}": one.bound for one in planted(bounds.get(bound_id))}


def test_rules_do_what_they_are_called() -> None:
    original, made = bounds.get("dsgd_convex"), _planted("dsgd_convex")
    right = _value(original)
    assert _value(made["times 1/2"]) == pytest.approx(right / 2)
    assert _value(made["times 2"]) == pytest.approx(2 * right)
    assert _value(made["without L"]) == pytest.approx(right / 4)
    assert _value(made["without m"]) == pytest.approx(right * 4)
    assert _value(made["power 1/2 of T"]) == pytest.approx(right / 10**0.5)
    assert _value(made["power 3/2 of n"]) == pytest.approx(right / 8**0.5)
    assert _value(made["exponent higher in L^{2}"]) == pytest.approx(right * 2**0.5)
    assert {name.partition(" ")[2] for name in made if name.startswith("without")} == {"L", "eta", "T", "m", "n"}


def test_definitions_are_rewritten_too() -> None:
    setting = {"eta": 0.1, "sigma2": 1.0, "zeta2": 0.5, "m": 4, "Q": 2, "beta": 1.0}
    swapped = _planted("consensus_distance_atc")["gap for lambda in gap"]
    assert swapped.evaluate(gap=0.3, **setting) == pytest.approx(bounds.get("consensus_distance_atc").evaluate(gap=0.7, **setting))
    (condition,) = (one for one in swapped.conditions if one.text == "r < 1")
    facts = setting | {"gap": 0.99}
    # r is (1 - gap)^2 (1 + eta beta): far below 1, and above it with the gap in the place of lambda.
    assert condition.check(bounds.get("consensus_distance_atc").formula, facts).holds
    assert condition.check(swapped.formula, facts).holds is False


def test_entries_of_arrays_are_rewritten() -> None:
    basin = {"eta": 0.1, "b": 2, "rho": [1.0, 0.5], "r": [1.0, 2.0], "spectrum": [1, 2 / 3, 2 / 3, 1 / 3]}
    original, made = bounds.get("excess_risk_centralized"), _planted("excess_risk_centralized")
    assert made["without r"].evaluate(**basin) == pytest.approx(original.evaluate(**{**basin, "r": [1.0, 1.0]}))
    rooted = original.evaluate(**{**basin, "rho": [1.0, 0.5**0.5]})
    assert made["power 1/2 of rho"].evaluate(**basin) == pytest.approx(rooted)


def test_there_are_enough_errors_of_every_rule() -> None:
    made = [one for bound in bounds.entries().values() for one in planted(bound)]
    assert len(made) >= 200
    rules = {(one.bound.id, one.rule.split(" ")[0]) for one in made}
    assert all((bound_id, rule) in rules for bound_id in bounds.entries() for rule in ("times", "without", "power"))


@pytest.mark.parametrize(
    ("unit", "powers"), [("-", (0, 0)), ("w", (1, 0)), ("w^2/loss", (2, -1)), ("(loss/w)^2", (-2, 2)), ("loss/w^4", (-4, 1))]
)
def test_units_are_read(unit: str, powers: tuple[int, int]) -> None:
    assert unit_powers(unit) == powers


@pytest.mark.parametrize("bound", bounds.entries().values(), ids=lambda bound: bound.id)
def test_the_catalogue_keeps_every_contract(bound: Bound) -> None:
    assert places(bound.id)
    assert [contract(bound, bound) for contract in CONTRACTS] == ["", "", "", ""]
    assert set(moves(bound, bound)) == {0}


def test_each_contract_catches_what_it_is_for() -> None:
    def found(bound_id: str, change: Change) -> str:
        return broken(rewritten(bounds.get(bound_id), change), bounds.get(bound_id))

    assert found("sam_residual", Change(parameter="M4", into=Power(Name("itself"), Number(Fraction(3, 2))))) == "its units"
    assert "recursion" in found("hardt2016_convex", Change(Fraction(1, 2)))
    assert "reduction" in found("l2_stability_atc", Change(Fraction(1, 2)))
    assert "value" in found("dsgd_convex", Change(Fraction(-1)))
    assert found("sam_residual", Change(Fraction(2))) == ""


def test_only_bounds_compared_for_equality_count_loose_errors() -> None:
    assert has_equality_test(bounds.get("dsgd_convex"))
    assert not has_equality_test(bounds.get("hardt2016_nonconvex_relaxed"))
    (loose,) = (one for one in mutants_of("hardt2016_nonconvex_relaxed") if one.rule == "times" and one.kind == "loosening")
    assert not loose.counts


def test_a_change_without_effect_is_no_error() -> None:
    original = bounds.get("sam_residual")
    assert judged(Planted(rewritten(original, Change()), "nothing", ""), original) is None


def test_every_kind_of_test_catches_something_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    original = bounds.get("l2_stability_atc_gap")
    made = {one.rule + one.word: one for one in planted(original)}
    monkeypatch.setattr(mutants, "broken", lambda bound, original: "")
    monkeypatch.setattr(mutants, "witnesses", lambda bound_id: ())
    swapped, halved = (judged(made[name], original) for name in ("gap for lambda ingap", "times1/2"))
    assert swapped is not None
    assert halved is not None
    assert (swapped.caught_by, swapped.how) == ("proof", "its direction in gap is refuted")
    assert halved.caught_by == "missed"
    monkeypatch.undo()
    assert judged(made["times1/2"], original).caught_by == "verdict"  # type: ignore[union-attr]
    assert judged(made["times2"], original).caught_by == "contract"  # type: ignore[union-attr]


@pytest.mark.parametrize("bound_id", ["l1_stability_convex", "worst", "step_limit_consensus", "lei2020_on_average", "mgs_gossip_needed"])
def test_right_bounds_pass_their_own_witnesses(bound_id: str) -> None:
    bound = bounds.get("dsgd_worst_node_convex" if bound_id == "worst" else bound_id)
    for one in witnesses(bound.id):
        assert one.verdict(bound) is Verdict.HOLDS
        assert not one.loose(bound)
        assert one.verdict(rewritten(bound, Change(Fraction(1, 16)))) is Verdict.VIOLATED


@pytest.mark.slow
def test_every_right_bound_passes_every_witness() -> None:
    for bound in bounds.entries().values():
        for one in witnesses(bound.id):
            assert one.verdict(bound) is Verdict.HOLDS
            assert not one.loose(bound)
            assert one.relation == "dominates" or one.tightness(bound) == pytest.approx(1, rel=max(one.tolerance, 1e-6))
