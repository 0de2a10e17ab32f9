"""Examining subjects: one volume or a pair, every check by itself, and one head on two sides of a split."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..datasets import Scan, Subject
from ..errors import one_line, printable
from ..foreign import foreign_code
from ..labels import LabelSet
from ..volume import Assumed, Mended, Volume
from . import alignment, likeness, space, voxels
from .findings import Finding, Report, Verdict

Read = tuple[Scan, Volume]


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


def examine_all(subjects: Iterable[Subject], labels: LabelSet, validate: Collection[str] = ()) -> Iterator[Examined]:
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
        alike, twin = max(((likeness.likeness(print_of_it, other), name) for name, other in others), default=(0.0, ""))
        finding = _twin_found(alike, twin)
        report = replace(report, findings=(*report.findings, finding))
        yield Examined(subject, side, report, twin if finding.verdict is Verdict.REJECT else None)


def side_of(subject: Subject, validate: Collection[str]) -> str:
    """Return the side of the split that a subject is on."""
    return "validate" if subject.name in validate else subject.split or "train"


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
        is_map = _is_map((subject.source, volume))
        return list(_one(subject.source, volume, labels, is_map=is_map)), _finite(volume)
    pair = (subject.source, subject.source.read()), (subject.target, subject.target.read())
    # A pair holds one label map at most.
    which = next((index for index, one in enumerate(pair) if _is_map(one)), None)
    findings = [
        replace(finding, message=f"{role}: {finding.message}" if finding.message else "", figures=_named(role, finding))
        for index, (role, (scan, volume)) in enumerate(zip(("source", "target"), pair, strict=True))
        for finding in _one(scan, volume, labels, is_map=index == which)
    ]
    source, target = subject.aligned(pair[0][1], pair[1][1])
    findings += space.check_mates(source.geometry, target.geometry, subject.target.path)
    findings += [Finding(Verdict.WARN, note) for note in target.notes[len(pair[1][1].notes) :]]
    mri = pair[1][1] if which == 0 else pair[0][1]
    if which is not None and Verdict.worst(finding.verdict for finding in findings) is not Verdict.REJECT:
        findings += _fit(pair[which][1], mri)
    return findings, _finite(mri)


def _one(scan: Scan, volume: Volume, labels: LabelSet, *, is_map: bool) -> Iterator[Finding]:
    """Yield what is found about one volume."""
    for note in volume.notes:
        if not isinstance(note, Assumed):
            yield Finding(Verdict.FIX if isinstance(note, Mended) else Verdict.WARN, note)
    yield from voxels.check_shape(volume)
    yield from space.check_place(volume.geometry)
    if is_map:
        yield from voxels.check_labels(volume, scan.labels or labels, scan.path)
    else:
        yield from voxels.check_intensities(volume)
    yield from voxels.check_emptiness(voxels.finite(volume.voxels) != 0)


def _fit(label_map: Volume, mri: Volume) -> Iterator[Finding]:
    """Yield whether a label map lies where its MRI does."""
    orientation = mri.geometry.orientation
    left_right = next(axis for axis, letter in enumerate(orientation) if letter in "LR")
    values = np.rint(label_map.voxels).astype(np.int32)
    aligned = alignment.align(values, voxels.finite(mri.voxels), left_right)
    if aligned is not None:
        yield alignment.judged(aligned)


def _twin_found(alike: float, name: str) -> Finding:
    if not name:
        return Finding(Verdict.ACCEPT)
    figures = {"likeness": round(alike, 4), "most_like": printable(name)}
    if alike <= likeness.SAME_HEAD:
        return Finding(Verdict.ACCEPT, figures=figures)
    return Finding(
        Verdict.REJECT, f"the same head as {name} on another side of the split (likeness {alike:.2f})", figures
    )


def _is_map(one: Read) -> bool:
    scan, volume = one
    return scan.labels is not None or voxels.looks_like_labels(volume.voxels)


def _finite(volume: Volume) -> Volume:
    return replace(volume, voxels=voxels.finite(volume.voxels))


def _named(role: str, finding: Finding) -> dict[str, object]:
    return {f"{role}_{name}": value for name, value in finding.figures.items()}
