"""Read the geometry of an Analyze 7.5 header: the axes and the voxel sizes, but no position.

The format has one byte for the order and direction of the axes, ``orient``; `AXES` says what each
of its values means. The axes are those of the manual of the Analyze program
(https://eeg.sourceforge.net/AnalyzeDirect_ANALYZEformat.pdf, and
https://eeg.sourceforge.net/mri_orientation_notes.html): a left-handed space whose first voxel is at
the patient's right, back and foot, so that a transverse volume runs to the Left, Anterior and
Superior. "Flipped" reverses the vertical axis of each slice, as old screens were drawn from the
top.

OASIS-1 follows that. Its images come from 4dfp files, whose converter ``4dfptoanalyze`` turns the
axes until the first voxel lies "right occipital skull-base" in axial files and "occipital
skull-base right" in sagittal ones (https://4dfp.readthedocs.io/en/latest/format.html). A vitamin E
capsule at the left side of each head (Marcus et al. 2007,
https://doi.org/10.1162/jocn.2007.19.9.1498) shows the same in the raw scans
(https://brainder.org/2011/08/13/converting-oasis-brains-to-nifti/).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from nibabel import orientations

from ..image.volume import Affine, Geometry, RepairNote
from .errors import VoxelSizesError
from .nifti_space import Header, is_usable, read_voxel_sizes

AXES = {0: "LAS", 1: "LSA", 2: "ASL", 3: "LPS", 4: "LIA", 5: "AIL"}
"""The directions of the three axes: transverse, coronal, sagittal; then these three flipped."""
# Bytes of the header.
_ORIENT = 252
_ORIGIN = slice(253, 263)
# An origin that was never set. OASIS-1 has blanks there; read as numbers, they would be 8224.
_UNSET = b"\0 "


def read_geometry(
    block: bytes, header: Header, shape: tuple[int, int, int], path: Path
) -> tuple[Geometry, tuple[str, ...]]:
    """Return the position of the voxels, with 0 mm in the middle, and notes on what was assumed.

    Args:
        block: The bytes of the header.
        header: The decoded header; the fields that are read are the same in NIfTI-1.
        shape: The shape of the volume.
        path: The path of the header.

    Raises:
        VoxelSizesError: If a voxel size is unusable.
    """
    sizes, notes = read_voxel_sizes(header)
    orient = block[_ORIENT]
    axes = AXES.get(orient, AXES[0])
    affine = _make_centred_affine(axes, sizes, shape)
    if not is_usable(affine):
        raise VoxelSizesError(path, header["pixdim"][1:4])
    if orient not in AXES:
        notes += (f"orient byte {orient} is unknown: taken as 0, transverse",)
    if block[_ORIGIN].strip(_UNSET):
        notes += (RepairNote("the origin that SPM keeps in the header is ignored"),)
    no_position = (
        f"Analyze 7.5 has no position: axes run {axes} by the orient byte, 0 mm lies in the middle"
    )
    notes += (RepairNote(no_position),)
    return Geometry(shape, affine), notes


def _make_centred_affine(axes: str, sizes: Affine, shape: tuple[int, int, int]) -> Affine:
    """Return the affine from voxels to RAS+ mm for axes that run in these directions."""
    affine = np.diag([0.0, 0.0, 0.0, 1.0])
    orientation = orientations.axcodes2ornt(axes)
    for axis, (world_axis, sign) in enumerate(orientation):
        affine[int(world_axis), axis] = sign * sizes[axis]
    middle = (np.array(shape) - 1) / 2
    affine[:3, 3] = -affine[:3, :3] @ middle
    return affine
