"""Make a picture of a translation: tissue map, output and, if there is one, the real scan.

    python examples/picture.py SOURCE OUTPUT [REAL] PNG

Rows are an axial, a coronal and a sagittal slice near the middle of the head. Anterior or superior
is up, the patient's right is on the right, and a millimetre is as long in every direction. Each
scan has its own grey scale.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from oasis_gan import OASIS, Geometry, OasisGanError, Plane, cut, read_nifti, write_atomically

Colours = NDArray[np.uint8]
Voxels = NDArray[Any]

CAPTIONS = ("tissue map", "generated", "real")
TISSUES = np.array([(0, 0, 0), (64, 104, 160), (142, 148, 156), (240, 234, 222)], np.uint8)
"""Colours of background, CSF, GM and WM."""
WHITE = 99.5
"""The percentile of a scan's non-zero voxels that is painted in the brightest grey."""
_BESIDE = (
    0.58  # of the way from left to right; half of it would be the fissure between the hemispheres
)
_BRIGHTEST = 235
_MARGIN = 4  # voxels around the head
_BAND = 28
_GAP = 6
_INK = (205, 205, 205)


def grey(voxels: Voxels) -> Colours:
    """Return intensities (I, J, K) as greys (I, J, K, 3): 0 is black."""
    inside = voxels[voxels > 0]
    white = np.percentile(inside, WHITE) if inside.size else 1
    greys = np.rint(np.clip(voxels / white, 0, 1) * _BRIGHTEST).astype(np.uint8)
    return np.repeat(greys[..., np.newaxis], 3, axis=-1)


@dataclass(frozen=True)
class View:
    """A slice of a volume, and the part of it that is shown.

    Args:
        plane: In which it is cut.
        number: Of the slice.
        window: The rows and columns around the head.
    """

    plane: Plane
    number: int
    window: tuple[slice, slice]

    @classmethod
    def of(cls, head: NDArray[np.bool_], geometry: Geometry, plane: Plane) -> View:
        """Look at the middle of ``head``; from the side, beside the fissure between its halves."""
        slices = cut(head, geometry, plane).slices
        occupied = np.flatnonzero(slices.any(axis=(1, 2)))
        if not occupied.size:
            return cls(plane, 0, (slice(None), slice(None)))
        share = _BESIDE if plane is Plane.SAGITTAL else 0.5
        number = int(occupied[0] + share * (occupied[-1] - occupied[0]))
        around = (np.flatnonzero(slices[number].any(axis=axis)) for axis in (1, 0))
        rows, columns = (
            slice(max(0, int(one[0]) - _MARGIN), int(one[-1]) + _MARGIN + 1) for one in around
        )
        return cls(plane, number, (rows, columns))

    def tile(self, colours: Colours, geometry: Geometry, scale: float) -> Image.Image:
        """Return a picture of ``scale`` pixels a millimetre."""
        stack = cut(colours, geometry, self.plane)
        # Rows run to the right or to the front, columns upwards; a picture's rows run downwards.
        seen = stack.slices[self.number][self.window].swapaxes(0, 1)[::-1]
        picture = Image.fromarray(np.ascontiguousarray(seen))
        sizes = zip(picture.size, stack.spacing, strict=True)
        width, height = (max(1, round(pixels * spacing * scale)) for pixels, spacing in sizes)
        return picture.resize((width, height), Image.Resampling.BICUBIC)


def arrange(rows: Sequence[Sequence[Image.Image]]) -> Image.Image:
    """Return all tiles on black, captions above the columns."""
    heights = [row[0].height for row in rows]
    widths = [max(row[column].width for row in rows) for column in range(len(rows[0]))]
    picture = Image.new(
        "RGB", (sum(widths) + _GAP * (len(widths) + 1), _BAND + sum(heights) + _GAP * len(heights))
    )
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(15)
    left = _GAP
    for column, width in enumerate(widths):
        pen.text((left + width / 2, _BAND / 2), CAPTIONS[column], _INK, font, anchor="mm")
        top = _BAND
        for row, height in zip(rows, heights, strict=True):
            picture.paste(row[column], (left + (width - row[column].width) // 2, top))
            top += height + _GAP
        left += width + _GAP
    return picture


def draw(source: Path, scans: Sequence[Path], scale: float) -> Image.Image:
    """Return the picture of a tissue map and the scans that lie on its grid.

    Raises:
        OasisGanError: If SOURCE is no tissue map, or a scan lies elsewhere.
    """
    labels = OASIS.clean(read_nifti(source), source)
    columns = [TISSUES[labels.voxels]]
    for path in scans:
        volume = read_nifti(path)
        labels.geometry.require_same_grid(volume.geometry, path)
        columns.append(grey(volume.voxels))
    planes = (Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL)
    views = [View.of(labels.voxels > 0, labels.geometry, plane) for plane in planes]
    return arrange(
        [[view.tile(voxels, labels.geometry, scale) for voxels in columns] for view in views]
    )


_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("source", type=_FILE)
@click.argument("scans", type=_FILE, nargs=-1, required=True, metavar="OUTPUT [REAL]")
@click.argument("png", type=_FILE)
@click.option("--scale", default=1.6, show_default=True, help="Pixels a millimetre.")
def main(source: Path, scans: tuple[Path, ...], png: Path, scale: float) -> None:
    """Draw the tissue map SOURCE, the volume OUTPUT made of it, and the REAL scan into PNG."""
    if len(scans) > 2:
        raise SystemExit(f"expected SOURCE OUTPUT [REAL] PNG, found {len(scans)} scans")
    packed = io.BytesIO()
    try:
        draw(source, scans, scale).save(packed, "PNG", optimize=True)
        write_atomically(png, packed.getvalue())
    except (OasisGanError, OSError) as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
