"""Match a label map with its scan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from .bids_file import BidsFile, Visit
from .errors import AmbiguousCounterpartError, NoCounterpartError


def group_by_visit(files: Iterable[BidsFile]) -> Mapping[Visit, list[BidsFile]]:
    """Group files by participant and session."""
    groups = defaultdict[Visit, list[BidsFile]](list)
    for file in files:
        groups[file.visit].append(file)
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
        NoCounterpartError: If all candidates lie in another space or belong to another scan.
        AmbiguousCounterpartError: If several match equally well.
    """
    if not candidates:
        return None
    for home in homes:
        best = _find_best(source, [file for file in candidates if file.home == home])
        if len(best) > 1:
            raise AmbiguousCounterpartError(source.path, best)
        if best:
            return best[0]
    raise NoCounterpartError(source.path, source.space, candidates)


def _find_best(source: BidsFile, candidates: Sequence[BidsFile]) -> list[BidsFile]:
    """Return the candidates that match, or only those with the same entities if there are any."""
    matching = [file for file in candidates if _agree(source, file)]
    exact = [file for file in matching if file.scan_entities == source.scan_entities]
    return exact or matching


def _agree(source: BidsFile, candidate: BidsFile) -> bool:
    """Whether two files lie in one space and agree in the entities that both have."""
    if candidate.space != source.space:
        return False
    other = candidate.scan_entities
    # An entity that only one of the names has does not tell two scans apart.
    return all(other.get(key, value) == value for key, value in source.scan_entities.items())
