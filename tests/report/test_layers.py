"""The volumes of a page lie where they are in the head, also at half the resolution."""

from __future__ import annotations

import base64
import gzip
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray

from oasis_gan import Geometry, Volume
from oasis_gan.evaluation.reading import Volumes
from oasis_gan.report.layers import Layer, make_layers

SHAPE = (9, 12, 11)
AFFINE = np.array([[0, 2.0, 0, -7], [-1.5, 0, 0, 30], [0, 0, 1, 4], [0, 0, 0, 1]])
BOX = (slice(2, 9), slice(1, 11), slice(3, 10))


def open_layer(layer: Layer) -> Any:  # noqa: ANN401 - nibabel has no types
    return nib.Nifti1Image.from_bytes(gzip.decompress(base64.b64decode(layer.nifti)))


def centre_of(voxels: NDArray[Any], affine: NDArray[Any]) -> NDArray[np.float64]:
    """Return the centre of mass in millimetres."""
    weights = voxels / voxels.sum()
    middle = [float((weights * index).sum()) for index in np.indices(voxels.shape)]
    return np.asarray(nib.affines.apply_affine(affine, middle))


@pytest.fixture
def layers() -> dict[str, Layer]:
    voxels = np.zeros(SHAPE, np.float32)
    voxels[4:6, 5:7, 5:7] = 100
    output = Volume(voxels, Geometry(SHAPE, AFFINE))
    volumes = Volumes(output, None, None, None, None, {}, ())
    return {layer.key: layer for layer in make_layers(volumes, BOX, voxels / 10)}


@pytest.mark.parametrize("key", ["output", "uncertainty"])
def test_a_layer_lies_where_the_volume_does(layers: dict[str, Layer], key: str) -> None:
    image = open_layer(layers[key])
    # The middle of the bright voxels, which are 4 and 5, 5 and 6, 5 and 6.
    expected = nib.affines.apply_affine(AFFINE, [4.5, 5.5, 5.5])
    np.testing.assert_allclose(centre_of(image.get_fdata(), image.affine), expected, atol=1e-5)


def test_the_uncertainty_has_half_the_resolution(layers: dict[str, Layer]) -> None:
    fine = open_layer(layers["output"])
    coarse = open_layer(layers["uncertainty"])
    assert coarse.shape == (4, 5, 4)
    np.testing.assert_allclose(coarse.header.get_zooms(), 2 * np.array(fine.header.get_zooms()))


def test_intensities_are_kept_up_to_a_step(layers: dict[str, Layer]) -> None:
    values = open_layer(layers["output"]).get_fdata()
    np.testing.assert_allclose([values.min(), values.max()], [0, 100], atol=100 / 127)
