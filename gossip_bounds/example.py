"""An ``evaluate`` command for a bound that runs, at a point where its assumptions hold if one is found."""

from __future__ import annotations

from typing import Any

from bounds.arrays import SPECTRA
from bounds.bound import Bound
from bounds.box import Point, admissible, between, default_box, is_admissible, is_integer
from bounds.box import readings as given_sets
from bounds.symbols import rank_of, symbol

_TYPICAL = {
    "T": 1000,
    "m": 16,
    "n": 64,
    "N": 1024,
    "eta": 0.05,
    "c": 2,
    "b": 1,
    "Q": 1,
    "gap": 0.5,
    "w_min": 0.25,
    "tau": 10,
    "convex": 1,
    "barrier": 0.02,
    "curvatures": [1.0, 1.0],
}
_NODES = 8


def example(bound: Bound, update_form: str | None = None, readout: str | None = None) -> str:
    """The command. A spectrum comes from a topology; every optional parameter that an assumption needs is given."""
    form = bound.form(update_form).value
    optional = [name for name in given_sets(bound, form)[0] if rank_of(name) < 2]
    names = (*bound.formula.required, *optional)
    start = {name: _value(bound, name) for name in names}
    point = _rounded(bound, admissible(bound, start, None, form) or start, form)
    words = [f"{name}={_text(value)}" for name, value in point.items() if name != "spectrum"]
    options = [f"m={_NODES}", "--topology", "ring"] if "spectrum" in point else []
    options += ["--update-form", form] if bound.form(None).value != form else []
    options += ["--readout", bound.readout(readout).value] if bound.readout(readout) is not bound.readout(None) else []
    return " ".join(["gossip-bounds", "evaluate", bound.id, *words, *options])


def _rounded(bound: Bound, point: Point, form: str) -> Point:
    """Two digits for every number that was moved, where the assumptions still hold."""
    for name, value in point.items():
        short = point | {name: float(f"{value:.2g}")} if isinstance(value, float) else point
        point = short if is_admissible(bound, short, form) else point
    return point


def _value(bound: Bound, name: str) -> Any:
    if name == "spectrum":
        return SPECTRA[f"ring {_NODES}"]
    if name in _TYPICAL:
        return _TYPICAL[name]
    if rank_of(name) == 1 and [1.0] in symbol(name).domain:
        return [1.0]
    if rank_of(name) == 0 and 1 in symbol(name).domain:
        return 1 if is_integer(name) else 1.0
    return between(name, *default_box(bound)[name], 0.5)


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return (";" if any(isinstance(entry, list | tuple) for entry in value) else ",").join(map(_text, value))
    return repr(int(value)) if float(value) == int(value) and abs(value) < 1e15 else repr(value)
