"""The networks of Pix2Pix (arXiv 1611.07004, section 6.1) in PyTorch, to measure ours by.

The same convolutions, norms, activations and dropout as the preset `paper`, and the same number of
parameters. Activations work in place, as is usual in PyTorch.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

Tensor = Any
_DROPOUT_LEVELS = 3


class Generator(nn.Module):  # type: ignore[misc]  # PyTorch may be missing
    """The U-Net, from (n, channels_in, rows, columns) to as many channels_out in [-1, 1]."""

    def __init__(self, channels_in: int, channels_out: int, filters: int, levels: int) -> None:
        super().__init__()
        widths = [filters * min(2**level, 8) for level in range(levels)]
        self.down = nn.ModuleList()
        self.up = nn.ModuleList()
        before = channels_in
        for level, width in enumerate(widths):
            self.down.append(_down(before, width, normed=0 < level < levels - 1))
            before = width
        for level in range(levels - 1, 0, -1):
            self.up.append(
                _up(before, widths[level - 1], dropout=levels - level <= _DROPOUT_LEVELS)
            )
            before = 2 * widths[level - 1]
        self.output = nn.ConvTranspose2d(before, channels_out, 4, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the image of a source."""
        skips = []
        for block in self.down:
            x = block(x)
            skips.append(x)
        for block, skip in zip(self.up, skips[-2::-1], strict=True):
            x = torch.cat([block(x), skip], 1)
        return torch.tanh(self.output(x))


class Discriminator(nn.Module):  # type: ignore[misc]
    """The PatchGAN of 70x70 pixels, from (n, channels, rows, columns) to logits (n, 1, ...)."""

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__()
        blocks = []
        before = channels
        for layer, stride in enumerate((2, 2, 2, 1)):
            width = filters * 2**layer
            blocks.append(_down(before, width, normed=layer > 0, stride=stride))
            before = width
        self.layers = nn.Sequential(*blocks, nn.Conv2d(before, 1, 4, 1, 1))

    def forward(self, pair: Tensor) -> Tensor:
        """Return a logit for each patch of a (source, target) pair."""
        return self.layers(pair)


def _down(before: int, filters: int, normed: bool, stride: int = 2) -> nn.Sequential:
    """Ck of the encoder: convolution, norm, leaky ReLU."""
    norm = [nn.BatchNorm2d(filters)] if normed else []
    return nn.Sequential(
        nn.Conv2d(before, filters, 4, stride, 1, bias=not normed), *norm, nn.LeakyReLU(0.2, True)
    )


def _up(before: int, filters: int, dropout: bool) -> nn.Sequential:
    """Ck, or CDk with dropout, of the decoder: transposed convolution, norm, dropout, ReLU."""
    convolution = nn.ConvTranspose2d(before, filters, 4, 2, 1, bias=False)
    dropped = [nn.Dropout(0.5)] if dropout else []
    return nn.Sequential(convolution, nn.BatchNorm2d(filters), *dropped, nn.ReLU(True))
