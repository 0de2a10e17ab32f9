"""Open a volume that an option names, through the dataset plugins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import OasisGanError
from ..image.choices import MAX_VOXELS
from ..image.volume import Content, Volume
from ..io.formats import explain_unrecognised
from ..plugin.datasets import Dataset, Scan, Selection, Subject
from ..plugin.errors import UnreadableError
from ..plugin.foreign import foreign_code
from ..plugin.registry import Registry
from .errors import SeveralVolumesError
from .readers import find_readers, list_readers, name_reader, require_path

Spacing = tuple[float, float, float]


def open_scan(
    registry: Registry,
    path: Path,
    content: Content,
    *,
    dataset: str | None = None,
    spacing: Spacing | None = None,
    max_voxels: int = MAX_VOXELS,
) -> Scan:
    """Return the one volume at a path, in any layout and format that a dataset plugin reads.

    Args:
        registry: The installed plugins.
        path: A file, or a folder that holds one volume.
        content: What the volume holds; of a folder with a label map and its image it chooses one.
        dataset: The reader to ask where none recognises the path.
        spacing: The size of the voxels in mm, where the file does not state it.
        max_voxels: A larger volume is refused before it is read.

    Raises:
        OasisGanError: If there is no such volume, or more than one.
    """
    require_path(path, "a file", "no such file")
    # A reader that chooses files by the end of their names is asked for this very file.
    selection = Selection(
        root=path,
        source_suffix="" if path.is_dir() else path.name,
        spacing=spacing,
        max_voxels=max_voxels,
    )
    problems: list[OasisGanError] = []
    for reader in _choose_readers(registry, path, dataset):
        try:
            return _open_only_scan(reader, selection, content)
        except OasisGanError as error:
            problems.append(error)
    # The error of the most specific reader, which knows best what is wrong.
    raise problems[0]


def read_volume(scan: Scan) -> Volume:
    """Read a scan; whatever its reader raises becomes a line that names the file.

    Raises:
        OasisGanError: If it cannot be read.
    """
    with _reading(scan.path, scan.plugin):
        return scan.read()


@contextmanager
def _reading(path: Path, plugin: str) -> Iterator[None]:
    """Turn any exception of a dataset plugin in this block into one line, even a `MemoryError`."""
    try:
        with foreign_code(path):
            yield
    except (OasisGanError, OSError):
        raise
    except Exception as error:
        raise UnreadableError(path, plugin, error) from error


def _choose_readers(registry: Registry, path: Path, dataset: str | None) -> list[Dataset]:
    """Return the readers to ask for a path, those of a specific layout first.

    Raises:
        OasisGanError: If there is none.
    """
    readers = find_readers(registry, path)
    if readers:
        return sorted(readers, key=lambda reader: reader.generic)
    if dataset:
        return [registry[Dataset].get(dataset)]
    raise explain_unrecognised(path, list_readers(registry))


def _open_only_scan(reader: Dataset, selection: Selection, content: Content) -> Scan:
    path = selection.root
    with _reading(path, reader.name):
        subjects = [name_reader(subject, reader) for subject in reader.open(selection)]
    if len(subjects) != 1:
        raise SeveralVolumesError(path, len(subjects))
    (subject,) = subjects
    return _scan_of_content(subject, content) if path.is_dir() else subject.source


def _scan_of_content(subject: Subject, content: Content) -> Scan:
    """Return the scan of a pair that holds what is asked for."""
    other = "labels" if content == "image" else "image"
    if subject.target and subject.source.known_content == other:
        return subject.target
    return subject.source
