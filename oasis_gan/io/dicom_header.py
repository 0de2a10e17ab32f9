"""Read from a DICOM file what says which series it belongs to, and where its slices lie.

Only the fields named here are read. Those of a patient never enter the program.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..image.volume import Affine
from .dicom_errors import NoPlaceError
from .dicom_frames import read_frame_places
from .errors import VoxelTypeError
from .itk import import_simpleitk

DICOM_MARK = b"DICM"
"""What stands in a file after a preamble of 128 bytes."""
_PREAMBLE = 128
_START = 1024  # bytes that hold what a file says of its kind
_WITHOUT_IMAGE = re.compile(
    # A directory of files; then annotations, waveforms, raw data, reports, documents, radiotherapy.
    rb"1\.2\.840\.10008\.(1\.3\.10|5\.1\.4\.1\.1\.(11|9|66|88|104|481)\b)"
)
_SERIES = "0020|000e"
_NUMBER = "0020|0011"
_POSITION = "0020|0032"
_ORIENTATION = "0020|0037"
_SPACING = "0028|0030"
_FRAMES = "0028|0008"


@dataclass(frozen=True)
class Header:
    """What a file says of the images in it.

    Args:
        path: The file.
        series: What tells its series from others; it is never shown.
        number: The number of the series in the examination.
        size: The number of columns and of rows.
        frames: The number of images in the file.
        components: The number of values of a pixel: 1 for grey levels.
        place: The text of position, orientation and pixel spacing, if it holds one image.
    """

    path: Path
    series: str
    number: str
    size: tuple[int, int]
    frames: int
    components: int
    place: tuple[str, str, str]


@dataclass(frozen=True, eq=False)
class Slice:
    """One image of a series, and where it lies in LPS+ mm.

    Args:
        path: The file.
        frame: Which image of the file it is, from 0.
        position: The centre of the first pixel.
        axes: The steps to the next column and to the next row, in columns: 3x2.
    """

    path: Path
    frame: int
    position: Affine
    axes: Affine


def is_dicom(path: Path) -> bool:
    """Tell whether a file begins as a DICOM file does; one that cannot be read does not."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            file.seek(_PREAMBLE)
            return file.read(len(DICOM_MARK)) == DICOM_MARK
    except OSError:
        return False


def lacks_image(path: Path) -> bool:
    """Tell whether a DICOM file is of a kind that holds no image, such as a report."""
    with path.open("rb") as file:
        return _WITHOUT_IMAGE.search(file.read(_START)) is not None


def read_header(path: Path) -> Header | None:
    """Return what a file says of its images, or None if it holds none that GDCM can read."""
    itk = import_simpleitk()
    reader = make_reader(path, itk)
    try:
        reader.ReadImageInformation()
    except RuntimeError:
        return None
    columns, rows, *_ = reader.GetSize()
    return Header(
        path=path,
        series=_read_text(reader, _SERIES),
        number=_read_text(reader, _NUMBER),
        size=(int(columns), int(rows)),
        frames=_read_count(reader),
        components=int(reader.GetNumberOfComponents()),
        place=(
            _read_text(reader, _POSITION),
            _read_text(reader, _ORIENTATION),
            _read_text(reader, _SPACING),
        ),
    )


def make_reader(path: Path, itk: Any) -> Any:  # noqa: ANN401 - SimpleITK has no types
    """Return what reads one file by GDCM."""
    reader = itk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileName(str(path))
    return reader


def _read_text(reader: Any, tag: str) -> str:  # noqa: ANN401
    if not reader.HasMetaDataKey(tag):
        return ""
    return str(reader.GetMetaData(tag)).strip("\0 ")


def _read_count(reader: Any) -> int:  # noqa: ANN401
    text = _read_text(reader, _FRAMES)
    return int(text) if text.isdecimal() else 1


def read_slices(header: Header) -> list[Slice]:
    """Return the slices in a file.

    Raises:
        OasisGanError: If the file holds colours, or does not say where its slices lie.
    """
    path = header.path
    if header.components != 1:
        raise VoxelTypeError(path, "colours", "give the series of the grey levels")
    if header.frames == 1:
        position, orientation, spacing = (
            _parse(text, length, path) for text, length in zip(header.place, (3, 6, 2), strict=True)
        )
        return [Slice(path, 0, position, _make_axes(orientation, spacing, path))]
    places = read_frame_places(path, header.frames)
    axes = _make_axes(np.array(places.orientation), np.array(places.spacing), path)
    positions = map(np.array, places.positions)
    return [Slice(path, frame, position, axes) for frame, position in enumerate(positions)]


def _parse(text: str, length: int, path: Path) -> Affine:
    try:
        numbers = np.array([float(word) for word in text.split("\\")])
    except ValueError:
        raise NoPlaceError(path) from None
    if len(numbers) != length or not np.isfinite(numbers).all():
        raise NoPlaceError(path)
    return numbers


def _make_axes(orientation: Affine, spacing: Affine, path: Path) -> Affine:
    """Return the steps to the next column and row, which must be perpendicular."""
    directions = orientation.reshape(2, 3)
    # Scanners round the directions to six digits or so.
    if not np.allclose(directions @ directions.T, np.eye(2), rtol=0, atol=1e-3):
        raise NoPlaceError(path, "directions that are not perpendicular unit vectors")
    if not (spacing > 0).all():
        raise NoPlaceError(path, "a pixel spacing that is not positive")
    # Along a row the column changes, and its spacing comes second.
    return directions.T * spacing[::-1]
