"""Checking and cleaning a volume as it enters: is it one, what does it hold, which of its voxels are no number.

`oasis_gan.plugin.datasets.Scan.read` does this once, so that nothing behind it has to.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .content import find_background, guess_content, is_background
from .errors import LabelsNotFiniteError, NotFiniteError, NoVolumeError
from .regions import contacts, outer_faces, reached_from_the_faces
from .volume import CleanVolume, Content, Mask, RepairNote, Volume

_REGION = 1e-3  # of the volume: fewer NaN around a head are no background that somebody filled in
_TOUCHING = 0.25  # of the neighbours of such a region, at most, are voxels of the head


def require_volume(answer: object, where: object, plugin: str) -> Volume:
    """Return what a reader gave, once it is known to be a 3-D volume of numbers that lies somewhere.

    Args:
        answer: What the reader returned.
        where: The file that it read.
        plugin: The name of the reader, for the error.

    Raises:
        OasisGanError: If it is anything else.
    """
    if isinstance(answer, Volume):
        found = _fault(answer.voxels, answer.geometry.affine)
        if not found:
            return answer
    else:
        found = "nothing" if answer is None else f"an object of type {type(answer).__name__}"
    raise NoVolumeError(where, found, plugin)


def _fault(voxels: object, affine: object) -> str:
    """Return what is wrong with the arrays of a volume; empty if nothing is."""
    if not isinstance(voxels, np.ndarray):
        return f"voxels of type {type(voxels).__name__}"
    if voxels.ndim != 3 or not voxels.size:
        return f"voxels of shape {voxels.shape}"
    if voxels.dtype.kind not in "iuf":
        return f"voxels of type {voxels.dtype}"
    if not isinstance(affine, np.ndarray) or affine.shape != (4, 4):
        return "an affine that is no 4x4 array"
    if not np.isfinite(affine).all() or np.linalg.det(affine) == 0:
        return "an affine that gives voxels no place"
    return ""


def clean(volume: Volume, where: object, content: Content | None = None) -> CleanVolume:
    """Return a volume of finite voxels with background 0 that says whether it holds labels or an image.

    Voxels that are NaN or infinite become background, and a note says so. Within a label map they are refused: nobody
    knows which label they were. Where the background of an image is another constant than 0, intensities are counted
    from it, so that no voxel of the head becomes background. A volume that has been cleaned already is returned as it
    is.

    Args:
        volume: As it was read.
        where: What to call it in an error.
        content: What it holds; judged by its values if not given.

    Raises:
        OasisGanError: If no voxel is finite, or one within a label map is not.
    """
    if isinstance(volume, CleanVolume) and content in (None, volume.content):
        return volume
    if content is None:
        content = guess_content(volume.voxels)
    background = find_background(volume.voxels) if content == "image" else 0.0
    volume = _with_finite_voxels(volume, where, content, background)
    if background:
        volume = _counted_from(volume, background)
    return CleanVolume(volume.voxels, volume.geometry, volume.notes, content)


def _counted_from(volume: Volume, background: float) -> Volume:
    """Return an image whose background has become 0, by subtracting it from all voxels."""
    voxels = volume.voxels
    if voxels.dtype.kind in "iu":
        shifted = voxels.astype(np.float64) - background
        if np.abs(shifted).max() <= np.iinfo(np.int32).max:
            shifted = shifted.astype(np.int32)
    else:
        shifted = voxels - voxels.dtype.type(background)
        shifted[is_background(voxels, background)] = 0
    note = RepairNote(f"the background is {background:g}: intensities are counted from it")
    return replace(volume, voxels=shifted, notes=(*volume.notes, note))


def _with_finite_voxels(
    volume: Volume, where: object, content: Content, background: float
) -> Volume:
    """Return a volume whose voxels that are no number have become background, with a note."""
    if volume.voxels.dtype.kind in "iu":
        return volume
    finite = np.isfinite(volume.voxels)
    count = finite.size - int(np.count_nonzero(finite))
    if count == 0:
        return volume
    if count == finite.size:
        raise NotFiniteError(where)
    if _fills_the_outside(~finite, is_background(volume.voxels, background)):
        note: str = RepairNote(
            f"{count} voxels around the head are not finite: they are taken as background"
        )
    elif content == "labels":
        value = volume.voxels[~finite][0]
        raise LabelsNotFiniteError(where, value, count)
    else:
        note = f"{count} voxels are not finite: they are taken as background"
    return replace(
        volume,
        voxels=np.where(finite, volume.voxels, volume.voxels.dtype.type(background)),
        notes=(*volume.notes, note),
    )


def _fills_the_outside(strange: Mask, empty: Mask) -> bool:
    """Whether all voxels that are not finite are background that somebody filled in.

    SPM writes NaN where there is no brain, and resampling does where there are no data. In both cases it lies around
    the head, and is most of the background or far from the head. A tissue that is lost lies beside other tissues.

    Args:
        strange: The voxels that are not finite.
        empty: The voxels of the background.
    """
    if np.count_nonzero(strange) < _REGION * strange.size:
        return False
    if (strange & ~reached_from_the_faces(strange | empty)).any():
        return False
    on_faces = [
        (np.count_nonzero(strange[face]), np.count_nonzero(empty[face]))
        for face in outer_faces(strange.shape)
    ]
    filled, zero = (sum(counts) for counts in zip(*on_faces, strict=True))
    beside_zero, beside_head = (contacts(strange, other) for other in (empty, ~strange & ~empty))
    return filled > zero or beside_head <= _TOUCHING * (beside_head + beside_zero)
