"""Run all checks on subjects."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..errors import OasisGanError, one_line
from ..image.label_conversion import convert, require_labels
from ..image.label_sets import OASIS, include_rare_labels
from ..image.labels import LabelSet
from ..image.slicing import find_voxel_axes
from ..image.volume import AssumptionNote, CleanVolume, Geometry, RepairNote, Volume
from ..io.endings import compose_accents
from ..io.label_doubt import assume_label_set
from ..plugin.datasets import Scan, Subject
from ..plugin.foreign import foreign_code
from . import alignment, space, tissue_order, voxels
from .duplicates import SeenHeads
from .findings import Finding, Report, Verdict, fix, reject, warn
from .similarity import Fingerprint, make_fingerprint


@dataclass(frozen=True)
class CheckResult:
    """What checking a subject has found.

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


@dataclass(frozen=True)
class _ReadScan:
    """A scan, and the volume that was read from it."""

    scan: Scan
    volume: CleanVolume

    @property
    def holds_labels(self) -> bool:
        """Whether the volume is a label map."""
        return self.volume.content == "labels"

    @property
    def grid(self) -> Geometry:
        """Where the voxels of the volume lie."""
        return self.volume.geometry

    @property
    def label_set(self) -> LabelSet | None:
        """The label set of the volume, if its layout says which."""
        return self.scan.labels

    def align(self, other: _ReadScan) -> tuple[_ReadScan, _ReadScan]:
        """Return both with the axes of this one; see `Subject.align`."""
        volume, other_volume = Subject.align(self.volume, other.volume)
        return replace(self, volume=volume), replace(other, volume=other_volume)


def examine_all(
    subjects: Iterable[Subject],
    labels: LabelSet,
    validate: Collection[str] = (),
) -> Iterator[CheckResult]:
    """Check subjects one after the other; a problem with one subject does not affect the others.

    Only fingerprints are kept in memory, and only if the split has more than one side.

    Args:
        subjects: The subjects to check.
        labels: What the values of label maps mean, where their layout does not say.
        validate: The names of the subjects that are held out.
    """
    subjects = list(subjects)
    sides = [find_side(subject, validate) for subject in subjects]
    has_split = len(set(sides)) > 1
    seen = SeenHeads()
    for subject, side in zip(subjects, sides, strict=True):
        report, fingerprint = examine(subject, labels, fingerprinted=has_split)
        # Rejected subjects cannot be duplicates.
        if fingerprint is None or report.verdict is Verdict.REJECT:
            yield CheckResult(subject, side, report)
            continue
        match = seen.find_match(fingerprint, side)
        seen.add(subject.name, fingerprint, side)
        yield CheckResult(
            subject,
            side,
            report=report.add(match.judge()),
            duplicate=match.name if match.is_duplicate else None,
        )


def find_side(subject: Subject, validate: Collection[str]) -> str:
    """Return the side of the split that holds a subject.

    Names are compared in composed Unicode, because accented letters may be stored in two ways.
    """
    held_out = {compose_accents(name) for name in validate}
    if compose_accents(subject.name) in held_out:
        return "validate"
    return subject.split or "train"


def examine(
    subject: Subject,
    labels: LabelSet,
    *,
    fingerprinted: bool = False,
) -> tuple[Report, Fingerprint | None]:
    """Read and check a subject, and return its fingerprint too if ``fingerprinted`` is set."""
    fingerprint = None
    try:
        with foreign_code(subject.source.path):
            findings, head = _check_subject(subject, labels)
        if fingerprinted:
            fingerprint = make_fingerprint(head)
    # A reader may come from a plugin: whatever it raises must not reach the other subjects.
    except Exception as error:  # noqa: BLE001
        finding = reject(one_line(error))
        return Report(subject.name, (finding,)), None
    return Report(subject.name, tuple(findings)), fingerprint


def _check_subject(subject: Subject, labels: LabelSet) -> tuple[list[Finding], Volume]:
    """Return the findings and the volume that shows the head best, which is the MRI if any."""
    if subject.target is not None:
        return _check_pair(subject, subject.target, labels)
    source = _ReadScan(subject.source, subject.source.read())
    findings = [
        *_check_volume(source, labels),
        *_check_further_sources(subject, source, labels),
    ]
    return findings, source.volume


def _check_pair(
    subject: Subject,
    target_scan: Scan,
    labels: LabelSet,
) -> tuple[list[Finding], Volume]:
    """Return the findings of a source and its target, and the volume that shows the head best."""
    source, target = _read_pair(subject.source, target_scan)
    findings = [
        *_name_role("source", _check_volume(source, labels)),
        *_name_role("target", _check_volume(target, labels)),
    ]
    source, aligned = source.align(target)
    findings += space.check_same_grid(source.grid, aligned.grid, target_scan.path)
    findings += _judge_added_notes(target.volume, aligned.volume)
    findings += _check_further_sources(subject, source, labels)
    mri = aligned if source.holds_labels else source
    label_map = source if source.holds_labels else aligned
    # A fault that rejects one of the volumes would show again as a misalignment.
    worst = Verdict.worst(finding.verdict for finding in findings)
    if label_map.holds_labels and worst is not Verdict.REJECT:
        findings += _check_match(label_map, mri, labels)
    return findings, mri.volume


def _read_pair(source: Scan, target: Scan) -> tuple[_ReadScan, _ReadScan]:
    """Read a source and its target; at most one of them is a label map.

    Where the content of one is known, it decides the content of the other.
    """
    if source.known_content is None and target.known_content == "labels":
        source = source.with_content("image")
    first = _ReadScan(source, source.read())
    if target.known_content is None and first.holds_labels:
        target = target.with_content("image")
    return first, _ReadScan(target, target.read())


def _check_further_sources(
    subject: Subject,
    source: _ReadScan,
    labels: LabelSet,
) -> Iterator[Finding]:
    """Check the further sources of a subject, and whether they share the grid of the first."""
    for name, scan in subject.further.items():
        further = _ReadScan(scan, scan.read())
        first, aligned = source.align(further)
        findings = [
            *_check_volume(further, labels),
            *_judge_added_notes(further.volume, aligned.volume),
        ]
        yield from _name_role(name, findings)
        yield from space.check_same_grid(first.grid, aligned.grid, scan.path)


def _name_role(role: str, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield findings that name the volume of the subject that they are about."""
    for finding in findings:
        message = f"{role}: {finding.message}" if finding.message else ""
        figures = {}
        for name, value in finding.figures.items():
            figures[f"{role}_{name}"] = value
        yield replace(finding, message=message, figures=figures)


def _check_volume(read: _ReadScan, labels: LabelSet) -> Iterator[Finding]:
    """Run the checks that need one volume only."""
    volume = read.volume
    yield from _judge_notes(volume.notes)
    yield from voxels.check_shape(volume)
    yield from space.check_place(volume.geometry)
    yield from voxels.check_picture(volume.geometry)
    yield from voxels.check_room(volume, read.scan.path)
    if read.holds_labels:
        yield from _check_labels(read, labels)
    else:
        yield from voxels.check_intensities(volume)
    yield from voxels.check_emptiness(volume)


def _check_labels(read: _ReadScan, labels: LabelSet) -> Iterator[Finding]:
    """Check the values of a label map and what they mean."""
    try:
        volume = _require_meaning(read, labels)
    except OasisGanError as error:
        yield reject(error)
        return
    yield from _judge_added_notes(read.volume, volume)
    yield from voxels.check_labels(volume, read.label_set or labels, read.scan.path)


def _require_meaning(read: _ReadScan, labels: LabelSet) -> CleanVolume:
    """Return a label map whose values mean what its layout says, or else what ``labels`` says.

    Raises:
        OasisGanError: If its values cannot mean that.
    """
    scan = read.scan
    if scan.labels is None:
        return assume_label_set(read.volume, labels, scan.path, scan.advice)
    known = include_rare_labels(scan.labels)
    require_labels(read.volume, known, scan.path, scan.advice)
    return read.volume


def _judge_notes(notes: Iterable[str]) -> Iterator[Finding]:
    """Turn the notes on a volume into findings; an assumption is none."""
    for note in notes:
        if isinstance(note, RepairNote):
            yield fix(note)
        elif not isinstance(note, AssumptionNote):
            yield warn(note)


def _judge_added_notes(before: Volume, after: Volume) -> Iterator[Finding]:
    """Turn into findings the notes that a step has added to a volume."""
    added = after.notes[len(before.notes) :]
    return _judge_notes(added)


def _check_match(label_map: _ReadScan, mri: _ReadScan, labels: LabelSet) -> Iterator[Finding]:
    """Check that a label map and an MRI belong together."""
    yield from _check_alignment(label_map.volume, mri.volume)
    yield from _check_tissue_order(label_map, mri, labels)


def _check_alignment(label_map: Volume, mri: Volume) -> Iterator[Finding]:
    """Check whether a label map is aligned with its MRI."""
    values = np.rint(label_map.voxels).astype(np.int32)
    left_right, _, _ = find_voxel_axes(mri.geometry.affine)
    aligned = alignment.align(values, mri.voxels, left_right)
    if aligned is not None:
        yield alignment.judge(aligned)


def _check_tissue_order(
    label_map: _ReadScan,
    mri: _ReadScan,
    labels: LabelSet,
) -> Iterator[Finding]:
    """Compare an MRI with the tissues of its label map, unless the labels are not tissues."""
    label_set = label_map.label_set or labels
    try:
        tissues = convert(label_map.volume, label_set, OASIS, label_map.scan.path)
    except OasisGanError:
        return
    yield from tissue_order.check_tissue_order(
        tissues.voxels,
        mri.volume.voxels,
        mri.scan.path,
        is_known=label_map.label_set is not None,
    )
