"""Where an Analyze 7.5 header says its voxels lie: the order and direction of its axes, their spacing, no position.

The format has one byte for all of this, ``orient``; `AXES` says what each of its values means. The axes are those of
the Analyze program's manual (https://eeg.sourceforge.net/AnalyzeDirect_ANALYZEformat.pdf, and
https://eeg.sourceforge.net/mri_orientation_notes.html): a left-handed space whose first voxel is at the patient's
right, back and foot, so that a transverse volume runs to the Left, Anterior and Superior. "Flipped" turns the vertical
axis of each slice, as old screens were painted from the top.

OASIS-1 keeps to that. Its images come from 4dfp files, whose converter ``4dfptoanalyze`` turns the axes until the first
voxel lies "right occipital skull-base" in axial files and "occipital skull-base right" in sagittal ones
(https://4dfp.readthedocs.io/en/latest/format.html). A capsule of vitamin E at the left side of each head (Marcus et
al. 2007, https://doi.org/10.1162/jocn.2007.19.9.1498) shows the same in the raw scans
(https://brainder.org/2011/08/13/converting-oasis-brains-to-nifti/).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from nibabel import orientations

from ..image.volume import Affine, Geometry, RepairNote
from .errors import VoxelSizesError
from .nifti_space import Header, usable, voxel_sizes

AXES = {0: "LAS", 1: "LSA", 2: "ASL", 3: "LPS", 4: "LIA", 5: "AIL"}
"""Where the first, second and third axis run to: transverse, coronal, sagittal; then the three of them flipped."""
# Bytes of the header.
_ORIENT = 252
_ORIGIN = slice(253, 263)
_NOTHING = b"\0 "  # what an origin holds where nothing was put: OASIS-1 has blanks, which read as numbers say 8224


def located(
    block: bytes, header: Header, shape: tuple[int, int, int], path: Path
) -> tuple[Geometry, tuple[str, ...]]:
    """Return where the voxels lie, the middle of the grid on 0 mm, and what was assumed about it.

    Args:
        block: The header's bytes.
        header: The same, decoded; the fields that are read lie where NIfTI-1 has them too.
        shape: Of the volume.
        path: Of the header.

    Raises:
        VoxelSizesError: If its voxels have no size.
    """
    sizes, notes = voxel_sizes(header)
    orient = block[_ORIENT]
    axes = AXES.get(orient, AXES[0])
    affine = _centred(axes, sizes, shape)
    if not usable(affine):
        raise VoxelSizesError(path, header["pixdim"][1:4])
    if orient not in AXES:
        notes += (f"orient byte {orient} is unknown: taken as 0, transverse",)
    if block[_ORIGIN].strip(_NOTHING):
        notes += (RepairNote("the origin that SPM keeps in the header is ignored"),)
    notes += (
        RepairNote(
            f"Analyze 7.5 has no position: axes run {axes} by the orient byte, 0 mm lies in the middle"
        ),
    )
    return Geometry(shape, affine), notes


def _centred(axes: str, sizes: Affine, shape: tuple[int, int, int]) -> Affine:
    """Return voxel to RAS+ mm for axes that run to these directions."""
    affine = np.diag([0.0, 0.0, 0.0, 1.0])
    for axis, (towards, sign) in enumerate(orientations.axcodes2ornt(axes)):
        affine[int(towards), axis] = sign * sizes[axis]
    affine[:3, 3] = -affine[:3, :3] @ (np.array(shape) - 1) / 2
    return affine
