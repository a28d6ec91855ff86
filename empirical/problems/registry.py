"""Training problems by name; their modules (and torch) are imported only when one is built."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bounds.errors import unknown_name

if TYPE_CHECKING:
    from empirical.problems.base import Problem
    from empirical.problems.module import ModuleProblem


def _softmax_digits() -> Problem:
    from empirical.problems.digits import digits
    from empirical.problems.softmax import SoftmaxRegression

    return SoftmaxRegression("softmax-digits", *digits())


def _softmax_l2_digits() -> Problem:
    from empirical.problems.digits import digits
    from empirical.problems.softmax_l2 import SoftmaxL2

    return SoftmaxL2("softmax-l2-digits", *digits())


def _sigmoid_digits() -> Problem:
    from empirical.problems.digits import parity
    from empirical.problems.sigmoid import SigmoidLinear

    return SigmoidLinear("sigmoid-digits", *parity())


def _logistic_digits() -> Problem:
    from empirical.problems.digits import parity
    from empirical.problems.logistic import LogisticRegression

    return LogisticRegression("logistic-digits", *parity())


def _network_digits() -> Problem:
    from empirical.problems.digits import parity
    from empirical.problems.network import SmoothNetwork

    return SmoothNetwork("network-digits", *parity())


def _mlp_digits() -> Problem:
    from empirical.problems.digits import digits
    from empirical.problems.perceptron import Perceptron

    return Perceptron("mlp-digits", *digits(), hidden=(32,))


def _cnn_digits() -> Problem:
    from empirical.models import seeded, small_cnn
    from empirical.problems.digits import digits
    from empirical.problems.module import ModuleProblem

    features, labels = digits()
    return ModuleProblem("cnn-digits", seeded(lambda: small_cnn(side=8)), features.reshape(-1, 1, 8, 8), labels)


def _linear() -> Problem:
    from empirical.problems.linear import LinearLoss

    return LinearLoss("linear")


def _quadratic() -> Problem:
    from empirical.problems.quadratic import QuadraticLoss

    return QuadraticLoss("quadratic")


PROBLEMS: dict[str, Callable[[], Problem]] = {
    "softmax-digits": _softmax_digits,
    "softmax-l2-digits": _softmax_l2_digits,
    "sigmoid-digits": _sigmoid_digits,
    "logistic-digits": _logistic_digits,
    "network-digits": _network_digits,
    "mlp-digits": _mlp_digits,
    "cnn-digits": _cnn_digits,
    "linear": _linear,
    "quadratic": _quadratic,
}


def register(problem: ModuleProblem) -> str:
    """Make a problem of your own known to this process, and return the name under which a ``Run`` finds it.

    The name ends in a digest of everything that can change a number (module, source, start, samples, loss, layout), so a
    stored measurement is never taken for one of another model. Worker processes know only what their own code registers.
    """
    name = f"{problem.name}@{problem.fingerprint()[:16]}"
    PROBLEMS[name] = lambda: problem
    return name


def check_problem(name: str) -> None:
    """Raise UnknownNameError unless ``name`` is registered, without building anything."""
    if name not in PROBLEMS:
        raise unknown_name("problem", name, PROBLEMS)


def problem(name: str) -> Problem:
    """Build the problem called ``name`` in float64 on the CPU.

    Raises:
        UnknownNameError: for a name not in :data:`PROBLEMS`.
    """
    check_problem(name)
    return PROBLEMS[name]()
