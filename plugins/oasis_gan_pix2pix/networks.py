"""The networks of Pix2Pix (arXiv 1611.07004, section 6.1), in Keras 3.

C64 in the paper is a convolution of 64 filters, its norm and its activation; kernels are 4x4. The generator is built
as `blueprint` describes it. Departures from the paper, each of them a setting: the norm may be per instance, the
decoder may double its size by resizing, and its last step may see the input at full size.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from oasis_gan_keras.backend import keras

from .activations import LeakyReLU
from .blueprint import NOISE, SOURCE, Block, Blueprint, blueprint, choose_norm
from .convolutions import Convolution
from .layers import Dropout, Noise
from .recipe import DiscriminatorSettings, GeneratorSettings

Tensor = Any


def generator(settings: GeneratorSettings, channels_in: int, channels_out: int) -> keras.Model:
    """Build the generator that settings describe; see `build` for what it takes and gives.

    Args:
        settings: How deep and wide it is.
        channels_in: Of the source.
        channels_out: Of the target.
    """
    return build(blueprint(settings, channels_in, channels_out))


def build(plan: Blueprint) -> keras.Model:
    """Build a generator, its weights new.

    Returns:
        A model from (n, rows, columns, channels of the source) in [0, 1] to (n, rows, columns, channels of the target)
        in [-1, 1]; rows and columns are multiples of ``2 ** plan.depth``.
    """
    source = keras.Input((None, None, plan.channels), name=SOURCE)
    outputs = {SOURCE: source}
    if plan.reads_noise:
        outputs[NOISE] = Noise(name=NOISE)(source)
    for block in plan.blocks:
        x = _join([outputs[name] for name in block.reads], block)
        outputs[block.name] = _connect(x, block)
    return keras.Model(source, outputs[plan.blocks[-1].name], name="generator")


def discriminator(
    settings: DiscriminatorSettings, channels_in: int, channels_out: int
) -> keras.Model:
    """Build the PatchGAN: one logit, real or generated, for each overlapping patch of a (source, target) pair.

    Args:
        settings: How large the patches are.
        channels_in: Of the source; 0 where it is not shown.
        channels_out: Of the target.

    Returns:
        A model from (n, rows, columns, channels_in + channels_out) to logits (n, patch rows, patch columns, 1).
    """
    pair = keras.Input((None, None, channels_in + channels_out), name="pair")
    x = pair
    for block in _patch_blocks(settings):
        x = _connect(x, block)
    last = Convolution(1 if settings.receptive_field == 1 else 4)
    logits = last.build(x, 1, "logits", dtype="float32")
    return keras.Model(pair, logits, name="discriminator")


def receptive_field(network: keras.Model) -> int:
    """Return how many pixels across one output of a chain of convolutions sees, from their kernels and strides."""
    field = 1
    for layer in reversed(network.layers):
        if isinstance(layer, keras.layers.Conv2D):
            field = (field - 1) * layer.strides[0] + layer.kernel_size[0]
    return field


def _patch_blocks(settings: DiscriminatorSettings) -> Iterator[Block]:
    """C64-C128-C256-C512 in the paper (section 6.1.2), before the logits; the first has no norm."""
    before = "pair"
    for number, convolution in enumerate(_patch_convolutions(settings.receptive_field), 1):
        block = Block(
            name=f"layer{number}",
            reads=(before,),
            convolution=convolution,
            filters=settings.filters * min(2 ** (number - 1), 8),
            norm=choose_norm(settings) if number > 1 else None,
            activation=LeakyReLU(settings.leak),
        )
        yield block
        before = block.name


def _patch_convolutions(field: int) -> list[Convolution]:
    """Return the convolution of each block for a receptive field (the paper's section 6.1.2)."""
    if field == 1:
        return [Convolution(1), Convolution(1)]
    halvings = {16: 1, 34: 2, 70: 3, 142: 4, 286: 5}[field]
    return [Convolution(4, stride=2)] * halvings + [Convolution(4)]


def _join(tensors: list[Tensor], block: Block) -> Tensor:
    """Lay the channels of all that a block reads beside each other."""
    if len(tensors) == 1:
        return tensors[0]
    return keras.layers.Concatenate(name=f"{block.name}_skip")(tensors)


def _connect(x: Tensor, block: Block) -> Tensor:
    """Build the layers of a block: convolution, norm, dropout, activation."""
    x = block.convolution.build(x, block.filters, block.convolution_name, use_bias=block.has_bias)
    if block.norm is not None:
        x = block.norm.layer(block.norm_name)(x)
    if block.dropout:
        x = Dropout(block.dropout, always=block.dropout_stays, name=f"{block.name}_dropout")(x)
    return block.activation.layer(block.name)(x)
