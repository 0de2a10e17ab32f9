"""A generator as it translates: the same function of a slice as the network that learnt, computed where it is needed.

Each level is computed in a window, see `windows`. In a window no pixel differs from that of the whole canvas but by
rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from oasis_gan_keras.backend import compiled, tf
from oasis_gan_keras.hardware import Precision

from .blueprint import NOISE, SOURCE, Block, Blueprint
from .operations import apply_fixed_dropout, noise
from .windows import OUTWARD, find_box, find_windows

Tensor = Any
Slices = NDArray[np.float32]


class Inference:
    """A generator to translate with.

    Args:
        plan: The generator in its folded form, as `folding.fold` returns it.
        weights: Likewise.
        precision: To compute in.
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
        # Statistics are those of a whole slice, and so are masks of dropout.
        self._needs_whole_slice = any(
            block.norm is not None or block.dropout for block in plan.blocks
        )
        signature = [
            tf.TensorSpec((None, None, None, plan.channels), tf.float32),
            [
                tf.TensorSpec((1, None, None, plan.channels_into(block)), self._type)
                for block in plan.encoder
            ],
            tf.TensorSpec((plan.depth + 1, 2, 2), tf.int32),
        ]
        self._in_windows = compiled(self._generate, input_signature=signature)
        # Of the last canvas only: a cohort may have many.
        self._canvas: list[int] = []
        self._empty_inputs: list[Tensor] = []

    def __call__(self, slices: Slices, mask: NDArray[np.bool_] | None = None) -> Slices:
        """Return (n, rows, columns, target channels) in [0, 1].

        Args:
            slices: (n, rows, columns, source channels) in [0, 1]; rows and columns are multiples of ``2 ** levels``.
            mask: Where an answer is needed, (n, rows, columns); everywhere if not given. Elsewhere it may be anything
                in [0, 1].
        """
        n, *size, _ = slices.shape
        if mask is None or self._needs_whole_slice:
            mask = np.ones(slices.shape[:3], bool)
        windows = find_windows(self._plan, find_box(mask | slices.any(-1)), size)
        if size != self._canvas:
            self._empty_inputs = self._encode_empty_slice(size)
            self._canvas = size
        made = self._in_windows(tf.constant(slices), self._empty_inputs, tf.constant(windows))
        answer = np.zeros((n, *size, made.shape[-1]), np.float32)
        (top, bottom), (left, right) = windows[0]
        answer[:, top:bottom, left:right] = made
        return answer

    def whole(self, slices: Tensor) -> Tensor:
        """Return the same for a tensor, everywhere."""
        return self._generate(slices, None, None)

    def _encode_empty_slice(self, size: list[int]) -> list[Tensor]:
        """Return what each block of the encoder reads of an empty slice, padded as its convolution needs it."""
        outputs = self._inputs(tf.zeros((1, *size, self._plan.channels)), None)
        self._encode(outputs, None, None)
        return [
            _pad_all_around(_read(outputs, block), block.convolution.padding)
            for block in self._plan.encoder
        ]

    def _generate(
        self, slices: Tensor, nothing: list[Tensor] | None, windows: Tensor | None
    ) -> Tensor:
        """Return what the network makes of slices, in the window of level 0."""
        outputs = self._inputs(slices, windows)
        self._encode(outputs, nothing, windows)
        self._decode(outputs, windows)
        image = outputs[self._plan.blocks[-1].name]
        return image / 2 + 0.5

    def _inputs(self, slices: Tensor, windows: Tensor | None) -> dict[str, Tensor]:
        """Return what blocks may read before any is computed, in the window of level 0."""
        inputs = {SOURCE: _crop(tf.cast(slices, self._type), windows)}
        if self._plan.reads_noise:
            # A pixel's noise depends on its whole slice.
            inputs[NOISE] = _crop(tf.cast(noise(slices), self._type), windows)
        return inputs

    def _encode(
        self, outputs: dict[str, Tensor], nothing: list[Tensor] | None, windows: Tensor | None
    ) -> None:
        """Add to outputs what each block of the encoder gives, in its level's window."""
        for number, block in enumerate(self._plan.encoder):
            x = _read(outputs, block)
            if nothing is None or windows is None:
                x = _pad_all_around(x, block.convolution.padding)
            else:
                x = self._surround(x, block, nothing[number], windows)
            x = self._convolve(x, block, "VALID")
            outputs[block.name] = self._finish(x, block)

    def _decode(self, outputs: dict[str, Tensor], windows: Tensor | None) -> None:
        """Add to outputs what each block of the decoder gives, in its level's window."""
        for block in self._plan.decoder:
            x = _read(outputs, block)
            x = (
                self._convolve(x, block, "SAME")
                if block.convolution.halvings == 0
                else self._double(x, block, windows)
            )
            outputs[block.name] = self._finish(x, block)

    def _surround(self, x: Tensor, block: Block, nothing: Tensor, windows: Tensor) -> Tensor:
        """Lay around a window what a block needs to give its own: what nothing gives there, and zeros beyond."""
        convolution = block.convolution
        before = windows[self._plan.levels[block.reads[0]]]
        after = windows[self._plan.levels[block.name]]
        needed = convolution.stride * after + convolution.padding * OUTWARD
        margins = needed - before
        outside = tf.pad(tf.zeros(tf.shape(x)[1:3], x.dtype), tf.abs(margins), constant_values=1)
        # It is padded with zeros already.
        around = _crop(nothing, [needed + convolution.padding])
        return _pad(x, margins) + around * outside[:, :, tf.newaxis]

    def _double(self, x: Tensor, block: Block, windows: Tensor | None) -> Tensor:
        """Convolve to twice the size: 2x2 pixels give the four in their middle (Shi et al. 2016, arXiv 1609.05158)."""
        if windows is None:
            x = self._convolve(_pad_all_around(x, 1), block, "VALID")
            return tf.nn.depth_to_space(x, 2)[:, 1:-1, 1:-1]
        before = windows[self._plan.levels[block.reads[0]]]
        after = windows[self._plan.levels[block.name]]
        needed = (after + np.array([1, 0], np.int32)) // 2 + OUTWARD
        # The window may hold more than is needed, for other blocks of its level.
        first = tf.minimum(needed[:, 0], before[:, 0])
        last = tf.maximum(needed[:, 1], before[:, 1])
        x = self._convolve(_pad(x, tf.stack([first, last], 1) - before), block, "VALID")
        # Fours begin with an odd pixel.
        start = after[:, 0] - (2 * first + 1)
        end = start + after[:, 1] - after[:, 0]
        return _crop(tf.nn.depth_to_space(x, 2), [tf.stack([start, end], 1)])

    def _convolve(self, x: Tensor, block: Block, padding: str) -> Tensor:
        x = tf.nn.conv2d(x, self.weights[block.kernel], block.convolution.stride, padding)
        return tf.nn.bias_add(x, self.weights[block.bias]) if block.has_bias else x

    def _finish(self, x: Tensor, block: Block) -> Tensor:
        """Apply what follows a convolution: the norm that could not be folded into it, dropout, activation."""
        if block.norm is not None:
            x = block.norm.compute(
                x, {part: self.weights[name] for part, name in block.norm_weights.items()}
            )
        if block.dropout:
            x = apply_fixed_dropout(x, block.dropout)
        return block.activation.compute(x)


def _read(outputs: Mapping[str, Tensor], block: Block) -> Tensor:
    """Return all that a block reads, its channels beside each other."""
    if len(block.reads) == 1:
        return outputs[block.reads[0]]
    return tf.concat([outputs[name] for name in block.reads], -1)


def _pad(x: Tensor, margins: Tensor) -> Tensor:
    """Lay zeros around (n, rows, columns, channels)."""
    return tf.pad(x, tf.pad(tf.abs(margins), ((1, 1), (0, 0))))


def _pad_all_around(x: Tensor, pixels: int) -> Tensor:
    """Lay as many zeros at each edge of (n, rows, columns, channels)."""
    return tf.pad(x, ((0, 0), (pixels, pixels), (pixels, pixels), (0, 0)))


def _crop(x: Tensor, windows: Any) -> Tensor:  # noqa: ANN401 - a tensor, a list of one, or None
    """Return the part of (n, rows, columns, channels) in the first of the windows; all of it if there is none."""
    if windows is None:
        return x
    (top, bottom), (left, right) = (tf.unstack(ends) for ends in tf.unstack(windows[0]))
    return x[:, top:bottom, left:right]
