"""Formulas in MathML, which browsers draw by themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from html import escape

from bounds.expression import parse
from bounds.expression.tree import Call, Least, Name, Node, Number, Power, Product, Quotient, Reduce, Sum
from bounds.formula import Formula, Let
from bounds.symbols import REGISTRY

_LETTERS = (
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta kappa lambda mu nu xi rho sigma tau phi chi psi omega Delta Xi infty"
)
_GREEK = dict(zip(_LETTERS.split(), "αβγδεεζηθϑκλμνξρστφχψωΔΞ∞", strict=True))
_WORDS = {"bar": "\u0304", "tilde": "\u0303", "hat": "\u0302"}
_TOKEN = re.compile(r"\\([A-Za-z]+)|([_^])|\{|\}|([A-Za-z0-9*'])|(.)")
_SUM, _PRODUCT, _POWER, _ATOM = range(4)


def symbol_mathml(latex: str) -> str:
    r"""A symbol's LaTeX (letters, Greek letters, ``\bar``, ``\tilde``, ``\mathrm``, one ``_`` and ``^``) as MathML."""
    base, below, above = _parts(latex)
    if below and above:
        return f"<msubsup>{base}{below}{above}</msubsup>"
    return f"<msub>{base}{below}</msub>" if below else f"<msup>{base}{above}</msup>" if above else base


def _parts(latex: str) -> tuple[str, str, str]:
    found = {"": "", "_": "", "^": ""}
    for mark, text in re.findall(r"(^|[_^])(\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}|\\[A-Za-z]+(?:\{[^{}]*\}|\s*\\?[A-Za-z])?|[^_^]+)", latex):
        found[mark] = _row(text)
    return found[""], found["_"], found["^"]


def _row(latex: str) -> str:
    text, accent = "", ""
    for command, _, letter, _ in _TOKEN.findall(latex):
        if command in _WORDS:
            accent = _WORDS[command]
        elif command != "mathrm":
            text += (_GREEK.get(command, command) if command else letter) + (accent if command or letter else "")
            accent = "" if command or letter else accent
    return f"<mn>{text}</mn>" if text.isdigit() else f"<mi>{escape(text)}</mi>"


def formula_mathml(formula: Formula, given: frozenset[str], value: str, relation: str = "=") -> str:
    """The chosen reading: ``value`` (MathML), the relation and the formula, and the definitions that it uses, one row each."""
    *where, last = formula.used(given)
    row = _rows(formula, where)
    return _table([row(value, relation, last), *(row("", "=", let) for let in where)])


def readings_mathml(formula: Formula, value: str, relation: str, when: Callable[[Let], str]) -> list[tuple[str, str]]:
    """Every definition in all its readings, the value first, each with when it is taken: what ``when`` says, empty for always."""
    names = dict.fromkeys(["value", *(let.name for let in formula.lets)])
    groups = [[let for let in formula.lets if let.name == name] for name in names]
    row = _rows(formula, formula.lets)
    heads = {"value": (value, relation)}
    return [
        (
            f'<math display="block">{"".join(row(*heads.get(let.name, ("", "=")), let))}</math>',
            when(let) or ("otherwise" if group[1:] else ""),
        )
        for group in groups
        for let in group
    ]


def _rows(formula: Formula, where: Sequence[Let]) -> Callable[[str, str, Let], tuple[str, str, str]]:
    # A definition may have the name of a symbol that means something else.
    own = {let.name: Name(f"_{let.name}") for let in where if let.name != "value"}
    words = {name: REGISTRY[name].latex for name in formula.parameters} | {f"_{let.name}": let.latex or let.name for let in where}

    def row(left: str, sign: str, let: Let) -> tuple[str, str, str]:
        right = tree_mathml(parse(let.text, dict.fromkeys(formula.parameters) | own), words)
        return left or symbol_mathml(words[f"_{let.name}"]), f"<mo>{sign}</mo>", right

    return row


def _table(rows: Sequence[tuple[str, str, str]]) -> str:
    cells = "".join(f"<mtr>{''.join(f'<mtd>{cell}</mtd>' for cell in row)}</mtr>" for row in rows)
    return f'<math display="block"><mtable displaystyle="true">{cells}</mtable></math>'


def tree_mathml(node: Node, known: Mapping[str, str]) -> str:
    """A tree; ``known`` gives the LaTeX of its names, others stand for themselves."""
    return f"<mrow>{_Printer(known).text(node)[0]}</mrow>"


class _Printer:
    def __init__(self, known: Mapping[str, str]) -> None:
        self.known = known

    def text(self, node: Node) -> tuple[str, int]:
        """MathML and how tightly its outermost operation binds."""
        match node:
            case Number(value):
                return _number(value)
            case Name(name):
                return symbol_mathml(self.known.get(name, _latex(name))), _ATOM
            case Sum(left, right):
                return self._sum(left, right), _SUM
            case Product(left, right):
                return self.at(left, _PRODUCT) + "<mo>&InvisibleTimes;</mo>" + self.at(right, _PRODUCT), _PRODUCT
            case Quotient(left, right):
                return f"<mfrac><mrow>{self.at(left)}</mrow><mrow>{self.at(right)}</mrow></mfrac>", _POWER
            case Power(base, exponent):
                return f"<msup><mrow>{self.at(base, _ATOM)}</mrow><mrow>{self.at(exponent)}</mrow></msup>", _POWER
            case Least(variable, low, high, body):
                span = f"{symbol_mathml(self.known.get(variable, _latex(variable)))}<mo>=</mo>{self.at(low)}<mo>,…,</mo>{self.at(high)}"
                return self._over("min", span, body), _PRODUCT
            case Reduce(function, variables, arrays, body):
                pairs = [f"{symbol_mathml(_latex(v))}<mo>∈</mo>{self.at(array)}" for v, array in zip(variables, arrays, strict=True)]
                return self._over({"total": "∑", "largest": "max", "smallest": "min"}[function], "<mo>,</mo>".join(pairs), body), _PRODUCT
            case Call(function, arguments):
                return self._call(function, arguments), _ATOM
        raise TypeError(f"got {type(node).__name__}; an expression is built from the nodes of bounds.expression.tree")

    def at(self, node: Node, least: int = _SUM) -> str:
        """MathML, in brackets where the operation binds less tightly than ``least``."""
        text, level = self.text(node)
        return text if level >= least else f"<mo>(</mo>{text}<mo>)</mo>"

    def _sum(self, left: Node, right: Node) -> str:
        match right:
            case Product(Number(value), other) if value is not None and value < 0:
                size = "" if value == -1 else _number(-value)[0] + "<mo>&InvisibleTimes;</mo>"
                return f"{self.at(left)}<mo>−</mo>{size}{self.at(other, _PRODUCT)}"
            case Number(value) if value is not None and value < 0:
                return f"{self.at(left)}<mo>−</mo>{_number(-value)[0]}"
        return f"{self.at(left)}<mo>+</mo>{self.at(right)}"

    def _over(self, sign: str, span: str, body: Node) -> str:
        return f"<munder><mo>{sign}</mo><mrow>{span}</mrow></munder>{self.at(body, _PRODUCT)}"

    def _call(self, function: str, arguments: tuple[Node, ...]) -> str:
        inside = [self.at(argument) for argument in arguments]
        if function == "pi":
            return "<mi>π</mi>"
        if function == "sqrt":
            return f"<msqrt>{inside[0]}</msqrt>"
        if function == "ceil":
            return f"<mo>⌈</mo>{inside[0]}<mo>⌉</mo>"
        if function == "size":
            return f"<mo>|</mo>{inside[0]}<mo>|</mo>"
        if function in ("element", "tail"):
            mark = inside[1] if function == "element" else "<mo>≥</mo><mn>2</mn>"
            return f"<msub><mrow>{inside[0]}</mrow><mrow>{mark}</mrow></msub>"
        if function == "when":
            cases = f"<mtr><mtd>{inside[1]}</mtd><mtd><mtext>if </mtext>{inside[0]}<mo>&gt;</mo><mn>0</mn></mtd></mtr>"
            return f"<mo>{{</mo><mtable>{cases}<mtr><mtd>{inside[2]}</mtd><mtd><mtext>else</mtext></mtd></mtr></mtable>"
        return f"<mi>{function}</mi><mo>&ApplyFunction;</mo><mo>(</mo>{'<mo>,</mo>'.join(inside)}<mo>)</mo>"


def _latex(variable: str) -> str:
    """A variable that a minimum or a sum binds, as the registry writes it where it has one of that name."""
    return REGISTRY[variable].latex if variable in REGISTRY and variable == "t0" else variable


def _number(value: Fraction | None) -> tuple[str, int]:
    if value is None:
        return "<mi>∞</mi>", _ATOM
    sign = "<mo>−</mo>" if value < 0 else ""
    top, bottom = abs(value.numerator), value.denominator
    text = f"<mn>{top}</mn>" if bottom == 1 else f"<mfrac><mn>{top}</mn><mn>{bottom}</mn></mfrac>"
    return sign + text, _SUM if sign else _ATOM
