"""The four update forms as three matrices: what a step keeps, where gradients are taken, and where they go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bounds.errors import DomainError, LengthError
from bounds.setting import Schedule
from bounds.topology import MixingMatrix, validated
from bounds.vocabulary import UpdateForm, word

Array = NDArray[np.float64]


class Maps(NamedTuple):
    """A step X <- keep X - eta spread G(points X) on s models (rows of X), with m gradients.

    Shapes: keep (s, s), spread (s, m), points (m, s); s = m, or 1 for centralized SGD.
    """

    keep: Array
    spread: Array
    points: Array


@dataclass(frozen=True, eq=False, kw_only=True)
class Method:
    """One algorithm, on any problem.

    Attributes:
        update_form: centralized, atc, cta or consensus. Centralized SGD has one model and averages the gradients of the m
            nodes' batches, b samples from each (stratified sampling); give a pooled sample as one node.
        schedule: the learning rates of the steps 1, 2, ...
        mixing: W, doubly stochastic with entries >= 0, connected or not; not read for centralized SGD.
        Q: gossip steps per step. b: local batch, drawn with replacement.

    Raises:
        DomainError, MixingMatrixError, UnknownNameError: on construction, in one line.
    """

    update_form: UpdateForm
    schedule: Schedule
    mixing: MixingMatrix | ArrayLike | None = None
    Q: int = 1
    b: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "update_form", word(UpdateForm, self.update_form))
        for name, value in (("Q", self.Q), ("b", self.b)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise DomainError(f"got {name}={value!r}; {name} takes an integer >= 1")
        if self.update_form is not UpdateForm.CENTRALIZED:
            self._gossip()

    def _gossip(self) -> Array:
        if self.mixing is None:
            raise DomainError(f"got update_form={self.update_form.value!r} without a mixing matrix; give mixing, or use 'centralized'")
        W = self.mixing.matrix if isinstance(self.mixing, MixingMatrix) else validated(self.mixing)
        return np.linalg.matrix_power(W, self.Q)

    def maps(self, m: int) -> Maps:
        """The matrices of a step of ``m`` nodes.

        Raises:
            LengthError: when the mixing matrix has another number of nodes.
        """
        if self.update_form is UpdateForm.CENTRALIZED:
            return Maps(np.eye(1), np.full((1, m), 1 / m), np.ones((m, 1)))
        gossip, alone = self._gossip(), np.eye(m)
        if len(gossip) != m:
            raise LengthError(f"got a mixing matrix of {len(gossip)} nodes for gradients of {m} nodes; build it for {m} nodes")
        return {
            UpdateForm.ATC: Maps(gossip, gossip, alone),
            UpdateForm.CTA: Maps(gossip, alone, gossip),
            UpdateForm.CONSENSUS: Maps(gossip, alone, alone),
        }[self.update_form]
