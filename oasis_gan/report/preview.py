"""Draw the preview of an output: a PNG beside it, with its source, the output and the real scan."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ..errors import OasisGanError, printable
from ..evaluation.comparison import find_box
from ..image.labels import LabelSet
from ..image.volume import Volume
from ..io.endings import sidecar_of
from ..io.files import write_atomically
from ..io.marks import SYNTHETIC_MARK
from .mosaic import Row, draw_mosaic, make_image_row, make_label_row

_MARGIN = 3  # voxels around the head
_DIGEST = "SHA-256 of the volume"
"""The text chunk that says which output a preview shows."""


class ForeignPictureError(OasisGanError):
    """A picture that is no preview has the name of one."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            expected="no file, or a preview of oasis-gan",
            found="another file",
            remedy="move it away",
        )


def preview_of(output: Path) -> Path:
    """Return the name of the preview of an output, beside it."""
    return sidecar_of(output).with_suffix(".png")


def is_current(output: Path, digest: str) -> bool:
    """Tell whether the preview of an output shows the volume with this SHA-256.

    Raises:
        OasisGanError: If a file has the name of the preview and is none.
        OSError: If it cannot be read.
    """
    path = preview_of(output)
    if not os.path.lexists(path):
        return False
    try:
        with Image.open(path, formats=["PNG"]) as picture:
            texts = picture.info
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise ForeignPictureError(path) from None
    if texts.get("Description") != SYNTHETIC_MARK:
        raise ForeignPictureError(path)
    return texts.get(_DIGEST) == digest


def make_volume_row(title: str, volume: Volume, label_set: LabelSet | None) -> Row:
    """Return the row of a volume: a label map in colours, an image in greys."""
    if label_set is None:
        return make_image_row(title, volume.voxels)
    return make_label_row(title, volume.voxels, label_set)


def write_preview(output: Path, rows: list[Row], grid: Volume, subject: str, digest: str) -> Path:
    """Write the preview of an output, and return its path.

    Args:
        output: The file of the output.
        rows: The volumes to show, on one grid.
        grid: One of these volumes.
        subject: What to call the head.
        digest: The SHA-256 of the output.

    Raises:
        OSError: If it cannot be written; nothing is left under its name.
    """
    mask = np.any([row.voxels != 0 for row in rows], axis=0)
    if not mask.any():
        mask = np.ones_like(mask)
    box = find_box(mask, _MARGIN)
    picture = draw_mosaic(rows, grid.geometry, box, printable(subject))
    texts = PngInfo()
    texts.add_text("Description", SYNTHETIC_MARK)
    texts.add_text(_DIGEST, digest)
    stream = io.BytesIO()
    picture.save(stream, "PNG", optimize=True, pnginfo=texts)
    path = preview_of(output)
    write_atomically(path, stream.getvalue())
    return path
