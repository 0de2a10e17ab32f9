"""Read where the frames of a multi-frame DICOM file lie, one after the other.

SimpleITK tells the position of the first frame only, so that frames in the opposite order, or of
several times, would go unnoticed. This reads no more than the numbers below: the elements of a file
follow one another, each with its tag, kind and length, also within sequences.

Format: https://dicom.nema.org/medical/dicom/current/output/html/part05.html (7.1.2 and 7.5)
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from ..image.volume import Affine
from .dicom_errors import UnreadableFramesError
from .voxels import open_regular

_PREAMBLE = 132
_SYNTAX = (0x0002, 0x0010)
_POSITION = (0x0020, 0x0032)
_ORIENTATION = (0x0020, 0x0037)
_SPACING = (0x0028, 0x0030)
_SLOPE = (0x0028, 0x1053)
_INTERCEPT = (0x0028, 0x1052)
_PIXELS = (0x7FE0, 0x0010)
_FRAME_GROUPS = (0x5200, 0x9230)
_NUMBERS = (_POSITION, _ORIENTATION, _SPACING, _SLOPE, _INTERCEPT)
_LONG_KINDS = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT"}
_LONG_KINDS |= {b"UV"}
_DELIMITERS = 0xFFFE
_UNDEFINED = 0xFFFFFFFF
_MOST_BYTES = 2**28  # before the pixels
_LONGEST_TEXT = 256  # of a field of numbers
_UNREADABLE_SYNTAXES = {
    b"1.2.840.10008.1.2",  # implicit kinds
    b"1.2.840.10008.1.2.1.99",  # deflated
    b"1.2.840.10008.1.2.2",  # big endian
}
_Tag = tuple[int, int]


class FramePlaces(NamedTuple):
    """Where the frames of a file lie, in LPS+ mm.

    Args:
        positions: The centre of the first pixel of each frame.
        orientation: The directions of the rows and of the columns, one after the other.
        spacing: The distance between rows, and between columns.
    """

    positions: tuple[tuple[float, ...], ...]
    orientation: tuple[float, ...]
    spacing: tuple[float, ...]


def read_frame_places(path: Path, count: int) -> FramePlaces:
    """Return where the frames of a file lie.

    Args:
        path: The path of the file.
        count: The number of frames.

    Raises:
        UnreadableFramesError: If the file does not say it for each frame, if frames have several
            orientations or scales of their intensities, or if the file is damaged.
        OSError: If the file cannot be read.
    """
    found: dict[_Tag, list[tuple[float, ...]]] = {tag: [] for tag in _NUMBERS}
    with open_regular(path, "a DICOM file") as stream:
        for tag, value in _read_elements(stream, path):
            found[tag].append(_parse(value, path))
    positions = found[_POSITION]
    if len(positions) != count or any(len(position) != 3 for position in positions):
        raise UnreadableFramesError(path, f"{len(positions)} positions of {count} frames")
    for tag in (_SLOPE, _INTERCEPT):
        if len(set(found[tag])) > 1:
            raise UnreadableFramesError(path, "frames with intensities of several scales")
    return FramePlaces(
        tuple(positions),
        _require_one(found[_ORIENTATION], 6, "orientation", path),
        _require_one(found[_SPACING], 2, "pixel spacing", path),
    )


def _require_one(
    values: list[tuple[float, ...]], length: int, name: str, path: Path
) -> tuple[float, ...]:
    """Return the value that all frames share."""
    if not values or any(len(value) != length for value in values):
        raise UnreadableFramesError(path, f"no {name}")
    first: Affine = np.array(values[0])
    if not np.allclose(values, first, rtol=0, atol=1e-4):
        raise UnreadableFramesError(path, f"frames of more than one {name}")
    return values[0]


def _parse(value: bytes, path: Path) -> tuple[float, ...]:
    try:
        numbers = tuple(float(word) for word in value.strip(b"\0 ").split(b"\\"))
    except ValueError:
        raise UnreadableFramesError(path, "text in the place of numbers") from None
    if not np.isfinite(numbers).all():
        raise UnreadableFramesError(path, "numbers that are not finite")
    return numbers


class _Start(NamedTuple):
    """The start of an element: its tag, whether others are in it, and how long it is."""

    tag: _Tag
    is_container: bool
    length: int


def _read_elements(stream: BinaryIO, path: Path) -> Iterator[tuple[_Tag, bytes]]:
    """Yield the elements that hold the numbers, up to the pixels."""
    stream.seek(_PREAMBLE)
    in_frames = False
    while stream.tell() < _MOST_BYTES:
        start = _read_start(stream, path)
        in_frames = in_frames or start.tag == _FRAME_GROUPS
        if start.tag == _PIXELS and in_frames:
            return
        # What is in a sequence comes next, as if it were not in it.
        if start.is_container:
            continue
        if start.length == _UNDEFINED:
            raise UnreadableFramesError(path, "an element without a length")
        if start.length > _LONGEST_TEXT or start.tag not in {*_NUMBERS, _SYNTAX}:
            stream.seek(start.length, 1)
            continue
        value = stream.read(start.length)
        if start.tag in _NUMBERS:
            yield start.tag, value
        elif value.strip(b"\0 ") in _UNREADABLE_SYNTAXES:
            raise UnreadableFramesError(path, "an encoding in which kinds are not stated")
    raise UnreadableFramesError(path, "no pixels")


def _read_start(stream: BinaryIO, path: Path) -> _Start:
    """Read the tag, the kind and the length of the next element."""
    tag_and_kind = stream.read(6)
    group, element = (int.from_bytes(tag_and_kind[at : at + 2], "little") for at in (0, 2))
    kind = tag_and_kind[4:]
    rest = b""
    if group == _DELIMITERS:
        # It has no kind, so that the length begins here.
        length = kind + stream.read(2)
    elif kind in _LONG_KINDS:
        rest = stream.read(2)
        length = stream.read(4)
    else:
        length = stream.read(2)
    if len(tag_and_kind) + len(rest) + len(length) < 8:
        raise UnreadableFramesError(path, "an incomplete file")
    is_container = group == _DELIMITERS or kind == b"SQ"
    return _Start((group, element), is_container, int.from_bytes(length, "little"))
