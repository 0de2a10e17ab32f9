"""Tell scans apart without reading their voxels."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import sys
from collections.abc import Iterator
from functools import lru_cache, partial
from importlib.metadata import version
from pathlib import Path, PurePath
from types import FunctionType

from ..io.files import hash_file
from .datasets import Scan


def identify_scan(scan: Scan) -> str | None:
    """Return a text that two scans share only if they read the same volume.

    It depends on the content of the files, on the reader with the arguments that are bound to it,
    and on what is known about the values. Files may be renamed and moved.

    Returns:
        The SHA-256 of all that, or None if a file cannot be read, or the reader is a function that
        no other process would find, such as a ``lambda``.
    """
    reading = (
        scan.reader,
        scan.content,
        scan.labels,
        scan.stored_labels,
        scan.assumed_labels,
    )
    digest = hashlib.sha256(version("oasis-gan").encode())
    try:
        digest.update(_pickle(reading))
        digest.update(_hash(_find_module(scan.reader)))
        for path in _list_files(scan):
            digest.update(_hash(path))
    # The objects of a plugin may raise anything when they are pickled.
    except Exception:  # noqa: BLE001
        return None
    return digest.hexdigest()


class _Pickler(pickle.Pickler):
    """Pickles equal values to equal bytes, wherever a relative path starts from."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        # Without a memo, it does not matter which of the equal values are the same object.
        self.fast = True

    def persistent_id(self, thing: object) -> str | None:
        """Return the absolute path of a path; leave everything else to pickle."""
        if isinstance(thing, Path):
            return os.path.abspath(thing)  # noqa: PTH100 - links are not followed
        return str(thing) if isinstance(thing, PurePath) else None


def _pickle(value: object) -> bytes:
    file = io.BytesIO()
    _Pickler(file).dump(value)
    return file.getvalue()


def _find_module(reader: object) -> Path:
    """Return the file of the module that a reader is defined in, which may change."""
    while isinstance(reader, partial):
        reader = reader.func
    owner = reader if isinstance(reader, FunctionType) else type(reader)
    return Path(str(sys.modules[owner.__module__].__file__))


def _list_files(scan: Scan) -> Iterator[Path]:
    """Yield the files of a scan, and those below its folders."""
    for path in (scan.path, *scan.parts):
        if path.is_dir():
            yield from (file for file in sorted(path.rglob("*")) if file.is_file())
        else:
            yield path


def _hash(path: Path) -> bytes:
    # An archive holds many scans, and is hashed once for all of them.
    status = path.stat()
    return _hash_once(path, status.st_ino, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=64)
def _hash_once(path: Path, *status: int) -> bytes:
    return hash_file(path).encode()
