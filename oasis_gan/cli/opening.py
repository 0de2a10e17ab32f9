"""Opening one volume that an option names, through the dataset plugins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..errors import OasisGanError, one_line
from ..image.choices import MAX_VOXELS
from ..image.volume import Content, Volume
from ..io.formats import require_content, unrecognised
from ..plugin.datasets import Dataset, Scan, Selection, Subject
from ..plugin.foreign import foreign_code
from ..plugin.registry import Registry
from .readers import name_reader, recognises

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
        spacing: Of the voxels in mm, where the file does not say it.
        max_voxels: A larger volume is refused before it is read.

    Raises:
        OasisGanError: If there is no such volume, or more than one.
    """
    if not path.exists():
        if path.is_symlink():
            require_content(path, "a file")
        raise OasisGanError(path, expected="a file", found="no such file", remedy="check the path")
    readers = _readers_of(registry, path, dataset)
    if not readers:
        raise unrecognised(path, ", ".join(registry[Dataset].offers) or "none")
    problems: list[OasisGanError] = []
    for reader in readers:
        try:
            return _only_scan(reader, path, content, spacing, max_voxels)
        except OasisGanError as error:
            problems.append(error)
    raise problems[0]


def read_volume(scan: Scan) -> Volume:
    """Read a scan; whatever its reader raises becomes a line that names the file.

    Raises:
        OasisGanError: If it cannot be read.
    """
    try:
        with foreign_code(scan.path):
            return scan.read()
    except (OasisGanError, OSError):
        raise
    except Exception as error:
        raise _blaming(scan.plugin, scan.path, error) from error


def _readers_of(registry: Registry, path: Path, dataset: str | None) -> list[Dataset]:
    """Return the readers that recognise a path, those of a particular layout first."""
    recognising = [reader for reader in registry[Dataset] if recognises(reader, path)]
    recognising.sort(key=lambda reader: reader.generic)
    if not recognising and dataset:
        return [registry[Dataset].get(dataset)]
    return recognising


def _only_scan(
    reader: Dataset, path: Path, content: Content, spacing: Spacing | None, max_voxels: int
) -> Scan:
    # A layout that chooses among its files by their names is told that it is this one.
    suffix = "" if path.is_dir() else path.name
    selection = Selection(path, source_suffix=suffix, spacing=spacing, max_voxels=max_voxels)
    scans = list(_scans(reader, selection, content))
    if len(scans) != 1:
        found = f"{len(scans)}" if scans else "none"
        raise OasisGanError(
            path, expected="one volume", found=found, remedy="name a file that holds one"
        )
    return scans[0]


def _scans(reader: Dataset, selection: Selection, content: Content) -> Iterator[Scan]:
    """Yield the scans of a selection; of a pair in a folder the one that holds what is asked for."""
    try:
        with foreign_code(selection.root):
            for subject in reader.open(selection):
                named = name_reader(subject, reader)
                yield _of_content(named, content) if selection.root.is_dir() else named.source
    except (OasisGanError, OSError):
        raise
    except Exception as error:
        raise _blaming(reader.name, selection.root, error) from error


def _of_content(subject: Subject, content: Content) -> Scan:
    other = "labels" if content == "image" else "image"
    if subject.target and subject.source.known_content == other:
        return subject.target
    return subject.source


def _blaming(plugin: str, path: Path, error: Exception) -> OasisGanError:
    remedy = f"fix the file, or the dataset plugin {plugin}".rstrip()
    return OasisGanError(
        path, expected="a volume that can be read", found=one_line(error), remedy=remedy
    )
