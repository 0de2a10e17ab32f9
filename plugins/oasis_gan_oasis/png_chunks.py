"""What a PNG is made of: chunks with checksums, the first of which says how large the picture is.

Pillow decodes the pixels. The chunks are taken apart here all the same: Pillow fills rows that are missing with black,
and would unpack text and colour profiles that can grow without end.

Format: https://www.w3.org/TR/png-3/
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple, NoReturn

from oasis_gan import OasisGanError, refuse_content

GREY = 0
RGB = 2
PALETTE = 3
GREY_ALPHA = 4
RGB_ALPHA = 6
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
_CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGB_ALPHA: 4}
_WHOLE = ((0, 0, 1, 1),)
_INTERLACED = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
"""First column and row of each pass of Adam7, and how far apart columns and rows are."""
_STEP = 2**20  # bytes unpacked at once


class Header(NamedTuple):
    """The fields of the first chunk."""

    width: int
    height: int
    depth: int
    colour: int
    compression: int
    filtering: int
    interlaced: int

    @property
    def unpacked(self) -> int:
        """How many bytes the pixels unpack to: rows of whole bytes, each with one more that names its filter."""
        bits = self.depth * _CHANNELS[self.colour]
        total = 0
        for column, row, across, down in _INTERLACED if self.interlaced else _WHOLE:
            columns = (self.width - column + across - 1) // across
            rows = (self.height - row + down - 1) // down
            total += rows * (1 + (columns * bits + 7) // 8) if columns > 0 and rows > 0 else 0
        return total


class Chunks(NamedTuple):
    """The chunks of a file.

    Args:
        header: What the first one says.
        first: The content of the first chunk of each kind.
        needed: A file with the chunks without which there is no picture, and no others.
        spare: How many bytes follow the last one.
    """

    header: Header
    first: dict[bytes, bytes]
    needed: bytes
    spare: int


def refuse(
    where: object, expected: str, found: str, remedy: str = "copy it again, or leave it out"
) -> NoReturn:
    """Raise the error of a file that cannot be used."""
    raise OasisGanError(where, expected=expected, found=found, remedy=remedy)


def split(data: bytes, where: object) -> Chunks:
    """Return the chunks of a PNG file, once all their checksums are right.

    Raises:
        OasisGanError: If it is no PNG, damaged or incomplete.
    """
    if not data.startswith(_SIGNATURE):
        refuse_content(where, "a PNG file", data[:256])
        refuse(where, "a PNG file", "another format", "convert it to PNG, do not rename it")
    first: dict[bytes, bytes] = {}
    needed = [_SIGNATURE]
    end = 0
    for kind, start, end in _chunks(data, where):
        if bool(first) == (kind == b"IHDR"):
            refuse(where, "a PNG with one header, at its beginning", "none, or several")
        # An upper-case first letter: whoever does not know the chunk cannot read the picture.
        if kind[:1].isupper() and kind not in _CRITICAL:
            refuse(
                where, "a PNG as the standard has it", "a chunk of a dialect", "save it anew as PNG"
            )
        first.setdefault(kind, data[start + 8 : end - 4])
        if kind in _CRITICAL:
            needed.append(data[start:end])
    if len(first[b"IHDR"]) != 13:
        refuse(where, "a header of 13 bytes", str(len(first[b"IHDR"])))
    header = Header(*struct.unpack(">IIBBBBB", first[b"IHDR"]))
    return Chunks(header, first, b"".join(needed), len(data) - end)


def check_length(chunks: Chunks, where: object) -> None:
    """Refuse a picture with fewer rows than its header says, which Pillow would fill up with black.

    Raises:
        OasisGanError: If it is so, or what is packed cannot be unpacked.
    """
    packed = b"".join(
        chunks.needed[s + 8 : e - 4]
        for kind, s, e in _chunks(chunks.needed, where)
        if kind == b"IDAT"
    )
    unpacker = zlib.decompressobj()
    missing = chunks.header.unpacked
    try:
        while missing > 0 and (unpacked := unpacker.decompress(packed, min(missing, _STEP))):
            packed = unpacker.unconsumed_tail
            missing = missing - len(unpacked)
    except zlib.error as error:
        refuse(where, "a whole PNG", f"a damaged one ({error})")
    if missing > 0:
        refuse(where, "a whole PNG", f"one that lacks {missing} bytes of pixels")


def _chunks(data: bytes, where: object) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of the chunks up to the last one, whose checksums are right."""
    kind = b""
    end = len(_SIGNATURE)
    while kind != b"IEND":
        start = end
        size, kind = (
            struct.unpack_from(">I4s", data, start) if start + 12 <= len(data) else (len(data), b"")
        )
        end = start + size + 12
        if end > len(data):
            refuse(where, "a whole PNG", "one that breaks off")
        if zlib.crc32(data[start + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
            refuse(where, "a whole PNG", "a damaged one (wrong checksum)")
        yield kind, start, end
