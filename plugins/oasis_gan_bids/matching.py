"""Match a label map with the scan that it was made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from oasis_gan import OasisGanError

from .layout import BidsFile

_DERIVATIVE_ENTITIES = {
    "space",
    "res",
    "den",
    "desc",
    "label",
    "seg",
    "atlas",
    "scale",
    "hemi",
}
"""Entities that say how a file was made, not from what.

https://bids-specification.readthedocs.io/en/stable/derivatives/common-data-types.html
"""
_NATIVE_SPACES = {"", "orig", "T1w"}
"""Values of ``space`` for a volume in the space of the scan."""

Visit = tuple[str, str]


class AmbiguousCounterpartError(OasisGanError):
    """Several volumes match a label map equally well.

    Args:
        path: The label map.
        files: The volumes.
    """

    def __init__(self, path: Path, files: Sequence[BidsFile]) -> None:
        super().__init__(
            path,
            expected="one volume to go with it",
            found=_describe(files),
            remedy="choose with `target_suffix`",
        )


class NoCounterpartError(OasisGanError):
    """All volumes of a visit lie in another space than the label map, or belong to another scan.

    Args:
        path: The label map.
        space: Its space; empty for that of the scan.
        files: The volumes.
    """

    def __init__(self, path: Path, space: str, files: Sequence[BidsFile]) -> None:
        super().__init__(
            path,
            expected=f"a volume of the same scan in {space or 'the space of the scan'}",
            found=_describe(files),
            remedy="resample one of the two, or leave it out",
        )


def visit_of(file: BidsFile) -> Visit:
    """Return the participant and the session of a file."""
    return file.entity("sub"), file.entity("ses")


def group_by_visit(files: Iterable[BidsFile]) -> Mapping[Visit, list[BidsFile]]:
    """Group files by participant and session."""
    groups: dict[Visit, list[BidsFile]] = {}
    for file in files:
        groups.setdefault(visit_of(file), []).append(file)
    return groups


def find_counterpart(
    source: BidsFile, candidates: Sequence[BidsFile], homes: Sequence[Path]
) -> BidsFile | None:
    """Return the candidate that goes with ``source``, or None if there are no candidates.

    The counterpart lies in the same space and was made from the same scan: entities such as ``run``
    and ``acq`` agree. If several files match, one that has all of the source's entities wins.

    Args:
        source: A label map, for example.
        candidates: Files of the same participant and session.
        homes: The datasets to take it from; the first that has one wins.

    Raises:
        OasisGanError: If all candidates lie in another space or belong to another scan, or several
            match equally well.
    """
    if not candidates:
        return None
    for home in homes:
        matching = [file for file in candidates if file.home == home and _agree(source, file)]
        exact = [file for file in matching if _scan_entities(file) == _scan_entities(source)]
        best = exact or matching
        if len(best) > 1:
            raise AmbiguousCounterpartError(source.path, best)
        if best:
            return best[0]
    raise NoCounterpartError(source.path, _space_of(source), candidates)


def _agree(source: BidsFile, candidate: BidsFile) -> bool:
    """Whether two files lie in one space and agree in the entities that both have."""
    ours = _scan_entities(source)
    theirs = _scan_entities(candidate)
    shared = ours.keys() & theirs.keys()
    is_same_scan = all(ours[key] == theirs[key] for key in shared)
    return is_same_scan and _space_of(source) == _space_of(candidate)


def _scan_entities(file: BidsFile) -> dict[str, str]:
    """Return the entities that say which scan a file was made from."""
    return {key: value for key, value in file.entities.items() if key not in _DERIVATIVE_ENTITIES}


def _space_of(file: BidsFile) -> str:
    space = file.entity("space")
    return "" if space in _NATIVE_SPACES else space


def _describe(files: Sequence[BidsFile]) -> str:
    return " and ".join(f"{file.home.name}: {file.path.name}" for file in files[:8])
