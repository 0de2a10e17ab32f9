"""Fold a generator for translating: compute the same function of a slice in fewer and faster steps.

Batch norm with moving statistics is a factor and a shift for each channel, which become part of the
convolution before it. Both ways of doubling the size become a 2x2 convolution to four times the
channels: see `convolutions.SubPixelConvolution`. Dropout that acts in training only is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .blueprint import Block, Blueprint

Array = NDArray[Any]
Arrays = dict[str, Array]
Weights = Mapping[str, Array]


def fold(plan: Blueprint, weights: Weights) -> tuple[Blueprint, Arrays]:
    """Return the blueprint and the weights that `inference.Inference` takes.

    Args:
        plan: The blueprint of the trained generator.
        weights: Its weights, with the names and shapes of ``list_weight_shapes(plan)``.

    Raises:
        ValueError: If a weight is impossible, such as a variance below 0; the message begins with
            its name.
    """
    # Model folders hold half precision, in which folding would round too much.
    float32_weights: Arrays = {}
    for name, array in weights.items():
        float32_weights[name] = np.asarray(array, np.float32)
    blocks = []
    folded_weights: Arrays = {}
    for block in plan.blocks:
        folded_block, arrays = _fold_block(block, float32_weights)
        blocks.append(folded_block)
        folded_weights |= arrays
    innermost = len(plan.encoder)
    folded_plan = replace(
        plan,
        encoder=tuple(blocks[:innermost]),
        decoder=tuple(blocks[innermost:]),
    )
    return folded_plan, folded_weights


def _fold_block(block: Block, weights: Weights) -> tuple[Block, Arrays]:
    """Return a block and its weights in the form that translates fastest."""
    trained_kernel = weights[block.kernel]
    convolution, kernel = block.convolution.for_inference(trained_kernel)
    dropout = block.dropout if block.dropout_stays else 0.0
    folded = replace(block, convolution=convolution, dropout=dropout)
    if block.has_bias:
        bias = np.tile(weights[block.bias], convolution.copies)
        return folded, {block.kernel: kernel, block.bias: bias}
    scaling = _find_scaling(block, weights)
    if scaling is None:
        norm_weights = {name: weights[name] for name in block.norm_weights.values()}
        return folded, {block.kernel: kernel, **norm_weights}
    # The norm is part of the convolution from here on.
    without_norm = replace(folded, norm=None)
    return without_norm, _scale(without_norm, kernel, *scaling)


def _scale(block: Block, kernel: Array, factor: Array, shift: Array) -> Arrays:
    """Return the kernel and the bias that scale and shift the output of a block."""
    copies = block.convolution.copies
    scaled_kernel = kernel * np.tile(factor, copies)
    bias = np.tile(shift, copies)
    return {block.kernel: scaled_kernel, block.bias: bias}


def _find_scaling(
    block: Block,
    weights: Weights,
) -> tuple[Array, Array] | None:
    """Return the factor and the shift of the norm of a block; None if they depend on the slice."""
    if block.norm is None:
        return None
    norm_weights = block.select_norm_weights(weights)
    try:
        return block.norm.compute_factor_and_shift(norm_weights)
    except ValueError as error:
        raise ValueError(f"{block.norm_name}/{error}") from None
