"""Translate with a generator: compute what the trained network does, where it is needed.

Each level is computed in a window: see `windows`. Inside a window, pixels differ from those of the
whole canvas only by rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from oasis_gan_keras.backend import compile_graph, tf
from oasis_gan_keras.hardware import Precision

from .blueprint import NOISE, SOURCE, Block, Blueprint
from .operations import apply_fixed_dropout, make_noise
from .windows import OUTWARD, find_box, find_windows

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
        self, plan: Blueprint, weights: Mapping[str, NDArray[np.float32]], precision: Precision
    ) -> None:
        self._plan = plan
        self._type = tf.as_dtype(precision)
        self.weights = {
            name: tf.Variable(tf.cast(array, self._type), trainable=False)
            for name, array in weights.items()
        }
        # A norm uses the statistics of a whole slice, and the mask of dropout depends on the size
        # of the slice.
        self._needs_whole_slice = any(
            block.norm is not None or block.dropout for block in plan.blocks
        )
        slices = tf.TensorSpec((None, None, None, plan.channels), tf.float32)
        empty_inputs = [
            tf.TensorSpec((1, None, None, plan.channels_into(block)), self._type)
            for block in plan.encoder
        ]
        windows = tf.TensorSpec((plan.depth + 1, 2, 2), tf.int32)
        draw = tf.TensorSpec((), tf.int32)
        signature = [slices, empty_inputs, windows, draw]
        self._generate_in_windows = compile_graph(self._generate, input_signature=signature)
        # Only those of the last canvas size are kept: a cohort may have many sizes.
        self._canvas: list[int] = []
        self._empty_inputs: list[Tensor] = []

    def __call__(
        self, slices: Slices, mask: NDArray[np.bool_] | None = None, draw: int = 0
    ) -> Slices:
        """Return translated slices (n, rows, columns, target channels) in [0, 1].

        Args:
            slices: Source slices (n, rows, columns, source channels) in [0, 1]; rows and columns
                are multiples of ``2 ** levels``.
            mask: The pixels to compute, (n, rows, columns); all of them if not given. The others
                may have any value in [0, 1].
            draw: Which noise and which dropout to use, if the generator has any; 0 is that of the result.
        """
        n, *size, _ = slices.shape
        if mask is None or self._needs_whole_slice:
            mask = np.ones(slices.shape[:3], bool)
        box = find_box(mask | slices.any(-1))
        windows = find_windows(self._plan, box, size)
        if size != self._canvas:
            self._empty_inputs = self._encode_empty_slice(size)
            self._canvas = size
        generated = self._generate_in_windows(
            tf.constant(slices), self._empty_inputs, tf.constant(windows), tf.constant(draw)
        )
        answer = np.zeros((n, *size, generated.shape[-1]), np.float32)
        (top, bottom), (left, right) = windows[0]
        answer[:, top:bottom, left:right] = generated
        return answer

    def generate_everywhere(self, slices: Tensor) -> Tensor:
        """Return all pixels of translated slices, for use inside a `tf.function`."""
        return self._generate(slices, None, None, 0)

    def _encode_empty_slice(self, size: list[int]) -> list[Tensor]:
        """Return the padded input of each block of the encoder for an empty slice."""
        empty_slice = tf.zeros((1, *size, self._plan.channels))
        # An empty slice has no noise, and a generator with dropout always sees whole slices.
        outputs = self._inputs(empty_slice, None, 0)
        self._encode(outputs, None, None, 0)
        return [
            _pad_all_around(_read(outputs, block), block.convolution.padding)
            for block in self._plan.encoder
        ]

    def _generate(
        self,
        slices: Tensor,
        empty_inputs: list[Tensor] | None,
        windows: Tensor | None,
        draw: Tensor | int,
    ) -> Tensor:
        """Return translated slices in the window of level 0."""
        outputs = self._inputs(slices, windows, draw)
        self._encode(outputs, empty_inputs, windows, draw)
        self._decode(outputs, windows, draw)
        image = outputs[self._plan.blocks[-1].name]
        return image / 2 + 0.5

    def _inputs(
        self, slices: Tensor, windows: Tensor | None, draw: Tensor | int
    ) -> dict[str, Tensor]:
        """Return the inputs that are not outputs of a block, in the window of level 0."""
        inputs = {SOURCE: _crop(tf.cast(slices, self._type), windows)}
        if self._plan.reads_noise:
            # The noise of a pixel depends on its whole slice.
            inputs[NOISE] = _crop(tf.cast(make_noise(slices, draw), self._type), windows)
        return inputs

    def _encode(
        self,
        outputs: dict[str, Tensor],
        empty_inputs: list[Tensor] | None,
        windows: Tensor | None,
        draw: Tensor | int,
    ) -> None:
        """Add the output of each block of the encoder, in the window of its level."""
        for number, block in enumerate(self._plan.encoder):
            x = _read(outputs, block)
            if empty_inputs is None or windows is None:
                x = _pad_all_around(x, block.convolution.padding)
            else:
                x = self._surround(x, block, empty_inputs[number], windows)
            x = self._convolve(x, block, "VALID")
            outputs[block.name] = self._finish(x, block, draw)

    def _decode(
        self, outputs: dict[str, Tensor], windows: Tensor | None, draw: Tensor | int
    ) -> None:
        """Add the output of each block of the decoder, in the window of its level."""
        for block in self._plan.decoder:
            x = _read(outputs, block)
            x = self._convolve_or_double(x, block, windows)
            outputs[block.name] = self._finish(x, block, draw)

    def _surround(self, x: Tensor, block: Block, empty_input: Tensor, windows: Tensor) -> Tensor:
        """Surround a window with the pixels that a block needs.

        They are those of an empty slice, and zeros beyond its edges.
        """
        convolution = block.convolution
        before = windows[self._plan.levels[block.reads[0]]]
        after = windows[self._plan.levels[block.name]]
        needed = convolution.stride * after + convolution.padding * OUTWARD
        margins = needed - before
        window = tf.zeros(tf.shape(x)[1:3], x.dtype)
        outside = tf.pad(window, tf.abs(margins), constant_values=1)
        # The empty input is padded with zeros already.
        around = _crop(empty_input, [needed + convolution.padding])
        return _pad(x, margins) + around * outside[:, :, tf.newaxis]

    def _convolve_or_double(self, x: Tensor, block: Block, windows: Tensor | None) -> Tensor:
        if block.convolution.halvings == 0:
            return self._convolve(x, block, "SAME")
        return self._double(x, block, windows)

    def _double(self, x: Tensor, block: Block, windows: Tensor | None) -> Tensor:
        """Double the size: 2x2 pixels become the four pixels in their middle.

        See Shi et al. 2016, arXiv 1609.05158.
        """
        if windows is None:
            x = self._convolve(_pad_all_around(x, 1), block, "VALID")
            return tf.nn.depth_to_space(x, 2)[:, 1:-1, 1:-1]
        before = windows[self._plan.levels[block.reads[0]]]
        after = windows[self._plan.levels[block.name]]
        needed = (after + np.array([1, 0], np.int32)) // 2 + OUTWARD
        # The window may be larger than needed, for other blocks of its level.
        first = tf.minimum(needed[:, 0], before[:, 0])
        last = tf.maximum(needed[:, 1], before[:, 1])
        margins = tf.stack([first, last], 1) - before
        x = self._convolve(_pad(x, margins), block, "VALID")
        # The first of the four pixels has an odd number.
        start = after[:, 0] - (2 * first + 1)
        end = start + after[:, 1] - after[:, 0]
        doubled = tf.nn.depth_to_space(x, 2)
        return _crop(doubled, [tf.stack([start, end], 1)])

    def _convolve(self, x: Tensor, block: Block, padding: str) -> Tensor:
        x = tf.nn.conv2d(x, self.weights[block.kernel], block.convolution.stride, padding)
        if not block.has_bias:
            return x
        return tf.nn.bias_add(x, self.weights[block.bias])

    def _finish(self, x: Tensor, block: Block, draw: Tensor | int) -> Tensor:
        """Apply the rest of a block: a norm that was not folded, dropout and the activation."""
        if block.norm is not None:
            weights = {part: self.weights[name] for part, name in block.norm_weights.items()}
            x = block.norm.compute(x, weights)
        if block.dropout:
            x = apply_fixed_dropout(x, block.dropout, draw)
        return block.activation.compute(x)


def _read(outputs: Mapping[str, Tensor], block: Block) -> Tensor:
    """Return the inputs of a block, concatenated along their channels."""
    if len(block.reads) == 1:
        return outputs[block.reads[0]]
    return tf.concat([outputs[name] for name in block.reads], -1)


def _pad(x: Tensor, margins: Tensor) -> Tensor:
    """Pad (n, rows, columns, channels) with zeros."""
    all_margins = tf.pad(tf.abs(margins), ((1, 1), (0, 0)))
    return tf.pad(x, all_margins)


def _pad_all_around(x: Tensor, pixels: int) -> Tensor:
    """Pad all edges of (n, rows, columns, channels) with the same number of zeros."""
    margin = (pixels, pixels)
    return tf.pad(x, ((0, 0), margin, margin, (0, 0)))


def _crop(x: Tensor, windows: Any) -> Tensor:  # noqa: ANN401 - a tensor, a list of one, or None
    """Return the part of (n, rows, columns, channels) in the first window; all without windows."""
    if windows is None:
        return x
    rows, columns = tf.unstack(windows[0])
    top, bottom = tf.unstack(rows)
    left, right = tf.unstack(columns)
    return x[:, top:bottom, left:right]
