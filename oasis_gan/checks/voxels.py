"""What the voxels of one volume give away: emptiness, lost scales, values that are no labels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..errors import OasisGanError
from ..image.canvas import Canvas, require_room
from ..image.choices import Plane
from ..image.label_sets import readable_values
from ..image.labels import LabelSet
from ..image.picture_planes import best_plane, describe_thin, is_no_picture
from ..image.slicing import cut
from ..image.volume import Geometry, Mask, Volume
from .findings import Finding, Verdict

VOID = 0.25
"""A volume is cut off where more than this share of its slices is empty, at one end of an axis, ..."""
ABRUPT = 0.5
"""... and the slice next to them is this full, compared with the fullest: a head tapers, a cut does not."""
_THIN = 8  # voxels


def check_shape(volume: Volume) -> Iterator[Finding]:
    """Look at the number of voxels along the axes."""
    shape = volume.geometry.shape
    second = sorted(shape)[1]
    if second < 2:
        yield Finding(
            Verdict.REJECT, f"{' x '.join(map(str, shape))} voxels: nothing can be sliced"
        )
    elif second < _THIN:
        yield Finding(Verdict.WARN, f"only {' x '.join(map(str, shape))} voxels")


def check_intensities(volume: Volume) -> Iterator[Finding]:
    """Look for voxels that are next to nothing."""
    largest = float(np.abs(volume.voxels).max())
    if 0 < largest < np.finfo(np.float32).tiny:
        yield Finding(
            Verdict.WARN,
            f"intensities are denormal numbers, {largest:.2g} at most: was the scale lost?",
        )


def check_labels(volume: Volume, labels: LabelSet, where: object) -> Iterator[Finding]:
    """Look for values that are no labels, and for labels that are no whole numbers."""
    try:
        clean = readable_values(labels).clean(volume, where)
    except OasisGanError as error:
        yield Finding(Verdict.REJECT, str(error))
        return
    if volume.voxels.dtype.kind not in "iu":
        off = float(np.abs(volume.voxels - clean.voxels).max())
        if off:
            yield Finding(
                Verdict.WARN,
                f"labels lie up to {off:.2g} off whole numbers: rounded",
                {"label_offset": off},
            )
        else:
            yield Finding(
                Verdict.FIX, f"labels stored as {volume.voxels.dtype}: taken as whole numbers"
            )


def check_picture(geometry: Geometry) -> Iterator[Finding]:
    """Look whether axial slices, as most models cut them, are pictures, or rows of few pixels."""
    if is_no_picture(geometry, Plane.AXIAL):
        plane = best_plane(geometry)
        yield Finding(
            Verdict.WARN, f"{describe_thin(geometry)}: a picture in the {plane} plane alone"
        )


def check_room(volume: Volume, where: object) -> Iterator[Finding]:
    """Look whether axial slices would fit onto a canvas of 1 mm, as most models have; a head does."""
    stack = cut(volume.voxels != 0, volume.geometry, Plane.AXIAL)
    try:
        require_room(stack.slices, stack.spacing, Canvas(1.0, 1, 1), where)
    except OasisGanError as error:
        yield Finding(Verdict.REJECT, str(error))


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
    ends = ((first, first), (slices - 1 - last, last))
    voids = [
        void for void, edge in ends if void > VOID * slices and area[edge] > ABRUPT * area.max()
    ]
    if voids:
        where = (
            f"at both ends of axis {'ijk'[axis]}"
            if len(voids) == 2
            else f"along axis {'ijk'[axis]}"
        )
        message = f"cut off {where}: {' and '.join(map(str, voids))} of {slices} slices are empty"
        yield Finding(Verdict.WARN, message, {"empty_slices": sum(voids)})
