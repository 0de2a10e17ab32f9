"""A generator in the form it translates in: the same function of a slice, in fewer and faster steps.

Batch norm that goes by its moving statistics is a factor and a shift for each channel: they become part of the
convolution before it. Both ways of doubling the size become a convolution by 2x2 to four times the channels, see
`convolutions.SubPixelConvolution`. Dropout that acts in training only is left out.
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


def fold(plan: Blueprint, weights: Mapping[str, Array]) -> tuple[Blueprint, Arrays]:
    """Return the blueprint and the weights that `inference.Inference` takes.

    Args:
        plan: Of the generator as it was trained.
        weights: As they were learnt: by the names and of the shapes of ``weight_shapes(plan)``.

    Raises:
        ValueError: If a weight is impossible, such as a variance below 0; begins with its name.
    """
    weights = {name: np.asarray(array, np.float32) for name, array in weights.items()}
    blocks = []
    folded: Arrays = {}
    for block in plan.blocks:
        folded_block, arrays = _fold_block(block, weights)
        blocks.append(folded_block)
        folded |= arrays
    innermost = len(plan.encoder)
    form = replace(plan, encoder=tuple(blocks[:innermost]), decoder=tuple(blocks[innermost:]))
    return form, folded


def _fold_block(block: Block, weights: Mapping[str, Array]) -> tuple[Block, Arrays]:
    """Return a block in the form it translates in, and its weights in that form."""
    convolution, kernel = block.convolution.for_inference(weights[block.kernel])
    dropout = block.dropout if block.dropout_stays else 0.0
    form = replace(block, convolution=convolution, dropout=dropout)
    copies = convolution.copies
    if block.has_bias:
        return form, {block.kernel: kernel, block.bias: np.tile(weights[block.bias], copies)}
    scaling = _find_scaling(block, weights)
    if scaling is None:
        norm_weights = {name: weights[name] for name in block.norm_weights.values()}
        return form, {block.kernel: kernel, **norm_weights}
    factor, shift = scaling
    form = replace(form, norm=None)
    return form, {
        block.kernel: kernel * np.tile(factor, copies),
        block.bias: np.tile(shift, copies),
    }


def _find_scaling(block: Block, weights: Mapping[str, Array]) -> tuple[Array, Array] | None:
    """Return what the norm of a block multiplies each channel by and adds, or None if that depends on the slice."""
    if block.norm is None:
        return None
    try:
        return block.norm.factor_and_shift(
            {part: weights[name] for part, name in block.norm_weights.items()}
        )
    except ValueError as error:
        raise ValueError(f"{block.norm_name}/{error}") from None
