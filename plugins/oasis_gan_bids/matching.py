"""Which volume goes with which: a label map and the scan that it was made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from oasis_gan import OasisGanError

from .layout import BidsFile

_OF_DERIVATIVES = {"space", "res", "den", "desc", "label", "seg", "atlas", "scale", "hemi"}
"""Entities that say how a file was made, not of what.

https://bids-specification.readthedocs.io/en/stable/derivatives/common-data-types.html
"""
_OF_THE_SCAN = {"", "orig", "T1w"}
"""What ``space`` may say of a volume that lies where it was scanned."""

Visit = tuple[str, str]


def visit(file: BidsFile) -> Visit:
    """Return the participant and the session of a file."""
    return file.entity("sub"), file.entity("ses")


def by_visit(files: Iterable[BidsFile]) -> Mapping[Visit, list[BidsFile]]:
    """Sort files by participant and session."""
    sorted_: dict[Visit, list[BidsFile]] = {}
    for file in files:
        sorted_.setdefault(visit(file), []).append(file)
    return sorted_


def mate(
    source: BidsFile, candidates: Sequence[BidsFile], homes: Sequence[Path]
) -> BidsFile | None:
    """Return the one of the candidates that goes with ``source``, or None where there are no candidates.

    It lies in the same space and was made of the same scan: entities such as ``run`` and ``acq`` agree, and where
    several do, those that both have.

    Args:
        source: A label map, for example.
        candidates: Files of the same participant and session.
        homes: The folders to take it from, the first that has one.

    Raises:
        OasisGanError: If all of them lie in another space or are of another scan, or several do equally well.
    """
    if not candidates:
        return None
    for home in homes:
        fitting = [file for file in candidates if file.home == home and _agree(source, file)]
        exact = [file for file in fitting if _scan(file) == _scan(source)]
        best = exact or fitting
        if len(best) > 1:
            remedy = "choose with `target_suffix`"
            raise OasisGanError(
                source.path, expected="one volume to go with it", found=_shown(best), remedy=remedy
            )
        if best:
            return best[0]
    expected = f"a volume of the same scan in {_space(source) or 'the space of the scan'}"
    remedy = "resample one of the two, or leave it out"
    raise OasisGanError(source.path, expected=expected, found=_shown(candidates), remedy=remedy)


def _agree(one: BidsFile, other: BidsFile) -> bool:
    ours = _scan(one)
    theirs = _scan(other)
    return _space(one) == _space(other) and all(
        ours[key] == theirs[key] for key in ours.keys() & theirs.keys()
    )


def _scan(file: BidsFile) -> dict[str, str]:
    return {key: value for key, value in file.entities.items() if key not in _OF_DERIVATIVES}


def _space(file: BidsFile) -> str:
    space = file.entity("space")
    return "" if space in _OF_THE_SCAN else space


def _shown(files: Sequence[BidsFile]) -> str:
    return " and ".join(f"{file.home.name}: {file.path.name}" for file in files[:8])
