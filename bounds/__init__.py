"""Stability-based generalization and excess-risk bounds of decentralized learning, as data.

>>> import bounds
>>> bounds.get("dsgd_convex").evaluate(L=1, eta=0.05, T=1000, m=16, n=64)
0.09765625000000001
"""

from bounds.authoring import define, one_step
from bounds.bound import Bound, Reduction, Source
from bounds.certificate import Certificate, Witness, certify
from bounds.registry import entries, get
from bounds.setting import Constant, LossClass, Network, Schedule, Setting
from bounds.symbols import Symbol, symbol
from bounds.vocabulary import Direction, Kind, Quantity, Readout, UpdateForm

__all__ = [
    "Bound",
    "Certificate",
    "Constant",
    "Direction",
    "Kind",
    "LossClass",
    "Network",
    "Quantity",
    "Readout",
    "Reduction",
    "Schedule",
    "Setting",
    "Source",
    "Symbol",
    "UpdateForm",
    "Witness",
    "certify",
    "define",
    "entries",
    "get",
    "one_step",
    "symbol",
]
