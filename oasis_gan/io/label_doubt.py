"""Reading a label map of which nothing says what its values mean: as what a model takes, unless that is doubtful."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..image.label_advice import ADVICE, OWN_TABLE, LabelAdvice
from ..image.label_anatomy import Tissues, count_tissue_contacts
from ..image.label_conversion import convert
from ..image.label_sets import BIDS, FREESURFER, OASIS, OASIS_PNG
from ..image.labels import LabelSet, values_of
from ..image.volume import CleanVolume, V, Volume
from .errors import LabelCodingError, UnknownLabelsError, UnusableFileError
from .label_names import is_dseg, stem_of

MASK_ML = 20.0
WARNED_ML = 1.0
"""A map of one label this large is refused, or warned of: tissues of a head seldom lie apart."""
_ORDERS: Mapping[str, Tissues] = {
    # The values of CSF, GM and WM.
    "oasis": (1, 2, 3),
    "bids": (3, 1, 2),
}
_BIDS_SAYS = "a *_dseg.tsv or a BIDS dataset that says what its values mean"
_HALF = {2, 3}
"""White matter and cortex of FreeSurfer's left hemisphere."""


def presume(
    volume: CleanVolume, expected: LabelSet, where: Path, advice: LabelAdvice = ADVICE
) -> CleanVolume:
    """Return a label map of unknown coding as one of ``expected``, whose values it has; refuse it where in doubt.

    Args:
        volume: A label map.
        expected: The set it is taken for.
        where: Its file.
        advice: How a user says what its values mean, for errors.

    Raises:
        OasisGanError: If it is a mask, if its name says that it is of BIDS and its values may be read in two ways, if
            its tissues do not lie as in a head, or if another known set has its values and this one has not.
    """
    present = [value for value in values_of(volume.voxels) if value != 0]
    if not present:
        return volume
    unknown = expected.unknown_values(volume.voxels)
    values = [int(value) for value in present if float(value).is_integer()]
    if len(values) < len(present):
        raise _unknown_values(unknown, [], expected, where, advice)
    if len(values) > 1 and set(values) <= {label.value for label in OASIS_PNG.labels}:
        return convert(volume, OASIS_PNG, expected, where, advice)
    if not unknown:
        _require_no_bids_reading(values, expected, where, advice)
    if not unknown and expected.labels == OASIS.labels and len(values) > 1:
        _require_anatomy(volume, values, where, advice)
    if len(values) == 1:
        volume = _judged_mask(volume, values[0], where, advice)
    if unknown:
        raise _unknown_values(unknown, values, expected, where, advice)
    return volume


def require_bids_anatomy(volume: Volume, where: Path, advice: LabelAdvice = ADVICE) -> None:
    """Raise `OasisGanError` if tissues lie as in no head when their values are those common in BIDS.

    Asked of a ``dseg`` in a BIDS dataset that has no table: older derivatives keep FSL's values there.

    Args:
        volume: A label map.
        where: Its file.
        advice: How a user says what its values mean, for errors.
    """
    # What is no number is judged later, when the volume is cleaned.
    voxels = np.nan_to_num(volume.voxels, nan=0, posinf=0, neginf=0)
    values = values_of(voxels)
    if not set(values) <= {0, *_ORDERS[BIDS.name]}:
        return
    contacts = count_tissue_contacts(np.rint(voxels), float(np.prod(volume.geometry.spacing)))
    found = contacts.find_contradiction(_ORDERS[BIDS.name]) if contacts else ""
    if not found:
        return
    choices = f"{advice.choose(OASIS.name)} or {advice.choose(BIDS.name)}"
    remedy = f"say what they mean: {choices}, or {OWN_TABLE}"
    raise LabelCodingError(where, _reading(BIDS, values), BIDS.name, found, remedy)


def _require_no_bids_reading(
    values: list[int], expected: LabelSet, where: Path, advice: LabelAdvice
) -> None:
    """Raise `OasisGanError` if a file called as in BIDS has values that BIDS reads otherwise."""
    if not _has_bids_name(where) or not set(values) <= {label.value for label in BIDS.labels}:
        return
    ours = _reading(expected, values)
    theirs = _reading(BIDS, values)
    if ours == theirs:
        return
    found = f"neither: they may be {theirs} (bids), or {ours} ({expected.name})"
    remedy = f"say {advice.choose(BIDS.name)} or {advice.choose(expected.name)}"
    raise UnusableFileError(where, _BIDS_SAYS, found, remedy)


def _has_bids_name(path: Path) -> bool:
    """Whether a file is called as a segmentation in BIDS, itself or where its link leads."""
    target = Path(os.path.realpath(path))
    return is_dseg(stem_of(path)) or is_dseg(stem_of(target))


def _require_anatomy(volume: Volume, values: list[int], where: Path, advice: LabelAdvice) -> None:
    """Raise `OasisGanError` if values from 1 to 3 lie as in no head, or may be those of a hemisphere of FreeSurfer."""
    contacts = count_tissue_contacts(volume.voxels, float(np.prod(volume.geometry.spacing)))
    if contacts is None:
        return
    found = contacts.find_contradiction(_ORDERS[OASIS.name])
    may_be_half = set(values) == _HALF
    if not found and may_be_half and not contacts.is_wrapped(inner=3, outer=2):
        found = "values that a hemisphere of FreeSurfer has too"
    if not found:
        return
    fitting = [name for name, order in _ORDERS.items() if not contacts.find_contradiction(order)]
    others = [FREESURFER.name] if may_be_half else [name for name in fitting if name != OASIS.name]
    choices = " or ".join(map(advice.choose, (*others, OASIS.name)))
    remedy = f"say what they mean: {choices}, or {OWN_TABLE}"
    raise LabelCodingError(where, _reading(OASIS, values), OASIS.name, found, remedy)


def _judged_mask(volume: V, value: int, where: Path, advice: LabelAdvice) -> V:
    """Refuse a map of one label that is as large as a brain, and note a smaller one."""
    voxel_ml = float(np.prod(volume.geometry.spacing)) / 1000
    size_ml = int(np.count_nonzero(volume.voxels)) * voxel_ml
    if size_ml >= MASK_ML:
        expected = "a label map of several tissues"
        found = f"nothing but {value}: a mask?"
        say = f"say with {advice.option} what {value} means"
        remedy = f"give a map of the tissues; if this is one, {say}"
        raise UnusableFileError(where, expected, found, remedy)
    if size_ml >= WARNED_ML:
        note = f"nothing but label {value}: is it a mask?"
        return replace(volume, notes=(*volume.notes, note))
    return volume


def _unknown_values(
    unknown: list[float], values: list[int], expected: LabelSet, where: Path, advice: LabelAdvice
) -> UnknownLabelsError:
    """Return what to say of values that the expected set lacks: which known sets have them."""
    say = f"say with {advice.option} what they mean"
    remedy = f"give a label map with these values (an MRI is no label map), or {say}"
    if values:
        remedy = advice.remedy_for(values, remedy)
    return UnknownLabelsError(where, expected, unknown, remedy)


def _reading(label_set: LabelSet, values: list[int]) -> str:
    labels = [label for label in label_set.labels if label.value in values]
    return ", ".join(f"{label.value} {label.name}" for label in labels)
