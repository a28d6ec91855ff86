"""A second opinion on an order: sympy's limit of value over order, in a process that is killed at a deadline."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from fractions import Fraction

from bounds.expression.tree import Call, Name, Node, Number, Power, Product, Quotient, walk

_WITHOUT_LIMIT = {"geometric", "growth", "when", "ceil"}


def opinion(node: Node, parameter: str, limit: str, exponent: Node, log_power: Node, seconds: float) -> str:
    """Why sympy disagrees; empty when it agrees, has no answer in time, or the expression is no closed form."""
    parts = [*walk(node), *walk(exponent)]
    plain = not any(isinstance(part, Call) and part.function in _WITHOUT_LIMIT for part in parts)
    if not plain or any(part == Number(None) or type(part).__name__ in ("Least", "Reduce") for part in parts):
        return ""
    size = Name(parameter) if limit == "inf" else Quotient(Number(Fraction(1)), Name(parameter))
    order = Product(Power(Name(parameter), exponent), Power(Call("log", (size,)), log_power))
    question = pickle.dumps((Quotient(node, order), parameter, limit))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "bounds.rates.second"]
    try:
        answer = subprocess.run(command, input=question, capture_output=True, timeout=seconds, env=environment, check=False)
    except subprocess.TimeoutExpired:
        return ""
    word = answer.stdout.decode().strip()
    return f"sympy says that value over order tends to {word}" if word in ("0", "oo", "-oo") else ""


def _answer() -> None:
    import sympy

    from bounds.expression import to_sympy

    node, parameter, limit = pickle.load(sys.stdin.buffer)
    found = sympy.limit(to_sympy(node), to_sympy(Name(parameter)).subs({}), sympy.oo if limit == "inf" else 0, "+")
    print(found if found in (sympy.oo, -sympy.oo) or found == 0 else "finite")


if __name__ == "__main__":
    _answer()
