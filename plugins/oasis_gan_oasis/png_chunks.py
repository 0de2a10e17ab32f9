"""Split a PNG file into its chunks, check their checksums, and read the header.

Pillow decodes the pixels. The chunks are nevertheless split here: Pillow fills missing rows with
black, and would unpack text and colour profiles of any size.

Format: https://www.w3.org/TR/png-3/
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from oasis_gan import refuse_content

from .png_errors import DamagedPngError, NonStandardPngError, NotPngError

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
_LENGTH = 4
"""Bytes of the length of a chunk."""
_TAIL = 4
"""Bytes of a chunk after its content: the checksum."""
_STEP = 2**20
"""Bytes that are unpacked at once."""
_CUT_SHORT = "one that breaks off"


class _Pass(NamedTuple):
    """A pass over the picture: its first column and row, and the steps between its pixels."""

    column: int
    row: int
    column_step: int
    row_step: int

    def compute_unpacked_size(self, header: Header) -> int:
        """Return the number of bytes of its rows: whole bytes, each row after a filter byte."""
        columns = _count(header.width, self.column, self.column_step)
        rows = _count(header.height, self.row, self.row_step)
        # A pass without pixels has no rows, and so no filter bytes.
        if columns <= 0 or rows <= 0:
            return 0
        row_size = (columns * header.bits_per_pixel + 7) // 8
        return rows * (1 + row_size)


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
    """The fields that the first chunk holds."""

    width: int
    height: int
    depth: int
    colour: int
    compression: int
    filtering: int
    interlaced: int

    @property
    def bits_per_pixel(self) -> int:
        """Return the number of bits of all channels of a pixel."""
        return self.depth * _CHANNELS[self.colour]

    @property
    def unpacked_size(self) -> int:
        """Return the number of bytes of the unpacked pixels."""
        passes = _INTERLACED if self.interlaced else _WHOLE
        return sum(each.compute_unpacked_size(self) for each in passes)


def _count(length: int, first: int, step: int) -> int:
    """Return how many of ``length`` positions a pass visits; at most 0 if it starts beyond them."""
    return (length - first + step - 1) // step


class Chunks(NamedTuple):
    """The chunks that make up a file.

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

    def read_content(self, data: bytes) -> bytes:
        """Return the content of the chunk, without its length, kind and checksum."""
        return data[self.start + _HEAD : self.end - _TAIL]

    def is_intact_in(self, data: bytes) -> bool:
        """Whether the checksum is that of the kind and the content."""
        content_end = self.end - _TAIL
        checksum = int.from_bytes(data[content_end : self.end], "big")
        return zlib.crc32(data[self.start + _LENGTH : content_end]) == checksum


def split_chunks(data: bytes, where: object) -> Chunks:
    """Return the chunks of a PNG file after all their checksums are verified.

    Raises:
        OasisGanError: If it is no PNG, damaged or incomplete.
    """
    if not data.startswith(_SIGNATURE):
        refuse_content(where, "a PNG file", data[:256])
        raise NotPngError(where)
    first: dict[bytes, bytes] = {}
    needed = [_SIGNATURE]
    end = 0
    for chunk in _read_chunks(data, where):
        _require_standard(chunk, where, is_first=not first)
        first.setdefault(chunk.kind, chunk.read_content(data))
        if chunk.kind in _CRITICAL:
            needed.append(data[chunk.start : chunk.end])
        end = chunk.end
    header = _read_header(first[b"IHDR"], where)
    return Chunks(header, first, b"".join(needed), spare=len(data) - end)


def _require_standard(chunk: _Chunk, where: object, *, is_first: bool) -> None:
    """Refuse a header that is not the first chunk, and a chunk that only some programs know."""
    is_header = chunk.kind == b"IHDR"
    if is_first != is_header:
        expected = "a PNG with one header, at its beginning"
        raise DamagedPngError(where, "none, or several", expected)
    # An upper-case first letter: without knowing the chunk nobody can read the picture.
    if chunk.kind[:1].isupper() and chunk.kind not in _CRITICAL:
        raise NonStandardPngError(where)


def _read_header(content: bytes, where: object) -> Header:
    if len(content) != _HEADER_LENGTH:
        raise DamagedPngError(where, str(len(content)), f"a header of {_HEADER_LENGTH} bytes")
    return Header(*struct.unpack(">IIBBBBB", content))


def check_length(chunks: Chunks, where: object) -> None:
    """Refuse a picture with fewer rows than its header says, which Pillow would fill with black.

    Raises:
        DamagedPngError: If rows are missing, or the pixels cannot be unpacked.
    """
    packed = b"".join(
        chunk.read_content(chunks.needed)
        for chunk in _read_chunks(chunks.needed, where)
        if chunk.kind == b"IDAT"
    )
    size = chunks.header.unpacked_size
    try:
        missing = size - _measure_unpacked_size(packed, size)
    except zlib.error as error:
        raise DamagedPngError(where, f"a damaged one ({error})") from error
    if missing > 0:
        raise DamagedPngError(where, f"one that lacks {missing} bytes of pixels")


def _measure_unpacked_size(packed: bytes, limit: int) -> int:
    """Return how many bytes ``packed`` has when it is unpacked; counting stops at ``limit``."""
    unpacker = zlib.decompressobj()
    size = 0
    # A step at a time, because a small file can unpack to any size.
    while size < limit:
        unpacked = unpacker.decompress(packed, min(limit - size, _STEP))
        if not unpacked:
            break
        packed = unpacker.unconsumed_tail
        size += len(unpacked)
    return size


def _read_chunks(data: bytes, where: object) -> Iterator[_Chunk]:
    """Yield the chunks up to the last one, and refuse a file with a wrong checksum."""
    kind = b""
    end = len(_SIGNATURE)
    while kind != b"IEND":
        start = end
        if start + _HEAD + _TAIL > len(data):
            raise DamagedPngError(where, _CUT_SHORT)
        size, kind = struct.unpack_from(">I4s", data, start)
        end = start + _HEAD + size + _TAIL
        # The size is what the file says: it may lead beyond its end.
        if end > len(data):
            raise DamagedPngError(where, _CUT_SHORT)
        chunk = _Chunk(kind, start, end)
        if not chunk.is_intact_in(data):
            raise DamagedPngError(where, "a damaged one (wrong checksum)")
        yield chunk
