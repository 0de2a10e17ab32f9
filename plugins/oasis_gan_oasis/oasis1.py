"""The discs of OASIS-1, cross-sectional: a folder a session, Analyze 7.5 pairs in it.

::

    disc1/OAS1_0001_MR1/RAW/OAS1_0001_MR1_mpr-1_anon.hdr
    disc1/OAS1_0001_MR1/PROCESSED/MPRAGE/SUBJ_111/OAS1_0001_MR1_mpr_n4_anon_sbj_111.hdr
    disc1/OAS1_0001_MR1/PROCESSED/MPRAGE/T88_111/OAS1_0001_MR1_mpr_n4_anon_111_t88_masked_gfc.hdr
    disc1/OAS1_0001_MR1/FSL_SEG/OAS1_0001_MR1_mpr_n4_anon_111_t88_masked_gfc_fseg.hdr

``n4`` says how many scans were averaged, and may be another number. Source: the fact sheet of OASIS-1,
https://sites.wustl.edu/oasisbrains/home/oasis-1/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

from oasis_gan import (
    OASIS,
    OasisGanError,
    Scan,
    Selection,
    Subject,
    has_suffix,
    pair_scan,
    stem_of,
    unreadable,
    walk_folders,
    without_suffix,
)

from .bundled import at_least_one, require_one_root

_SESSION = re.compile(r"OAS1_\d{4}_MR\d+")
_IMAGE = re.compile(r"(OAS1_\d{4}_MR\d+)_.+\.(hdr|img)(\.gz)?", re.IGNORECASE)
_LABELS = "_t88_masked_gfc_fseg"
_MRI = "_t88_masked_gfc"
"""How the names of a session's label map and of the MRI on its grid end, before ``.hdr``."""

Report = Callable[[OSError], None]
Session = tuple[str, Path, list[Path]]
"""Its name, where it lies, and its images."""


def recognises(path: Path) -> bool:
    """Whether ``path`` is called like an image of OASIS-1, or is a folder with one in it or below."""
    return any(images for _, _, images in _sessions(path))


def subjects(selection: Selection) -> Iterator[Subject]:
    """List the sessions of a disc, of several discs, of one session or of any folder with their images.

    Sources are FSL's label maps and targets the masked, atlas-registered MRIs on the same grid, unless suffixes choose
    others. A subject is named by its session (``OAS1_0001_MR1``); where several images of a session fit, by the image.
    A session that lacks its image is listed too, and fails by name when it is read.

    Raises:
        OasisGanError: If there is no session, or targets are asked for in another folder.
    """
    require_one_root(selection, "targets in the sessions", "_t88_gfc.hdr")
    errors: list[OSError] = []
    sessions = _sessions(selection.root, errors.append)
    found = (subject for session in sessions for subject in _of_session(session, selection))
    expected = "OASIS-1 sessions such as OAS1_0001_MR1"
    remedy = "name a disc, or the folder of the discs"
    yield from at_least_one(found, selection.root, expected, remedy)
    yield from (unreadable(selection.root, error) for error in errors)


def _sessions(root: Path, report: Report = lambda error: None) -> Iterator[Session]:
    """Yield the sessions at or below ``root`` in one order on every machine.

    A session is a folder of that name with all it holds, or a folder within one. Images that lie in no such folder
    belong to the session in their names.
    """
    if not root.is_dir():
        if root.exists() and (match := _IMAGE.fullmatch(root.name)):
            yield match[1], root.parent, [root]
        return
    above = [part for part in root.resolve().parts if _SESSION.fullmatch(part)]
    if above:
        yield above[-1], root, _images(root, report)
        return
    # All folders of a session come one after the other.
    for session, folders in groupby(
        walk_folders(root, report=report), lambda folder: _session_of(folder[0], root)
    ):
        images = [path for folder, names in folders for path in _listed(folder, names)]
        if session is None:
            yield from _by_name(images)
        else:
            yield session.name, session, sorted(images)


def _session_of(folder: Path, root: Path) -> Path | None:
    """Return the session's folder that a folder is or lies in, if there is one below ``root``."""
    parts = folder.relative_to(root).parts
    depth = next(
        (depth for depth, part in enumerate(parts, start=1) if _SESSION.fullmatch(part)), None
    )
    return root.joinpath(*parts[:depth]) if depth is not None else None


def _by_name(images: list[Path]) -> Iterator[Session]:
    for (folder, session), group in groupby(
        images, key=lambda path: (path.parent, path.name.split("_")[:3])
    ):
        yield "_".join(session), folder, list(group)


def _images(session: Path, report: Report) -> list[Path]:
    folders = walk_folders(session, report=report)
    return sorted(path for folder, names in folders for path in _listed(folder, names))


def _listed(folder: Path, names: list[str]) -> list[Path]:
    """Return the images among the files of a folder: of a pair the header, or the voxels if there is no header."""
    images = [folder / name for name in names if _IMAGE.fullmatch(name)]
    headers = {stem_of(path.name) for path in images if _is_header(path)}
    return [path for path in images if _is_header(path) or stem_of(path.name) not in headers]


def _is_header(path: Path) -> bool:
    return path.name.lower().endswith((".hdr", ".hdr.gz"))


def _of_session(session: Session, selection: Selection) -> Iterator[Subject]:
    name, folder, images = session
    ending = stem_of(selection.source_suffix) or ("" if images == [selection.root] else _LABELS)
    sources = [path for path in images if has_suffix(path.name, ending)]
    if not sources:
        yield Subject(name, _missing(folder, ending, [], "source_suffix"))
    for source in sources:
        key = without_suffix(source.name, ending) or ""
        target = _target(source, key, session, selection)
        yield Subject(name if len(sources) == 1 else key, _scan(source, selection), target)


def _target(source: Path, key: str, session: Session, selection: Selection) -> Scan | None:
    """Return the target of ``source``: the image of the same name up to the endings, or else the only one that fits."""
    ending = stem_of(selection.target_suffix) or ("" if selection.source_suffix else _MRI)
    _, folder, images = session
    fitting = [
        path for path in images if ending and has_suffix(path.name, ending) and path != source
    ]
    mates = [path for path in fitting if without_suffix(path.name, ending) == key] or fitting
    if len(mates) == 1:
        return _scan(mates[0], selection)
    return _missing(folder, ending, mates, "target_suffix") if selection.target_suffix else None


def _scan(path: Path, selection: Selection) -> Scan:
    return pair_scan(path, selection.max_voxels, OASIS if has_suffix(path.name, _LABELS) else None)


def _missing(folder: Path, ending: str, found: list[Path], option: str) -> Scan:
    """Return a scan that is not there, or not alone: reading it says so."""
    pattern = f"*{ending}.hdr"
    shown = ", ".join(path.name for path in found) or "none"
    remedy = f"complete the session, or choose another with {option}"
    error = OasisGanError(folder, expected=f"one image {pattern}", found=shown, remedy=remedy)
    return Scan.refused(folder / pattern, error)
