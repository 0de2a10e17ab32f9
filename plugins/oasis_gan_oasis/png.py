"""Reading one grey picture from a PNG, trusting nothing: header first, then every checksum, then pixels.

Pillow decodes the pixels, and is handed only the chunks that it needs for that: compressed text, colour profiles and
further frames, which could grow without end, are never unpacked.
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
    refuse,
    split,
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
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, zlib.error, struct.error)
_ORIENTATION = (
    274  # the tag in EXIF: https://www.cipa.jp/std/documents/e/DC-X008-Translation-2019-E.pdf
)


@dataclass(frozen=True, eq=False)
class Picture:
    """A grey picture.

    Args:
        pixels: (rows, columns), uint8, or uint16 where the file has 16 bits.
        notes: What was repaired or doubted, a clause each.
    """

    pixels: Pixels
    notes: Notes


def file_bytes(path: Path) -> bytes:
    """Return what is in a file.

    Raises:
        OasisGanError: If it is no regular file, or larger than `MAX_BYTES`.
        OSError: If it cannot be read.
    """
    require_content(path, "a PNG file")
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        refuse(path, "a PNG file", "no regular file", "name a .png file")
    if status.st_size > MAX_BYTES:
        refuse(
            path,
            f"a slice of at most {MAX_BYTES} bytes",
            f"{status.st_size}",
            "save it without metadata",
        )
    with path.open("rb") as file:
        return file.read(status.st_size)


def decoded(data: bytes, where: object, max_pixels: int = MAX_PIXELS) -> Picture:
    """Return the picture in the bytes of a PNG file.

    Colour is taken as grey where its channels are equal; transparency and rotation are ignored, with a note.

    Args:
        data: The file.
        where: What to call it in an error.
        max_pixels: A picture with more is refused before it is decoded; never more than `MAX_PIXELS`.

    Raises:
        OasisGanError: If it is no PNG, damaged, incomplete, too large, or not grey.
    """
    chunks = split(data, where)
    _check_header(chunks, where, min(max_pixels, MAX_PIXELS))
    check_length(chunks, where)
    try:
        with Image.open(io.BytesIO(chunks.needed), formats=("PNG",)) as image:
            pixels = _looked_up(image, chunks, where)
    except _DAMAGE as error:
        refuse(where, "a whole PNG", f"a damaged one ({error})")
    grey, notes = _as_grey(pixels, where)
    return Picture(grey, notes + _oddities(chunks))


def _check_header(chunks: Chunks, where: object, max_pixels: int) -> None:
    """Refuse what cannot be read as a slice, before anything is unpacked."""
    width, height, depth, colour, *_ = chunks.header
    if not 0 < width * height <= max_pixels:
        refuse(
            where,
            f"1 to {max_pixels} pixels",
            f"{width} x {height}",
            "crop it, or raise `max_voxels`",
        )
    if depth not in _DEPTHS.get(colour, ()):
        refuse(
            where,
            "grey, or colour of 8 bits",
            f"{depth} bits, colour type {colour}",
            "save it as 16-bit grey",
        )


def _looked_up(image: Image.Image, chunks: Chunks, where: object) -> Pixels:
    """Return the pixels of a picture as greys or colours: not as places in a palette, nor as yes and no."""
    pixels = np.asarray(image)
    if image.mode == "P":
        colours = len(chunks.first.get(b"PLTE", b"")) // 3
        if pixels.max() >= colours:
            refuse(where, f"places in a palette of {colours}", f"{pixels.max()}", "save it as grey")
        return np.asarray(image.convert("RGB"))
    return np.asarray(image.convert("L")) if image.mode == "1" else pixels


def _as_grey(pixels: Pixels, where: object) -> tuple[Pixels, Notes]:
    """Return (rows, columns) of (rows, columns[, channels]), and what was done to it."""
    if pixels.ndim == 2:
        return pixels.astype(np.uint8 if pixels.dtype == np.uint8 else np.uint16, copy=False), ()
    notes: Notes = ()
    channels = pixels.shape[2]
    if channels in {2, 4}:
        seen_through = int(np.count_nonzero(pixels[..., -1] != 255))
        lost = f"transparency of {seen_through} pixels ignored"
        notes = (lost if seen_through else RepairNote("opaque alpha channel dropped"),)
    if channels >= 3:
        if (pixels[..., :3] != pixels[..., :1]).any():
            refuse(where, "grey pixels", "colours", "save it as grey")
        notes += (RepairNote("equal colour channels taken as grey"),)
    return np.ascontiguousarray(pixels[..., 0]), notes


def _oddities(chunks: Chunks) -> Notes:
    """Return what other programs might show differently."""
    found = {
        "a request to turn the picture (EXIF) ignored": _is_turned(chunks.first.get(b"eXIf", b"")),
        "animated, of which the still picture was taken": b"acTL" in chunks.first,
        "transparency ignored": b"tRNS" in chunks.first,
        "bytes after its end ignored": chunks.spare > 0,
    }
    return tuple(note for note, is_so in found.items() if is_so)


def _is_turned(exif: bytes) -> bool:
    """Whether EXIF, which is a TIFF directory, asks viewers to turn the picture."""
    order = "<" if exif.startswith(b"II") else ">"
    try:
        (start,) = struct.unpack_from(f"{order}4xI", exif)
        (entries,) = struct.unpack_from(f"{order}H", exif, start)
        tags = [
            struct.unpack_from(f"{order}H6xH", exif, start + 2 + 12 * entry)
            for entry in range(entries)
        ]
    except struct.error:
        return False
    return any(tag == _ORIENTATION and value > 1 for tag, value in tags)
