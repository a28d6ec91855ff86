"""Certificates: true directions are proved, planted mistakes are refuted with a witness, and never the other way round."""

import dataclasses

import pytest

import bounds
from bounds.box import check_box, readings
from bounds.errors import DomainError, UnknownNameError, UnknownParameterError
from bounds.sampling import Sampler
from bounds.symbols import entries_of
from bounds.vocabulary import Direction

CONVEX = bounds.get("dsgd_convex")
OPPOSITE = {"increasing": "decreasing", "decreasing": "increasing", "constant": None}


def one(expression: str, **more: object) -> bounds.Bound:
    return bounds.define(id="one", expression=expression, required=["eta", "T", "m", "n", "beta"], **more)


def assert_holds(bound: bounds.Bound, parameter: str, certificate: bounds.Certificate, form: str | None = None) -> None:
    """The witness can be re-evaluated, is admissible, lies in the box and differs in the parameter alone."""
    witness = certificate.witness
    assert certificate.status == "refuted"
    assert witness is not None
    balls = [bound.enclosure(point) for point in (witness.first, witness.second)]
    assert balls[0] < balls[1] or balls[0] > balls[1]
    for point, value in ((witness.first, witness.first_value), (witness.second, witness.second_value)):
        assert bound.assess(point, form) == []
        assert bound.evaluate(update_form=form, **point) == value
        for name, given in point.items():
            low, high = certificate.box[name]
            # A spectrum is one of four, whatever the range of its entries; gradients at a minimum sum to 0.
            assert name == "spectrum" or all(low <= entry <= high for entry in entries_of(given) if entry or name != "heterogeneity")
            assert isinstance(given, int) or not bounds.symbol(name).domain.integer
    assert {name for name in witness.first if witness.first[name] != witness.second[name]} == {parameter}
    assert witness.first[parameter] < witness.second[parameter]


QUICK = ("dsgd_convex", "dsgd_worst_node_convex", "consensus_distance_atc")
CASES = [
    pytest.param(b.id, p, marks=() if b.id in QUICK else pytest.mark.slow)
    for b in bounds.entries().values()
    for p in b.formula.parameters
    if b.directions[p] is not Direction.UNKNOWN
]


@pytest.mark.parametrize(("bound_id", "parameter"), CASES)
def test_declared_directions_stand_and_the_opposite_is_refuted(bound_id: str, parameter: str) -> None:
    bound = bounds.get(bound_id)
    declared = bound.directions[parameter].value
    certificate = bounds.certify(bound, parameter, seconds=120)
    assert certificate.status == "proved", certificate.reason
    assert bool(certificate.proofs) == (declared != "mixed")
    if OPPOSITE.get(declared) is not None and parameter != "convex":
        wrong = bounds.certify(bound, parameter, OPPOSITE[declared])
        assert_holds(bound, parameter, wrong)
        assert wrong.witness is not None
        assert (wrong.witness.second_value < wrong.witness.first_value) == (declared == "decreasing")


def test_corners_find_that_more_samples_can_raise_a_bound() -> None:
    # q = beta c (1 - 1/N) grows with N, and where T^q is large that outweighs 1/(N-1).
    bound = bounds.get("hardt2016_nonconvex")
    refuted = bounds.certify(bound, "N", "decreasing", samples=1)
    assert_holds(bound, "N", refuted)
    assert bounds.certify(bound, "N").status == "proved"


def test_every_update_form_has_its_own_admissible_set() -> None:
    for form in ("atc", "cta", "consensus"):
        certificate = bounds.certify(CONVEX, "eta", "decreasing", update_form=form)
        assert_holds(CONVEX, "eta", certificate, form)


def test_corners_find_a_sliver_at_the_end_of_what_is_admissible() -> None:
    # Increasing in eta but for the last 0.075 per cent of its admissible range.
    bound = one("eta*(1.9985/beta - eta)", conditions=["eta <= 1/beta"])
    certificate = bounds.certify(bound, "eta", "increasing", samples=1)
    assert_holds(bound, "eta", certificate)
    assert certificate.witness is not None
    assert certificate.witness.first["eta"] * certificate.witness.first["beta"] > 0.99


def test_small_steps_at_the_ends_find_a_hook() -> None:
    # Decreasing from any far point to the end of the box, but rising over its last 0.05 per cent.
    bound = one("2000000 - T + 5*max(T - 999500, 0)")
    assert bounds.certify(bound, "T", "decreasing", samples=1).status == "refuted"


def test_points_where_an_assumption_fails_are_no_witness() -> None:
    # A hump in the middle of the box, where the assumption fails though it holds on both sides.
    hump = "eta + 1000*max(0, 1/2 - log(eta)**2)"
    assert bounds.certify(one(hump, conditions=["1 <= log(eta)**2"]), "eta", "increasing", {"eta": (0.01, 100)}).status == "undecided"
    assert bounds.certify(one(hump), "eta", "increasing", {"eta": (0.01, 100)}).status == "refuted"


def test_small_steps_find_a_dent() -> None:
    # Decreasing in T but for 100 <= T <= 110.
    bound = one("1/T + min(max(T - 100, 0), 10)/1000 - min(max(T - 110, 0), 10)/1000")
    assert bounds.certify(bound, "T", "decreasing", {"T": (1, 10**6)}).status == "refuted"


def test_mixed_is_proved_by_both_witnesses() -> None:
    bound = one("eta + 1/eta", directions={"eta": "mixed"})
    certificate = bounds.certify(bound, "eta")
    assert certificate.status == "proved"
    assert "each direction" in certificate.engine
    falls, rises = certificate.witness, certificate.opposite
    assert falls is not None
    assert rises is not None
    assert falls.first_value > falls.second_value
    assert rises.first_value < rises.second_value
    assert bounds.certify(one("eta"), "eta", "mixed").status == "undecided"


def test_a_constant_value_moves_in_every_direction_but_strictly_in_none() -> None:
    for direction in ("increasing", "decreasing", "constant"):
        assert bounds.certify(one("2*T"), "m", direction, samples=50).status == "proved"


@pytest.mark.slow
def test_a_difference_below_the_last_digit_is_no_witness() -> None:
    # The enclosures tell the values apart, but nobody could with evaluate.
    assert bounds.certify(one("1 - m*1e-25", kind="exact"), "m", "increasing", samples=20).status == "undecided"


def test_equal_seeds_give_equal_certificates() -> None:
    first, again = (bounds.certify(CONVEX, "m", "increasing", samples=20, seed=3) for _ in range(2))
    assert first == again
    box = check_box(CONVEX, None)
    chains = [[list(Sampler(CONVEX, "m", box, None, seed).chains(5))] for seed in (0, 0, 1)]
    assert chains[0] == chains[1] != chains[2]


def test_an_empty_admissible_set_is_undecided_without_a_pair() -> None:
    certificate = bounds.certify(CONVEX, "m", "increasing", {"eta": (10, 20), "beta": (10, 20)}, samples=5)
    assert certificate.status == "undecided"
    assert "no admissible pair" in bounds.certify(CONVEX, "m", box={"eta": (10, 20), "beta": (10, 20)}).reason


def test_every_reading_is_searched_and_names_in_the_box_are_given() -> None:
    bound = bounds.get("consensus_distance_atc")
    assert {frozenset(set(r) & {"T", "convex", "mu"}) for r in readings(bound)} == {
        frozenset(names)
        for names in ((), ("T",), ("convex",), ("mu",), ("T", "mu"), ("T", "convex"), ("convex", "mu"), ("T", "convex", "mu"))
    }
    assert all("mu" in reading for reading in readings(bound, extra=["mu"]))
    # With mu given, rho = 1 - eta mu and beta no longer enters.
    assert bounds.certify(bound, "beta", "constant", samples=50).status == "refuted"
    assert bounds.certify(bound, "beta", "constant", {"mu": (0.1, 1)}, samples=50).status == "proved"


def test_an_assumption_brings_the_optional_parameters_it_mentions() -> None:
    bound = dataclasses.replace(bounds.get("consensus_distance_atc"), conditions=(bounds.assumptions.Condition("mu <= beta"),))
    assert all("mu" in reading for reading in readings(bound))


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"parameter": "x"}, UnknownParameterError, "no parameter 'x'"),
        ({"direction": "upwards"}, UnknownNameError, "unknown direction"),
        ({"direction": "unknown"}, DomainError, "give one of increasing"),
        ({"box": {"x": (1, 2)}}, UnknownParameterError, "no parameter 'x'"),
        ({"box": {"m": (3, 3)}}, DomainError, "low end must be below"),
        ({"box": {"m": (4, 3)}}, DomainError, "low end must be below"),
        ({"box": {"m": (1.5, 3)}}, DomainError, "an integer >= 1"),
        ({"box": {"gap": (0.5, 1.5)}}, DomainError, "<= 1"),
        ({"box": {"eta": (1, float("inf"))}}, DomainError, "eta"),
        ({"samples": 0}, DomainError, "at least 1"),
        ({"update_form": "centralized"}, DomainError, "does not speak about"),
    ],
)
def test_mistakes(arguments: dict, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        bounds.certify(CONVEX, **{"parameter": "m"} | arguments)
    with pytest.raises(DomainError, match="declares no direction"):
        bounds.certify(one("T"), "m")
