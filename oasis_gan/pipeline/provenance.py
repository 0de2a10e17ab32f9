"""The JSON beside each output: what made it, and from what."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..errors import OasisGanError, printable
from ..image.label_sets import identity_of
from ..image.volume import Volume
from ..io.files import read_small, sha256
from ..io.publishing import Identity, companions, identify
from ..plugin.datasets import Scan
from ..plugin.models import Computation, ModelCard
from .errors import FileChangedError

Record = dict[str, Any]
_RECENT = 2.0  # seconds: in which a file can change again without another time stamp, on the coarsest file systems


class ScanFiles:
    """The files of a scan, as they are before it is read.

    Args:
        scan: The scan that is going to be read.
    """

    def __init__(self, scan: Scan) -> None:
        self._paths = (scan.path, *scan.parts)
        self._before = [_state(path) for path in self._paths]

    @cached_property
    def identity(self) -> Identity:
        """Names and hashes of the files.

        Raises:
            OSError: As the file system says.
            OasisGanError: If one is no regular file.
        """
        scan, *parts = (identify(path) for path in self._paths)
        return {**scan, "parts": parts} if parts else scan

    def require_unchanged(self) -> None:
        """Raise `FileChangedError` if a file has changed since before it was read and hashed."""
        for path, before in zip(self._paths, self._before, strict=True):
            hashed = before is not None and before[-1] is not None
            if _state(path, hashed=hashed) != before:
                raise FileChangedError(path)


def read_with_identity(scan: Scan, read: Callable[[Scan], Volume]) -> tuple[Volume, Identity]:
    """Read a scan, and return with the volume the names and hashes of the files it was read from.

    Args:
        scan: The scan.
        read: Reads it.

    Raises:
        OasisGanError: If it cannot be read, or changed in the meantime.
        OSError: As the file system says.
    """
    files = ScanFiles(scan)
    volume = read(scan)
    identity = files.identity
    files.require_unchanged()
    return volume, identity


def recorded(
    scan: Scan,
    source: Identity,
    card: ModelCard,
    options: Mapping[str, object],
    datatype: str,
    computation: Computation | None = None,
    references: Mapping[str, object] | None = None,
    further: Mapping[str, object] | None = None,
) -> Record:
    """Return what decides how the output looks; equal records mean equal outputs.

    What an engine's version or the number of threads changes is rounding, so that they are no part of it.

    Args:
        scan: The first source.
        source: Names and hashes of its files.
        card: The card of the model.
        options: The model's options, all of them, with their values.
        datatype: The datatype in which voxels are stored.
        computation: How the model computes, if it says so.
        references: Names and hashes of other scans that the output depends on, by what they are used for.
        further: What `describe_source` says of the further sources, by name.
    """
    details = {"details": dict(card.details)} if card.details else {}
    # What was computed counts, not what was asked for: auto is another precision on another machine.
    chosen = {
        name: value for name, value in options.items() if name != "precision" or not computation
    }
    return {
        "synthetic": True,
        "tool": {"name": "oasis-gan", "version": version("oasis-gan")},
        "model": {
            "name": card.name,
            "version": card.version,
            "weights_sha256": card.weights_sha256,
            **details,
        },
        "source": source,
        "source_labels": identity_of(scan.labels) if scan.labels else None,
        "precision": computation.precision if computation else None,
        "options": chosen,
        "datatype": datatype,
        "source_encodings": {name: encoding.identity() for name, encoding in card.sources.items()},
        "target_encoding": card.target.identity(),
        **({"further_sources": further} if further else {}),
        **(references or {}),
    }


def describe_source(scan: Scan, identity: Identity) -> Record:
    """Return what is recorded of a further source.

    Args:
        scan: The source.
        identity: Names and hashes of its files.
    """
    return {**identity, "labels": identity_of(scan.labels)} if scan.labels else dict(identity)


def as_json(record: Record, work: Path, output: str, facts: Mapping[str, object]) -> bytes:
    """Return the sidecar of the volume ``output`` in a work folder.

    Args:
        record: What decided how it looks.
        work: The folder in which it was made; what else lies in there belongs to it.
        output: The name of the volume.
        facts: What is written down beside the record, and not compared.
    """
    others = [identify(work / name) for name in companions(work, [output])]
    volume = {**identify(work / output), **({"parts": others} if others else {})}
    content = {**record, "volume": volume, **facts}
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def read_sidecar(path: Path, output: Path) -> Record | None:
    """Return what the sidecar of ``output`` says; None if it is none, or not by this tool."""
    try:
        content = json.loads(read_small(path, 2**24))
    except (OasisGanError, OSError, ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or content.get("synthetic") is not True:
        return None
    volume = content.get("volume")
    named = isinstance(volume, dict) and volume.get("file") == printable(output.name)
    return content if named else None


def differences(there: Record, output: Path, record: Record) -> list[str]:
    """Return in what ``output`` differs from what ``record`` would make; nothing if it is the same.

    Args:
        there: Its sidecar.
        output: The volume.
        record: What decides how a volume looks.
    """
    expected = json.loads(json.dumps(record))
    different: list[str] = []
    for key, value in expected.items():
        if there.get(key) != value:
            different.extend(_different_options(there, value) if key == "options" else [key])
    if there["volume"].get("sha256") != identify(output)["sha256"]:
        different.append("volume")
    return different


def _different_options(there: Record, options: Mapping[str, object]) -> list[str]:
    """Return the names of the options that an output was made with another value of."""
    used = there.get("options")
    if not isinstance(used, dict):
        return ["options"]
    names = dict.fromkeys((*options, *used))
    return [name for name in names if used.get(name) != options.get(name)]


def _state(path: Path, *, hashed: bool | None = None) -> tuple[object, ...] | None:
    """Return what changes when a file does; None if there is no such file.

    Args:
        path: Of the file.
        hashed: Whether to look at the content too. By default of a file that was changed a moment ago: within one tick
            of the file system's clock it can change again.
    """
    try:
        status = path.stat()
        if hashed is None:
            hashed = abs(time.time() - status.st_ctime) < _RECENT
        digest = sha256(path) if hashed else None
    except (OSError, OasisGanError):
        return None
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
        digest,
    )
