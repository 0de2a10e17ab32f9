"""The uncertainty of the shipped model: from three planes, mirrored slices and other noise."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import oasis_gan_pix2pix
import pytest
from oasis_gan_pix2pix.calibration import UncertaintyCalibration
from oasis_gan_pix2pix.model_folder import read_model_file
from oasis_gan_pix2pix.translator import StoredGenerator

from oasis_gan import OASIS, UNCERTAINTY, CleanVolume, Geometry, Translation

SHAPE = (24, 26, 22)


@pytest.fixture(scope="module")
def folder() -> Path:
    (kind,) = oasis_gan_pix2pix.oasis_gan_models()
    return next(iter(kind.shipped.values()))


@pytest.fixture(scope="module")
def source() -> CleanVolume:
    """Return a ball of white matter in grey matter in CSF."""
    from_middle = np.indices(SHAPE).T - (np.array(SHAPE) - 1) / 2
    radius = np.linalg.norm(from_middle, axis=-1).T
    voxels = np.select([radius < 5, radius < 8, radius < 10], [3, 2, 1], 0).astype(np.int32)
    return CleanVolume(voxels, Geometry(SHAPE, np.eye(4)), content="labels")


def translate(folder: Path, source: CleanVolume, **options: object) -> Translation:
    model = oasis_gan_pix2pix.load(folder, **options)  # type: ignore[arg-type]  # as the tool does
    return model.translate({"labels": source})


def test_voxels_are_the_same_and_the_brain_alone_is_uncertain(
    folder: Path, source: CleanVolume
) -> None:
    certain = translate(folder, source)
    uncertain = translate(folder, source, uncertainty=True)
    assert np.array_equal(certain.volume.voxels, uncertain.volume.voxels)
    deviation = uncertain.maps[UNCERTAINTY].voxels
    mask = OASIS.find_mask(source.voxels)
    assert not deviation[~mask].any()
    assert (deviation[mask] > 0).mean() > 0.9


def test_another_draw_is_other_noise_and_the_same_again(folder: Path) -> None:
    generator = StoredGenerator(folder)
    slices = np.zeros((2, 32, 32, 3), np.float32)
    slices[:, 8:24, 8:24, 1] = 1
    first = generator.generate(slices)
    other = generator.generate(slices, draw=1)
    assert np.abs(first - other)[:, 8:24, 8:24].mean() > 1e-3
    assert np.array_equal(other, generator.generate(slices, draw=1))
    assert np.array_equal(first, generator.generate(slices, draw=0))


def test_the_map_of_the_shipped_model_is_calibrated(folder: Path) -> None:
    calibration = read_model_file(folder).uncertainty
    assert calibration is not None
    assert calibration.heads >= 10


def test_a_folder_without_a_calibration_loads_and_is_not_scaled(
    folder: Path, source: CleanVolume, tmp_path: Path
) -> None:
    older = tmp_path / "older"
    shutil.copytree(folder, older)
    description = json.loads((older / "model.json").read_text())
    calibration = description.pop("uncertainty")
    (older / "model.json").write_text(json.dumps(description))
    scaled = translate(folder, source, uncertainty=True).maps[UNCERTAINTY].voxels
    unscaled = translate(older, source, uncertainty=True).maps[UNCERTAINTY].voxels
    factor = dict(zip(calibration["textures"], calibration["scales"], strict=True))[0.75]
    np.testing.assert_allclose(scaled, unscaled * factor, rtol=1e-5)


def test_the_factor_between_two_textures_is_interpolated() -> None:
    calibration = UncertaintyCalibration(
        scales=(6, 3, 2), textures=(0, 0.75, 1), heads=1, method="made up"
    )
    assert calibration.scale_at(0) == 6
    assert calibration.scale_at(0.25) == pytest.approx(5)
    assert calibration.scale_at(0.75) == 3
    assert UncertaintyCalibration(scales=(4,), heads=1, method="made up").scale_at(None) == 4


@pytest.mark.parametrize(
    ("scales", "textures"), [((1, 2), (0.5,)), ((1, 2), (0.5, 0.5)), ((0,), ()), ((), ())]
)
def test_a_calibration_that_says_nothing_is_refused(
    scales: tuple[float, ...], textures: tuple[float, ...]
) -> None:
    with pytest.raises(ValueError, match=r"scale|texture"):
        UncertaintyCalibration(scales=scales, textures=textures, heads=1, method="made up")
