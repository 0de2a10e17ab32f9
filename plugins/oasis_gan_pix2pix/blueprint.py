"""The generator of Pix2Pix, described once: its blocks in order, and what each of them reads.

`networks` builds it in Keras, `weight_shapes` lists its weights, `folding` turns it into the form it translates in,
and `inference` computes that in windows, also for an export. They go by the description alone, so that a new block or
skip connection is an edit of this file only. What a norm, a convolution or an activation is to each of them stands in
`norms`, `convolutions` and `activations`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from .activations import Activation, LeakyReLU, ReLU, Tanh
from .convolutions import DOUBLINGS, Convolution
from .norms import NORMS, Norm
from .recipe import GeneratorSettings, NetworkSettings

SOURCE = "source"
"""What blocks call the slice itself."""
NOISE = "noise"
"""What blocks call the noise that texture is made of, as strong as the source: see `operations.noise`."""
_DROPOUT_BLOCKS = 3  # of the decoder, the innermost ones


@dataclass(frozen=True, kw_only=True)
class Block:
    """Ck in the paper, or CDk with dropout: a convolution of k filters, then its norm, dropout and activation.

    Args:
        name: Of the block, and of what it gives to others.
        reads: The names of what it is given, as channels beside each other: earlier blocks, `SOURCE`, or `NOISE`. With
            more than one, all but the first are skip connections.
        convolution: How it convolves, and what becomes of the size.
        filters: Channels of what it gives.
        norm: None for none; the convolution has a bias then.
        dropout: The share of numbers that are set to 0 in training.
        dropout_stays: Whether dropout acts when translating too.
        activation: The function at its end.
        layer: What the convolution is called among the weights; ``NAME_conv`` if not given.
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
        """What the convolution is called, as a layer and among the weights."""
        return self.layer or f"{self.name}_conv"

    @property
    def norm_name(self) -> str:
        """What the norm is called, as a layer and among the weights."""
        return f"{self.name}_norm"

    @property
    def kernel(self) -> str:
        """What the kernel is called among the weights."""
        return f"{self.convolution_name}/kernel"

    @property
    def bias(self) -> str:
        """What the bias is called among the weights, if the block has one."""
        return f"{self.convolution_name}/bias"

    @property
    def has_bias(self) -> bool:
        """Whether the convolution has a bias: a norm shifts by itself, or takes any shift away."""
        return self.norm is None

    @property
    def norm_weights(self) -> dict[str, str]:
        """What the weights of the norm are called among the weights, by what the norm calls them."""
        if self.norm is None:
            return {}
        return {part: f"{self.norm_name}/{part}" for part in self.norm.weights}


@dataclass(frozen=True, kw_only=True)
class Blueprint:
    """A generator: what its encoder and its decoder are made of, in order. The last block gives the image.

    Args:
        channels: Of the source.
        encoder: Blocks that halve the size, or keep it.
        decoder: Blocks that double the size, or keep it.

    Raises:
        ValueError: If a block reads what differs in size, or stands in the wrong half.
    """

    channels: int
    encoder: tuple[Block, ...]
    decoder: tuple[Block, ...]

    def __post_init__(self) -> None:
        for block in self.blocks:
            if len({self.levels[name] for name in block.reads}) != 1:
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
        """All blocks, in the order they are computed in."""
        return self.encoder + self.decoder

    @property
    def reads_noise(self) -> bool:
        """Whether any block is shown noise."""
        return any(NOISE in block.reads for block in self.blocks)

    @cached_property
    def levels(self) -> dict[str, int]:
        """How many times each thing that a block may read has been halved."""
        levels = {SOURCE: 0, NOISE: 0}
        for block in self.blocks:
            levels[block.name] = levels[block.reads[0]] + block.convolution.halvings
        return levels

    @property
    def depth(self) -> int:
        """How many times the slice is halved; rows and columns are multiples of ``2 ** depth``."""
        return max(self.levels.values())

    def channels_into(self, block: Block) -> int:
        """Return how many channels a block reads."""
        widths = {SOURCE: self.channels, NOISE: self.channels}
        for earlier in self.blocks:
            widths[earlier.name] = earlier.filters
        return sum(widths[name] for name in block.reads)


def blueprint(settings: GeneratorSettings, channels_in: int, channels_out: int) -> Blueprint:
    """Describe the U-Net, or the encoder-decoder, which is the same without skips (the paper's section 6.1.1).

    Args:
        settings: How deep and wide it is.
        channels_in: Of the source.
        channels_out: Of the target.
    """
    return Blueprint(
        channels=channels_in,
        encoder=tuple(_encoder_blocks(settings)),
        decoder=(*_decoder_blocks(settings), *_output_blocks(settings, channels_out)),
    )


def choose_norm(settings: NetworkSettings) -> Norm | None:
    """Return the norm that a network's settings ask for."""
    norm = NORMS[settings.norm]
    if norm is None:
        return None
    own_statistics = isinstance(settings, GeneratorSettings) and settings.test_as_training
    return norm(epsilon=settings.epsilon, momentum=settings.momentum, own_statistics=own_statistics)


def _encoder_blocks(settings: GeneratorSettings) -> Iterator[Block]:
    """C64-C128-C256-C512-C512-C512-C512-C512 in the paper; block ``downN`` gives level N.

    The outermost block has no norm, and neither has the innermost, by the paper's erratum: over a 1x1 map the norm
    gives 0.
    """
    for level, filters in enumerate(_widths(settings), 1):
        normed = level > 1 and (level < settings.levels or settings.innermost_norm)
        yield Block(
            name=f"down{level}",
            reads=(f"down{level - 1}" if level > 1 else SOURCE,),
            convolution=Convolution(kernel=4, stride=2),
            filters=filters,
            norm=choose_norm(settings) if normed else None,
            activation=LeakyReLU(settings.leak),
        )


def _decoder_blocks(settings: GeneratorSettings) -> Iterator[Block]:
    """CD512-CD1024-CD1024-C1024-C1024-C512-C256-C128 in the paper, by the channels that are read.

    Block ``upN`` reads level N and gives the one above. `_output_blocks` adds the last
    of the paper's list, which gives the image.
    """
    widths = _widths(settings)
    for level in range(settings.levels, 1, -1):
        drops = level > settings.levels - _DROPOUT_BLOCKS
        yield Block(
            name=f"up{level}",
            reads=_inputs_at(level, settings),
            convolution=DOUBLINGS[settings.upsample],
            filters=widths[level - 2],
            norm=choose_norm(settings),
            dropout=settings.dropout if drops else 0.0,
            dropout_stays=settings.test_as_training,
            activation=ReLU(),
        )


def _output_blocks(settings: GeneratorSettings, channels_out: int) -> Iterator[Block]:
    """Go to full size and give the image.

    With a full skip a narrow block stands before, so that the last one sees the slice itself beside it.
    """
    doubling = DOUBLINGS[settings.upsample]
    if not settings.skips_whole:
        yield Block(
            name="output",
            reads=_inputs_at(1, settings),
            convolution=doubling,
            filters=channels_out,
            activation=Tanh(),
        )
        return
    yield Block(
        name="up1",
        reads=_inputs_at(1, settings),
        convolution=doubling,
        filters=settings.full_size_filters,
        norm=choose_norm(settings),
        activation=ReLU(),
    )
    yield Block(
        name="output",
        reads=("up1", SOURCE, NOISE) if settings.noise else ("up1", SOURCE),
        convolution=Convolution(kernel=3),
        filters=channels_out,
        activation=Tanh(),
        layer="output",
    )


def _inputs_at(level: int, settings: GeneratorSettings) -> tuple[str, ...]:
    """Return what the decoder reads at a level: the block before it and, with skips, the encoder's of that level."""
    if level == settings.levels:
        return (f"down{level}",)
    if settings.architecture == "u-net":
        return f"up{level + 1}", f"down{level}"
    return (f"up{level + 1}",)


def _widths(settings: GeneratorSettings) -> list[int]:
    """Return the filters of each block of the encoder; the decoder has them in reverse."""
    return [settings.filters * min(2**level, settings.widest) for level in range(settings.levels)]
