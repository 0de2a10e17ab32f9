"""Write the volumes of a page as small NIfTI files: cropped, 8 bits a voxel, gzipped."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from ..errors import OasisGanError
from ..evaluation.comparison import Box, compare_matched, find_box, find_regions, plane_axes
from ..evaluation.reading import Volumes
from ..image.volume import Geometry, Voxels

_MARGIN = 3  # voxels around the head
_BRIGHTEST = 99.8  # percentile of the voxels that are not 0: what is brighter is shown as bright
# Greys of an image: more look the same to the eye, and noise in the last bit does not compress.
_STEPS = 128
_DIFFERENCE_STEPS = 24
_UNCERTAINTY_STEPS = 16
_BLOCK = 2  # voxels along each axis: uncertainty is noisy, and makes large files at full resolution
_DIFFERENCE_LIMIT = 0.3  # of matched intensities, in which GM and WM are 0.2 apart
_COMPRESSION_LEVEL = 7
_SLOPE = 112  # where the header holds slope and intercept

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Layer:
    """A volume as the page shows it.

    Args:
        key: What the page calls it: ``output``, ``real``, ``difference``, ``labels`` or
            ``uncertainty``.
        title: What a reader calls it.
        nifti: A gzipped NIfTI file in base64.
        low: The intensity that is shown black.
        high: The intensity that is shown brightest.
    """

    key: str
    title: str
    nifti: str
    low: float
    high: float


def find_shown_box(volumes: Volumes) -> Box:
    """Return the part of the volumes that has a head in it."""
    mask = np.asarray(volumes.output.voxels != 0)
    if volumes.labels is not None:
        mask = mask | (volumes.labels.tissues.voxels != 0)
    if not mask.any():
        mask = np.ones_like(mask)
    return find_box(mask, _MARGIN)


def make_layers(volumes: Volumes, box: Box, uncertainty: Voxels | None) -> list[Layer]:
    """Return the volumes that there are, cut out of their grid.

    Args:
        volumes: What was evaluated, on the grid of the output.
        box: The part to show.
        uncertainty: The map beside the output, on its grid.
    """
    cut = _Cut(volumes.output.geometry, box)
    makers: list[Callable[[], Layer | None]] = []
    makers.append(partial(cut.make_grey_layer, "output", "Output", volumes.output.voxels))
    if volumes.real is not None:
        makers.append(partial(cut.make_grey_layer, "real", "Real scan", volumes.real.voxels))
        makers.append(partial(_make_difference_layer, volumes, cut))
    if uncertainty is not None:
        makers.append(partial(cut.make_uncertainty_layer, uncertainty))
    if volumes.labels is not None:
        makers.append(partial(cut.make_label_layer, volumes.labels.tissues.voxels))
    # At once: most of the time goes to zlib, which releases the GIL.
    with ThreadPoolExecutor() as pool:
        layers = list(pool.map(lambda make: make(), makers))
    return [layer for layer in layers if layer is not None]


def find_bounds(voxels: Voxels) -> tuple[float, float]:
    """Return the intensities that are shown black and brightest."""
    inside = voxels[voxels != 0]
    if not inside.size:
        return 0.0, 1.0
    high = float(np.percentile(inside, _BRIGHTEST))
    low = min(0.0, float(inside.min()))
    return low, high if high > low else low + 1.0


@dataclass(frozen=True, eq=False)
class _Cut:
    """Cuts volumes out of their grid, and makes a layer of each."""

    geometry: Geometry
    box: Box

    def make_grey_layer(self, key: str, title: str, voxels: Voxels) -> Layer:
        """Return a layer of intensities."""
        low, high = find_bounds(voxels)
        steps = _STEPS - 1
        grey = _quantise(voxels[self.box], low, high, steps)
        nifti = self._encode(grey, (high - low) / steps, low)
        return Layer(key, title, nifti, low, high)

    def make_uncertainty_layer(self, deviation: Voxels) -> Layer:
        """Return a layer of standard deviations, each the mean of eight voxels."""
        coarse = _average_blocks(deviation[self.box])
        low, high = find_bounds(coarse)
        grey = _quantise(coarse, low, high, _UNCERTAINTY_STEPS)
        nifti = self._encode(grey, (high - low) / _UNCERTAINTY_STEPS, low, _BLOCK)
        return Layer("uncertainty", "Uncertainty", nifti, low, high)

    def make_difference_layer(self, difference: Voxels) -> Layer:
        """Return a layer of differences between matched intensities."""
        low = -_DIFFERENCE_LIMIT
        high = _DIFFERENCE_LIMIT
        grey = _quantise(difference[self.box], low, high, _DIFFERENCE_STEPS)
        nifti = self._encode(grey, (high - low) / _DIFFERENCE_STEPS, low)
        return Layer("difference", "Output less real scan", nifti, low, high)

    def make_label_layer(self, tissues: Voxels) -> Layer:
        """Return the layer of a label map."""
        nifti = self._encode(tissues[self.box].astype(np.uint8), 1, 0)
        return Layer("labels", "Label map", nifti, 0, 3)

    def _encode(self, voxels: Bytes, slope: float, intercept: float, block: int = 1) -> str:
        """Return a gzipped NIfTI file in base64; a voxel of it is a block of those of the grid."""
        first_centre = [part.start + (block - 1) / 2 for part in self.box]
        affine = self.geometry.affine.copy()
        affine[:3, 3] = nib.affines.apply_affine(affine, first_centre)
        affine[:3, :3] *= block
        data = bytearray(nib.Nifti1Image(voxels, affine, dtype=np.uint8).to_bytes())
        # nibabel would compute a slope of its own, and change the voxels with it.
        scale = np.array([slope, intercept], "<f4").tobytes()
        data[_SLOPE : _SLOPE + len(scale)] = scale
        packed = gzip.compress(data, _COMPRESSION_LEVEL, mtime=0)
        return base64.b64encode(packed).decode("ascii")


def _make_difference_layer(volumes: Volumes, cut: _Cut) -> Layer | None:
    """Return the layer of the output less the real scan; None where there is none."""
    difference = _find_difference(volumes)
    return None if difference is None else cut.make_difference_layer(difference)


def _find_difference(volumes: Volumes) -> Voxels | None:
    """Return the output less the real scan, contrasts matched; None where they cannot be."""
    if volumes.real is None or volumes.labels is None:
        return None
    tissues = volumes.labels.tissues.voxels
    output = volumes.output
    try:
        comparison = compare_matched(
            volumes.real.voxels,
            output.voxels,
            tissues,
            find_regions(tissues),
            plane_axes(output.geometry),
        )
    except OasisGanError:
        # The evaluation says why in its notes.
        return None
    difference = np.zeros(output.voxels.shape, np.float32)
    difference[comparison.box] = comparison.output - comparison.real
    return difference


def _quantise(voxels: Voxels, low: float, high: float, steps: int) -> Bytes:
    """Return intensities as whole numbers from 0 at ``low`` to ``steps`` at ``high``."""
    clipped = np.clip(voxels, low, high).astype(np.float32)
    share = (clipped - low) / (high - low)
    return np.asarray(np.rint(share * steps), np.uint8)


def _average_blocks(voxels: Voxels) -> NDArray[np.float32]:
    """Return the mean of each block of voxels; blocks at the ends are filled up with zeros."""
    padding = [(0, -size % _BLOCK) for size in voxels.shape]
    padded = np.pad(voxels, padding)
    first, second, third = (size // _BLOCK for size in padded.shape)
    blocks = padded.reshape(first, _BLOCK, second, _BLOCK, third, _BLOCK)
    return np.asarray(blocks.mean(axis=(1, 3, 5)), np.float32)
