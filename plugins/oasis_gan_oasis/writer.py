"""Writing PNG slices in the OASIS naming: a zip, so that a volume is one file, there as a whole or not at all."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
from nibabel import orientations
from PIL import Image

from oasis_gan import Geometry, OasisGanError, Plane, Volume, cut, write_atomically

from .png import Pixels
from .stack import LABELS

_WHITE = 255


def write_slices(volume: Volume, path: Path) -> None:
    """Write the axial slices of ``volume`` to a zip of 8-bit PNGs, named and turned as ``oasis-png`` reads them.

    A volume that holds nothing but 0, 1, 2 and 3 is a label map: it becomes ``seg_001_slice_0.nii.png`` and so on, with
    the pixels 0, 85, 170 and 255. Anything else becomes ``case_001_slice_0.nii.png``: whole values from 0 to 255 are
    kept, others mapped linearly, 0 (or the lowest, if that is negative) to black and the highest to white, and rounded.
    The case has the number that is in the name of the zip, as in ``case_017_synthT1w.zip``, or 001. What a PNG cannot
    say is in ``case_001.json`` beside the slices: the values of black and white, and the affine.

    Raises:
        OasisGanError: If a voxel is not finite.
        OSError: As the file system says; nothing is left under ``path``.
    """
    if not np.isfinite(volume.voxels).all():
        raise OasisGanError(
            path, expected="finite voxels", found="NaN or Inf", remedy="a PNG cannot hold them"
        )
    is_labels = bool(np.isin(volume.voxels, LABELS).all())
    black, white = (0.0, float(max(LABELS))) if is_labels else _window(volume.voxels)
    number = re.search(r"(?:case|seg)_([0-9]{1,9})", path.name, re.IGNORECASE)
    case = f"{'seg' if is_labels else 'case'}_{number[1] if number else '001'}"
    said = {"black": black, "white": white, "affine": _affine(volume.geometry)}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(_member(f"{case}.json"), json.dumps(said))
        for index, pixels in enumerate(cut(volume.voxels, volume.geometry, Plane.AXIAL).slices):
            grey = np.rint((pixels.astype(np.float64) - black) / (white - black) * _WHITE)
            archive.writestr(_member(f"{case}_slice_{index}.nii.png"), _png(grey.astype(np.uint8)))
    write_atomically(path, file.getvalue())


def _window(voxels: Pixels) -> tuple[float, float]:
    """Return the values that become black and white."""
    low = min(0.0, float(voxels.min()))
    high = float(voxels.max())
    if low == 0 and high <= _WHITE and (voxels == np.rint(voxels)).all():
        return 0.0, float(_WHITE)
    return low, high if high > low else low + 1


def _affine(geometry: Geometry) -> list[list[float]]:
    """Return (column, row from the bottom, slice, 1) to RAS+ millimetres."""
    towards_ras = orientations.inv_ornt_aff(
        orientations.io_orientation(geometry.affine), geometry.shape
    )
    return [[float(value) for value in row] for row in geometry.affine @ towards_ras]


def _member(name: str) -> zipfile.ZipInfo:
    # Of no date, so that equal volumes are equal files; readable once it is unpacked.
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o644 << 16
    return info


def _png(pixels: Pixels) -> bytes:
    """Return a picture of an axial slice (left to right, back to front), its front at the top."""
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels.T[::-1])).save(file, "PNG")
    return file.getvalue()
