"""Split subjects into training and validation, so that no person is on both sides."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path

from ..errors import printable
from ..io.files import write_atomically
from ..plugin.datasets import Scan, Subject
from .errors import (
    FileOnBothSidesError,
    NobodyToLearnFromError,
    OtherSubjectsError,
    PersonOnBothSidesError,
    SplitTableError,
)

TABLE = "split.tsv"
_COLUMNS = ("subject", "side", "source", "source_sha256", "target", "target_sha256")
_ALL_COLUMNS = (*_COLUMNS, "further", "further_sha256")
"""The columns of a table whose subjects have further sources."""
# Participants of BIDS datasets, OASIS-1 and OASIS-2; one person may have several sessions.
_PERSON = re.compile(r"sub-[A-Za-z0-9]+|OAS\d_\d{4}")


@dataclass(frozen=True)
class Entry:
    """A row of `TABLE`: a subject, its side, and its files with the SHA-256 of their content.

    Further sources are listed with their names, such as ``t2=/data/t2/a.nii.gz``.
    """

    subject: str
    side: str
    source: str
    source_sha256: str
    target: str = ""
    target_sha256: str = ""
    further: str = ""
    further_sha256: str = ""

    @classmethod
    def describe(cls, subject: Subject, side: str) -> Entry:
        """Hash the files of a subject and return its row."""
        cells = [printable(subject.name), side]
        for scan in (subject.source, subject.target):
            if scan is not None:
                cells += [printable(scan.path.absolute()), _hash_files(scan)]
        further = []
        hashes = []
        for name, scan in subject.further.items():
            further.append(f"{name}={printable(scan.path.absolute())}")
            hashes.append(f"{name}={_hash_files(scan)}")
        entry = cls(*cells)
        return replace(entry, further="; ".join(further), further_sha256="; ".join(hashes))

    @property
    def identity(self) -> tuple[str, ...]:
        """Values that identify the subject even if its files have moved."""
        return self.subject, self.side, self.source_sha256, self.target_sha256, self.further_sha256

    @property
    def line(self) -> str:
        """The row as text."""
        cells = astuple(self)
        return "\t".join(cells).rstrip("\t") + "\n"


@dataclass(frozen=True)
class Split:
    """The subjects to learn from, and those that are held out."""

    learnt: tuple[Subject, ...]
    held_out: tuple[Subject, ...]

    def entries(self) -> Iterator[Entry]:
        """Yield a row of `TABLE` for each subject."""
        for subject in self.learnt:
            yield Entry.describe(subject, "train")
        for subject in self.held_out:
            yield Entry.describe(subject, "validate")


@dataclass(frozen=True)
class Comparison:
    """The subjects of a folder, compared with those that a training began with.

    Args:
        split: Subjects with the same name, side and content, in the order of the table.
        lost: Rows of the table for which no such subject was found.
        others: Subjects that match no row of the table, each with its side.
    """

    split: Split
    lost: tuple[Entry, ...]
    others: tuple[tuple[Subject, str], ...]

    def require_same(self, added: Collection[str], where: Path) -> None:
        """Raise `OtherSubjectsError` if subjects are missing, changed or new.

        Args:
            added: Names of the ``others`` that the training would use.
            where: The path of the table.
        """
        listed = {printable(subject.name) for subject, _ in self.others}
        lost = {entry.subject for entry in self.lost}
        new = {printable(name) for name in added} - lost
        names = {
            "missing": sorted(lost - listed),
            "changed": sorted(lost & listed),
            "added": sorted(new),
        }
        if any(names.values()):
            raise OtherSubjectsError(where, names)


def split(learnt: Sequence[Subject], held_out: Sequence[Subject]) -> Split:
    """Check both sides and return them as a `Split`.

    Raises:
        OasisGanError: If there is no subject to learn from, or a person is on both sides.
    """
    if not learnt:
        raise NobodyToLearnFromError(len(held_out))
    learnt_people = {_find_person(subject) for subject in learnt}
    held_out_people = {_find_person(subject) for subject in held_out}
    on_both = learnt_people & held_out_people
    if on_both:
        raise PersonOnBothSidesError(min(on_both))
    return Split(tuple(learnt), tuple(held_out))


def write_split(folder: Path, sides: Split) -> None:
    """Write the table of both sides to ``folder``, unless it is there already.

    Raises:
        OasisGanError: If a file is on both sides under two names.
        OSError: If the table cannot be read or written.
    """
    entries = list(sides.entries())
    _require_files_on_one_side(entries)
    has_further = any(entry.further for entry in entries)
    columns = _ALL_COLUMNS if has_further else _COLUMNS
    header = "\t".join(columns) + "\n"
    lines = [header, *(entry.line for entry in entries)]
    data = "".join(lines).encode()
    path = folder / TABLE
    if not path.is_file() or path.read_bytes() != data:
        write_atomically(path, data)


def read_split(folder: Path) -> list[Entry]:
    """Read the table of both sides that a training began with.

    Raises:
        OasisGanError: If the table is missing or damaged.
    """
    path = folder / TABLE
    try:
        header, *lines = path.read_text("utf-8").splitlines()
        columns = tuple(header.split("\t"))
        if columns not in (_COLUMNS, _ALL_COLUMNS):
            raise ValueError(f"the columns {header}")
        return [_parse_row(line) for line in lines]
    except (OSError, ValueError) as error:
        raise SplitTableError(path, _COLUMNS, error) from None


def _parse_row(line: str) -> Entry:
    """Parse a row of `TABLE`; the cells of a target and of further sources may be missing."""
    cells = line.split("\t")
    without_target = len(_COLUMNS) - 2
    if len(cells) not in (without_target, len(_COLUMNS), len(_ALL_COLUMNS)):
        raise ValueError(f"a row of {len(cells)} cells")
    return Entry(*cells)


def compare(recorded: Sequence[Entry], subjects: Iterable[tuple[Subject, str]]) -> Comparison:
    """Compare subjects, each with its side, with the entries that `read_split` returned.

    Subjects are matched by name, side and content: files may have moved, and the order may differ.
    """
    unmatched: dict[tuple[str, ...], list[tuple[Subject, str]]] = defaultdict(list)
    for subject, side in subjects:
        identity = Entry.describe(subject, side).identity
        unmatched[identity].append((subject, side))
    sides: dict[str, list[Subject]] = {"train": [], "validate": []}
    lost = []
    for entry in recorded:
        matches = unmatched.get(entry.identity)
        if matches and entry.side in sides:
            subject, _ = matches.pop(0)
            sides[entry.side].append(subject)
        else:
            lost.append(entry)
    others = itertools.chain.from_iterable(unmatched.values())
    same = Split(tuple(sides["train"]), tuple(sides["validate"]))
    return Comparison(same, tuple(lost), tuple(others))


def _require_files_on_one_side(entries: Iterable[Entry]) -> None:
    """Raise `FileOnBothSidesError` if a file is on both sides under two names."""
    sides: dict[str, Entry] = {}
    for entry in entries:
        files = ((entry.source, entry.source_sha256), (entry.target, entry.target_sha256))
        for path, digest in files:
            # An archive holds many subjects.
            if not digest or path.lower().endswith(".zip"):
                continue
            other = sides.setdefault(digest, entry)
            if other.side != entry.side:
                raise FileOnBothSidesError(other.subject, entry.subject)


def _find_person(subject: Subject) -> str:
    """Return the participant in a subject's name, or else the whole name."""
    participant = _PERSON.search(subject.name)
    return participant.group() if participant else subject.name


def _hash_files(scan: Scan) -> str:
    """Return the SHA-256 of all files of a scan together, or "" if one cannot be read."""
    digest = hashlib.sha256()
    try:
        for path in (scan.path, *scan.parts):
            with path.open("rb") as file:
                while block := file.read(2**20):
                    digest.update(block)
    # An unreadable file is reported when it is needed, not here.
    except OSError:
        return ""
    return digest.hexdigest()
