"""Draw a picture of slices: volumes below one another, three planes beside one another."""

from __future__ import annotations

import colorsys
import io
from collections.abc import Sequence
from dataclasses import dataclass

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ..evaluation.comparison import Box
from ..image.label_sets import OASIS
from ..image.labels import LabelSet
from ..image.volume import Geometry, Voxels
from .layers import find_bounds

_SLICES = 3  # of each plane
_HEIGHT = 150  # pixels of a row
_GAP = 4
_CAPTION = 18
_FONT_SIZE = 11
_PAPER = (13, 15, 18)
_INK = (201, 206, 214)
TISSUE_COLOURS = ((0, 0, 0), (86, 160, 211), (214, 154, 98), (236, 230, 208))
"""Background, CSF, GM and WM."""

_HUE_STEP = 0.618  # of the circle of hues, so that labels that follow one another differ most

Colours = NDArray[np.uint8]
"""Red, green and blue of each value of a label map, (values, 3)."""


@dataclass(frozen=True, eq=False)
class Row:
    """A volume that has a row in a mosaic; `make_image_row` and `make_label_row` make one.

    Args:
        title: What it is.
        voxels: Intensities, or values of a label map.
        bounds: The intensities that are black and white; those of a label map are not used.
        colours: The colours of a label map; None for intensities.
    """

    title: str
    voxels: Voxels
    bounds: tuple[float, float] = (0.0, 1.0)
    colours: Colours | None = None

    def paint(self, voxels: Voxels) -> NDArray[np.uint8]:
        """Return the greys, or the colours in a further axis, of some of the voxels."""
        if self.colours is not None:
            highest = len(self.colours) - 1
            return np.asarray(self.colours[np.clip(voxels.astype(int), 0, highest)])
        low, high = self.bounds
        share = (voxels - low) / (high - low)
        return np.asarray(np.clip(share, 0, 1) * 255, np.uint8)


def make_image_row(title: str, voxels: Voxels) -> Row:
    """Return the row of an image, in greys that suit its intensities."""
    return Row(title, voxels, bounds=find_bounds(voxels))


def make_label_row(title: str, voxels: Voxels, label_set: LabelSet = OASIS) -> Row:
    """Return the row of a label map, with a colour for each label of its set."""
    return Row(title, voxels, colours=_choose_colours(label_set))


def _choose_colours(label_set: LabelSet) -> Colours:
    if label_set.labels == OASIS.labels:
        return np.array(TISSUE_COLOURS, np.uint8)
    values = [label.value for label in label_set.labels]
    colours = np.zeros((max(values) + 1, 3), np.uint8)
    for number, value in enumerate(values):
        hue = number * _HUE_STEP % 1
        colours[value] = np.multiply(colorsys.hsv_to_rgb(hue, 0.55, 0.9), 255)
    return colours


def draw_mosaic(rows: Sequence[Row], geometry: Geometry, box: Box, caption: str) -> Image.Image:
    """Return a picture with a row for each volume; the left of the head is on the left.

    Args:
        rows: Volumes on one grid.
        geometry: The geometry of that grid.
        box: The part to show.
        caption: A line above the picture, beside the note on sides.
    """
    strips = [_draw_row(row, geometry, box) for row in rows]
    picture = Image.new(
        "RGB",
        size=(strips[0].width, _CAPTION + len(strips) * (_HEIGHT + _CAPTION)),
        color=_PAPER,
    )
    _write_line(picture, f"{_to_latin(caption)} - left is left (neurological)", top=0)
    top = _CAPTION
    for row, strip in zip(rows, strips, strict=True):
        _write_line(picture, row.title, top)
        top += _CAPTION
        picture.paste(strip, (0, top))
        top += _HEIGHT
    return picture


def _write_line(picture: Image.Image, text: str, top: int) -> None:
    """Write a line of text at the left."""
    font = ImageFont.load_default(_FONT_SIZE)
    ImageDraw.Draw(picture).text((_GAP, top + 3), text, _INK, font)


def _to_latin(text: str) -> str:
    # The font has the letters of Western Europe only.
    return text.encode("latin-1", "replace").decode("latin-1")


def as_webp(picture: Image.Image) -> bytes:
    """Return a picture as a small WebP file."""
    stream = io.BytesIO()
    picture.save(stream, "WEBP", quality=78)
    return stream.getvalue()


def _draw_row(row: Row, geometry: Geometry, box: Box) -> Image.Image:
    """Return slices of a volume in three planes, side by side."""
    cropped = row.voxels[box]
    orientation = nib.orientations.io_orientation(geometry.affine)
    voxels = nib.orientations.apply_orientation(cropped, orientation)
    to_ras = nib.orientations.inv_ornt_aff(orientation, cropped.shape)
    spacing = nib.affines.voxel_sizes(geometry.affine @ to_ras)
    tiles = []
    for axis in (2, 1, 0):
        for position in np.linspace(0.3, 0.7, _SLICES):
            index = round(position * (voxels.shape[axis] - 1))
            tile = _draw_slice(row, voxels.take(index, axis), np.delete(spacing, axis))
            # A sagittal slice shows one side only.
            if axis != 0:
                _mark_sides(tile)
            tiles.append(tile)
    return _join_tiles(tiles)


def _join_tiles(tiles: Sequence[Image.Image]) -> Image.Image:
    width = sum(tile.width + _GAP for tile in tiles)
    strip = Image.new("RGB", (width, _HEIGHT), _PAPER)
    left = 0
    for tile in tiles:
        strip.paste(tile, (left, 0))
        left += tile.width + _GAP
    return strip


def _draw_slice(row: Row, pixels: Voxels, spacing: NDArray[np.float64]) -> Image.Image:
    """Return a picture of a slice.

    Args:
        row: The volume.
        pixels: The slice, its second axis pointing up.
        spacing: The size of its pixels along both axes, mm.
    """
    # Pictures begin at the top.
    image = Image.fromarray(row.paint(np.flipud(pixels.T))).convert("RGB")
    millimetres = pixels.shape * spacing
    width = round(_HEIGHT * millimetres[0] / millimetres[1])
    # Colours of labels must not be mixed.
    how = Image.Resampling.BICUBIC if row.colours is None else Image.Resampling.NEAREST
    return image.resize((max(1, width), _HEIGHT), how)


def _mark_sides(image: Image.Image) -> None:
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(10)
    draw.text((2, _HEIGHT - 14), "L", _INK, font)
    draw.text((image.width - 9, _HEIGHT - 14), "R", _INK, font)
