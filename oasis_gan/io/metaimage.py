"""Read MetaImage: header and voxels in one (``.mha``), and headers alone (``.mhd``).

Format: https://itk.org/Wiki/ITK/MetaIO/Documentation
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..image.choices import MAX_VOXELS
from ..image.volume import Affine, Geometry, Volume
from .errors import VoxelTypeError, WrongHeaderError
from .formats import refuse_content
from .header_errors import EncodingError, HeaderFieldError
from .nifti_space import check_shear
from .text_header import (
    AT_END,
    Fields,
    StoredVoxels,
    locate_data_file,
    make_affine,
    read_integers,
    read_lines,
    read_numbers,
    read_stored_voxels,
)
from .voxels import open_regular, require_3d

METAIMAGE_START = re.compile(
    rb"(ObjectType|ObjectSubType|NDims|Comment|ID|Name|TransformType)[ \t]*="
)
"""How the first line of a header begins."""
_FIELD = re.compile(rb"\w+[ \t]*=")
_KIND = "a MetaImage header"
_START = 256  # bytes that are enough to recognise a file
_LPS = np.array([-1.0, -1.0, 1.0])  # times RAS+
# Fields that have several names; MetaIO takes the first of these that a header has.
_MATRIX = ("TransformMatrix", "Rotation", "Orientation")
_ORIGIN = ("Offset", "Position", "Origin")
_SIZES = ("ElementSpacing", "ElementSize")
_ORDER = ("BinaryDataByteOrderMSB", "ElementByteOrderMSB")
_TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG": "i4",
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
_LAST = "ElementDataFile"


def read_metaimage(path: Path | str, max_voxels: int = MAX_VOXELS) -> Volume:
    """Read a 3-D volume from a MetaImage file, or from a header with its voxels in another file.

    Trailing axes of length 1 are dropped. Comments and names, which can be those of a patient, are
    not kept.

    Args:
        path: The path of the file.
        max_voxels: The largest number of voxels; a larger volume is refused before it is read.

    Raises:
        OasisGanError: If the file is no such volume, is damaged, has no usable position, or names
            voxels outside its folder.
        OSError: If it cannot be read.
    """
    path = Path(path)
    with open_regular(path, "a MetaImage file") as stream:
        fields = _read_fields(stream, path)
        end = stream.tell()
    sizes = read_integers(fields, "DimSize", path)
    shape = require_3d(sizes, path, max_voxels)
    geometry, notes = _read_geometry(fields, shape, len(sizes), path)
    voxels = read_stored_voxels(_describe_voxels(fields, shape, path, end))
    return Volume(voxels, geometry, notes)


def list_metaimage_data_files(path: Path) -> tuple[Path, ...]:
    """Return the file beside a header that holds its voxels; none if they are in the same file."""
    with open_regular(path, _KIND) as stream:
        name = _read_fields(stream, path)[_LAST]
    return () if _is_local(name) else (locate_data_file(path, name),)


def _is_local(name: str) -> bool:
    return name.upper() == "LOCAL"


def _read_fields(stream: BinaryIO, path: Path) -> Fields:
    """Return the fields up to the one that says where the voxels are."""
    _require_start(stream, path)
    fields: dict[str, str] = {}
    for line in read_lines(stream, path, _KIND):
        name, separator, value = line.partition("=")
        name = name.strip()
        if not separator:
            continue
        if name in fields:
            raise HeaderFieldError(path, "each field", "one line", "two lines")
        fields[name] = value.strip()
        if name == _LAST:
            break
    return fields


def _require_start(stream: BinaryIO, path: Path) -> None:
    """Raise `OasisGanError` if a file does not begin with a field."""
    start = stream.read(_START)
    stream.seek(0)
    if not _FIELD.match(start):
        refuse_content(path, _KIND, start)
        raise WrongHeaderError(path, _KIND, len(start), 1, "give a .mha file")


def _find(fields: Fields, names: tuple[str, ...]) -> str:
    """Return the first of several names that a header has, or the usual one."""
    return next((name for name in names if name in fields), names[0])


def _is_true(fields: Fields, name: str) -> bool:
    return fields.get(name, "").upper() in {"TRUE", "T", "1", "YES", "Y"}


def _describe_voxels(
    fields: Fields, shape: tuple[int, int, int], path: Path, end: int
) -> StoredVoxels:
    if not _is_true(fields, "BinaryData") and "BinaryData" in fields:
        raise EncodingError(path, "text", ["binary data"])
    name = fields[_LAST]
    is_local = _is_local(name)
    is_packed = _is_true(fields, "CompressedData")
    return StoredVoxels(
        path=path if is_local else locate_data_file(path, name),
        at=end if is_local else 0,
        dtype=_read_dtype(fields, path),
        shape=shape,
        skip=_read_skip(fields, path, is_packed=is_packed),
        encoding="zlib" if is_packed else "raw",
    )


def _read_dtype(fields: Fields, path: Path) -> np.dtype[Any]:
    channels = fields.get("ElementNumberOfChannels", "1")
    code = fields.get("ElementType", "").upper()
    if channels != "1" or code.endswith("_ARRAY"):
        raise VoxelTypeError(path, "several components", "save one component, or grey levels")
    if code not in _TYPES:
        raise VoxelTypeError(path, "another type", "convert it to MET_FLOAT or MET_SHORT")
    is_big = _is_true(fields, _find(fields, _ORDER))
    return np.dtype(_TYPES[code]).newbyteorder(">" if is_big else "<")


def _read_skip(fields: Fields, path: Path, *, is_packed: bool) -> int:
    if "HeaderSize" not in fields:
        return 0
    numbers = read_integers(fields, "HeaderSize", path)
    least = 0 if is_packed else AT_END
    if len(numbers) != 1 or numbers[0] < least:
        raise HeaderFieldError(path, "HeaderSize", "a number of bytes")
    return numbers[0]


def _read_geometry(
    fields: Fields, shape: tuple[int, int, int], dimensions: int, path: Path
) -> tuple[Geometry, tuple[str, ...]]:
    """Return the position of the voxels, and a note if the header leaves it open."""
    if fields.get("DistanceUnits", "mm") not in {"mm", "?", ""}:
        raise HeaderFieldError(path, "DistanceUnits", "mm", "another unit")
    read = _GeometryReader(fields, path)
    sizes = read.find(_SIZES, np.ones(dimensions))[:3]
    origin = read.find(_ORIGIN, np.zeros(dimensions))[:3]
    matrix = read.find(_MATRIX, np.eye(dimensions)).reshape(dimensions, dimensions)
    # Each row is the direction of an axis.
    axes = matrix[:3, :3].T * sizes
    affine = make_affine(_LPS[:, np.newaxis] * axes, _LPS * origin, path)
    geometry = Geometry(shape, affine)
    return geometry, (*read.notes, *check_shear(geometry, path))


class _GeometryReader:
    """Reads the fields of a header that say where the voxels lie, and notes which are missing."""

    def __init__(self, fields: Fields, path: Path) -> None:
        self._fields = fields
        self._path = path
        self.notes: tuple[str, ...] = ()

    def find(self, names: tuple[str, ...], default: Affine) -> Affine:
        """Return the numbers in a field that has several names, or those that ITK assumes."""
        name = _find(self._fields, names)
        if name in self._fields:
            return read_numbers(self._fields, name, self._path, default.size)
        self.notes += (f"no {name} in the header: taken as ITK does",)
        return default
