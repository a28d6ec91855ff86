"""From the models of a network to the points that a readout looks at."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from bounds.errors import DomainError
from bounds.topology import MixingMatrix
from bounds.vocabulary import Readout, UpdateForm, word
from empirical.mixing import Mix, mixer

_ALL = (Readout.NODE_AVERAGE, Readout.NETWORK_MEAN, Readout.GRADIENT_POINT)


def network_mean(models: Tensor) -> Tensor:
    """Mean over the models' axis (second to last), 1/m, added up in one fixed order."""
    first, *others = models.unbind(-2)
    total = first.clone()
    for model in others:
        total += model
    return total.div_(models.shape[-2])


@dataclass(frozen=True)
class Viewpoint:
    """Which points of a network are looked at; whatever is read there is averaged over them (1/points).

    * ``network_mean``: the averaged model, one point.
    * ``node_average``: every node's model, m points; with ``node`` only that node's.
    * ``gradient_point``: the points where the next step evaluates its gradients, W^Q X for CTA and X for the other forms, m
      points; with ``node`` only that node's.

    Args:
        readout: one of these three. The worst node is none: it is the largest *expectation* over nodes, which one run has not.
        update_form, mixing, Q: needed for the gradient point only: the form, and for CTA its mixing matrix and gossip steps.
        node: 0..m-1, or None for all.

    Raises:
        DomainError: for any other readout, a node with the network mean, or a gradient point without its update form.
        UnknownNameError: for a readout or an update form that the vocabulary lacks.
    """

    readout: Readout
    update_form: UpdateForm | None = None
    mixing: MixingMatrix | None = None
    Q: int = 1
    node: int | None = None
    _mix: dict[tuple[torch.device, torch.dtype], Mix] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "readout", word(Readout, self.readout))
        if self.update_form is not None:
            object.__setattr__(self, "update_form", word(UpdateForm, self.update_form))
        if self.readout not in _ALL:
            raise DomainError(f"got readout={self.readout.value!r}, which no single run has; use {', '.join(r.value for r in _ALL)}")
        if self.node is not None and self.readout is Readout.NETWORK_MEAN:
            raise DomainError(f"got node={self.node!r} with readout='network_mean', which has no nodes; use node_average or gradient_point")
        if self.readout is Readout.GRADIENT_POINT and self.update_form is None:
            raise DomainError(
                "got readout='gradient_point' without update_form, on which it depends; give update_form (and mixing for cta)"
            )
        if self._mixed and self.mixing is None:
            raise DomainError("got readout='gradient_point' of CTA without mixing, where it is W^Q X; give the mixing matrix")

    @property
    def _mixed(self) -> bool:
        return self.readout is Readout.GRADIENT_POINT and self.update_form is UpdateForm.CTA

    def points(self, models: Tensor) -> Tensor:
        """The points (..., count, P) of networks ``models`` (..., m, P), in their dtype; count is m or 1.

        Raises:
            DomainError: when the node or the mixing matrix does not fit m.
        """
        m = models.shape[-2]
        if self.node is not None and not 0 <= self.node < m:
            raise DomainError(f"got node={self.node!r} of a network with {m} nodes; they are numbered 0..{m - 1}")
        if self.readout is Readout.NETWORK_MEAN:
            return network_mean(models).unsqueeze(-2)
        seen = self._gossiped(models) if self._mixed else models
        return seen if self.node is None else seen[..., self.node : self.node + 1, :]

    def _gossiped(self, models: Tensor) -> Tensor:
        assert self.mixing is not None
        if self.mixing.nodes != models.shape[-2]:
            raise DomainError(f"got a mixing matrix of {self.mixing.nodes} nodes for {models.shape[-2]} models; give that of this network")
        place = (models.device, models.dtype)
        if place not in self._mix:
            self._mix[place] = mixer(self.mixing.power(self.Q), *place, by_column=True)
        networks = models.reshape(-1, *models.shape[-2:])
        mixed = torch.empty_like(networks)
        self._mix[place](networks, mixed)
        return mixed.view(models.shape)
