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
COMMON_START = Property("common_start")
#: What the first steps cost when the replaced sample is drawn in them: at most M.
BOUNDED = Property("bounded_loss")
NONNEGATIVE_LOSS = Property("nonnegative_loss")
GOSSIP = (Property("doubly_stochastic"), Property("nonnegative"), COMMON_START, UNIFORM)
BATCH = Condition("b <= n")
#: Where the real minimiser of the relaxed non-convex bounds, their definition ``start``, is a step of the run.
RELAXED_RANGE = (Condition("1 <= start"), Condition("start <= T"))

RELAXED = (
    "The product is at most (T/t0)^(beta c), its -1 is dropped, and then t0 is the real minimiser t0*. Rounding t0* needs no extra term: as "
    "1 + (k+1-s) beta c/(k+1) <= ((k+1)/s)^(beta c) for k <= s <= k+1, the product interpolated linearly between the integers is still at "
    "most (T/s)^(beta c), and the better one of the two neighbouring integers is no worse than a mean of both."
)
RELAXED_OUTSIDE = "Outside 1 <= t0* <= T the value is still a bound, but then t0 = 0 or t0 = T is the better choice."
WHOLE_GRAPH = "so averaged over the replaced sample every fixed node has the same bound."


def hardt2016(result: str, derivation: str, latex: str) -> Source:
    """A result of Hardt, Recht and Singer (2016)."""
    return Source("hardt2016", f"Hardt, Recht, Singer (2016), {result} (arXiv 1509.01240)", derivation, "known", latex)


def lebars2024(case: str, derivation: str, latex: str) -> Source:
    """A result of Le Bars et al. (2024), re-derived here because the theorem itself was not read."""
    result = f"Le Bars, Bellet, Tommasi, Scaman, Neglia (2024), {case} case (arXiv 2306.02939)"
    return Source("lebars2024", result, derivation, "recalled", latex)


#: Why the direction of a sum over a whole spectrum in Q may be open.
ALTERNATING = (
    "powers l^Q of negative eigenvalues alternate in sign, which no argument here covers; no step up or down against the trend was found"
)
#: Why the direction in the gradients at the minimum is open.
SIGNED = "its entries have signs: a sum of their squares falls while a negative entry rises, and the default box has positive ones only"
