"""Who is learnt from and who is held out: by person, never by slice, and never one person on both sides."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path

from ..errors import OasisGanError, printable
from ..io.files import write_atomically
from ..plugin.datasets import Scan, Subject

TABLE = "split.tsv"
_COLUMNS = ("subject", "side", "source", "source_sha256", "target", "target_sha256")
_FURTHER_COLUMNS = ("further", "further_sha256")
"""What a table has besides where subjects have further sources."""
# Participants of BIDS datasets, and of OASIS-1 and 2: several sessions are one person.
_PERSON = re.compile(r"sub-[A-Za-z0-9]+|OAS\d_\d{4}")
_NAMED = 5  # subjects in a message


@dataclass(frozen=True)
class Entry:
    """A row of `TABLE`: a subject, its side, and its files with the SHA-256 of their content.

    Of further sources it has names, paths and hashes, such as ``t2=/data/t2/a.nii.gz``.
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
        """Return the row of a subject, its files hashed."""
        cells = [printable(subject.name), side]
        for scan in (subject.source, subject.target):
            if scan is not None:
                cells += [printable(scan.path.absolute()), _hash_files(scan)]
        further = [
            f"{name}={printable(scan.path.absolute())}" for name, scan in subject.further.items()
        ]
        hashes = [f"{name}={_hash_files(scan)}" for name, scan in subject.further.items()]
        entry = cls(*cells)
        return replace(entry, further="; ".join(further), further_sha256="; ".join(hashes))

    @property
    def identity(self) -> tuple[str, ...]:
        """What tells the subject from others, wherever its files lie."""
        return self.subject, self.side, self.source_sha256, self.target_sha256, self.further_sha256

    @property
    def line(self) -> str:
        """The row as text."""
        cells = astuple(self)
        return "\t".join(cells).rstrip("\t") + "\n"


@dataclass(frozen=True)
class Split:
    """The two sides of a training."""

    learnt: tuple[Subject, ...]
    held_out: tuple[Subject, ...]

    def entries(self) -> Iterator[Entry]:
        """Yield a row of `TABLE` for each subject."""
        for side, subjects in (("train", self.learnt), ("validate", self.held_out)):
            for subject in subjects:
                yield Entry.describe(subject, side)


@dataclass(frozen=True)
class Comparison:
    """The subjects of a folder beside those that a training began with.

    Args:
        split: Those that are the same by name, side and content, in the order of the table.
        lost: The rows of the table that are not among them.
        others: Subjects that are not in the table as they are, each with its side.
    """

    split: Split
    lost: tuple[Entry, ...]
    others: tuple[tuple[Subject, str], ...]

    def require_same(self, added: Collection[str], where: Path) -> None:
        """Raise `OasisGanError`, naming who is missing, changed or new, unless nobody is.

        Args:
            added: The names of those of ``others`` that the training would learn from or measure on.
            where: The table.
        """
        listed = {printable(subject.name) for subject, _ in self.others}
        lost = {entry.subject for entry in self.lost}
        groups = {
            "missing": sorted(lost - listed),
            "changed": sorted(lost & listed),
            "added": sorted({printable(name) for name in added} - lost),
        }
        found = "; ".join(f"{_enumerate(names)} {what}" for what, names in groups.items() if names)
        if found:
            expected = "the subjects that this training began with"
            remedy = "put them back as they were, name their new place with `moved_to` and `target_root`, or train anew"
            raise OasisGanError(where, expected=expected, found=found, remedy=remedy)


def split(learnt: Sequence[Subject], held_out: Sequence[Subject]) -> Split:
    """Return both sides, checked.

    Raises:
        OasisGanError: If nobody is left to learn from, or a person is on both sides.
    """
    if not learnt:
        found = f"{len(held_out)} held out and nobody else"
        remedy = "hold out fewer, or see the lines above"
        raise OasisGanError(
            "training data", expected="someone to learn from", found=found, remedy=remedy
        )
    both = {_person(subject) for subject in learnt} & {_person(subject) for subject in held_out}
    if both:
        found, remedy = f"{min(both)} on both", "name all subjects of that person, or none"
        raise OasisGanError(
            "`validate`", expected="each person on one side", found=found, remedy=remedy
        )
    return Split(tuple(learnt), tuple(held_out))


def write_split(folder: Path, of: Split) -> None:
    """Write the list of both sides to ``folder``, in place of one that says something else.

    Raises:
        OasisGanError: If a file is on both sides under two names.
        OSError: As the file system says.
    """
    entries = list(of.entries())
    _require_files_on_one_side(entries)
    has_further = any(entry.further for entry in entries)
    columns = (*_COLUMNS, *_FURTHER_COLUMNS) if has_further else _COLUMNS
    header = "\t".join(columns) + "\n"
    data = (header + "".join(entry.line for entry in entries)).encode()
    path = folder / TABLE
    if not path.is_file() or path.read_bytes() != data:
        write_atomically(path, data)


def read_split(folder: Path) -> list[Entry]:
    """Return the list of both sides that a training began with.

    Raises:
        OasisGanError: If there is none, or it is not such a list.
    """
    path = folder / TABLE
    try:
        header, *lines = path.read_text("utf-8").splitlines()
        if tuple(header.split("\t")) not in (_COLUMNS, (*_COLUMNS, *_FURTHER_COLUMNS)):
            raise ValueError(f"the columns {header}")
        return [_parse_row(line) for line in lines]
    except (OSError, ValueError) as error:
        found = "no such file" if isinstance(error, FileNotFoundError) else str(error)
        expected, remedy = (
            f"a table of {', '.join(_COLUMNS)}",
            "restore it, or train into another folder",
        )
        raise OasisGanError(path, expected=expected, found=found, remedy=remedy) from None


def _parse_row(line: str) -> Entry:
    """Return a row of `TABLE`; the cells of a target and of further sources may be missing."""
    cells = line.split("\t")
    if len(cells) not in (len(_COLUMNS) - 2, len(_COLUMNS), len(_COLUMNS) + len(_FURTHER_COLUMNS)):
        raise ValueError(f"a row of {len(cells)} cells")
    return Entry(*cells)


def compare(recorded: Sequence[Entry], subjects: Iterable[tuple[Subject, str]]) -> Comparison:
    """Compare the subjects that are there, each with its side, with those of `read_split`.

    Their files may have moved and the subjects may come in another order: names and content decide.
    """
    there: dict[tuple[str, ...], list[tuple[Subject, str]]] = defaultdict(list)
    for subject, side in subjects:
        there[Entry.describe(subject, side).identity].append((subject, side))
    sides: dict[str, list[Subject]] = {"train": [], "validate": []}
    lost = []
    for entry in recorded:
        same = there.get(entry.identity)
        if same and entry.side in sides:
            sides[entry.side].append(same.pop(0)[0])
        else:
            lost.append(entry)
    others = [one for same in there.values() for one in same]
    return Comparison(
        Split(tuple(sides["train"]), tuple(sides["validate"])), tuple(lost), tuple(others)
    )


def _require_files_on_one_side(entries: Iterable[Entry]) -> None:
    """Raise `OasisGanError` if a file is on both sides under two names."""
    sides: dict[str, Entry] = {}
    for entry in entries:
        files = ((entry.source, entry.source_sha256), (entry.target, entry.target_sha256))
        for path, digest in files:
            # An archive holds many subjects.
            if not digest or path.lower().endswith(".zip"):
                continue
            other = sides.setdefault(digest, entry)
            if other.side != entry.side:
                expected = "each person on one side"
                found = f"{other.subject} and {entry.subject}, which hold the same file"
                raise OasisGanError(
                    "`validate`", expected=expected, found=found, remedy="leave one of them out"
                )


def _enumerate(names: Sequence[str]) -> str:
    """Return a few of many names in a row."""
    shown = ", ".join(names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED} more"


def _person(subject: Subject) -> str:
    named = _PERSON.search(subject.name)
    return named.group() if named else subject.name


def _hash_files(scan: Scan) -> str:
    """Return the SHA-256 of all files of a scan, one after the other; nothing if one cannot be read."""
    digest = hashlib.sha256()
    try:
        for path in (scan.path, *scan.parts):
            with path.open("rb") as file:
                while block := file.read(2**20):
                    digest.update(block)
    # A file that cannot be read is named when it is needed, not here.
    except OSError:
        return ""
    return digest.hexdigest()
