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
        KeyError: If one is missing.
        ValueError: If they are not of shapes that go together.
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
            gamma, beta, mean, variance = (
                left.pop(f"{norm}/{part}") for part in ("gamma", "beta", "moving_mean", "moving_variance")
            )
            scale = gamma / np.sqrt(variance + np.float32(settings.epsilon))
            left[name] = left[name] * np.tile(scale, copies)
            left[bias] = beta - mean * scale
        if bias in left:
            left[bias] = np.tile(left[bias], copies)
    return left


def _foldable(settings: GeneratorSettings) -> bool:
    return settings.norm == "batch" and not settings.test_as_training


def _doubles(block: str, settings: GeneratorSettings) -> bool:
    """Whether a convolution doubles the size; the last one does where no full skip stands before it."""
    full_skip = settings.architecture == "u-net" and settings.full_skip
    return block.startswith("up") or (block.startswith("output") and not full_skip)
