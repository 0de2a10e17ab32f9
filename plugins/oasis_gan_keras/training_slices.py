"""Turn subjects into training slices: read, normalise and cut their volumes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oasis_gan import (
    CanvasTransform,
    CleanVolume,
    Geometry,
    Histogram,
    LabelSet,
    Percentiles,
    Plane,
    Scan,
    SliceStack,
    Subject,
    Volume,
    Window,
    cut,
    make_interpolation_matrix,
)

from .errors import MissingSourceError
from .sharpening import sharpen
from .training_settings import TrainingSettings

Mask = NDArray[np.bool_]
Matrix = NDArray[np.float32]
MIN_AREA_MM2 = 200.0
"""The smallest area of source that a slice must show to be worth training on."""
# Another resolution is worth training on from this multiple of the volume's own voxel size.
_COARSER = 1.05


@dataclass(frozen=True, eq=False)
class TrainingSlice:
    """One slice that shows all volumes of a subject.

    Args:
        sources: All slices of each source, in the order of channels; neighbouring slices are taken
            from them.
        target: All slices of the target.
        mask: The pixels at which any slice of the first source is not background, (1, rows,
            columns).
        index: The index of the slice.
    """

    sources: tuple[SliceStack, ...]
    target: SliceStack
    mask: Mask
    index: int

    @property
    def plane(self) -> Plane:
        """Return the plane of the slice."""
        return self.sources[0].plane

    @property
    def spacing(self) -> tuple[float, float]:
        """Return the distance between rows and between columns, in mm."""
        return self.sources[0].spacing


@dataclass(frozen=True, eq=False)
class _Target:
    """The target of a subject, ready to be cut into slices.

    Args:
        volume: The labels, or intensities in [0, 1].
        window: The window that encodes the intensities; None for a label map.
        histogram: The distribution of the intensities, if the recipe asks for it.
    """

    volume: Volume
    window: Window | None = None
    histogram: Histogram | None = None


@dataclass(frozen=True, eq=False)
class PreparedSubject:
    """The training slices that a subject has.

    Args:
        name: The name of the subject.
        slices: The slices worth training on, in all planes and resolutions.
        window: The window that encodes the target; None for a label map.
        histogram: The distribution of the target's intensities, if the recipe asks for it.
    """

    name: str
    slices: Sequence[TrainingSlice]
    window: Window | None
    histogram: Histogram | None


def prepare_subject(subject: Subject, recipe: TrainingSettings) -> PreparedSubject:
    """Read a subject and cut it into training slices.

    Args:
        subject: A subject with source and target.
        recipe: The planes, the canvas and the contrasts.

    Raises:
        OasisGanError: If the subject cannot be used.
    """
    sources, target_volume = _read_volumes(subject, recipe)
    first_source = next(iter(sources.values()))
    where = subject.target.path if subject.target else subject.name
    if recipe.target == "labels":
        target = _Target(recipe.label_set.clean(target_volume, where))
    else:
        target = _prepare_image(target_volume, first_source, recipe, where)
    prepared = []
    for name, volume in sources.items():
        encoded = _prepare_source(volume, recipe.encodings[name])
        prepared.append(_compact(encoded))
    slices = _cut_resolutions(prepared, _compact(target.volume), recipe, where)
    return PreparedSubject(
        name=subject.name,
        slices=list(slices),
        window=target.window,
        histogram=target.histogram,
    )


def _read_volumes(
    subject: Subject,
    recipe: TrainingSettings,
) -> tuple[dict[str, CleanVolume], CleanVolume]:
    """Return the sources by name, in the order of channels, and the target, all on one grid."""
    pair = subject.with_content(recipe.source, recipe.target)
    source, target = pair.read_both()
    encodings = recipe.encodings
    first, *further = recipe.named_sources
    sources = {first: encodings[first].clean(source, subject.source.path)}
    for name in further:
        scan = _find_further(subject, name).with_content(recipe.named_sources[name])
        # A source without a position of its own takes that of the first source.
        _, volume = Subject.align(source, scan.read())
        source.geometry.require_same_grid(volume.geometry, scan.path)
        sources[name] = encodings[name].clean(volume, scan.path)
    return sources, target


def _find_further(subject: Subject, name: str) -> Scan:
    """Return one of the further sources of a subject."""
    scan = subject.further.get(name)
    if scan is None:
        raise MissingSourceError(subject.source.path, name)
    return scan


def _prepare_image(
    image: Volume,
    labels: Volume,
    recipe: TrainingSettings,
    where: object,
) -> _Target:
    """Normalise the image that a network should make, and sharpen it if the recipe asks for it.

    Args:
        image: The image.
        labels: The first source; label values if the recipe needs them.
        recipe: The contrast, the histogram and the sharpness.
        where: The file of the image, for errors.
    """
    window = _find_target_window(labels, image, recipe, where)
    normalised = _normalise(image, window)
    voxels = normalised.voxels
    histogram = None
    strength = recipe.histogram.strength
    if strength:
        histogram = Histogram.from_voxels(voxels, labels.voxels, recipe.label_set, strength)
    if recipe.sharpness is not None:
        voxels = sharpen(voxels, labels.voxels, recipe.sharpness)
    return _Target(replace(normalised, voxels=voxels), window, histogram)


def _prepare_source(volume: Volume, encoding: LabelSet | Percentiles) -> Volume:
    """Return labels unchanged, and intensities in [0, 1]."""
    if encoding.content == "labels":
        return volume
    return _normalise(volume, encoding.fit(volume.voxels))


def _find_target_window(
    source: Volume,
    target: Volume,
    recipe: TrainingSettings,
    where: object,
) -> Window:
    """Return the window of a target image, of the kind that the recipe names."""
    if recipe.contrast == "robust":
        return Window.from_percentiles(target.voxels)
    return Window.from_tissues(
        target.voxels,
        source.voxels,
        recipe.label_set,
        where,
        remedy='train with contrast = "robust"',
    )


def _normalise(volume: Volume, window: LabelSet | Window) -> Volume:
    """Return a volume whose intensities are encoded in [0, 1]."""
    encoded = window.encode(volume.voxels)
    return replace(volume, voxels=encoded[..., 0])


def _compact(volume: Volume) -> Volume:
    """Return a volume in small types: 7 million voxels take 14 MB, or 7 MB as a label map."""
    voxels = volume.voxels
    if voxels.dtype.kind == "f":
        return replace(volume, voxels=voxels.astype(np.float16))
    smallest = np.uint8 if voxels.max() < 256 else np.int32
    return replace(volume, voxels=voxels.astype(smallest))


def _cut_resolutions(
    sources: Sequence[Volume],
    target: Volume,
    recipe: TrainingSettings,
    where: object,
) -> Iterator[TrainingSlice]:
    """Yield the slices of volumes at their own resolution and at the coarser ones in the recipe."""
    yield from _cut_planes(sources, target, recipe, where)
    own_spacing = max(sources[0].geometry.spacing)
    for spacing in recipe.resolutions:
        if spacing > _COARSER * own_spacing:
            coarse_sources = [_resample(source, spacing) for source in sources]
            coarse_target = _resample(target, spacing)
            yield from _cut_planes(coarse_sources, coarse_target, recipe, where)


def _cut_planes(
    sources: Sequence[Volume],
    target: Volume,
    recipe: TrainingSettings,
    where: object,
) -> Iterator[TrainingSlice]:
    """Yield the slices in every plane that show enough of the first source."""
    for plane in recipe.planes:
        stacks = tuple(cut(source.voxels, source.geometry, plane) for source in sources)
        targets = cut(target.voxels, target.geometry, plane)
        first = stacks[0]
        masks = first.slices != 0
        mask = np.asarray(masks.any(axis=0, keepdims=True))
        _require_canvas(mask, first.spacing, recipe, where)
        rows, columns = first.spacing
        pixels = np.count_nonzero(masks, axis=(1, 2))
        area = pixels * rows * columns
        for index in np.flatnonzero(area >= MIN_AREA_MM2):
            yield TrainingSlice(stacks, targets, mask, int(index))


def _require_canvas(
    mask: Mask,
    spacing: tuple[float, float],
    recipe: TrainingSettings,
    where: object,
) -> None:
    """Raise `OasisGanError` now if a slice could be too large in the middle of the training."""
    largest = recipe.augmentation.enlarge * (1 + recipe.augmentation.zoom)
    rows, columns = spacing
    CanvasTransform.from_mask(
        mask,
        (rows * largest, columns * largest),
        recipe.canvas,
        where,
    )


def _resample(volume: Volume, spacing: float) -> Volume:
    """Return a volume as a scanner with larger voxels would see it.

    A voxel gets the label of its largest part.
    """
    geometry = volume.geometry
    matrices = []
    for n, own in zip(geometry.shape, geometry.spacing, strict=True):
        length = round(n * own / spacing)
        matrices.append(_make_averaging_matrix(n, own, length, spacing))
    if volume.voxels.dtype.kind in "iu":
        voxels = _resample_labels(volume.voxels, matrices)
    else:
        averaged = _average(volume.voxels.astype(np.float32), matrices)
        voxels = averaged.astype(volume.voxels.dtype)
    affine = geometry.affine.copy()
    affine[:3, :3] *= spacing / np.array(geometry.spacing)
    x, y, z = voxels.shape
    return Volume(voxels, Geometry((x, y, z), affine))


def _resample_labels(labels: NDArray[Any], matrices: Sequence[Matrix]) -> NDArray[Any]:
    """Return the label with the largest part in each larger voxel."""
    values = np.unique(labels)
    parts = []
    for value in values:
        mask = (labels == value).astype(np.float32)
        parts.append(_average(mask, matrices))
    largest = np.stack(parts).argmax(axis=0)
    return np.asarray(values[largest])


def _make_averaging_matrix(
    n: int,
    own: float,
    length: int,
    spacing: float,
) -> Matrix:
    """Return the matrix (length, n) that averages the voxels of an axis into larger ones.

    Args:
        n: The number of voxels along the axis.
        own: Their size, in mm.
        length: The number of larger voxels.
        spacing: Their size, in mm.
    """
    from_centre = np.arange(length) - (length - 1) / 2
    positions = from_centre * spacing / own + (n - 1) / 2
    reach = max(1.0, spacing / own / 2)
    return make_interpolation_matrix(positions, n, widen=reach)


def _average(voxels: NDArray[np.float32], matrices: Sequence[Matrix]) -> NDArray[np.float32]:
    """Apply a matrix along each axis."""
    for axis, matrix in enumerate(matrices):
        averaged = np.tensordot(matrix, voxels, (1, axis))
        voxels = np.moveaxis(averaged, 0, axis)
    return voxels
