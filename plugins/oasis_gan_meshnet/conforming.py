"""Bringing a volume onto the grid that MeshNet was trained on, and labels back.

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

from oasis_gan import VOLUME, Geometry, Mask, OasisGanError, make_interpolation_matrix

Floats = NDArray[np.float32]
Labels = NDArray[np.uint8]

_AXES = "LIA"
_SAME_SPACING = 0.01  # mm: spacings this close to 1 mm are taken as 1 mm
_SPACINGS = (0.05, 20.0)  # mm
_MAX_VOXELS = 2**25  # of a conformed volume: 322 mm along each axis


class VoxelSizeError(OasisGanError):
    """A volume's voxels have a size that no scan has.

    Args:
        spacings: Of the volume, mm.
    """

    def __init__(self, spacings: Sequence[float]) -> None:
        smallest, largest = _SPACINGS
        super().__init__(
            VOLUME,
            expected=f"voxels of {smallest:g} to {largest:g} mm",
            found=" x ".join(f"{spacing:.4g}" for spacing in spacings),
            remedy="is the voxel size right? correct it",
        )


class HeadSizeError(OasisGanError):
    """A volume holds something larger than any head.

    Args:
        samples: Its size along each axis, mm.
    """

    def __init__(self, samples: Sequence[int]) -> None:
        super().__init__(
            VOLUME,
            expected=f"a head of at most {_MAX_VOXELS / 1e6:.1f} litres",
            found=f"{' x '.join(map(str, samples))} mm",
            remedy="is the voxel size right? correct it, or crop",
        )


@dataclass(frozen=True, eq=False)
class ConformedAxis:
    """How one axis of a volume lies on the conformed grid.

    Args:
        head: The voxels of the volume from the first to the last that is no background.
        there: The matrix (conformed voxels, voxels of the head) of linear interpolation; None where
            voxels are moved whole.
        back: The matrix (voxels of the head, conformed voxels); None likewise.
        samples: How many conformed voxels the head becomes.
    """

    head: slice
    there: Floats | None
    back: Floats | None
    samples: int

    @classmethod
    def around(cls, occupied: NDArray[np.bool_], spacing: float) -> ConformedAxis:
        """Lay out an axis.

        Args:
            occupied: Which of its voxels hold something else than background.
            spacing: Between voxels, mm.
        """
        head = _find_extent(occupied)
        length = head.stop - head.start
        if abs(spacing - 1) < _SAME_SPACING:
            return cls(head=head, there=None, back=None, samples=length)
        samples = max(1, round(length * spacing))
        return cls(
            head=head,
            there=_weights_there(length, spacing, samples),
            back=_weights_back(length, spacing, samples),
            samples=samples,
        )


@dataclass(frozen=True, eq=False)
class ConformedGrid:
    """The conformed grid that a volume has, cropped to its head.

    Args:
        geometry: The grid of the volume.
        axes: To the left, to the feet and to the front.
    """

    geometry: Geometry
    axes: tuple[ConformedAxis, ...]

    @classmethod
    def around(cls, support: Mask, geometry: Geometry) -> ConformedGrid:
        """Return the grid for a volume.

        Args:
            support: Where there is something else than background.
            geometry: Where the voxels lie.

        Raises:
            VoxelSizeError: If voxels have a size that no scan has.
            HeadSizeError: If the head is larger than any.
        """
        turned = orientations.apply_orientation(support, _to_conformed(geometry))
        spacings = [geometry.spacing[axis] for axis in _conformed_order(geometry)]
        smallest, largest = _SPACINGS
        if min(spacings) < smallest or max(spacings) > largest:
            raise VoxelSizeError(spacings)
        axes = []
        for axis, spacing in enumerate(spacings):
            others = tuple(other for other in range(3) if other != axis)
            axes.append(ConformedAxis.around(turned.any(axis=others), spacing))
        samples = [axis.samples for axis in axes]
        if math.prod(samples) > _MAX_VOXELS:
            raise HeadSizeError(samples)
        return cls(geometry, tuple(axes))

    @property
    def resamples(self) -> bool:
        """Whether voxels are not 1 mm apart, so that labels come back as probabilities."""
        return any(axis.there is not None for axis in self.axes)

    def conform(self, voxels: Floats) -> Floats:
        """Return the head in a volume, on the conformed grid."""
        turned = orientations.apply_orientation(voxels, _to_conformed(self.geometry))
        head = turned[self._head].astype(np.float32)
        return _along_all(head, [axis.there for axis in self.axes])

    def restore(self, labels: Labels) -> Labels:
        """Return labels of the head in the volume, if its voxels are 1 mm apart.

        Outside the head there is background.
        """
        shape = [self.geometry.shape[axis] for axis in _conformed_order(self.geometry)]
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
        back = [axis.back for axis in self.axes]
        # One label after the other: all of them at once need too much memory.
        for label in range(probabilities.shape[-1]):
            probability = _along_all(probabilities[..., label], back)
            higher = probability > highest
            highest[higher] = probability[higher]
            likeliest[higher] = label
        return self.restore(likeliest)

    @property
    def _head(self) -> tuple[slice, ...]:
        return tuple(axis.head for axis in self.axes)


def _find_extent(occupied: NDArray[np.bool_]) -> slice:
    """Return the range from the first occupied voxel to the last; one voxel if none is."""
    inside = np.flatnonzero(occupied)
    if inside.size == 0:
        return slice(0, 1)
    return slice(int(inside[0]), int(inside[-1]) + 1)


def _to_conformed(geometry: Geometry) -> NDArray[Any]:
    own = orientations.io_orientation(geometry.affine)
    conformed = orientations.axcodes2ornt(_AXES)
    return np.asarray(orientations.ornt_transform(own, conformed))


def _from_conformed(geometry: Geometry) -> NDArray[Any]:
    own = orientations.io_orientation(geometry.affine)
    conformed = orientations.axcodes2ornt(_AXES)
    return np.asarray(orientations.ornt_transform(conformed, own))


def _conformed_order(geometry: Geometry) -> list[int]:
    """Return which axis of the volume each axis of the conformed grid is."""
    return [int(axis) for axis in _to_conformed(geometry)[:, 0].argsort()]


def _weights_there(length: int, spacing: float, samples: int) -> Floats:
    """Return the matrix that samples an axis every millimetre, symmetrically around its middle."""
    middle = (length - 1) / 2
    positions = middle + _offsets(samples) / spacing
    # Where voxels become more than twice as large, each is a mean of what lies in it.
    return make_interpolation_matrix(positions, length, widen=max(1.0, 0.5 / spacing))


def _weights_back(length: int, spacing: float, samples: int) -> Floats:
    """Return the matrix that samples the conformed axis at the voxels of the volume."""
    middle = (samples - 1) / 2
    positions = middle + _offsets(length) * spacing
    return make_interpolation_matrix(positions, samples, widen=max(1.0, spacing / 2))


def _offsets(count: int) -> NDArray[np.float64]:
    """Return how far each of ``count`` samples lies from their middle."""
    return np.arange(count, dtype=np.float64) - (count - 1) / 2


def _along_all(voxels: Floats, matrices: Sequence[Floats | None]) -> Floats:
    """Apply a matrix along each axis."""
    for axis, matrix in enumerate(matrices):
        if matrix is None:
            continue
        product = np.tensordot(matrix, voxels, (1, axis))
        voxels = np.moveaxis(product, 0, axis)
    return voxels
