"""Names for output files: they carry the subject's name, fit any file system, and never collide."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..io.endings import stem_of
from ..plugin.datasets import Subject

_MAX_BYTES = 180  # of a name, which leaves room in the usual 255 for what is put behind it
_UNSAFE = {"Cc", "Cs", "Zl", "Zp"}  # control characters, surrogates, line and paragraph separators
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
}  # show a name in another order than it is in
_TAG = 8  # hexadecimal digits that tell apart what would collide
_FOLDERS = 6  # above a file that are looked at


@dataclass(frozen=True)
class Naming:
    """The names that the output of one subject may take.

    Args:
        subject: The subject's own name.
        preferred: The name for its output, distinct from those of all subjects in the same command.
        plain: The subject's name as a file name; the output has it where the subject is alone.
        alternatives: Names to take where the preferred one belongs to another subject, nearest folder first.
        tag: Tells the subject from any other: a hash of its source's path and of its name.
        of_file: The names that the output has where the file is named, or another folder above it: a reader may call
            a subject by its path below the folder that is searched.
        entities: Whose the subject is, see `Subject`.
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
        """Every name under which an earlier run may have put the output, whatever its company was."""
        return tuple(dict.fromkeys((self.preferred, self.plain, *self.alternatives, *self.of_file)))

    def label(self, name: str) -> str:
        """Return how to call the subject where its output is called ``name``: so that it is told from the others."""
        return self.subject if name == self.plain else name


def plan_names(subjects: Sequence[Subject]) -> list[Naming]:
    """Return the names for the outputs of each subject, distinct even where upper and lower case are one.

    An output is called as its subject. Subjects that share a name get the name of a folder above their files in front
    of it, the nearest that tells them apart; where no folder does, and where a name is too long, a hash of path and
    name is put behind it.
    """
    names = [_safe(subject.name) for subject in subjects]
    tags = [_tag_of(subject) for subject in subjects]
    choices = [_with_folders(name, subject) for name, subject in zip(names, subjects, strict=True)]
    plain = [_fitting(name, tag) for name, tag in zip(names, tags, strict=True)]
    preferred = list(plain)
    for shared in _shared(preferred):
        _tell_apart(preferred, shared, choices)
    for shared in _shared(preferred):
        for index in shared:
            preferred[index] = _short(names[index], tags[index])
    return [
        Naming(
            subject.name,
            preferred[index],
            plain[index],
            (*choices[index], _short(names[index], tag)),
            tag,
            _names_of_file(subject),
            subject.entities,
        )
        for index, (subject, tag) in enumerate(zip(subjects, tags, strict=True))
    ]


def output_names(subjects: Sequence[Subject]) -> list[str]:
    """Return a file name without ending for the output of each subject; see `plan_names`."""
    return [naming.preferred for naming in plan_names(subjects)]


def fold_name(name: str) -> str:
    """Return what is equal for names that a file system could take for one (Unicode's canonical caseless match)."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())


def _shared(names: Sequence[str]) -> list[list[int]]:
    """Return the indices of the names that a file system could take for one, group by group."""
    groups = defaultdict(list)
    for index, name in enumerate(names):
        groups[fold_name(name)].append(index)
    return [group for group in groups.values() if len(group) > 1]


def _tell_apart(names: list[str], shared: Sequence[int], choices: Sequence[Sequence[str]]) -> None:
    """Give each of the names that are ``shared`` the first of its choices by which all of them differ, if any do."""
    others = {fold_name(name) for index, name in enumerate(names) if index not in set(shared)}
    for chosen in zip(*(choices[index] for index in shared), strict=False):
        folded = {fold_name(name) for name in chosen}
        if len(folded) == len(shared) and not folded & others:
            for index, name in zip(shared, chosen, strict=True):
                names[index] = name
            return


def _with_folders(name: str, subject: Subject) -> list[str]:
    """Return a name with each of the folders above the subject's file in front, then with more and more of them."""
    folders = [
        _safe(folder.name) for folder in subject.source.path.absolute().parents if folder.name
    ]
    folders = folders[:_FOLDERS]
    joined = ["_".join(reversed(folders[: count + 1])) for count in range(1, len(folders))]
    prefixed = [f"{folder}_{name}" for folder in (*folders, *joined)]
    return [one for one in prefixed if len(one.encode()) <= _MAX_BYTES]


def _names_of_file(subject: Subject) -> tuple[str, ...]:
    """Return the names of an output that is called by its source's file."""
    stem = _safe(stem_of(subject.source.path.name))
    return (stem, *_with_folders(stem, subject))


def _fitting(name: str, tag: str) -> str:
    return name if len(name.encode()) <= _MAX_BYTES else _short(name, tag)


def _safe(name: str) -> str:
    """Keep every character but those that could leave the folder, break a line, disguise it or are no UTF-8."""
    return "".join("_" if _is_unsafe(c) else c for c in name).lstrip(".") or "subject"


def _is_unsafe(c: str) -> bool:
    return (
        c in '/\\:*?"<>|'
        or unicodedata.category(c) in _UNSAFE
        or unicodedata.bidirectional(c) in _TURNING
    )


def _tag_of(subject: Subject) -> str:
    key = f"{os.path.realpath(subject.source.path)}\0{subject.name}"
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:_TAG]


def _short(name: str, tag: str) -> str:
    """Return a name of bounded length that ends in a tag."""
    short = name.encode()[: _MAX_BYTES - _TAG - 1].decode("utf-8", "ignore")
    return f"{short}-{tag}"
