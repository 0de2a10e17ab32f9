"""Small DICOM series for tests, written by SimpleITK, and multi-frame files, written here."""

from __future__ import annotations

import locale
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK
from nibabel.eulerangles import euler2mat
from numpy.typing import NDArray

from kit.itk_images import VOXELS

PATIENT = "Doe^Jane"
"""The name in every file, which must never come out."""
AXES: NDArray[np.float64] = np.array(euler2mat(0.3, -0.2, 0.1))
"""The directions of a tilted head. The third is the normal of the others, as in every series."""
_ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
_EXPLICIT = "1.2.840.10008.1.2.1"
_LONG = {"OB", "OW", "SQ"}


def save_series(
    folder: Path,
    voxels: NDArray[np.int16] = VOXELS,
    axes: NDArray[np.float64] = AXES,
    *,
    spacing: tuple[float, float, float] = (0.7, 1.1, 2.5),
    origin: tuple[float, float, float] = (-61.5, 40.25, -12.75),
    places: Sequence[float] | None = None,
    series: str = "1.2.3.4",
    prefix: str = "",
) -> list[Path]:
    """Write a file for each slice, named in the reverse order, and return them along the normal.

    Args:
        folder: The folder.
        voxels: (columns, rows, slices).
        axes: The directions of columns, rows and slices, in columns, LPS+.
        spacing: The distances of columns, rows and slices, in mm.
        origin: The centre of the first voxel, LPS+ mm.
        places: Where the slices lie along the normal, in units of their spacing.
        series: What tells the series from others.
        prefix: How the names of the files begin.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    count = voxels.shape[2]
    for index, place in enumerate(range(count) if places is None else places):
        position = np.array(origin) + axes[:, 2] * spacing[2] * place
        path = folder / f"{prefix}{count - index:03d}.dcm"
        _write_slice(path, voxels[:, :, index], axes, spacing, position, series)
        files.append(path)
    return files


def _write_slice(
    path: Path,
    pixels: NDArray[np.int16],
    axes: NDArray[np.float64],
    spacing: tuple[float, float, float],
    position: NDArray[np.float64],
    series: str,
) -> None:
    image = SimpleITK.GetImageFromArray(np.ascontiguousarray(pixels.T[np.newaxis]))
    image.SetSpacing(spacing)
    fields = {
        "0008|0060": "MR",
        "0010|0010": PATIENT,
        "0020|000d": "1.2.3",
        "0020|000e": series,
        "0008|0018": f"{series}.{path.stem[-3:]}",
        "0020|0011": series.rpartition(".")[2],
        "0020|0032": _join(position),
        "0020|0037": _join([*axes[:, 0], *axes[:, 1]]),
    }
    for tag, value in fields.items():
        image.SetMetaData(tag, value)
    writer = SimpleITK.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    writer.SetFileName(str(path))
    # GDCM sets the locale to C when it writes, and with it the encoding of files in later tests.
    before = locale.setlocale(locale.LC_ALL)
    writer.Execute(image)
    locale.setlocale(locale.LC_ALL, before)


def _join(numbers: Sequence[float] | NDArray[np.float64]) -> str:
    # A decimal string of DICOM has 16 characters.
    return "\\".join(f"{number:.10f}"[:16] for number in numbers)


def save_frames(
    path: Path,
    voxels: NDArray[np.int16] = VOXELS,
    positions: Sequence[Sequence[float]] = (),
    *,
    orientation: Sequence[float] = (1, 0, 0, 0, 1, 0),
    spacing: tuple[float, float] = (1.1, 0.7),
    slopes: Sequence[float] = (),
) -> Path:
    """Write an enhanced MR file with a frame at each of the positions, and return its path."""
    columns, rows, count = voxels.shape
    frames = []
    for index, position in enumerate(positions):
        items = _sequence(0x0020, 0x9113, _element(0x0020, 0x0032, "DS", _join(position)))
        if slopes:
            scale = _element(0x0028, 0x1052, "DS", "0")
            scale += _element(0x0028, 0x1053, "DS", f"{slopes[index]}")
            items += _sequence(0x0028, 0x9145, scale)
        frames.append(items)
    shared = _sequence(0x0020, 0x9116, _element(0x0020, 0x0037, "DS", _join(orientation)))
    measures = _element(0x0018, 0x0050, "DS", "2.5")
    measures += _element(0x0028, 0x0030, "DS", _join(spacing))
    shared += _sequence(0x0028, 0x9110, measures)
    body = b"".join(
        [
            _element(0x0008, 0x0016, "UI", _ENHANCED_MR),
            _element(0x0008, 0x0018, "UI", "1.2.3.4.5"),
            _element(0x0008, 0x0060, "CS", "MR"),
            _element(0x0010, 0x0010, "PN", PATIENT),
            _element(0x0020, 0x000E, "UI", "1.2.3.4"),
            _element(0x0020, 0x0011, "IS", "7"),
            _element(0x0028, 0x0002, "US", 1),
            _element(0x0028, 0x0004, "CS", "MONOCHROME2"),
            _element(0x0028, 0x0008, "IS", f"{count}"),
            _element(0x0028, 0x0010, "US", rows),
            _element(0x0028, 0x0011, "US", columns),
            _element(0x0028, 0x0100, "US", 16),
            _element(0x0028, 0x0101, "US", 16),
            _element(0x0028, 0x0102, "US", 15),
            _element(0x0028, 0x0103, "US", 1),
            _sequence(0x5200, 0x9229, shared),
            _sequence(0x5200, 0x9230, *frames),
            _element(0x7FE0, 0x0010, "OW", voxels.T.tobytes()),
        ]
    )
    meta = _element(0x0002, 0x0001, "OB", b"\0\1")
    meta += _element(0x0002, 0x0002, "UI", _ENHANCED_MR)
    meta += _element(0x0002, 0x0003, "UI", "1.2.3.4.5")
    meta += _element(0x0002, 0x0010, "UI", _EXPLICIT)
    length = _element(0x0002, 0x0000, "UL", struct.pack("<I", len(meta)))
    path.write_bytes(bytes(128) + b"DICM" + length + meta + body)
    return path


def _element(group: int, element: int, kind: str, value: str | int | bytes) -> bytes:
    if isinstance(value, str):
        value = value.encode() + (b"\0" if kind == "UI" else b" ") * (len(value) % 2)
    elif isinstance(value, int):
        value = struct.pack("<H", value)
    start = struct.pack("<HH", group, element) + kind.encode()
    if kind in _LONG:
        return start + struct.pack("<HI", 0, len(value)) + value
    return start + struct.pack("<H", len(value)) + value


def _sequence(group: int, element: int, *items: bytes) -> bytes:
    content = b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(item)) + item for item in items)
    return _element(group, element, "SQ", content)
