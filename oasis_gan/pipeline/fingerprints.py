"""Recognise a finished subject without reading its files.

A fingerprint is a hash of everything that an output depends on, with the state of its files on the
disk in place of their content: size, time of the last change, and number on the file system
(inode). If a file is copied or touched, the fingerprint differs, and the run compares the content.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

State = list[list[object]]
"""What the file system says about files, in a form that JSON can hold."""
_RECENT_NS = 2 * 10**9  # in which a file can change again without a new time, on coarse clocks


def describe_source_files(paths: Iterable[Path]) -> State | None:
    """Return the state of the files of a source, or None if it cannot tell whether they change.

    It cannot for a folder, and for a file that was changed a moment ago.
    """
    states: State = []
    for path in paths:
        status = _stat(path)
        if status is None or abs(time.time_ns() - status.st_ctime_ns) < _RECENT_NS:
            return None
        # The time of the change of the inode tells of a file that got its old time back.
        states.append([path.name, *_list_facts(status), status.st_ctime_ns])
    return states


def make_fingerprint(
    record: Mapping[str, object] | None, files: Sequence[Path], names: Collection[str]
) -> str:
    """Return the fingerprint of a finished subject, or "" if it cannot have one.

    Args:
        record: What `make_record` returns, with the states of the sources in place of their hashes;
            None if the states are not known.
        files: The volume, and the files that this tool may have written beside it.
        names: The names of the files that are known to belong to the output.
    """
    known = {path.name for path in files}
    if record is None or not known.issuperset(names):
        return ""
    outputs: State = []
    for path in files:
        status = _stat(path)
        # The volume is gone, or the exporter has made a folder.
        if status is None and path == files[0]:
            return ""
        outputs.append([path.name, *_list_facts(status)] if status else [path.name])
    text = json.dumps([record, outputs])
    return hashlib.sha256(text.encode()).hexdigest()


def _list_facts(status: os.stat_result) -> list[object]:
    """Return what changes when a file is written or replaced."""
    return [status.st_size, status.st_mtime_ns, status.st_ino]


def _stat(path: Path) -> os.stat_result | None:
    """Return the status of a regular file, or None."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status if stat.S_ISREG(status.st_mode) else None
