"""Split a PNG file into its chunks, check their checksums, and read the header.

Pillow decodes the pixels. The chunks are nevertheless split here: Pillow fills missing rows with
black, and would unpack text and colour profiles of any size.

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
_HEADER_LENGTH = 13
_HEAD = 8
"""Bytes of a chunk before its content: length and kind."""
_TAIL = 4
"""Bytes of a chunk after its content: the checksum."""
_STEP = 2**20
"""Bytes that are unpacked at once."""


class _Pass(NamedTuple):
    """A pass over the picture: its first column and row, and the steps between its pixels."""

    column: int
    row: int
    column_step: int
    row_step: int


_WHOLE = (_Pass(0, 0, 1, 1),)
_INTERLACED = (
    _Pass(0, 0, 8, 8),
    _Pass(4, 0, 8, 8),
    _Pass(0, 4, 4, 8),
    _Pass(2, 0, 4, 4),
    _Pass(0, 2, 2, 4),
    _Pass(1, 0, 2, 2),
    _Pass(0, 1, 1, 2),
)
"""The seven passes of Adam7."""


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
    def unpacked_size(self) -> int:
        """Number of bytes of the unpacked pixels: rows of whole bytes, each after a filter byte."""
        bits = self.depth * _CHANNELS[self.colour]
        total = 0
        for one in _INTERLACED if self.interlaced else _WHOLE:
            columns = _count(self.width, one.column, one.column_step)
            rows = _count(self.height, one.row, one.row_step)
            if columns > 0 and rows > 0:
                total += rows * (1 + (columns * bits + 7) // 8)
        return total


def _count(length: int, first: int, step: int) -> int:
    """Return how many of ``length`` positions a pass visits; at most 0 if it starts beyond them."""
    return (length - first + step - 1) // step


class Chunks(NamedTuple):
    """The chunks of a file.

    Args:
        header: The fields of the first chunk.
        first: The content of the first chunk of each kind.
        needed: A PNG file of the chunks that the picture needs, and no others.
        spare: Number of bytes after the last chunk.
    """

    header: Header
    first: dict[bytes, bytes]
    needed: bytes
    spare: int


class _Chunk(NamedTuple):
    """A chunk, and the bytes of the file from where it starts to where it ends."""

    kind: bytes
    start: int
    end: int

    def content_in(self, data: bytes) -> bytes:
        return data[self.start + _HEAD : self.end - _TAIL]


def refuse(
    where: object, expected: str, found: str, remedy: str = "copy it again, or leave it out"
) -> NoReturn:
    """Raise the error of a file that cannot be used."""
    raise OasisGanError(where, expected=expected, found=found, remedy=remedy)


def split_chunks(data: bytes, where: object) -> Chunks:
    """Return the chunks of a PNG file after all their checksums are verified.

    Raises:
        OasisGanError: If it is no PNG, damaged or incomplete.
    """
    if not data.startswith(_SIGNATURE):
        refuse_content(where, "a PNG file", data[:256])
        refuse(where, "a PNG file", "another format", "convert it to PNG, do not rename it")
    first: dict[bytes, bytes] = {}
    needed = [_SIGNATURE]
    end = 0
    for chunk in _chunks(data, where):
        is_first = not first
        is_header = chunk.kind == b"IHDR"
        if is_first != is_header:
            refuse(where, "a PNG with one header, at its beginning", "none, or several")
        # An upper-case first letter: without knowing the chunk nobody can read the picture.
        if chunk.kind[:1].isupper() and chunk.kind not in _CRITICAL:
            refuse(
                where,
                "a PNG as the standard has it",
                "a chunk of a dialect",
                "save it again as PNG",
            )
        first.setdefault(chunk.kind, chunk.content_in(data))
        if chunk.kind in _CRITICAL:
            needed.append(data[chunk.start : chunk.end])
        end = chunk.end
    header = _read_header(first[b"IHDR"], where)
    return Chunks(header, first, b"".join(needed), spare=len(data) - end)


def _read_header(content: bytes, where: object) -> Header:
    if len(content) != _HEADER_LENGTH:
        refuse(where, f"a header of {_HEADER_LENGTH} bytes", str(len(content)))
    return Header(*struct.unpack(">IIBBBBB", content))


def check_length(chunks: Chunks, where: object) -> None:
    """Refuse a picture with fewer rows than its header says, which Pillow would fill with black.

    Raises:
        OasisGanError: If rows are missing, or the pixels cannot be unpacked.
    """
    packed = b"".join(
        chunk.content_in(chunks.needed)
        for chunk in _chunks(chunks.needed, where)
        if chunk.kind == b"IDAT"
    )
    unpacker = zlib.decompressobj()
    missing = chunks.header.unpacked_size
    try:
        while missing > 0:
            unpacked = unpacker.decompress(packed, min(missing, _STEP))
            if not unpacked:
                break
            packed = unpacker.unconsumed_tail
            missing -= len(unpacked)
    except zlib.error as error:
        refuse(where, "a whole PNG", f"a damaged one ({error})")
    if missing > 0:
        refuse(where, "a whole PNG", f"one that lacks {missing} bytes of pixels")


def _chunks(data: bytes, where: object) -> Iterator[_Chunk]:
    """Yield the chunks up to the last one, and refuse a file with a wrong checksum."""
    kind = b""
    end = len(_SIGNATURE)
    while kind != b"IEND":
        start = end
        if start + _HEAD + _TAIL > len(data):
            refuse(where, "a whole PNG", "one that breaks off")
        size, kind = struct.unpack_from(">I4s", data, start)
        end = start + _HEAD + size + _TAIL
        if end > len(data):
            refuse(where, "a whole PNG", "one that breaks off")
        (checksum,) = struct.unpack_from(">I", data, end - _TAIL)
        if zlib.crc32(data[start + 4 : end - _TAIL]) != checksum:
            refuse(where, "a whole PNG", "a damaged one (wrong checksum)")
        yield _Chunk(kind, start, end)
