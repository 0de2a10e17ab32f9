"""Guess what an array holds: labels or an image, and which value is its background.

A guess is needed only where nothing says what a volume holds. The thresholds were chosen on the
T1w, T2w, PD and FLAIR scans, tissue maps and FreeSurfer segmentations of thirteen heads, some with
few grey levels, and on label maps that were resampled linearly.
"""

from __future__ import annotations

import numpy as np

from .regions import count_voxels, find_faces, iter_neighbours, measure_face_shares
from .volume import Content, Mask, Voxels

_SAMPLE = 2**20  # voxels that are enough to tell a label map from an MRI
_MASK_VALUES = 8
_MAX_LABELS = 200
# Shares of pairs of neighbours that have the same value, above which voxels are labels.
_ALIKE = 0.35
_ALIKE_RESAMPLED = 0.15
_FEW_RESAMPLED = 0.3  # share of voxels that have one of the commonest values
_TOLERANCE = 1e-5  # share of the range of intensities by which rounding changes a constant
_MIN_BACKGROUND = 0.1  # share of the volume
_MIN_COHESION = 0.8


def guess_content(voxels: Voxels) -> Content:
    """Return what voxels look like, ignoring the background.

    Most voxels of a label map have the value of their neighbour, even if the map has a hundred
    values or was resampled linearly. Few voxels of an MRI do, even if it has only fifty grey
    levels.
    """
    sample, in_slice = _sample_slices(voxels)
    background = _mark_near(sample, find_background(voxels))
    mask = np.isfinite(sample) & (sample != 0) & ~background
    values, counts = np.unique(sample[mask], return_counts=True)
    if not len(values):
        return "image"
    if len(values) <= _MASK_VALUES:
        return "labels"
    _exclude_noise(sample, mask)
    # The commonest value alone says nothing: where a scanner clips, it is the brightest one.
    commonest = values[np.argmax(counts)]
    mask &= sample != commonest
    alike = _measure_agreement(sample, mask, in_slice)
    if _are_whole(values):
        return "labels" if alike > _ALIKE else "image"
    is_resampled_map = _are_few(values, counts) and alike > _ALIKE_RESAMPLED
    return "labels" if is_resampled_map else "image"


def is_certainly_label_map(voxels: Voxels) -> bool:
    """Return whether voxels can only be labels: few whole values, often equal to neighbours."""
    if guess_content(voxels) == "image":
        return False
    values = np.unique(voxels)
    return len(values) <= _MAX_LABELS and _are_whole(values)


def find_background(voxels: Voxels) -> float:
    """Return the value of the background: 0, or the constant that fills most faces of the volume.

    Such a constant is what z-scoring makes of 0, or the -1024 of a scanner, or a 1 that was added.
    It has to fill a tenth of the volume, and to lie together, because noise around a head is not
    constant.
    """
    value = _find_commonest_median(voxels)
    if value == 0 or not np.isfinite(value):
        return 0.0
    near = _mark_near(voxels, value)
    return value if _fills_background(near) else 0.0


def mark_background(voxels: Voxels, value: float) -> Mask:
    """Return the mask of the voxels that have the value of the background, up to rounding."""
    return voxels == 0 if value == 0 else _mark_near(voxels, value)


def _sample_slices(voxels: Voxels) -> tuple[Voxels, tuple[int, ...]]:
    """Return slices along the longest axis, and the axes along which voxels are neighbours."""
    longest = int(np.argmax(voxels.shape))
    step = max(1, voxels.size // _SAMPLE)
    # Slices are taken whole, so that neighbours in them stay neighbours.
    slices = np.moveaxis(voxels, longest, 0)
    axes = (1, 2) if step > 1 else (0, 1, 2)
    return slices[::step], axes


def _exclude_noise(sample: Voxels, mask: Mask) -> None:
    """Remove voxels darker than half of the mean from the mask, because noise takes few values."""
    sizes = np.abs(sample)
    mean = sizes[mask].mean(dtype=np.float64)
    mask &= sizes > mean / 2


def _are_few(values: Voxels, counts: Voxels) -> bool:
    """Return whether the commonest values of a map that was resampled are those of labels."""
    commonest = np.argsort(counts)[-_MASK_VALUES:]
    share = counts[commonest].sum() / counts.sum()
    if share <= _FEW_RESAMPLED:
        return False
    top_three = values[commonest[-3:]]
    return _are_whole(top_three)


def _find_commonest_median(voxels: Voxels) -> float:
    """Return the median of most faces; the head may be cut off at the others."""
    faces = find_faces(voxels.shape)
    medians = [_measure_median(voxels[face]) for face in faces]

    def rank(median: float) -> tuple[int, bool]:
        same = np.isclose(medians, median, rtol=_TOLERANCE)
        return int(np.count_nonzero(same)), median == 0

    return max(medians, key=rank)


def _measure_median(face: Voxels) -> float:
    """Return the median of a face; voxels that are not finite count as 0."""
    finite = np.where(np.isfinite(face), face, 0)
    return float(np.median(finite))


def _fills_background(near: Mask) -> bool:
    """Return whether the voxels near a value fill the faces and lie together as a background."""
    shares = measure_face_shares(near)
    filled = sum(share >= 0.5 for share in shares)
    if filled < len(shares) / 2:
        return False
    count = count_voxels(near)
    if count == near.size or count < _MIN_BACKGROUND * near.size:
        return False
    return _measure_cohesion(near) >= _MIN_COHESION


def _are_whole(values: Voxels) -> bool:
    whole = np.rint(values)
    return np.allclose(values, whole, rtol=0, atol=1e-4)


def _mark_near(voxels: Voxels, value: float) -> Mask:
    """Return the mask of the voxels that have a value, up to rounding."""
    if voxels.dtype.kind in "iu":
        return np.asarray(voxels == value)
    finite = voxels[np.isfinite(voxels)]
    if not finite.size:
        return np.zeros(voxels.shape, bool)
    lowest = float(finite.min())
    highest = float(finite.max())
    tolerance = _TOLERANCE * (highest - lowest)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(voxels - value) <= tolerance)


def _measure_agreement(
    voxels: Voxels,
    mask: Mask,
    axes: tuple[int, ...],
) -> float:
    """Return the share of pairs of neighbours in a mask that have the same value; 1 if none."""
    pairs = 0
    alike = 0
    for one, other in iter_neighbours(voxels.shape, axes):
        both = mask[one] & mask[other]
        are_equal = voxels[one] == voxels[other]
        pairs += count_voxels(both)
        alike += count_voxels(both & are_equal)
    return alike / pairs if pairs else 1.0


def _measure_cohesion(mask: Mask) -> float:
    """Return the share of pairs of neighbours with a voxel in a mask that have both in it."""
    pairs = 0
    both = 0
    for one, other in iter_neighbours(mask.shape):
        pairs += count_voxels(mask[one] | mask[other])
        both += count_voxels(mask[one] & mask[other])
    return both / pairs if pairs else 1.0
