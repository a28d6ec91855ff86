"""What the claims of the multi-gossip paper share: their paper, the requests of their runs, and the problems they use."""

from __future__ import annotations

from collections.abc import Callable

from bounds.vocabulary import Quantity, Readout
from verify.case import Case
from verify.claims.core import Budget

PAPER = "li2025"
#: Builds the cases of one claim from a budget, a master seed and a device.
Build = Callable[[Budget, int, str], list[Case]]

GENERALIZATION = (Quantity.GENERALIZATION_ERROR, Readout.NODE_AVERAGE)
STABILITY = (Quantity.L1_STABILITY, Readout.NODE_AVERAGE)
DISTANCE = (Quantity.CONSENSUS_DISTANCE, Readout.NODE_AVERAGE)

#: Convex, non-convex and bounded, and a two-layer network; the paper's step sizes c/t go with the last two.
PROBLEMS = ("softmax-digits", "sigmoid-digits", "network-digits")
