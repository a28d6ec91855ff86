"""Orders of two bounds: known truths are proved, planted mistakes never, and crossings stand at certified witnesses."""

import itertools
import math
import random
from fractions import Fraction

import numpy as np
import pytest
from flint import ctx
from mpmath import mp

import bounds
from bounds.certificates.branch import Budget
from bounds.comparison.boxes import by_boxes
from bounds.comparison.order import Order
from bounds.comparison.pair import Pair
from bounds.comparison.points import Points
from bounds.errors import DomainError, UnknownNameError, UnknownParameterError

Box = dict[str, tuple[float, float]]
NAMES = ("eta", "T", "m", "n", "beta")


def compare(a: str, b: str, box: Box | None = None, **more: object) -> bounds.Comparison:
    return bounds.compare(bounds.get(a), bounds.get(b), box, samples=300, **more)  # type: ignore[arg-type]


def mine(expression: str, *conditions: str) -> bounds.Bound:
    return bounds.define(id="mine", expression=expression, required=NAMES, conditions=conditions)


TRUE = [
    ("dsgd_convex", "hardt2016_convex", None, "<=", "equal"),
    ("dsgd_worst_node_convex", "dsgd_convex", None, ">=", "interval"),
    ("dsgd_worst_node_convex", "dsgd_worst_node_convex_consensus", None, "<=", "interval"),
    ("dsgd_convex_trajectory", "dsgd_convex", {"G": (0.01, 1), "L": (1, 100)}, "<=", "interval"),
    ("dsgd_strongly_convex", "dsgd_convex", None, "<=", "positive coefficients"),
    ("hardt2016_nonconvex_relaxed", "dsgd_nonconvex_relaxed", {"beta": (1, 10), "c": (1, 10)}, "<=", "log-linear normal form"),
    pytest.param("consensus_distance_atc", "consensus_distance_cta", None, "<=", "step by step", marks=pytest.mark.slow),
    pytest.param("consensus_distance_atc", "consensus_distance_consensus", None, "<=", "step by step", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("a", "b", "box", "relation", "rule"), TRUE)
def test_known_orders_are_proved_both_ways_round(a: str, b: str, box: Box | None, relation: str, rule: str) -> None:
    found = compare(a, b, box)
    assert (found.relation, found.witnesses, found.crossings) == (relation, (), ())
    assert rule in found.engine
    equal = "equal" in found.reason
    assert equal == (a == "dsgd_convex")
    turned = compare(b, a, box)
    assert turned.relation == ("<=" if equal else {"<=": ">=", ">=": "<="}[relation])


def test_the_relaxed_bounds_cross_where_their_closed_forms_do() -> None:
    """With N = m n and one batch size, decentralized over centralized is m^(q/(q+1)) (1 - 1/(m n)) with q = beta c (derived here)."""
    found = compare("hardt2016_nonconvex_relaxed", "dsgd_nonconvex_relaxed")
    assert found.relation == "crosses"
    for witness, smaller in zip(found.witnesses, ("a", "b"), strict=True):
        q, m, n = witness.point["beta"] * witness.point["c"], witness.point["m"], witness.point["n"]
        assert witness.b / witness.a == pytest.approx(m ** (q / (q + 1)) * (1 - 1 / (m * n)), rel=1e-9)
        assert (witness.a < witness.b) == (smaller == "a")
    (crossing,) = found.crossings
    low, high = ({**crossing.at, crossing.parameter: end} for end in (crossing.low, crossing.high))
    ratios = [p["m"] ** (p["beta"] * p["c"] / (p["beta"] * p["c"] + 1)) * (1 - 1 / (p["m"] * p["n"])) for p in (low, high)]
    assert (ratios[0] - 1) * (ratios[1] - 1) < 0
    assert crossing.unique


def test_witnesses_are_admissible_and_lie_in_the_box() -> None:
    found = compare("dsgd_convex_trajectory", "dsgd_convex", {"eta": (0.5, 5)}, update_form="consensus")
    assert found.relation == "crosses"
    assert found.update_form == {"a": "consensus", "b": "consensus"}
    for witness, smaller in zip(found.witnesses, ("a", "b"), strict=True):
        assert set(witness.point) == set(found.box)
        assert all(low <= witness.point[name] <= high for name, (low, high) in found.box.items())
        for bound, value in ((bounds.get(found.a), witness.a), (bounds.get(found.b), witness.b)):
            own = {name: value for name, value in witness.point.items() if name in bound.formula.parameters}
            assert bound.assess(own, "consensus") == []
            assert bound.evaluate(**own) == pytest.approx(value, rel=1e-12)
        assert (witness.a < witness.b) == (smaller == "a")


def test_what_is_compared_is_written_down() -> None:
    document = compare("hardt2016_convex", "dsgd_convex").document()
    keys = ["schema_version", "a", "b", "relation", "crossings", "box", "engine"]
    assert list(document)[:7] == keys
    assert document["let"] == {"N": "m*n"}
    assert document["update_form"] == {"a": "centralized", "b": "atc"}
    assert "N" not in document["box"]
    # The default ranges, both alike where a name is shared.
    assert document["box"]["m"] == [2, 1024]
    assert document["box"]["L"] == [0.01, 100]


def test_mappings_change_the_question() -> None:
    """The centralized batch that holds all local ones makes drawing the replaced sample as likely as in D-SGD."""
    box: Box = {name: (value, value) for name, value in dict(L=1, c=0.5, T=50, beta=1, M=1, m=4, n=20, b=2).items()}
    shared, whole = (compare("hardt2016_nonconvex_relaxed", "dsgd_nonconvex_relaxed", box, let=let) for let in (None, {"b": "m*b"}))
    assert whole.let == {"N": "m*n", "b": "m*b"}
    assert shared.relation == "<="
    # With b = m b: (m b)^(q/(q+1)) / (m n - 1) against m^(-1/(q+1)) b^(q/(q+1)) / n: larger by m n/(m n - 1).
    assert whole.relation == ">="


def test_other_readings_of_parameters_that_are_given() -> None:
    worst = compare("dsgd_worst_node_convex", "dsgd_convex", {"gap": (0.5, 0.5)})
    assert worst.box["gap"] == (0.5, 0.5)
    assert worst.readout == {"a": "worst_node", "b": "worst_node"}
    flagged = compare("consensus_distance_atc", "consensus_distance_atc", {"convex": (0, 1)})
    assert (flagged.relation, "equal" in flagged.reason) == ("<=", True)


def test_an_empty_box_is_no_silent_proof() -> None:
    found = compare("dsgd_convex_trajectory", "dsgd_convex", {"eta": (50, 60), "beta": (1, 2), "G": (0.1, 0.2), "L": (1, 2)})
    assert "no admissible point" in found.reason


@pytest.mark.parametrize(("a", "b"), [("hardt2016_nonconvex", "hardt2016_nonconvex_relaxed"), ("dsgd_nonconvex", "dsgd_nonconvex_relaxed")])
def test_a_tangent_bound_is_left_undecided_with_a_reason(a: str, b: str) -> None:
    found = compare(a, b, seconds=1.0)
    assert found.relation == "undecided"
    assert f"{a} smaller" in found.reason
    assert len(found.witnesses) == 1


def planted(draws: random.Random) -> tuple[bounds.Bound, bounds.Bound, dict[str, tuple[float, float]]]:
    """a and b with a <= b nearly everywhere in a box, and a > b by a factor 1 + 1e-6 in one corner of it."""
    box = {name: (float(low), float(low * draws.choice((2, 10)))) for name in NAMES for low in [draws.choice((1, 2, 5))]}
    powers = {name: draws.randint(-2, 2) for name in draws.sample(NAMES, 3)}
    kind = draws.choice(("monomial", "sum", "root", "shift"))
    rise = "*".join(f"{name}**({power})" for name, power in powers.items())
    least = math.prod(Fraction(box[name][0] if power > 0 else box[name][1]) ** power for name, power in powers.items())
    share = Fraction(10**6, 10**6 + 1) / least
    text = f"({share.numerator}/{share.denominator})*({rise})"
    # b/a is text, which is below 1 at the corner where the monomial is least; the rest of b/a keeps that.
    a, b = {
        "monomial": ("eta*T/m", f"eta*T/m*({text})"),
        "sum": ("eta/m + T", f"(eta/m + T)*({text})"),
        "root": ("sqrt(eta + T)/n", f"sqrt((eta + T)*({text}))/n"),
        "shift": ("1 + beta*T", f"{text} + beta*T"),
    }[kind]
    return mine(a, "1 <= 10*T"), mine(b), box


@pytest.fixture
def bits() -> object:
    saved, ctx.prec = ctx.prec, 80
    yield None
    ctx.prec = saved


@pytest.mark.usefixtures("bits")
@pytest.mark.parametrize("count", [12, pytest.param(100, marks=pytest.mark.slow)])
def test_planted_wrong_orders_are_never_proved(count: int) -> None:
    draws = random.Random(20)
    for place in range(count):
        a, b, box = planted(draws)
        (case,) = Pair(a, b, box).cases()
        # Without the look at points: the rules themselves must not prove it.
        assert Order(case.graph, Budget(math.inf), probe=False).prove(*case.written, case.scope()) is None
        if place % 20 == 0:
            assert bounds.compare(a, b, box, samples=50).relation in (">=", "crosses")
            assert not by_boxes(*case.written, case.scope(), Budget(math.inf, each=100))


@pytest.mark.usefixtures("bits")
def test_factors_that_occur_together_keep_the_ranges_of_all_of_them() -> None:
    """eta and L are points and T is not: the range of eta L must not stand for that of eta L T."""
    names = ("L", "eta", "T", "m", "n", "r0", "beta", "b")
    conditions = ("4*eta*beta <= 1", "b <= n", "eta <= 2/beta")
    a = bounds.define(id="a", expression="2*L**2*eta**2*T**2", required=names, conditions=conditions)
    b = bounds.define(id="b", expression="m*n*r0**2", required=names)
    points = {name: (value, value) for name, value in dict(L=1, eta=0.1, m=16, n=100, r0=1, beta=1, b=1).items()}
    for last, proved in ((10**6, False), (200, True)):
        (case,) = Pair(a, b, {**points, "T": (1, last)}).cases()
        found = Order(case.graph, Budget(math.inf), probe=False).prove(*case.written, case.scope())
        assert (found is not None) is proved


@pytest.mark.usefixtures("bits")
def test_boxes_prove_what_is_true_and_nothing_else() -> None:
    """x + 4/x >= 4 with equality at 2 only, which no box around it can show without slack."""
    for constant, expected in (("399/100", True), ("401/100", False)):
        (case,) = Pair(mine(constant), mine("eta + 4/eta"), {"eta": (0.1, 30.0)}).cases()
        budget = Budget(math.inf)
        assert by_boxes(*case.written, case.scope(), budget) is expected
    # Only where the assumption holds: eta beta <= 2 and eta >= 1 give beta <= 2.
    wide: Box = {"eta": (1.0, 10.0), "beta": (0.1, 10.0)}
    for condition, proved in (("eta*beta <= 2", True), ("eta*beta <= 21/10", False)):
        (case,) = Pair(mine("beta + eta*beta", condition), mine("4 + 1/T"), {**wide, "T": (10**6, 10**6)}).cases()
        assert by_boxes(*case.written, case.scope(), Budget(math.inf)) is proved


REFERENCES = {
    "dsgd_convex": lambda p: 2 * p["L"] ** 2 * p["eta"] * p["T"] / (p["m"] * p["n"]),
    "dsgd_strongly_convex": lambda p: 2 * p["L"] ** 2 / (p["mu"] * p["m"] * p["n"]) * (1 - (1 - p["eta"] * p["mu"]) ** p["T"]),
    "hardt2016_strongly_convex": lambda p: 2 * p["L"] ** 2 / (p["mu"] * p["m"] * p["n"]) * (1 - (1 - p["eta"] * p["mu"]) ** p["T"]),
    "dsgd_convex_trajectory": lambda p: 2 * p["L"] * p["eta"] * p["T"] * p["G"] / (p["m"] * p["n"]),
    "dsgd_worst_node_convex": lambda p: (
        2
        * p["L"] ** 2
        * p["eta"]
        / p["n"]
        * (p["T"] / p["m"] + (1 - 1 / p["m"]) * sum((1 - p["gap"]) ** (p["Q"] * s) for s in range(1, int(p["T"]) + 1)))
    ),
}


@pytest.mark.parametrize(("a", "b"), list(itertools.combinations(REFERENCES, 2)))
def test_signs_and_admissibility_agree_with_sixty_digits(a: str, b: str) -> None:
    pair = Pair(bounds.get(a), bounds.get(b), {"T": (1, 30)})
    (case,) = pair.cases()
    points, random_ = Points(case, pair.names), np.random.default_rng(7)
    columns = {}
    for name, (low, high) in pair.box.items():
        drawn = np.exp(random_.uniform(math.log(low), math.log(high), 40))
        columns[name] = np.rint(drawn) if bounds.symbol(name).domain.integer else drawn
    if {"G", "L"} <= columns.keys():
        # Equal bounds, and bounds apart by less than floats can tell.
        columns["G"][:10] = columns["L"][:10]
        columns["G"][5:10] *= 1 + 2.0**-50
    everywhere = np.ones(40, dtype=bool)
    signs = points.signs(columns, everywhere)
    admissible = points.admissible(columns)
    with mp.workdps(60):
        for place in range(40):
            p = {name: mp.mpf(float(column[place])) for name, column in columns.items()}
            gap = REFERENCES[a](p) - REFERENCES[b](p)
            scale = abs(REFERENCES[a](p)) * mp.mpf(10) ** -50
            assert signs[place] == (0 if abs(gap) < scale else mp.sign(gap))
            most = p["n"] if {a, b} & {"dsgd_convex", "dsgd_strongly_convex"} else p["m"] * p["n"]
            holds = p["eta"] * p.get("beta", 0) <= 2 and p.get("b", 1) <= most
            if "mu" in p:
                holds = holds and p["mu"] <= p["beta"] and p["eta"] * p["mu"] <= 1 and p["eta"] * (p["beta"] + p["mu"]) <= 2
            assert admissible[place] == holds


@pytest.mark.parametrize(
    ("a", "b", "more", "told"),
    [
        ("dsgd_convex", "hardt2016_convex", {"box": {"N": (2, 5)}}, "N is m*n here"),
        ("dsgd_convex", "hardt2016_convex", {"box": {"gam": (2, 5)}}, "not compared in 'gam'"),
        ("dsgd_convex", "hardt2016_convex", {"box": {"m": (5, 2)}}, "m=5:2 is empty"),
        ("dsgd_convex", "hardt2016_convex", {"let": {"N": "m/n"}}, "not surely a whole number"),
        ("dsgd_convex", "hardt2016_convex", {"let": {"mu": "beta"}}, "neither dsgd_convex nor hardt2016_convex"),
        ("dsgd_convex", "l1_stability_convex", {"let": {"b": "m"}}, "fits both bounds or none"),
        ("dsgd_convex", "hardt2016_convex", {"along": "N"}, "allowed: L, eta"),
        ("dsgd_convex", "hardt2016_convex", {"along": "m"}, "give L=VALUE"),
        ("dsgd_convex", "dsgd_worst_node_convex", {"update_form": "centralized"}, "speaks about update form"),
        ("dsgd_convex", "hardt2016_convex", {"readout": "last"}, "unknown readout"),
        ("dsgd_convex", "hardt2016_convex", {"samples": 0}, "give at least 1"),
    ],
)
def test_mistakes_get_one_line(a: str, b: str, more: dict[str, object], told: str) -> None:
    with pytest.raises((DomainError, UnknownParameterError, UnknownNameError)) as caught:
        bounds.compare(bounds.get(a), bounds.get(b), **more)  # type: ignore[arg-type]
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
