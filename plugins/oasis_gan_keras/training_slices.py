"""Turn subjects into training slices: read, normalise and cut their volumes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oasis_gan import (
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
from .setting_types import Side
from .sharpening import sharpen
from .training_settings import TrainingSettings

Mask = NDArray[np.bool_]
Matrix = NDArray[np.float32]
MIN_AREA_MM2 = 200.0
"""The smallest area of source that a slice must show to be worth training on."""
# Another resolution is worth training on from this multiple of the volume's own voxel size.
_COARSER = 1.05


@dataclass(frozen=True)
class SliceSettings:
    """The settings that decide which slices a subject has, and what they hold.

    Nothing else in a recipe does: slices that were kept with equal settings can be used again.

    Args:
        encodings: The encoding of each source by name, in the order of channels.
        target: The content of the target.
        label_set: The meaning of label maps.
        contrast: How the intensities of a target are scaled.
        sharpness: How far targets are sharpened; None if they are not.
        histogram: The strength with which outputs are matched to the histogram of targets.
        planes: The planes in which slices are cut.
        resolutions: The coarser voxel sizes at which slices are cut too, in mm.
    """

    encodings: Mapping[str, LabelSet | Percentiles]
    target: Side
    label_set: LabelSet
    contrast: str
    sharpness: float | None
    histogram: float
    planes: tuple[Plane, ...]
    resolutions: tuple[float, ...]

    @classmethod
    def from_recipe(cls, recipe: TrainingSettings) -> SliceSettings:
        """Return the settings of a recipe that concern its slices."""
        return cls(
            encodings=recipe.encodings,
            target=recipe.target,
            label_set=recipe.label_set,
            contrast=recipe.contrast,
            sharpness=recipe.sharpness,
            histogram=recipe.histogram.strength,
            planes=recipe.planes,
            resolutions=recipe.resolutions,
        )

    def identity(self) -> dict[str, object]:
        """Return a description that no other settings have, for JSON."""
        described: dict[str, object] = dict(vars(self))
        described["encodings"] = [encoding.identity() for encoding in self.encodings.values()]
        described["label_set"] = self.label_set.identity()
        return described


@dataclass(frozen=True, eq=False)
class PlaneSlices:
    """The slices that a subject has in one plane, at one resolution.

    Args:
        sources: All slices of each source, in the order of channels.
        target: All slices of the target.
        mask: The pixels at which any slice of the first source is not background, (1, rows,
            columns).
        chosen: The indices of the slices that are worth training on.
    """

    sources: tuple[SliceStack, ...]
    target: SliceStack
    mask: Mask
    chosen: NDArray[np.int64]


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
        planes: The slices in each plane, at each resolution.
        window: The window that encodes the target; None for a label map.
        histogram: The distribution of the target's intensities, if the recipe asks for it.
    """

    planes: Sequence[PlaneSlices]
    window: Window | None
    histogram: Histogram | None


@dataclass(frozen=True, eq=False)
class SubjectVolumes:
    """The volumes of a subject, as they were read, all on one grid.

    Args:
        sources: The sources by name, in the order of channels.
        target: The target.
        where: The file of the target, for errors.
    """

    sources: Mapping[str, CleanVolume]
    target: CleanVolume
    where: object


def read_volumes(subject: Subject, settings: SliceSettings) -> SubjectVolumes:
    """Read the sources and the target of a subject.

    Raises:
        OasisGanError: If one of them is missing or cannot be used, or the grids differ.
    """
    encodings = settings.encodings
    first, *further = encodings
    pair = subject.with_content(encodings[first].content, settings.target)
    source, target = pair.read_both()
    sources = {first: encodings[first].clean(source, subject.source.path)}
    for name in further:
        scan = find_further(subject, name).with_content(encodings[name].content)
        # A source without a position of its own takes that of the first source.
        _, volume = Subject.align(source, scan.read())
        source.geometry.require_same_grid(volume.geometry, scan.path)
        sources[name] = encodings[name].clean(volume, scan.path)
    where = subject.target.path if subject.target else subject.name
    return SubjectVolumes(sources, target, where)


def prepare_slices(volumes: SubjectVolumes, settings: SliceSettings) -> PreparedSubject:
    """Normalise the volumes of a subject, and cut them into training slices.

    Raises:
        OasisGanError: If the subject cannot be used.
    """
    first_source = next(iter(volumes.sources.values()))
    if settings.target == "labels":
        target = _Target(settings.label_set.clean(volumes.target, volumes.where))
    else:
        target = _prepare_image(volumes.target, first_source, settings, volumes.where)
    prepared = []
    for name, volume in volumes.sources.items():
        encoded = _prepare_source(volume, settings.encodings[name])
        prepared.append(_compact(encoded))
    planes = _cut_resolutions(prepared, _compact(target.volume), settings)
    return PreparedSubject(
        planes=list(planes),
        window=target.window,
        histogram=target.histogram,
    )


def find_further(subject: Subject, name: str) -> Scan:
    """Return one of the further sources of a subject."""
    scan = subject.further.get(name)
    if scan is None:
        raise MissingSourceError(subject.source.path, name)
    return scan


def _prepare_image(
    image: Volume,
    labels: Volume,
    settings: SliceSettings,
    where: object,
) -> _Target:
    """Normalise the image that a network should make, and sharpen it if the recipe asks for it.

    Args:
        image: The image.
        labels: The first source; label values if the recipe needs them.
        settings: The contrast, the histogram and the sharpness.
        where: The file of the image, for errors.
    """
    window = _find_target_window(labels, image, settings, where)
    normalised = _normalise(image, window)
    voxels = normalised.voxels
    histogram = None
    strength = settings.histogram
    if strength:
        histogram = Histogram.from_voxels(voxels, labels.voxels, settings.label_set, strength)
    if settings.sharpness is not None:
        voxels = sharpen(voxels, labels.voxels, settings.sharpness)
    return _Target(replace(normalised, voxels=voxels), window, histogram)


def _prepare_source(volume: Volume, encoding: LabelSet | Percentiles) -> Volume:
    """Return labels unchanged, and intensities in [0, 1]."""
    if encoding.content == "labels":
        return volume
    return _normalise(volume, encoding.fit(volume.voxels))


def _find_target_window(
    source: Volume,
    target: Volume,
    settings: SliceSettings,
    where: object,
) -> Window:
    """Return the window of a target image, of the kind that the recipe names."""
    if settings.contrast == "robust":
        return Window.from_percentiles(target.voxels)
    return Window.from_tissues(
        target.voxels,
        source.voxels,
        settings.label_set,
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
    settings: SliceSettings,
) -> Iterator[PlaneSlices]:
    """Yield the slices of volumes at their own resolution and at the coarser ones in the recipe."""
    yield from _cut_planes(sources, target, settings)
    own_spacing = max(sources[0].geometry.spacing)
    for spacing in settings.resolutions:
        if spacing > _COARSER * own_spacing:
            coarse_sources = [_resample(source, spacing) for source in sources]
            coarse_target = _resample(target, spacing)
            yield from _cut_planes(coarse_sources, coarse_target, settings)


def _cut_planes(
    sources: Sequence[Volume],
    target: Volume,
    settings: SliceSettings,
) -> Iterator[PlaneSlices]:
    """Yield the slices of volumes in every plane."""
    for plane in settings.planes:
        stacks = tuple(cut(source.voxels, source.geometry, plane) for source in sources)
        first = stacks[0]
        masks = first.slices != 0
        rows, columns = first.spacing
        pixels = np.count_nonzero(masks, axis=(1, 2))
        area = pixels * rows * columns
        yield PlaneSlices(
            sources=stacks,
            target=cut(target.voxels, target.geometry, plane),
            mask=np.asarray(masks.any(axis=0, keepdims=True)),
            chosen=np.flatnonzero(area >= MIN_AREA_MM2),
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
