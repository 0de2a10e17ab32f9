"""Check by a label map alone whether the tissues of a head lie as in anatomy.

White matter is wrapped in grey matter: it seldom touches cerebrospinal fluid, and seldom the
outside. The check counts faces between neighbouring voxels. On thirteen heads, white matter has at
most .05 faces with fluid for each with grey matter, and at most .5 in blocks of 40 mm. If two
tissues are exchanged, it has .66 to 240, or touches the outside five times as often as any other
tissue.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .volume import Voxels

_MIN_VOXELS = 20_000  # with a label: a head of 4 mm voxels has so many
_MIN_THICKNESS = 8  # voxels: a slice through the brain stem is like no other
# Share of all faces that lie between voxels of one tissue: .44 in heads of 5 mm voxels, and .33 in
# noise.
_MIN_ALIKE = 0.42
_MAX_FLUID = 0.55  # faces of white matter with CSF, for each with grey matter
_MAX_OUTERMOST = 2.0  # times as often as any other tissue white matter may touch the outside
_MAX_OUTSIDE = 0.01  # share of its faces that may touch the outside anyhow
_MIN_WHITE = 0.1  # share of the brain
_WHOLE_BRAIN_ML = 300.0  # a larger volume is no block out of the middle, or out of the rim

Tissues = tuple[int, int, int]
"""The values of CSF, GM and WM."""
Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TissueContacts:
    """How often voxels of each value from 0 to 3 touch each other, and how many there are.

    Args:
        faces: The number of faces between voxels of two values: (4, 4), symmetric.
        counts: The number of voxels of each value: (4,).
        voxel_ml: The volume of a voxel.
    """

    faces: Counts
    counts: Counts
    voxel_ml: float

    @property
    def labelled_voxels(self) -> int:
        """Return the number of voxels with a label."""
        return int(self.counts[1:].sum())

    @property
    def holds_whole_brain(self) -> bool:
        """Return whether the voxels with a label are too many for a block out of a brain."""
        return self.labelled_voxels * self.voxel_ml > _WHOLE_BRAIN_ML

    @property
    def is_noise(self) -> bool:
        """Return whether few neighbours with a label have the same one."""
        labelled = self.faces[1:]
        alike = np.trace(labelled[:, 1:])
        return bool(alike < _MIN_ALIKE * labelled.sum())

    def share_outside(self, value: int) -> float:
        """Return the share of the faces of a value that touch the background."""
        row = self.faces[value]
        return float(row[0] / max(1, row.sum()))

    def is_wrapped(self, inner: int, outer: int) -> bool:
        """Return whether one value clearly lies within another."""
        tolerated = _MAX_OUTERMOST * self.share_outside(inner)
        return self.share_outside(outer) > max(_MAX_OUTSIDE, tolerated)

    def find_contradiction(self, tissues: Tissues) -> str:
        """Return what contradicts anatomy if the values are these tissues, or an empty text."""
        csf, gm, wm = tissues
        if not self.counts[wm]:
            return ""
        if self.is_wrapped(csf, wm) and self.is_wrapped(gm, wm):
            return "white matter outermost"
        if self.faces[wm, csf] > _MAX_FLUID * self.faces[wm, gm]:
            return "white matter in fluid instead of grey matter"
        share = self.counts[wm] / self.labelled_voxels
        if share < _MIN_WHITE and self.holds_whole_brain:
            return f"only {share:.0%} white matter"
        return ""


def count_tissue_contacts(voxels: Voxels, voxel_mm3: float) -> TissueContacts | None:
    """Count which values touch each other in a label map of the values 0 to 3.

    The answer is None if the map is too small or too thin to be judged, or holds noise.
    """
    block = []
    for other_axes in ((1, 2), (0, 2), (0, 1)):
        labelled = np.flatnonzero(voxels.any(axis=other_axes))
        if len(labelled) < _MIN_THICKNESS:
            return None
        block.append(_add_margin(labelled))
    head = voxels[tuple(block)].astype(np.uint8)
    counts = np.bincount(head.reshape(-1), minlength=4)
    if counts[1:].sum() < _MIN_VOXELS:
        return None
    faces = _count_faces(head)
    contacts = TissueContacts(faces, counts, voxel_mm3 / 1000)
    return None if contacts.is_noise else contacts


def _add_margin(labelled: NDArray[np.intp]) -> slice:
    """Return the slices from one before the first to one after the last that has a label.

    A margin, if there is one, shows what touches the outside. Nothing is known beyond the grid.
    """
    first = labelled[0]
    last = labelled[-1]
    return slice(max(0, first - 1), last + 2)


def _count_faces(values: NDArray[np.uint8]) -> Counts:
    """Return the number of faces between voxels of two values: (4, 4), symmetric."""
    faces = np.zeros((4, 4), np.int64)
    for axis in range(3):
        along = np.moveaxis(values, axis, 0)
        # The number of a pair is that of its place in the array of 4 x 4.
        pairs = along[:-1] * np.uint8(4) + along[1:]
        counts = np.bincount(pairs.reshape(-1), minlength=16)
        faces += counts.reshape(4, 4)
    return faces + faces.T
