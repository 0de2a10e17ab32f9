"""Write and read the sidecar of an output, which records the model, the sources and the options."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import OasisGanError, printable
from ..image.label_sets import identity_of
from ..image.volume import Volume
from ..io.files import hash_file, read_small
from ..io.publishing import Identity, identify, list_companions
from ..plugin.datasets import Scan
from ..plugin.models import FLIP, UNCERTAINTY, Computation, ModelCard
from .errors import FileChangedError
from .fingerprints import describe_source_files

Record = dict[str, Any]
# Seconds in which a file can change again without a new time stamp, on the coarsest file systems.
_RECENT = 2.0
_MAX_BYTES = 2**24  # of a sidecar


def list_files(scan: Scan) -> tuple[Path, ...]:
    """Return the files of a scan."""
    return (scan.path, *scan.parts)


class ScanFiles:
    """The files of a scan, as they are before it is read.

    Args:
        scan: The scan that is going to be read.
    """

    def __init__(self, scan: Scan) -> None:
        self._paths = list_files(scan)
        self.states = describe_source_files(self._paths)
        """What the file system says about the files, or None if that cannot be relied on."""
        self._before = [_read_state(path) for path in self._paths]

    @cached_property
    def identity(self) -> Identity:
        """Return the names and hashes of the files.

        Raises:
            OSError: If the file system fails.
            OasisGanError: If one is no regular file.
        """
        scan, *parts = (identify(path) for path in self._paths)
        return {**scan, "parts": parts} if parts else scan

    def require_unchanged(self) -> None:
        """Raise `FileChangedError` if a file has changed since before it was read and hashed."""
        for path, before in zip(self._paths, self._before, strict=True):
            was_hashed = before is not None and before.sha256 is not None
            if _read_state(path, hashed=was_hashed) != before:
                raise FileChangedError(path)


def read_with_identity(scan: Scan, read: Callable[[Scan], Volume]) -> tuple[Volume, Identity]:
    """Read a scan, and return the volume with the names and hashes of its files.

    Args:
        scan: The scan.
        read: Reads it.

    Raises:
        OasisGanError: If it cannot be read, or changed in the meantime.
        OSError: If the file system fails.
    """
    files = ScanFiles(scan)
    volume = read(scan)
    identity = files.identity
    files.require_unchanged()
    return volume, identity


def make_record(
    scan: Scan,
    source: Identity,
    card: ModelCard,
    options: Mapping[str, object],
    datatype: str,
    computation: Computation | None = None,
    references: Mapping[str, object] | None = None,
    further: Mapping[str, object] | None = None,
) -> Record:
    """Return everything that an output depends on; equal records mean equal outputs.

    The version of an engine and the number of threads are left out: they change only rounding.

    Args:
        scan: The first source.
        source: Names and hashes of its files.
        card: The card of the model.
        options: All options of the model, with their values.
        datatype: The datatype in which voxels are stored.
        computation: How the model computes, if it says so.
        references: Names and hashes of other scans that the output depends on, by their use.
        further: What `describe_source` returns for the further sources, by name.
    """
    encodings = {name: encoding.identity() for name, encoding in card.sources.items()}
    record: Record = {
        "synthetic": True,
        "tool": {"name": "oasis-gan", "version": _read_version()},
        "model": _describe_model(card),
        "source": source,
        "source_labels": identity_of(scan.labels) if scan.labels else None,
        "precision": computation.precision if computation else None,
        "options": _choose_options(options, computation),
        "datatype": datatype,
        "source_encodings": encodings,
        "target_encoding": card.target.identity(),
    }
    if further:
        record["further_sources"] = further
    record.update(references or {})
    return record


@cache
def _read_version() -> str:
    """Return the version of this tool; it is searched for on the disk, which takes a while."""
    return version("oasis-gan")


def _choose_options(
    options: Mapping[str, object], computation: Computation | None
) -> dict[str, object]:
    """Return the options on which an output depends."""
    chosen = dict(options)
    if computation:
        # The precision that was computed in counts: `auto` differs from machine to machine.
        chosen.pop("precision", None)
    # What is switched off leaves the output of a model that has no such option.
    for name in (UNCERTAINTY, FLIP):
        if chosen.get(name) is False:
            del chosen[name]
    return chosen


def _describe_model(card: ModelCard) -> Record:
    """Return what is recorded about a model."""
    description: Record = {
        "name": card.name,
        "version": card.version,
        "weights_sha256": card.weights_sha256,
    }
    if card.details:
        description["details"] = dict(card.details)
    return description


def describe_source(scan: Scan, identity: Identity) -> Record:
    """Return what is recorded about a further source.

    Args:
        scan: The source.
        identity: Names and hashes of its files.
    """
    description = dict(identity)
    if scan.labels:
        description["labels"] = identity_of(scan.labels)
    return description


def format_sidecar(record: Record, work: Path, output: str, entries: Mapping[str, object]) -> bytes:
    """Return the content of the sidecar of the volume ``output`` in a work folder.

    Args:
        record: What `make_record` returned for the volume.
        work: The folder in which the volume was made; other files in it belong to the volume.
        output: The name of the volume.
        entries: Further entries, which no later run compares.
    """
    volume = dict(identify(work / output))
    parts = [identify(work / name) for name in list_companions(work, [output])]
    if parts:
        volume["parts"] = parts
    content = {**record, "volume": volume, **entries}
    text = json.dumps(content, indent=2, ensure_ascii=False)
    return f"{text}\n".encode()


def read_sidecar(path: Path, output: Path) -> Record | None:
    """Return the content of the sidecar of ``output``, or None if it is not one of this tool's."""
    try:
        content = json.loads(read_small(path, _MAX_BYTES))
    # Any file may have this name, such as a JSON that is nested too deeply.
    except (OasisGanError, OSError, ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or content.get("synthetic") is not True:
        return None
    volume = content.get("volume")
    if isinstance(volume, dict) and volume.get("file") == printable(output.name):
        return content
    return None


def find_differences(sidecar: Record, output: Path, record: Record) -> list[str]:
    """Return the names of what differs between an output and the one that this run would make.

    Args:
        sidecar: The content of the sidecar of the output.
        output: The volume.
        record: What `make_record` returns for this run.
    """
    return [
        *_compare_records(sidecar, record),
        *_compare_files(sidecar, output),
    ]


def _compare_records(sidecar: Record, record: Record) -> Iterator[str]:
    """Yield the names of the entries of a record that the sidecar has otherwise."""
    # As JSON, tuples are lists and all keys are text.
    expected = json.loads(json.dumps(record))
    for key, value in expected.items():
        if sidecar.get(key) == value:
            continue
        if key == "options":
            yield from _compare_options(sidecar, value)
        else:
            yield key


def _compare_files(sidecar: Record, output: Path) -> Iterator[str]:
    """Yield what differs in the files of an output from the hashes in its sidecar."""
    if sidecar["volume"].get("sha256") != identify(output)["sha256"]:
        yield "volume"
    for name, part in list_parts(sidecar).items():
        path = output.with_name(name)
        # A part that is gone makes an output incomplete, not different: see `lacks_parts`.
        if path.exists() and part.get("sha256") != identify(path)["sha256"]:
            yield printable(name)


def lacks_parts(sidecar: Record, folder: Path) -> bool:
    """Tell whether a file that belongs to an output is gone, such as the map of its uncertainty.

    Args:
        sidecar: The sidecar of the output.
        folder: The folder of the output.
    """
    return any(not os.path.lexists(folder / name) for name in list_parts(sidecar))


def list_parts(sidecar: Record) -> dict[str, Record]:
    """Return what a sidecar says of the files that belong to its output, by name."""
    parts = sidecar["volume"].get("parts")
    # Anybody may have edited the file.
    if not isinstance(parts, list):
        return {}
    valid = [part for part in parts if isinstance(part, dict) and _is_name(part.get("file"))]
    return {part["file"]: part for part in valid}


def _is_name(name: object) -> bool:
    """Tell whether this is the name of a file in the same folder, without escaped characters."""
    if not isinstance(name, str) or "\\" in name or "\0" in name:
        return False
    return name == Path(name).name and name not in {"", ".."}


def _compare_options(sidecar: Record, options: Mapping[str, object]) -> list[str]:
    """Return the names of the options that had another value when an output was made."""
    used = sidecar.get("options")
    if not isinstance(used, dict):
        return ["options"]
    names = dict.fromkeys((*options, *used))
    return [name for name in names if used.get(name) != options.get(name)]


class _State(NamedTuple):
    """What changes when a file changes: its place on the disk, its size, its times, its content."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int
    sha256: str | None


def _read_state(path: Path, *, hashed: bool | None = None) -> _State | None:
    """Return the state of a file, or None if there is no such file.

    Args:
        path: The file.
        hashed: Whether the content is part of it. By default, it is part of it for a file that was
            changed a moment ago: within one tick of the file system's clock it can change again.
    """
    try:
        status = path.stat()
        if hashed is None:
            hashed = abs(time.time() - status.st_ctime) < _RECENT
        digest = hash_file(path) if hashed else None
    except (OSError, OasisGanError):
        return None
    return _State(
        device=status.st_dev,
        inode=status.st_ino,
        size=status.st_size,
        modified_ns=status.st_mtime_ns,
        changed_ns=status.st_ctime_ns,
        sha256=digest,
    )
