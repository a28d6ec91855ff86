"""What several families share: the stability assumptions of D-SGD, directions, and where the results come from."""

from __future__ import annotations

from bounds.assumptions import Condition, Property
from bounds.bound import Source
from bounds.vocabulary import Direction, Readout, UpdateForm

UP, DOWN, FLAT, MIXED = Direction.INCREASING, Direction.DECREASING, Direction.CONSTANT, Direction.MIXED
DECENTRALIZED = (UpdateForm.ATC, UpdateForm.CTA, UpdateForm.CONSENSUS)
EVERY_READOUT = (Readout.NODE_AVERAGE, Readout.NETWORK_MEAN, Readout.GRADIENT_POINT, Readout.WORST_NODE)
#: Not the worst node: over nodes, only the average of the twin distances obeys the recursion.
AVERAGED = (Readout.NODE_AVERAGE, Readout.NETWORK_MEAN, Readout.GRADIENT_POINT)

CONVEX = Property("convex")
UNIFORM = Property("uniform_sampling")
GOSSIP = (Property("doubly_stochastic"), Property("nonnegative"), Property("common_start"), UNIFORM)
BATCH = Condition("b <= n")

WHOLE_GRAPH = "so averaged over the replaced sample every fixed node has the same bound."


def hardt2016(result: str, derivation: str) -> Source:
    """A result of Hardt, Recht and Singer (2016)."""
    return Source("hardt2016", f"Hardt, Recht, Singer (2016), {result} (arXiv 1509.01240)", derivation, "known")


def lebars2024(case: str, derivation: str) -> Source:
    """A result of Le Bars et al. (2024), re-derived here because the theorem itself was not read."""
    result = f"Le Bars, Bellet, Tommasi, Scaman, Neglia (2024), {case} case (arXiv 2306.02939)"
    return Source("lebars2024", result, derivation, "recalled")
