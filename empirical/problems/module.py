"""Any ``nn.Module`` with a loss per sample as a training problem."""

from __future__ import annotations

import copy
import hashlib
import inspect
from typing import Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from bounds.errors import DomainError, unknown_name
from bounds.setting import LossClass
from empirical.layouts import LAYOUTS, Layout, Loss, choose, convolution_work
from empirical.models.checks import check_module
from empirical.models.losses import cross_entropy
from empirical.models.seeding import seeded
from empirical.phases import norms_of
from empirical.problems.base import Problem, diameter, padded
from empirical.problems.blocks import Blocks

_PIECE = 1 << 21
"""Most numbers in the largest layer's output while losses are read; a fixed cut, so that no bit depends on memory."""


class ModuleProblem(Problem):
    """The loss of a module on a finite population, as a function of all its parameters.

    Every model starts from the parameters that ``module`` has. No constant is proved. Buffers keep their values and are the
    same at every node; a module that changes its buffers while training is refused.

    Args:
        module: copied; see :func:`empirical.models.check_module` for what is refused.
        features: (size, ...) inputs. targets: (size, ...) classes or numbers; integer vectors also serve as ``labels``.
        loss: (outputs, targets) -> (s,), one value per sample.
        layout: "phases" (strided convolutions by hand), "vmap", "loop", or "auto", the fastest one for the module and the device.
            The layouts agree up to rounding.

    Raises:
        DomainError: for a refused module, samples and targets that do not match, a loss that is not one value per sample, or
            layout="phases" for a module that :func:`empirical.phases.norms_of` does not know.
        UnknownNameError: for another layout.
    """

    by_network = True

    def __init__(
        self,
        name: str,
        module: nn.Module,
        features: ArrayLike,
        targets: ArrayLike,
        loss: Loss = cross_entropy,
        layout: Layout = "auto",
    ) -> None:
        if layout not in ("auto", *LAYOUTS):
            raise unknown_name("layout", layout, ("auto", *LAYOUTS))
        check_module(module)
        x, y = np.asarray(features, dtype=np.float64), np.asarray(targets)
        if x.ndim < 2 or len(x) != len(y) or len(x) == 0:
            raise DomainError(
                f"got features of shape {x.shape} and targets of shape {y.shape}; give (size, ...) and (size, ...), size >= 1"
            )
        self.module, self.loss, self.layout = copy.deepcopy(module).double(), loss, layout
        self.input_shape = x.shape[1:]
        self._strided = norms_of(self.module, self.input_shape) is not None
        if layout == "phases" and not self._strided:
            raise DomainError(
                "got layout='phases' for a module that is no Sequential of Conv2d(3, stride=2, padding=1), GroupNorm, ReLU, ..., Flatten, "
                "Linear on images whose sides halve evenly; use layout='auto'"
            )
        self.blocks = Blocks({key: tuple(value.shape) for key, value in self.module.named_parameters()})
        super().__init__(name, padded(x.reshape(len(x), -1), 1), (self.blocks.width,))
        self.targets, self._y = y, torch.from_numpy(y.copy())
        self._y = self._y.double() if self._y.is_floating_point() else self._y
        self.labels = y.astype(np.int64) if y.ndim == 1 and np.issubdtype(y.dtype, np.integer) else None
        self.start = self.blocks.flat({key: value.detach()[None] for key, value in self.module.named_parameters()})[0].numpy()
        self._largest, self._activations = self._footprint()
        self._work = convolution_work(self.module, self._inputs(self._x[:1]))

    def _footprint(self) -> tuple[int, int]:
        """The largest output of a layer and the sum of all, in numbers per sample; also checks buffers and the loss."""
        sizes: list[int] = [int(self.features.shape[1])]
        hooks = [
            layer.register_forward_hook(lambda _, __, out: sizes.append(out.numel()) if isinstance(out, Tensor) else None)
            for layer in self.module.modules()
        ]
        before = {name: buffer.clone() for name, buffer in self.module.named_buffers()}
        with torch.no_grad():
            try:
                values = self.loss(self.module(self._inputs(self._x[:1])), self._y[:1])
            except (RuntimeError, ValueError, IndexError, TypeError) as error:
                raise DomainError(f"the module, the samples and the loss do not fit ({' '.join(str(error).split())[:200]})") from None
        for hook in hooks:
            hook.remove()
        if values.shape != (1,):
            raise DomainError(f"the loss of one sample has shape {tuple(values.shape)}; it is (s,), one value per sample: reduction='none'")
        changed = [name for name, buffer in self.module.named_buffers() if not torch.equal(buffer, before[name])]
        if changed:
            raise DomainError(f"buffer {changed[0]!r} changes in a forward pass, and gossip does not average buffers; make it constant")
        return max(sizes), sum(sizes)

    def _inputs(self, rows: Tensor) -> Tensor:
        """Samples (..., *input_shape) from rows (..., padded width)."""
        entries = torch.Size(self.input_shape).numel()
        return rows[..., :entries].reshape(*rows.shape[:-1], *self.input_shape)

    def to(self, device: torch.device, dtype: torch.dtype) -> Self:
        moved = super().to(device, dtype)
        moved.module = copy.deepcopy(self.module).to(device, dtype)
        moved._y = self._y.to(device, dtype if self._y.is_floating_point() else self._y.dtype)
        return moved

    def scratch(self, b: int) -> int:
        return 3 * b * self._activations + 2 * self.width

    def add_gradient_(self, target: Tensor, weights: Tensor, indices: Tensor, scale: float) -> None:
        layout = choose(self._work, weights.device, self._strided) if self.layout == "auto" else self.layout
        if layout == "phases":
            found = LAYOUTS[layout](self.module, self.loss, self.blocks.views(weights), *self._samples(indices))
        else:
            # Runs stand in inference mode, whose tensors cannot be differentiated; their copies can.
            with torch.inference_mode(False), torch.enable_grad():
                found = LAYOUTS[layout](self.module, self.loss, self.blocks.views(weights.clone()), *self._samples(indices.clone()))
        self.blocks.add_(target, {name: gradient.detach() for name, gradient in found.items()}, scale)

    def _samples(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs (B, b, *input_shape) and targets (B, b, ...) at ``indices`` (B, b)."""
        rows = self._x.index_select(0, indices.reshape(-1)).view(*indices.shape, -1)
        return self._inputs(rows), self._y[indices]

    def losses(self, weights: Tensor, indices: Tensor | None = None) -> Tensor:
        rows = [self._losses(row, None if indices is None else chosen) for row, chosen in self._pairs(weights, indices)]
        return torch.stack(rows)

    @staticmethod
    def _pairs(weights: Tensor, indices: Tensor | None) -> list[tuple[Tensor, Tensor]]:
        return list(zip(weights, weights if indices is None else indices, strict=True))

    def _losses(self, row: Tensor, indices: Tensor | None) -> Tensor:
        return self._each(self.loss, row, indices)

    def _each(self, of: Loss, row: Tensor, indices: Tensor | None) -> Tensor:
        """(s,) values of (outputs, targets) at one model, in pieces of the samples."""
        parameters = {name: view[0] for name, view in self.blocks.views(row.unsqueeze(0)).items()}
        count, step = self.size if indices is None else len(indices), max(1, _PIECE // self._largest)
        pieces = []
        for start in range(0, count, step):
            chosen = slice(start, min(start + step, count)) if indices is None else indices[start : start + step]
            outputs = torch.func.functional_call(self.module, parameters, (self._inputs(self._x[chosen]),))
            pieces.append(of(outputs, self._y[chosen]))
        return torch.cat(pieces)

    def hits(self, weights: Tensor, indices: Tensor | None = None) -> Tensor:
        if self.labels is None:
            return super().hits(weights, indices)
        rows = [self._each(_named_right, row, None if indices is None else chosen) for row, chosen in self._pairs(weights, indices)]
        return torch.stack(rows)

    def drawn(self, generator: np.random.Generator) -> NDArray[np.float64]:
        """(P,) weights as every layer draws them when it is made (its ``reset_parameters``, in float32), from a seed that ``generator`` draws.

        Raises:
            DomainError: for a layer with parameters of its own that cannot draw them.
        """
        fresh = seeded(lambda: _redrawn(copy.deepcopy(self.module).float()), int(generator.integers(2**31)))
        start = self.blocks.flat({key: value.detach().double()[None] for key, value in fresh.named_parameters()})[0]
        return np.asarray(start.numpy(), dtype=np.float64)

    def loss_class(self, radius: float | None = None, training_indices: NDArray[np.int64] | None = None) -> LossClass:
        return LossClass(name=f"{type(self.module).__name__} on {self.name}", convex=False, diameter=diameter(radius))

    def fingerprint(self) -> str:
        """SHA-256 of everything that can change a number: structure and source, start, buffers, samples, targets, loss, layout."""
        digest = hashlib.sha256()
        classes = {type(layer) for layer in self.module.modules()} | {self.loss}
        for text in (repr(self.module), self.layout, *sorted(map(_source, classes))):
            digest.update(text.encode() + b"\0")
        state = [value.numpy() for value in self.module.state_dict().values()]
        for array in (self.start, *state, self.features, self.targets):
            digest.update(f"{array.dtype}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def _named_right(outputs: Tensor, targets: Tensor) -> Tensor:
    return outputs.argmax(1) == targets


def _redrawn(module: nn.Module) -> nn.Module:
    for name, layer in module.named_modules():
        reset = getattr(layer, "reset_parameters", None)
        if callable(reset):
            reset()
        elif next(layer.parameters(recurse=False), None) is not None:
            raise DomainError(
                f"layer {name!r} ({type(layer).__name__}) has parameters and no reset_parameters(), so it draws no random start; give it one"
            )
    return module


def _source(thing: object) -> str:
    name = f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', repr(thing))}"
    try:
        return name + inspect.getsource(thing)  # type: ignore[arg-type]
    except (OSError, TypeError):
        return name
