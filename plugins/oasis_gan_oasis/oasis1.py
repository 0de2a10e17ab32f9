"""Find the sessions on the discs of OASIS-1, each of which is a folder of Analyze 7.5 pairs.

::

    disc1/OAS1_0001_MR1/RAW/OAS1_0001_MR1_mpr-1_anon.hdr
    disc1/OAS1_0001_MR1/PROCESSED/MPRAGE/SUBJ_111/OAS1_0001_MR1_mpr_n4_anon_sbj_111.hdr
    disc1/OAS1_0001_MR1/PROCESSED/MPRAGE/T88_111/OAS1_0001_MR1_mpr_n4_anon_111_t88_masked_gfc.hdr
    disc1/OAS1_0001_MR1/FSL_SEG/OAS1_0001_MR1_mpr_n4_anon_111_t88_masked_gfc_fseg.hdr

``n4`` says how many scans were averaged, and may be another number. Source: the fact sheet of
OASIS-1, https://sites.wustl.edu/oasisbrains/home/oasis-1/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from oasis_gan import (
    OASIS,
    Scan,
    Selection,
    Subject,
    has_suffix,
    pair_scan,
    stem_of,
    strip_suffix,
    walk_folders,
)

from .bundled import Report, ignore_error, list_found, require_one_root
from .errors import MissingImageError

_SESSION = re.compile(r"OAS1_\d{4}_MR\d+")
_IMAGE = re.compile(r"(OAS1_\d{4}_MR\d+)_.+\.(hdr|img)(\.gz)?", re.IGNORECASE)
_LABELS = "_t88_masked_gfc_fseg"
"""End of the name of a session's label map, before ``.hdr``."""
_MRI = "_t88_masked_gfc"
"""End of the name of the MRI on the grid of the label map."""


class Session(NamedTuple):
    """A session, which has a folder and images."""

    name: str
    folder: Path
    images: list[Path]

    def list_images(self, ending: str) -> list[Path]:
        """Return the images whose names end in ``ending``, whatever their format."""
        return [path for path in self.images if has_suffix(path.name, ending)]


def recognises(path: Path) -> bool:
    """Whether ``path`` is named like an image of OASIS-1, or is a folder that holds one."""
    return any(session.images for session in _find_sessions(path))


def list_subjects(selection: Selection) -> Iterator[Subject]:
    """List the sessions of a disc, several discs, one session or any folder with such images.

    Sources are FSL's label maps and targets are the masked, atlas-registered MRIs on the same grid,
    unless suffixes select other images. A subject is named after its session (``OAS1_0001_MR1``),
    or after the image if several images of a session match. A session without its image is listed
    too, and refused when it is read.

    Raises:
        OasisGanError: If there is no session, or targets are requested from another folder.
    """
    require_one_root(selection, "targets in the sessions", "_t88_gfc.hdr")
    yield from list_found(
        selection,
        _find_subjects,
        expected="OASIS-1 sessions such as OAS1_0001_MR1",
        remedy="name a disc, or the folder of the discs",
    )


def _find_subjects(selection: Selection, report: Report) -> Iterator[Subject]:
    for session in _find_sessions(selection.root, report):
        yield from _list_subjects_of(session, selection)


def _find_sessions(root: Path, report: Report = ignore_error) -> Iterator[Session]:
    """Yield the sessions at or below ``root``, in the same order on every machine.

    A session is a folder of that name with all it holds, or a folder within one. An image outside
    such a folder belongs to the session in its name.
    """
    if not root.is_dir():
        match = _IMAGE.fullmatch(root.name)
        if match and root.exists():
            yield Session(match[1], root.parent, [root])
        return
    # Resolved, because the root may be a link or a relative path into a session.
    parents = [part for part in root.resolve().parts if _SESSION.fullmatch(part)]
    if parents:
        yield Session(parents[-1], root, _find_images(root, report))
    else:
        yield from _walk_sessions(root, report)


def _walk_sessions(root: Path, report: Report) -> Iterator[Session]:
    """Yield the sessions below a folder that lies in no session."""

    def find_session(entry: tuple[Path, list[str]]) -> Path | None:
        folder, _ = entry
        return _find_session_folder(folder, root)

    # All folders of a session come one after the other.
    for session, folders in groupby(walk_folders(root, report=report), find_session):
        images = _list_images(folders)
        if session is None:
            yield from _group_by_name(images)
        else:
            yield Session(session.name, session, sorted(images))


def _find_session_folder(folder: Path, root: Path) -> Path | None:
    """Return the session's folder below ``root`` that a folder is or lies in, if there is one."""
    parts = folder.relative_to(root).parts
    for depth, part in enumerate(parts, start=1):
        if _SESSION.fullmatch(part):
            return root.joinpath(*parts[:depth])
    return None


def _group_by_name(images: list[Path]) -> Iterator[Session]:
    """Yield the sessions that the names of images begin with, one for each folder they lie in."""

    def split_name(path: Path) -> tuple[Path, str]:
        words = path.name.split("_")
        return path.parent, "_".join(words[:3])

    for (folder, name), group in groupby(images, split_name):
        yield Session(name, folder, list(group))


def _find_images(session: Path, report: Report) -> list[Path]:
    return sorted(_list_images(walk_folders(session, report=report)))


def _list_images(folders: Iterable[tuple[Path, list[str]]]) -> list[Path]:
    """Return the images in folders, each folder given with the names of its files."""
    images: list[Path] = []
    for folder, names in folders:
        images += _select_images(folder, names)
    return images


def _select_images(folder: Path, names: list[str]) -> list[Path]:
    """Return the images in a folder: the header of each pair, or the voxels if it has none."""
    images = [folder / name for name in names if _IMAGE.fullmatch(name)]
    headers = [path for path in images if _is_header(path)]
    stems = {stem_of(path.name) for path in headers}
    return [path for path in images if _is_header(path) or stem_of(path.name) not in stems]


def _is_header(path: Path) -> bool:
    return path.name.lower().endswith((".hdr", ".hdr.gz"))


def _list_subjects_of(session: Session, selection: Selection) -> Iterator[Subject]:
    is_one_image = session.images == [selection.root]
    # An image that is named alone is a source, whatever it holds.
    default = "" if is_one_image else _LABELS
    ending = stem_of(selection.source_suffix) or default
    sources = session.list_images(ending)
    if not sources:
        yield Subject(session.name, _refuse(session, ending, [], "source_suffix"))
    for source in sources:
        key = strip_suffix(source.name, ending) or ""
        name = session.name if len(sources) == 1 else key
        target = _find_target(source, key, session, selection)
        yield Subject(name, _make_scan(source, selection), target)


def _find_target(source: Path, key: str, session: Session, selection: Selection) -> Scan | None:
    """Return the image named like ``source`` up to the endings, or else the only one that fits."""
    default = "" if selection.source_suffix else _MRI
    ending = stem_of(selection.target_suffix) or default
    fitting = [path for path in session.list_images(ending) if ending and path != source]
    counterparts = _prefer_key(fitting, key, ending)
    if len(counterparts) == 1:
        return _make_scan(counterparts[0], selection)
    # Without a suffix nobody asked for a target: one that is not plain is no target.
    if selection.target_suffix:
        return _refuse(session, ending, counterparts, "target_suffix")
    return None


def _prefer_key(images: list[Path], key: str, ending: str) -> list[Path]:
    """Return the images that are named ``key`` up to the ending; all if there are none."""
    same_name = [path for path in images if strip_suffix(path.name, ending) == key]
    return same_name or images


def _make_scan(path: Path, selection: Selection) -> Scan:
    labels = OASIS if has_suffix(path.name, _LABELS) else None
    return pair_scan(path, selection.max_voxels, labels)


def _refuse(session: Session, ending: str, found: list[Path], option: str) -> Scan:
    """Return the scan of an image that is missing or ambiguous; reading it raises the error."""
    pattern = session.folder / f"*{ending}.hdr"
    return Scan.from_error(pattern, MissingImageError(pattern, found, option))
