"""List the names and shapes of a generator's weights without building it."""

from __future__ import annotations

from .blueprint import Blueprint


def list_weight_shapes(plan: Blueprint) -> dict[str, tuple[int, ...]]:
    """Return the shape of each weight of a generator, by name."""
    shapes: dict[str, tuple[int, ...]] = {}
    for block in plan.blocks:
        convolution = block.convolution
        channels = plan.count_channels_into(block)
        shapes[block.kernel] = convolution.kernel_shape(channels, block.filters)
        if block.has_bias:
            shapes[block.bias] = (convolution.copies * block.filters,)
        for name in block.norm_weights.values():
            shapes[name] = (block.filters,)
    return shapes
