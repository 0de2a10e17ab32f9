"""The networks of Pix2Pix (arXiv 1611.07004, section 6.1), in Keras 3.

C64 in the paper is a convolution of 64 filters, its norm and its activation; kernels are 4x4. Departures, each of
them a setting: the norm may be per instance, the decoder may double its size by resizing, and its last step may see
the input at full size. As in the paper's erratum the innermost block has no norm: over a 1x1 map its output is 0.
"""

from __future__ import annotations

from typing import Any

from .backend import keras
from .layers import (
    BatchNormalization,
    Dropout,
    InstanceNormalization,
    Noise,
    ResizeConvolution,
)
from .recipe import DiscriminatorSettings, GeneratorSettings, NetworkSettings
from .weight_shapes import level_widths

Tensor = Any


def generator(settings: GeneratorSettings, channels_in: int, channels_out: int) -> keras.Model:
    """Build the U-Net, or the encoder-decoder, which is the same without skips.

    Args:
        settings: How deep and wide it is.
        channels_in: Of the source.
        channels_out: Of the target.

    Returns:
        A model from (n, rows, columns, channels_in) in [0, 1] to (n, rows, columns, channels_out) in [-1, 1]; rows and
        columns are multiples of ``2 ** levels``.
    """
    levels, skipping = settings.levels, settings.architecture == "u-net"
    widths = level_widths(settings)
    x = source = keras.Input((None, None, channels_in), name="source")
    skips = []
    for level, width in enumerate(widths):
        skips.append(x)
        x = _down(x, width, f"down{level + 1}", settings, settings.normed_at(level))
    for level in range(levels - 1, 0, -1):
        x = _up(x, widths[level - 1], f"up{level + 1}", settings, settings.dropout_at(level))
        if skipping:
            x = keras.layers.Concatenate(name=f"skip{level}")([x, skips[level]])
    if settings.skips_whole:
        x = _up(x, settings.outermost, "up1", settings, 0)
        seen = [x, source, Noise(name="noise")(source)] if settings.noise else [x, source]
        x = keras.layers.Concatenate(name="skip0")(seen)
        x = keras.layers.Conv2D(channels_out, 3, padding="same", name="output", kernel_initializer=_normal())(x)
    else:
        x = _doubled(x, channels_out, "output", settings.upsample, bias=True)
    # Whatever the precision inside, the image is made in float32.
    return keras.Model(source, keras.layers.Activation("tanh", dtype="float32", name="tanh")(x), name="generator")


def discriminator(settings: DiscriminatorSettings, channels_in: int, channels_out: int) -> keras.Model:
    """Build the PatchGAN: one logit, real or generated, for each overlapping patch of a (source, target) pair.

    Args:
        settings: How large the patches are.
        channels_in: Of the source; 0 where it is not shown.
        channels_out: Of the target.

    Returns:
        A model from (n, rows, columns, channels_in + channels_out) to logits (n, patch rows, patch columns, 1).
    """
    x = pair = keras.Input((None, None, channels_in + channels_out), name="pair")
    for layer, (kernel, stride) in enumerate(_patch_layers(settings.receptive_field), 1):
        width = settings.filters * min(2 ** (layer - 1), 8)
        x = _down(x, width, f"layer{layer}", settings, normed=layer > 1, kernel=kernel, stride=stride)
    return keras.Model(pair, _convolved(x, 1, kernel, 1, "logits", dtype="float32"), name="discriminator")


def receptive_field(network: keras.Model) -> int:
    """Return how many pixels across one output of a chain of convolutions sees, from their kernels and strides."""
    field = 1
    for layer in reversed(network.layers):
        if isinstance(layer, keras.layers.Conv2D):
            field = (field - 1) * layer.strides[0] + layer.kernel_size[0]
    return field


def _patch_layers(field: int) -> list[tuple[int, int]]:
    """Return kernel and stride of each layer before the logits (the paper's section 6.1.2)."""
    if field == 1:
        return [(1, 1), (1, 1)]
    strided = {16: 1, 34: 2, 70: 3, 142: 4, 286: 5}[field]
    return [(4, 2)] * strided + [(4, 1)]


def _normal() -> Any:  # noqa: ANN401 - Keras is untyped here
    """Return the paper's initialisation, new for each layer.

    A Keras initializer takes its seed when it is made, and gives the same numbers at every call.
    """
    return keras.initializers.RandomNormal(0.0, 0.02)


def _down(
    x: Tensor, filters: int, name: str, settings: NetworkSettings, normed: bool, kernel: int = 4, stride: int = 2
) -> Tensor:
    """Ck of the encoder: convolution, norm, leaky ReLU."""
    norm = settings.norm if normed else "none"
    x = _convolved(x, filters, kernel, stride, f"{name}_conv", use_bias=norm == "none")
    return keras.layers.LeakyReLU(settings.leak, name=f"{name}_relu")(_normed(x, norm, name, settings))


def _convolved(x: Tensor, filters: int, kernel: int, stride: int, name: str, **options: object) -> Tensor:
    """Convolve with one pixel of padding around 4x4 kernels, as the paper's code does: a stride of 1 loses a pixel."""
    if kernel == 4 and stride == 1:
        x = keras.layers.ZeroPadding2D(1, name=f"{name}_pad")(x)
    padding = "valid" if stride == 1 else "same"
    layer = keras.layers.Conv2D(
        filters, kernel, stride, padding=padding, name=name, kernel_initializer=_normal(), **options
    )
    return layer(x)


def _up(x: Tensor, filters: int, name: str, settings: GeneratorSettings, dropout: float) -> Tensor:
    """Ck, or CDk with dropout, of the decoder: convolution to twice the size, norm, dropout, ReLU."""
    x = _doubled(x, filters, name, settings.upsample, settings.norm == "none")
    x = _normed(x, settings.norm, name, settings)
    if dropout:
        x = Dropout(dropout, always=settings.test_as_training, name=f"{name}_dropout")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def _doubled(x: Tensor, filters: int, name: str, upsample: str, bias: bool) -> Tensor:
    if upsample == "resize":
        return ResizeConvolution(filters, use_bias=bias, name=f"{name}_conv", kernel_initializer=_normal())(x)
    transposed = keras.layers.Conv2DTranspose(
        filters, 4, 2, padding="same", use_bias=bias, name=f"{name}_conv", kernel_initializer=_normal()
    )
    return transposed(x)


def _normed(x: Tensor, norm: str, name: str, settings: NetworkSettings) -> Tensor:
    if norm == "instance":
        return InstanceNormalization(settings.epsilon, name=f"{name}_norm")(x)
    if norm == "batch":
        own = isinstance(settings, GeneratorSettings) and settings.test_as_training
        layer = BatchNormalization(own, momentum=settings.momentum, epsilon=settings.epsilon, name=f"{name}_norm")
        return layer(x)
    return x
