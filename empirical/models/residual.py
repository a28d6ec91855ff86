"""ResNet-20 for 32x32 images (He et al. 2016, arXiv 1512.03385, section 4.2), with group norm (arXiv 1803.08494)."""

from __future__ import annotations

from torch import Tensor, nn

_STAGES = (16, 32, 64)
_BLOCKS = 3


class ResidualBlock(nn.Module):
    """relu(shortcut(x) + F(x)), F two 3x3 convolutions with group norm.

    The shortcut of a block that halves the image is a strided 1x1 convolution with group norm (option B of the paper).
    """

    def __init__(self, fan_in: int, fan_out: int, stride: int, groups: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(fan_in, fan_out, 3, stride, padding=1, bias=False),
            nn.GroupNorm(groups, fan_out),
            nn.ReLU(),
            nn.Conv2d(fan_out, fan_out, 3, padding=1, bias=False),
            nn.GroupNorm(groups, fan_out),
        )
        changed = stride != 1 or fan_in != fan_out
        project = nn.Sequential(nn.Conv2d(fan_in, fan_out, 1, stride, bias=False), nn.GroupNorm(groups, fan_out))
        self.shortcut: nn.Module = project if changed else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(s, fan_in, h, w) to (s, fan_out, h/stride, w/stride)."""
        return nn.functional.relu(self.body(x) + self.shortcut(x))


class GlobalMean(nn.Module):
    """Mean over height and width, (s, c, h, w) to (s, c); torch's adaptive pooling has no batching rule under vmap."""

    def forward(self, x: Tensor) -> Tensor:
        """(s, c, h, w) to (s, c)."""
        return x.mean((2, 3))


def resnet20(channels: int = 3, classes: int = 10, groups: int = 4) -> nn.Sequential:
    """Three stages of three blocks with 16, 32 and 64 filters, 20 layers deep; (s, channels, side, side) to (s, classes).

    Group norm instead of the paper's batch norm, whose running statistics no gossip averages. 272,474 parameters in the
    default form.
    """
    blocks: list[nn.Module] = []
    fan_in = _STAGES[0]
    for stage, fan_out in enumerate(_STAGES):
        for block in range(_BLOCKS):
            blocks.append(ResidualBlock(fan_in, fan_out, 2 if stage and not block else 1, groups))
            fan_in = fan_out
    stem = [nn.Conv2d(channels, _STAGES[0], 3, padding=1, bias=False), nn.GroupNorm(groups, _STAGES[0]), nn.ReLU()]
    return nn.Sequential(*stem, *blocks, GlobalMean(), nn.Linear(_STAGES[-1], classes))
