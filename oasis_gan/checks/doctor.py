"""Examining subjects: one volume or a pair, every check by itself, and one head on two sides of a split."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..errors import OasisGanError, one_line, printable
from ..image.label_conversion import convert, require_labels
from ..image.label_sets import OASIS, readable_values
from ..image.labels import LabelSet
from ..image.volume import Assumed, CleanVolume, Mended, Volume
from ..io.endings import composed
from ..io.label_doubt import presume
from ..plugin.datasets import Scan, Subject
from ..plugin.foreign import foreign_code
from . import alignment, likeness, space, tissue_order, voxels
from .findings import Finding, Report, Verdict


@dataclass(frozen=True)
class Examined:
    """A subject after its examination.

    Args:
        subject: Who.
        side: Of the split: ``train``, ``validate`` or ``test``.
        report: What was found.
        twin: The subject on another side that shows the same head, if there is one.
    """

    subject: Subject
    side: str
    report: Report
    twin: str | None = None


def examine_all(
    subjects: Iterable[Subject], labels: LabelSet, validate: Collection[str] = ()
) -> Iterator[Examined]:
    """Examine subjects one after the other; what is wrong with one stays with it.

    Kept are fingerprints, and only where there is more than one side of a split.

    Args:
        subjects: Whom.
        labels: What the values of label maps mean, where their layout does not say.
        validate: The names of those that are held out.
    """
    subjects = list(subjects)
    sides = [side_of(subject, validate) for subject in subjects]
    seen: dict[str, list[tuple[str, likeness.Fingerprint]]] = defaultdict(list)
    for subject, side in zip(subjects, sides, strict=True):
        report, print_of_it = examine(subject, labels, fingerprinted=len(set(sides)) > 1)
        # Who is left out anyway is nobody's twin.
        if print_of_it is None or report.verdict is Verdict.REJECT:
            yield Examined(subject, side, report)
            continue
        others = [one for other, there in seen.items() if other != side for one in there]
        seen[side].append((subject.name, print_of_it))
        alike, twin = max(
            ((likeness.likeness(print_of_it, other), name) for name, other in others),
            default=(0.0, ""),
        )
        finding = _twin_found(alike, twin)
        report = replace(report, findings=(*report.findings, finding))
        yield Examined(subject, side, report, twin if finding.verdict is Verdict.REJECT else None)


def side_of(subject: Subject, validate: Collection[str]) -> str:
    """Return the side of the split that a subject is on; accented letters may be composed in either way."""
    is_held_out = composed(subject.name) in {composed(name) for name in validate}
    return "validate" if is_held_out else subject.split or "train"


def examine(
    subject: Subject, labels: LabelSet, *, fingerprinted: bool = False
) -> tuple[Report, likeness.Fingerprint | None]:
    """Read a subject, check it, and take its fingerprint if asked to."""
    try:
        with foreign_code(subject.source.path):
            findings, head = _examined(subject, labels)
        taken = likeness.fingerprint(head) if fingerprinted else None
    # Readers may be anybody's: whatever they raise stays with this subject.
    except Exception as error:  # noqa: BLE001
        return Report(subject.name, (Finding(Verdict.REJECT, one_line(error)),)), None
    return Report(subject.name, tuple(findings)), taken


def _examined(subject: Subject, labels: LabelSet) -> tuple[list[Finding], Volume]:
    """Return what was found, and the volume that shows the head best: the MRI, or else the label map."""
    if subject.target is None:
        volume = subject.source.read()
        return [*_one(subject.source, volume, labels), *_further(subject, volume, labels)], volume
    pair = _read_pair(subject.source, subject.target)
    findings = [
        _of_role(role, finding)
        for role, scan, volume in zip(
            ("source", "target"), (subject.source, subject.target), pair, strict=True
        )
        for finding in _one(scan, volume, labels)
    ]
    source, target = subject.aligned(*pair)
    findings += space.check_mates(source.geometry, target.geometry, subject.target.path)
    findings += _noted(target.notes[len(pair[1].notes) :])
    findings += _further(subject, source, labels)
    label_map = next((volume for volume in (source, target) if volume.content == "labels"), None)
    mri = target if label_map is source else source
    if (
        label_map is not None
        and Verdict.worst(finding.verdict for finding in findings) is not Verdict.REJECT
    ):
        findings += _fit(label_map, mri)
        scans = (subject.source, subject.target)
        label_scan, mri_scan = scans if label_map is source else reversed(scans)
        findings += _order(label_scan, label_map, labels, mri, mri_scan.path)
    return findings, mri


def _further(subject: Subject, source: CleanVolume, labels: LabelSet) -> Iterator[Finding]:
    """Yield what is found about the further sources of a subject, and whether they lie on the grid of the first."""
    for name, scan in subject.further.items():
        volume = scan.read()
        first, turned = subject.aligned(source, volume)
        for finding in (*_one(scan, volume, labels), *_noted(turned.notes[len(volume.notes) :])):
            yield _of_role(name, finding)
        yield from space.check_mates(first.geometry, turned.geometry, scan.path)


def _of_role(role: str, finding: Finding) -> Finding:
    """Return a finding that says which volume of a subject it is about."""
    message = f"{role}: {finding.message}" if finding.message else ""
    figures = {f"{role}_{name}": value for name, value in finding.figures.items()}
    return replace(finding, message=message, figures=figures)


def _read_pair(source: Scan, target: Scan) -> tuple[CleanVolume, CleanVolume]:
    """Read two volumes, of which one is a label map at most: what one is known to be decides what the other is."""
    if source.known_content is None and target.known_content == "labels":
        source = source.holding("image")
    first = source.read()
    if target.known_content is None and first.content == "labels":
        target = target.holding("image")
    return first, target.read()


def _one(scan: Scan, volume: CleanVolume, labels: LabelSet) -> Iterator[Finding]:
    """Yield what is found about one volume."""
    yield from _noted(volume.notes)
    yield from voxels.check_shape(volume)
    yield from space.check_place(volume.geometry)
    yield from voxels.check_picture(volume.geometry)
    yield from voxels.check_room(volume, scan.path)
    if volume.content == "labels":
        yield from _check_labels(scan, volume, labels)
    else:
        yield from voxels.check_intensities(volume)
    yield from voxels.check_emptiness(volume.voxels != 0)


def _check_labels(scan: Scan, volume: CleanVolume, labels: LabelSet) -> Iterator[Finding]:
    """Yield what is found about the values of a label map, and about what they mean."""
    if scan.labels is None:
        noted = len(volume.notes)
        try:
            volume = presume(volume, labels, scan.path, scan.advice)
        except OasisGanError as error:
            yield Finding(Verdict.REJECT, str(error))
            return
        yield from _noted(volume.notes[noted:])
    else:
        try:
            require_labels(volume, readable_values(scan.labels), scan.path, scan.advice)
        except OasisGanError as error:
            yield Finding(Verdict.REJECT, str(error))
            return
    yield from voxels.check_labels(volume, scan.labels or labels, scan.path)


def _noted(notes: Iterable[str]) -> Iterator[Finding]:
    for note in notes:
        if not isinstance(note, Assumed):
            yield Finding(Verdict.FIX if isinstance(note, Mended) else Verdict.WARN, note)


def _fit(label_map: Volume, mri: Volume) -> Iterator[Finding]:
    """Yield whether a label map lies where its MRI does."""
    orientation = mri.geometry.orientation
    left_right = next(axis for axis, letter in enumerate(orientation) if letter in "LR")
    values = np.rint(label_map.voxels).astype(np.int32)
    aligned = alignment.align(values, mri.voxels, left_right)
    if aligned is not None:
        yield alignment.judged(aligned)


def _order(
    scan: Scan, label_map: Volume, labels: LabelSet, mri: Volume, mri_path: Path
) -> Iterator[Finding]:
    """Yield whether the MRI's greys come in the order of the tissues; nothing where labels are no tissues."""
    try:
        tissues = convert(label_map, scan.labels or labels, OASIS, scan.path)
    except OasisGanError:
        return
    yield from tissue_order.check_tissue_order(
        tissues.voxels, mri.voxels, mri_path, is_known=scan.labels is not None
    )


def _twin_found(alike: float, name: str) -> Finding:
    if not name:
        return Finding(Verdict.ACCEPT)
    figures = {"likeness": round(alike, 4), "most_like": printable(name)}
    if alike <= likeness.SAME_HEAD:
        return Finding(Verdict.ACCEPT, figures=figures)
    return Finding(
        Verdict.REJECT,
        f"the same head as {name} on another side of the split (likeness {alike:.2f})",
        figures,
    )
