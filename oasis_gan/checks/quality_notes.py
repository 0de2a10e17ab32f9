"""Attach to a volume, as notes, the warnings that ``oasis-gan check`` would give."""

from __future__ import annotations

from dataclasses import replace

from ..image.volume import RepairNote, V
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
    findings = [
        *voxels.check_shape(volume),
        *space.check_place(volume.geometry),
        *voxels.check_intensities(volume),
        *voxels.check_emptiness(volume.voxels != 0),
    ]
    for finding in findings:
        if finding.verdict is Verdict.REJECT:
            raise UnusableVolumeError(where, finding.message)
    added = [_as_note(finding) for finding in findings if finding.message]
    return replace(volume, notes=(*volume.notes, *added))


def _as_note(finding: Finding) -> str:
    if finding.verdict is Verdict.FIX:
        return RepairNote(finding.message)
    return finding.message
