"""Attach to a volume, as notes, the warnings that ``oasis-gan check`` would give."""

from __future__ import annotations

from dataclasses import replace

from ..errors import OasisGanError
from ..image.volume import RepairNote, V
from . import space, voxels
from .findings import Verdict


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
            expected = "a volume to translate"
            found = finding.message
            raise OasisGanError(where, expected=expected, found=found, remedy="leave it out")
    notes = list(volume.notes)
    for finding in findings:
        if not finding.message:
            continue
        is_repair = finding.verdict is Verdict.FIX
        notes.append(RepairNote(finding.message) if is_repair else finding.message)
    return replace(volume, notes=tuple(notes))
