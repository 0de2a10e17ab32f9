"""Read NRRD: files with header and voxels in one (``.nrrd``), and headers alone (``.nhdr``).

Format: https://teem.sourceforge.net/nrrd/format.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np

from ..image.choices import MAX_VOXELS
from ..image.volume import Affine, Geometry, Volume
from .errors import VoxelTypeError, WrongHeaderError
from .formats import refuse_content
from .header_errors import EncodingError, HeaderFieldError, LongHeaderError, SeveralDataFilesError
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

NRRD_START = b"NRRD000"
"""The first bytes of each file; the version follows."""
_KIND = "an NRRD header"
_START = 256  # bytes that are enough to recognise a file
_LPS = (-1.0, -1.0, 1.0)
_SPACES = {
    "right-anterior-superior": (1.0, 1.0, 1.0),
    "left-anterior-superior": (-1.0, 1.0, 1.0),
    "left-posterior-superior": _LPS,
}
"""The signs that turn the coordinates of a space into RAS+."""
_SHORT = {
    "ras": "right-anterior-superior",
    "las": "left-anterior-superior",
    "lps": "left-posterior-superior",
}
_ENCODINGS = {
    "raw": "raw",
    "gzip": "gzip",
    "gz": "gzip",
    "bzip2": "bzip2",
    "bz2": "bzip2",
}
# The names of types in C are accepted by the format, with and without "signed" and "int".
_TYPES = {
    "char": "i1",
    "int8": "i1",
    "uchar": "u1",
    "uint8": "u1",
    "short": "i2",
    "int16": "i2",
    "ushort": "u2",
    "uint16": "u2",
    "int": "i4",
    "int32": "i4",
    "uint": "u4",
    "uint32": "u4",
    "longlong": "i8",
    "int64": "i8",
    "ulonglong": "u8",
    "uint64": "u8",
    "float": "f4",
    "double": "f8",
}
_ORDERS: Mapping[str, Literal["<", ">"]] = {"little": "<", "big": ">"}
# Words of a vector, such as (1,0,0), or of an axis that does not lie in space.
_VECTOR = re.compile(r"\(([^()]*)\)|none")
_COLOURS = ("color", "vector", "list", "complex", "quaternion", "matrix", "point", "normal")


def read_nrrd(path: Path | str, max_voxels: int = MAX_VOXELS) -> Volume:
    """Read a 3-D volume from an NRRD file, or from a header with its voxels in another file.

    Trailing axes of length 1 are dropped. Fields that a user can add to a header, among them those
    of a patient, are not kept.

    Args:
        path: The path of the file.
        max_voxels: The largest number of voxels; a larger volume is refused before it is read.

    Raises:
        OasisGanError: If the file is no such volume, is damaged, has no usable position, or names
            voxels outside its folder.
        OSError: If it cannot be read.
    """
    path = Path(path)
    with open_regular(path, "an NRRD file") as stream:
        fields = _read_fields(stream, path)
        end = stream.tell()
    _require_grey(fields, path)
    shape = require_3d(read_integers(fields, "sizes", path), path, max_voxels)
    geometry, notes = _read_geometry(fields, shape, path)
    voxels = read_stored_voxels(_describe_voxels(fields, shape, path, end))
    return Volume(voxels, geometry, notes)


def list_nrrd_data_files(path: Path) -> tuple[Path, ...]:
    """Return the file beside a header that holds its voxels; none if they are in the same file."""
    with open_regular(path, _KIND) as stream:
        fields = _read_fields(stream, path)
    name = fields.get("datafile")
    return (locate_data_file(path, name),) if name else ()


def _read_fields(stream: BinaryIO, path: Path) -> Fields:
    """Return the fields up to the empty line that ends the header, by names without spaces."""
    _require_start(stream, path)
    fields: dict[str, str] = {}
    try:
        for line in read_lines(stream, path, _KIND):
            if not line:
                break
            _add_field(fields, line, path)
    except LongHeaderError:
        # A header without voxels may end with the file.
        if "datafile" not in fields:
            raise
    return fields


def _add_field(fields: dict[str, str], line: str, path: Path) -> None:
    name, separator, value = line.partition(":")
    # What follows ":=" is a key of a user, and no field.
    if line.startswith("#") or not separator or value.startswith("="):
        return
    name = name.lower().replace(" ", "")
    if name in fields:
        raise HeaderFieldError(path, "each field", "one line", "two lines")
    fields[name] = value.strip()
    # The names of the files follow, and perhaps nothing else.
    if name == "datafile" and value.split()[:1] == ["LIST"]:
        raise SeveralDataFilesError(path)


def _require_start(stream: BinaryIO, path: Path) -> None:
    """Raise `OasisGanError` if a file does not begin as the format says."""
    start = stream.read(_START)
    stream.seek(0)
    if not start.startswith(NRRD_START):
        refuse_content(path, _KIND, start)
        raise WrongHeaderError(path, _KIND, len(start), len(NRRD_START), "give a .nrrd file")


def _describe_voxels(
    fields: Fields, shape: tuple[int, int, int], path: Path, end: int
) -> StoredVoxels:
    encoding = fields.get("encoding", "").lower()
    if encoding not in _ENCODINGS:
        found = "text" if encoding in {"ascii", "text", "txt", "hex"} else "another encoding"
        raise EncodingError(path, found, ["raw", "gzip", "bzip2"])
    name = fields.get("datafile")
    return StoredVoxels(
        path=locate_data_file(path, name) if name else path,
        at=0 if name else end,
        dtype=_read_dtype(fields, path),
        shape=shape,
        skip=_read_skip(fields, path, _ENCODINGS[encoding]),
        encoding=_ENCODINGS[encoding],
    )


def _require_grey(fields: Fields, path: Path) -> None:
    """Raise `VoxelTypeError` if an axis holds colours or other components, and not space."""
    kinds = fields.get("kinds", "").lower()
    if any(word in kinds for word in _COLOURS):
        raise VoxelTypeError(path, "several components", "save one component, or grey levels")


def _read_dtype(fields: Fields, path: Path) -> np.dtype[Any]:
    words = fields.get("type", "").lower().split()
    name = "".join(words).removesuffix("_t").removeprefix("signed")
    name = name.replace("unsigned", "u")
    # "long long int" and "unsigned short int" are longer names.
    if name not in _TYPES:
        name = name.removesuffix("int")
    if name not in _TYPES:
        raise VoxelTypeError(path, "another type", "convert it to float or short")
    dtype = np.dtype(_TYPES[name])
    if dtype.itemsize == 1:
        return dtype
    order = fields.get("endian", "").lower()
    if order not in _ORDERS:
        raise HeaderFieldError(path, "endian", "little or big")
    return dtype.newbyteorder(_ORDERS[order])


def _read_skip(fields: Fields, path: Path, encoding: str) -> int:
    """Return the number of bytes before the voxels.

    Raises:
        HeaderFieldError: If lines are to be skipped, or a number that cannot be.
    """
    if fields.get("lineskip", "0") != "0":
        raise HeaderFieldError(path, "line skip", "0", "lines to skip")
    if "byteskip" not in fields:
        return 0
    numbers = read_integers(fields, "byteskip", path)
    least = AT_END if encoding == "raw" else 0
    if len(numbers) != 1 or numbers[0] < least:
        raise HeaderFieldError(path, "byte skip", "a number of bytes")
    return numbers[0]


def _read_geometry(
    fields: Fields, shape: tuple[int, int, int], path: Path
) -> tuple[Geometry, tuple[str, ...]]:
    if "spacedirections" not in fields:
        return _assume_geometry(fields, shape, path)
    signs = np.array(_read_signs(fields, path))
    _require_millimetres(fields, path)
    columns = _read_directions(fields, path)
    origin, notes = _read_origin(fields, path)
    affine = make_affine(signs[:, np.newaxis] * columns, signs * origin, path)
    geometry = Geometry(shape, affine)
    return geometry, notes + check_shear(geometry, path)


def _read_signs(fields: Fields, path: Path) -> tuple[float, float, float]:
    """Return the signs that turn the space of a file into RAS+."""
    space = fields.get("space", "").lower()
    space = _SHORT.get(space, space).removesuffix("-time")
    if space not in _SPACES:
        found = "no anatomical space" if space else "no such field"
        raise HeaderFieldError(path, "space", " or ".join(_SPACES), found)
    return _SPACES[space]


def _require_millimetres(fields: Fields, path: Path) -> None:
    units = set(re.findall(r'"([^"]*)"', fields.get("spaceunits", "").lower()))
    if not units <= {"mm", "millimeter", "millimetre", "", "???"}:
        raise HeaderFieldError(path, "space units", "mm", "another unit")


def _read_directions(fields: Fields, path: Path) -> Affine:
    """Return the step to the next voxel along each of the first three axes, in columns."""
    vectors = _VECTOR.findall(fields["spacedirections"].lower())[:3]
    rows = {str(axis): vector.replace(",", " ") for axis, vector in enumerate(vectors)}
    try:
        return np.array([read_numbers(rows, str(axis), path, 3) for axis in range(3)]).T
    except HeaderFieldError:
        expected = "three vectors of three numbers"
        raise HeaderFieldError(path, "space directions", expected) from None


def _read_origin(fields: Fields, path: Path) -> tuple[Affine, tuple[str, ...]]:
    if "spaceorigin" not in fields:
        return np.zeros(3), ("no origin in the header: the first voxel is taken to lie at 0 mm",)
    numbers = {"space origin": re.sub("[(),]", " ", fields["spaceorigin"])}
    return read_numbers(numbers, "space origin", path, 3), ()


def _assume_geometry(
    fields: Fields, shape: tuple[int, int, int], path: Path
) -> tuple[Geometry, tuple[str, ...]]:
    """Return the position that ITK gives a header without directions, with a note."""
    if "axismins" in fields or "spaceorigin" in fields:
        raise HeaderFieldError(path, "space directions", "three vectors", "no such field")
    sizes = np.ones(3)
    if "spacings" in fields:
        first: Mapping[str, str] = {"spacings": " ".join(fields["spacings"].split()[:3])}
        sizes = read_numbers(first, "spacings", path, 3)
    affine = make_affine(np.diag(sizes * _LPS), np.zeros(3), path)
    note = "no orientation in the header: taken as ITK does, with axes to the left, back and top"
    return Geometry(shape, affine), (note,)
