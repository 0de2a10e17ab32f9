"""MeshNet in TensorFlow: 3-D convolutions whose dilation grows and shrinks again.

Fedorov et al. 2017, arXiv 1612.00940.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from oasis_gan_keras.backend import compile_graph, start_devices, tf

from .model_folder import Layer, Weights

Tensor = Any  # TensorFlow has no types of its own
Floats = NDArray[np.float32]
Numbers = NDArray[np.float64]
Labels = NDArray[np.uint8]
Array = NDArray[Any]
Find = Callable[[Tensor, "Margins"], Tensor]
Margins = tuple[tuple[int, int], ...]
"""For each axis how many voxels lie before and after those that are asked for."""

_STRIDE = (1,) * 5
_FEWEST_CROPPED = 8  # slices
_VOLUME_SHAPE = (1, None, None, None, 1)  # of any size, as a batch with one channel
MAX_VOXELS = 5_100_000
"""How many voxels are computed at once: with 30 channels, 0.6 GB for the input of a layer."""


class MeshNet:
    """A network with its weights. It computes in float32.

    A volume is surrounded by background without end: outside the volume, each layer's input is what
    the layers before it make of zeros. A head in a conformed volume is surrounded likewise, because
    its margin is wider than the network sees. Padding the input of every layer with zeros instead
    would show the network an edge, and change the volume of cortex by 3 %.

    Args:
        layers: The layers in their order.
        weights: Kernel and bias of each layer, by name.
        dilates: Whether to use TensorFlow's own dilated convolutions; by default where it has them.
        max_voxels: Larger volumes are computed in overlapping parts, with the same result.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        weights: Weights,
        *,
        dilates: bool | None = None,
        max_voxels: int = MAX_VOXELS,
    ) -> None:
        start_devices()
        self._layers = tuple(centre_on_background(layers, weights))
        reaches = [layer.reach for layer in layers]
        self._reach = sum(reaches)
        self._margin = find_margin(reaches)
        self._dilates = has_dilated_convolutions() if dilates is None else dilates
        self._max_voxels = max_voxels
        self._graphs: dict[tuple[Find, Margins], Any] = {}

    def predict_labels(self, volume: Floats) -> Labels:
        """Return the likeliest label of each voxel of a volume (x, y, z) in [0, 1]."""
        return self._run_in_parts(self._find_labels, volume)

    def predict_probabilities(self, volume: Floats) -> Floats:
        """Return each label's probability, (x, y, z, labels), for a volume (x, y, z) in [0, 1]."""
        return self._run_in_parts(self._find_probabilities, volume)

    def _run_in_parts(self, find: Find, volume: Floats) -> Array:
        # Along the longest axis parts overlap least.
        axis = int(np.argmax(volume.shape))
        padded = np.pad(volume, self._margin)
        parts = self._cut(padded, axis)
        answers = [self._run(find, part, margins) for part, margins in parts]
        if len(answers) == 1:
            return answers[0]
        return np.concatenate(answers, axis)

    def _cut(self, padded: Floats, axis: int) -> Iterator[tuple[Floats, Margins]]:
        """Yield each part of a volume with its surroundings, and how wide those are."""
        along = np.moveaxis(padded, axis, 0)
        parts = divide_axis(
            along.shape,
            margin=self._margin,
            reach=self._reach,
            max_voxels=self._max_voxels,
        )
        for first, last in parts:
            start, stop = find_surroundings(first, last, self._reach, len(along))
            margins = [(self._margin, self._margin)] * 3
            margins[axis] = (first - start, stop - last)
            part = np.moveaxis(along[start:stop], 0, axis)
            yield part, tuple(margins)

    def _run(
        self,
        find: Find,
        part: Floats,
        margins: Margins,
    ) -> Array:
        """Return the answer for the voxels of a part that lie inside its margins."""
        graph = self._build_graph(find, margins)
        batch = part[np.newaxis, ..., np.newaxis]
        answer: Array = graph(batch)[0].numpy()
        return answer

    def _build_graph(self, find: Find, margins: Margins) -> Any:  # noqa: ANN401
        """Return a graph for parts of any size that have these margins."""
        key = (find, margins)
        if key not in self._graphs:
            volume = tf.TensorSpec(_VOLUME_SHAPE, tf.float32)
            self._graphs[key] = compile_graph(
                lambda x: find(x, margins),
                input_signature=[volume],
            )
        return self._graphs[key]

    def _find_labels(self, x: Tensor, margins: Margins) -> Tensor:
        logits = self._find_logits(x, margins)
        labels = tf.argmax(logits, axis=-1, output_type=tf.int32)
        return tf.cast(labels, tf.uint8)

    def _find_probabilities(self, x: Tensor, margins: Margins) -> Tensor:
        logits = self._find_logits(x, margins)
        return tf.nn.softmax(logits)

    def _find_logits(self, x: Tensor, margins: Margins) -> Tensor:
        needed = self._reach
        remaining = np.array(margins)
        for layer in self._layers:
            needed -= layer.reach
            cropped = _choose_margins(remaining, needed, layer)
            x = self._apply(x, layer, cropped)
            remaining -= cropped
        return x

    def _apply(
        self,
        x: Tensor,
        layer: CentredLayer,
        margins: Array,
    ) -> Tensor:
        """Return the output of a layer, cropped by ``margins`` (axes, before and after)."""
        crops_itself = _is_valid(margins, layer)
        padding = "VALID" if crops_itself else "SAME"
        x = self._convolve(x, layer, padding)
        x = self._activate(x, layer)
        return x if crops_itself else _crop(x, margins)

    def _activate(self, x: Tensor, layer: CentredLayer) -> Tensor:
        x = tf.nn.bias_add(x, layer.bias)
        if layer.background is None:
            return x
        return tf.nn.elu(x) - layer.background

    def _convolve(
        self,
        x: Tensor,
        layer: CentredLayer,
        padding: str,
    ) -> Tensor:
        dilation = layer.dilation
        if dilation > 1 and not self._dilates:
            return _convolve_sub_grids(x, layer.kernel, dilation, padding)
        return tf.nn.conv3d(
            x,
            layer.kernel,
            strides=_STRIDE,
            padding=padding,
            dilations=(1, dilation, dilation, dilation, 1),
        )


def find_margin(reaches: Sequence[int]) -> int:
    """Return in which margin around a volume layers make something else of the background.

    What they do further outside is seen by no layer that follows.

    Args:
        reaches: How far each layer reaches, in their order.
    """
    changed = itertools.accumulate(reaches)
    total = sum(reaches)
    return max(min(reach, total - reach) for reach in changed)


@dataclass(frozen=True, eq=False)
class CentredLayer:
    """A layer whose input and output are 0 in the background, so that zeros can pad them.

    Args:
        kernel: The kernel of the layer in the model.
        bias: What the layer makes of the background before it is activated.
        background: What is subtracted from the activations; None for the last layer.
        dilation: How far apart the voxels lie that the kernel weighs; 1 if it weighs only one.
        reach: How many voxels to each side a voxel of the output depends on.
    """

    kernel: Floats
    bias: Floats
    background: Floats | None
    dilation: int
    reach: int


def centre_on_background(layers: Sequence[Layer], weights: Weights) -> Iterator[CentredLayer]:
    """Yield layers that compute the same from activations without those of the background.

    A convolution is linear, so the response to the background is a vector that joins the bias.
    """
    background = np.zeros(1)
    for layer in layers:
        kernel = weights[f"{layer.name}/kernel"]
        sums = kernel.sum(axis=(0, 1, 2), dtype=np.float64)
        response = background @ sums
        bias = weights[f"{layer.name}/bias"] + response
        background = _elu(bias)
        is_last = layer is layers[-1]
        yield CentredLayer(
            kernel=kernel,
            bias=bias.astype(np.float32),
            background=None if is_last else background.astype(np.float32),
            dilation=layer.dilation if layer.reach else 1,
            reach=layer.reach,
        )


def _elu(x: Numbers) -> Numbers:
    negative = np.minimum(x, 0)
    return np.where(x > 0, x, np.expm1(negative))


@cache
def has_dilated_convolutions() -> bool:
    """Whether TensorFlow can dilate 3-D convolutions here: on a GPU, or with oneDNN."""
    volume = tf.zeros((1, 4, 4, 4, 1))
    kernel = tf.zeros((3, 3, 3, 1, 1))
    try:
        tf.nn.conv3d(
            volume,
            kernel,
            strides=_STRIDE,
            padding="SAME",
            dilations=(1, 2, 2, 2, 1),
        )
    except tf.errors.OpError:
        return False
    return True


def _convolve_sub_grids(
    x: Tensor,
    kernel: Tensor,
    dilation: int,
    padding: str,
) -> Tensor:
    """Convolve with a dilated kernel by means of a plain one.

    Voxels that lie ``dilation`` apart along each axis form one of ``dilation`` ** 3 sub-grids. Each
    sub-grid is convolved on its own, as one volume of a batch. The sums are the same.
    """
    size = tf.shape(x)[1:4]
    block = [dilation] * 3
    # Padded, all sub-grids have the same size; what was padded is cropped again.
    missing = tf.math.floormod(-size, dilation)
    before = tf.zeros_like(missing)
    crops = tf.stack([before, missing], axis=1)
    sub_grids = tf.space_to_batch(x, block, crops)
    convolved = tf.nn.conv3d(sub_grids, kernel, _STRIDE, padding)
    return tf.batch_to_space(convolved, block, crops)


def _choose_margins(remaining: Array, needed: int, layer: CentredLayer) -> Array:
    """Return what to crop of the output of a layer (axes, before and after).

    Args:
        remaining: How many voxels lie around those that are asked for.
        needed: How many of them the layers that follow can see.
        layer: The layer.
    """
    superfluous: Array = np.maximum(remaining - needed, 0)
    # Unless a valid convolution crops, the output is copied, which takes time and memory.
    is_copied = not _is_valid(superfluous, layer)
    if needed and is_copied and superfluous.max() < _FEWEST_CROPPED:
        return np.zeros_like(superfluous)
    return superfluous


def _is_valid(margins: Array, layer: CentredLayer) -> bool:
    """Tell whether a valid convolution crops these margins: it computes nothing that is cropped."""
    return bool((margins == layer.reach).all())


def _crop(x: Tensor, margins: Array) -> Tensor:
    """Remove voxels (axis, before and after) from a volume (1, x, y, z, channels)."""
    if not margins.any():
        return x
    before = margins[:, 0].tolist()
    removed = margins.sum(axis=1).tolist()
    size = tf.shape(x) - [0, *removed, 0]
    return tf.slice(x, [0, *before, 0], size)


def divide_axis(
    shape: tuple[int, ...],
    margin: int,
    reach: int,
    max_voxels: int,
) -> list[tuple[int, int]]:
    """Return the first voxel of each part of an axis, and the one after its last.

    There are as few parts as possible, so that each of them, with what the network sees of its
    surroundings, is small enough to be computed at once. Parts that are no longer than the network
    sees are not divided any more, because too much would be computed twice.

    Args:
        shape: The shape of the volume with its margins; the axis to divide comes first.
        margin: Voxels at both ends of the axis that belong to no part.
        reach: How far the network sees.
        max_voxels: How many voxels can be computed at once.
    """
    length, *others = shape
    most_slices = max_voxels // math.prod(others)
    parts = [(margin, length - margin)]
    while not _are_small(parts, reach, length, most_slices):
        parts = _split_evenly(margin, length - margin, len(parts) + 1)
    return parts


def _are_small(
    parts: Sequence[tuple[int, int]],
    reach: int,
    length: int,
    most_slices: int,
) -> bool:
    """Tell whether each part can be computed at once, or is too short to be divided."""
    for first, last in parts:
        start, stop = find_surroundings(first, last, reach, length)
        if stop - start > most_slices and last - first > max(reach, 1):
            return False
    return True


def _split_evenly(first: int, last: int, count: int) -> list[tuple[int, int]]:
    edges = np.linspace(first, last, count + 1).round()
    return list(itertools.pairwise(edges.astype(int).tolist()))


def find_surroundings(first: int, last: int, reach: int, length: int) -> tuple[int, int]:
    """Return the first slice that the network sees from a part of an axis, and one after the last.

    Args:
        first: The first slice of the part.
        last: The one after its last.
        reach: How far the network sees.
        length: How many slices there are.
    """
    return max(0, first - reach), min(length, last + reach)
