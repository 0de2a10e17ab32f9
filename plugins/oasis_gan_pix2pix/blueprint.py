"""The blueprint of the generator has its blocks in order, and the inputs of each.

`networks` builds the blueprint in Keras, `weight_shapes` lists its weights, `folding` rewrites it
for translating, and `inference` computes the result, also for exports. They depend on the blueprint
alone, so a new block or skip connection is a change to this file only. `norms`, `convolutions` and
`activations` define what each norm, convolution and activation means to all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from .activations import Activation, LeakyReLU, ReLU, Tanh
from .convolutions import DOUBLINGS, Convolution
from .norms import NORMS, Norm
from .recipe import GeneratorSettings, NetworkSettings

SOURCE = "source"
"""The name by which blocks read the slice itself."""
NOISE = "noise"
"""The name by which blocks read the noise that becomes texture: see `operations.make_noise`."""
Weight = TypeVar("Weight")
"""A weight as an array or as a tensor."""
_DROPOUT_BLOCKS = 3  # the innermost blocks of the decoder


@dataclass(frozen=True, kw_only=True)
class Block:
    """A convolution that has a norm, dropout and an activation: Ck or CDk in the paper.

    Args:
        name: The name of the block and of its output.
        reads: The inputs by name, which are concatenated along the channels: earlier blocks,
            `SOURCE` or `NOISE`. All but the first are skip connections.
        convolution: The convolution, which may also change the size.
        filters: The number of output channels.
        norm: The norm; without one, the convolution has a bias.
        dropout: The fraction of numbers that are set to 0 in training.
        dropout_stays: Whether dropout stays on when translating.
        activation: The activation at the end.
        layer: The name of the convolution among the weights; ``NAME_conv`` if not given.
    """

    name: str
    reads: tuple[str, ...]
    convolution: Convolution
    filters: int
    norm: Norm | None = None
    dropout: float = 0.0
    dropout_stays: bool = False
    activation: Activation
    layer: str = ""

    @property
    def convolution_name(self) -> str:
        """Return the name of the convolution as a layer and among the weights."""
        return self.layer or f"{self.name}_conv"

    @property
    def norm_name(self) -> str:
        """Return the name of the norm as a layer and among the weights."""
        return f"{self.name}_norm"

    @property
    def kernel(self) -> str:
        """Return the name of the kernel among the weights."""
        return f"{self.convolution_name}/kernel"

    @property
    def bias(self) -> str:
        """The name of the bias among the weights, if the block has one."""
        return f"{self.convolution_name}/bias"

    @property
    def has_bias(self) -> bool:
        """Whether the convolution has a bias; with a norm it would have no effect."""
        return self.norm is None

    @property
    def norm_weights(self) -> dict[str, str]:
        """Return the name of each weight of the norm among all weights, by the norm's own name."""
        if self.norm is None:
            return {}
        return {part: f"{self.norm_name}/{part}" for part in self.norm.weights}

    def select_norm_weights(self, weights: Mapping[str, Weight]) -> dict[str, Weight]:
        """Return the weights of the norm by its own names, out of all weights of a generator."""
        return {part: weights[name] for part, name in self.norm_weights.items()}


@dataclass(frozen=True, kw_only=True)
class Blueprint:
    """The blocks of a generator in order; the last one returns the image.

    Args:
        channels: The channels of the source.
        encoder: Blocks that halve the size or keep it.
        decoder: Blocks that double the size or keep it.

    Raises:
        ValueError: If the inputs of a block differ in size, or a block is in the wrong half.
    """

    channels: int
    encoder: tuple[Block, ...]
    decoder: tuple[Block, ...]

    def __post_init__(self) -> None:
        for block in self.blocks:
            levels = {self.levels[name] for name in block.reads}
            # They are concatenated along their channels.
            if len(levels) != 1:
                raise ValueError(
                    f"{block.name} reads {', '.join(block.reads)}, which differ in size"
                )
        for block in self.encoder:
            if block.convolution.halvings < 0:
                raise ValueError(f"{block.name} doubles the size, in the encoder")
        for block in self.decoder:
            if block.convolution.halvings > 0:
                raise ValueError(f"{block.name} halves the size, in the decoder")

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All blocks, in the order in which they are computed."""
        return self.encoder + self.decoder

    @property
    def reads_noise(self) -> bool:
        """Whether any block reads noise."""
        return any(NOISE in block.reads for block in self.blocks)

    @cached_property
    def levels(self) -> dict[str, int]:
        """How often each possible input of a block has been halved, by name."""
        levels = {SOURCE: 0, NOISE: 0}
        for block in self.blocks:
            # All inputs of a block have the same size.
            before = levels[block.reads[0]]
            levels[block.name] = before + block.convolution.halvings
        return levels

    @property
    def depth(self) -> int:
        """How often the slice is halved; rows and columns are multiples of ``2 ** depth``."""
        return max(self.levels.values())

    def count_channels_into(self, block: Block) -> int:
        """Return the number of input channels of a block."""
        widths = {SOURCE: self.channels, NOISE: self.channels}
        for earlier in self.blocks:
            widths[earlier.name] = earlier.filters
        return sum(widths[name] for name in block.reads)


def make_blueprint(
    settings: GeneratorSettings,
    channels_in: int,
    channels_out: int,
) -> Blueprint:
    """Return the blueprint of a U-Net, or of an encoder-decoder (paper, section 6.1.1).

    An encoder-decoder is a U-Net without skip connections.

    Args:
        settings: The depth and width of the generator, and the other choices.
        channels_in: The channels of the source.
        channels_out: The channels of the target.
    """
    inner_blocks = _make_decoder_blocks(settings)
    output_blocks = _make_output_blocks(settings, channels_out)
    return Blueprint(
        channels=channels_in,
        encoder=tuple(_make_encoder_blocks(settings)),
        decoder=(*inner_blocks, *output_blocks),
    )


def choose_norm(settings: NetworkSettings) -> Norm | None:
    """Return the norm that the settings of a network name."""
    norm = NORMS[settings.norm]
    if norm is None:
        return None
    own_statistics = isinstance(settings, GeneratorSettings) and settings.inference_in_training_mode
    return norm(
        epsilon=settings.epsilon,
        momentum=settings.momentum,
        own_statistics=own_statistics,
    )


def _make_encoder_blocks(settings: GeneratorSettings) -> Iterator[Block]:
    """Yield the blocks ``down1``, ``down2``, ... of the encoder.

    They are C64-C128-C256-C512-C512-C512-C512-C512 in the paper. Block ``downN`` returns level N.
    The outermost block has no norm. By the paper's erratum the innermost has none either, because
    over a 1x1 map a norm returns 0.
    """
    before = SOURCE
    for level, filters in enumerate(_list_widths(settings), 1):
        name = f"down{level}"
        normed = level > 1 and (level < settings.levels or settings.innermost_norm)
        yield Block(
            name=name,
            reads=(before,),
            convolution=Convolution(kernel=4, stride=2),
            filters=filters,
            norm=choose_norm(settings) if normed else None,
            activation=LeakyReLU(settings.leaky_relu_slope),
        )
        before = name


def _make_decoder_blocks(settings: GeneratorSettings) -> Iterator[Block]:
    """Yield the blocks ..., ``up3``, ``up2`` of the decoder.

    They are CD512-CD1024-CD1024-C1024-C1024-C512-C256-C128 in the paper, which counts the channels
    that are read. Block ``upN`` reads level N and returns the level above. The last of the paper's
    blocks returns the image: see `_make_output_blocks`.
    """
    widths = _list_widths(settings)
    for level in range(settings.levels, 1, -1):
        has_dropout = level > settings.levels - _DROPOUT_BLOCKS
        yield Block(
            name=f"up{level}",
            reads=_list_inputs_at(level, settings),
            convolution=DOUBLINGS[settings.upsample],
            filters=widths[level - 2],
            norm=choose_norm(settings),
            dropout=settings.dropout if has_dropout else 0.0,
            dropout_stays=settings.inference_in_training_mode,
            activation=ReLU(),
        )


def _make_output_blocks(settings: GeneratorSettings, channels_out: int) -> Iterator[Block]:
    """Yield the blocks that reach full size and return the image.

    With a full skip connection, a narrow block comes first, so that the last block can read the
    slice beside it.
    """
    doubling = DOUBLINGS[settings.upsample]
    if not settings.skips_whole:
        yield Block(
            name="output",
            reads=_list_inputs_at(1, settings),
            convolution=doubling,
            filters=channels_out,
            activation=Tanh(),
        )
        return
    yield Block(
        name="up1",
        reads=_list_inputs_at(1, settings),
        convolution=doubling,
        filters=settings.full_size_filters,
        norm=choose_norm(settings),
        activation=ReLU(),
    )
    reads = ("up1", SOURCE, NOISE) if settings.noise else ("up1", SOURCE)
    yield Block(
        name="output",
        reads=reads,
        convolution=Convolution(kernel=3),
        filters=channels_out,
        activation=Tanh(),
        layer="output",
    )


def _list_inputs_at(level: int, settings: GeneratorSettings) -> tuple[str, ...]:
    """Return the inputs of the decoder at a level: the block before, and a skip connection."""
    if level == settings.levels:
        return (f"down{level}",)
    if settings.architecture == "u-net":
        return (f"up{level + 1}", f"down{level}")
    return (f"up{level + 1}",)


def _list_widths(settings: GeneratorSettings) -> list[int]:
    """Return the filters of each block of the encoder; the decoder has them in reverse."""
    widths = []
    for level in range(settings.levels):
        multiple = min(2**level, settings.max_filter_multiple)
        widths.append(settings.filters * multiple)
    return widths
