"""Gradients of strided convolutional networks by hand: convolutions as one matrix product each, on images taken apart into phases.

A convolution with 3x3 filters, stride 2 and padding 1 reads every second pixel, so an image is kept as its *phases*: with P
phases along each side, phase (a, a') holds the pixels (P i + a, P k + a') on a grid of its own. A stage turns 2p phases a side
into p, and the last stage leaves one, the plain image. Output (i, k) of phase (a, a') reads the pixels 2 (p i + a) + t - 1,
t = 0, 1, 2, of the input: grid row i of the phases 2a + t - 1,
or row i - 1 of the last phase for 2a + t = 0. A row back is a shift of the whole flat tensor, so the copies that a product
needs are a few long stretches, instead of one short row for each filter tap and image row.

Tensors are (B copies, phases, phases, channels, b samples, G grid places).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise, product

import torch
from torch import Tensor, nn

_TOGETHER = 16
"""Copies that share each operation: enough to pay for the call, few enough to stay near a core's cache."""


def norms_of(module: nn.Module, sample: Sequence[int]) -> list[nn.GroupNorm] | None:
    """The group norms of a network that :func:`phased` takes, None for any other.

    That is an ``nn.Sequential`` of Conv2d (3x3, stride 2, padding 1, bias), affine GroupNorm and ReLU, repeated L >= 1 times, then
    Flatten and Linear with bias, on a ``sample`` (channels, height, width) whose sides are multiples of 2^L.
    """
    layers = list(module) if type(module) is nn.Sequential else []
    count = (len(layers) - 2) // 3
    if count < 1 or len(layers) != 3 * count + 2 or len(sample) != 3 or any(side % 2**count for side in sample[1:]):
        return None
    *stages, flatten, linear = layers
    norms = [norm for norm in stages[1::3] if type(norm) is nn.GroupNorm and norm.affine]
    plain = type(flatten) is nn.Flatten and (flatten.start_dim, flatten.end_dim) == (1, -1)
    fits = plain and type(linear) is nn.Linear and linear.bias is not None
    rectified = all(type(layer) is nn.ReLU for layer in stages[2::3])
    return norms if fits and rectified and len(norms) == count and all(map(_halves, stages[::3])) else None


def _halves(layer: nn.Module) -> bool:
    if type(layer) is not nn.Conv2d or layer.bias is None:
        return False
    shape = (layer.kernel_size, layer.stride, layer.padding, layer.dilation, layer.groups, layer.padding_mode)
    return shape == ((3, 3), (2, 2), (1, 1), (1, 1), 1, "zeros")


class Grid:
    """The height x width places of one phase, G of them row by row."""

    def __init__(self, height: int, width: int) -> None:
        self.shape, self.size = (height, width), height * width

    def places(self, tensor: Tensor) -> Tensor:
        """The view (..., height, width) of (..., G)."""
        return tensor.view(*tensor.shape[:-1], *self.shape)

    def windows(self, copies: int, p: int, channels: int, b: int, like: Tensor) -> Tensor:
        """Room for the input of a stage with p phases out, (B, 2p + 1, 2p + 1, channels, b, G): index k stands for the pixels
        k - 1 of every 2p, so [:, 1:, 1:] are the phases, and the rest is theirs one grid row or column back.
        """
        return like.new_empty((copies, 2 * p + 1, 2 * p + 1, channels, b, self.size))

    def _shifts(self, windows: Tensor) -> list[tuple[Tensor, Tensor, int]]:
        """Pairs (shifted, phases) of flat views (..., b G), and how far."""
        flat = windows.flatten(-2)
        width = self.shape[1]
        return [(flat[:, 1:, 0], flat[:, 1:, -1], 1), (flat[:, 0, 1:], flat[:, -1, 1:], width), (flat[:, 0, 0], flat[:, -1, -1], width + 1)]

    def _clear_borders_(self, windows: Tensor) -> None:
        """Set to 0 what stands before the image: a long shift has taken it from another row or sample."""
        places = self.places(windows)
        places[:, :, 0, ..., 0] = 0
        places[:, 0, ..., 0, :] = 0

    def fill_(self, windows: Tensor) -> Tensor:
        """Copy the phases that stand in ``windows`` one row or column on."""
        for shifted, phases, places in self._shifts(windows):
            shifted[..., places:] = phases[..., :-places]
        self._clear_borders_(windows)
        return windows

    def fold_(self, windows: Tensor) -> Tensor:
        """The transpose of :meth:`fill_`: add what the copies received to the phases, which are returned."""
        self._clear_borders_(windows)
        for shifted, phases, places in self._shifts(windows):
            phases[..., :-places].add_(shifted[..., places:])
        return windows[:, 1:, 1:]


@dataclass
class Stage:
    """One convolution, group norm and relu of B copies, p phases out.

    Args:
        weights: the convolution's (B, out, in, 3, 3) and (B, out). scales: the group norm's weight and bias, (B, out).
    """

    grid: Grid
    p: int
    weights: tuple[Tensor, Tensor]
    scales: tuple[Tensor, Tensor]
    groups: int
    eps: float

    def __post_init__(self) -> None:
        self.copies, self.out, self.fan_in = self.weights[0].shape[:3]
        self.count = self.p**2 * self.grid.size

    def _taps(self, dense: Tensor) -> list[Tensor]:
        """For each output phase, the view (B, 3, 3, in, out) of its filter in ``dense`` (B, 2p+1, 2p+1, in, p, p, out)."""
        places = product(range(self.p), repeat=2)
        return [dense[:, 2 * a : 2 * a + 3, 2 * c : 2 * c + 3, :, a, c] for a, c in places]

    def _matrix(self) -> Tensor:
        """(B, (2p+1)^2 in, p^2 out): every output phase's filter at its place in the window."""
        side = 2 * self.p + 1
        dense = self.weights[0].new_zeros(self._dense_shape())
        for view in self._taps(dense):
            view.copy_(self.weights[0].permute(0, 3, 4, 2, 1))
        return dense.view(self.copies, side**2 * self.fan_in, -1)

    def _by_group(self, tensor: Tensor) -> Tensor:
        """(B, out) or (B, out, b) as (B, groups, channels of a group, 1 or b)."""
        return tensor.reshape(self.copies, self.groups, self.out // self.groups, -1)

    def _wide(self, tensor: Tensor) -> Tensor:
        """(B, groups, channels or 1, b) as it multiplies (B, p, p, out, b, G)."""
        shape = (self.copies, self.groups, self.out // self.groups, tensor.shape[-1])
        return tensor.expand(shape).reshape(self.copies, 1, 1, self.out, -1, 1)

    def _sums(self, tensor: Tensor) -> Tensor:
        """(B, p, p, out, b, G) summed over phases and pixels, (B, groups, channels, b)."""
        return self._by_group(tensor.sum(-1).sum((1, 2)))

    def forward(self, windows: Tensor, out: Tensor) -> None:
        """Write the outputs for ``windows`` into ``out`` (B, p, p, out, b, G)."""
        self.windows, self.outputs = windows.view(self.copies, -1, windows.shape[-2:].numel()), out
        self.matrix = self._matrix()
        y = torch.bmm(self.matrix.transpose(1, 2), self.windows).view(out.shape)
        bias, (weight, shift) = self._by_group(self.weights[1]), self.scales
        sums = self._sums(y)
        # The convolution's bias is only added to the mean that group norm takes off.
        centre = (sums / self.count + bias).mean(2, keepdim=True) - bias
        self.centred = y.sub_(self._wide(centre))
        self.offsets = sums - self.count * centre
        variance = self._sums(y.square()).mean(2, keepdim=True) / self.count
        self.inverse = (variance + self.eps).rsqrt()
        self.gain = self._wide(self._by_group(weight) * self.inverse)
        torch.addcmul(shift.view(self.copies, 1, 1, self.out, 1, 1), self.centred, self.gain, out=out)
        out.clamp_min_(0)

    def backward(self, received: Tensor, wanted: bool) -> tuple[list[Tensor], Tensor | None]:
        """Gradients of (filters, bias, scale, shift), and of the windows' phases where ``wanted``, from that of the outputs.

        With y the centred values, r = 1/sqrt(variance + eps), d the gradient behind the relu and g the scales, means over a group:
        dy = r (g d - mean(g d) - y r^2 mean(g d y)).
        """
        d: Tensor = torch.ops.aten.threshold_backward(received, self.outputs, 0)
        weight, inverse = self._by_group(self.scales[0]), self.inverse
        plain, along = self._sums(d), self._sums(d * self.centred)
        first = (weight * plain).mean(2, keepdim=True) / self.count * inverse
        second = (weight * along).mean(2, keepdim=True) / self.count * inverse**3
        d.mul_(self.gain).addcmul_(self.centred, self._wide(second), value=-1).sub_(self._wide(first))
        bias = weight * inverse * plain - self.count * first - self.offsets * second
        flat = d.view(self.copies, -1, self.windows.shape[-1])
        products = torch.bmm(self.windows, flat.transpose(1, 2))
        filters = reduce(torch.add, self._taps(products.view(self._dense_shape())))
        small = [tensor.sum(-1).flatten(1) for tensor in (bias, along * inverse, plain)]
        found = [filters.permute(0, 4, 3, 1, 2), *small]
        if not wanted:
            return found, None
        below = torch.bmm(self.matrix, flat).view(self.copies, *2 * (2 * self.p + 1,), self.fan_in, *d.shape[-2:])
        return found, self.grid.fold_(below)

    def _dense_shape(self) -> tuple[int, ...]:
        return (self.copies, *2 * (2 * self.p + 1,), self.fan_in, self.p, self.p, self.out)


@torch.inference_mode()
def phased(
    module: nn.Module, loss: Callable[[Tensor, Tensor], Tensor], parameters: dict[str, Tensor], x: Tensor, y: Tensor
) -> dict[str, Tensor]:
    """The gradients of :data:`empirical.layouts.Gradients` for a module that :func:`norms_of` takes, a few copies at a time."""
    pieces = []
    for start in range(0, len(x), _TOGETHER):
        chosen = slice(start, start + _TOGETHER)
        pieces.append(_gradients(module, loss, {name: stack[chosen] for name, stack in parameters.items()}, x[chosen], y[chosen]))
    return pieces[0] if len(pieces) == 1 else {name: torch.cat([piece[name] for piece in pieces]) for name in parameters}


def _stages(grid: Grid, norms: list[nn.GroupNorm], given: list[Tensor]) -> list[Stage]:
    """From the stages' parameters in order, four each."""
    fours = [given[start : start + 4] for start in range(0, 4 * len(norms), 4)]
    return [
        Stage(grid, 2**left, (filters, bias), (weight, shift), norm.num_groups, norm.eps)
        for left, norm, (filters, bias, weight, shift) in zip(reversed(range(len(norms))), norms, fours, strict=True)
    ]


def _gradients(
    module: nn.Module, loss: Callable[[Tensor, Tensor], Tensor], parameters: dict[str, Tensor], x: Tensor, y: Tensor
) -> dict[str, Tensor]:
    norms = norms_of(module, x.shape[2:])
    assert norms is not None
    copies, b, channels, height, width = x.shape
    phases, given = 2 ** len(norms), list(parameters.values())
    grid = Grid(height // phases, width // phases)
    stages = _stages(grid, norms, given)
    windows = grid.windows(copies, phases // 2, channels, b, x)
    taken_apart = x.view(copies, b, channels, height // phases, phases, width // phases, phases)
    grid.places(windows[:, 1:, 1:]).copy_(taken_apart.permute(0, 4, 6, 2, 1, 3, 5))
    for stage, above in pairwise(stages):
        grid.fill_(windows)
        following = grid.windows(copies, above.p, stage.out, b, x)
        stage.forward(windows, following[:, 1:, 1:])
        windows = following
    last = x.new_empty((copies, 1, 1, stages[-1].out, b, grid.size))
    stages[-1].forward(grid.fill_(windows), last)
    found, received = _head(loss, (given[-2], given[-1]), last, y)
    for stage in reversed(stages):
        gradients, lower = stage.backward(received, stage is not stages[0])
        found, received = gradients + found, received if lower is None else lower
    return dict(zip(parameters, found, strict=True))


def _head(loss: Callable[[Tensor, Tensor], Tensor], given: tuple[Tensor, Tensor], last: Tensor, y: Tensor) -> tuple[list[Tensor], Tensor]:
    """The gradients of the linear layer, and of its inputs ``last`` (B, 1, 1, channels, b, G), for the mean loss over b samples."""
    copies, _, _, channels, b, size = last.shape
    matrix, bias = given
    rows = last[:, 0, 0].transpose(1, 2).reshape(copies, b, -1)
    scores = torch.baddbmm(bias.unsqueeze(1), rows, matrix.transpose(1, 2)).flatten(0, 1)
    # Nothing made in inference mode can be differentiated, but a copy can.
    with torch.inference_mode(False), torch.enable_grad():
        leaf, targets = scores.clone().requires_grad_(), y.flatten(0, 1).clone()
        (slopes,) = torch.autograd.grad(loss(leaf, targets).sum(), leaf)
    slopes = slopes.view(copies, b, -1) / b
    received = torch.bmm(slopes, matrix).view(copies, b, channels, size).transpose(1, 2)
    return [torch.bmm(slopes.transpose(1, 2), rows), slopes.sum(1)], received.reshape(last.shape)
