"""The weights of a generator in the form it translates in: the same function, in fewer and faster steps.

Batch norm that goes by its moving statistics is a factor and a shift for each channel: they become part of the
convolution before it. Both ways of doubling the size become a convolution by 2x2 to four times the channels, see
`sub_pixel_kernel`: forward up to twice as fast as the form it stands for, backward slower.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .operations import REPEAT
from .recipe import GeneratorSettings
from .store import Weights

Array = NDArray[Any]


def folded(settings: GeneratorSettings, weights: Weights) -> dict[str, Array]:
    """Return the weights of a generator as `inference.Inference` takes them.

    Args:
        settings: Of the generator.
        weights: As they were learnt: by the names and of the shapes of `weight_shapes.weight_shapes`.

    Raises:
        ValueError: If a variance is below 0.
    """
    left = {name: np.asarray(array, np.float32) for name, array in weights.items()}
    for name in [name for name in left if name.endswith("/kernel")]:
        block, copies = name.removesuffix("/kernel"), 1
        if _doubles(block, settings):
            kernel = left[name] if settings.upsample == "transposed" else transposed_kernel(left[name])
            left[name], copies = sub_pixel_kernel(kernel), 4
        bias = f"{block}/bias"
        norm = block.removesuffix("_conv") + "_norm"
        if f"{norm}/moving_variance" in left and not settings.test_as_training:
            scale, shift = _factor_and_shift(left, norm, settings.epsilon)
            left[name] = left[name] * np.tile(scale, copies)
            left[bias] = shift
        if bias in left:
            left[bias] = np.tile(left[bias], copies)
    return left


def transposed_kernel(kernel: Array) -> Array:
    """Return the 4x4 kernel (4, 4, filters, channels) of a `ResizeConvolution`'s (3, 3, channels, filters)."""
    repeat = np.array(REPEAT, kernel.dtype)
    return np.asarray(np.einsum("ai,bj,ijcf->abfc", repeat, repeat, kernel))


def sub_pixel_kernel(kernel: Array) -> Array:
    """Return the kernel (2, 2, channels, 4 filters) that gives four output pixels from 2x2 input pixels around them.

    Shi et al. 2016, arXiv 1609.05158.

    Args:
        kernel: Of the transposed convolution by 4x4 with stride 2 that it stands for, (4, 4, filters, channels).
    """
    filters, channels = kernel.shape[2:]
    # A window's input pixel k reaches its output pixel a by the tap a + 2 (1 - k).
    taps = kernel.reshape(2, 2, 2, 2, filters, channels)[::-1, :, ::-1]
    return np.ascontiguousarray(taps.transpose(0, 2, 5, 1, 3, 4)).reshape(2, 2, channels, 4 * filters)


def _factor_and_shift(left: dict[str, Array], norm: str, epsilon: float) -> tuple[Array, Array]:
    """Take a norm out of the weights, and return what it does to each channel."""
    gamma, beta, mean, variance = (
        left.pop(f"{norm}/{part}") for part in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    if (variance < 0).any():
        raise ValueError(f"{norm}/moving_variance below 0")
    scale = gamma / np.sqrt(variance + np.float32(epsilon))
    return scale, beta - mean * scale


def _doubles(block: str, settings: GeneratorSettings) -> bool:
    """Whether a convolution doubles the size; the last one does where no full skip stands before it."""
    return block.startswith("up") or (block.startswith("output") and not settings.skips_whole)
