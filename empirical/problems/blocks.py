"""Named parameter tensors inside one flat weight vector, every tensor on an aligned offset."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from empirical.problems.base import ALIGNMENT


class Blocks:
    """Where each named tensor lies in a flat vector of ``width`` numbers, a multiple of the alignment.

    The numbers between the tensors belong to none of them: they start at 0, no gradient reaches them, and they stay 0.

    Args:
        shapes: the tensors' shapes by name, in their order.
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self.shapes = {name: tuple(shape) for name, shape in shapes.items()}
        self.places: dict[str, slice] = {}
        end = 0
        for name, shape in self.shapes.items():
            self.places[name] = slice(end, end + math.prod(shape))
            end += math.prod(shape) + -math.prod(shape) % ALIGNMENT
        self.width = end

    def views(self, flat: Tensor) -> dict[str, Tensor]:
        """The tensors (B, *shape) of ``flat`` (B, P), as views."""
        return {name: flat[:, place].view(len(flat), *self.shapes[name]) for name, place in self.places.items()}

    def flat(self, tensors: Mapping[str, Tensor]) -> Tensor:
        """Tensors (B, *shape) by name as one (B, P) tensor."""
        first = next(iter(tensors.values()))
        result = torch.zeros((len(first), self.width), dtype=first.dtype, device=first.device)
        for name, place in self.places.items():
            result[:, place] = tensors[name].reshape(len(first), -1)
        return result

    def add_(self, flat: Tensor, tensors: Mapping[str, Tensor], scale: float) -> None:
        """flat += scale * tensors, in place, name by name; (B, P) and (B, *shape)."""
        for name, view in self.views(flat).items():
            view.add_(tensors[name], alpha=scale)
