"""Attach to a volume, as notes, the warnings that ``oasis-gan check`` would give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..image.volume import RepairNote, V, Volume
from . import space, voxels
from .errors import UnusableVolumeError
from .findings import Finding, Verdict


def with_quality_notes(volume: V, where: object) -> V:
    """Return ``volume`` with a note on each oddity of its shape, position or voxels.

    Args:
        volume: The volume that `Scan.read` returned.
        where: The name of the volume in an error.

    Raises:
        OasisGanError: If the volume cannot be translated.
    """
    notes = list(volume.notes)
    for finding in _check_volume(volume):
        if finding.verdict is Verdict.REJECT:
            raise UnusableVolumeError(where, finding.message)
        if finding.message:
            notes.append(_as_note(finding))
    return replace(volume, notes=tuple(notes))


def _check_volume(volume: Volume) -> Iterator[Finding]:
    """Run the checks that need neither a label set nor another volume."""
    yield from voxels.check_shape(volume)
    yield from space.check_place(volume.geometry)
    yield from voxels.check_intensities(volume)
    yield from voxels.check_emptiness(volume)


def _as_note(finding: Finding) -> str:
    """Return the message of a finding as a note on a volume."""
    if finding.verdict is Verdict.FIX:
        return RepairNote(finding.message)
    return finding.message
