"""Turning a label map of one label set into one of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from .errors import UnusableVolumeError
from .label_advice import ADVICE, OWN_TABLE, LabelAdvice
from .label_sets import include_rare_labels
from .labels import LabelSet, Structure, abbreviate, values_of
from .tissues import BACKGROUND, is_background_name, mixture_in, tissue_of
from .volume import CleanVolume, RepairNote, Volume, Voxels

_LONGEST_TABLE = 2**20  # values


def convert(
    volume: Volume,
    source: LabelSet,
    target: LabelSet,
    where: object,
    advice: LabelAdvice = ADVICE,
) -> CleanVolume:
    """Return a label map of ``source`` as one of ``target``; a note says so where values change their meaning.

    A label becomes the one of the same name, or the tissue that it counts as. Background stays background, and so
    becomes what lies outside the brain, such as bone; a note says how many voxels.

    Args:
        volume: Values of ``source``.
        source: What they mean.
        target: What they are to mean.
        where: What to call the volume in an error.
        advice: How a user says what the values of this volume mean, for errors.

    Raises:
        OasisGanError: If it holds a value that is no label of ``source``, or one without a counterpart in ``target``.
    """
    if source.labels == target.labels:
        require_labels(volume, source, where, advice)
        return source.clean(volume, where)
    known = include_rare_labels(source)
    require_labels(volume, known, where, advice)
    cleaned = known.clean(volume, where)
    counterparts = _counterparts(known, target)
    present = values_of(cleaned.voxels)
    _require_counterparts(present, counterparts, known, target, where, advice)
    notes = [
        RepairNote(f"labels converted from {source.name} to {target.name}"),
        *_notes(cleaned.voxels, present, known, target, counterparts),
    ]
    voxels = _mapped(cleaned.voxels, present, counterparts)
    return replace(cleaned, voxels=voxels, notes=(*cleaned.notes, *notes))


def require_labels(volume: Volume, label_set: LabelSet, where: object, advice: LabelAdvice) -> None:
    """Raise `OasisGanError` if there are values that the set lacks; name the sets that have them."""
    unknown = label_set.unknown_values(volume.voxels)
    if not unknown:
        return
    remedy = f"say with {advice.option} what they mean: a label set, or {OWN_TABLE}"
    if all(float(value).is_integer() for value in unknown):
        remedy = advice.remedy_for(map(int, values_of(volume.voxels)), remedy)
    expected = f"labels of {label_set.name}"
    found = abbreviate([f"{value:g}" for value in unknown])
    raise UnusableVolumeError(where, expected, found, remedy)


def _require_counterparts(
    present: list[int],
    counterparts: Mapping[int, int],
    source: LabelSet,
    target: LabelSet,
    where: object,
    advice: LabelAdvice,
) -> None:
    unmapped = [value for value in present if value not in counterparts]
    if not unmapped:
        return
    names = {label.value: label.name for label in source.labels}
    expected = f"labels of {source.name} that have a counterpart in {target.name}"
    found = abbreviate([f"{value} {names[value]}" for value in unmapped])
    remedy = f"name another label set, or give {advice.option} {OWN_TABLE}"
    raise UnusableVolumeError(where, expected, found, remedy)


def _mapped(voxels: Voxels, present: list[int], counterparts: Mapping[int, int]) -> Voxels:
    low = min(present)
    high = max(present)
    # A table over the whole range is the fastest, and a label map's range is short.
    if high - low < _LONGEST_TABLE:
        table = np.zeros(high - low + 1, np.int32)
        for value in present:
            table[value - low] = counterparts[value]
        return np.asarray(table[voxels - low])
    values = np.array([counterparts[value] for value in present], np.int32)
    return np.asarray(values[np.searchsorted(present, voxels)])


def _notes(
    voxels: Voxels,
    present: list[int],
    source: LabelSet,
    target: LabelSet,
    counterparts: Mapping[int, int],
) -> list[RepairNote]:
    """Return what a user should know of labels that were left out, or stand for several tissues."""
    notes = []
    target_names = {label.name for label in target.labels}
    labels = [label for label in source.labels if label.value in present]
    outside = [
        label
        for label in labels
        if counterparts[label.value] == 0 and not is_background_name(label.name)
    ]
    if outside:
        count = sum(int(np.count_nonzero(voxels == label.value)) for label in outside)
        names = abbreviate([label.name for label in outside])
        notes.append(
            RepairNote(f"{count} voxels outside the brain are taken as background: {names}")
        )
    for label in labels:
        mixture = mixture_in(label.name)
        if mixture and label.name not in target_names:
            notes.append(RepairNote(f"{label.name} counts as {tissue_of(label.name)}, {mixture}"))
    return notes


def _counterparts(source: LabelSet, target: LabelSet) -> dict[int, int]:
    """Return the value in ``target`` of each value in ``source`` that has one, 0 among them."""
    values = {label.name: label.value for label in target.labels} | {BACKGROUND: 0}
    found = {0: 0}
    for label in source.labels:
        tissue = label.tissue if isinstance(label, Structure) else tissue_of(label.name)
        counterpart = values.get(label.name, values.get(tissue))
        if counterpart is not None:
            found[label.value] = counterpart
    return found
