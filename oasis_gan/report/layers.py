"""Write the volumes of a page as small NIfTI files: cropped, 8 bits a voxel, gzipped."""

from __future__ import annotations

import base64
import gzip
from dataclasses import dataclass

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from ..errors import OasisGanError
from ..evaluation.comparison import Box, box_around, compare_matched, plane_axes, regions_of
from ..evaluation.reading import Volumes
from ..image.volume import Geometry, Voxels

_MARGIN = 3  # voxels around the head
_BRIGHTEST = 99.8  # percentile of the voxels that are not 0: what is brighter is shown as bright
# Greys of an image: more look the same to the eye, and noise in the last bit does not compress.
_STEPS = 128
_DIFFERENCE_STEPS = 24
_DIFFERENCE_LIMIT = 0.3  # of matched intensities, in which GM and WM are 0.2 apart
_COMPRESSION_LEVEL = 6
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
    return box_around(mask, _MARGIN)


def make_layers(volumes: Volumes, box: Box, uncertainty: Voxels | None) -> list[Layer]:
    """Return the volumes that there are, cut out of their grid.

    Args:
        volumes: What was evaluated, on the grid of the output.
        box: The part to show.
        uncertainty: The map beside the output, on its grid.
    """
    geometry = volumes.output.geometry
    layers = [_grey_layer("output", "Output", volumes.output.voxels, geometry, box)]
    if volumes.real is not None:
        layers.append(_grey_layer("real", "Real scan", volumes.real.voxels, geometry, box))
    difference = _difference_layer(volumes, box)
    if difference is not None:
        layers.append(difference)
    if uncertainty is not None:
        title = "Uncertainty"
        layers.append(_grey_layer("uncertainty", title, uncertainty, geometry, box))
    if volumes.labels is not None:
        tissues = volumes.labels.tissues.voxels[box].astype(np.uint8)
        nifti = _encode(tissues, geometry, box, 1, 0)
        layers.append(Layer("labels", "Label map", nifti, 0, 3))
    return layers


def find_bounds(voxels: Voxels) -> tuple[float, float]:
    """Return the intensities that are shown black and brightest."""
    inside = voxels[voxels != 0]
    if not inside.size:
        return 0.0, 1.0
    high = float(np.percentile(inside, _BRIGHTEST))
    low = min(0.0, float(inside.min()))
    return low, high if high > low else low + 1.0


def _grey_layer(key: str, title: str, voxels: Voxels, geometry: Geometry, box: Box) -> Layer:
    low, high = find_bounds(voxels)
    grey = _quantise(voxels[box], low, high, _STEPS)
    nifti = _encode(grey, geometry, box, (high - low) / (_STEPS - 1), low)
    return Layer(key, title, nifti, low, high)


def _difference_layer(volumes: Volumes, box: Box) -> Layer | None:
    """Return the output less the real scan, contrasts matched; None where they cannot be."""
    if volumes.real is None or volumes.labels is None:
        return None
    tissues = volumes.labels.tissues.voxels
    output = volumes.output
    axes = plane_axes(output.geometry)
    try:
        comparison = compare_matched(
            volumes.real.voxels, output.voxels, tissues, regions_of(tissues), axes
        )
    except OasisGanError:
        # The evaluation says why in its notes.
        return None
    whole = np.zeros(output.voxels.shape, np.float32)
    whole[comparison.box] = comparison.output - comparison.real
    limit = _DIFFERENCE_LIMIT
    grey = _quantise(whole[box], -limit, limit, _DIFFERENCE_STEPS + 1)
    nifti = _encode(grey, output.geometry, box, 2 * limit / _DIFFERENCE_STEPS, -limit)
    return Layer("difference", "Output less real scan", nifti, -limit, limit)


def _quantise(voxels: Voxels, low: float, high: float, steps: int) -> Bytes:
    share = (np.clip(voxels, low, high).astype(np.float32) - low) / (high - low)
    return np.asarray(np.rint(share * (steps - 1)), np.uint8)


def _encode(voxels: Bytes, geometry: Geometry, box: Box, slope: float, intercept: float) -> str:
    affine = geometry.affine.copy()
    affine[:3, 3] = (affine @ [*(part.start for part in box), 1])[:3]
    image = nib.Nifti1Image(voxels, affine, dtype=np.uint8)
    data = image.to_bytes()
    # nibabel would compute a slope of its own, and change the voxels with it.
    scaled = data[:_SLOPE] + np.array([slope, intercept], "<f4").tobytes() + data[_SLOPE + 8 :]
    packed = gzip.compress(scaled, _COMPRESSION_LEVEL, mtime=0)
    return base64.b64encode(packed).decode("ascii")
