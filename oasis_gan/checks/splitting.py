"""Split subjects into training and validation, so that no person is on both sides."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
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
_ROW_LENGTHS = (len(_COLUMNS) - 2, len(_COLUMNS), len(_ALL_COLUMNS))
"""The number of cells in a row without a target, with one, and with further sources."""
# Participants of BIDS datasets, OASIS-1 and OASIS-2; one person may have several sessions.
_PERSON = re.compile(r"sub-[A-Za-z0-9]+|OAS\d_\d{4}")
_SubjectOnSide = tuple[Subject, str]
_Identity = tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """A row of `TABLE` has a subject, its side, and its files with the SHA-256 of their content.

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
        further = subject.further
        paths = [f"{name}={_show_path(scan)}" for name, scan in further.items()]
        hashes = [f"{name}={_hash_files(scan)}" for name, scan in further.items()]
        return cls(
            subject=printable(subject.name),
            side=side,
            source=_show_path(subject.source),
            source_sha256=_hash_files(subject.source),
            target=_show_path(subject.target),
            target_sha256=_hash_files(subject.target),
            further="; ".join(paths),
            further_sha256="; ".join(hashes),
        )

    @property
    def identity(self) -> _Identity:
        """Values that identify the subject even if its files have moved."""
        return (
            self.subject,
            self.side,
            self.source_sha256,
            self.target_sha256,
            self.further_sha256,
        )

    def list_own_hashes(self) -> Iterator[str]:
        """Yield the hashes of files that hold no other subject, as an archive may.

        The hash of a file that could not be read is empty.
        """
        if not _is_archive(self.source):
            yield self.source_sha256
        if not _is_archive(self.target):
            yield self.target_sha256

    @property
    def line(self) -> str:
        """Return the row as text."""
        cells = astuple(self)
        return "\t".join(cells).rstrip("\t") + "\n"


@dataclass(frozen=True)
class Split:
    """The subjects to learn from, and those that are held out."""

    training: tuple[Subject, ...]
    held_out: tuple[Subject, ...]

    def entries(self) -> Iterator[Entry]:
        """Yield a row of `TABLE` for each subject."""
        for subject in self.training:
            yield Entry.describe(subject, "train")
        for subject in self.held_out:
            yield Entry.describe(subject, "validate")


@dataclass(frozen=True)
class Comparison:
    """Compare the subjects of a folder with those of the training when it began.

    Args:
        split: Subjects with the same name, side and content, in the order of the table.
        lost: Rows of the table for which no such subject was found.
        others: Subjects that match no row of the table, each with its side.
    """

    split: Split
    lost: tuple[Entry, ...]
    others: tuple[_SubjectOnSide, ...]

    def require_same(self, added: Collection[str], where: Path) -> None:
        """Raise `OtherSubjectsError` if subjects are missing, changed or new.

        Args:
            added: Names of the ``others`` that the training would use.
            where: The path of the table.
        """
        present = {printable(subject.name) for subject, _ in self.others}
        lost = {entry.subject for entry in self.lost}
        used = {printable(name) for name in added}
        names = {
            "missing": sorted(lost - present),
            "changed": sorted(lost & present),
            "added": sorted(used - lost),
        }
        if any(names.values()):
            raise OtherSubjectsError(where, names)


def split(training: Sequence[Subject], held_out: Sequence[Subject]) -> Split:
    """Check both sides and return them as a `Split`.

    Raises:
        OasisGanError: If there is no subject to learn from, or a person is on both sides.
    """
    if not training:
        raise NobodyToLearnFromError(len(held_out))
    people = {_find_person(subject) for subject in training}
    held_out_people = {_find_person(subject) for subject in held_out}
    on_both = people & held_out_people
    if on_both:
        raise PersonOnBothSidesError(min(on_both))
    return Split(tuple(training), tuple(held_out))


def write_split(folder: Path, sides: Split) -> None:
    """Write the table of both sides to ``folder``, unless it is there already.

    Raises:
        OasisGanError: If a file is on both sides under two names.
        OSError: If the table cannot be read or written.
    """
    entries = list(sides.entries())
    _require_files_on_one_side(entries)
    table = _format_table(entries)
    path = folder / TABLE
    if not path.is_file() or path.read_bytes() != table:
        write_atomically(path, table)


def _format_table(entries: Sequence[Entry]) -> bytes:
    """Return the table; it has columns for further sources only if there are any."""
    has_further = any(entry.further for entry in entries)
    columns = _ALL_COLUMNS if has_further else _COLUMNS
    header = "\t".join(columns) + "\n"
    lines = [entry.line for entry in entries]
    return "".join([header, *lines]).encode()


def read_split(folder: Path) -> list[Entry]:
    """Read the table of both sides that was written when a training began.

    Raises:
        OasisGanError: If the table is missing or damaged.
    """
    path = folder / TABLE
    try:
        return _parse_table(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise SplitTableError(path, _COLUMNS, error) from None


def _parse_table(text: str) -> list[Entry]:
    """Parse a table; raise `ValueError` if it is damaged."""
    header, *lines = text.splitlines()
    columns = tuple(header.split("\t"))
    if columns not in (_COLUMNS, _ALL_COLUMNS):
        raise ValueError(f"the columns {header}")
    return [_parse_row(line) for line in lines]


def _parse_row(line: str) -> Entry:
    """Parse a row of `TABLE`; the cells of a target and of further sources may be missing."""
    cells = line.split("\t")
    if len(cells) not in _ROW_LENGTHS:
        raise ValueError(f"a row of {len(cells)} cells")
    return Entry(*cells)


def compare(recorded: Sequence[Entry], subjects: Iterable[_SubjectOnSide]) -> Comparison:
    """Compare subjects, each with its side, with the entries that `read_split` returned.

    Subjects are matched by name, side and content: files may have moved, and the order may differ.
    """
    unmatched = _group_by_identity(subjects)
    training: list[Subject] = []
    held_out: list[Subject] = []
    lost: list[Entry] = []
    # Somebody may have edited the table. Rows of any other side count as lost.
    sides = {"train": training, "validate": held_out}
    for entry in recorded:
        matches = unmatched.get(entry.identity)
        if matches and entry.side in sides:
            # Subjects of the same identity stand for one row each.
            subject, _ = matches.pop(0)
            sides[entry.side].append(subject)
        else:
            lost.append(entry)
    others = itertools.chain.from_iterable(unmatched.values())
    return Comparison(
        split=Split(tuple(training), tuple(held_out)),
        lost=tuple(lost),
        others=tuple(others),
    )


def _group_by_identity(
    subjects: Iterable[_SubjectOnSide],
) -> dict[_Identity, list[_SubjectOnSide]]:
    """Return subjects with their sides, by `Entry.identity`."""
    groups: dict[_Identity, list[_SubjectOnSide]] = defaultdict(list)
    for subject, side in subjects:
        entry = Entry.describe(subject, side)
        groups[entry.identity].append((subject, side))
    return groups


def _require_files_on_one_side(entries: Iterable[Entry]) -> None:
    """Raise `FileOnBothSidesError` if a file is on both sides under two names."""
    owners: dict[str, Entry] = {}
    for entry in entries:
        # Two files that could not be read need not be the same.
        for digest in filter(None, entry.list_own_hashes()):
            owner = owners.setdefault(digest, entry)
            if owner.side != entry.side:
                raise FileOnBothSidesError(owner.subject, entry.subject)


def _find_person(subject: Subject) -> str:
    """Return the participant in the name of a subject; a name without one counts as a whole."""
    participant = _PERSON.search(subject.name)
    return participant.group() if participant else subject.name


def _is_archive(path: str) -> bool:
    return path.lower().endswith(".zip")


def _show_path(scan: Scan | None) -> str:
    """Return the absolute path of a scan on one line, or "" if there is no scan."""
    if scan is None:
        return ""
    return printable(scan.path.absolute())


def _hash_files(scan: Scan | None) -> str:
    """Return the SHA-256 of all files of a scan together, or "" if one cannot be read."""
    if scan is None:
        return ""
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
