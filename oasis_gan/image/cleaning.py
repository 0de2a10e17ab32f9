"""Check and clean a volume as it enters: its type, what it holds, and voxels that are not finite.

`oasis_gan.plugin.datasets.Scan.read` does this once, so that no later step has to.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .content import find_background, guess_content, mark_background
from .errors import LabelsNotFiniteError, NotFiniteError, NoVolumeError
from .regions import count_touching_pairs, count_voxels, find_faces, flood_from_faces
from .volume import CleanVolume, Content, Mask, RepairNote, Volume, Voxels

_MIN_REGION = 1e-3  # share of the volume: smaller regions are not a background
_MAX_HEAD_CONTACT = 0.25  # share of the neighbours of a background that may belong to the head


def require_volume(answer: object, where: object, plugin: str) -> Volume:
    """Return what a reader returned, if it is a 3-D volume of numbers with a usable affine.

    Args:
        answer: What the reader returned.
        where: The file that it read.
        plugin: The name of the reader, for the error.

    Raises:
        OasisGanError: If it is anything else.
    """
    if not isinstance(answer, Volume):
        found = "nothing" if answer is None else f"an object of type {type(answer).__name__}"
        raise NoVolumeError(where, found, plugin)
    # A plugin need not keep to the types that `Volume` declares.
    fault = _find_voxel_fault(answer.voxels) or _find_affine_fault(answer.geometry.affine)
    if fault:
        raise NoVolumeError(where, fault, plugin)
    return answer


def _find_voxel_fault(voxels: object) -> str:
    """Return what is wrong with the voxels of a volume, or an empty text."""
    if not isinstance(voxels, np.ndarray):
        return f"voxels of type {type(voxels).__name__}"
    if voxels.ndim != 3 or not voxels.size:
        return f"voxels of shape {voxels.shape}"
    if voxels.dtype.kind not in "iuf":
        return f"voxels of type {voxels.dtype}"
    return ""


def _find_affine_fault(affine: object) -> str:
    """Return what is wrong with an affine, or an empty text."""
    if not isinstance(affine, np.ndarray) or affine.shape != (4, 4):
        return "an affine that is no 4x4 array"
    if not np.isfinite(affine).all() or np.linalg.det(affine) == 0:
        return "an affine that gives voxels no place"
    return ""


def clean(
    volume: Volume,
    where: object,
    content: Content | None = None,
) -> CleanVolume:
    """Return a volume of finite voxels with background 0, and whether it holds labels or an image.

    Voxels that are NaN or infinite become background, and a note says so. Within a label map they
    are an error, because nobody knows which label they were. If the background of an image is a
    constant other than 0, it is subtracted from all voxels, so that no voxel of the head becomes
    background. A volume that is clean already is returned unchanged.

    Args:
        volume: The volume as it was read.
        where: What to call it in an error.
        content: What it holds; guessed from the values if not given.

    Raises:
        OasisGanError: If no voxel is finite, or one within a label map is not.
    """
    if isinstance(volume, CleanVolume) and content in (None, volume.content):
        return volume
    if content is None:
        content = guess_content(volume.voxels)
    background = find_background(volume.voxels) if content == "image" else 0.0
    volume = _replace_non_finite(volume, where, content, background)
    if background:
        volume = _subtract_background(volume, background)
    return CleanVolume(
        voxels=volume.voxels,
        geometry=volume.geometry,
        notes=volume.notes,
        content=content,
    )


def _subtract_background(volume: Volume, background: float) -> Volume:
    """Return an image whose background has become 0, with a note."""
    voxels = _subtract(volume.voxels, background)
    note = RepairNote(f"the background is {background:g}: it is subtracted from all intensities")
    return replace(volume, voxels=voxels).add_note(note)


def _subtract(voxels: Voxels, background: float) -> Voxels:
    if voxels.dtype.kind in "iu":
        # The difference may exceed the range of the datatype.
        difference = voxels.astype(np.float64) - background
        largest = np.abs(difference).max()
        fits = largest <= np.iinfo(np.int32).max
        return difference.astype(np.int32) if fits else difference
    same_type = voxels.dtype.type(background)
    difference = np.asarray(voxels - same_type)
    # Background that is off by a rounding error becomes exactly 0 too.
    difference[mark_background(voxels, background)] = 0
    return difference


def _replace_non_finite(
    volume: Volume,
    where: object,
    content: Content,
    background: float,
) -> Volume:
    """Return a volume whose voxels that are not finite have become background, with a note."""
    voxels = volume.voxels
    if voxels.dtype.kind in "iu":
        return volume
    not_finite = ~np.isfinite(voxels)
    count = count_voxels(not_finite)
    if count == 0:
        return volume
    if count == not_finite.size:
        raise NotFiniteError(where)
    empty = mark_background(voxels, background)
    if _surrounds_head(not_finite, empty):
        around = f"{count} voxels around the head are not finite"
        note: str = RepairNote(f"{around}: they are taken as background")
    elif content == "labels":
        raise LabelsNotFiniteError(where, voxels[not_finite][0], count)
    else:
        note = f"{count} voxels are not finite: they are taken as background"
    replacement = voxels.dtype.type(background)
    finite = np.where(not_finite, replacement, voxels)
    return replace(volume, voxels=finite).add_note(note)


def _surrounds_head(not_finite: Mask, empty: Mask) -> bool:
    """Return whether all voxels that are not finite belong to the background.

    SPM writes NaN where there is no brain, and resampling does where there are no data. In both
    cases the region lies around the head, and is most of the background or far from the head. A
    tissue that was lost lies beside other tissues.

    Args:
        not_finite: The voxels that are not finite.
        empty: The voxels of the background.
    """
    if count_voxels(not_finite) < _MIN_REGION * not_finite.size:
        return False
    background = not_finite | empty
    around_head = flood_from_faces(background)
    if (not_finite & ~around_head).any():
        return False
    if _count_on_faces(not_finite) > _count_on_faces(empty):
        return True
    beside_empty = count_touching_pairs(not_finite, empty)
    beside_head = count_touching_pairs(not_finite, ~background)
    return beside_head <= _MAX_HEAD_CONTACT * (beside_head + beside_empty)


def _count_on_faces(mask: Mask) -> int:
    """Return the number of voxels on each face, added up: those of an edge count twice."""
    faces = find_faces(mask.shape)
    return sum(count_voxels(mask[face]) for face in faces)
