"""The README's picture shows a head the right way round, in its true proportions."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import nibabel as nib
import numpy as np
import pytest
from click.testing import CliRunner
from kit.places import EXAMPLES
from PIL import Image

from oasis_gan import Geometry, Plane

SEG = EXAMPLES / "mni152_seg.nii.gz"
T1 = EXAMPLES / "mni152_t1.nii.gz"


@pytest.fixture
def picture(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(EXAMPLES)
    return importlib.import_module("picture")


@pytest.mark.parametrize("plane", list(Plane))
@pytest.mark.parametrize("orientation", ["RAS", "LPI", "SLA"])
def test_right_anterior_and_superior_are_to_the_right_and_up(
    picture: ModuleType, plane: Plane, orientation: str
) -> None:
    straight = np.zeros((12, 10, 8), np.uint8)
    straight[6:, 5:, 4:] = 200
    turn = nib.orientations.axcodes2ornt(orientation)
    image = nib.Nifti1Image(straight, np.eye(4)).as_reoriented(
        nib.orientations.ornt_transform(nib.orientations.axcodes2ornt("RAS"), turn)
    )
    voxels = np.asarray(image.dataobj)
    geometry = Geometry(voxels.shape, image.affine)
    view = picture.View(plane, straight.shape[plane.axis] - 1, (slice(None), slice(None)))
    tile = np.asarray(view.tile(np.repeat(voxels[..., np.newaxis], 3, -1), geometry, 1.0))[..., 0]
    rows, columns = tile.shape
    assert tile[: rows // 2 - 1, columns // 2 + 1 :].min() > 190
    assert tile[rows // 2 + 1 :].max() < 10
    assert tile[:, : columns // 2 - 1].max() < 10


def test_a_millimetre_is_as_long_in_every_direction(picture: ModuleType) -> None:
    geometry = Geometry((10, 10, 10), np.diag([1.0, 2, 3, 1]))
    head = np.ones(geometry.shape, bool)
    sizes = {
        plane: picture.View.of(head, geometry, plane)
        .tile(np.zeros((10, 10, 10, 3), np.uint8), geometry, 2.0)
        .size
        for plane in Plane
    }
    assert sizes == {Plane.AXIAL: (20, 40), Plane.CORONAL: (20, 60), Plane.SAGITTAL: (40, 60)}


def test_the_sample_makes_a_picture(picture: ModuleType, tmp_path: Path) -> None:
    png = tmp_path / "example.png"
    done = CliRunner().invoke(
        picture.main, [str(SEG), str(T1), str(T1), str(png)], catch_exceptions=False
    )
    assert done.exit_code == 0
    with Image.open(png) as drawn:
        assert drawn.format == "PNG"
        assert 800 < drawn.width < 1000
        assert drawn.getcolors(100) is None
    assert CliRunner().invoke(picture.main, [str(SEG), str(T1), str(png)]).exit_code == 0
    with Image.open(png) as narrower:
        assert narrower.width < 700


def test_a_scan_that_lies_elsewhere_is_refused(picture: ModuleType, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.nii.gz"
    png = tmp_path / "example.png"
    nib.save(nib.Nifti1Image(np.ones((4, 4, 4), np.uint8), np.eye(4)), elsewhere)
    for words, complaint in (
        ([SEG, elsewhere], "shape"),
        ([T1, T1], "labels"),
        ([SEG, T1, T1, T1], "3 scans"),
    ):
        done = CliRunner().invoke(picture.main, [*map(str, words), str(png)])
        assert done.exit_code == 1
        assert complaint in str(done.exception)
    assert not png.exists()
