"""What the headers give away: forms at odds, places where no head is, mates that lie elsewhere or are mirrored."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from nibabel import quaternions

from ..errors import OasisGanError
from ..image.axis_order import is_turned_over
from ..image.volume import Affine, Geometry, SpatialHeader
from .findings import Finding, Verdict

ANGLE = 0.1
"""Degrees between sform and qform that rounding cannot explain."""
APART_MM, APART_SHARE = 0.1, 1e-3
"""How far they may put a corner apart: so many mm, and this share of the diagonal, which rounded quaternions take."""
SMALLEST_MM, LARGEST_MM = 0.01, 20.0
"""Voxels of other sizes are rarely meant."""
FARTHEST_MM = 1000.0
"""A scanner's bore is shorter: nothing in it lies farther from its middle."""


def check_place(geometry: Geometry) -> Iterator[Finding]:
    """Look at the size of voxels, and at where they are."""
    spacing = " x ".join(f"{size:.3g}" for size in geometry.spacing)
    if not all(SMALLEST_MM <= size <= LARGEST_MM for size in geometry.spacing):
        yield Finding(Verdict.WARN, f"voxels of {spacing} mm: is the unit right?")
    nearest = float(np.linalg.norm(_corners(geometry), axis=0).min())
    if nearest > FARTHEST_MM:
        yield Finding(
            Verdict.WARN, f"it lies {nearest / 1000:.3g} m from the middle of the scanner"
        )
    if geometry.header is not None:
        yield from _check_forms(geometry, geometry.header)


def check_mates(source: Geometry, target: Geometry, where: object) -> Iterator[Finding]:
    """Look whether two volumes lie on one grid; where they do not, say in what they differ."""
    try:
        source.require_same_grid(target, where)
    except OasisGanError as error:
        hint = ""
        if is_turned_over(source, target):
            hint = f": left and right are turned over, {source.orientation} against {target.orientation}"
        elif source.orientation != target.orientation:
            hint = f": axes run to {source.orientation} here, to {target.orientation} there"
        yield Finding(Verdict.REJECT, f"{error}{hint}")


def _check_forms(geometry: Geometry, header: SpatialHeader) -> Iterator[Finding]:
    """Compare sform and qform of a NIfTI header: ITK goes by the one, nibabel by the other."""
    qform = _qform(header)
    if qform is None or min(header.sform_code, header.qform_code) <= 0:
        return
    sform = np.vstack([np.array(header.srow), [0, 0, 0, 1]])
    scale = abs(np.linalg.det(geometry.affine[:3, :3]) / np.linalg.det(sform[:3, :3])) ** (1 / 3)
    angle = _angle(sform, qform)
    corners = _indices(geometry)
    apart = scale * float(np.linalg.norm(((sform - qform) @ corners)[:3], axis=0).max())
    figures = {"forms_angle": round(angle, 4), "forms_mm": round(apart, 4)}
    diagonal = float(np.linalg.norm(np.array(geometry.shape) * geometry.spacing))
    if angle > ANGLE or apart > APART_MM + APART_SHARE * diagonal:
        message = f"sform and qform are at odds: {angle:.3g} degrees, up to {apart:.3g} mm; the sform is used"
        yield Finding(Verdict.WARN, message, figures)
    else:
        yield Finding(Verdict.ACCEPT, figures=figures)


def _qform(header: SpatialHeader) -> Affine | None:
    """Return the affine of quaternion, offset and voxel sizes, or None where they make none."""
    qfac = -1.0 if header.pixdim[0] < 0 else 1.0
    sizes = np.abs(header.pixdim[1:]) * (1, 1, qfac)
    try:
        rotation = quaternions.quat2mat(quaternions.fillpositive(header.quatern, w2_thresh=-1e-6))
    except ValueError:
        return None
    affine = np.eye(4)
    affine[:3, :3] = rotation * sizes
    affine[:3, 3] = header.qoffset
    return affine if np.isfinite(affine).all() and (sizes != 0).all() else None


def _angle(one: Affine, other: Affine) -> float:
    """Return the largest angle between the axes of two affines, in degrees."""
    ours, theirs = (
        affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0) for affine in (one, other)
    )
    # By the chord: the arc cosine of what is nearly 1 is no better than 0.02 degrees.
    chords = np.linalg.norm(ours - theirs, axis=0) / 2
    return float(np.degrees(2 * np.arcsin(np.clip(chords, 0, 1))).max())


def _indices(geometry: Geometry) -> Affine:
    """Return the voxel indices of the eight corners, (4, 8)."""
    return np.array(np.meshgrid(*((0, n - 1) for n in geometry.shape), [1], indexing="ij")).reshape(
        4, -1
    )


def _corners(geometry: Geometry) -> Affine:
    """Return where the eight corners are, (3, 8) mm."""
    return np.asarray((geometry.affine @ _indices(geometry))[:3])
