"""Refuse maps of the fraction of a tissue in each voxel: they are neither MRI nor label maps."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ..image.volume import Volume, Voxels
from .endings import stem_of
from .label_errors import PartialVolumesError

_MIXED = re.compile(r"(?:r|w|m|mw)*p0.+")
_FRACTION = re.compile(
    r".*_pve_?\d|.*_(?:label-[a-zA-Z]+_)?prob(?:seg|tissue)|(?:rp|mwp|wp|rc|wc|mwc)[1-6].+"
)
# A map of CAT12 goes up to 3, or to 4 with the class of lesions.
_MOST_CLASSES = 4.5


def refuse_partial_volumes(path: Path, volume: Volume) -> None:
    """Raise `PartialVolumesError` if the name and the voxels of a volume are those of fractions.

    The ``p0`` maps of CAT12 hold numbers between the labels. ``_pve_1`` of FSL FAST, ``wc1`` of SPM
    and ``_probseg`` of BIDS hold numbers between 0 and 1
    (https://neuro-jena.github.io/cat12-help/#naming,
    https://fsl.fmrib.ox.ac.uk/fsl/docs/#/structural/fast).

    Args:
        path: The file of the volume.
        volume: The volume, with any voxels.
    """
    stem = stem_of(path.name)
    is_mixed = _MIXED.fullmatch(stem) is not None
    if not is_mixed and _FRACTION.fullmatch(stem) is None:
        return
    if volume.voxels.dtype.kind in "iu":
        return
    finite = volume.voxels[np.isfinite(volume.voxels)]
    if not _has_fractions(finite):
        return
    largest = float(finite.max())
    if is_mixed and 1.5 < largest < _MOST_CLASSES:
        found = "a map of CAT12 with partial volumes: its values lie between the labels"
        remedy = "round its values (1 CSF, 2 GM, 3 WM), or give a label map"
        raise PartialVolumesError(path, found, remedy)
    if not is_mixed and largest <= 1.001:
        found = "the fractions of one tissue (a partial volume or probability map)"
        remedy = "give the label map of all tissues, such as *_pveseg or *_dseg"
        raise PartialVolumesError(path, found, remedy)


def _has_fractions(voxels: Voxels) -> bool:
    """Tell whether some voxels lie between whole numbers."""
    distances = np.abs(voxels - np.rint(voxels))
    return bool((distances > 1e-3).any())
