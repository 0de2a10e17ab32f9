"""Run all checks on subjects, and find heads that are on two sides of a split."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..errors import OasisGanError, one_line, printable
from ..image.label_conversion import convert, require_labels
from ..image.label_sets import OASIS, include_rare_labels
from ..image.labels import LabelSet
from ..image.volume import AssumptionNote, CleanVolume, RepairNote, Volume
from ..io.endings import composed
from ..io.label_doubt import presume
from ..plugin.datasets import Scan, Subject
from ..plugin.foreign import foreign_code
from . import alignment, likeness, space, tissue_order, voxels
from .findings import Finding, Report, Verdict


@dataclass(frozen=True)
class CheckResult:
    """The result of checking a subject.

    Args:
        subject: The subject that was checked.
        side: Its side of the split: ``train``, ``validate`` or ``test``.
        report: What the checks found.
        duplicate: The name of a subject on another side that shows the same head, if there is one.
    """

    subject: Subject
    side: str
    report: Report
    duplicate: str | None = None


def examine_all(
    subjects: Iterable[Subject], labels: LabelSet, validate: Collection[str] = ()
) -> Iterator[CheckResult]:
    """Check subjects one after the other; a problem with one subject does not affect the others.

    Only fingerprints are kept in memory, and only if the split has more than one side.

    Args:
        subjects: The subjects to check.
        labels: What the values of label maps mean, where their layout does not say.
        validate: The names of the subjects that are held out.
    """
    subjects = list(subjects)
    sides = [side_of(subject, validate) for subject in subjects]
    has_split = len(set(sides)) > 1
    seen: dict[str, list[tuple[str, likeness.Fingerprint]]] = defaultdict(list)
    for subject, side in zip(subjects, sides, strict=True):
        report, fingerprint = examine(subject, labels, fingerprinted=has_split)
        # Rejected subjects cannot be duplicates.
        if fingerprint is None or report.verdict is Verdict.REJECT:
            yield CheckResult(subject, side, report)
            continue
        similarity, most_similar = _find_most_similar(fingerprint, seen, side)
        seen[side].append((subject.name, fingerprint))
        finding = _judge_similarity(similarity, most_similar)
        report = replace(report, findings=(*report.findings, finding))
        duplicate = most_similar if finding.verdict is Verdict.REJECT else None
        yield CheckResult(subject, side, report, duplicate)


def _find_most_similar(
    fingerprint: likeness.Fingerprint,
    seen: Mapping[str, Sequence[tuple[str, likeness.Fingerprint]]],
    side: str,
) -> tuple[float, str]:
    """Return the largest similarity to a subject on another side, and the name of that subject."""
    best = (0.0, "")
    for other_side, subjects in seen.items():
        if other_side == side:
            continue
        for name, other in subjects:
            best = max(best, (likeness.likeness(fingerprint, other), name))
    return best


def side_of(subject: Subject, validate: Collection[str]) -> str:
    """Return the side of the split that a subject is on.

    Names are compared in composed Unicode, because accented letters may be stored in two ways.
    """
    held_out = {composed(name) for name in validate}
    if composed(subject.name) in held_out:
        return "validate"
    return subject.split or "train"


def examine(
    subject: Subject, labels: LabelSet, *, fingerprinted: bool = False
) -> tuple[Report, likeness.Fingerprint | None]:
    """Read and check a subject, and return its fingerprint too if ``fingerprinted`` is set."""
    fingerprint = None
    try:
        with foreign_code(subject.source.path):
            findings, head = _check_subject(subject, labels)
        if fingerprinted:
            fingerprint = likeness.fingerprint(head)
    # A reader may come from a plugin: whatever it raises must not reach the other subjects.
    except Exception as error:  # noqa: BLE001
        finding = Finding(Verdict.REJECT, one_line(error))
        return Report(subject.name, (finding,)), None
    return Report(subject.name, tuple(findings)), fingerprint


def _check_subject(subject: Subject, labels: LabelSet) -> tuple[list[Finding], Volume]:
    """Return the findings and the volume that shows the head best, which is the MRI if any."""
    if subject.target is None:
        volume = subject.source.read()
        findings = [
            *_check_volume(subject.source, volume, labels),
            *_check_further_sources(subject, volume, labels),
        ]
        return findings, volume
    return _check_pair(subject, subject.target, labels)


def _check_pair(
    subject: Subject, target_scan: Scan, labels: LabelSet
) -> tuple[list[Finding], Volume]:
    """Return the findings of a source and its target, and the volume that shows the head best."""
    source_scan = subject.source
    source, unaligned = _read_pair(source_scan, target_scan)
    source_findings = _check_volume(source_scan, source, labels)
    target_findings = _check_volume(target_scan, unaligned, labels)
    findings = [_name_role("source", finding) for finding in source_findings]
    findings += [_name_role("target", finding) for finding in target_findings]
    source, target = subject.aligned(source, unaligned)
    findings += space.check_same_grid(source.geometry, target.geometry, target_scan.path)
    findings += _notes_as_findings(target.notes[len(unaligned.notes) :])
    findings += _check_further_sources(subject, source, labels)
    worst = Verdict.worst(finding.verdict for finding in findings)
    is_comparable = worst is not Verdict.REJECT
    if source.content == "labels":
        if is_comparable:
            findings += _check_match(source_scan, source, labels, target, target_scan.path)
        return findings, target
    if target.content == "labels" and is_comparable:
        findings += _check_match(target_scan, target, labels, source, source_scan.path)
    return findings, source


def _check_match(
    label_scan: Scan, label_map: CleanVolume, labels: LabelSet, mri: CleanVolume, mri_path: Path
) -> Iterator[Finding]:
    """Check that a label map and an MRI belong together."""
    yield from _check_alignment(label_map, mri)
    yield from _check_tissue_order(label_scan, label_map, labels, mri, mri_path)


def _check_further_sources(
    subject: Subject, source: CleanVolume, labels: LabelSet
) -> Iterator[Finding]:
    """Check the further sources of a subject, and whether they share the grid of the first."""
    for name, scan in subject.further.items():
        volume = scan.read()
        first, aligned = subject.aligned(source, volume)
        added_notes = aligned.notes[len(volume.notes) :]
        for finding in _check_volume(scan, volume, labels):
            yield _name_role(name, finding)
        for finding in _notes_as_findings(added_notes):
            yield _name_role(name, finding)
        yield from space.check_same_grid(first.geometry, aligned.geometry, scan.path)


def _name_role(role: str, finding: Finding) -> Finding:
    """Return a finding that names the volume of the subject that it is about."""
    message = f"{role}: {finding.message}" if finding.message else ""
    figures = {f"{role}_{name}": value for name, value in finding.figures.items()}
    return replace(finding, message=message, figures=figures)


def _read_pair(source: Scan, target: Scan) -> tuple[CleanVolume, CleanVolume]:
    """Read a source and its target; at most one of them is a label map.

    Where the content of one is known, it decides the content of the other.
    """
    if source.known_content is None and target.known_content == "labels":
        source = source.holding("image")
    first = source.read()
    if target.known_content is None and first.content == "labels":
        target = target.holding("image")
    return first, target.read()


def _check_volume(scan: Scan, volume: CleanVolume, labels: LabelSet) -> Iterator[Finding]:
    """Run the checks that need one volume only."""
    yield from _notes_as_findings(volume.notes)
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
    """Check the values of a label map and what they mean."""
    if scan.labels is None:
        notes_before = len(volume.notes)
        try:
            volume = presume(volume, labels, scan.path, scan.advice)
        except OasisGanError as error:
            yield Finding(Verdict.REJECT, str(error))
            return
        yield from _notes_as_findings(volume.notes[notes_before:])
    else:
        try:
            require_labels(volume, include_rare_labels(scan.labels), scan.path, scan.advice)
        except OasisGanError as error:
            yield Finding(Verdict.REJECT, str(error))
            return
    yield from voxels.check_labels(volume, scan.labels or labels, scan.path)


def _notes_as_findings(notes: Iterable[str]) -> Iterator[Finding]:
    """Turn the notes on a volume into findings; an assumption is none."""
    for note in notes:
        if isinstance(note, AssumptionNote):
            continue
        verdict = Verdict.FIX if isinstance(note, RepairNote) else Verdict.WARN
        yield Finding(verdict, note)


def _check_alignment(label_map: Volume, mri: Volume) -> Iterator[Finding]:
    """Check whether a label map is aligned with its MRI."""
    orientation = mri.geometry.orientation
    left_right = next(axis for axis, letter in enumerate(orientation) if letter in "LR")
    values = np.rint(label_map.voxels).astype(np.int32)
    aligned = alignment.align(values, mri.voxels, left_right)
    if aligned is not None:
        yield alignment.judge(aligned)


def _check_tissue_order(
    scan: Scan, label_map: Volume, labels: LabelSet, mri: Volume, mri_path: Path
) -> Iterator[Finding]:
    """Compare an MRI with the tissues of its label map, unless the labels are not tissues."""
    try:
        tissues = convert(label_map, scan.labels or labels, OASIS, scan.path)
    except OasisGanError:
        return
    yield from tissue_order.check_tissue_order(
        tissues.voxels, mri.voxels, mri_path, is_known=scan.labels is not None
    )


def _judge_similarity(similarity: float, name: str) -> Finding:
    """Return a finding that rejects a head that is already on another side of the split."""
    if not name:
        return Finding(Verdict.ACCEPT)
    figures = {"likeness": round(similarity, 4), "most_like": printable(name)}
    if similarity <= likeness.SAME_HEAD:
        return Finding(Verdict.ACCEPT, figures=figures)
    message = f"the same head as {name} on another side of the split (likeness {similarity:.2f})"
    return Finding(Verdict.REJECT, message, figures)
