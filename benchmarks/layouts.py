"""``python -m benchmarks.layouts``: node-steps per second of each layout of each model, the table in docs/performance.md."""

from __future__ import annotations

from functools import partial

import torch
from torch import nn

from benchmarks.record import load_note, seconds
from empirical.layouts import convolution_work, looped, vmapped
from empirical.memory import hold_memory
from empirical.models import perceptron, resnet20, small_cnn
from empirical.models.losses import cross_entropy
from empirical.phases import norms_of, phased

_NODES, _BATCH = 16, 16


def _unstrided(filters: int) -> nn.Sequential:
    """The small CNN with pooling in place of strides, which costs four times the work."""
    layers: list[nn.Module] = []
    for fan_in, fan_out in ((1, filters), (filters, 2 * filters)):
        layers += [nn.Conv2d(fan_in, fan_out, 3, padding=1), nn.GroupNorm(2, fan_out), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(2 * filters * 49, 10))


MODELS: dict[str, tuple[nn.Module, tuple[int, ...]]] = {
    "MLP 32-32-10": (perceptron((32, 32, 10)), (32,)),
    "MLP 784-64-10": (perceptron((784, 64, 10)), (784,)),
    "small CNN 28x28, stride 2, 8 filters": (small_cnn(), (1, 28, 28)),
    "CNN 28x28, pooling, 4 filters": (_unstrided(4), (1, 28, 28)),
    "CNN 28x28, pooling, 8 filters": (_unstrided(8), (1, 28, 28)),
    "ResNet-20 32x32": (resnet20(), (3, 32, 32)),
}


def main() -> None:
    """Measure one gradient of 16 copies in each layout, float32, one thread."""
    hold_memory()
    torch.set_num_threads(1)
    print(f"| model | convolutions, FLOP a sample | phases | vmap | loop |\n|---|---|---|---|---|  ({load_note()})")
    for name, (module, shape) in MODELS.items():
        x, y = torch.rand(_NODES, _BATCH, *shape), torch.randint(0, 10, (_NODES, _BATCH))
        copies = {key: value.detach().expand(_NODES, *value.shape).clone() for key, value in module.named_parameters()}
        rates = []
        for layout in (phased, vmapped, looped) if norms_of(module, shape) else (vmapped, looped):
            repeats = 1 if name.startswith("ResNet") else 5
            rates.append(_NODES / seconds(partial(layout, module, cross_entropy, copies, x, y), repeats))
        cells = ["", *(f"{rate:.3g}" for rate in rates)][-3:]
        print(f"| {name} | {convolution_work(module, x[0, :1]):.3g} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
