"""Check headers: sform and qform, plausible sizes and positions, and the grids of pairs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from nibabel import quaternions

from ..errors import OasisGanError
from ..image.axis_order import is_flipped_left_right
from ..image.volume import Affine, Geometry, SpatialHeader
from .findings import Figures, Finding, accept, reject, warn

ANGLE = 0.1
"""Rounding explains smaller angles between sform and qform, in degrees."""
APART_MM = 0.1
"""sform and qform may place a corner this many mm apart, ..."""
APART_SHARE = 1e-3
"""... plus this share of the diagonal, because quaternions are rounded."""
SMALLEST_MM = 0.01
"""Smaller voxels are usually a mistake."""
LARGEST_MM = 20.0
"""Larger voxels are usually a mistake."""
FARTHEST_MM = 1000.0
"""Nothing in a scanner is farther from its centre: the bore is shorter."""
_ROUNDED_W2 = -1e-6  # rounding makes the square of the real part no smaller than this


def check_place(geometry: Geometry) -> Iterator[Finding]:
    """Check the size and the position of the voxels."""
    yield from _check_voxel_sizes(geometry)
    yield from _check_distance(geometry)
    if geometry.header is not None:
        yield from _check_forms(geometry, geometry.header)


def check_same_grid(source: Geometry, target: Geometry, where: object) -> Iterator[Finding]:
    """Check that two volumes are on the same grid, and say how they differ if they are not."""
    try:
        source.require_same_grid(target, where)
    except OasisGanError as error:
        difference = _compare_orientations(source, target)
        yield reject(f"{error}{difference}")


def _check_voxel_sizes(geometry: Geometry) -> Iterator[Finding]:
    """Check that voxels have a size that scans of a head can have."""
    if all(SMALLEST_MM <= size <= LARGEST_MM for size in geometry.spacing):
        return
    spacing = " x ".join(f"{size:.3g}" for size in geometry.spacing)
    yield warn(f"voxels of {spacing} mm: is the unit right?")


def _check_distance(geometry: Geometry) -> Iterator[Finding]:
    """Check that the volume is not far from the centre of the scanner."""
    corners = geometry.affine @ geometry.corners
    distances = _measure_columns(corners[:3])
    nearest = float(distances.min())
    if nearest > FARTHEST_MM:
        yield warn(f"it lies {nearest / 1000:.3g} m from the middle of the scanner")


def _compare_orientations(source: Geometry, target: Geometry) -> str:
    """Return how the orientations of two volumes differ; nothing if they do not."""
    here = source.orientation
    there = target.orientation
    if is_flipped_left_right(source, target):
        return f": left and right are swapped, {here} against {there}"
    if here != there:
        return f": axes run to {here} here, to {there} there"
    return ""


def _check_forms(geometry: Geometry, header: SpatialHeader) -> Iterator[Finding]:
    """Compare the sform and the qform of a NIfTI header: ITK and nibabel prefer different ones."""
    difference = _compare_forms(geometry, header)
    if difference is None:
        return
    figures = difference.figures
    tolerance_mm = APART_MM + APART_SHARE * _measure_diagonal(geometry)
    if difference.degrees <= ANGLE and difference.millimetres <= tolerance_mm:
        yield accept(**figures)
    else:
        yield warn(f"sform and qform disagree: {difference}; the sform is used", **figures)


@dataclass(frozen=True)
class _FormDifference:
    """How the qform of a header differs from its sform.

    Args:
        degrees: The largest angle between their axes.
        millimetres: How far apart they place a corner of the grid, at most.
    """

    degrees: float
    millimetres: float

    def __str__(self) -> str:
        return f"{self.degrees:.3g} degrees, up to {self.millimetres:.3g} mm"

    @property
    def figures(self) -> Figures:
        """Return the measured values, rounded."""
        return {
            "forms_angle": round(self.degrees, 4),
            "forms_mm": round(self.millimetres, 4),
        }


def _compare_forms(geometry: Geometry, header: SpatialHeader) -> _FormDifference | None:
    """Measure how the forms of a header differ, or return None unless it has two valid ones."""
    has_both = header.sform_code > 0 and header.qform_code > 0
    qform = _compute_qform(header)
    if qform is None or not has_both:
        return None
    sform = np.vstack([header.srow, (0, 0, 0, 1)])
    unit = _measure_unit(geometry, sform)
    distance = _measure_distance(sform, qform, geometry)
    return _FormDifference(
        degrees=_measure_angle(sform, qform),
        millimetres=unit * distance,
    )


def _measure_unit(geometry: Geometry, sform: Affine) -> float:
    """Return the unit of a header in mm; a geometry is in mm, whatever its header is in."""
    cubic_mm = np.linalg.det(geometry.axes)
    cubic_units = np.linalg.det(sform[:3, :3])
    cubed = abs(cubic_mm / cubic_units)
    return float(cubed ** (1 / 3))


def _measure_diagonal(geometry: Geometry) -> float:
    """Return the length of the diagonal of a volume in mm."""
    size_mm = np.array(geometry.shape) * geometry.spacing
    return float(np.linalg.norm(size_mm))


def _measure_distance(one: Affine, other: Affine, geometry: Geometry) -> float:
    """Return how far apart two affines place a corner of the grid, at most."""
    differences = (one - other) @ geometry.corners
    distances = _measure_columns(differences[:3])
    return float(distances.max())


def _measure_angle(one: Affine, other: Affine) -> float:
    """Return the largest angle between the axes of two affines, in degrees."""
    # From the chord: near 1, an arc cosine is accurate to only 0.02 degrees.
    chords = _find_directions(one) - _find_directions(other)
    half_chords = _measure_columns(chords) / 2
    half_angles = np.arcsin(np.clip(half_chords, 0, 1))
    degrees = np.degrees(2 * half_angles)
    return float(degrees.max())


def _find_directions(affine: Affine) -> Affine:
    """Return unit vectors along the axes of an affine, as the columns of (3, 3)."""
    axes = affine[:3, :3]
    return np.asarray(axes / _measure_columns(axes))


def _measure_columns(vectors: Affine) -> Affine:
    """Return the length of each vector in the columns of an array."""
    return np.asarray(np.linalg.norm(vectors, axis=0))


def _compute_qform(header: SpatialHeader) -> Affine | None:
    """Return the affine of quaternion, offset and voxel sizes, or None if they are invalid."""
    # The first of pixdim is no size: its sign is the direction of the third axis.
    qfac = -1.0 if header.pixdim[0] < 0 else 1.0
    directions = (1, 1, qfac)
    sizes = np.abs(header.pixdim[1:]) * directions
    try:
        quaternion = quaternions.fillpositive(header.quatern, _ROUNDED_W2)
    except ValueError:
        return None
    rotation = quaternions.quat2mat(quaternion)
    affine = np.eye(4)
    affine[:3, :3] = rotation * sizes
    affine[:3, 3] = header.qoffset
    is_valid = np.isfinite(affine).all() and sizes.all()
    return affine if is_valid else None
