"""Find the mark that outputs carry inside, because a sidecar may get lost."""

from __future__ import annotations

import zlib
from pathlib import Path

SYNTHETIC_MARK = "oasis-gan synthetic"
"""What a file says of itself in the field that its format has for a description.

An exporter writes it, because a sidecar gets lost. The text is fixed, so that it can hold nothing
of a source, such as the name of a patient.
"""
_START = 1024
"""Bytes at the start of a file in which NIfTI, NRRD, MetaImage and PNG hold their descriptions."""
_GZIP = b"\x1f\x8b"
_GZIP_WINDOW = 31  # what zlib calls a stream with the header of gzip


def is_marked(path: Path) -> bool:
    """Tell whether a file carries `SYNTHETIC_MARK`; one that cannot be read does not."""
    try:
        # Opening a pipe would wait for somebody to write to it.
        if not path.is_file():
            return False
        with path.open("rb") as file:
            start = file.read(_START)
        if start.startswith(_GZIP):
            start = zlib.decompressobj(_GZIP_WINDOW).decompress(start, _START)
    except (OSError, zlib.error):
        return False
    return SYNTHETIC_MARK.encode("ascii") in start
