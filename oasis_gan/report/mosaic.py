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
_PAPER = (13, 15, 18)
_INK = (201, 206, 214)
TISSUE_COLOURS = ((0, 0, 0), (86, 160, 211), (214, 154, 98), (236, 230, 208))
"""Background, CSF, GM and WM."""

_HUE_STEP = 0.618  # of the circle of hues, so that labels that follow one another differ most

Colours = NDArray[np.uint8]
"""Red, green and blue of each value of a label map, (values, 3)."""


@dataclass(frozen=True, eq=False)
class Row:
    """A volume that has a row in a mosaic; `scan_row` and `label_row` make one.

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


def scan_row(title: str, voxels: Voxels) -> Row:
    """Return the row of a scan, in greys that suit its intensities."""
    return Row(title, voxels, bounds=find_bounds(voxels))


def label_row(title: str, voxels: Voxels, label_set: LabelSet = OASIS) -> Row:
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
        geometry: Of the grid.
        box: The part to show.
        caption: A line above the picture, beside the note on sides.
    """
    strips = [_draw_row(row, geometry, box) for row in rows]
    width = max(strip.width for strip in strips)
    height = _CAPTION + sum(strip.height + _CAPTION for strip in strips)
    picture = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(11)
    # The font has the letters of Western Europe only.
    shown = caption.encode("latin-1", "replace").decode("latin-1")
    draw.text((_GAP, 3), f"{shown} - left is left (neurological)", _INK, font)
    top = _CAPTION
    for row, strip in zip(rows, strips, strict=True):
        draw.text((_GAP, top + 3), row.title, _INK, font)
        picture.paste(strip, (0, top + _CAPTION))
        top += strip.height + _CAPTION
    return picture


def as_webp(picture: Image.Image) -> bytes:
    """Return a picture as a small WebP file."""
    stream = io.BytesIO()
    picture.save(stream, "WEBP", quality=78)
    return stream.getvalue()


def _draw_row(row: Row, geometry: Geometry, box: Box) -> Image.Image:
    turned = _turn_to_ras(row.voxels[box], geometry)
    spacing = nib.affines.voxel_sizes(_ras_affine(geometry, row.voxels[box].shape))
    positions = np.linspace(0.3, 0.7, _SLICES).tolist()
    tiles = [
        _draw_slice(row, turned, spacing, axis, position)
        for axis in (2, 1, 0)
        for position in positions
    ]
    width = sum(tile.width + _GAP for tile in tiles)
    strip = Image.new("RGB", (width, _HEIGHT), _PAPER)
    left = 0
    for tile in tiles:
        strip.paste(tile, (left, 0))
        left += tile.width + _GAP
    return strip


def _turn_to_ras(voxels: Voxels, geometry: Geometry) -> Voxels:
    turns = nib.orientations.io_orientation(geometry.affine)
    return np.asarray(nib.orientations.apply_orientation(voxels, turns))


def _ras_affine(geometry: Geometry, shape: tuple[int, ...]) -> NDArray[np.float64]:
    turns = nib.orientations.io_orientation(geometry.affine)
    return np.asarray(geometry.affine @ nib.orientations.inv_ornt_aff(turns, shape))


def _draw_slice(
    row: Row, voxels: Voxels, spacing: NDArray[np.float64], axis: int, position: float
) -> Image.Image:
    index = round(position * (voxels.shape[axis] - 1))
    # The second axis of a slice points up, and pictures begin at the top.
    plane = np.flipud(np.take(voxels, index, axis).T)
    across, up = np.delete(spacing, axis)
    width = max(1, round(_HEIGHT * plane.shape[1] * across / (plane.shape[0] * up)))
    if row.colours is not None:
        picture = row.colours[np.clip(plane.astype(int), 0, len(row.colours) - 1)]
        how = Image.Resampling.NEAREST
    else:
        low, high = row.bounds
        picture = (np.clip((plane - low) / (high - low), 0, 1) * 255).astype(np.uint8)
        how = Image.Resampling.BICUBIC
    image = Image.fromarray(picture).convert("RGB").resize((width, _HEIGHT), how)
    if axis != 0:
        _mark_sides(image)
    return image


def _mark_sides(image: Image.Image) -> None:
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(10)
    draw.text((2, _HEIGHT - 14), "L", _INK, font)
    draw.text((image.width - 9, _HEIGHT - 14), "R", _INK, font)
