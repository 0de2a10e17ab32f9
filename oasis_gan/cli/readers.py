"""Find the dataset plugin that reads a file or folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..errors import one_line
from ..io.formats import explain_unrecognised, require_content
from ..plugin.datasets import Dataset, Subject
from ..plugin.foreign import foreign_code
from ..plugin.registry import Registry
from .errors import MissingPathError, SeveralLayoutsError
from .lines import log


def name_reader(subject: Subject, reader: Dataset) -> Subject:
    """Return a subject whose scans name the plugin that reads them."""
    plugin = reader.name
    target = replace(subject.target, plugin=plugin) if subject.target else None
    return replace(
        subject,
        source=replace(subject.source, plugin=plugin),
        target=target,
        further={name: replace(scan, plugin=plugin) for name, scan in subject.further.items()},
    )


def guess_reader(registry: Registry, root: Path) -> Dataset:
    """Return the one reader that recognises a file or folder, and print which it is.

    A reader of a specific layout wins over one of a file format.

    Raises:
        OasisGanError: If there is nothing at the path, or not exactly one reader recognises it.
    """
    require_path(root, "a file or folder", "nothing there")
    recognising = find_readers(registry, root)
    if not recognising:
        raise explain_unrecognised(root, list_readers(registry))
    particular = [reader for reader in recognising if not reader.generic]
    readers = particular or recognising
    if len(readers) > 1:
        raise SeveralLayoutsError(root, [reader.name for reader in readers])
    (reader,) = readers
    # If the name of the file states the format, nothing was guessed.
    if root.is_dir() or not reader.generic:
        log(f"reading {root} as {reader.name}")
    return reader


def find_readers(registry: Registry, path: Path) -> list[Dataset]:
    """Return the readers that recognise a file or folder."""
    return [reader for reader in registry[Dataset] if recognises(reader, path)]


def recognises(reader: Dataset, root: Path) -> bool:
    """Ask a reader whether it recognises a file or folder.

    A reader that raises an exception counts as one that does not recognise it.
    """
    try:
        with foreign_code(reader.name):
            return bool(reader.recognises(root))
    except Exception as error:  # noqa: BLE001
        log(f"warning: dataset {reader.name} could not examine {root}: {one_line(error)}")
        return False


def require_path(path: Path, expected: str, found: str) -> None:
    """Raise `OasisGanError` unless there is something at a path.

    Args:
        path: The path.
        expected: What should be there, for the error.
        found: What to call it if nothing is there.
    """
    if path.exists():
        return
    if path.is_symlink():
        # This error says more if the content can be fetched.
        require_content(path, expected)
    raise MissingPathError(path, expected, found)


def list_readers(registry: Registry) -> str:
    """Return the names of all readers, for errors."""
    return ", ".join(registry[Dataset].offers) or "none"
