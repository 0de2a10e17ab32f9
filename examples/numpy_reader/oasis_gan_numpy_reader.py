"""Reads NumPy archives: ``.npz`` with ``voxels`` (I, J, K) and ``affine``, 4x4 to RAS+ mm."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oasis_gan import Dataset, Geometry, OasisGanError, Scan, Selection, Subject, Volume, hookimpl

SUFFIX = ".npz"
_DAMAGE = (ValueError, EOFError, KeyError, NotImplementedError, zipfile.BadZipFile, zlib.error)


def read(path: Path, max_voxels: int) -> Volume:
    """Read a volume from an archive.

    Raises:
        OasisGanError: If it holds no volume, or one of more than ``max_voxels``, or is damaged.
        OSError: If it cannot be read at all.
    """
    voxels, affine = _load_arrays(path, max_voxels)
    if voxels.ndim != 3 or voxels.size == 0 or voxels.dtype.kind not in "iuf":
        found = f"{voxels.dtype} of shape {voxels.shape}"
        raise OasisGanError(
            path, expected="voxels: numbers in three dimensions", found=found, remedy="save it anew"
        )
    if not _places_voxels(affine):
        found = np.array2string(affine, separator=",").replace("\n", "")
        raise OasisGanError(
            path, expected="affine: 4x4 and invertible", found=found, remedy="save it anew"
        )
    return Volume(voxels, Geometry(voxels.shape, affine.astype(np.float64)))


def _load_arrays(path: Path, max_voxels: int) -> tuple[NDArray[Any], NDArray[Any]]:
    remedy = "save it with np.savez(path, voxels=..., affine=...)"
    try:
        # Pickles can run any code. The file is opened here: NumPy leaves damaged archives open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            _require_at_most(max_voxels, archive, path)
            return archive["voxels"], archive["affine"]
    except (TypeError, AttributeError):
        # A file .npy under another name, which np.load returns as an array.
        raise OasisGanError(
            path, expected="a NumPy archive", found="a single array", remedy=remedy
        ) from None
    except _DAMAGE as error:
        found = f"{type(error).__name__}: {error}"
        expected = "a NumPy archive with voxels and affine"
        raise OasisGanError(path, expected=expected, found=found, remedy=remedy) from None


def _require_at_most(
    max_voxels: int,
    archive: Any,  # noqa: ANN401 - NumPy's own
    path: Path,
) -> None:
    """Refuse an array that its header says is larger: a small file may unpack to a huge one."""
    with archive.zip.open("voxels.npy") as header:
        np.lib.format.read_magic(header)
        shape = np.lib.format.read_array_header_1_0(header)[0]
    if math.prod(shape) > max_voxels:
        remedy = "crop it, or raise --max-voxels"
        raise OasisGanError(
            path, expected=f"at most {max_voxels} voxels", found=f"shape {shape}", remedy=remedy
        )


def _places_voxels(affine: NDArray[Any]) -> bool:
    if affine.shape != (4, 4) or affine.dtype.kind not in "iuf" or not np.isfinite(affine).all():
        return False
    return bool((affine[3] == [0, 0, 0, 1]).all() and abs(np.linalg.det(affine)) > 0)


def recognises(path: Path) -> bool:
    """Whether a file is called like an archive, or a folder has one in it or below."""
    return any(_list_files(path)) if path.is_dir() else path.suffix == SUFFIX


def subjects(selection: Selection) -> Iterator[Subject]:
    """List the archives of a selection, called by their paths below the root; nothing is read yet.

    Raises:
        OasisGanError: If there is none.
    """
    root = selection.root
    ending = selection.source_suffix or SUFFIX
    paths = (
        [path for path in _list_files(root) if path.name.endswith(ending)]
        if root.is_dir()
        else [root]
    )
    if not paths or not paths[0].exists():
        raise OasisGanError(
            root, expected=f"*{ending}", found="no such file", remedy="check path and suffix"
        )
    for path in paths:
        relative = path.relative_to(root if root.is_dir() else root.parent)
        name = "_".join(relative.with_name(relative.name.removesuffix(ending)).parts)
        yield Subject(name, Scan(path, partial(read, max_voxels=selection.max_voxels)))


def _list_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob(f"*{SUFFIX}"))


@hookimpl
def oasis_gan_datasets() -> Iterator[Dataset]:
    """Offer the reader."""
    yield Dataset(
        name="npz",
        summary="NumPy archives with voxels and affine",
        open=subjects,
        recognises=recognises,
    )
