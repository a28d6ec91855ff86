"""The default box of parameters in which bounds are tested, certified and compared."""

from __future__ import annotations

from bounds.bound import Bound

Box = dict[str, tuple[float, float]]

_RANGES: Box = {
    "T": (1, 10**6),
    "m": (2, 1024),
    "n": (2, 10**6),
    "N": (2, 10**6),
    "b": (1, 1024),
    "Q": (1, 100),
    "gap": (1e-4, 1),
    "w_min": (1e-4, 1),
    "convex": (0, 1),
}
_CONSTANT = (1e-2, 1e2)


def default_box(bound: Bound) -> Box:
    """Ranges of every parameter of ``bound``: T 1..1e6, m 2..1024, n 2..1e6, gap 1e-4..1, Q 1..100, constants 1e-2..1e2.

    Steps range over their admissible part of 1e-2..1e2; see :func:`admissible`.
    """
    return {name: _RANGES.get(name, _CONSTANT) for name in bound.formula.parameters}


def admissible(bound: Bound, values: dict[str, float], update_form: str | None = None) -> dict[str, float] | None:
    """``values`` with the step size shrunk by powers of 4 until every assumption holds; None when no step helps.

    Conditions on the step hold for all small enough steps, so this reaches the whole admissible range of eta.
    """
    trial = dict(values)
    for _ in range(60):
        if not any(outcome.holds is False for outcome in bound.assess(trial, update_form)):
            return trial
        if "eta" not in trial:
            return None
        trial["eta"] /= 4
    return None
