"""Perceptrons with trainable layers under cross-entropy, every model's products batched by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bounds.errors import DomainError
from bounds.setting import LossClass
from empirical.models import perceptron, seeded
from empirical.models.perceptron import check_widths
from empirical.problems.base import ALIGNMENT, Problem, diameter, padded
from empirical.problems.blocks import Blocks

_PIECE = 1 << 22
"""Most numbers in one layer's activations while losses are read; a fixed cut, so that no bit depends on memory."""

_SMALL = 1 << 14


def _aligned(width: int) -> int:
    return width + -width % ALIGNMENT


def _add_products_(target: Tensor, left: Tensor, right: Tensor) -> None:
    """target += left @ right, in place, all (B, ., .); the way depends on the shape of one product only."""
    if target[0].numel() <= _SMALL:
        # torch takes products into a strided target one by one, which for small ones is most of the time.
        target.add_(torch.bmm(left, right))
    else:
        target.baddbmm_(left, right)


def _cross_entropies(scores: Tensor, labels: Tensor) -> Tensor:
    """(B, s) losses from scores (B, s, classes) and labels (B, s)."""
    return torch.logsumexp(scores, -1) - scores.gather(2, labels.unsqueeze(-1)).squeeze(2)


def _named_right(scores: Tensor, labels: Tensor) -> Tensor:
    return scores.argmax(-1) == labels


class Perceptron(Problem):
    r"""l(w; x, y) = log sum_c exp(f_c) - f_y, f = W_L a(... a(W_1 x + b_1) ...) + b_L, a = tanh or relu, all layers trainable.

    No constant is proved: the loss is not convex, and neither Lipschitz nor smooth on all of R^P.

    Every layer's width is rounded up to the alignment. Padding units have output a(0) = 0 and outgoing weights 0, and
    padding scores are left out of the loss, so all padding stays exactly 0.

    Args:
        features: (size, d) numbers. labels: (size,) integers 0..C-1.
        hidden: widths of the hidden layers. activation: tanh or relu.
        seed: of the common start, torch's default initialisation of :func:`empirical.models.perceptron`.

    Raises:
        DomainError, UnknownNameError: for other widths, labels or activations.
    """

    def __init__(
        self,
        name: str,
        features: NDArray[np.float64],
        labels: NDArray[np.int64],
        hidden: Sequence[int] = (32,),
        activation: str = "tanh",
        seed: int = 0,
    ) -> None:
        self.labels = np.array(labels, dtype=np.int64)
        if self.labels.shape != (len(features),) or self.labels.min() < 0:
            raise DomainError(f"got labels of shape {self.labels.shape} for {len(features)} samples; give one integer >= 0 for each")
        self.widths = (int(features.shape[1]), *hidden, int(self.labels.max()) + 1)
        check_widths(self.widths, activation)
        self.activation = activation
        self.blocks = Blocks(self._shapes())
        super().__init__(name, padded(np.asarray(features, dtype=np.float64), 1), (self.blocks.width,))
        self._labels = torch.from_numpy(self.labels)
        self._one_hot = torch.nn.functional.one_hot(self._labels, _aligned(self.widths[-1])).to(torch.float64)
        self.start = self._initial(seed)

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        shapes: dict[str, tuple[int, ...]] = {}
        for layer, (fan_in, fan_out) in enumerate(pairwise(map(_aligned, self.widths))):
            shapes |= {f"{layer}.weight": (fan_out, fan_in), f"{layer}.bias": (fan_out,)}
        return shapes

    def drawn(self, generator: np.random.Generator) -> NDArray[np.float64]:
        """torch's default initialisation, as of the common start, from a seed that ``generator`` draws."""
        return self._initial(int(generator.integers(2**31)))

    def _initial(self, seed: int) -> NDArray[np.float64]:
        module = seeded(lambda: perceptron(self.widths, self.activation), seed)
        return self.from_module({name: value.detach().double()[None] for name, value in module.named_parameters()})[0].numpy()

    def from_module(self, parameters: dict[str, Tensor]) -> Tensor:
        """Flat weights (B, P) from the parameters (B, *shape) of :func:`empirical.models.perceptron`, by their names."""
        count, wide = len(next(iter(parameters.values()))), {}
        for (name, shape), given in zip(self.blocks.shapes.items(), parameters.values(), strict=True):
            wide[name] = given.new_zeros((count, *shape))
            wide[name][(slice(None), *map(slice, given.shape[1:]))] = given
        return self.blocks.flat(wide)

    def to_module(self, weights: Tensor) -> dict[str, Tensor]:
        """The inverse of :meth:`from_module`."""
        found = {}
        for name, view in self.blocks.views(weights).items():
            layer, kind = name.split(".")
            fan_in, fan_out = self.widths[int(layer) : int(layer) + 2]
            found[f"{2 * int(layer)}.{kind}"] = view[:, :fan_out] if kind == "bias" else view[:, :fan_out, :fan_in]
        return found

    def to(self, device: torch.device, dtype: torch.dtype) -> Self:
        moved = super().to(device, dtype)
        moved._labels, moved._one_hot = self._labels.to(device), self._one_hot.to(device, dtype)
        return moved

    def scratch(self, b: int) -> int:
        return b * (_aligned(self.widths[0]) + 4 * sum(map(_aligned, self.widths[1:])))

    def _layers(self, weights: Tensor) -> list[tuple[Tensor, Tensor]]:
        views = list(self.blocks.views(weights).values())
        return list(zip(views[::2], views[1::2], strict=True))

    def _forward(self, layers: list[tuple[Tensor, Tensor]], x: Tensor) -> list[Tensor]:
        """Inputs of every layer, then the scores: (B, s, width) each."""
        values = [x]
        for number, (matrix, bias) in enumerate(layers):
            out = torch.baddbmm(bias.unsqueeze(1), values[-1], matrix.transpose(1, 2))
            if number + 1 < len(layers):
                out = out.tanh_() if self.activation == "tanh" else out.clamp_min_(0)
            values.append(out)
        return values

    def _sloped(self, delta: Tensor, outputs: Tensor) -> Tensor:
        """``delta``, perhaps overwritten, times the activation's derivative, told from its ``outputs``."""
        if self.activation == "tanh":
            return delta.addcmul_(delta * outputs, outputs, value=-1)
        sloped: Tensor = torch.ops.aten.threshold_backward(delta, outputs, 0)
        return sloped

    def add_gradient_(self, target: Tensor, weights: Tensor, indices: Tensor, scale: float) -> None:
        count, b = indices.shape
        x = self._x.index_select(0, indices.reshape(-1)).view(count, b, -1)
        layers = self._layers(weights)
        *inputs, scores = self._forward(layers, x)
        # All deltas are taken before any weight moves: target may be weights itself.
        deltas = [self._residuals(scores, indices).mul_(scale / b)]
        for (matrix, _), outputs in zip(layers[:0:-1], inputs[:0:-1], strict=True):
            deltas.insert(0, self._sloped(torch.bmm(deltas[0], matrix), outputs))
        for (matrix, bias), delta, given in zip(self._layers(target), deltas, inputs, strict=True):
            _add_products_(matrix, delta.transpose(1, 2), given)
            bias.add_(delta.sum(1))

    def _residuals(self, scores: Tensor, indices: Tensor) -> Tensor:
        """p - e_y in place of the scores (B, b, width), and 0 in place of the padding."""
        # Over the whole width, because torch takes the exponentials of a strided slice one by one.
        scores[..., self.widths[-1] :] = -torch.inf
        scores.sub_(scores.amax(-1, keepdim=True)).exp_()
        scores.div_(scores.sum(-1, keepdim=True))
        return scores.sub_(self._one_hot.index_select(0, indices.reshape(-1)).view(scores.shape))

    def losses(self, weights: Tensor, indices: Tensor | None = None) -> Tensor:
        return self._read(_cross_entropies, weights, indices)

    def hits(self, weights: Tensor, indices: Tensor | None = None) -> Tensor:
        return self._read(_named_right, weights, indices)

    def _read(self, of: Callable[[Tensor, Tensor], Tensor], weights: Tensor, indices: Tensor | None) -> Tensor:
        return torch.cat([self._pieces(of, row, None if indices is None else indices[k]) for k, row in enumerate(weights)])

    def _pieces(self, of: Callable[[Tensor, Tensor], Tensor], row: Tensor, indices: Tensor | None) -> Tensor:
        """(1, s) values of one model, in pieces of the samples: the population may be large, and bits must not depend on B."""
        layers = self._layers(row.unsqueeze(0))
        rows = max(ALIGNMENT, _PIECE // _aligned(max(self.widths)))
        count = self.size if indices is None else len(indices)
        pieces = []
        for start in range(0, count, rows):
            chosen = slice(start, min(start + rows, count)) if indices is None else indices[start : start + rows]
            scores = self._forward(layers, self._x[chosen].unsqueeze(0))[-1][..., : self.widths[-1]]
            pieces.append(of(scores, self._labels[chosen].view(1, -1)))
        return torch.cat(pieces, 1)

    def loss_class(self, radius: float | None = None, training_indices: NDArray[np.int64] | None = None) -> LossClass:
        layers = "-".join(map(str, self.widths))
        return LossClass(name=f"{self.activation} perceptron {layers} on {self.name}", convex=False, diameter=diameter(radius))
