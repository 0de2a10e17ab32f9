"""The two networks of Pix2Pix (arXiv 1611.07004, section 6.1), in Keras 3.

C64 in the paper is a convolution of 64 filters, its norm and its activation; kernels are 4x4. Departures, each of
them a setting: the norm may be per instance, the decoder may double its size by resizing, and its last step may see
the input at full size. As in the paper's erratum the innermost block has no norm: over a 1x1 map its output is 0.
"""

from __future__ import annotations

from typing import Any

from .backend import keras
from .layers import InstanceNormalization, ResizeConvolution
from .recipe import DiscriminatorSettings, GeneratorSettings

Tensor = Any
_DROPOUT_LEVELS = 3


def generator(settings: GeneratorSettings, channels_in: int, channels_out: int) -> keras.Model:
    """Build the U-Net.

    Args:
        settings: How deep and wide it is.
        channels_in: Of the source.
        channels_out: Of the target.

    Returns:
        A model from (n, rows, columns, channels_in) in [0, 1] to (n, rows, columns, channels_out) in [-1, 1]; rows and
        columns are multiples of ``2 ** levels``.
    """
    levels = settings.levels
    widths = [settings.filters * min(2**level, settings.widest) for level in range(levels)]
    # The paper's last decoder block is the output itself; with a full skip one narrow block stands before it.
    outermost = max(settings.filters // 2, 1)
    x = source = keras.Input((None, None, channels_in), name="source")
    skips = []
    for level, width in enumerate(widths):
        skips.append(x)
        x = _down(x, width, f"down{level + 1}", settings.norm if 0 < level < levels - 1 else "none")
    for level in range(levels - 1, 0, -1):
        dropout = settings.dropout if levels - level <= _DROPOUT_LEVELS else 0
        x = _up(x, widths[level - 1], f"up{level + 1}", settings, dropout)
        x = keras.layers.Concatenate(name=f"skip{level}")([x, skips[level]])
    if settings.full_skip:
        x = _up(x, outermost, "up1", settings, 0)
        x = keras.layers.Concatenate(name="skip0")([x, source])
        x = keras.layers.Conv2D(channels_out, 3, padding="same", name="output", kernel_initializer=_normal())(x)
    else:
        x = _doubled(x, channels_out, "output", settings.upsample, bias=True)
    return keras.Model(source, keras.layers.Activation("tanh", name="tanh")(x), name="generator")


def discriminator(settings: DiscriminatorSettings, channels_in: int, channels_out: int) -> keras.Model:
    """Build the PatchGAN: one logit, real or generated, for each overlapping patch of a (source, target) pair.

    Args:
        settings: How large the patches are.
        channels_in: Of the source.
        channels_out: Of the target.

    Returns:
        A model from (n, rows, columns, channels_in + channels_out) to logits (n, patch rows, patch columns, 1).
    """
    x = pair = keras.Input((None, None, channels_in + channels_out), name="pair")
    for layer in range(settings.layers + 1):
        width = settings.filters * min(2**layer, 8)
        stride = 2 if layer < settings.layers else 1
        x = _down(x, width, f"layer{layer + 1}", settings.norm if layer else "none", stride)
    logits = keras.layers.Conv2D(1, 4, padding="same", name="logits", kernel_initializer=_normal())(x)
    return keras.Model(pair, logits, name="discriminator")


def _normal() -> Any:  # noqa: ANN401 - Keras is untyped here
    """Return the paper's initialisation, new for each layer.

    A Keras initializer takes its seed when it is made, and gives the same numbers at every call.
    """
    return keras.initializers.RandomNormal(0.0, 0.02)


def _down(x: Tensor, filters: int, name: str, norm: str, stride: int = 2) -> Tensor:
    """Ck of the encoder: convolution, norm, leaky ReLU."""
    convolution = keras.layers.Conv2D(
        filters, 4, stride, padding="same", use_bias=norm == "none", name=f"{name}_conv", kernel_initializer=_normal()
    )
    return keras.layers.LeakyReLU(0.2, name=f"{name}_relu")(_normed(convolution(x), norm, name))


def _up(x: Tensor, filters: int, name: str, settings: GeneratorSettings, dropout: float) -> Tensor:
    """Ck, or CDk with dropout, of the decoder: convolution to twice the size, norm, dropout, ReLU."""
    x = _normed(_doubled(x, filters, name, settings.upsample, settings.norm == "none"), settings.norm, name)
    if dropout:
        x = keras.layers.Dropout(dropout, name=f"{name}_dropout")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def _doubled(x: Tensor, filters: int, name: str, upsample: str, bias: bool) -> Tensor:
    if upsample == "resize":
        return ResizeConvolution(filters, use_bias=bias, name=f"{name}_conv", kernel_initializer=_normal())(x)
    transposed = keras.layers.Conv2DTranspose(
        filters, 4, 2, padding="same", use_bias=bias, name=f"{name}_conv", kernel_initializer=_normal()
    )
    return transposed(x)


def _normed(x: Tensor, norm: str, name: str) -> Tensor:
    if norm == "instance":
        return InstanceNormalization(name=f"{name}_norm")(x)
    if norm == "batch":
        return keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_norm")(x)
    return x
