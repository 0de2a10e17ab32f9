"""Decide whether a label map without a label set may be read with the one that a model expects."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..image.label_advice import ADVICE, OWN_TABLE, LabelAdvice
from ..image.label_anatomy import TissueContacts, Tissues, count_tissue_contacts
from ..image.label_conversion import convert
from ..image.label_sets import BIDS, FREESURFER, OASIS, OASIS_PNG
from ..image.labels import LabelSet, find_values
from ..image.volume import CleanVolume, V, Volume
from .label_errors import (
    AmbiguousLabelsError,
    ImplausibleAnatomyError,
    MaskError,
    UnknownLabelsError,
)
from .label_names import is_dseg, stem_of

MASK_ML = 20.0
WARNED_ML = 1.0
"""A single label of this size is refused, or noted: a head seldom has tissues that far apart."""
_ORDERS: Mapping[str, Tissues] = {
    # The values of CSF, GM and WM.
    "oasis": (1, 2, 3),
    "bids": (3, 1, 2),
}
_HALF = {2, 3}
"""The values of white matter and cortex in FreeSurfer's left hemisphere."""


def assume_label_set(
    volume: CleanVolume, expected: LabelSet, where: Path, advice: LabelAdvice = ADVICE
) -> CleanVolume:
    """Return an undescribed label map as one of the expected label set; refuse it if in doubt.

    Args:
        volume: A label map.
        expected: The label set that its values are assumed to belong to.
        where: The file of the label map.
        advice: How a user can say what the values mean, for errors.

    Raises:
        OasisGanError: If the map is a mask, if it is named as in BIDS and its values mean something
            else there, if its tissues lie as in no head, or if ``expected`` lacks one of its
            values.
    """
    present = [value for value in find_values(volume.voxels) if value != 0]
    if not present:
        return volume
    unknown = expected.find_unknown_values(volume.voxels)
    values = [int(value) for value in present if float(value).is_integer()]
    if len(values) < len(present):
        raise UnknownLabelsError(where, expected, unknown, _advise_other_map(advice))
    has_several = len(values) > 1
    if has_several and set(values) <= _values_in(OASIS_PNG):
        return convert(volume, OASIS_PNG, expected, where, advice)
    if not unknown:
        _refuse_bids_meaning(values, expected, where, advice)
    if not unknown and has_several and expected.labels == OASIS.labels:
        _require_anatomy(volume, values, where, advice)
    if not has_several:
        volume = _note_mask(volume, values[0], where, advice)
    if unknown:
        remedy = advice.remedy_for(values, _advise_other_map(advice))
        raise UnknownLabelsError(where, expected, unknown, remedy)
    return volume


def require_bids_anatomy(volume: Volume, where: Path, advice: LabelAdvice = ADVICE) -> None:
    """Raise `OasisGanError` if tissues lie as in no head when read as labels of BIDS.

    This concerns a ``dseg`` without a table in a BIDS dataset: older derivatives keep the values of
    FSL there.

    Args:
        volume: A label map.
        where: The file of the label map.
        advice: How a user can say what the values mean, for errors.
    """
    # NaN and infinity are refused later, when the volume is cleaned.
    voxels = np.nan_to_num(volume.voxels, nan=0, posinf=0, neginf=0)
    values = find_values(voxels)
    if not set(values) <= {0, *_ORDERS[BIDS.name]}:
        return
    contacts = count_tissue_contacts(np.rint(voxels), _voxel_volume(volume))
    found = contacts.find_contradiction(_ORDERS[BIDS.name]) if contacts else ""
    if found:
        remedy = _advise_label_sets(advice, OASIS.name, BIDS.name)
        raise ImplausibleAnatomyError(where, _describe(BIDS, values), BIDS.name, found, remedy)


def _refuse_bids_meaning(
    values: list[int], expected: LabelSet, where: Path, advice: LabelAdvice
) -> None:
    """Raise `AmbiguousLabelsError` if a file is named as in BIDS, where its values mean others."""
    if not _has_bids_name(where) or not set(values) <= _values_in(BIDS):
        return
    meaning = _describe(expected, values)
    bids_meaning = _describe(BIDS, values)
    if meaning != bids_meaning:
        raise AmbiguousLabelsError(
            where,
            found=f"neither: they may be {bids_meaning} (bids), or {meaning} ({expected.name})",
            remedy=f"say {advice.choose(BIDS.name)} or {advice.choose(expected.name)}",
        )


def _has_bids_name(path: Path) -> bool:
    """Tell whether a file, or the file that it links to, has the name of a segmentation in BIDS."""
    target = Path(os.path.realpath(path))
    return is_dseg(stem_of(path)) or is_dseg(stem_of(target))


def _require_anatomy(volume: Volume, values: list[int], where: Path, advice: LabelAdvice) -> None:
    """Raise an error if OASIS tissues lie as in no head, or as in one hemisphere of FreeSurfer."""
    contacts = count_tissue_contacts(volume.voxels, _voxel_volume(volume))
    if contacts is None:
        return
    may_be_half = set(values) == _HALF
    found = contacts.find_contradiction(_ORDERS[OASIS.name])
    if not found and may_be_half and not contacts.is_wrapped(inner=3, outer=2):
        found = "values that a hemisphere of FreeSurfer has too"
    if found:
        others = [FREESURFER.name] if may_be_half else _find_other_orders(contacts)
        remedy = _advise_label_sets(advice, *others, OASIS.name)
        raise ImplausibleAnatomyError(where, _describe(OASIS, values), OASIS.name, found, remedy)


def _find_other_orders(contacts: TissueContacts) -> list[str]:
    """Return the names of the other label sets in which the tissues lie as in a head."""
    fitting = [name for name, order in _ORDERS.items() if not contacts.find_contradiction(order)]
    return [name for name in fitting if name != OASIS.name]


def _note_mask(volume: V, value: int, where: Path, advice: LabelAdvice) -> V:
    """Refuse a map of one label that is as large as a brain, and add a note to a smaller one."""
    voxel_ml = _voxel_volume(volume) / 1000
    size_ml = int(np.count_nonzero(volume.voxels)) * voxel_ml
    if size_ml >= MASK_ML:
        raise MaskError(where, value, advice.option)
    if size_ml >= WARNED_ML:
        note = f"nothing but label {value}: is it a mask?"
        return replace(volume, notes=(*volume.notes, note))
    return volume


def _values_in(label_set: LabelSet) -> set[int]:
    return {label.value for label in label_set.labels}


def _voxel_volume(volume: Volume) -> float:
    """Return the volume of one voxel in cubic millimetres."""
    return float(np.prod(volume.geometry.spacing))


def _advise_other_map(advice: LabelAdvice) -> str:
    say = f"say with {advice.option} what they mean"
    return f"give a label map with these values (an MRI is no label map), or {say}"


def _advise_label_sets(advice: LabelAdvice, *names: str) -> str:
    choices = " or ".join(map(advice.choose, names))
    return f"say what they mean: {choices}, or {OWN_TABLE}"


def _describe(label_set: LabelSet, values: list[int]) -> str:
    """Return what values mean in a label set: ``1 CSF, 2 GM``."""
    labels = [label for label in label_set.labels if label.value in values]
    return ", ".join(f"{label.value} {label.name}" for label in labels)
