"""Stability-based generalization and excess-risk bounds of decentralized learning, as data.

>>> import bounds
>>> f'{bounds.get("dsgd_convex").evaluate(L=1, eta=0.05, T=1000, m=16, n=64):.6e}'
'9.765625e-02'
"""

from typing import TYPE_CHECKING, Any

from bounds.assumptions import Condition
from bounds.authoring import define, one_step
from bounds.bound import Bound, Reduction, Source
from bounds.calibration import Calibration, calibrate
from bounds.certificates import Certificate, Witness, certify
from bounds.formula import Let
from bounds.own import load
from bounds.rates import Limit, Rate, limit, rate
from bounds.registry import entries, get
from bounds.setting import Constant, LossClass, Network, Schedule, Setting
from bounds.symbols import Array, Domain, Symbol, register, symbol
from bounds.vocabulary import Direction, Kind, Quantity, Readout, UpdateForm

if TYPE_CHECKING:
    from bounds.comparison import Comparison, Crossing, Plane, compare, crossover

# Loaded when asked for: they need numpy and Arb, which a plain evaluation does not.
_LATER = frozenset({"Comparison", "Crossing", "Plane", "compare", "crossover"})

__all__ = [
    "Array",
    "Bound",
    "Calibration",
    "Certificate",
    "Comparison",
    "Condition",
    "Constant",
    "Crossing",
    "Direction",
    "Domain",
    "Kind",
    "Let",
    "Limit",
    "LossClass",
    "Network",
    "Plane",
    "Quantity",
    "Rate",
    "Readout",
    "Reduction",
    "Schedule",
    "Setting",
    "Source",
    "Symbol",
    "UpdateForm",
    "Witness",
    "calibrate",
    "certify",
    "compare",
    "crossover",
    "define",
    "entries",
    "get",
    "limit",
    "load",
    "one_step",
    "rate",
    "register",
    "symbol",
]


def __getattr__(name: str) -> Any:
    if name in _LATER:
        import bounds.comparison

        return getattr(bounds.comparison, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
