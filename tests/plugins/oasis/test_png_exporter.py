"""A volume is written as slices in the OASIS naming."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
import oasis_gan_oasis
import pytest
from kit.png_slices import Pixels, image_slice, label_slice, list_subjects, make_dataset, refusal
from PIL import Image

from oasis_gan import (
    Exporter,
    Geometry,
    Volume,
)
from oasis_gan.testing import ExporterContract


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return the folder of the slices, as it is distributed."""
    return make_dataset(tmp_path / "in" / "keras_png_slices_data")


EXPORTER: Exporter = {
    exporter.name: exporter for exporter in oasis_gan_oasis.oasis_gan_exporters()
}["oasis-png"]


class TestExporter(ExporterContract):
    """The exporter of slices."""

    @pytest.fixture
    def exporter(self) -> Exporter:
        return EXPORTER


def write_and_read(path: Path, voxels: Pixels, affine: Pixels | None = None) -> Volume:
    """Write voxels and return what the reader makes of them."""
    geometry = Geometry(
        (voxels.shape[0], voxels.shape[1], voxels.shape[2]), np.eye(4) if affine is None else affine
    )
    EXPORTER.write(Volume(voxels, geometry), path)
    (subject,) = list_subjects(path).values()
    return subject.source.read()


def test_what_was_read_is_written_as_it_was(data: Path, tmp_path: Path) -> None:
    subject = list_subjects(data)["case_001"]
    for name, scan in (("case_001", subject.source), ("seg_001", subject.target)):
        assert scan is not None
        EXPORTER.write(scan.read(), tmp_path / f"{name}_again.zip")
    with (
        zipfile.ZipFile(tmp_path / "case_001_again.zip") as seg,
        zipfile.ZipFile(tmp_path / "seg_001_again.zip") as mri,
    ):
        for number in range(12):
            one = Image.open(
                io.BytesIO(seg.read(f"seg_001_slice_{number}.nii.png")), formats=["PNG"]
            )
            other = Image.open(
                io.BytesIO(mri.read(f"case_001_slice_{number}.nii.png")), formats=["PNG"]
            )
            np.testing.assert_array_equal(np.asarray(one), label_slice(1, number) * np.uint8(85))
            np.testing.assert_array_equal(np.asarray(other), image_slice(1, number))


@pytest.mark.parametrize("low", [0.0, -300.0])
def test_greys_come_back_but_for_the_rounding(tmp_path: Path, low: float) -> None:
    voxels = np.random.default_rng(0).uniform(low, 900, (5, 6, 4)).astype(np.float32)
    voxels[0] = 0
    again = write_and_read(tmp_path / "sub-01_synthT1w.zip", voxels)
    with zipfile.ZipFile(tmp_path / "sub-01_synthT1w.zip") as archive:
        said = json.loads(archive.read("case_001.json"))
    assert said["description"] == "oasis-gan synthetic"
    assert said["white"] == voxels.max()
    width = said["white"] - said["black"]
    np.testing.assert_allclose(
        again.voxels / 255 * width + said["black"], voxels, atol=width / 255 / 2 + 1e-3
    )
    assert (said["black"] == 0) == (low == 0)


def test_whole_values_up_to_white_are_kept(tmp_path: Path) -> None:
    voxels = np.random.default_rng(0).integers(0, 200, (5, 6, 4)).astype(np.float32)
    np.testing.assert_array_equal(write_and_read(tmp_path / "a.zip", voxels).voxels, voxels)


@pytest.mark.parametrize("value", [0, 2, 77, 0.5, -4])
def test_a_volume_of_one_value_can_be_written(tmp_path: Path, value: float) -> None:
    assert write_and_read(tmp_path / "a.zip", np.full((5, 6, 4), value)).voxels.shape == (5, 6, 4)


def test_slices_are_axial_however_the_volume_lies(tmp_path: Path) -> None:
    """Stored the other way round, the pictures are the same and the affine says where they lie."""
    voxels = np.random.default_rng(0).integers(0, 200, (5, 6, 4))
    affine = np.array([[2.0, 0, 0, -9], [0, 3, 0, 5], [0, 0, 4, 7], [0, 0, 0, 1]])
    turned = nib.as_closest_canonical(nib.Nifti1Image(voxels.astype(np.int16), affine))
    other = turned.as_reoriented(np.array([[2, -1], [0, 1], [1, -1]]))
    again = write_and_read(
        tmp_path / "case_7_a.zip", np.asarray(other.dataobj), np.asarray(other.affine)
    )
    np.testing.assert_array_equal(again.voxels, voxels)
    with zipfile.ZipFile(tmp_path / "case_7_a.zip") as archive:
        np.testing.assert_allclose(json.loads(archive.read("case_7.json"))["affine"], affine)


def test_what_is_not_finite_is_not_written(tmp_path: Path) -> None:
    volume = Volume(np.full((2, 2, 2), np.nan), Geometry((2, 2, 2), np.eye(4)))
    assert "NaN or Inf" in refusal(lambda: EXPORTER.write(volume, tmp_path / "a.zip"))
    assert not list(tmp_path.iterdir())
