"""Find and read the sources of one subject: a scan for each source of a model, on one grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..checks.quality_notes import with_quality_notes
from ..image.encoding import Encoding
from ..image.volume import AssumptionNote, CleanVolume, RepairNote
from ..plugin.datasets import Scan, Subject
from ..plugin.models import ModelCard
from .errors import MissingSourceError


def choose_scans(subject: Subject, card: ModelCard) -> dict[str, Scan]:
    """Return a scan for each source of a model, in the order of its card.

    Each scan is declared to hold what the model takes, and its labels are converted as it is read.

    Raises:
        OasisGanError: If the subject lacks one of them.
    """
    first = next(iter(card.sources))
    given = {**subject.further, first: subject.source}
    scans = {}
    for name, encoding in card.sources.items():
        if name not in given:
            raise MissingSourceError(subject.source.path, name)
        scans[name] = _declare_content(given[name], encoding)
    return scans


def read_sources(scans: Mapping[str, Scan], card: ModelCard) -> dict[str, CleanVolume]:
    """Read the sources of one subject, and bring the others to the order of axes of the first.

    Notes on the others are added to those of the first, so that the translation has them too.

    Args:
        scans: What `choose_scans` returned.
        card: The card of the model.

    Raises:
        OasisGanError: If one cannot be read, or they do not lie on one grid.
    """
    volumes = {}
    for name, scan in scans.items():
        volumes[name] = with_quality_notes(scan.read(), scan.path)
    first_name, *others = volumes
    first = _find_position(volumes[first_name], volumes)
    notes = list(first.notes)
    for name in others:
        where = scans[name].path
        volume = _align(volumes[name], first, where)
        notes += [_name_source(name, note) for note in volume.notes]
        # `translate` cleans it once more, but there nobody knows the name of this file.
        volumes[name] = card.sources[name].clean(volume, where)
    volumes[first_name] = replace(first, notes=tuple(notes))
    return volumes


def _align(volume: CleanVolume, first: CleanVolume, where: object) -> CleanVolume:
    """Return a volume with the axes of the first one; raise an error if the grids differ."""
    _, aligned = Subject.align(first, volume)
    first.geometry.require_same_grid(aligned.geometry, where)
    return aligned


def _find_position(volume: CleanVolume, others: Mapping[str, CleanVolume]) -> CleanVolume:
    """Return a volume; if its header gives no position, at that of the first other that has one."""
    for other in others.values():
        if not volume.geometry.has_position:
            volume, _ = Subject.align(volume, other)
    return volume


def _declare_content(scan: Scan, encoding: Encoding) -> Scan:
    """Return a scan that reads what an encoding takes."""
    if encoding.label_set is not None:
        scan = scan.in_labels(encoding.label_set)
    return scan.with_content(encoding.content)


def _name_source(name: str, note: str) -> str:
    """Return a note of the same kind that names the source."""
    kind = type(note) if isinstance(note, (RepairNote, AssumptionNote)) else str
    return kind(f"{name}: {note}")
