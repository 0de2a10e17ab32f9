"""A thin volume is sliced in a plane where its slices are pictures, not rows of one pixel."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from kit.tool import Painting, oasis_gan
from numpy.typing import NDArray

from oasis_gan import Geometry, OasisGanError, Plane
from oasis_gan.image.picture_planes import choose_picture_planes

HEAD = np.pad(1 + np.indices((24, 28, 20)).sum(axis=0) // 3 % 3, 3).astype(np.uint8)
AXIAL, CORONAL, SAGITTAL = Plane
ALL = tuple(Plane)


def save(path: Path, voxels: NDArray[Any], axes: str = "RAS") -> None:
    image = nib.Nifti1Image(voxels, np.eye(4))
    turn = nib.orientations.ornt_transform(
        nib.io_orientation(np.eye(4)), nib.orientations.axcodes2ornt(axes)
    )
    nib.save(image.as_reoriented(turn), path)


def chosen(
    shape: tuple[int, int, int], *planes: Plane, requested: bool = False
) -> tuple[tuple[Plane, ...], str]:
    return choose_picture_planes(
        Geometry(shape, np.eye(4)), planes, ALL, "seg.nii", requested=requested
    )


@pytest.mark.parametrize(
    ("shape", "plane", "thin"),
    [
        ((1, 114, 93), SAGITTAL, "a single sagittal slice"),
        ((94, 1, 93), CORONAL, "a single coronal slice"),
        ((2, 114, 93), SAGITTAL, "2 sagittal slices"),
        ((5, 114, 93), SAGITTAL, "5 sagittal slices"),
    ],
)
def test_a_thin_volume_is_sliced_in_the_plane_of_its_slices(
    shape: tuple[int, int, int], plane: Plane, thin: str
) -> None:
    planes, note = chosen(shape, AXIAL)
    assert planes == (plane,)
    assert note == f"{thin}: sliced in the {plane} plane, where slices are large enough"


@pytest.mark.parametrize(
    "shape", [(94, 114, 93), (94, 114, 1), (94, 114, 2), (300, 2, 2), (6, 7, 5), (12, 14, 10)]
)
def test_any_other_volume_is_sliced_as_the_model_does(shape: tuple[int, int, int]) -> None:
    assert chosen(shape, AXIAL) == ((AXIAL,), "")
    assert chosen((94, 114, 93), *ALL, requested=True) == (ALL, "")


def test_all_planes_means_those_in_which_slices_are_pictures() -> None:
    planes, note = chosen((1, 114, 93), *ALL, requested=True)
    assert planes == (SAGITTAL,)
    assert "a single sagittal slice" in note


def test_a_plane_that_cuts_a_slice_into_rows_is_refused_with_the_right_one() -> None:
    with pytest.raises(
        OasisGanError,
        match=r"^seg\.nii: .*axial slices .*, found a single sagittal.*`plane` sagittal",
    ):
        chosen((1, 114, 93), AXIAL, requested=True)
    planes, note = chosen((2, 114, 93), AXIAL, requested=True)
    assert (planes, note) == (
        (AXIAL,),
        "2 sagittal slices, sliced in the axial plane into rows of 2 pixels",
    )


def test_a_model_without_the_plane_of_a_slice_is_refused() -> None:
    geometry = Geometry((1, 114, 93), np.eye(4))
    with pytest.raises(
        OasisGanError, match="choose a model that was trained in the sagittal plane"
    ):
        choose_picture_planes(geometry, (AXIAL,), (AXIAL, CORONAL), "seg.nii", requested=False)


@pytest.mark.parametrize("axes", ["RAS", "PSR", "LIA"])
def test_a_coronal_slice_is_translated_as_a_picture_and_says_so(
    tmp_path: Path, paint: Painting, axes: str
) -> None:
    save(tmp_path / "slice.nii", HEAD[:, 10:11], axes)
    process = paint("slice.nii")
    assert process.returncode == 0, process.stderr
    record = json.loads((tmp_path / "out/slice_synthT1w.json").read_text())
    assert record["translation"]["planes"] == ["coronal"]
    assert (
        "a single coronal slice: sliced in the coronal plane, where slices are large enough"
        in record["notes"]
    )
    again = paint("slice.nii")
    assert "already there" in again.stderr


def test_a_sagittal_slice_that_this_model_cannot_cut_does_not_stop_the_others(
    tmp_path: Path, paint: Painting
) -> None:
    save(tmp_path / "slice.nii", HEAD[10:11])
    save(tmp_path / "head.nii", HEAD)
    process = paint("slice.nii", "head.nii")
    assert process.returncode == 1
    assert "found a single sagittal slice; choose a model" in process.stderr
    assert (tmp_path / "out/head_synthT1w.nii.gz").exists()


def test_check_says_in_which_plane_a_slice_is_a_picture(tmp_path: Path) -> None:
    for name, part in (("sagittal", HEAD[10:11]), ("axial", HEAD[:, :, 10:11]), ("head", HEAD)):
        save(tmp_path / f"{name}.nii", part)
    process = oasis_gan(
        "check", "sagittal.nii", "axial.nii", "head.nii", "--format", "tsv", cwd=tmp_path
    )
    rows = [line.split("\t") for line in process.stdout.splitlines()[1:]]
    assert [row[1] for row in rows] == ["warn", "accept", "accept"]
    assert rows[0][2] == "a single sagittal slice: only sagittal slices are large enough"
