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

import os
import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import NoReturn

from oasis_gan import OASIS, OasisGanError, Scan, Selection, Subject, pair_scan

from .bundled import at_least_one, require_one_root

_SESSION = re.compile(r"OAS1_\d{4}_MR\d+")
_IMAGE = re.compile(r"(OAS1_\d{4}_MR\d+)_.+\.(hdr|img)", re.IGNORECASE)
_ENDING = re.compile(r"\.(hdr|img|nii|nii\.gz)$", re.IGNORECASE)
_LABELS, _MRI = "_t88_masked_gfc_fseg", "_t88_masked_gfc"
"""How the names of a session's label map and of the MRI on its grid end, before ``.hdr``."""

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
    found = (subject for session in _sessions(selection.root) for subject in _of_session(session, selection))
    expected, remedy = "OASIS-1 sessions such as OAS1_0001_MR1", "name a disc, or the folder of the discs"
    yield from at_least_one(found, selection.root, expected, remedy)


def _sessions(root: Path) -> Iterator[Session]:
    """Yield the sessions at or below ``root`` in one order on every machine; links to folders are not followed.

    A session is a folder of that name with all it holds, or a folder within one. Images that lie in no such folder
    belong to the session in their names.
    """
    if not root.is_dir():
        if root.exists() and (match := _IMAGE.fullmatch(root.name)):
            yield match[1], root.parent, [root]
        return
    above = [part for part in root.resolve().parts if _SESSION.fullmatch(part)]
    if above:
        yield above[-1], root, _images(root)
        return
    for parent, folders, names in os.walk(root):
        yield from _by_name(Path(parent), [Path(parent, name) for name in sorted(names)])
        folders.sort()
        for name in [name for name in folders if _SESSION.fullmatch(name)]:
            folders.remove(name)
            yield name, Path(parent, name), _images(Path(parent, name))


def _by_name(folder: Path, paths: list[Path]) -> Iterator[Session]:
    images = [path for path in paths if _is_image(path)]
    for session, group in groupby(images, key=lambda path: "_".join(path.name.split("_")[:3])):
        yield session, folder, list(group)


def _images(session: Path) -> list[Path]:
    return sorted(path for path in session.rglob("OAS1_*") if _is_image(path))


def _is_image(path: Path) -> bool:
    """Whether a pair is to be listed under this name: that of its header, or of voxels that have none."""
    if not _IMAGE.fullmatch(path.name):
        return False
    return path.suffix.lower() == ".hdr" or not any(path.with_suffix(end).exists() for end in (".hdr", ".HDR"))


def _of_session(session: Session, selection: Selection) -> Iterator[Subject]:
    name, folder, images = session
    ending = _without_type(selection.source_suffix) or ("" if images == [selection.root] else _LABELS)
    sources = [path for path in images if path.stem.endswith(ending)]
    if not sources:
        yield Subject(name, _missing(folder, ending, [], "--source-suffix"))
    for source in sources:
        key = source.stem.removesuffix(ending)
        target = _target(source, key, session, selection)
        yield Subject(name if len(sources) == 1 else key, _scan(source, selection), target)


def _without_type(suffix: str) -> str:
    return _ENDING.sub("", suffix)


def _target(source: Path, key: str, session: Session, selection: Selection) -> Scan | None:
    """Return the target of ``source``: the image of the same name up to the endings, or else the only one that fits."""
    ending = _without_type(selection.target_suffix) or ("" if selection.source_suffix else _MRI)
    _, folder, images = session
    fitting = [path for path in images if ending and path.stem.endswith(ending) and path != source]
    mates = [path for path in fitting if path.stem == key + ending] or fitting
    if len(mates) == 1:
        return _scan(mates[0], selection)
    return _missing(folder, ending, mates, "--target-suffix") if selection.target_suffix else None


def _scan(path: Path, selection: Selection) -> Scan:
    return pair_scan(path, selection.max_voxels, OASIS if path.stem.endswith(_LABELS) else None)


def _missing(folder: Path, ending: str, found: list[Path], option: str) -> Scan:
    """Return a scan that is not there, or not alone: reading it says so."""

    def refuse(path: Path) -> NoReturn:
        names, remedy = ", ".join(path.name for path in found), f"complete the session, or choose another with {option}"
        raise OasisGanError(folder, expected=f"one image {path.name}", found=names or "none", remedy=remedy)

    return Scan(folder / f"*{ending}.hdr", refuse)
