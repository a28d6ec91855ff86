"""The parser lets nothing but arithmetic through, and balls agree with mpmath and sympy."""

import math
import string
from fractions import Fraction

import mpmath
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds.errors import ExpressionError
from bounds.expression import PrecisionError, parse, parse_comparison, to_latex, to_sympy
from bounds.expression.balls import enclose, round_up
from bounds.expression.tree import FUNCTIONS, Name, Number

KNOWN = dict.fromkeys(("a", "b", "T", "beta", "gap"))
ATTACKS = [
    "__import__('os').system('true')",
    "a.__class__",
    "(lambda: 1)()",
    "[x for x in (1,)]",
    "a if b else T",
    "exec('1')",
    "open('f')",
    "a; b",
    "a = 1",
    "1 if True else 2",
    "True",
    "'text'",
    "1j",
    "0x10",
    "1_000",
    "1e999999",
    "9" * 1500,
    "zeta",
    "sqrt(a, b)",
    "sqrt(x=a)",
    "min(*a)",
    "a @ b",
    "a // b",
    "a % b",
    "~a",
    "a < b",
    "ａ + b",
    "(" * 300 + "a" + ")" * 300,
    "-" * 300 + "a",
    "",
    "a +",
    "geometric(a)",
    "a[0]",
    "f'{a}'",
]


@pytest.mark.parametrize("text", ATTACKS)
def test_attacks_end_in_one_line(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text, KNOWN)
    assert "\n" not in str(caught.value)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=string.printable + "αβ", max_size=60))
def test_any_text_parses_or_ends_in_one_line(text: str) -> None:
    try:
        parse(text, KNOWN)
    except ExpressionError as error:
        assert len(str(error).splitlines()) == 1


def test_decimals_are_exact_rationals() -> None:
    assert parse("0.1", {}) == Number(Fraction(1, 10))


@pytest.mark.parametrize(
    "text",
    ["2*a**2*T/(b*3)", "a - b/T", "-a**2", "sqrt(a+b)", "exp(-a)*log(1+b)", "min(a, b) + max(a, T)", "(1-gap)**T", "1-(1-gap)**T"],
)
def test_enclosure_agrees_with_mpmath_and_sympy(text: str) -> None:
    values = {"a": 0.3, "b": 1.7, "T": 37, "gap": 1e-9, "beta": 2.0}
    with mpmath.workdps(60):
        names = {name: mpmath.mpf(value) for name, value in values.items()}
        functions = {"sqrt": mpmath.sqrt, "exp": mpmath.exp, "log": mpmath.log, "min": min, "max": max}
        reference = eval(text, {"__builtins__": {}}, names | functions)
        ball = enclose(parse(text, KNOWN), values)
        assert mpmath.mpf(str(ball.mid().str(40, radius=False))) == pytest.approx(reference, rel=1e-17)
    symbolic = to_sympy(parse(text, KNOWN)).subs({to_sympy(Name(name)): sympy.Float(value, 30) for name, value in values.items()})
    assert float(symbolic) == pytest.approx(float(reference), rel=1e-8)


@pytest.mark.parametrize("ratio", [0.0, 0.5, 1.0, 1 - 1e-15, 1 + 1e-9, 1.5])
def test_geometric_is_the_plain_sum(ratio: float) -> None:
    ball = enclose(parse("geometric(a, T)", KNOWN), {"a": ratio, "T": 40})
    plain = sum(Fraction(ratio) ** s for s in range(40))
    assert float(ball.mid()) == pytest.approx(float(plain), rel=1e-15)
    assert ball.contains(ball.mid())


def test_when_takes_one_branch_only() -> None:
    tree = parse("when(1-a, log(1-a), inf)", KNOWN)
    assert float(enclose(tree, {"a": 0.5}).mid()) == pytest.approx(math.log(0.5))
    assert math.isinf(round_up(enclose(tree, {"a": 1.0})))
    assert math.isinf(round_up(enclose(tree, {"a": 3.0})))


def test_no_value_is_said_so() -> None:
    with pytest.raises(PrecisionError):
        enclose(parse("log(a)", KNOWN), {"a": -1.0})


@settings(max_examples=200, deadline=None)
@given(a=st.floats(1e-300, 1e300), b=st.floats(1e-300, 1e300))
def test_rounding_up_never_lands_below(a: float, b: float) -> None:
    exact = Fraction(a) * Fraction(a) / Fraction(b)
    value = round_up(enclose(parse("a*a/b", KNOWN), {"a": a, "b": b}))
    assert math.isinf(value) or Fraction(value) >= exact
    if math.isfinite(value) and value > 1e-300:
        assert Fraction(value) <= exact * Fraction(1 + 2**-51)


def test_comparisons() -> None:
    left, relation, right = parse_comparison("a <= 2/beta", KNOWN)
    assert (left, relation, right) == (parse("a", KNOWN), "<=", parse("2/beta", KNOWN))
    for bad in ("a", "a == b", "a < b < T", "a > b"):
        with pytest.raises(ExpressionError):
            parse_comparison(bad, KNOWN)


def test_latex_uses_the_registry() -> None:
    assert to_latex(parse("beta*gap", KNOWN)) == r"\beta \delta"


def test_every_function_has_a_meaning_everywhere() -> None:
    for function, count in FUNCTIONS.items():
        text = f"{function}({', '.join(['a', 'b', 'T'][:count])})" if count else function
        assert enclose(parse(text, KNOWN), {"a": 0.5, "b": 0.25, "T": 2}).is_finite()
        assert to_sympy(parse(text, KNOWN)) is not None
