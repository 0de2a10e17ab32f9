"""What an array looks like: labels or an image, and which value is its background.

Asked only where nobody has said it. The thresholds were chosen on the T1w, T2w, PD and FLAIR scans, tissue maps and
FreeSurfer segmentations of thirteen heads, also with few grey levels, and with label maps resampled linearly.
"""

from __future__ import annotations

import numpy as np

from .regions import iter_neighbours, outer_faces
from .volume import Content, Mask, Voxels

_SAMPLE = 2**20  # voxels that are looked at to tell a label map from an MRI
_MASK_VALUES = 8
_MOST_LABELS = 200
# Shares of neighbours, and of the commonest values.
_ALIKE = 0.35
_ALIKE_RESAMPLED = 0.15
_FEW_RESAMPLED = 0.3
_TOLERANCE = 1e-5  # of the range of intensities: what rounding makes of a constant
_OF_VOLUME = 0.1
_TOGETHER = 0.8


def guess_content(voxels: Voxels) -> Content:
    """Return what voxels look like, leaving the background aside.

    A voxel of a label map has mostly the value of its neighbour, even where there are a hundred values, or where the
    map was resampled linearly; a voxel of an MRI seldom has, even where it has only fifty grey levels.
    """
    axis = int(np.argmax(voxels.shape))
    step = max(1, voxels.size // _SAMPLE)
    # Whole slices, so that neighbours stay neighbours.
    sample = np.moveaxis(voxels, axis, 0)[::step]
    inside = np.isfinite(sample) & (sample != 0) & ~_near(sample, find_background(voxels))
    values, counts = np.unique(sample[inside], return_counts=True)
    if not len(values):
        return "image"
    if len(values) <= _MASK_VALUES:
        return "labels"
    axes = (1, 2) if step > 1 else (0, 1, 2)
    # Noise around a head takes few values: what is darker than half of the mean is left aside.
    inside &= np.abs(sample) > np.abs(sample[inside]).mean(dtype=np.float64) / 2
    # The commonest value alone says nothing: where a scanner clips, it is the brightest one.
    inside &= sample != values[np.argmax(counts)]
    alike = _share_of_like_neighbours(sample, inside, axes)
    if _whole(values):
        return "labels" if alike > _ALIKE else "image"
    # What is common in a map that was resampled are the labels themselves.
    commonest = np.argsort(counts)[-_MASK_VALUES:]
    few = float(counts[commonest].sum() / counts.sum())
    is_map = _whole(values[commonest[-3:]]) and few > _FEW_RESAMPLED and alike > _ALIKE_RESAMPLED
    return "labels" if is_map else "image"


def is_certainly_label_map(voxels: Voxels) -> bool:
    """Whether voxels are surely those of a label map: whole numbers, not too many, and mostly as their neighbours."""
    if guess_content(voxels) == "image":
        return False
    values = np.unique(voxels)
    return len(values) <= _MOST_LABELS and _whole(values)


def find_background(voxels: Voxels) -> float:
    """Return the value of the background: 0, or the constant that fills most faces of the volume.

    Such a constant is what z-scoring makes of 0, a scanner's -1024, or a 1 that somebody added. It has to be a tenth
    of the volume, and lie together: noise around a head is not constant.
    """
    faces = [voxels[face] for face in outer_faces(voxels.shape)]
    medians = [float(np.median(np.where(np.isfinite(face), face, 0))) for face in faces]
    # The same value on most faces; on the others there may be a head that is cut off.
    value = max(
        medians, key=lambda median: (sum(np.isclose(medians, median, rtol=_TOLERANCE)), median == 0)
    )
    if value == 0 or not np.isfinite(value):
        return 0.0
    near = _near(voxels, value)
    shared = sum(
        np.count_nonzero(near[face]) >= near[face].size / 2 for face in outer_faces(voxels.shape)
    )
    if shared < len(faces) / 2 or near.all():
        return 0.0
    if np.count_nonzero(near) < _OF_VOLUME * voxels.size or _togetherness(near) < _TOGETHER:
        return 0.0
    return value


def is_background(voxels: Voxels, value: float) -> Mask:
    """Return where voxels have the value of the background, up to rounding."""
    return voxels == 0 if value == 0 else _near(voxels, value)


def _whole(values: Voxels) -> bool:
    return bool(np.allclose(values, np.rint(values), rtol=0, atol=1e-4))


def _near(voxels: Voxels, value: float) -> Mask:
    if voxels.dtype.kind in "iu":
        return np.asarray(voxels == value)
    finite = voxels[np.isfinite(voxels)]
    if not finite.size:
        return np.zeros(voxels.shape, bool)
    tolerance = _TOLERANCE * (float(finite.max()) - float(finite.min()))
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(voxels - value) <= tolerance)


def _share_of_like_neighbours(voxels: Voxels, inside: Mask, axes: tuple[int, ...]) -> float:
    pairs = alike = 0
    for one, other in iter_neighbours(voxels.shape, axes):
        both = inside[one] & inside[other]
        pairs += int(np.count_nonzero(both))
        alike += int(np.count_nonzero(both & (voxels[one] == voxels[other])))
    return alike / pairs if pairs else 1.0


def _togetherness(mask: Mask) -> float:
    """Return how many neighbours of a voxel in a mask are in it too."""
    pairs = both = 0
    for one, other in iter_neighbours(mask.shape):
        pairs += int(np.count_nonzero(mask[one] | mask[other]))
        both += int(np.count_nonzero(mask[one] & mask[other]))
    return both / pairs if pairs else 1.0
