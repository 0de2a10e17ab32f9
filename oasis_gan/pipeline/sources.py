"""The sources of one subject: a scan for each source of a model, and their volumes on one grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..checks.quality_notes import with_quality_notes
from ..errors import OasisGanError
from ..image.encoding import Encoding
from ..image.volume import AssumptionNote, CleanVolume, RepairNote
from ..plugin.datasets import Scan, Subject
from ..plugin.models import ModelCard


def scans_for(subject: Subject, card: ModelCard) -> dict[str, Scan]:
    """Return a scan for each source of a model, in the order of its card.

    Each is known to hold what the model takes, and its labels are converted when it is read.

    Raises:
        OasisGanError: If the subject lacks one of them.
    """
    first, *others = card.sources
    scans = {first: subject.source}
    for name in others:
        scan = subject.further.get(name)
        if scan is None:
            remedy = "name a file for each source of the model"
            raise OasisGanError(
                subject.source.path, expected=f"a {name} beside it", found="none", remedy=remedy
            )
        scans[name] = scan
    return {name: _as_encoded(scan, card.sources[name]) for name, scan in scans.items()}


def read_sources(scans: Mapping[str, Scan], card: ModelCard) -> dict[str, CleanVolume]:
    """Read the sources of one subject, and bring the others to the order of axes of the first.

    What is odd about the others is noted on the first, so that a translation says it too.

    Args:
        scans: What `scans_for` returned.
        card: The card of the model.

    Raises:
        OasisGanError: If one cannot be read, or they do not lie on one grid.
    """
    volumes = {name: with_quality_notes(scan.read(), scan.path) for name, scan in scans.items()}
    first_name, *others = volumes
    first = _placed(volumes, first_name)
    notes = list(first.notes)
    for name in others:
        _, volume = Subject.aligned(first, volumes[name])
        first.geometry.require_same_grid(volume.geometry, scans[name].path)
        notes += [_named(name, note) for note in volume.notes]
        # Once more when it is translated, where nobody knows the name of this file.
        volumes[name] = card.sources[name].clean(volume, scans[name].path)
    volumes[first_name] = replace(first, notes=tuple(notes))
    return volumes


def _placed(volumes: Mapping[str, CleanVolume], name: str) -> CleanVolume:
    """Return a volume; where its header does not say where it lies, with the place of the first that does."""
    volume = volumes[name]
    for other in volumes.values():
        if not volume.geometry.placed:
            volume, _ = Subject.aligned(volume, other)
    return volume


def _as_encoded(scan: Scan, encoding: Encoding) -> Scan:
    """Return a scan that reads what an encoding takes."""
    if encoding.label_set is not None:
        scan = scan.in_labels(encoding.label_set)
    return scan.holding(encoding.content)


def _named(name: str, note: str) -> str:
    """Return a note that says which source it is about, of the same kind."""
    kind = type(note) if isinstance(note, (RepairNote, AssumptionNote)) else str
    return kind(f"{name}: {note}")
