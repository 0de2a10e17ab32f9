"""What the voxels of one volume give away: emptiness, numbers that are none, values that are no labels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..errors import OasisGanError
from ..labels import LabelSet
from ..volume import Mask, Volume, Voxels
from .findings import Finding, Verdict

VOID = 0.25
"""A volume is cut off where more than this share of its slices is empty, at one end of an axis, ..."""
ABRUPT = 0.5
"""... and the slice next to them is this full, compared with the fullest: a head tapers, a cut does not."""
_MOST_LABELS, _FEW, _SHARE = 100, 8, 0.65  # values; the commonest of them, and how much they make up of a label map
_SAMPLE = 2**20  # voxels that are looked at to tell a label map from an MRI
_THIN = 8  # voxels


def looks_like_labels(voxels: Voxels) -> bool:
    """Whether voxels take few values, or mostly a few: those of a label map, even one resampled linearly."""
    sample = voxels.reshape(-1)[:: max(1, voxels.size // _SAMPLE)]
    sample = finite(sample)
    _, counts = np.unique(sample[sample != 0], return_counts=True)
    few = np.sort(counts)[-_FEW:].sum()
    return bool(0 < len(counts) <= _MOST_LABELS or few > _SHARE * counts.sum())


def check_shape(volume: Volume) -> Iterator[Finding]:
    """Look at the number of voxels along the axes."""
    shape = volume.geometry.shape
    second = sorted(shape)[1]
    if second < 2:
        yield Finding(Verdict.REJECT, f"{' x '.join(map(str, shape))} voxels: nothing can be sliced")
    elif second < _THIN:
        yield Finding(Verdict.WARN, f"only {' x '.join(map(str, shape))} voxels")


def check_intensities(volume: Volume) -> Iterator[Finding]:
    """Look for voxels that are no number, or next to nothing."""
    strange = volume.voxels.size - int(np.count_nonzero(np.isfinite(volume.voxels)))
    if strange == volume.voxels.size:
        yield Finding(Verdict.REJECT, "expected finite voxels, found none; export it again", {"not_finite": strange})
        return
    if strange:
        message = f"{strange} voxels are not finite: they are taken as background"
        yield Finding(Verdict.WARN, message, {"not_finite": strange})
    largest = float(np.abs(finite(volume.voxels)).max())
    if 0 < largest < np.finfo(np.float32).tiny:
        yield Finding(Verdict.WARN, f"intensities are denormal numbers, {largest:.2g} at most: was the scale lost?")


def check_labels(volume: Volume, labels: LabelSet, where: object) -> Iterator[Finding]:
    """Look for values that are no labels, and for labels that are no whole numbers."""
    try:
        clean = labels.clean(volume, where)
    except OasisGanError as error:
        yield Finding(Verdict.REJECT, str(error))
        return
    if volume.voxels.dtype.kind not in "iu":
        off = float(np.abs(volume.voxels - clean.voxels).max())
        if off:
            yield Finding(Verdict.WARN, f"labels lie up to {off:.2g} off whole numbers: rounded", {"label_offset": off})
        else:
            yield Finding(Verdict.FIX, f"labels stored as {volume.voxels.dtype}: taken as whole numbers")


def check_emptiness(occupied: Mask) -> Iterator[Finding]:
    """Look for an empty volume, one that ends where no head does, and empty slices inside.

    Args:
        occupied: Where there is something else than background.
    """
    if not occupied.any():
        yield Finding(Verdict.WARN, "nothing but background", {"occupied": 0.0})
        return
    yield Finding(Verdict.ACCEPT, figures={"occupied": round(float(occupied.mean()), 4)})
    for axis in range(3):
        # Slices of a thin volume say nothing about a head.
        if occupied.shape[axis] >= _THIN:
            yield from _ends(occupied, axis)


def _ends(occupied: Mask, axis: int) -> Iterator[Finding]:
    area = np.count_nonzero(occupied, axis=tuple(other for other in range(3) if other != axis))
    full = np.flatnonzero(area)
    first, last, slices = int(full[0]), int(full[-1]), len(area)
    gaps = last - first + 1 - len(full)
    if gaps:
        yield Finding(Verdict.WARN, f"{gaps} empty slices inside, along axis {'ijk'[axis]}")
    for void, edge in ((first, first), (slices - 1 - last, last)):
        if void > VOID * slices and area[edge] > ABRUPT * area.max():
            message = f"cut off along axis {'ijk'[axis]}: {void} of {slices} slices are empty"
            yield Finding(Verdict.WARN, message, {"empty_slices": void})


def finite(voxels: Voxels) -> Voxels:
    """Return voxels with 0 for those that are no number."""
    return voxels if voxels.dtype.kind in "iu" else np.where(np.isfinite(voxels), voxels, 0)
