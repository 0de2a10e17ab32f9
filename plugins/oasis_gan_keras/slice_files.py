"""Store the training slices of a subject as bytes from which each slice can be read by itself.

The bytes are a mark, the SHA-256 of all that follows, the length of the header, the header as JSON,
and the slices. Each slice of each volume is compressed by itself. A table before the slices of a
plane says where each of them begins.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from oasis_gan import Histogram, Plane, SliceStack, Window

from .cache_errors import (
    DamagedSlicesError,
    LostSlicesError,
)
from .training_slices import Mask, PlaneSlices, PreparedSubject

Pixels = NDArray[Any]
MARK = b"oasis-gan slices 1\n"
"""The bytes that every file begins with: its kind and the version of its format."""
_DIGEST_BYTES = 32
_LENGTH = struct.Struct("<Q")
_PLACE = np.dtype("<u8")
_FAST = 1  # the level of compression
_THREADS = 4  # that compress slices


class Block(Protocol):
    """Bytes that can be read in parts."""

    def read(self, start: int, count: int) -> bytes:
        """Return ``count`` bytes from ``start``, or fewer if there are no more.

        Raises:
            OSError: If they cannot be read.
        """


@dataclass(frozen=True)
class FileBlock:
    """The bytes of a file, which is opened for each part.

    A file that stayed open, or was mapped into memory, would count against the limits of the
    process for each subject.

    Args:
        path: The file.
    """

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def read(self, start: int, count: int) -> bytes:
        """Return a part of the file."""
        with self.path.open("rb", buffering=0) as file:
            file.seek(start)
            return file.read(count)


@dataclass(frozen=True)
class MemoryBlock:
    """A block of bytes that lie in memory.

    Args:
        data: The bytes.
    """

    data: bytes

    def __str__(self) -> str:
        return "training slices in memory"

    def read(self, start: int, count: int) -> bytes:
        """Return a part of the bytes."""
        return self.data[start : start + count]


@dataclass(frozen=True)
class _Layout:
    """How the slices of a volume lie in memory.

    Args:
        dtype: The type of the pixels, as NumPy writes it: ``|u1`` or ``<f2``.
        order: ``C`` if the pixels of a row lie side by side, ``F`` if those of a column do. The
            order of sums in a matrix product depends on it, and so may their last bit.
    """

    dtype: str
    order: str

    @classmethod
    def of(cls, stack: SliceStack) -> _Layout:
        """Return the layout of a stack."""
        _, rows, columns = map(abs, stack.slices.strides)
        dtype = stack.slices.dtype.newbyteorder("<")
        return cls(dtype.str, "C" if rows >= columns else "F")

    def pack(self, pixels: Pixels) -> bytes:
        """Return the pixels of a slice, compressed."""
        straight = pixels if self.order == "C" else pixels.T
        return zlib.compress(np.ascontiguousarray(straight, self.dtype).data, _FAST)

    def unpack(self, data: bytes, rows: int, columns: int) -> Pixels:
        """Return the pixels of a slice, (rows, columns).

        Raises:
            ValueError: If the data have another size.
            zlib.error: If the data are damaged.
        """
        pixels = np.frombuffer(zlib.decompress(data), self.dtype)
        if self.order == "C":
            return pixels.reshape(rows, columns)
        return pixels.reshape(columns, rows).T


@dataclass(frozen=True, eq=False)
class StoredPlane:
    """The slices of a subject in one plane at one resolution, which are read when they are drawn.

    Args:
        block: The bytes that hold the slices.
        start: The position of the header's end, from which positions are counted.
        plane: The plane.
        spacing: The distance between rows and between columns, in mm.
        shape: The number of slices, rows and columns.
        extent: The first row and column that the first source covers in any slice, and those after
            the last.
        layouts: The layout of each source, in the order of channels, and of the target.
        table: The position of the table.
    """

    block: Block
    start: int
    plane: Plane
    spacing: tuple[float, float]
    shape: tuple[int, int, int]
    extent: tuple[int, int, int, int]
    layouts: tuple[_Layout, ...]
    table: int

    @property
    def mask(self) -> Mask:
        """Return the rectangle that the first source covers, (1, rows, columns).

        Slices are centred by it: nothing else of the mask matters for their place on the canvas.
        """
        _, rows, columns = self.shape
        top, left, bottom, right = self.extent
        mask = np.zeros((1, rows, columns), np.bool_)
        mask[:, top:bottom, left:right] = True
        return mask

    def read_source(self, number: int, index: int) -> Pixels:
        """Return a slice of a source, (rows, columns).

        Raises:
            LostSlicesError: If the slice cannot be read any more.
        """
        return self._read(number, index)

    def read_target(self, index: int) -> Pixels:
        """Return a slice of the target, (rows, columns).

        Raises:
            LostSlicesError: If the slice cannot be read any more.
        """
        return self._read(len(self.layouts) - 1, index)

    def _read(self, volume: int, index: int) -> Pixels:
        _, rows, columns = self.shape
        number = index * len(self.layouts) + volume
        try:
            return self.layouts[volume].unpack(self._read_packed(number), rows, columns)
        # The file was removed or damaged while the training used it.
        except (OSError, ValueError, zlib.error) as error:
            raise LostSlicesError(str(self.block), error) from error

    def _read_packed(self, number: int) -> bytes:
        """Return a compressed slice; the slices of all volumes are numbered together."""
        place = self.start + self.table + number * _PLACE.itemsize
        limits = np.frombuffer(self.block.read(place, 2 * _PLACE.itemsize), _PLACE)
        begin, end = limits.tolist()
        return self.block.read(self.start + begin, end - begin)


@dataclass(frozen=True, eq=False)
class StoredSubject:
    """The training slices of a subject, which are read when they are drawn.

    Args:
        planes: The slices in each plane, at each resolution.
        chosen: The indices of the slices of each that are worth training on.
        window: The window that encodes the target; None for a label map.
        histogram: The distribution of the target's intensities, if the recipe asks for it.
    """

    planes: tuple[StoredPlane, ...]
    chosen: tuple[NDArray[np.int32], ...]
    window: Window | None
    histogram: Histogram | None


def pack_subject(subject: PreparedSubject, key: str) -> bytes:
    """Return the slices of a subject as bytes.

    Args:
        subject: The subject.
        key: The text that tells the file from those of other subjects and settings.
    """
    body = bytearray()
    planes = [_append_plane(body, plane) for plane in subject.planes]
    header = {
        "key": key,
        "planes": planes,
        "window": asdict(subject.window) if subject.window else None,
        "histogram": asdict(subject.histogram) if subject.histogram else None,
    }
    text = json.dumps(header).encode()
    content = _LENGTH.pack(len(text)) + text + body
    return MARK + hashlib.sha256(content).digest() + content


def open_file(path: Path, key: str) -> StoredSubject:
    """Return the slices in a file, once its checksum has been verified.

    Raises:
        DamagedSlicesError: If the file is not whole, or holds something else.
        OSError: If it cannot be read.
    """
    with path.open("rb") as file:
        mark = file.read(len(MARK))
        expected = file.read(_DIGEST_BYTES)
        digest = hashlib.file_digest(file, "sha256").digest()
    if mark != MARK:
        raise DamagedSlicesError(path, "something else")
    if digest != expected:
        raise DamagedSlicesError(path, "other content than was written")
    return unpack_subject(FileBlock(path), key)


def unpack_subject(block: Block, key: str) -> StoredSubject:
    """Return the slices in a block of bytes.

    Raises:
        DamagedSlicesError: If the block holds those of another subject or other settings.
        OSError: If the block cannot be read.
    """
    start = len(MARK) + _DIGEST_BYTES
    (length,) = _LENGTH.unpack(block.read(start, _LENGTH.size))
    start += _LENGTH.size
    header = json.loads(block.read(start, length))
    if header["key"] != key:
        raise DamagedSlicesError(str(block), "those of other volumes")
    described = header["planes"]
    body = start + length
    return StoredSubject(
        planes=tuple(_find_plane(plane, block, body) for plane in described),
        chosen=tuple(np.array(plane["chosen"], np.int32) for plane in described),
        window=_read_window(header["window"]),
        histogram=_read_histogram(header["histogram"]),
    )


def _append_plane(body: bytearray, plane: PlaneSlices) -> dict[str, object]:
    """Append the table and the slices of a plane, and describe it for the header."""
    volumes = (*plane.sources, plane.target)
    layouts = [_Layout.of(volume) for volume in volumes]
    packed = _pack_slices(volumes, layouts)
    table = len(body)
    sizes = [len(data) for data in packed]
    places = np.zeros(len(packed) + 1, _PLACE)
    places[1:] = np.cumsum(sizes)
    places += table + places.nbytes
    body += places.tobytes()
    for data in packed:
        body += data
    first = plane.sources[0]
    return {
        "plane": str(first.plane),
        "spacing": first.spacing,
        "shape": first.slices.shape,
        "extent": _find_extent(plane.mask),
        "layouts": [asdict(layout) for layout in layouts],
        "table": table,
        "chosen": plane.chosen.tolist(),
    }


def _pack_slices(volumes: Sequence[SliceStack], layouts: Sequence[_Layout]) -> list[bytes]:
    """Return the compressed slices of volumes: the first of each, the second of each, and so on."""
    with ThreadPoolExecutor(_THREADS) as pool:
        columns = [
            pool.map(layout.pack, volume.slices)
            for layout, volume in zip(layouts, volumes, strict=True)
        ]
        return [data for row in zip(*columns, strict=True) for data in row]


def _find_extent(mask: Mask) -> tuple[int, int, int, int]:
    """Return the first row and column of a mask, and those after the last."""
    rows = np.flatnonzero(mask.any(axis=(0, 2)))
    columns = np.flatnonzero(mask.any(axis=(0, 1)))
    if not rows.size:
        return 0, 0, 0, 0
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def _find_plane(described: Mapping[str, Any], block: Block, start: int) -> StoredPlane:
    """Return the slices of a plane that a header describes."""
    row_spacing, column_spacing = described["spacing"]
    count, rows, columns = described["shape"]
    top, left, bottom, right = described["extent"]
    return StoredPlane(
        block=block,
        start=start,
        plane=Plane(described["plane"]),
        spacing=(row_spacing, column_spacing),
        shape=(count, rows, columns),
        extent=(top, left, bottom, right),
        layouts=tuple(_Layout(**layout) for layout in described["layouts"]),
        table=described["table"],
    )


def _read_window(described: Mapping[str, Any] | None) -> Window | None:
    if described is None:
        return None
    return Window(tuple(described["values"]), tuple(described["anchors"]))


def _read_histogram(described: Mapping[str, Any] | None) -> Histogram | None:
    if described is None:
        return None
    tissues = {name: tuple(row) for name, row in described["tissues"].items()}
    return Histogram(tissues, described["strength"])
