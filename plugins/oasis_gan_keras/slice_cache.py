"""Keep the training slices of all subjects in a folder, so that they are made only once.

Each subject has a file of its own, which appears under its final name when it is complete. A
training that was killed therefore leaves nothing half-made, and several trainings, or workers of
one, can share the folder.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from oasis_gan import Subject, identify_scan, one_line, write_atomically

from .cache_errors import (
    CacheFolderError,
    CacheRoomError,
    CacheWriteError,
    DamagedSlicesError,
)
from .slice_files import MARK, MemoryBlock, StoredSubject, open_file, pack_subject, unpack_subject
from .training_slices import (
    SliceSettings,
    SubjectVolumes,
    find_further,
    prepare_slices,
    read_volumes,
)

Store = Callable[[Subject, SliceSettings], StoredSubject]
"""Returns the training slices of a subject, which are read when they are drawn."""
FOLDER = "cache"
"""The folder inside a model folder that holds the training slices until the training is done."""
_ENDING = ".slices"
_UNREADABLE = (OSError, LookupError, TypeError, ValueError, struct.error)
"""What is raised by a file whose checksum is right, although a training did not write it."""
_LARGE = 10**9  # bytes, from which the size is worth a line
_SAMPLED = 4  # subjects, from whose size that of all is estimated
_LINE_EVERY = 60.0  # seconds


def keep_in_memory(subject: Subject, settings: SliceSettings) -> StoredSubject:
    """Return the training slices of a subject, compressed in memory."""
    prepared = prepare_slices(read_volumes(subject, settings), settings)
    return unpack_subject(MemoryBlock(pack_subject(prepared, key="")), key="")


class SliceCache:
    """The folder in which the training slices of all subjects are kept.

    Args:
        folder: The folder, which is made when it is needed.
        report: A function that takes a line for the log.
        subjects: The number of subjects that the training will ask for.

    Raises:
        CacheFolderError: If there is a file in the place of the folder.
    """

    def __init__(self, folder: Path, report: Callable[[str], None], subjects: int) -> None:
        if folder.exists() and not folder.is_dir():
            raise CacheFolderError(folder)
        self._folder = folder
        self._report = report
        self._subjects = subjects
        self._asked = 0
        self._made = 0
        self._bytes_made = 0
        self._last_line = time.monotonic()

    def find_or_make(self, subject: Subject, settings: SliceSettings) -> StoredSubject:
        """Return the training slices of a subject, and make them if the folder lacks them.

        Raises:
            CacheRoomError: If the slices of all subjects would not fit on the disk.
            CacheWriteError: If the slices cannot be written.
            OasisGanError: If the subject cannot be used.
        """
        self._asked += 1
        volumes = None
        key = _identify(subject, settings)
        if key is None:
            volumes = read_volumes(subject, settings)
            key = _identify_volumes(volumes, settings)
        path = self._folder / f"{key}{_ENDING}"
        found = self._find(path, key)
        if found is not None:
            return found
        volumes = volumes or read_volumes(subject, settings)
        data = pack_subject(prepare_slices(volumes, settings), key)
        self._write(path, data)
        return open_file(path, key)

    def remove(self) -> None:
        """Remove the training slices, and the folder unless it holds anything else."""
        written = [*self._folder.glob(f"*{_ENDING}"), *self._folder.glob(".*.part")]
        # Another worker of the training may remove them at the same time.
        with suppress(OSError):
            for path in written:
                path.unlink(missing_ok=True)
            self._folder.rmdir()

    def _find(self, path: Path, key: str) -> StoredSubject | None:
        """Return the slices in a file, or None if they have to be made."""
        try:
            return open_file(path, key)
        except FileNotFoundError:
            return None
        except DamagedSlicesError as error:
            self._report(str(error))
        except _UNREADABLE as error:
            self._report(str(DamagedSlicesError(path, one_line(error))))
        return None

    def _write(self, path: Path, data: bytes) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_atomically(path, data)
        except OSError as error:
            raise CacheWriteError(self._folder, error) from error
        self._made += 1
        self._bytes_made += len(data)
        if self._made == _SAMPLED:
            self._require_room()
        if time.monotonic() - self._last_line > _LINE_EVERY:
            self._last_line = time.monotonic()
            self._report(f"training slices of {self._asked} of {self._subjects} subjects are ready")

    def _require_room(self) -> None:
        """Say how much room the slices of all subjects will take, if it is much.

        Raises:
            CacheRoomError: If the disk does not have that much.
        """
        mean = self._bytes_made / self._made
        missing = mean * (self._subjects - self._asked)
        free = shutil.disk_usage(self._folder).free
        if missing > free:
            raise CacheRoomError(self._folder, _describe_size(missing), _describe_size(free))
        total = mean * self._subjects
        if total > _LARGE:
            self._report(f"training slices take about {_describe_size(total)} in {self._folder}")


def _describe_size(size: float) -> str:
    return f"{size / 1e9:.1f} GB"


def _identify(subject: Subject, settings: SliceSettings) -> str | None:
    """Return a text that only equal slices share, or None if the files do not tell."""
    scans = [subject.source, subject.target]
    _, *further = settings.encodings
    scans += [find_further(subject, name) for name in further]
    identities = [identify_scan(scan) if scan else None for scan in scans]
    if None in identities:
        return None
    return _hash(settings, identities)


def _identify_volumes(volumes: SubjectVolumes, settings: SliceSettings) -> str:
    """Return a text that only equal slices share, judging by the voxels."""
    hashes = []
    for volume in (*volumes.sources.values(), volumes.target):
        voxels = volume.voxels
        digest = hashlib.sha256(np.ascontiguousarray(voxels).data)
        grid = (voxels.dtype.str, voxels.shape, volume.geometry.affine.tolist())
        hashes.append([digest.hexdigest(), grid])
    return _hash(settings, hashes)


def _hash(settings: SliceSettings, content: object) -> str:
    text = json.dumps([MARK.decode(), settings.identity(), content], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
