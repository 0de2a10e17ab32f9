"""Translate with a generator: compute what the trained network does, where it is needed.

Only a crop of each level is computed: see `crops`. Its pixels differ from those of the whole canvas
only by rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from oasis_gan_keras.backend import compile_graph, tf
from oasis_gan_keras.hardware import Precision

from .blueprint import NOISE, SOURCE, Block, Blueprint
from .crops import OUTWARD, find_box, find_crops
from .operations import apply_fixed_dropout, make_noise

Tensor = Any
Slices = NDArray[np.float32]


class Inference:
    """A generator that translates slices.

    Args:
        plan: The folded blueprint, as `folding.fold` returns it.
        weights: The folded weights by name.
        precision: The precision to compute in.
    """

    def __init__(
        self,
        plan: Blueprint,
        weights: Mapping[str, NDArray[np.float32]],
        precision: Precision,
    ) -> None:
        self._plan = plan
        self._type = tf.as_dtype(precision)
        self.weights: dict[str, Tensor] = {}
        for name, array in weights.items():
            weight = tf.cast(array, self._type)
            self.weights[name] = tf.Variable(weight, trainable=False)
        # A norm uses the statistics of a whole slice, and the mask of dropout depends on the size
        # of the slice.
        self._needs_whole_slice = any(
            block.norm is not None or block.dropout for block in plan.blocks
        )
        self._generate_in_crops = compile_graph(
            self._generate,
            input_signature=self._make_signature(),
        )
        # Only those of the last canvas size are kept: a cohort may have many sizes.
        self._canvas: list[int] = []
        self._empty_inputs: list[Tensor] = []

    def __call__(
        self,
        slices: Slices,
        mask: NDArray[np.bool_] | None = None,
        draw: int = 0,
    ) -> Slices:
        """Return translated slices (n, rows, columns, target channels) in [0, 1].

        Args:
            slices: Source slices (n, rows, columns, source channels) in [0, 1]; rows and columns
                are multiples of ``2 ** levels``.
            mask: The pixels to compute, (n, rows, columns); all of them if not given. The others
                may have any value in [0, 1].
            draw: Which noise and which dropout to use, if the generator has any; 0 is that of the
                result.
        """
        n, *size, _ = slices.shape
        if mask is None or self._needs_whole_slice:
            mask = np.ones(slices.shape[:3], bool)
        box = find_box(mask | slices.any(-1))
        crops = find_crops(self._plan, box, size)
        generated = self._generate_in_crops(
            tf.constant(slices),
            self._find_empty_inputs(size),
            tf.constant(crops),
            tf.constant(draw),
        )
        channels = generated.shape[-1]
        answer = np.zeros((n, *size, channels), np.float32)
        (top, bottom), (left, right) = crops[0]
        answer[:, top:bottom, left:right] = generated
        return answer

    def generate_everywhere(self, slices: Tensor) -> Tensor:
        """Return all pixels of translated slices, for use inside a `tf.function`."""
        return self._generate(slices, None, None, 0)

    def _make_signature(self) -> list[Any]:
        """Return the types and shapes of the arguments of `_generate`; any canvas size fits."""
        plan = self._plan
        slices = tf.TensorSpec((None, None, None, plan.channels), tf.float32)
        empty_inputs = []
        for block in plan.encoder:
            channels = plan.count_channels_into(block)
            empty_input = tf.TensorSpec((1, None, None, channels), self._type)
            empty_inputs.append(empty_input)
        crops = tf.TensorSpec((plan.depth + 1, 2, 2), tf.int32)
        draw = tf.TensorSpec((), tf.int32)
        return [slices, empty_inputs, crops, draw]

    def _find_empty_inputs(self, size: list[int]) -> list[Tensor]:
        """Return the inputs of the encoder for an empty slice, from the last call if they fit."""
        if size != self._canvas:
            self._empty_inputs = self._encode_empty_slice(size)
            self._canvas = size
        return self._empty_inputs

    def _encode_empty_slice(self, size: list[int]) -> list[Tensor]:
        """Return the padded input of each block of the encoder for an empty slice."""
        empty_slice = tf.zeros((1, *size, self._plan.channels))
        # An empty slice has no noise, and a generator with dropout always sees whole slices.
        outputs = self._make_inputs(empty_slice, None, 0)
        self._encode(outputs, None, None, 0)
        empty_inputs = []
        for block in self._plan.encoder:
            x = _read(outputs, block)
            empty_inputs.append(_pad_all_around(x, block.convolution.padding))
        return empty_inputs

    def _generate(
        self,
        slices: Tensor,
        empty_inputs: list[Tensor] | None,
        crops: Tensor | None,
        draw: Tensor | int,
    ) -> Tensor:
        """Return the crop of translated slices at level 0."""
        outputs = self._make_inputs(slices, crops, draw)
        self._encode(outputs, empty_inputs, crops, draw)
        self._decode(outputs, crops, draw)
        image = outputs[self._plan.blocks[-1].name]
        return image / 2 + 0.5

    def _make_inputs(
        self,
        slices: Tensor,
        crops: Tensor | None,
        draw: Tensor | int,
    ) -> dict[str, Tensor]:
        """Return the crop of level 0 of the inputs that are not outputs of a block."""
        source = tf.cast(slices, self._type)
        inputs = {SOURCE: _crop(source, crops)}
        if self._plan.reads_noise:
            # The noise of a pixel depends on its whole slice.
            noise = tf.cast(make_noise(slices, draw), self._type)
            inputs[NOISE] = _crop(noise, crops)
        return inputs

    def _encode(
        self,
        outputs: dict[str, Tensor],
        empty_inputs: list[Tensor] | None,
        crops: Tensor | None,
        draw: Tensor | int,
    ) -> None:
        """Add the output of each block of the encoder, cropped as its level is."""
        for number, block in enumerate(self._plan.encoder):
            x = _read(outputs, block)
            if empty_inputs is None or crops is None:
                x = _pad_all_around(x, block.convolution.padding)
            else:
                x = self._surround(x, block, empty_inputs[number], crops)
            x = self._convolve(x, block, "VALID")
            outputs[block.name] = self._finish(x, block, draw)

    def _decode(
        self,
        outputs: dict[str, Tensor],
        crops: Tensor | None,
        draw: Tensor | int,
    ) -> None:
        """Add the output of each block of the decoder, cropped as its level is."""
        for block in self._plan.decoder:
            x = _read(outputs, block)
            x = self._convolve_or_double(x, block, crops)
            outputs[block.name] = self._finish(x, block, draw)

    def _surround(
        self,
        x: Tensor,
        block: Block,
        empty_input: Tensor,
        crops: Tensor,
    ) -> Tensor:
        """Surround a crop with the pixels that a block needs.

        They are those of an empty slice, and zeros beyond its edges.
        """
        convolution = block.convolution
        before, after = self._find_crops_of(block, crops)
        needed = convolution.stride * after + convolution.padding * OUTWARD
        margins = needed - before
        size = tf.shape(x)[1:3]
        inside = tf.zeros(size, x.dtype)
        is_outside = tf.pad(inside, tf.abs(margins), constant_values=1)
        # The empty input is padded with zeros already.
        around = _crop(empty_input, [needed + convolution.padding])
        return _pad(x, margins) + around * is_outside[:, :, tf.newaxis]

    def _find_crops_of(self, block: Block, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Return the crop that a block reads, and the crop of its output."""
        levels = self._plan.levels
        before = levels[block.reads[0]]
        after = levels[block.name]
        return crops[before], crops[after]

    def _convolve_or_double(
        self,
        x: Tensor,
        block: Block,
        crops: Tensor | None,
    ) -> Tensor:
        if block.convolution.halvings == 0:
            return self._convolve(x, block, "SAME")
        if crops is None:
            return self._double(x, block)
        return self._double_in_crop(x, block, crops)

    def _double(self, x: Tensor, block: Block) -> Tensor:
        """Double the size: 2x2 pixels become the four pixels in their middle.

        See Shi et al. 2016, arXiv 1609.05158.
        """
        x = self._convolve(_pad_all_around(x, 1), block, "VALID")
        doubled = tf.nn.depth_to_space(x, 2)
        # The outermost pixels are those beyond the edges.
        return doubled[:, 1:-1, 1:-1]

    def _double_in_crop(self, x: Tensor, block: Block, crops: Tensor) -> Tensor:
        """Double the size as `_double` does, and return only a crop of the output."""
        before, after = self._find_crops_of(block, crops)
        read = _find_crop_to_double(before, after)
        x = _pad(x, read - before)
        x = self._convolve(x, block, "VALID")
        # The first of the four pixels has an odd number.
        start = after[:, 0] - (2 * read[:, 0] + 1)
        end = start + after[:, 1] - after[:, 0]
        crop = tf.stack([start, end], 1)
        doubled = tf.nn.depth_to_space(x, 2)
        return _crop(doubled, [crop])

    def _convolve(self, x: Tensor, block: Block, padding: str) -> Tensor:
        convolved = tf.nn.conv2d(
            x,
            filters=self.weights[block.kernel],
            strides=block.convolution.stride,
            padding=padding,
        )
        if not block.has_bias:
            return convolved
        bias = self.weights[block.bias]
        return tf.nn.bias_add(convolved, bias)

    def _finish(self, x: Tensor, block: Block, draw: Tensor | int) -> Tensor:
        """Apply the rest of a block: a norm that was not folded, dropout and the activation."""
        if block.norm is not None:
            weights = block.select_norm_weights(self.weights)
            x = block.norm.compute(x, weights)
        if block.dropout:
            x = apply_fixed_dropout(x, block.dropout, draw)
        return block.activation.compute(x)


def _find_crop_to_double(before: Tensor, after: Tensor) -> Tensor:
    """Return the crop to read so that the output fills ``after``; it contains ``before``."""
    needed = (after + np.array([1, 0], np.int32)) // 2 + OUTWARD
    # The crop may be larger than needed, for other blocks of its level.
    first = tf.minimum(needed[:, 0], before[:, 0])
    last = tf.maximum(needed[:, 1], before[:, 1])
    return tf.stack([first, last], 1)


def _read(outputs: Mapping[str, Tensor], block: Block) -> Tensor:
    """Return the inputs of a block, concatenated along their channels."""
    if len(block.reads) == 1:
        return outputs[block.reads[0]]
    inputs = [outputs[name] for name in block.reads]
    return tf.concat(inputs, -1)


def _pad(x: Tensor, margins: Tensor) -> Tensor:
    """Pad (n, rows, columns, channels) with zeros."""
    # Slices and channels get no margin.
    all_margins = tf.pad(tf.abs(margins), ((1, 1), (0, 0)))
    return tf.pad(x, all_margins)


def _pad_all_around(x: Tensor, pixels: int) -> Tensor:
    """Pad all edges of (n, rows, columns, channels) with the same number of zeros."""
    none = (0, 0)
    margin = (pixels, pixels)
    return tf.pad(x, (none, margin, margin, none))


def _crop(x: Tensor, crops: Any) -> Tensor:  # noqa: ANN401 - a tensor, a list of one, or None
    """Cut the first crop out of (n, rows, columns, channels); without crops, return everything."""
    if crops is None:
        return x
    rows, columns = tf.unstack(crops[0])
    top, bottom = tf.unstack(rows)
    left, right = tf.unstack(columns)
    return x[:, top:bottom, left:right]
