"""What the weights of a generator are called, and how large they are, without building it."""

from __future__ import annotations

from .blueprint import Blueprint


def weight_shapes(plan: Blueprint) -> dict[str, tuple[int, ...]]:
    """Return the shape of each weight of a generator, by name."""
    shapes = {}
    for block in plan.blocks:
        convolution = block.convolution
        shapes[block.kernel] = convolution.kernel_shape(plan.channels_into(block), block.filters)
        if block.has_bias:
            shapes[block.bias] = (convolution.copies * block.filters,)
        for name in block.norm_weights.values():
            shapes[name] = (block.filters,)
    return shapes
