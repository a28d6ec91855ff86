"""How far the nodes of walks spread while they are inside their basin."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from bounds.vocabulary import Readout
from empirical.exits.escape import Escape
from empirical.viewpoint import Viewpoint


@dataclass
class InsideSpread:
    """Spread along x_1 over the points where gradients are evaluated, a ``watch`` of :func:`empirical.exits.exit_times`.

    ``mean`` is the average of (1/m) sum_k (x_k - xbar)^2 over all readings: every walk still inside, every 32 steps.
    """

    escape: Escape
    total: float = 0.0
    readings: int = 0
    _viewpoint: Viewpoint = field(init=False)

    def __post_init__(self) -> None:
        self._viewpoint = Viewpoint(Readout.GRADIENT_POINT, self.escape.update_form, self.escape.mixing, self.escape.Q)

    def __call__(self, models: Tensor, walkers: int) -> None:
        points = self._viewpoint.points(models)[0]
        first = points.view(len(points), self.escape.potential.dimension, walkers)[:, 0]
        self.total += float(first.var(dim=0, correction=0).sum())
        self.readings += walkers

    @property
    def mean(self) -> float:
        """0 for one model, and nan before the first reading."""
        return self.total / self.readings if self.readings else float("nan")
