"""Bring a volume onto the grid that MeshNet was trained on, and labels back.

That is the grid of FreeSurfer's conformed volumes: voxels of 1 mm along axes that run to the left,
to the feet and to the front. In any other order the same weights find almost no deep structure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from nibabel import orientations
from numpy.typing import NDArray

from oasis_gan import Geometry, Mask, make_interpolation_matrix

from .errors import HeadSizeError, VoxelSizeError

Floats = NDArray[np.float32]
Labels = NDArray[np.uint8]
Flags = NDArray[np.bool_]

_OTHER_AXES = ((1, 2), (0, 2), (0, 1))  # for each axis
_CONFORMED = orientations.axcodes2ornt("LIA")
_SAME_SPACING = 0.01  # mm: spacings this close to 1 mm are taken as 1 mm
_SMALLEST = 0.05  # mm between voxels
_LARGEST = 20.0  # mm
_MAX_VOXELS = 2**25  # of a conformed volume: 322 mm along each axis


@dataclass(frozen=True, eq=False)
class ConformedAxis:
    """How one axis of a volume lies on the conformed grid.

    Args:
        head: The voxels of the volume from the first to the last in the mask.
        forward: The matrix (conformed voxels, voxels of the head) of linear interpolation; None
            where voxels are moved whole.
        inverse: The matrix (voxels of the head, conformed voxels); None likewise.
        samples: How many conformed voxels the head becomes.
    """

    head: slice
    forward: Floats | None
    inverse: Floats | None
    samples: int

    @classmethod
    def from_mask(cls, mask: Flags, spacing: float) -> ConformedAxis:
        """Return how an axis lies on the conformed grid.

        Args:
            mask: Which of its voxels are not background.
            spacing: The distance between voxels, mm.
        """
        head = _find_extent(mask)
        length = head.stop - head.start
        if abs(spacing - 1) < _SAME_SPACING:
            return cls(
                head=head,
                forward=None,
                inverse=None,
                samples=length,
            )
        samples = max(1, round(length * spacing))
        return cls(
            head=head,
            forward=_make_forward_matrix(length, spacing, samples),
            inverse=_make_inverse_matrix(length, spacing, samples),
            samples=samples,
        )


@dataclass(frozen=True, eq=False)
class ConformedGrid:
    """The conformed grid that a volume has, cropped to its head.

    Args:
        geometry: The grid of the volume.
        axes: The axes that run to the left, to the feet and to the front.
    """

    geometry: Geometry
    axes: tuple[ConformedAxis, ...]

    @classmethod
    def from_mask(cls, mask: Mask, geometry: Geometry) -> ConformedGrid:
        """Return the grid for a volume.

        Args:
            mask: The voxels that are not background.
            geometry: Where the voxels lie.

        Raises:
            VoxelSizeError: If voxels have a size that no scan has.
            HeadSizeError: If the head is larger than any.
        """
        turned = orientations.apply_orientation(mask, _to_conformed(geometry))
        order = _find_axis_order(geometry)
        spacings = [geometry.spacing[axis] for axis in order]
        if min(spacings) < _SMALLEST or max(spacings) > _LARGEST:
            raise VoxelSizeError(spacings, _SMALLEST, _LARGEST)
        axes = []
        for spacing, others in zip(spacings, _OTHER_AXES, strict=True):
            along_axis = turned.any(axis=others)
            axes.append(ConformedAxis.from_mask(along_axis, spacing))
        samples = [axis.samples for axis in axes]
        if math.prod(samples) > _MAX_VOXELS:
            raise HeadSizeError(samples, _MAX_VOXELS)
        return cls(geometry, tuple(axes))

    @property
    def resamples(self) -> bool:
        """Whether voxels are not 1 mm apart, so that labels come back as probabilities."""
        return any(axis.forward is not None for axis in self.axes)

    def conform(self, voxels: Floats) -> Floats:
        """Return the head in a volume, on the conformed grid."""
        turned = orientations.apply_orientation(voxels, _to_conformed(self.geometry))
        head = turned[self._head].astype(np.float32)
        forward = [axis.forward for axis in self.axes]
        return _apply_along_all(head, forward)

    def restore(self, labels: Labels) -> Labels:
        """Return labels of the head in the volume, if its voxels are 1 mm apart.

        Outside the head there is background.
        """
        order = _find_axis_order(self.geometry)
        shape = [self.geometry.shape[axis] for axis in order]
        turned = np.zeros(shape, np.uint8)
        turned[self._head] = labels
        restored = orientations.apply_orientation(turned, _from_conformed(self.geometry))
        return np.ascontiguousarray(restored)

    def restore_likeliest(self, probabilities: Floats) -> Labels:
        """Return the likeliest label in each voxel of the volume.

        Args:
            probabilities: (conformed voxels..., labels); the first label is background.
        """
        shape = [head.stop - head.start for head in self._head]
        highest = np.zeros(shape, np.float32)
        likeliest = np.zeros(shape, np.uint8)
        inverse = [axis.inverse for axis in self.axes]
        # One label after the other: all of them at once need too much memory.
        for label in range(probabilities.shape[-1]):
            probability = _apply_along_all(probabilities[..., label], inverse)
            higher = probability > highest
            highest[higher] = probability[higher]
            likeliest[higher] = label
        return self.restore(likeliest)

    @property
    def _head(self) -> tuple[slice, ...]:
        return tuple(axis.head for axis in self.axes)


def _find_extent(mask: Flags) -> slice:
    """Return the range from the first voxel in a mask to the last; one voxel if it is empty."""
    indices = np.flatnonzero(mask)
    if indices.size == 0:
        return slice(0, 1)
    first = int(indices[0])
    last = int(indices[-1])
    return slice(first, last + 1)


def _to_conformed(geometry: Geometry) -> NDArray[Any]:
    own = orientations.io_orientation(geometry.affine)
    return np.asarray(orientations.ornt_transform(own, _CONFORMED))


def _from_conformed(geometry: Geometry) -> NDArray[Any]:
    own = orientations.io_orientation(geometry.affine)
    return np.asarray(orientations.ornt_transform(_CONFORMED, own))


def _find_axis_order(geometry: Geometry) -> list[int]:
    """Return which axis of the volume each axis of the conformed grid is."""
    destinations = _to_conformed(geometry)[:, 0]
    return [int(axis) for axis in destinations.argsort()]


def _make_forward_matrix(length: int, spacing: float, samples: int) -> Floats:
    """Return the matrix that samples an axis every millimetre, symmetrically around its middle."""
    middle = (length - 1) / 2
    positions = middle + _compute_offsets(samples) / spacing
    # Where voxels become more than twice as large, each is a mean of what lies in it.
    widen = max(1.0, 0.5 / spacing)
    return make_interpolation_matrix(positions, length, widen=widen)


def _make_inverse_matrix(length: int, spacing: float, samples: int) -> Floats:
    """Return the matrix that samples the conformed axis at the voxels of the volume."""
    middle = (samples - 1) / 2
    positions = middle + _compute_offsets(length) * spacing
    widen = max(1.0, spacing / 2)
    return make_interpolation_matrix(positions, samples, widen=widen)


def _compute_offsets(count: int) -> NDArray[np.float64]:
    """Return how far each of ``count`` samples lies from their middle."""
    middle = (count - 1) / 2
    return np.arange(count, dtype=np.float64) - middle


def _apply_along_all(voxels: Floats, matrices: Sequence[Floats | None]) -> Floats:
    """Apply a matrix along each axis."""
    for axis, matrix in enumerate(matrices):
        if matrix is not None:
            product = np.tensordot(matrix, voxels, (1, axis))
            voxels = np.moveaxis(product, 0, axis)
    return voxels
