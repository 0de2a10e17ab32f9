"""Drawing paired training slices from volumes: which ones, in what order, and how they are varied.

Which slices an update sees, and how they are varied, follows from the seed and the number of the update alone: a run
that is taken up again sees what it would have seen, and so does each of several machines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from oasis_gan import (
    Fit,
    Geometry,
    Histogram,
    LabelSet,
    OasisGanError,
    Plane,
    SliceStack,
    Subject,
    Volume,
    Window,
    cut,
    foreign_code,
    linear_weights,
    one_line,
)

from .rotation import rotated
from .sharpening import sharpened
from .training_settings import TrainingSettings

Batch = tuple[NDArray[np.float32], NDArray[np.float32]]
Mask = NDArray[np.bool_]
MIN_AREA_MM2 = 200.0
"""Slices in which less than this is source teach nothing and are left out."""
SAMPLE = 48
"""Slices that stand for all of them, where a number is measured."""
_COARSER = 1.05  # than the volume itself by this factor: a resolution worth learning beside its own


@dataclass(frozen=True, eq=False)
class _Slice:
    """A slice of both volumes of a subject, and where there is something in any slice of that plane."""

    source: SliceStack
    target: SliceStack
    footprint: Mask
    index: int


@dataclass(frozen=True, eq=False)
class _Prepared:
    """What a subject gives to learn from."""

    name: str
    slices: Sequence[_Slice]
    window: Window | None
    histogram: Histogram | None


class Pairs:
    """The slices of all subjects, in memory: label values and normalised intensities, encoded when they are drawn.

    Args:
        subjects: Read once, here; one that cannot be used, whatever is raised, is reported and left out.
        recipe: Planes, canvas, contrasts and augmentation.
        report: Takes a line for each subject left out.
        needed: Whether there must be somebody.

    Raises:
        OasisGanError: If no subject is left and somebody is needed.
    """

    def __init__(
        self,
        subjects: Sequence[Subject],
        recipe: TrainingSettings,
        report: Callable[[str], None],
        *,
        needed: bool = True,
    ) -> None:
        self._recipe = recipe
        self._canvas = recipe.canvas
        self._slices: list[_Slice] = []
        self.names: list[str] = []
        self.windows: list[Window] = []
        self._histograms: dict[str, Histogram] = {}
        for subject in subjects:
            try:
                with foreign_code(subject.source.path):
                    prepared = self._prepare(subject)
            # Readers may be anybody's.
            except Exception as error:  # noqa: BLE001
                report(f"left out {subject.name}: {one_line(error)}")
            else:
                self._add(prepared)
        if needed and not self._slices:
            expected, remedy = "a pair with something in it", "see the lines above"
            raise OasisGanError("training data", expected=expected, found="none", remedy=remedy)

    def __len__(self) -> int:
        return len(self._slices)

    @property
    def target_contrast(self) -> LabelSet | Window:
        """What the target's values mean: the label set, or the window half-way between those of all subjects."""
        return self._recipe.label_set if self._recipe.target == "labels" else Window.mean(self.windows)

    @property
    def histogram(self) -> Histogram | None:
        """What outputs are brought to: the mean distribution of the subjects that the recipe names, or of all.

        Raises:
            OasisGanError: If the recipe names one that is not there.
        """
        wanted = self._recipe.histogram.subjects or tuple(self._histograms)
        for name in wanted:
            if name not in self._histograms:
                expected, remedy = f"subjects that are learnt from: {', '.join(self.names)}", "fix the recipe"
                raise OasisGanError("recipe: histogram.subjects", expected=expected, found=name, remedy=remedy)
        return Histogram.mean([self._histograms[name] for name in wanted]) if wanted else None

    def batch(self, step: int, share: tuple[int, int] = (0, 1)) -> Batch:
        """Return the slices of an update; in an epoch every slice is shown once, in an order of its own.

        Args:
            step: Number of the update, from 0.
            share: Which part of the batch, and of how many parts: several machines learn from one batch.

        Returns:
            Source and target (n, rows, columns, channels), both in [0, 1].
        """
        size, seed = self._recipe.batch, self._recipe.seed
        epoch, position = divmod(step, max(len(self) // size, 1))
        order = np.resize(np.random.default_rng((seed, 0, epoch)).permutation(len(self)), max(len(self), size))
        drawn = [
            self._varied(self._slices[order[position * size + k]], np.random.default_rng((seed, 1, step, k)))
            for k in np.array_split(np.arange(size), share[1])[share[0]]
        ]
        return _stacked(drawn)

    def sample(self, count: int = SAMPLE) -> Batch:
        """Return about ``count`` slices, evenly spaced over all of them, as they are."""
        every = self._slices[:: max(1, len(self._slices) // count)]
        return _stacked([self._laid(one, (1.0, 1.0), (0, 0), flip=False) for one in every])

    def _add(self, prepared: _Prepared) -> None:
        self.names.append(prepared.name)
        self._slices += prepared.slices
        if prepared.window is not None:
            self.windows.append(prepared.window)
        if prepared.histogram is not None:
            self._histograms[prepared.name] = prepared.histogram

    def _prepare(self, subject: Subject) -> _Prepared:
        """Read a subject and make slices of it."""
        recipe = self._recipe
        source: Volume
        target: Volume
        source, target = subject.holding(recipe.source, recipe.target).paired()
        where = subject.target.path if subject.target else subject.name
        source = recipe.source_contrast.clean(source, subject.source.path)
        window = None
        histogram = None
        if recipe.target == "labels":
            target = recipe.label_set.clean(target, where)
        else:
            window = self._target_window(source, target, where)
            target = _normalised(target, window)
            if recipe.histogram.strength:
                strength = recipe.histogram.strength
                histogram = Histogram.of(target.voxels, source.voxels, recipe.label_set, strength)
            if recipe.sharpness is not None:
                target = replace(target, voxels=sharpened(target.voxels, source.voxels, recipe.sharpness))
        if recipe.source == "image":
            source = _normalised(source, recipe.source_contrast.fit(source.voxels))
        coarser = [spacing for spacing in recipe.resolutions if spacing > _COARSER * max(source.geometry.spacing)]
        source, target = _compact(source), _compact(target)
        slices = list(self._cut(source, target, where))
        for spacing in coarser:
            slices += self._cut(_resampled(source, spacing), _resampled(target, spacing), where)
        return _Prepared(subject.name, slices, window, histogram)

    def _target_window(self, source: Volume, target: Volume, where: object) -> Window:
        if self._recipe.contrast == "anchored":
            remedy = 'train with contrast = "robust"'
            return Window.anchored(target.voxels, source.voxels, self._recipe.label_set, where, remedy)
        return Window.robust(target.voxels)

    def _cut(self, source: Volume, target: Volume, where: object) -> Iterator[_Slice]:
        largest = self._recipe.augmentation.enlarge * (1 + self._recipe.augmentation.zoom)
        for plane in self._recipe.planes:
            ours, theirs = (cut(volume.voxels, volume.geometry, plane) for volume in (source, target))
            area = np.count_nonzero(ours.slices, axis=(1, 2)) * ours.spacing[0] * ours.spacing[1]
            footprint = np.asarray((ours.slices != 0).any(axis=0, keepdims=True))
            # A canvas that is too large is refused now, not in the middle of the training.
            Fit.around(footprint, (ours.spacing[0] * largest, ours.spacing[1] * largest), self._canvas, where)
            for index in np.flatnonzero(area >= MIN_AREA_MM2):
                yield _Slice(ours, theirs, footprint, int(index))

    def _varied(self, one: _Slice, rng: np.random.Generator) -> Batch:
        """Move, scale and turn a slice, and turn left and right over, as the recipe says."""
        vary, plane = self._recipe.augmentation, one.source.plane
        shift = rng.integers(-vary.shift, vary.shift + 1, 2)
        zoom, zoomed = rng.uniform(-vary.zoom, vary.zoom, 2), rng.random() < 0.5
        flip = rng.random() < 0.5 and vary.flip and plane is not Plane.SAGITTAL
        angle, gain, gamma = rng.uniform(-1, 1, 3)
        scale = vary.enlarge * (1 + zoom if zoomed else np.ones(2))
        source, target = self._laid(one, (scale[0], scale[1]), (int(shift[0]), int(shift[1])), flip=flip)
        if vary.rotate:
            source, target = (rotated(slices, angle * vary.rotate) for slices in (source, target))
        if vary.intensity and self._recipe.source == "image":
            # NumPy's own numbers of 64 bits would make the slices as wide.
            factor = np.float32(1 + gain * vary.intensity)
            exponent = np.float32(1 + gamma * vary.intensity)
            source = np.clip(source * factor, 0, 1) ** exponent
        return self._patch(source, target, rng)

    def _patch(self, source: NDArray[np.float32], target: NDArray[np.float32], rng: np.random.Generator) -> Batch:
        """Return a random crop, where the recipe asks for one."""
        patch = self._recipe.patch
        if patch is None:
            return source, target
        rows, columns = (int(rng.integers(0, max(length - patch, 0) + 1)) for length in source.shape[1:3])
        inside = np.s_[:, rows : rows + patch, columns : columns + patch]
        return source[inside], target[inside]

    def _laid(self, one: _Slice, scale: tuple[float, float], shift: tuple[int, int], *, flip: bool) -> Batch:
        rows, columns = one.source.spacing
        # Around the whole stack, as when translating: a small slice keeps its place in the head.
        fit = Fit.around(one.footprint, (rows * scale[0], columns * scale[1]), self._canvas).moved(shift)
        stacks = zip((one.source, one.target), (self._recipe.source, self._recipe.target), strict=True)
        source, target = (fit.apply(self._encoded(stack.slices[one.index, np.newaxis], is_)) for stack, is_ in stacks)
        # Rows run from left to right.
        return (source[:, ::-1], target[:, ::-1]) if flip else (source, target)

    def _encoded(self, slices: NDArray[np.generic], side: str) -> NDArray[np.float32]:
        if side == "labels":
            return self._recipe.label_set.encode(slices)
        return slices[..., np.newaxis].astype(np.float32)


def _normalised(volume: Volume, window: LabelSet | Window) -> Volume:
    """Bring intensities into [0, 1]."""
    return replace(volume, voxels=window.encode(volume.voxels)[..., 0])


def _compact(volume: Volume) -> Volume:
    """Use small types: a subject of 7 million voxels takes 14 MB, its label map 7."""
    if volume.voxels.dtype.kind == "f":
        return replace(volume, voxels=volume.voxels.astype(np.float16))
    return replace(volume, voxels=volume.voxels.astype(np.uint8 if volume.voxels.max() < 256 else np.int32))


def _resampled(volume: Volume, spacing: float) -> Volume:
    """Return a volume as a scanner with larger voxels would see it; a label is that of the larger part."""
    lengths = [round(n * own / spacing) for n, own in zip(volume.geometry.shape, volume.geometry.spacing, strict=True)]
    maps = [
        linear_weights(
            (np.arange(length) - (length - 1) / 2) * spacing / own + (n - 1) / 2, n, widen=max(1.0, spacing / own / 2)
        )
        for length, n, own in zip(lengths, volume.geometry.shape, volume.geometry.spacing, strict=True)
    ]

    def mean(voxels: NDArray[np.float32]) -> NDArray[np.float32]:
        for axis, weights in enumerate(maps):
            voxels = np.moveaxis(np.tensordot(weights, voxels, (1, axis)), 0, axis)
        return voxels

    if volume.voxels.dtype.kind in "iu":
        values = np.unique(volume.voxels)
        parts = np.stack([mean((volume.voxels == value).astype(np.float32)) for value in values])
        voxels = values[parts.argmax(axis=0)]
    else:
        voxels = mean(volume.voxels.astype(np.float32)).astype(volume.voxels.dtype)
    affine = volume.geometry.affine.copy()
    affine[:3, :3] *= spacing / np.array(volume.geometry.spacing)
    return Volume(voxels, Geometry((lengths[0], lengths[1], lengths[2]), affine))


def _stacked(drawn: Sequence[Batch]) -> Batch:
    """Put slices into one batch, padded at the end to the largest."""
    rows, columns = (max(source.shape[axis] for source, _ in drawn) for axis in (1, 2))

    def padded(slices: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.pad(slices, ((0, 0), (0, rows - slices.shape[1]), (0, columns - slices.shape[2]), (0, 0)))

    return tuple(np.concatenate([padded(pair[side]) for pair in drawn]) for side in (0, 1))  # type: ignore[return-value]
