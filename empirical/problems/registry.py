"""Training problems by name; their modules (and torch) are imported only when one is built.

A loss on an image set is called LOSS-SET: ``softmax-digits``, or ``softmax-mnist:train:5000`` on a population that
:mod:`empirical.data.population` describes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bounds.errors import unknown_name
from empirical.data.population import Population, features_of
from empirical.data.sets import SETS

if TYPE_CHECKING:
    from empirical.problems.base import Problem
    from empirical.problems.module import ModuleProblem

#: Images of this many pixels or more get the wider hidden layer.
_LARGE, _HIDDEN = 784, 64
Labelled = tuple[NDArray[np.float64], NDArray[np.int64]]


def _softmax(name: str, data: Labelled) -> Problem:
    from empirical.problems.softmax import SoftmaxRegression

    return SoftmaxRegression(name, *data)


def _softmax_l2(name: str, data: Labelled) -> Problem:
    from empirical.problems.softmax_l2 import SoftmaxL2

    return SoftmaxL2(name, *data)


def _sigmoid(name: str, data: Labelled) -> Problem:
    from empirical.problems.digits import parity
    from empirical.problems.sigmoid import SigmoidLinear

    return SigmoidLinear(name, data[0], parity(data[1]))


def _logistic(name: str, data: Labelled) -> Problem:
    from empirical.problems.digits import parity
    from empirical.problems.logistic import LogisticRegression

    return LogisticRegression(name, data[0], parity(data[1]))


def _network(name: str, data: Labelled) -> Problem:
    from empirical.problems.digits import parity
    from empirical.problems.network import SmoothNetwork

    return SmoothNetwork(name, data[0], parity(data[1]))


def _mlp(name: str, data: Labelled) -> Problem:
    from empirical.problems.perceptron import Perceptron

    return Perceptron(name, *data, hidden=(_HIDDEN if data[0].shape[1] >= _LARGE else _HIDDEN // 2,))


def _cnn(name: str, data: Labelled) -> Problem:
    from empirical.models import seeded, small_cnn
    from empirical.problems.module import ModuleProblem

    images = as_images(data[0])
    return ModuleProblem(name, seeded(lambda: small_cnn(channels=images.shape[1], side=images.shape[2])), images, data[1])


def as_images(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows of square images, of one channel or of three that lie together pixel by pixel, as (size, channels, side, side)."""
    size, width = features.shape
    channels = 1 if math.isqrt(width) ** 2 == width else 3
    side = math.isqrt(width // channels)
    return np.ascontiguousarray(features.reshape(size, side, side, channels).transpose(0, 3, 1, 2))


LOSSES: dict[str, Callable[[str, Labelled], Problem]] = {
    "softmax": _softmax,
    "softmax-l2": _softmax_l2,
    "sigmoid": _sigmoid,
    "logistic": _logistic,
    "network": _network,
    "mlp": _mlp,
    "cnn": _cnn,
}
"""Losses and models on labelled images; ``sigmoid``, ``logistic`` and ``network`` tell even classes from odd ones."""


def _on_digits(loss: str) -> Problem:
    from empirical.problems.digits import digits

    return LOSSES[loss](f"{loss}-digits", digits())


def _linear() -> Problem:
    from empirical.problems.linear import LinearLoss

    return LinearLoss("linear")


def _quadratic() -> Problem:
    from empirical.problems.quadratic import QuadraticLoss

    return QuadraticLoss("quadratic")


PROBLEMS: dict[str, Callable[[], Problem]] = {
    **{f"{loss}-digits": partial(_on_digits, loss) for loss in LOSSES},
    "linear": _linear,
    "quadratic": _quadratic,
}
"""Problems that need nothing but this package; :func:`problem` builds those on other image sets as well."""


def _on_images(name: str) -> tuple[str, str] | None:
    """The loss and the population's text in a problem's name LOSS-SET..., None for any other name."""
    parts = [(loss, name.removeprefix(f"{loss}-")) for loss in LOSSES if name.startswith(f"{loss}-") and name not in PROBLEMS]
    return next(((loss, text) for loss, text in parts if text.partition(":")[0] in SETS), None)


def register(problem: ModuleProblem) -> str:
    """Make a problem of your own known to this process, and return the name under which a ``Run`` finds it.

    The name ends in a digest of everything that can change a number (module, source, start, samples, loss, layout), so a
    stored measurement is never taken for one of another model. Worker processes know only what their own code registers.
    """
    name = f"{problem.name}@{problem.fingerprint()[:16]}"
    PROBLEMS[name] = lambda: problem
    return name


def check_problem(name: str) -> None:
    """Check a problem's name without building anything.

    Raises:
        UnknownNameError: for a name that :func:`problem` does not know. DomainError: for a population written wrongly.
    """
    found = _on_images(name)
    if found is not None:
        Population.parse(found[1])
    elif name not in PROBLEMS:
        raise unknown_name("problem", name, [*PROBLEMS, *(f"{loss}-{images}" for loss in LOSSES for images in SETS)])


def data_checksums(name: str) -> dict[str, str]:
    """By name, the checksum of the data set that the problem called ``name`` reads from a folder; empty when it reads none."""
    found = _on_images(name)
    if found is None:
        return {}
    known = SETS[found[1].partition(":")[0]]
    return {known.name: f"sha256:{known.checksum}"}


def problem(name: str) -> Problem:
    """Build the problem called ``name`` in float64 on the CPU.

    Raises:
        UnknownNameError, DomainError: see :func:`check_problem`, and for a population of too few or too many images.
        MissingDataError, InputFileError: when its data set is absent or damaged.
    """
    check_problem(name)
    found = _on_images(name)
    if found is None:
        return PROBLEMS[name]()
    return LOSSES[found[0]](name, features_of(Population.parse(found[1])))
