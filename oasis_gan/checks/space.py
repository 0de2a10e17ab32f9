"""Check headers: sform and qform, plausible sizes and positions, and the grids of pairs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from nibabel import quaternions

from ..errors import OasisGanError
from ..image.axis_order import is_flipped_left_right
from ..image.volume import Affine, Geometry, SpatialHeader
from .findings import Finding, Verdict

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
        yield Finding(Verdict.REJECT, f"{error}{_describe_orientations(source, target)}")


def _check_voxel_sizes(geometry: Geometry) -> Iterator[Finding]:
    """Check that voxels have a size that scans of a head can have."""
    if all(SMALLEST_MM <= size <= LARGEST_MM for size in geometry.spacing):
        return
    spacing = " x ".join(f"{size:.3g}" for size in geometry.spacing)
    yield Finding(Verdict.WARN, f"voxels of {spacing} mm: is the unit right?")


def _check_distance(geometry: Geometry) -> Iterator[Finding]:
    """Check that the volume is not far from the centre of the scanner."""
    distances = np.linalg.norm(_corners(geometry), axis=0)
    nearest = float(distances.min())
    if nearest > FARTHEST_MM:
        message = f"it lies {nearest / 1000:.3g} m from the middle of the scanner"
        yield Finding(Verdict.WARN, message)


def _describe_orientations(source: Geometry, target: Geometry) -> str:
    """Return how the orientations of two volumes differ; nothing if they do not."""
    ours = source.orientation
    theirs = target.orientation
    if is_flipped_left_right(source, target):
        return f": left and right are turned over, {ours} against {theirs}"
    if ours != theirs:
        return f": axes run to {ours} here, to {theirs} there"
    return ""


def _check_forms(geometry: Geometry, header: SpatialHeader) -> Iterator[Finding]:
    """Compare the sform and the qform of a NIfTI header: ITK and nibabel prefer different ones."""
    qform = _qform(header)
    if qform is None or min(header.sform_code, header.qform_code) <= 0:
        return
    sform = np.vstack([np.array(header.srow), [0, 0, 0, 1]])
    angle = _angle(sform, qform)
    apart = _mm_per_unit(geometry, sform) * _distance(sform, qform, geometry)
    figures = {"forms_angle": round(angle, 4), "forms_mm": round(apart, 4)}
    diagonal = float(np.linalg.norm(np.array(geometry.shape) * geometry.spacing))
    if angle <= ANGLE and apart <= APART_MM + APART_SHARE * diagonal:
        yield Finding(Verdict.ACCEPT, figures=figures)
        return
    difference = f"{angle:.3g} degrees, up to {apart:.3g} mm"
    message = f"sform and qform are at odds: {difference}; the sform is used"
    yield Finding(Verdict.WARN, message, figures)


def _mm_per_unit(geometry: Geometry, sform: Affine) -> float:
    """Return the unit of a header in mm; a geometry is in mm, whatever its header is in."""
    volume_ratio = np.linalg.det(geometry.affine[:3, :3]) / np.linalg.det(sform[:3, :3])
    return float(abs(volume_ratio) ** (1 / 3))


def _distance(one: Affine, other: Affine, geometry: Geometry) -> float:
    """Return how far apart two affines place a corner of the grid, at most."""
    differences = (one - other) @ _corner_indices(geometry)
    return float(np.linalg.norm(differences[:3], axis=0).max())


def _qform(header: SpatialHeader) -> Affine | None:
    """Return the affine of quaternion, offset and voxel sizes, or None if they are invalid."""
    qfac = -1.0 if header.pixdim[0] < 0 else 1.0
    sizes = np.abs(header.pixdim[1:]) * (1, 1, qfac)
    try:
        rotation = quaternions.quat2mat(quaternions.fillpositive(header.quatern, w2_thresh=-1e-6))
    except ValueError:
        return None
    affine = np.eye(4)
    affine[:3, :3] = rotation * sizes
    affine[:3, 3] = header.qoffset
    is_valid = np.isfinite(affine).all() and (sizes != 0).all()
    return affine if is_valid else None


def _angle(one: Affine, other: Affine) -> float:
    """Return the largest angle between the axes of two affines, in degrees."""
    directions = one[:3, :3] / np.linalg.norm(one[:3, :3], axis=0)
    other_directions = other[:3, :3] / np.linalg.norm(other[:3, :3], axis=0)
    # From the chord: near 1, an arc cosine is accurate to only 0.02 degrees.
    half_chords = np.linalg.norm(directions - other_directions, axis=0) / 2
    angles = 2 * np.arcsin(np.clip(half_chords, 0, 1))
    return float(np.degrees(angles).max())


def _corner_indices(geometry: Geometry) -> Affine:
    """Return the homogeneous voxel indices of the eight corners, (4, 8)."""
    ends = [(0, size - 1) for size in geometry.shape]
    grid = np.meshgrid(*ends, [1], indexing="ij")
    return np.array(grid).reshape(4, -1)


def _corners(geometry: Geometry) -> Affine:
    """Return the positions of the eight corners, (3, 8) in mm."""
    homogeneous = geometry.affine @ _corner_indices(geometry)
    return np.asarray(homogeneous[:3])
