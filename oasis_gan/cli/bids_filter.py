"""Choose subjects by a file of BIDS filters, as fMRIPrep takes it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import OasisGanError
from ..io.endings import ending_of, stem_of
from ..io.files import read_small
from ..plugin.datasets import Subject
from .lines import log

Filter = Mapping[str, object]
"""The values that each entity may have, by its name."""
_SHORT_NAMES = {
    "subject": "sub",
    "session": "ses",
    "acquisition": "acq",
    "ceagent": "ce",
    "reconstruction": "rec",
    "resolution": "res",
    "density": "den",
    "segmentation": "seg",
    "hemisphere": "hemi",
}
"""The keys in file names, by the names that PyBIDS has for them; other names are equal."""
_QUERIES = {"Query.ANY": True, "Query.REQUIRED": True, "Query.NONE": False, "*": True}
"""Whether an entity is present, for values that do not name a label."""


class BadFilterError(OasisGanError):
    """A file of BIDS filters cannot be used."""

    def __init__(self, path: Path, found: str) -> None:
        super().__init__(
            path,
            expected='filters as in {"dseg": {"session": "1", "space": null}}',
            found=found,
            remedy="see docs/bids-app.md",
        )


class NothingLeftError(OasisGanError):
    """There is no subject that passes the filters."""

    def __init__(self, path: Path, count: int) -> None:
        super().__init__(
            path,
            expected="filters that some subject passes",
            found=f"none of {count} does",
            remedy="compare the values with the names of the files",
        )


def read_filters(path: Path) -> dict[str, Filter]:
    """Return the filters of a file, by the kind of data that each one concerns.

    Raises:
        BadFilterError: If it holds something else.
        OSError: If it cannot be read.
    """
    try:
        content = json.loads(read_small(path))
    except ValueError as error:
        raise BadFilterError(path, f"no JSON: {error}") from None
    if not isinstance(content, dict):
        raise BadFilterError(path, type(content).__name__)
    for kind, entities in content.items():
        if not isinstance(entities, dict):
            raise BadFilterError(path, f"{kind}: {type(entities).__name__}")
    return content


def filter_subjects(subjects: Sequence[Subject], path: Path) -> list[Subject]:
    """Return the subjects whose sources pass the filter for their kind of data.

    A filter is for ``dseg`` or ``T1w``, for example, in any case; others are reported.

    Raises:
        BadFilterError: If the file cannot be used.
        NothingLeftError: If no subject is left.
    """
    filters = {kind.lower(): entities for kind, entities in read_filters(path).items()}
    kinds = {_read_suffix(subject).lower() for subject in subjects}
    for kind in filters.keys() - kinds:
        log(f"{path}: the filter for {kind} has nothing to do: no source is of that kind")
    kept = [subject for subject in subjects if _passes(subject, filters)]
    if subjects and not kept:
        raise NothingLeftError(path, len(subjects))
    return kept


def _passes(subject: Subject, filters: Mapping[str, Filter]) -> bool:
    """Tell whether a subject passes the filter for its kind of data, if there is one."""
    conditions = filters.get(_read_suffix(subject).lower(), {})
    properties = _describe(subject)
    return all(
        _agrees(properties.get(_SHORT_NAMES.get(name, name)), condition)
        for name, condition in conditions.items()
    )


def _describe(subject: Subject) -> dict[str, str]:
    """Return the entities of a source, and what else its path says."""
    path = subject.source.path
    return {
        **subject.entities,
        "suffix": _read_suffix(subject),
        "datatype": path.parent.name,
        "extension": ending_of(path.name),
    }


def _read_suffix(subject: Subject) -> str:
    """Return the suffix of BIDS of a source, such as ``dseg``."""
    return stem_of(subject.source.path.name).rpartition("_")[2]


def _agrees(value: str | None, condition: object) -> bool:
    """Tell whether an entity, or None for an absent one, has a value that a filter asks for."""
    if isinstance(condition, list):
        return any(_agrees(value, alternative) for alternative in condition)
    if condition is None:
        return value is None
    if condition == "Query.OPTIONAL":
        return True
    if isinstance(condition, str) and condition in _QUERIES:
        return _QUERIES[condition] == (value is not None)
    return value is not None and _fold(value) == _fold(str(condition))


def _fold(label: str) -> str:
    """Return a label so that an index of ``01`` equals one of ``1``."""
    return str(int(label)) if label.isdecimal() else label
