"""Build the networks of Pix2Pix (arXiv 1611.07004, section 6.1), in Keras 3.

C64 in the paper is a convolution with 64 filters, a norm and an activation; kernels are 4x4. The
generator is built from its blueprint. It may depart from the paper where settings say so: instance
norm instead of batch norm, resizing instead of transposed convolutions, and a last step that reads
the source at full size.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from oasis_gan_keras.backend import keras

from .activations import LeakyReLU
from .blueprint import NOISE, SOURCE, Block, Blueprint, choose_norm, make_blueprint
from .convolutions import Convolution
from .layers import Dropout, Noise
from .recipe import DiscriminatorSettings, GeneratorSettings

Tensor = Any
_HALVINGS = {16: 1, 34: 2, 70: 3, 142: 4, 286: 5}
"""How often the discriminator halves the size, by its receptive field."""


def build_generator(
    settings: GeneratorSettings,
    channels_in: int,
    channels_out: int,
) -> keras.Model:
    """Build a generator with new weights from its settings.

    Args:
        settings: The depth and width of the generator, and the other choices.
        channels_in: The channels of the source.
        channels_out: The channels of the target.

    Returns:
        A model as `build_from_blueprint` returns it.
    """
    plan = make_blueprint(settings, channels_in, channels_out)
    return build_from_blueprint(plan)


def build_from_blueprint(plan: Blueprint) -> keras.Model:
    """Build a generator with new weights from its blueprint.

    Returns:
        A model from (n, rows, columns, source channels) in [0, 1] to (n, rows, columns, target
        channels) in [-1, 1]; rows and columns are multiples of ``2 ** plan.depth``.
    """
    shape = (None, None, plan.channels)
    source = keras.Input(shape, name=SOURCE)
    outputs = {SOURCE: source}
    if plan.reads_noise:
        outputs[NOISE] = Noise(name=NOISE)(source)
    for block in plan.blocks:
        inputs = [outputs[name] for name in block.reads]
        x = _concatenate(inputs, block)
        outputs[block.name] = _build_block(x, block)
    last = plan.blocks[-1]
    return keras.Model(source, outputs[last.name], name="generator")


def build_discriminator(
    settings: DiscriminatorSettings,
    channels_in: int,
    channels_out: int,
) -> keras.Model:
    """Build the PatchGAN, which judges each overlapping patch of a pair as real or generated.

    Args:
        settings: The size of the patches, and the other choices.
        channels_in: The channels of the source; 0 if the discriminator does not read it.
        channels_out: The channels of the target.

    Returns:
        A model from (n, rows, columns, channels_in + channels_out) to logits (n, patch rows, patch
        columns, 1).
    """
    channels = channels_in + channels_out
    pair = keras.Input((None, None, channels), name="pair")
    x = pair
    for block in _patch_blocks(settings):
        x = _build_block(x, block)
    last_kernel = 1 if settings.receptive_field == 1 else 4
    last = Convolution(last_kernel)
    logits = last.build(x, 1, "logits", dtype="float32")
    return keras.Model(pair, logits, name="discriminator")


def compute_receptive_field(network: keras.Model) -> int:
    """Return how many pixels across one output of a chain of convolutions sees."""
    field = 1
    # From the output back to the input.
    for layer in reversed(network.layers):
        if isinstance(layer, keras.layers.Conv2D):
            field = (field - 1) * layer.strides[0] + layer.kernel_size[0]
    return field


def _patch_blocks(settings: DiscriminatorSettings) -> Iterator[Block]:
    """Yield the blocks before the logits: C64-C128-C256-C512 in section 6.1.2 of the paper.

    The first has no norm.
    """
    before = "pair"
    convolutions = _patch_convolutions(settings.receptive_field)
    for number, convolution in enumerate(convolutions, 1):
        name = f"layer{number}"
        multiple = min(2 ** (number - 1), 8)
        yield Block(
            name=name,
            reads=(before,),
            convolution=convolution,
            filters=settings.filters * multiple,
            norm=choose_norm(settings) if number > 1 else None,
            activation=LeakyReLU(settings.leaky_relu_slope),
        )
        before = name


def _patch_convolutions(field: int) -> list[Convolution]:
    """Return the convolution of each block for a receptive field (section 6.1.2 of the paper)."""
    if field == 1:
        return [Convolution(1), Convolution(1)]
    halving = Convolution(4, stride=2)
    return [halving] * _HALVINGS[field] + [Convolution(4)]


def _concatenate(tensors: list[Tensor], block: Block) -> Tensor:
    """Concatenate the inputs of a block along their channels."""
    if len(tensors) == 1:
        return tensors[0]
    return keras.layers.Concatenate(name=f"{block.name}_skip")(tensors)


def _build_block(x: Tensor, block: Block) -> Tensor:
    """Build the layers of a block: convolution, norm, dropout, activation."""
    x = block.convolution.build(
        x,
        block.filters,
        block.convolution_name,
        use_bias=block.has_bias,
    )
    if block.norm is not None:
        x = block.norm.build_layer(block.norm_name)(x)
    if block.dropout:
        dropout = Dropout(
            block.dropout,
            always=block.dropout_stays,
            name=f"{block.name}_dropout",
        )
        x = dropout(x)
    return block.activation.build_layer(block.name)(x)
