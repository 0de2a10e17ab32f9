"""Write PNG slices in the OASIS naming to a zip, so that a volume is one complete file or none."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from nibabel import orientations
from PIL import Image

from oasis_gan import SYNTHETIC_MARK, Geometry, Plane, Volume, cut, write_atomically

from .errors import NotFiniteError
from .png import Pixels
from .stack import LABELS

_WHITE = 255


class _GreyScale(NamedTuple):
    """The values that become black and white."""

    black: float
    white: float

    def to_pixels(self, values: Pixels) -> Pixels:
        """Return values mapped linearly to 0 to 255, and rounded."""
        shares = (values.astype(np.float64) - self.black) / (self.white - self.black)
        return np.rint(shares * _WHITE).astype(np.uint8)


_LABEL_SCALE = _GreyScale(0.0, float(max(LABELS)))


def write_slices(volume: Volume, path: Path) -> None:
    """Write the axial slices of ``volume`` to a zip of 8-bit PNGs that `oasis-png` can read.

    A volume of the values 0, 1, 2 and 3 alone is a label map: it becomes
    ``seg_001_slice_0.nii.png`` and so on, with the pixels 0, 85, 170 and 255. Any other volume
    becomes ``case_001_slice_0.nii.png``: integers from 0 to 255 are kept; other values are mapped
    linearly and rounded, with 0 (or the lowest value, if that is negative) as black and the highest
    as white. The number is the one in the name of the zip, as in
    ``case_017_synthT1w.zip``, or else 001. What a PNG cannot hold is in ``case_001.json`` beside
    the slices: the values of black and white, the affine, and `SYNTHETIC_MARK`.

    Raises:
        NotFiniteError: If a voxel is not finite.
        OSError: If the zip cannot be written; nothing is left under ``path``.
    """
    if not np.isfinite(volume.voxels).all():
        raise NotFiniteError(path)
    is_labels = bool(np.isin(volume.voxels, LABELS).all())
    scale = _LABEL_SCALE if is_labels else _choose_scale(volume.voxels)
    metadata = {
        "description": SYNTHETIC_MARK,
        **scale._asdict(),
        "affine": _compute_slice_affine(volume.geometry),
    }
    slices = cut(volume.voxels, volume.geometry, Plane.AXIAL).slices
    pictures = (_encode_png(scale.to_pixels(values)) for values in slices)
    data = _make_zip(_name_volume(path, is_labels), json.dumps(metadata), pictures)
    write_atomically(path, data)


def _make_zip(name: str, metadata: str, pictures: Iterable[bytes]) -> bytes:
    """Return a zip of the slices of a volume, and of the JSON that goes with them."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(_make_member(f"{name}.json"), metadata)
        for index, picture in enumerate(pictures):
            archive.writestr(_make_member(f"{name}_slice_{index}.nii.png"), picture)
    return file.getvalue()


def _name_volume(path: Path, is_labels: bool) -> str:
    prefix = "seg" if is_labels else "case"
    match = re.search(r"(?:case|seg)_([0-9]{1,9})", path.name, re.IGNORECASE)
    number = match[1] if match else "001"
    return f"{prefix}_{number}"


def _choose_scale(voxels: Pixels) -> _GreyScale:
    low = min(0.0, float(voxels.min()))
    high = float(voxels.max())
    is_integer = bool((voxels == np.rint(voxels)).all())
    if low == 0 and high <= _WHITE and is_integer:
        return _GreyScale(0.0, float(_WHITE))
    # A volume of one value is black.
    return _GreyScale(low, high if high > low else low + 1)


def _compute_slice_affine(geometry: Geometry) -> list[list[float]]:
    """Return the affine from (column, row from the bottom, slice, 1) to RAS+ millimetres."""
    orientation = orientations.io_orientation(geometry.affine)
    to_ras = orientations.inv_ornt_aff(orientation, geometry.shape)
    affine: list[list[float]] = np.asarray(geometry.affine @ to_ras, float).tolist()
    return affine


def _make_member(name: str) -> zipfile.ZipInfo:
    # No date, so that equal volumes become equal files; readable after unpacking.
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o644 << 16
    return info


def _encode_png(pixels: Pixels) -> bytes:
    """Return a picture of an axial slice (left to right, back to front), the front at the top."""
    file = io.BytesIO()
    Image.fromarray(pixels.T[::-1]).save(file, "PNG")
    return file.getvalue()
