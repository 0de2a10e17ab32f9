"""Read MINC through nibabel: MINC 1, which is NetCDF, and MINC 2, which is HDF5.

Format: https://en.wikibooks.org/wiki/MINC/SoftwareDevelopment/MINC2.0_File_Format_Reference
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from nibabel.externals.netcdf import netcdf_file
from nibabel.minc1 import Minc1File
from nibabel.minc2 import Minc2File

from ..errors import OasisGanError
from ..image.choices import MAX_VOXELS
from ..image.volume import Geometry, Volume, Voxels
from .errors import VoxelTypeError, WrongHeaderError
from .formats import refuse_content
from .header_errors import DamagedFileError, OutsideDataFileError
from .nifti_space import check_shear
from .text_header import make_affine
from .voxels import open_regular, require_3d

MINC_STARTS = (b"CDF\x01", b"CDF\x02", b"\x89HDF")
"""The first bytes of a file, of MINC 1 and MINC 2."""
_KIND = "a MINC file"
_START = 256  # bytes that are enough to recognise a file
# The path of the voxels in a file of MINC 2, from group to group.
_IMAGE = ("minc-2.0", "image", "0", "image")
_ROUNDING = 1e-5
"""Of the largest value: what scaling to the range of a file may change."""


def read_minc(path: Path | str, max_voxels: int = MAX_VOXELS) -> Volume:
    """Read a 3-D volume from a MINC file.

    Intensities are scaled as the file says. The axes keep the order of the file, usually from foot
    to head first.

    Args:
        path: The path of the file.
        max_voxels: The largest number of voxels; a larger volume is refused before it is read.

    Raises:
        OasisGanError: If the file is no such volume, is damaged, has no usable position, or refers
            to voxels in another file.
        OSError: If it cannot be read.
    """
    path = Path(path)
    with _open(path) as minc, _name_damaged_file(path):
        shape = require_3d([int(size) for size in minc.get_data_shape()], path, max_voxels)
        _require_numbers(minc.get_data_dtype(), path)
        affine = np.asarray(minc.get_affine(), np.float64)
        voxels = _read_voxels(minc)
    if affine.shape != (4, 4):
        raise DamagedFileError(path, "a MINC file with three axes in space")
    geometry = Geometry(shape, make_affine(affine[:3, :3], affine[:3, 3], path))
    return Volume(voxels, geometry, check_shear(geometry, path))


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    """Open a file with what nibabel has for its version."""
    with open_regular(path, _KIND) as stream:
        start = stream.read(_START)
    if not start.startswith(MINC_STARTS):
        refuse_content(path, _KIND, start)
        raise WrongHeaderError(path, _KIND, len(start), 4, "give a .mnc file")
    opened = _open_minc2(path) if start.startswith(MINC_STARTS[2]) else _open_minc1(path)
    with opened as minc:
        yield minc


@contextmanager
def _open_minc1(path: Path) -> Iterator[Minc1File]:
    with _name_damaged_file(path), netcdf_file(str(path), mmap=False) as file:
        yield Minc1File(file)


@contextmanager
def _open_minc2(path: Path) -> Iterator[Minc2File]:
    # It takes a while to import, and nothing else needs it.
    import h5py

    with _name_damaged_file(path), h5py.File(path, "r") as file:
        _require_own_voxels(file, path)
        yield Minc2File(file)


def _require_own_voxels(file: Any, path: Path) -> None:  # noqa: ANN401 - h5py has no types
    """Raise `OutsideDataFileError` if HDF5 would read the voxels from another file."""
    import h5py

    group = file
    for name in _IMAGE:
        if isinstance(group.get(name, getlink=True), h5py.ExternalLink):
            raise OutsideDataFileError(path)
        group = group[name]
    if group.external or group.is_virtual:
        raise OutsideDataFileError(path)


@contextmanager
def _name_damaged_file(path: Path) -> Iterator[None]:
    """Turn whatever a library raises for a damaged file into an error that names the file."""
    try:
        yield
    except OasisGanError:
        raise
    except Exception as error:
        # Errors of the file system have a number; those of the libraries have none.
        if isinstance(error, OSError) and error.filename is not None:
            raise
        raise DamagedFileError(path, _KIND) from error


def _require_numbers(dtype: np.dtype[Any], path: Path) -> None:
    if dtype.kind not in "iuf":
        raise VoxelTypeError(path, "another type", "convert it with mincreshape")


def _read_voxels(minc: Any) -> Voxels:  # noqa: ANN401 - nibabel has no types here
    """Return the voxels with the scaling of the file; whole numbers stay whole."""
    # NumPy need not warn of overflow and NaN: both are looked for in the result.
    with np.errstate(all="ignore"):
        voxels = np.ascontiguousarray(minc.get_scaled_data())
        whole = np.rint(voxels)
        tolerance = _ROUNDING * max(1.0, float(np.abs(voxels).max(initial=0)))
        is_whole = minc.get_data_dtype().kind in "iu" and np.allclose(
            voxels, whole, rtol=0, atol=min(tolerance, 1e-3)
        )
    return whole if is_whole else voxels
