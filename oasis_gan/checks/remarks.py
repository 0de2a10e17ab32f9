"""What a translation says of its source: what ``oasis-gan check`` would warn of, as notes on the volume."""

from __future__ import annotations

from dataclasses import replace

from ..errors import OasisGanError
from ..image.volume import Mended, V
from . import space, voxels
from .findings import Verdict


def remarked(volume: V, where: object) -> V:
    """Return ``volume`` with a note on each thing that is odd about its shape, its place or its voxels.

    Args:
        volume: As `Scan.read` returned it.
        where: What to call it in an error.

    Raises:
        OasisGanError: If nothing can be made of it.
    """
    findings = [
        *voxels.check_shape(volume),
        *space.check_place(volume.geometry),
        *voxels.check_intensities(volume),
        *voxels.check_emptiness(volume.voxels != 0),
    ]
    for finding in findings:
        if finding.verdict is Verdict.REJECT:
            remedy = "leave it out"
            raise OasisGanError(
                where, expected="a volume to translate", found=finding.message, remedy=remedy
            )
    notes = (
        Mended(finding.message) if finding.verdict is Verdict.FIX else finding.message
        for finding in findings
        if finding.message
    )
    return replace(volume, notes=(*volume.notes, *notes))
