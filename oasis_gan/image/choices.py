"""Name the choices that a user has.

This module imports none of the code that acts on a choice, so that ``--help`` stays fast.
"""

from __future__ import annotations

from enum import StrEnum

DATATYPES = ("float32", "int16", "uint8")
"""The datatypes of outputs: every program that reads NIfTI, MetaImage or NRRD reads these."""
PRECISIONS = ("float32", "bfloat16", "auto")
"""The precisions of a model's arithmetic; ``auto`` is whichever is fast on the machine."""
MAX_VOXELS = 512**3
"""The most voxels of a volume, unless the user raises the limit.

A header that claims more is probably damaged, and the volume would not fit into memory.
"""


class Plane(StrEnum):
    """An anatomical plane; slices of an oblique volume are cut along the nearest voxel axis."""

    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"

    @property
    def axis(self) -> int:
        """The RAS+ axis that is perpendicular to the plane."""
        return {"sagittal": 0, "coronal": 1, "axial": 2}[self.value]
