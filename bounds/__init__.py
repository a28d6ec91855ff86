"""Stability-based generalization and excess-risk bounds of decentralized learning, as data.

>>> import bounds
>>> f'{bounds.get("dsgd_convex").evaluate(L=1, eta=0.05, T=1000, m=16, n=64):.6e}'
'9.765625e-02'
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bounds.assumptions import Condition
from bounds.bound import Bound, Reduction, Source
from bounds.formula import Let
from bounds.registry import entries, get
from bounds.setting import Constant, LossClass, Network, Schedule, Setting
from bounds.symbols import Array, Domain, Symbol, register, symbol
from bounds.vocabulary import Direction, Kind, Quantity, Readout, UpdateForm

if TYPE_CHECKING:
    from bounds.authoring import define, one_step
    from bounds.calibration import Calibration, GossipSteps, calibrate, gossip_table
    from bounds.certificates.certificate import Certificate, Witness
    from bounds.certificates.certify import certify
    from bounds.comparison.compare import compare
    from bounds.comparison.comparison import Comparison, Crossing
    from bounds.comparison.plane import Plane, crossover
    from bounds.own import load
    from bounds.rates.limit import Limit, limit
    from bounds.rates.rate import Rate, rate

# Loaded when asked for: a plain evaluation does not need them.
_LATER = {
    **dict.fromkeys(("define", "one_step"), "bounds.authoring"),
    **dict.fromkeys(("Calibration", "GossipSteps", "calibrate", "gossip_table"), "bounds.calibration"),
    **dict.fromkeys(("Certificate", "Witness", "certify"), "bounds.certificates"),
    **dict.fromkeys(("Comparison", "Crossing", "Plane", "compare", "crossover"), "bounds.comparison"),
    "load": "bounds.own",
    **dict.fromkeys(("Limit", "Rate", "limit", "rate"), "bounds.rates"),
}

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
    "GossipSteps",
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
    "gossip_table",
    "limit",
    "load",
    "one_step",
    "rate",
    "register",
    "symbol",
]


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_LATER[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
