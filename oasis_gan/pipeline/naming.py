"""Name output files after their subjects, so that names fit any file system and never collide."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..io.endings import stem_of
from ..plugin.datasets import Subject

_MAX_BYTES = 180  # of a name: file systems allow 255, and endings need room
_UNSAFE = {"Cc", "Cs", "Zl", "Zp"}  # control characters, surrogates, line and paragraph separators
# These show a name in another order than it is stored in.
_TURNING = {
    "LRE",
    "RLE",
    "LRO",
    "RLO",
    "PDF",
    "LRI",
    "RLI",
    "FSI",
    "PDI",
}
_TAG = 8  # hexadecimal digits
_FOLDERS = 6  # above a file that may become part of a name


@dataclass(frozen=True)
class Naming:
    """The names that the output of one subject may take.

    Args:
        subject: The subject's own name.
        preferred: The name for its output, distinct from those of all subjects in the same command.
        plain: The subject's name as a file name, which the output has if there is no other subject.
        alternatives: Names to take if the preferred one belongs to another subject, with that of
            the nearest folder first.
        tag: A hash of the path of the source and of the subject's name, which no other subject has.
        of_file: The names of the output if the command names the file itself or another folder
            above it, because a reader may name a subject by its path below the searched folder.
        entities: The entities of the subject, see `Subject`.
    """

    subject: str
    preferred: str
    plain: str
    alternatives: tuple[str, ...]
    tag: str
    of_file: tuple[str, ...] = ()
    entities: Mapping[str, str] = field(default_factory=dict)

    @property
    def all(self) -> tuple[str, ...]:
        """Every name that an earlier run may have given the output, whatever else it translated."""
        names = (self.preferred, self.plain, *self.alternatives, *self.of_file)
        return tuple(dict.fromkeys(names))

    @property
    def tagged(self) -> str:
        """The last of the alternatives, which ends in the tag and is always free."""
        return self.alternatives[-1]

    def label(self, name: str) -> str:
        """Return a name for the subject that is distinct, given the name of its output."""
        return self.subject if name == self.plain else name


def plan_names(subjects: Sequence[Subject]) -> list[Naming]:
    """Return the names for the output of each subject, distinct even if case is ignored.

    An output has the name of its subject. If subjects share a name, it is preceded by the name of
    the nearest folder above their files that tells them apart. If no folder does, or if a name is
    too long, it is followed by a hash of path and name.
    """
    namings = [_plan_alone(subject) for subject in subjects]
    names = _make_distinct(namings)
    return [replace(naming, preferred=name) for naming, name in zip(namings, names, strict=True)]


def fold_name(name: str) -> str:
    """Return a form that is equal for all names that a file system could take for the same.

    It is that of Unicode's canonical caseless matching.
    """
    folded = unicodedata.normalize("NFD", name).casefold()
    return unicodedata.normalize("NFD", folded)


def _plan_alone(subject: Subject) -> Naming:
    """Return the names for the output of a subject that is translated alone."""
    name = _make_safe(subject.name)
    tag = _hash_origin(subject)
    tagged = _append_tag(name, tag)
    plain = name if _fits(name) else tagged
    return Naming(
        subject=subject.name,
        preferred=plain,
        plain=plain,
        alternatives=(*_prepend_folders(name, subject), tagged),
        tag=tag,
        of_file=_name_after_file(subject),
        entities=subject.entities,
    )


def _make_distinct(namings: Sequence[Naming]) -> list[str]:
    """Return a distinct name for each subject: plain, with a folder in front, or with a tag."""
    names = [naming.plain for naming in namings]
    choices = [naming.alternatives[:-1] for naming in namings]
    for group in _find_shared(names):
        _tell_apart(names, group, choices)
    for group in _find_shared(names):
        for index in group:
            names[index] = namings[index].tagged
    return names


def _find_shared(names: Sequence[str]) -> list[list[int]]:
    """Return groups of indices of names that a file system could take for the same."""
    groups: dict[str, list[int]] = defaultdict(list)
    for index, name in enumerate(names):
        folded = fold_name(name)
        groups[folded].append(index)
    return [group for group in groups.values() if len(group) > 1]


def _tell_apart(names: list[str], shared: Sequence[int], choices: Sequence[Sequence[str]]) -> None:
    """Replace the names at the indices ``shared`` by the first choices that are all distinct."""
    others = {fold_name(name) for index, name in enumerate(names) if index not in set(shared)}
    shared_choices = [choices[index] for index in shared]
    # Files may have different numbers of folders above them.
    for chosen in zip(*shared_choices, strict=False):
        folded = {fold_name(name) for name in chosen}
        are_distinct = len(folded) == len(shared)
        if are_distinct and folded.isdisjoint(others):
            for index, name in zip(shared, chosen, strict=True):
                names[index] = name
            return


def _prepend_folders(name: str, subject: Subject) -> list[str]:
    """Return a name with each folder above the subject's file in front, then with several."""
    parents = subject.source.path.absolute().parents
    folders = [_make_safe(folder.name) for folder in parents if folder.name]
    folders = folders[:_FOLDERS]
    paths = ["_".join(reversed(folders[:count])) for count in range(2, len(folders) + 1)]
    names = [f"{prefix}_{name}" for prefix in (*folders, *paths)]
    return list(filter(_fits, names))


def _name_after_file(subject: Subject) -> tuple[str, ...]:
    """Return the names of an output that is named after the file of its source."""
    stem = _make_safe(stem_of(subject.source.path.name))
    return (stem, *_prepend_folders(stem, subject))


def _fits(name: str) -> bool:
    """Tell whether a name leaves room for an ending."""
    return len(name.encode()) <= _MAX_BYTES


def _make_safe(name: str) -> str:
    """Replace characters that could leave the folder, break a line or disguise a name."""
    safe = "".join("_" if _is_unsafe(c) else c for c in name)
    # Hidden files are easily overlooked.
    return safe.lstrip(".") or "subject"


def _is_unsafe(c: str) -> bool:
    """Tell whether a file name should not have a character."""
    return (
        c in '/\\:*?"<>|'
        or unicodedata.category(c) in _UNSAFE
        or unicodedata.bidirectional(c) in _TURNING
    )


def _hash_origin(subject: Subject) -> str:
    """Return a hash of the path of the source and of the subject's name."""
    path = os.path.realpath(subject.source.path)
    # Names of files may hold bytes that are no UTF-8.
    key = f"{path}\0{subject.name}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(key).hexdigest()[:_TAG]


def _append_tag(name: str, tag: str) -> str:
    """Return a name of bounded length that ends in a tag."""
    # The cut may go through a character, which is left out then.
    short = name.encode()[: _MAX_BYTES - _TAG - 1].decode("utf-8", "ignore")
    return f"{short}-{tag}"
