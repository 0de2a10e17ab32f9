"""Maps that say how much of a voxel is a tissue: they look like an MRI and are neither one nor a label map."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ..image.volume import Volume
from .endings import stem_of
from .errors import PartialVolumesError

_MIXED = re.compile(r"(?:r|w|m|mw)*p0.+")
_FRACTION = re.compile(
    r".*_pve_?\d|.*_(?:label-[a-zA-Z]+_)?prob(?:seg|tissue)|(?:rp|mwp|wp|rc|wc|mwc)[1-6].+"
)
_MOST_CLASSES = 4.5


def refuse_partial_volumes(path: Path, volume: Volume) -> None:
    """Raise `PartialVolumesError` if a volume's name and voxels say that they are fractions of tissues.

    CAT12's ``p0`` maps hold numbers between the labels, FSL FAST's ``_pve_1``, SPM's ``wc1`` and BIDS' ``_probseg``
    numbers between 0 and 1 (https://neuro-jena.github.io/cat12-help/#naming,
    https://fsl.fmrib.ox.ac.uk/fsl/docs/#/structural/fast).

    Args:
        path: Of its file.
        volume: With any voxels.
    """
    stem = stem_of(path.name)
    is_mixed = _MIXED.fullmatch(stem) is not None
    if not is_mixed and _FRACTION.fullmatch(stem) is None:
        return
    largest, has_fractions = _range(volume)
    if not has_fractions:
        return
    if is_mixed and 1.5 < largest < _MOST_CLASSES:
        found = "a map of CAT12 with partial volumes: its values lie between the labels"
        remedy = "round its values (1 CSF, 2 GM, 3 WM), or give a label map"
        raise PartialVolumesError(path, found, remedy)
    if not is_mixed and largest <= 1.001:
        found = "the fractions of one tissue (a partial volume or probability map)"
        remedy = "give the label map of all tissues, such as *_pveseg or *_dseg"
        raise PartialVolumesError(path, found, remedy)


def _range(volume: Volume) -> tuple[float, bool]:
    """Return the largest of the voxels, and whether some lie between whole numbers."""
    if volume.voxels.dtype.kind in "iu":
        return float(volume.voxels.max()), False
    finite = volume.voxels[np.isfinite(volume.voxels)]
    if finite.size == 0:
        return 0.0, False
    return float(finite.max()), bool((np.abs(finite - np.rint(finite)) > 1e-3).any())
