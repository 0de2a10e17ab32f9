"""What a user can choose from, known without importing what does it."""

from __future__ import annotations

from enum import StrEnum

DATATYPES = ("float32", "int16", "uint8")
"""Of outputs: all that read NIfTI, MetaImage or NRRD read these."""
PRECISIONS = ("float32", "bfloat16", "auto")
"""Of the arithmetic of a model; auto is whatever the machine is fast in."""
MAX_VOXELS = 512**3
"""Of a volume, unless the user says otherwise: more is a damaged header, or would not fit."""


class Plane(StrEnum):
    """An anatomical plane; slices of an oblique volume are cut along the nearest voxel axis."""

    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"

    @property
    def axis(self) -> int:
        """The RAS+ axis that is perpendicular to the plane."""
        return {"sagittal": 0, "coronal": 1, "axial": 2}[self.value]
