"""The generator as it translates: the same function of a slice as the network that learnt, computed where it is wanted.

A head fills a third of its canvas, and around it there is nothing. What the encoder makes of nothing is the same for
every slice, and what the decoder makes there nobody wants. So each level is computed in a window: that of level 0, the
slice itself, holds all that is there and all that is wanted, and that of each further level the pixels which the window
before it reaches through a convolution by 4x4 of stride 2. These are also the pixels that the decoder needs to give
the window before it. In a window no pixel differs from that of the whole canvas but by rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .backend import compiled, tf
from .hardware import Precision
from .operations import noise, own_statistics, same_dropout
from .recipe import GeneratorSettings

Tensor = Any
Windows = NDArray[np.int32]
"""Of each level the first row and the one after the last, and so for columns: (levels + 1, 2, 2)."""
_OUTWARD = np.array([-1, 1], np.int32)


class Inference:
    """A generator to translate with.

    Args:
        settings: Of the generator.
        weights: As `folding.folded` returns them.
        precision: To compute in.
    """

    def __init__(
        self, settings: GeneratorSettings, weights: Mapping[str, NDArray[np.float32]], precision: Precision
    ) -> None:
        self._settings = settings
        self._type = tf.as_dtype(precision)
        self.weights = {
            name: tf.Variable(tf.cast(array, self._type), trainable=False) for name, array in weights.items()
        }
        # Statistics are those of a whole slice, and so are masks.
        self._needs_all = settings.test_as_training or any(name.endswith("/gamma") for name in weights)
        widths = [self.weights[f"down{level + 1}_conv/kernel"].shape[2] for level in range(settings.levels)]
        signature = [
            tf.TensorSpec((None, None, None, widths[0]), tf.float32),
            [tf.TensorSpec((1, None, None, width), self._type) for width in widths],
            tf.TensorSpec((settings.levels + 1, 2, 2), tf.int32),
        ]
        self._in_windows = compiled(self._generated, input_signature=signature)
        # Of the last canvas only: a cohort may have many.
        self._canvas: list[int] = []
        self._of_nothing: list[Tensor] = []

    def __call__(self, slices: NDArray[np.float32], wanted: NDArray[np.bool_] | None = None) -> NDArray[np.float32]:
        """Return (n, rows, columns, target channels) in [0, 1].

        Args:
            slices: (n, rows, columns, source channels) in [0, 1]; rows and columns are multiples of ``2 ** levels``.
            wanted: Where an answer is wanted, (n, rows, columns); everywhere if not given. Elsewhere it may be 0.
        """
        n, *size, channels = slices.shape
        if wanted is None or self._needs_all:
            wanted = np.ones(slices.shape[:3], bool)
        windows = self._windows(_box(wanted | slices.any(-1)), size)
        if size != self._canvas:
            nothing = self._encoded(tf.zeros((1, *size, channels), self._type), None, None)
            self._canvas, self._of_nothing = size, [tf.pad(x, _all_around(1)) for x in nothing[:-1]]
        made = self._in_windows(tf.constant(slices), self._of_nothing, tf.constant(windows))
        answer = np.zeros((n, *size, made.shape[-1]), np.float32)
        (top, bottom), (left, right) = windows[0]
        answer[:, top:bottom, left:right] = made
        return answer

    def whole(self, slices: Tensor) -> Tensor:
        """Return the same for a tensor, everywhere."""
        return self._generated(slices, None, None)

    def _windows(self, box: NDArray[np.integer[Any]], size: list[int]) -> Windows:
        """Return the window of each level for a box of level 0."""
        # The last convolution, by 3x3, gives nothing sound at a window's edge.
        edge = int(self._settings.skips_whole)
        windows = [box + edge * _OUTWARD]
        for _ in range(self._settings.levels):
            windows.append((windows[-1] + np.array([-1, 2])) // 2)
        ends = [[[pixels >> level] for pixels in size] for level in range(len(windows))]
        return np.asarray(np.clip(windows, 0, ends), np.int32)

    def _generated(self, slices: Tensor, nothing: list[Tensor] | None, windows: Tensor | None) -> Tensor:
        """Return what the network makes of slices, in the window of level 0."""
        settings, source = self._settings, tf.cast(slices, self._type)
        seen = self._encoded(_cropped(source, windows), nothing, windows)
        x = seen[-1]
        for level in range(settings.levels - 1, 0, -1):
            x = self._up(x, level, windows)
            if settings.architecture == "u-net":
                x = tf.concat([x, seen[level]], -1)
        if settings.skips_whole:
            # A pixel's noise depends on its whole slice.
            beside = [seen[0], _cropped(tf.cast(noise(slices), self._type), windows)] if settings.noise else [seen[0]]
            x = tf.concat([self._up(x, 0, windows), *beside], -1)
            x = self._convolved(x, "output", 1, "SAME")
        else:
            x = self._doubled(x, "output_conv", 0, windows)
        # Whatever the precision inside, the image is made in float32.
        return tf.tanh(tf.cast(x, tf.float32)) / 2 + 0.5

    def _encoded(self, source: Tensor, nothing: list[Tensor] | None, windows: Tensor | None) -> list[Tensor]:
        """Return the source and what each level of the encoder makes of it, all in their windows."""
        seen = [source]
        for level in range(self._settings.levels):
            block = f"down{level + 1}"
            x = _surrounded(seen[-1], level, nothing, windows)
            x = self._normed(self._convolved(x, f"{block}_conv", 2, "VALID"), block)
            seen.append(tf.nn.leaky_relu(x, self._settings.leak))
        return seen

    def _up(self, x: Tensor, level: int, windows: Tensor | None) -> Tensor:
        """Return a level of the decoder from the next one: convolution to twice the size, norm, dropout, ReLU."""
        settings, block = self._settings, f"up{level + 1}"
        x = self._normed(self._doubled(x, f"{block}_conv", level, windows), block)
        if settings.test_as_training and settings.dropout_at(level):
            x = same_dropout(x, settings.dropout_at(level))
        return tf.nn.relu(x)

    def _doubled(self, x: Tensor, name: str, level: int, windows: Tensor | None) -> Tensor:
        """Convolve to twice the size: 2x2 pixels give the four in their middle (Shi et al. 2016, arXiv 1609.05158)."""
        if windows is None:
            x = self._convolved(tf.pad(x, _all_around(1)), name, 1, "VALID")
            return tf.nn.depth_to_space(x, 2)[:, 1:-1, 1:-1]
        window = windows[level]
        # Fours that begin with an odd pixel, and with them the window.
        needed = (window + np.array([1, 0], np.int32)) // 2 + _OUTWARD
        x = self._convolved(_padded(x, needed - windows[level + 1]), name, 1, "VALID")
        first = (window[:, 0] + 1) % 2
        return _cropped(tf.nn.depth_to_space(x, 2), [tf.stack([first, first + window[:, 1] - window[:, 0]], 1)])

    def _convolved(self, x: Tensor, name: str, stride: int, padding: str) -> Tensor:
        x = tf.nn.conv2d(x, self.weights[f"{name}/kernel"], stride, padding)
        bias = self.weights.get(f"{name}/bias")
        return x if bias is None else tf.nn.bias_add(x, bias)

    def _normed(self, x: Tensor, block: str) -> Tensor:
        """Norm by each slice's own statistics, where they could not be folded into the convolution."""
        gamma, beta = (self.weights.get(f"{block}_norm/{part}") for part in ("gamma", "beta"))
        return x if gamma is None else own_statistics(x, gamma, beta, self._settings.epsilon)


def _box(mask: NDArray[np.bool_]) -> NDArray[np.integer[Any]]:
    """Return the smallest box (2, 2) around all that is set in (n, rows, columns)."""
    box = []
    for axes in ((0, 2), (0, 1)):
        there = np.flatnonzero(mask.any(axes))
        first, last = (there[0], there[-1]) if there.size else (0, 0)
        box.append((first, last + 1))
    return np.array(box)


def _surrounded(x: Tensor, level: int, nothing: list[Tensor] | None, windows: Tensor | None) -> Tensor:
    """Lay around the window of a level what a convolution needs to give that of the next: nothing, and zeros beyond."""
    if nothing is None or windows is None:
        return tf.pad(x, _all_around(1))
    needed = 2 * windows[level + 1] + _OUTWARD
    margins = needed - windows[level]
    outside = tf.pad(tf.zeros(tf.shape(x)[1:3], x.dtype), tf.abs(margins), constant_values=1)
    # Its own edge of zeros is one pixel wide.
    around = _cropped(nothing[level], [needed + 1])
    return _padded(x, margins) + around * outside[:, :, tf.newaxis]


def _padded(x: Tensor, margins: Tensor) -> Tensor:
    """Lay zeros around (n, rows, columns, channels)."""
    return tf.pad(x, tf.pad(tf.abs(margins), ((1, 1), (0, 0))))


def _cropped(x: Tensor, windows: Any) -> Tensor:  # noqa: ANN401 - a tensor, a list of one, or None
    """Return the part of (n, rows, columns, channels) in the first of the windows; all of it if there is none."""
    if windows is None:
        return x
    (top, bottom), (left, right) = (tf.unstack(ends) for ends in tf.unstack(windows[0]))
    return x[:, top:bottom, left:right]


def _all_around(pixels: int) -> tuple[tuple[int, int], ...]:
    return (0, 0), (pixels, pixels), (pixels, pixels), (0, 0)
