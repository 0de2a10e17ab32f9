"""Read one grey picture from an untrusted PNG file: header first, then checksums, then pixels.

Pillow decodes the pixels, and gets only the chunks that it needs for that: compressed text, colour
profiles and further frames, which may have any size, are never unpacked.
"""

from __future__ import annotations

import io
import stat
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from oasis_gan import RepairNote, require_content

from .png_chunks import (
    GREY,
    GREY_ALPHA,
    PALETTE,
    RGB,
    RGB_ALPHA,
    Chunks,
    check_length,
    split_chunks,
)
from .png_errors import (
    DamagedPngError,
    LargeFileError,
    NoRegularPngError,
    NotGreyError,
    PaletteError,
    PictureSizeError,
    PixelDepthError,
)

Pixels = NDArray[Any]
Notes = tuple[str, ...]

MAX_BYTES = 2**26
"""A larger file is no slice."""
MAX_PIXELS = 2**24
"""A slice with more is refused before it is decoded: 4096 rows and columns."""
# Of colours with 16 bits Pillow would keep 8.
_DEPTHS = {
    GREY: (1, 2, 4, 8, 16),
    RGB: (8,),
    PALETTE: (1, 2, 4, 8),
    GREY_ALPHA: (8,),
    RGB_ALPHA: (8,),
}
_OPAQUE = 255
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, zlib.error, struct.error)
_ORIENTATION = 274
"""The EXIF tag: https://www.cipa.jp/std/documents/e/DC-X008-Translation-2019-E.pdf"""


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture that has grey pixels.

    Args:
        pixels: (rows, columns), uint8, or uint16 if the file has 16 bits.
        notes: What was repaired or is doubtful, a clause each.
    """

    pixels: Pixels
    notes: Notes


def read_file(path: Path) -> bytes:
    """Return the bytes of a PNG file.

    Raises:
        OasisGanError: If it is no regular file, or larger than `MAX_BYTES`.
        OSError: If it cannot be read.
    """
    require_content(path, "a PNG file")
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise NoRegularPngError(path)
    if status.st_size > MAX_BYTES:
        raise LargeFileError(path, MAX_BYTES, status.st_size)
    with path.open("rb") as file:
        return file.read(status.st_size)


def decode(data: bytes, where: object, max_pixels: int = MAX_PIXELS) -> Picture:
    """Return the picture in the bytes of a PNG file.

    Colour counts as grey if its channels are equal. Transparency and rotation are ignored, and
    noted.

    Args:
        data: The file.
        where: What an error calls the file.
        max_pixels: A larger picture is refused before it is decoded; never more than `MAX_PIXELS`.

    Raises:
        OasisGanError: If it is no PNG, damaged, incomplete, too large, or not grey.
    """
    chunks = split_chunks(data, where)
    _check_header(chunks, where, min(max_pixels, MAX_PIXELS))
    check_length(chunks, where)
    try:
        with Image.open(io.BytesIO(chunks.needed), formats=("PNG",)) as image:
            pixels = _read_pixels(image, chunks, where)
    except _DAMAGE as error:
        raise DamagedPngError(where, f"a damaged one ({error})") from error
    _require_grey(pixels, where)
    notes = _describe_channels(pixels) + _describe_oddities(chunks)
    return Picture(_take_first_channel(pixels), notes)


def _check_header(chunks: Chunks, where: object, max_pixels: int) -> None:
    """Refuse what cannot be read as a slice before anything is unpacked."""
    header = chunks.header
    if not 0 < header.width * header.height <= max_pixels:
        raise PictureSizeError(where, max_pixels, header.width, header.height)
    if header.depth not in _DEPTHS.get(header.colour, ()):
        raise PixelDepthError(where, header.depth, header.colour)


def _read_pixels(image: Image.Image, chunks: Chunks, where: object) -> Pixels:
    """Return the greys or colours of a picture, looked up if it has a palette or one bit."""
    pixels = np.asarray(image)
    if image.mode == "P":
        _require_palette(pixels, chunks, where)
        return np.asarray(image.convert("RGB"))
    if image.mode == "1":
        return np.asarray(image.convert("L"))
    return pixels


def _require_palette(pixels: Pixels, chunks: Chunks, where: object) -> None:
    # Pillow would show some colour for a place that the palette does not have.
    colours = len(chunks.first.get(b"PLTE", b"")) // 3
    highest = int(pixels.max())
    if highest >= colours:
        raise PaletteError(where, colours, highest)


def _require_grey(pixels: Pixels, where: object) -> None:
    has_colours = pixels.ndim == 3 and pixels.shape[2] >= 3
    if has_colours and (pixels[..., :3] != pixels[..., :1]).any():
        raise NotGreyError(where)


def _take_first_channel(pixels: Pixels) -> Pixels:
    """Return (rows, columns) of (rows, columns[, channels])."""
    if pixels.ndim == 3:
        return np.ascontiguousarray(pixels[..., 0])
    # Whether Pillow reads 16 bits as 16 or as 32 depends on its version.
    dtype = np.uint8 if pixels.dtype == np.uint8 else np.uint16
    return pixels.astype(dtype, copy=False)


def _describe_channels(pixels: Pixels) -> Notes:
    """Return a note on each thing that is lost when the first channel is taken as grey."""
    if pixels.ndim == 2:
        return ()
    notes: list[str] = []
    channels = pixels.shape[2]
    if channels in {2, 4}:
        notes.append(_describe_alpha(pixels[..., -1]))
    if channels >= 3:
        notes.append(RepairNote("equal colour channels taken as grey"))
    return tuple(notes)


def _describe_alpha(alpha: Pixels) -> str:
    transparent = np.count_nonzero(alpha != _OPAQUE)
    if transparent:
        return f"transparency of {transparent} pixels ignored"
    return RepairNote("opaque alpha channel dropped")


def _describe_oddities(chunks: Chunks) -> Notes:
    """Return a note on each thing that other programs might show differently."""
    notes = []
    if _is_turned(chunks.first.get(b"eXIf", b"")):
        notes.append("a request to turn the picture (EXIF) ignored")
    if b"acTL" in chunks.first:
        notes.append("animated, of which the still picture was taken")
    if b"tRNS" in chunks.first:
        notes.append("transparency ignored")
    if chunks.spare > 0:
        notes.append("bytes after its end ignored")
    return tuple(notes)


def _is_turned(exif: bytes) -> bool:
    """Whether EXIF, which is a TIFF directory, asks viewers to turn the picture."""
    order = "<" if exif.startswith(b"II") else ">"
    try:
        # The byte order is followed by the number 42 and the start of the first directory.
        (start,) = struct.unpack_from(f"{order}4xI", exif)
        (entries,) = struct.unpack_from(f"{order}H", exif, start)
        # An entry has 12 bytes: tag, type, count and value.
        for entry in range(entries):
            tag, value = struct.unpack_from(f"{order}H6xH", exif, start + 2 + 12 * entry)
            if tag == _ORIENTATION and value > 1:
                return True
    except struct.error:
        return False
    return False
