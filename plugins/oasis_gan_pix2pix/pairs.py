"""Drawing paired training slices from volumes: which ones, in what order, and how they are varied."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oasis_gan import Canvas, Fit, LabelSet, OasisGanError, Plane, SliceStack, Subject, Window, cut

from .recipe import Recipe

Batch = tuple[NDArray[np.float32], NDArray[np.float32]]
Mask = NDArray[np.bool_]
MIN_AREA_MM2 = 200.0
"""Slices with less tissue than this teach nothing and are left out."""


@dataclass(frozen=True, eq=False)
class LinearPrediction:
    """What the source alone tells of the target, pixel by pixel: the best linear guess, and how far off it is.

    Of a label map the guess is the mean of each tissue. The edges between tissues are most of an image's energy, and
    are the same in real and generated slices; a discriminator that is shown what is left learns in tens of steps
    what it does not learn in hundreds from the image itself.

    Args:
        weights: (source channels, target channels).
        deviation: Standard deviation of what is left, inside the source's support.
    """

    weights: NDArray[np.float32]
    deviation: float

    @classmethod
    def of(cls, batch: Batch) -> LinearPrediction:
        """Fit it to slices by least squares."""
        source, target = (slices.reshape(-1, slices.shape[-1]) for slices in batch)
        inside = source.any(axis=1)
        weights = np.linalg.lstsq(source[inside], target[inside])[0]
        left = target[inside] - source[inside] @ weights
        return cls(weights.astype(np.float32), max(float(left.std()), 1e-3))


@dataclass(frozen=True, eq=False)
class _Slice:
    """A slice of both volumes of a subject, and where there is tissue in any slice of that plane."""

    labels: SliceStack
    target: SliceStack
    footprint: Mask
    index: int


class Pairs:
    """The slices of all subjects, in memory: label values and anchored intensities, encoded when they are drawn.

    Args:
        subjects: Read once, here; one that cannot be used is reported and left out.
        recipe: Planes, canvas, label set, contrast and augmentation.
        report: Takes a line for each subject left out.

    Raises:
        OasisGanError: If no subject is left.
    """

    def __init__(self, subjects: Sequence[Subject], recipe: Recipe, report: Callable[[str], None]) -> None:
        self._recipe = recipe
        self._label_set: LabelSet = recipe.label_set
        self._canvas = Canvas(recipe.spacing, recipe.size, recipe.multiple)
        self._slices: list[_Slice] = []
        self.names: list[str] = []
        self.windows: list[Window] = []
        for subject in subjects:
            try:
                self._add(subject)
            except (OasisGanError, OSError) as error:
                report(f"left out {subject.name}: {error}")
        if not self._slices:
            expected, remedy = "a pair with tissue in it", "see the lines above"
            raise OasisGanError("training data", expected=expected, found="none", remedy=remedy)

    def __len__(self) -> int:
        return len(self._slices)

    def _add(self, subject: Subject) -> None:
        source, target = subject.paired()
        labels = self._label_set.clean(source, subject.source.path).voxels
        where = subject.target.path if subject.target else subject.name
        intensities = Window.robust(target.voxels).clean(target, where).voxels
        if self._recipe.contrast == "anchored":
            window = Window.anchored(intensities, labels, self._label_set, where)
        else:
            window = Window.robust(intensities)
        # Small types: a subject of 7 million voxels takes 21 MB.
        labels = labels.astype(np.uint8 if labels.max() < 256 else np.int32)
        normal = window.encode(intensities)[..., 0].astype(np.float16)
        for plane in self._recipe.planes:
            ours, theirs = (cut(voxels, source.geometry, plane) for voxels in (labels, normal))
            area = np.count_nonzero(ours.slices, axis=(1, 2)) * ours.spacing[0] * ours.spacing[1]
            footprint = np.asarray(ours.slices.any(axis=0, keepdims=True))
            used = np.flatnonzero(area >= MIN_AREA_MM2)
            self._slices += [_Slice(ours, theirs, footprint, int(index)) for index in used]
        self.names.append(subject.name)
        self.windows.append(window)

    def epochs(self, rng: np.random.Generator) -> Iterator[Batch]:
        """Yield batches without end: every slice once, in a new order, then all again.

        Yields:
            Source (n, rows, columns, labels) and target (n, rows, columns, 1), both in [0, 1].
        """
        while True:
            order = rng.permutation(len(self._slices))
            for first in range(0, len(order) - self._recipe.batch + 1, self._recipe.batch):
                drawn = [self._varied(self._slices[i], rng) for i in order[first : first + self._recipe.batch]]
                yield _stacked(drawn)

    def sample(self, count: int) -> Batch:
        """Return about ``count`` slices, evenly spaced over all of them, as they are."""
        every = self._slices[:: max(1, len(self._slices) // count)]
        return _stacked([self._laid(one, (1.0, 1.0), (0, 0), flip=False) for one in every])

    def _varied(self, one: _Slice, rng: np.random.Generator) -> Batch:
        """Move a slice, scale every other one, and turn left and right over in half of those that show both."""
        rows, columns = rng.integers(-self._recipe.shift, self._recipe.shift + 1, 2)
        zoom, zoomed, flip = (
            rng.uniform(-self._recipe.zoom, self._recipe.zoom, 2),
            rng.random() < 0.5,
            rng.random() < 0.5,
        )
        scale = 1 + zoom if zoomed else np.ones(2)
        shows_both_sides = one.labels.plane is not Plane.SAGITTAL
        return self._laid(one, (scale[0], scale[1]), (int(rows), int(columns)), flip=flip and shows_both_sides)

    def _laid(self, one: _Slice, scale: tuple[float, float], shift: tuple[int, int], *, flip: bool) -> Batch:
        labels, target = (stack.slices[one.index : one.index + 1] for stack in (one.labels, one.target))
        rows, columns = one.labels.spacing
        # Around the whole stack, as when translating: a small slice keeps its place in the head.
        fit = Fit.around(one.footprint, (rows * scale[0], columns * scale[1]), self._canvas).moved(shift)
        encoded = (
            fit.apply(self._label_set.encode(labels)),
            fit.apply(target[..., np.newaxis].astype(np.float32)),
        )
        # Rows run from left to right.
        return (encoded[0][:, ::-1], encoded[1][:, ::-1]) if flip else encoded


def _stacked(drawn: Sequence[Batch]) -> Batch:
    """Put slices into one batch, padded at the end to the largest."""
    rows, columns = (max(source.shape[axis] for source, _ in drawn) for axis in (1, 2))

    def padded(slices: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.pad(slices, ((0, 0), (0, rows - slices.shape[1]), (0, columns - slices.shape[2]), (0, 0)))

    return tuple(np.concatenate([padded(pair[side]) for pair in drawn]) for side in (0, 1))  # type: ignore[return-value]
