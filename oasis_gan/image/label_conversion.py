"""Convert a label map of one label set to one of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from .errors import NoCounterpartError, UnknownLabelsError, abbreviate
from .label_advice import ADVICE, OWN_TABLE, LabelAdvice
from .label_sets import include_rare_labels
from .labels import Label, LabelSet, Structure, find_values
from .regions import count_voxels
from .tissues import BACKGROUND, describe_mixture, is_background_name, tissue_of
from .volume import CleanVolume, RepairNote, Volume, Voxels

_MAX_TABLE = 2**20  # values: a wider range is searched instead
_Counterparts = Mapping[int, int]
"""The value in one label set of each value in another."""


def convert(
    volume: Volume,
    source: LabelSet,
    target: LabelSet,
    where: object,
    advice: LabelAdvice = ADVICE,
) -> CleanVolume:
    """Return a label map of ``source`` as one of ``target``, with a note if values change meaning.

    A label becomes the one of the same name, or else the tissue that it counts as. Background
    stays background. What lies outside the brain, such as bone, becomes background, and a note
    says how many voxels.

    Args:
        volume: A label map of ``source``.
        source: The label set of the volume.
        target: The label set to convert to.
        where: What to call the volume in an error.
        advice: How a user says what the values of this volume mean, for errors.

    Raises:
        OasisGanError: If it holds a value that is no label of ``source``, or one without a
            counterpart in ``target``.
    """
    if source.labels == target.labels:
        require_labels(volume, source, where, advice)
        return source.clean(volume, where)
    known = include_rare_labels(source)
    require_labels(volume, known, where, advice)
    cleaned = known.clean(volume, where)
    present = find_values(cleaned.voxels)
    counterparts = _find_counterparts(known, target)
    unmapped = [value for value in present if value not in counterparts]
    if unmapped:
        names = known.names
        raise NoCounterpartError(
            where,
            source=known.name,
            target=target.name,
            labels=[f"{value} {names[value]}" for value in unmapped],
            remedy=f"name another label set, or give {advice.option} {OWN_TABLE}",
        )
    labels = [label for label in known.labels if label.value in present]
    notes = [
        *cleaned.notes,
        RepairNote(f"labels converted from {known.name} to {target.name}"),
        *_note_outside(cleaned.voxels, labels, counterparts),
        *_note_mixtures(labels, target),
    ]
    voxels = _map_values(cleaned.voxels, present, counterparts)
    return replace(cleaned, voxels=voxels, notes=tuple(notes))


def require_labels(
    volume: Volume,
    label_set: LabelSet,
    where: object,
    advice: LabelAdvice,
) -> None:
    """Raise `OasisGanError` if there are values that the set lacks.

    The error names the sets that have them.
    """
    unknown = label_set.find_unknown_values(volume.voxels)
    if not unknown:
        return
    remedy = f"say with {advice.option} what they mean: a label set, or {OWN_TABLE}"
    if all(float(value).is_integer() for value in unknown):
        values = map(int, find_values(volume.voxels))
        remedy = advice.remedy_for(values, remedy)
    raise UnknownLabelsError(where, f"labels of {label_set.name}", unknown, remedy)


def _find_counterparts(source: LabelSet, target: LabelSet) -> _Counterparts:
    """Return the value in ``target`` of each value in ``source`` that has one, and 0 for 0."""
    values = {label.name: label.value for label in target.labels}
    values[BACKGROUND] = 0
    counterparts = {0: 0}
    for label in source.labels:
        for name in (label.name, _find_tissue(label)):
            if name in values:
                counterparts[label.value] = values[name]
                break
    return counterparts


def _find_tissue(label: Label) -> str:
    """Return the tissue that a label counts as, by its table or by its name."""
    if isinstance(label, Structure):
        return label.tissue
    return tissue_of(label.name)


def _map_values(
    voxels: Voxels,
    present: list[int],
    counterparts: _Counterparts,
) -> Voxels:
    """Return the counterpart of each voxel; ``present`` are all their values, increasing."""
    in_order = [counterparts[value] for value in present]
    targets = np.array(in_order, np.int32)
    low = min(present)
    high = max(present)
    if high - low >= _MAX_TABLE:
        indices = np.searchsorted(present, voxels)
        return np.asarray(targets[indices])
    # A table over the whole range is the fastest, and a label map's range is short.
    table = np.zeros(high - low + 1, np.int32)
    table[np.array(present) - low] = targets
    return np.asarray(table[voxels - low])


def _note_outside(
    voxels: Voxels,
    labels: Sequence[Label],
    counterparts: _Counterparts,
) -> list[RepairNote]:
    """Return a note on labels outside the brain that become background, if there are any."""
    outside = [
        label
        for label in labels
        if counterparts[label.value] == 0 and not is_background_name(label.name)
    ]
    if not outside:
        return []
    count = sum(count_voxels(voxels == label.value) for label in outside)
    names = abbreviate([label.name for label in outside])
    return [RepairNote(f"{count} voxels outside the brain are taken as background: {names}")]


def _note_mixtures(labels: Sequence[Label], target: LabelSet) -> list[RepairNote]:
    """Return a note on each label that becomes one tissue and stands for several."""
    target_names = set(target.names.values())
    notes = []
    for label in labels:
        mixture = describe_mixture(label.name)
        if mixture and label.name not in target_names:
            tissue = tissue_of(label.name)
            notes.append(RepairNote(f"{label.name} counts as {tissue}, {mixture}"))
    return notes
