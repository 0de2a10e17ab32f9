"""Whether the tissues of a head lie as anatomy has it, from a label map alone.

White matter is wrapped in grey matter: it seldom touches cerebrospinal fluid, and seldom the outside. Counted are the
faces between neighbouring voxels. On thirteen heads white matter has .05 faces with fluid or less for one with grey
matter, in blocks of 40 mm at most .5; with two tissues exchanged it is .66 to 240, or white matter touches the outside
five times as often as any other tissue.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .volume import Voxels

SMALLEST = 20_000
"""Fewer voxels with a label are not judged: a head of 4 mm voxels has so many."""
THINNEST = 8
"""Voxels along an axis: thinner volumes are not judged, since a slice through the brain stem is like no other."""
_LEAST_ALIKE = (
    0.42  # of all faces lie between voxels of one tissue: .44 in heads of 5 mm voxels, .33 in noise
)
_MOST_FLUID = 0.55  # faces of white matter with CSF, for one with grey matter
_OUTERMOST = 2.0  # times as often as any other tissue white matter may touch the outside
_MOST_OUTSIDE = 0.01  # of its faces, at most, may touch the outside anyhow
_LEAST_WHITE = 0.1  # of the brain
_WHOLE_BRAIN_ML = 300.0  # from here on a volume is no block out of the middle, or out of the rim

Tissues = tuple[int, int, int]
"""The values of CSF, GM and WM."""


@dataclass(frozen=True, eq=False)
class TissueContacts:
    """How often voxels of each value have which neighbours, and how many there are.

    Args:
        faces: (4, 4), faces between voxels of two values from 0 to 3; both orders hold the same.
        counts: (4,) voxels of each value.
        voxel_ml: The volume of a voxel.
    """

    faces: NDArray[np.int64]
    counts: NDArray[np.int64]
    voxel_ml: float

    @property
    def labelled(self) -> int:
        """How many voxels have a label."""
        return int(self.counts[1:].sum())

    def outside(self, value: int) -> float:
        """Return the share of a value's faces that touch the background."""
        return float(self.faces[value, 0] / max(1, self.faces[value].sum()))

    def find_contradiction(self, tissues: Tissues) -> str:
        """Return what contradicts anatomy if the values are these tissues; empty if nothing does."""
        csf, gm, wm = tissues
        if not self.counts[wm]:
            return ""
        outside = self.outside(wm)
        if outside > max(_MOST_OUTSIDE, _OUTERMOST * max(self.outside(csf), self.outside(gm))):
            return "white matter outermost"
        if self.faces[wm, csf] > _MOST_FLUID * self.faces[wm, gm]:
            return "white matter in fluid instead of grey matter"
        share = self.counts[wm] / self.labelled
        if share < _LEAST_WHITE and self.labelled * self.voxel_ml > _WHOLE_BRAIN_ML:
            return f"only {share:.0%} white matter"
        return ""

    def is_wrapped(self, inner: int, outer: int) -> bool:
        """Whether one value clearly lies within another."""
        return self.outside(outer) > max(_MOST_OUTSIDE, _OUTERMOST * self.outside(inner))


def count_contacts(voxels: Voxels, voxel_mm3: float) -> TissueContacts | None:
    """Count the contacts of a label map of the values 0 to 3; None where it is too small or too thin to be judged."""
    occupied = [np.flatnonzero(voxels.any(axis=others)) for others in ((1, 2), (0, 2), (0, 1))]
    if min(map(len, occupied)) == 0:
        return None
    # With a margin, where there is one: what lies beyond the grid is no background.
    block = tuple(slice(max(0, int(at[0]) - 1), int(at[-1]) + 2) for at in occupied)
    inside = voxels[block].astype(np.uint8)
    counts = np.bincount(inside.reshape(-1), minlength=4)
    if counts[1:].sum() < SMALLEST or min(len(at) for at in occupied) < THINNEST:
        return None
    faces = np.zeros((4, 4), np.int64)
    for axis in range(3):
        along = np.moveaxis(inside, axis, 0)
        pairs = along[:-1] * np.uint8(4) + along[1:]
        faces += np.bincount(pairs.reshape(-1), minlength=16).reshape(4, 4)
    faces += faces.T
    if np.trace(faces[1:, 1:]) < _LEAST_ALIKE * faces[1:].sum():
        return None
    return TissueContacts(faces, counts, voxel_mm3 / 1000)
