"""Orders: known ones as rational functions, honest unknowns, and every claim against slopes of the exact value far out."""

import random
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

import bounds
from bounds.errors import DomainError, UnknownParameterError
from bounds.expression import parse
from bounds.expression.balls import ball_at, exact_values
from bounds.expression.tree import Number
from bounds.rates import Rate, rate
from bounds.rates.check import disagreement
from bounds.rates.rational import ratio, text, tree
from bounds.rates.settings import Settings
from bounds.registry import catalogue, nothing_kept
from bounds.symbols import Domain, Symbol, rank_of

PAGE = Path(__file__).parents[2] / "docs" / "rates.md"
NAMES = dict.fromkeys(["c", "beta", "T", "m", "n", "gap", "eta", "mu", "N", "b", "a"])


def same(found: str, wanted: str) -> bool:
    """Whether two exponents agree at random exact points."""
    chance = random.Random(found)
    for _ in range(5):
        point = exact_values({name: chance.randint(1, 10**6) / 2**10 for name in NAMES})
        difference = ball_at(parse(f"{found} - ({wanted})", NAMES), point, 256)
        if not difference.contains(0) or difference.rad() > 1e-30:
            return False
    return True


KNOWN = [
    ("mgs_generalization_stated", "T", "2*c*beta/(2*c*beta+2)"),
    ("mgs_generalization_stated", "m", "-1/(2*c*beta+2)"),
    ("mgs_generalization_stated", "n", "-1"),
    ("hardt2016_nonconvex_relaxed", "T", "c*beta/(c*beta+1)"),
    ("hardt2016_nonconvex_relaxed", "N", "-1"),
    ("dsgd_nonconvex_relaxed", "T", "c*beta/(c*beta+1)"),
    ("dsgd_nonconvex_relaxed", "m", "-1/(c*beta+1)"),
    ("dsgd_nonconvex_relaxed", "n", "-1"),
    ("dsgd_nonconvex_relaxed", "L", "2/(c*beta+1)"),
    ("dsgd_nonconvex", "T", "c*beta/(c*beta+1)"),
    ("dsgd_nonconvex", "m", "-1"),
    ("dsgd_nonconvex", "n", "-1"),
    ("dsgd_nonconvex", "M", "1"),
    ("hardt2016_nonconvex", "T", "c*beta*(1-1/N)/(c*beta*(1-1/N)+1)"),
    ("hardt2016_nonconvex", "N", "-1"),
    ("mgs_generalization", "T", "2*c*beta/(2*c*beta+1)"),
    ("dsgd_convex", "T", "1"),
    ("dsgd_convex", "m", "-1"),
    ("dsgd_convex", "n", "-1"),
    ("dsgd_convex", "eta", "1"),
    ("dsgd_strongly_convex", "T", "0"),
    ("dsgd_strongly_convex", "eta", "1"),
    ("dsgd_on_average_convex", "T", "2"),
    ("dsgd_on_average_convex", "m", "-1/2"),
    ("excess_risk_centralized", "b", "-1"),
    ("excess_risk_consensus", "b", "-1"),
    ("excess_risk_atc", "b", "-1"),
    ("excess_risk_cta", "b", "-1"),
    ("consensus_distance_cta", "Q", "0"),
    ("consensus_distance_consensus", "Q", "0"),
    ("disagreement_trace_ring", "m", "3"),
    ("mgs_gossip_needed", "gap", "-1"),
]


@pytest.mark.parametrize(("bound_id", "name", "exponent"), KNOWN)
def test_known_exponents(bound_id: str, name: str, exponent: str) -> None:
    found = rate(bounds.get(bound_id), name)
    assert found.status == "exact", found.reason
    assert found.exponent is not None
    assert same(found.exponent, exponent), found.exponent
    assert found.log_power == "0"


def test_gossip_steps_and_the_gap() -> None:
    atc = bounds.get("consensus_distance_atc")
    assert rate(atc, "Q").exponent == "-inf"
    assert rate(atc, "gap", given=["convex"]).exponent == "-2"
    assert rate(atc, "gap", given=["convex", "T"]).exponent == "0"
    assert rate(atc, "gap").status == "unknown"
    assert "infinite" in rate(atc, "gap").reason
    assert rate(bounds.get("exit_time_centralized"), "b").exponent == "inf"
    assert rate(bounds.get("exit_time_centralized"), "eta").exponent == "-inf"
    needed = rate(bounds.get("mgs_gossip_needed"), "theta")
    assert (needed.exponent, needed.log_power) == ("0", "1")


def test_the_stated_bound_grows_over_the_centralized_one_with_the_nodes() -> None:
    own = {let.name: let.text for let in bounds.get("mgs_generalization_stated").formula.lets}
    serial = {let.name: let.text.replace("N", "(m*n)") for let in bounds.get("hardt2016_nonconvex_relaxed").formula.lets}
    both = bounds.define(
        id="ratio",
        expression=f"({own['value']})/({serial['value'].replace('start', 'other')})",
        where={"start": own["start"], "other": serial["start"]},
        required=["c", "T", "m", "n", "beta", "M", "G2", "gam", "L", "b"],
    )
    found = rate(both, "m")
    assert found.exponent is not None
    assert same(found.exponent, "(2*c*beta+1)/(2*c*beta+2)")


@pytest.fixture
def power() -> Iterator[None]:
    with nothing_kept():
        bounds.register(Symbol("a", "a", "a power", "-", Domain(0, low_open=True)))
        yield


def own(expression: str, required: str, parameter: str, **options: bool) -> Rate:
    return rate(bounds.define(id="own", expression=expression, required=required.split()), parameter, **options)


OWN = [
    ("T**(a/(a+1))*log(T)/(n*m)+T**(-1/2)", "a T n m", "T", "a/(a+1)", "1"),
    ("sqrt(T+1)-sqrt(T)", "T", "T", "-1/2", "0"),
    ("T*(1-exp(-1/T))", "T", "T", "0", "0"),
    ("eta*log(1/eta)", "eta", "eta", "1", "1"),
    ("(1+1/T)**T", "T", "T", "0", "0"),
    ("log(T)**2/T+1/T", "T", "T", "-1", "2"),
    ("T+T*beta", "T beta", "T", "1", "0"),
    ("(T+1)**2-T**2-2*T", "T", "T", "0", "0"),
    ("exp(beta*log(T))", "T beta", "T", "beta", "0"),
    ("max(T,m*T)", "T m", "T", "1", "0"),
]


@pytest.mark.usefixtures("power")
@pytest.mark.parametrize(("expression", "required", "parameter", "exponent", "log_power"), OWN)
def test_own_expressions(expression: str, required: str, parameter: str, exponent: str, log_power: str) -> None:
    found = own(expression, required, parameter)
    assert found.status == "exact", found.reason
    assert found.exponent is not None
    assert same(found.exponent, exponent)
    assert found.log_power == log_power


@pytest.mark.usefixtures("power")
@pytest.mark.parametrize("expression", ["T**a+T**(1/a)", "min(T**a, T)", "T**T", "T - T"])
def test_what_depends_on_the_parameters_is_unknown(expression: str) -> None:
    found = own(expression, "a T", "T")
    assert found.status == "unknown"
    assert found.exponent is None
    assert found.reason


@pytest.mark.usefixtures("power")
@pytest.mark.parametrize(("expression", "exponent"), [("2**T", "inf"), ("T*exp(-a*T)", "-inf"), ("exp(sqrt(T))", "inf")])
def test_exponentials(expression: str, exponent: str) -> None:
    assert own(expression, "a T", "T").exponent == exponent


@pytest.mark.usefixtures("power")
def test_a_second_opinion_is_asked_for_only() -> None:
    assert own("T*log(T) + T", "T", "T", second_opinion=True).status == "exact"
    assert own("T**a + T**(1/a)", "a T", "T", second_opinion=True).status == "unknown"


def scalars() -> list[tuple[str, str]]:
    return [(b.id, name) for b in catalogue().values() for name in b.formula.parameters if not rank_of(name) and name != "convex"]


#: What the calculus may leave unknown, by bound.
UNKNOWN = {
    "consensus_distance_atc": "T gap",
    "consensus_distance_consensus": "T gap",
    "consensus_distance_cta": "T gap",
    "disagreement_trace": "Q T curvature",
    "edge_of_stability": "Q",
    "excess_gap_consensus_atc": "Q eta",
    "excess_gap_consensus_cta": "Q eta",
    "excess_risk_atc": "Q",
    "excess_risk_consensus": "Q",
    "excess_risk_cta": "Q",
    "exit_time_ratio": "Q b",
    "l1_stability_nonconvex": "t0",
    "l2_stability_atc": "Q T",
    "mgs_excess_pl": "L b gap tau",
    "mgs_generalization": "beta c gap Q",
    "mgs_gossip_needed": "T D0 r0",
    "step_limit_consensus": "Q",
}


@pytest.mark.slow
@pytest.mark.parametrize(("bound_id", "name"), scalars())
def test_every_order_is_right_or_unknown(bound_id: str, name: str) -> None:
    found = rate(bounds.get(bound_id), name)
    assert found.reason if found.status == "unknown" else not found.reason or "outside the theorem" in found.reason
    assert found.status == "exact" or name in UNKNOWN.get(bound_id, "").split(), found.reason
    if found.status == "exact":
        assert ("inf" in str(found.exponent)) or parse(str(found.exponent), dict.fromkeys(bounds.get(bound_id).formula.parameters))


def test_powers_of_logarithms_are_checked_too() -> None:
    bound = bounds.get("dsgd_convex")
    settings = Settings(bound, "T", "inf", (), bound.words())
    one, two = Number(Fraction(1)), Number(Fraction(2))
    assert disagreement(settings, one, Number(Fraction(0))) == ""
    assert "power of the logarithm far out is" in disagreement(settings, one, one)
    assert "slope far out is 1" in disagreement(settings, two, Number(Fraction(0)))
    needed = bounds.get("mgs_gossip_needed")
    towards = Settings(needed, "theta", "0", (), needed.words())
    assert disagreement(towards, Number(Fraction(0)), one) == ""
    assert "power of the logarithm far out is" in disagreement(towards, Number(Fraction(0)), Number(Fraction(0)))


def test_assumptions_that_fail_on_the_way_are_named() -> None:
    found = rate(bounds.get("mgs_generalization_stated"), "m")
    assert (found.status, found.reason) == ("exact", "of the formula, outside the theorem: 1 <= start fails as m -> inf")
    assert "mu <= beta fails as beta -> 0" in rate(bounds.get("mgs_pl"), "beta").reason
    assert rate(bounds.get("dsgd_convex"), "eta", given=["beta"]).reason == ""
    assert "eta <= 2/beta fails as eta -> inf" in rate(bounds.get("dsgd_convex"), "eta", given=["beta"], limit="inf").reason


def test_the_limit_comes_with_the_order() -> None:
    assert rate(bounds.get("dsgd_convex"), "T").value == "inf"
    assert rate(bounds.get("dsgd_convex"), "m").value == "0"
    assert rate(bounds.get("dsgd_strongly_convex"), "T").value == "2*L**2/(mu*m*n)"
    assert rate(bounds.get("l2_stability_atc"), "T").value is None


def test_exponents_read_back() -> None:
    for written in ("2*beta*c/(2*beta*c+2)", "-1/(2*c*beta+2)", "(1+1/(beta*c))*3/2-c", "-3/4", "beta**2*c-c/m", "c-c", "1/(1+2*c)*c-c"):
        value = ratio(parse(written, NAMES))
        assert ratio(parse(text(tree(value)), NAMES)) == value
    assert ratio(parse("3/4", {})).number == Fraction(3, 4)


def test_mistakes_are_one_line() -> None:
    with pytest.raises(UnknownParameterError, match="no parameter 'lr'"):
        rate(bounds.get("dsgd_convex"), "lr")
    with pytest.raises(DomainError, match="neither to infinity"):
        rate(bounds.get("l2_stability_atc"), "spectrum")
    with pytest.raises(DomainError, match="give inf"):
        rate(bounds.get("dsgd_convex"), "T", limit="0")


def test_the_document() -> None:
    keys = {"schema_version", "bound", "parameter", "limit", "exponent", "log_power", "status", "value"}
    assert set(rate(bounds.get("dsgd_convex"), "T").document()) == keys
    assert set(rate(bounds.get("l2_stability_atc"), "T").document()) == keys | {"reason"}


def test_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), flags=re.M | re.S)
    exec(compile(code, "rates.md", "exec"), {})
    assert capsys.readouterr().out.splitlines() == re.findall(r"# (.*)$", code, flags=re.M)
