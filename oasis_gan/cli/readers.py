"""Which dataset plugin reads a file or folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..errors import OasisGanError, one_line
from ..io.formats import require_content, unrecognised
from ..plugin.datasets import Dataset, Subject
from ..plugin.foreign import foreign_code
from ..plugin.registry import Registry
from .lines import say


def name_reader(subject: Subject, reader: Dataset) -> Subject:
    """Return a subject whose scans name the plugin that reads them."""
    target = replace(subject.target, plugin=reader.name) if subject.target else None
    further = {name: replace(scan, plugin=reader.name) for name, scan in subject.further.items()}
    return replace(
        subject, source=replace(subject.source, plugin=reader.name), target=target, further=further
    )


def guess_reader(registry: Registry, root: Path) -> Dataset:
    """Return the one reader that recognises ``root``, and say which; a particular layout wins over a file format."""
    if not root.exists():
        if root.is_symlink():
            require_content(root, "a file or folder")
        raise OasisGanError(
            root, expected="a file or folder", found="nothing there", remedy="check the path"
        )
    recognising = [reader for reader in registry[Dataset] if recognises(reader, root)]
    readers = [reader for reader in recognising if not reader.generic] or recognising
    if len(readers) == 1:
        # What the name of a file says is no guess.
        if root.is_dir() or not readers[0].generic:
            say(f"reading {root} as {readers[0].name}")
        return readers[0]
    known = ", ".join(registry[Dataset].offers) or "none"
    if readers:
        found = " and ".join(reader.name for reader in readers)
        raise OasisGanError(
            root, expected="one layout", found=found, remedy="choose one with --dataset"
        )
    raise unrecognised(root, known)


def recognises(reader: Dataset, root: Path) -> bool:
    """Ask a reader; one that breaks does not keep the others from reading."""
    try:
        with foreign_code(reader.name):
            return bool(reader.recognises(root))
    except Exception as error:  # noqa: BLE001
        say(f"warning: dataset {reader.name} did not look at {root}: {one_line(error)}")
        return False
