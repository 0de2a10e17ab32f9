"""The generator in the form it translates in: the same function of the same slices, in fewer and faster steps.

Batch norm that goes by its moving statistics is a factor and a shift for each channel: they become part of the
convolution before it. Both ways of doubling the size become one convolution each, see `SubPixelConvolution`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import networks
from .layers import sub_pixel_kernel, transposed_kernel
from .recipe import GeneratorSettings
from .store import Weights

Arrays = dict[str, NDArray[Any]]


def translating(settings: GeneratorSettings) -> GeneratorSettings:
    """Return the settings of the network that takes `folded` weights."""
    norm = "none" if _foldable(settings) else settings.norm
    return settings.model_copy(update={"norm": norm, "upsample": networks.SUB_PIXEL})


def folded(settings: GeneratorSettings, weights: Weights) -> Arrays:
    """Return the weights of a generator for the network of `translating` settings.

    Args:
        settings: Of the generator.
        weights: By name, as they were learnt.

    Raises:
        ValueError: If a norm has not what goes with its convolution, or a kernel is none.
    """
    left = {name: np.asarray(array, np.float32) for name, array in weights.items()}
    for name in [name for name in left if name.endswith("/kernel")]:
        block, copies = name.removesuffix("/kernel"), 1
        if _doubles(block, settings):
            kernel = left[name] if settings.upsample == "transposed" else transposed_kernel(left[name])
            left[name], copies = sub_pixel_kernel(kernel), 4
        bias = f"{block}/bias"
        norm = block.removesuffix("_conv") + "_norm"
        if _foldable(settings) and f"{norm}/gamma" in left:
            scale, shift = _factor_and_shift(left, norm, left[name].shape[-1] // copies, settings.epsilon)
            left[name] = left[name] * np.tile(scale, copies)
            left[bias] = shift
        if bias in left:
            left[bias] = np.tile(left[bias], copies)
    return left


def _factor_and_shift(left: Arrays, norm: str, filters: int, epsilon: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """Take a norm out of the weights, and return what it does to each channel."""
    parts = []
    for part in ("gamma", "beta", "moving_mean", "moving_variance"):
        array = left.pop(f"{norm}/{part}", None)
        # NumPy would spread one number over all channels.
        if array is None or array.shape != (filters,):
            found = "none" if array is None else array.shape
            raise ValueError(f"{norm}/{part} of shape {found}, not ({filters},)")
        parts.append(array)
    gamma, beta, mean, variance = parts
    if (variance < 0).any():
        raise ValueError(f"{norm}/moving_variance below 0")
    scale = gamma / np.sqrt(variance + np.float32(epsilon))
    return scale, beta - mean * scale


def _foldable(settings: GeneratorSettings) -> bool:
    return settings.norm == "batch" and not settings.test_as_training


def _doubles(block: str, settings: GeneratorSettings) -> bool:
    """Whether a convolution doubles the size; the last one does where no full skip stands before it."""
    return block.startswith("up") or (block.startswith("output") and not settings.skips_whole)
