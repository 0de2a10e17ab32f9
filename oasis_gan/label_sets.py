"""The label sets known by name, and turning a label map of one into another.

Values and names:

- OASIS-1 ``FSL_SEG`` and FSL FAST: https://fsl.fmrib.ox.ac.uk/fsl/docs/structural/fast.html
- Neurite OASIS: ``seg4_labels.txt`` and ``seg35_labels.txt`` in its archive,
  https://github.com/adalca/medical-datasets/blob/master/neurite-oasis.md
- FreeSurfer: https://surfer.nmr.mgh.harvard.edu/fswiki/FsTutorial/AnatomicalROI/FreeSurferColorLUT

Which tissue a structure counts as is FreeSurfer's own grouping (``tissue_type_recoder`` in its Python package
`surfa`, https://github.com/freesurfer/surfa), by which ``seg4`` was made too: brain stem and ventral diencephalon are
white matter, cerebellar cortex and deep nuclei are grey, vessels and choroid plexus lie in CSF.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from .errors import OasisGanError
from .labels import Label, LabelSet, listed
from .volume import Mended, Volume

_TISSUE_LABELS = (Label(1, "CSF"), Label(2, "GM"), Label(3, "WM"))

OASIS = LabelSet("oasis", _TISSUE_LABELS)
"""The tissue maps of OASIS-1 (``FSL_SEG``), and of the OASIS PNG slices."""

FSL_FAST = LabelSet("fsl-fast", _TISSUE_LABELS)
"""The tissue maps of FSL FAST on a T1w: the same values."""

NEURITE_SEG4 = LabelSet(
    "neurite-seg4", (Label(1, "Cortex"), Label(2, "Subcortical-Gray-Matter"), Label(3, "White-Matter"), Label(4, "CSF"))
)
"""``seg4`` of Neurite OASIS."""

_SIDED = {
    # Of the left side; the right side has the second value.
    "Cerebral-White-Matter": (2, 41, "WM"),
    "Cerebral-Cortex": (3, 42, "GM"),
    "Lateral-Ventricle": (4, 43, "CSF"),
    "Inf-Lat-Vent": (5, 44, "CSF"),
    "Cerebellum-White-Matter": (7, 46, "WM"),
    "Cerebellum-Cortex": (8, 47, "GM"),
    "Thalamus": (10, 49, "GM"),
    "Caudate": (11, 50, "GM"),
    "Putamen": (12, 51, "GM"),
    "Pallidum": (13, 52, "GM"),
    "Hippocampus": (17, 53, "GM"),
    "Amygdala": (18, 54, "GM"),
    "Accumbens-area": (26, 58, "GM"),
    "VentralDC": (28, 60, "WM"),
    "vessel": (30, 62, "CSF"),
    "choroid-plexus": (31, 63, "CSF"),
    "WM-hypointensities": (78, 79, "WM"),
    "non-WM-hypointensities": (81, 82, "GM"),
}
_MIDLINE = {
    "3rd-Ventricle": (14, "CSF"),
    "4th-Ventricle": (15, "CSF"),
    "Brain-Stem": (16, "WM"),
    "CSF": (24, "CSF"),
    "5th-Ventricle": (72, "CSF"),
    "WM-hypointensities": (77, "WM"),
    "non-WM-hypointensities": (80, "GM"),
    "Optic-Chiasm": (85, "WM"),
    "CC_Posterior": (251, "WM"),
    "CC_Mid_Posterior": (252, "WM"),
    "CC_Central": (253, "WM"),
    "CC_Mid_Anterior": (254, "WM"),
    "CC_Anterior": (255, "WM"),
}
_ASEG = {
    **{f"Left-{name}": (left, tissue) for name, (left, _, tissue) in _SIDED.items()},
    **_MIDLINE,
    **{f"Right-{name}": (right, tissue) for name, (_, right, tissue) in _SIDED.items()},
}
FREESURFER = LabelSet("freesurfer", tuple(Label(value, name) for name, (value, _) in _ASEG.items()))
"""``aseg`` of FreeSurfer, and of SynthSeg, which takes its values."""

_PARCELS = """
    unknown bankssts caudalanteriorcingulate caudalmiddlefrontal corpuscallosum cuneus entorhinal fusiform
    inferiorparietal inferiortemporal isthmuscingulate lateraloccipital lateralorbitofrontal lingual
    medialorbitofrontal middletemporal parahippocampal paracentral parsopercularis parsorbitalis parstriangularis
    pericalcarine postcentral posteriorcingulate precentral precuneus rostralanteriorcingulate rostralmiddlefrontal
    superiorfrontal superiorparietal superiortemporal supramarginal frontalpole temporalpole transversetemporal insula
"""
_APARC = {
    f"{kind}-{parcel}": (first + index, tissue)
    for kind, first, tissue in (
        ("ctx-lh", 1000, "GM"),
        ("ctx-rh", 2000, "GM"),
        ("wm-lh", 3000, "WM"),
        ("wm-rh", 4000, "WM"),
    )
    for index, parcel in enumerate(_PARCELS.split())
} | {"Left-UnsegmentedWhiteMatter": (5001, "WM"), "Right-UnsegmentedWhiteMatter": (5002, "WM")}
FREESURFER_APARC = LabelSet(
    "freesurfer-aparc", tuple(Label(value, name) for name, (value, _) in (_ASEG | _APARC).items())
)
"""``aparc+aseg`` and ``wmparc`` of FreeSurfer: `FREESURFER`, with cortex and the white matter below it in parcels."""

_NOT_IN_SEG35 = {24, 72, *range(77, 86), *range(251, 256)}
NEURITE_SEG35 = LabelSet(
    "neurite-seg35",
    tuple(
        Label(number, name)
        for number, (value, name) in enumerate(
            sorted((value, name) for name, (value, _) in _ASEG.items() if value not in _NOT_IN_SEG35), start=1
        )
    ),
)
"""``seg35`` of Neurite OASIS: structures of `FREESURFER`, numbered from 1 in the order of its values."""

LABEL_SETS: Mapping[str, LabelSet] = {
    label_set.name: label_set
    for label_set in (OASIS, FSL_FAST, NEURITE_SEG4, NEURITE_SEG35, FREESURFER, FREESURFER_APARC)
}
"""All of them, by name."""

_TISSUES = {name: tissue for name, (_, tissue) in (_ASEG | _APARC).items()} | {
    "Cortex": "GM",
    "Subcortical-Gray-Matter": "GM",
    "White-Matter": "WM",
}


def convert(volume: Volume, source: LabelSet, target: LabelSet, where: object) -> Volume:
    """Return a label map of ``source`` as one of ``target``; a note says so where values change their meaning.

    A label becomes the one of the same name, or the tissue that it counts as; background stays background.

    Raises:
        OasisGanError: If it holds a value that is no label of ``source``, or one without a counterpart in ``target``.
    """
    volume = source.clean(volume, where)
    if source.labels == target.labels:
        return volume
    present, indices = np.unique(volume.voxels, return_inverse=True)
    counterparts = _counterparts(source, target)
    homeless = [value for value in present.tolist() if value not in counterparts]
    if homeless:
        names = {label.value: label.name for label in source.labels}
        expected, remedy = f"labels of {source.name} that have a counterpart in {target.name}", "name another label set"
        found = listed([f"{value} {names[value]}" for value in homeless])
        raise OasisGanError(where, expected=expected, found=found, remedy=remedy)
    converted = np.array([counterparts[value] for value in present.tolist()], np.int32)[indices]
    note = Mended(f"labels converted from {source.name} to {target.name}")
    return replace(volume, voxels=converted.reshape(volume.voxels.shape), notes=(*volume.notes, note))


def _counterparts(source: LabelSet, target: LabelSet) -> dict[int, int]:
    """Return the value in ``target`` of each value in ``source`` that has one, 0 among them."""
    values = {label.name: label.value for label in target.labels}
    names = {label.value: label.name for label in source.labels}
    found = {value: values.get(name, values.get(_TISSUES.get(name, ""))) for value, name in names.items()}
    return {0: 0} | {value: counterpart for value, counterpart in found.items() if counterpart is not None}
