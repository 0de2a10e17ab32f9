"""Who is learnt from and who is held out: by person, never by slice, and never one person on both sides."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .datasets import Subject
from .errors import OasisGanError, printable
from .files import sha256, write_atomically

TABLE = "split.tsv"
_COLUMNS = ("subject", "side", "source", "source_sha256", "target", "target_sha256")
# Participants of BIDS datasets, and of OASIS-1 and 2: several sessions are one person.
_PERSON = re.compile(r"sub-[A-Za-z0-9]+|OAS\d_\d{4}")


@dataclass(frozen=True)
class Split:
    """The two sides of a training."""

    learnt: tuple[Subject, ...]
    held_out: tuple[Subject, ...]

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Yield a row of `TABLE` for each subject, with the SHA-256 of its files."""
        for side, subjects in (("train", self.learnt), ("validate", self.held_out)):
            for subject in subjects:
                paths = [scan.path for scan in (subject.source, subject.target) if scan is not None]
                files = [cell for path in paths for cell in (printable(path), _hash(path))]
                yield (printable(subject.name), side, *files)


def split(learnt: Sequence[Subject], held_out: Sequence[Subject]) -> Split:
    """Return both sides, checked.

    Raises:
        OasisGanError: If nobody is left to learn from, or a person is on both sides.
    """
    if not learnt:
        found = f"{len(held_out)} held out and nobody else"
        remedy = "hold out fewer, or see the lines above"
        raise OasisGanError("training data", expected="someone to learn from", found=found, remedy=remedy)
    both = {_person(subject) for subject in learnt} & {_person(subject) for subject in held_out}
    if both:
        found, remedy = f"{min(both)} on both", "name all subjects of that person, or none"
        raise OasisGanError("--validate", expected="each person on one side", found=found, remedy=remedy)
    return Split(tuple(learnt), tuple(held_out))


def write_split(folder: Path, of: Split) -> None:
    """Write the list of both sides to ``folder``; if there is one it must say the same.

    Raises:
        OasisGanError: If a file is on both sides under two names, or the list that is there differs.
        OSError: As the file system says.
    """
    rows = list(of.rows())
    sides: dict[str, tuple[str, str]] = {}
    for subject, side, *files in rows:
        for digest in filter(None, files[1::2]):
            other, other_side = sides.setdefault(digest, (subject, side))
            if other_side != side:
                expected, found = "each person on one side", f"{other} and {subject}, which hold the same file"
                raise OasisGanError("--validate", expected=expected, found=found, remedy="leave one of them out")
    data = "".join("\t".join(row) + "\n" for row in (_COLUMNS, *rows)).encode()
    path = folder / TABLE
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(path, data)
    elif path.read_bytes() != data:
        expected, found = "the subjects this run began with", "others, or changed files"
        raise OasisGanError(path, expected=expected, found=found, remedy="restore them, or train anew")


def _person(subject: Subject) -> str:
    named = _PERSON.search(subject.name)
    return named.group() if named else subject.name


def _hash(path: Path) -> str:
    # A file that cannot be read is named when it is needed, not here.
    try:
        return sha256(path)
    except OSError:
        return ""
