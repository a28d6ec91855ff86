"""Strided convolutional networks by hand against autograd through the modules themselves."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import empirical.phases as phases
from bounds.errors import DomainError
from empirical.layouts import looped
from empirical.models import perceptron, resnet20, seeded, small_cnn
from empirical.models.losses import cross_entropy, squared_error
from empirical.phases import norms_of, phased
from empirical.problems.module import ModuleProblem


def _network(channels: int, sides: tuple[int, int], filters: tuple[int, ...], groups: int, classes: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for fan_in, fan_out in zip((channels, *filters), filters, strict=False):
        layers += [nn.Conv2d(fan_in, fan_out, 3, 2, padding=1), nn.GroupNorm(groups, fan_out, eps=1e-3), nn.ReLU()]
    last = filters[-1] * sides[0] * sides[1] // 4 ** len(filters)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(last, classes)).double()


def _copies(module: nn.Module, count: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    draw: Callable[[Tensor], Tensor] = lambda like: torch.randn((count, *like.shape), generator=generator, dtype=torch.float64)  # noqa: E731
    return {name: value.detach() + 0.5 * draw(value) for name, value in module.named_parameters()}


def _agree(module: nn.Module, loss: Any, copies: int, x: Tensor, y: Tensor) -> None:
    given = _copies(module, copies)
    ours, theirs = (way(module, loss, given, x, y) for way in (phased, looped))
    assert list(ours) == list(theirs)
    for name, expected in theirs.items():
        torch.testing.assert_close(ours[name], expected, rtol=1e-12, atol=1e-12)
        assert expected.abs().max() > 1e-5 or name.endswith("bias")


@pytest.mark.parametrize(
    ("channels", "sides", "filters", "groups", "b", "copies"),
    [
        (1, (8, 8), (4, 6), 2, 3, 3),
        (3, (12, 4), (2, 4), 2, 1, 2),  # a grid of one column
        (2, (4, 4), (6, 4), 2, 5, 2),  # a grid of one place
        (1, (6, 10), (4,), 1, 4, 2),
        (2, (16, 24), (2, 4, 2), 2, 2, 2),
        (1, (4, 8), (2, 2), 2, 2, 19),  # more copies than share an operation
        (1, (4, 4), (2, 2), 1, 1, 1),
    ],
)
def test_phases_are_the_loop(channels: int, sides: tuple[int, int], filters: tuple[int, ...], groups: int, b: int, copies: int) -> None:
    module = seeded(lambda: _network(channels, sides, filters, groups, 3))
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.normal(size=(copies, b, channels, *sides)) + 2)
    _agree(module, cross_entropy, copies, x, torch.from_numpy(rng.integers(0, 3, (copies, b))))


def test_any_loss_per_sample() -> None:
    rng = np.random.default_rng(0)
    x, targets = torch.from_numpy(rng.normal(size=(2, 3, 1, 8, 8))), torch.from_numpy(rng.normal(size=(2, 3, 4)))
    _agree(seeded(lambda: _network(1, (8, 8), (2, 4), 2, 4)), squared_error, 2, x, targets)


def test_the_images_of_a_copy_are_its_own() -> None:
    """Of two copies and two samples, changing one pixel of one image moves the gradient of that copy alone."""
    module, rng = seeded(lambda: _network(1, (8, 8), (2, 4), 2, 3)), np.random.default_rng(0)
    given, y = _copies(module, 2), torch.tensor([[0, 1], [2, 0]])
    x = torch.from_numpy(rng.normal(size=(2, 2, 1, 8, 8)))
    before = phased(module, cross_entropy, given, x, y)
    x[1, 0, 0, 0, 0] += 1
    after = phased(module, cross_entropy, given, x, y)
    for name, value in before.items():
        assert torch.equal(value[0], after[name][0])
        assert not torch.equal(value[1], after[name][1])


def test_blocks_of_copies_change_values_by_rounding_only(monkeypatch: pytest.MonkeyPatch) -> None:
    module, rng = seeded(lambda: _network(1, (8, 8), (2, 4), 2, 3)), np.random.default_rng(0)
    given, x, y = _copies(module, 5), torch.from_numpy(rng.normal(size=(5, 2, 1, 8, 8))), torch.zeros((5, 2), dtype=torch.int64)
    whole = phased(module, cross_entropy, given, x, y)
    monkeypatch.setattr(phases, "_TOGETHER", 2)
    for name, value in phased(module, cross_entropy, given, x, y).items():
        torch.testing.assert_close(value, whole[name], rtol=1e-13, atol=1e-13)


def _changed(place: int, layer: nn.Module) -> nn.Sequential:
    layers = list(copy.deepcopy(_network(1, (8, 8), (2, 4), 2, 3)))
    layers[place] = layer
    return nn.Sequential(*layers)


@pytest.mark.parametrize(
    "module",
    [
        _changed(0, nn.Conv2d(1, 2, 3, 2, padding=1, bias=False)),
        _changed(0, nn.Conv2d(1, 2, 3, 1, padding=1)),
        _changed(0, nn.Conv2d(1, 2, 5, 2, padding=1)),
        _changed(0, nn.Conv2d(1, 2, 3, 2, padding=0)),
        _changed(0, nn.Conv2d(1, 2, 3, 2, padding=1, dilation=2)),
        _changed(0, nn.Conv2d(1, 2, 3, 2, padding=1, padding_mode="circular")),
        _changed(3, nn.Conv2d(2, 4, 3, 2, padding=1, groups=2)),
        _changed(1, nn.GroupNorm(2, 2, affine=False)),
        _changed(1, nn.Identity()),
        _changed(2, nn.Tanh()),
        _changed(6, nn.Flatten(2)),
        _changed(7, nn.Linear(16, 3, bias=False)),
        nn.Sequential(nn.Flatten(), nn.Linear(64, 3)),
        nn.Linear(8, 3),
        perceptron((64, 5, 3)),
        resnet20(1),
    ],
)
def test_other_modules_are_not_taken(module: nn.Module) -> None:
    assert norms_of(module, (1, 8, 8)) is None


def test_what_is_taken() -> None:
    assert [norm.num_channels for norm in norms_of(small_cnn(), (1, 28, 28)) or []] == [8, 16]
    assert norms_of(small_cnn(), (1, 28, 30)) is None
    assert norms_of(small_cnn(), (784,)) is None


class _Own(nn.Sequential):
    """A subclass may do anything in its forward pass."""


def test_a_subclass_is_not_taken() -> None:
    assert norms_of(_Own(*small_cnn(1, 8, 3)), (1, 8, 8)) is None


def test_phases_are_refused_for_other_modules() -> None:
    features = np.random.default_rng(0).normal(size=(6, 13))
    with pytest.raises(DomainError, match=r"^got layout='phases' for a module that is no Sequential of .* use layout='auto'$"):
        ModuleProblem("net", perceptron((13, 3)), features, np.arange(6) % 3, layout="phases")
