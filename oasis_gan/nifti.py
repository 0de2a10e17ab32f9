"""Reading NIfTI-1 and NIfTI-2 single files, trusting nothing: header first, then voxels, then the rest of the file.

Format: https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h and nifti2.h. nibabel decodes the header; what
it does not check (gzip's CRC, bytes missing or to spare, offsets, sizes) is checked here.
"""

from __future__ import annotations

import gzip
import io
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spatialimages import HeaderDataError

from .errors import OasisGanError
from .nifti_space import Header, located, refuse
from .volume import Volume, Voxels

MAX_VOXELS = 2**28
"""A header that claims more is refused before anything is allocated: 645 voxels along each axis."""
_MAX_SPARE = 2**20  # bytes that may follow the voxels
_MAX_EXTENSIONS = 2**24  # bytes between header and voxels
_DATATYPES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64")
_GZIP, _PLAIN_SUFFIXES = b"\x1f\x8b", (".nii", ".nii.gz")


def is_nifti_name(path: Path) -> bool:
    """Whether a file is called like a NIfTI file, in upper or lower case."""
    return path.name.lower().endswith(_PLAIN_SUFFIXES)


def read_nifti(path: Path) -> Volume:
    """Read a 3-D volume from a NIfTI-1 or NIfTI-2 file, compressed or not, whatever its name says.

    Trailing axes of length 1 are dropped, slope and intercept applied. Orientation and position are those of the
    sform, or of the qform where there is no usable sform.

    Raises:
        OasisGanError: If the file is no such volume, damaged, incomplete, or lies nowhere in particular.
        OSError: If it cannot be read at all.
    """
    with _opened(path) as stream, _damage_named(path):
        header = _read_header(stream, path)
        shape = _checked_shape(header, path)
        raw = _read_voxels(stream, header, shape, path)
        _drain(stream, path)
    # What overflows or is no number is looked for in the result; NumPy need not warn of it.
    with np.errstate(all="ignore"):
        voxels, scaling_notes = _scaled(raw, header)
        geometry, geometry_notes = located(header, shape, path)
    return Volume(voxels, geometry, scaling_notes + geometry_notes)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file, through gzip if that is what it holds."""
    if not path.exists():
        refuse(path, "a NIfTI file", "no such file", "check the path")
    if not stat.S_ISREG(path.stat().st_mode):
        refuse(path, "a NIfTI file", "no regular file", "name a .nii or .nii.gz file")
    with path.open("rb") as raw:
        compressed = raw.read(2) == _GZIP
        raw.seek(0)
        if compressed:
            with gzip.GzipFile(fileobj=raw) as unzipped:
                yield cast("BinaryIO", unzipped)
        else:
            yield raw


@contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    """Name the file when gzip finds its stream cut off, or its checksum wrong."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        found = f"a damaged or incomplete one ({error})"
        raise OasisGanError(path, expected="a whole gzip file", found=found, remedy="copy it again") from error


def _read_header(stream: BinaryIO, path: Path) -> Header:
    block = stream.read(Nifti1Header.sizeof_hdr)
    sizes = {int.from_bytes(block[:4], order) for order in ("little", "big")} if len(block) >= 4 else set()
    kind: type[Header] = Nifti1Header
    if Nifti2Header.sizeof_hdr in sizes:
        kind = Nifti2Header
        block += stream.read(Nifti2Header.sizeof_hdr - len(block))
    if kind.sizeof_hdr not in sizes or len(block) < kind.sizeof_hdr:
        found = f"{len(block)} bytes" if len(block) < kind.sizeof_hdr else "another format"
        refuse(path, "a NIfTI header", found, "give a .nii or .nii.gz file")
    header = kind(block, check=False)
    if not bytes(header["magic"]).startswith(kind.single_magic):
        refuse(path, "a NIfTI file of header and voxels in one", "another magic number", "convert it to .nii.gz")
    return header


def _checked_shape(header: Header, path: Path) -> tuple[int, int, int]:
    """Return the three sizes, once dimensions, datatype and offset make sense."""
    dim = [int(size) for size in header["dim"]]
    sizes = dim[1 : dim[0] + 1] if 1 <= dim[0] <= 7 else []
    while len(sizes) > 3 and sizes[-1] == 1:
        sizes.pop()
    if len(sizes) != 3 or min(sizes) < 1:
        refuse(path, "a 3-D volume", f"dimensions {sizes or dim}", "split it into 3-D volumes")
    if np.prod(sizes, dtype=object) > MAX_VOXELS:
        refuse(path, f"at most {MAX_VOXELS} voxels", f"dimensions {sizes}", "crop or downsample it")
    try:
        datatype = header.get_data_dtype().newbyteorder("=").name
    except (HeaderDataError, KeyError):
        datatype = f"datatype code {int(header['datatype'])}"
    if datatype not in _DATATYPES:
        refuse(path, "integer or float voxels", datatype, "convert it to one of " + ", ".join(_DATATYPES))
    offset = float(header["vox_offset"])
    # Written so that NaN is refused too.
    if not header.single_vox_offset <= offset <= _MAX_EXTENSIONS:
        refuse(path, f"voxels from byte {header.single_vox_offset} on", f"vox_offset {offset:g}")
    i, j, k = sizes
    return i, j, k


def _read_voxels(stream: BinaryIO, header: Header, shape: tuple[int, int, int], path: Path) -> Voxels:
    between = int(header["vox_offset"]) - header.sizeof_hdr
    dtype = header.get_data_dtype()
    size = int(np.prod(shape)) * dtype.itemsize
    if len(stream.read(between)) < between:
        refuse(path, f"voxels from byte {int(header['vox_offset'])} on", "a shorter file", "copy it again")
    # Grows with what is there, not with what the header claims.
    data = io.BytesIO()
    while data.tell() < size and (chunk := stream.read(min(2**24, size - data.tell()))):
        data.write(chunk)
    if data.tell() < size:
        refuse(path, f"{size} bytes of voxels", f"{data.tell()}", "copy it again, it is incomplete")
    voxels = np.frombuffer(data.getbuffer(), dtype).reshape(shape, order="F")
    return voxels.astype(dtype.newbyteorder("="), copy=False)


def _drain(stream: BinaryIO, path: Path) -> None:
    """Read on to the end, where gzip keeps its checksum."""
    spare = len(stream.read(_MAX_SPARE))
    if spare == _MAX_SPARE and stream.read(1):
        refuse(path, f"at most {_MAX_SPARE} bytes after the voxels", "more")


def _scaled(raw: Voxels, header: Header) -> tuple[Voxels, tuple[str, ...]]:
    slope, inter = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or not np.isfinite(slope):
        return raw, ()
    notes: tuple[str, ...] = ()
    if not np.isfinite(inter):
        inter, notes = 0.0, ("scl_inter is not finite, taken as 0",)
    if slope < 0:
        notes += (f"scl_slope is {slope:g}: intensities are turned over",)
    if (slope, inter) == (1.0, 0.0):
        return raw, notes
    return raw * slope + inter, notes


__all__ = ["MAX_VOXELS", "is_nifti_name", "read_nifti"]
