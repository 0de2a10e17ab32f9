"""Making training slices of a subject: its volumes are read, normalised and cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from oasis_gan import (
    CleanVolume,
    Fit,
    Geometry,
    Histogram,
    LabelSet,
    OasisGanError,
    Percentiles,
    Plane,
    Scan,
    SliceStack,
    Subject,
    Volume,
    Window,
    cut,
    linear_weights,
)

from .sharpening import sharpen
from .training_settings import TrainingSettings

Mask = NDArray[np.bool_]
MIN_AREA_MM2 = 200.0
"""Slices in which less than this is source teach nothing and are left out."""
_COARSER = 1.05  # than the volume itself by this factor: a resolution worth learning beside its own


@dataclass(frozen=True, eq=False)
class TrainingSlice:
    """A slice of the volumes of a subject.

    Args:
        sources: All slices of each source, in the order of channels; neighbours are read from them as well.
        target: All slices of the target.
        footprint: Where there is something in any slice of the first source, (1, rows, columns).
        index: Which of the slices it is.
    """

    sources: tuple[SliceStack, ...]
    target: SliceStack
    footprint: Mask
    index: int

    @property
    def plane(self) -> Plane:
        """The plane of the slice."""
        return self.sources[0].plane

    @property
    def spacing(self) -> tuple[float, float]:
        """Distance between rows and between columns, mm."""
        return self.sources[0].spacing


@dataclass(frozen=True, eq=False)
class PreparedSubject:
    """What a subject gives to learn from.

    Args:
        name: Of the subject.
        slices: Those that are worth learning from, in all planes and resolutions.
        window: The contrast of the target; None for a label map.
        histogram: The distribution of its intensities, if the recipe asks for it.
    """

    name: str
    slices: Sequence[TrainingSlice]
    window: Window | None
    histogram: Histogram | None


def prepare_subject(subject: Subject, recipe: TrainingSettings) -> PreparedSubject:
    """Read a subject and make slices of it.

    Args:
        subject: A pair.
        recipe: Planes, canvas and contrasts.

    Raises:
        OasisGanError: If the subject cannot be used.
    """
    target: Volume
    sources, target = _read(subject, recipe)
    source = next(iter(sources.values()))
    where = subject.target.path if subject.target else subject.name
    window = None
    histogram = None
    if recipe.target == "labels":
        target = recipe.label_set.clean(target, where)
    else:
        window = _find_target_window(source, target, recipe, where)
        target = _normalise(target, window)
        if recipe.histogram.strength:
            strength = recipe.histogram.strength
            histogram = Histogram.of(target.voxels, source.voxels, recipe.label_set, strength)
        if recipe.sharpness is not None:
            target = replace(target, voxels=sharpen(target.voxels, source.voxels, recipe.sharpness))
    shown = [
        _compact(_prepare_source(volume, recipe.encodings[name]))
        for name, volume in sources.items()
    ]
    slices = list(_cut_all(shown, _compact(target), recipe, where))
    return PreparedSubject(subject.name, slices, window, histogram)


def _read(subject: Subject, recipe: TrainingSettings) -> tuple[dict[str, CleanVolume], CleanVolume]:
    """Return the sources by name, in the order of channels, and the target, all of them on one grid."""
    source, target = subject.holding(recipe.source, recipe.target).paired()
    first, *further = recipe.named_sources
    sources = {first: recipe.encodings[first].clean(source, subject.source.path)}
    for name in further:
        scan = _find_further(subject, name).holding(recipe.named_sources[name])
        # A source that does not say where it lies takes the place of its target, and of nothing else.
        _, volume = Subject.aligned(source, scan.read())
        source.geometry.require_same_grid(volume.geometry, scan.path)
        sources[name] = recipe.encodings[name].clean(volume, scan.path)
    return sources, target


def _find_further(subject: Subject, name: str) -> Scan:
    scan = subject.further.get(name)
    if scan is None:
        expected = f"a source {name} beside it"
        raise OasisGanError(
            subject.source.path, expected=expected, found="none", remedy="add the file"
        )
    return scan


def _prepare_source(volume: Volume, encoding: LabelSet | Percentiles) -> Volume:
    """Return label values as they are, and intensities in [0, 1]."""
    return (
        volume if encoding.content == "labels" else _normalise(volume, encoding.fit(volume.voxels))
    )


def _find_target_window(
    source: Volume, target: Volume, recipe: TrainingSettings, where: object
) -> Window:
    if recipe.contrast == "anchored":
        remedy = 'train with contrast = "robust"'
        return Window.anchored(target.voxels, source.voxels, recipe.label_set, where, remedy)
    return Window.robust(target.voxels)


def _normalise(volume: Volume, window: LabelSet | Window) -> Volume:
    """Bring intensities into [0, 1]."""
    return replace(volume, voxels=window.encode(volume.voxels)[..., 0])


def _compact(volume: Volume) -> Volume:
    """Use small types: a subject of 7 million voxels takes 14 MB, its label map 7."""
    if volume.voxels.dtype.kind == "f":
        return replace(volume, voxels=volume.voxels.astype(np.float16))
    smallest = np.uint8 if volume.voxels.max() < 256 else np.int32
    return replace(volume, voxels=volume.voxels.astype(smallest))


def _cut_all(
    sources: Sequence[Volume],
    target: Volume,
    recipe: TrainingSettings,
    where: object,
) -> Iterator[TrainingSlice]:
    """Yield the slices of volumes as they are, and at the coarser resolutions that the recipe asks for."""
    yield from _cut(sources, target, recipe, where)
    for spacing in recipe.resolutions:
        if spacing > _COARSER * max(sources[0].geometry.spacing):
            coarser = [_resample(source, spacing) for source in sources]
            yield from _cut(coarser, _resample(target, spacing), recipe, where)


def _cut(
    sources: Sequence[Volume],
    target: Volume,
    recipe: TrainingSettings,
    where: object,
) -> Iterator[TrainingSlice]:
    """Yield the slices of volumes in every plane, if enough of the first source is in them."""
    largest = recipe.augmentation.enlarge * (1 + recipe.augmentation.zoom)
    for plane in recipe.planes:
        stacks = tuple(cut(source.voxels, source.geometry, plane) for source in sources)
        targets = cut(target.voxels, target.geometry, plane)
        first = stacks[0].slices
        rows, columns = stacks[0].spacing
        area = np.count_nonzero(first, axis=(1, 2)) * rows * columns
        footprint = np.asarray((first != 0).any(axis=0, keepdims=True))
        # A canvas that is too large is refused now, not in the middle of the training.
        Fit.around(footprint, (rows * largest, columns * largest), recipe.canvas, where)
        for index in np.flatnonzero(area >= MIN_AREA_MM2):
            yield TrainingSlice(stacks, targets, footprint, int(index))


def _resample(volume: Volume, spacing: float) -> Volume:
    """Return a volume as a scanner with larger voxels would see it; a label is that of the larger part."""
    geometry = volume.geometry
    lengths = [
        round(n * own / spacing) for n, own in zip(geometry.shape, geometry.spacing, strict=True)
    ]
    maps = [
        _average_axis(n, own, length, spacing)
        for n, own, length in zip(geometry.shape, geometry.spacing, lengths, strict=True)
    ]
    if volume.voxels.dtype.kind in "iu":
        values = np.unique(volume.voxels)
        parts = np.stack(
            [_average((volume.voxels == value).astype(np.float32), maps) for value in values]
        )
        voxels = values[parts.argmax(axis=0)]
    else:
        voxels = _average(volume.voxels.astype(np.float32), maps).astype(volume.voxels.dtype)
    affine = geometry.affine.copy()
    affine[:3, :3] *= spacing / np.array(geometry.spacing)
    return Volume(voxels, Geometry((lengths[0], lengths[1], lengths[2]), affine))


def _average_axis(n: int, own: float, length: int, spacing: float) -> NDArray[np.float32]:
    """Return the matrix (length, n) that makes larger voxels along an axis.

    Args:
        n: Voxels of the axis.
        own: Their size, mm.
        length: Voxels that it gets.
        spacing: Their size, mm.
    """
    positions = (np.arange(length) - (length - 1) / 2) * spacing / own + (n - 1) / 2
    return linear_weights(positions, n, widen=max(1.0, spacing / own / 2))


def _average(
    voxels: NDArray[np.float32], maps: Sequence[NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Apply a matrix along each axis."""
    for axis, weights in enumerate(maps):
        voxels = np.moveaxis(np.tensordot(weights, voxels, (1, axis)), 0, axis)
    return voxels
