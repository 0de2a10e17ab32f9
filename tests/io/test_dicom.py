"""A DICOM series lies where SimpleITK puts it, or is refused in a line that names no patient."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK
from hypothesis import HealthCheck, given, settings
from kit.dicom_files import PATIENT, save_frames, save_series
from kit.itk_images import LPS, VOXELS, images
from numpy.typing import NDArray

from oasis_gan import OasisGanError, volume_scan

EVEN = [(10.0, 20.0, 30.0 + 2.5 * index) for index in range(6)]
TILTED = np.array([[1.0, 0, 0], [0, 1, 0.2], [0, 0, 1]])


def refusal(path: Path, **options: Any) -> str:  # noqa: ANN401
    with pytest.raises(OasisGanError) as caught:
        volume_scan(path, **options).read()
    said = str(caught.value)
    assert ": expected " in said
    assert said.isprintable()  # one line, too
    assert "Doe" not in said
    return said


def itk_series_affine(folder: Path) -> NDArray[np.float64]:
    """Return where SimpleITK puts the series in a folder, from voxels to RAS+ mm."""
    names = SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))
    image = SimpleITK.ReadImage(names)
    affine = np.eye(4)
    affine[:3, :3] = LPS @ np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine[:3, 3] = LPS @ image.GetOrigin()
    return affine


@settings(
    max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(image=images())
def test_a_series_lies_where_simpleitk_puts_it(
    tmp_path: Path,
    image: Any,  # noqa: ANN401
) -> None:
    axes = np.reshape(image.GetDirection(), (3, 3))
    # The third axis of a series is the normal of the other two.
    axes[:, 2] = np.cross(axes[:, 0], axes[:, 1])
    shutil.rmtree(tmp_path / "a", ignore_errors=True)
    save_series(tmp_path / "a", axes=axes, spacing=image.GetSpacing(), origin=image.GetOrigin())
    volume = volume_scan(tmp_path / "a").read()
    corners = volume.geometry.corners
    np.testing.assert_allclose(
        volume.geometry.affine @ corners,
        itk_series_affine(tmp_path / "a") @ corners,
        atol=1e-6,
        rtol=0,
    )
    assert np.array_equal(volume.voxels, VOXELS)


def test_a_series_is_found_by_one_of_its_files(tmp_path: Path) -> None:
    files = save_series(tmp_path)
    save_series(tmp_path, -VOXELS, series="1.2.3.5", prefix="other")
    scan = volume_scan(files[2])
    assert {scan.path, *scan.parts} == set(files)
    assert np.array_equal(scan.read().voxels, VOXELS)


def test_a_moved_series_is_read_from_its_new_place(tmp_path: Path) -> None:
    save_series(tmp_path / "a")
    (tmp_path / "a").rename(tmp_path / "b")
    assert np.array_equal(volume_scan(tmp_path / "b").read().voxels, VOXELS)


def test_several_series_in_a_folder_are_named(tmp_path: Path) -> None:
    save_series(tmp_path)
    save_series(tmp_path, series="1.2.3.5", prefix="t2-")
    said = refusal(tmp_path)
    assert "series 4 (6 images of 4 x 5, such as 001.dcm)" in said
    assert "series 5 (6 images of 4 x 5, such as t2-001.dcm)" in said
    assert "give the path of one file of the series that you want" in said


def test_a_localiser_beside_a_series_is_left_out_with_a_note(tmp_path: Path) -> None:
    save_series(tmp_path)
    for index, order in enumerate(([0, 1, 2], [1, 2, 0], [2, 0, 1])):
        axes = np.eye(3)[:, order]
        save_series(tmp_path, VOXELS[:, :, :1], axes, series="1.2.3.9", prefix=f"scout{index}-")
    volume = volume_scan(tmp_path).read()
    assert np.array_equal(volume.voxels, VOXELS)
    (note,) = volume.notes
    assert note.startswith("3 DICOM files of other series, or without an image, are left out")


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ([0, 1, 2, 4, 5, 6], "the next slice 2.5 mm further, found 5 mm: 1 slice is missing"),
        ([0, 1, 2, 2, 3, 4], "one image at each position"),
        ([0, 1, 2.2, 3, 4, 5], "evenly spaced slices, found one that is 0.5 mm off"),
    ],
)
def test_slices_that_make_no_even_stack_are_refused(
    tmp_path: Path, places: list[float], said: str
) -> None:
    save_series(tmp_path, places=places)
    assert said in refusal(tmp_path)


def test_a_tilted_gantry_is_refused(tmp_path: Path) -> None:
    save_series(tmp_path, axes=TILTED)
    assert "expected perpendicular axes, found a shear of 0.2" in refusal(tmp_path)


def test_images_that_do_not_fit_together_are_refused(tmp_path: Path) -> None:
    files = save_series(tmp_path / "sizes")
    shutil.rmtree(tmp_path / "sizes")
    save_series(tmp_path / "sizes", VOXELS[:, :, :3])
    save_series(tmp_path / "sizes", VOXELS[:3, :, :3], prefix="x", places=[3, 4, 5])
    assert "the same number of rows and columns" in refusal(tmp_path / "sizes")
    save_series(tmp_path / "turned", VOXELS[:, :, :3])
    save_series(tmp_path / "turned", VOXELS[:, :, :3], np.eye(3), prefix="x", places=[3, 4, 5])
    assert "the same orientation and pixel spacing" in refusal(tmp_path / "turned")
    assert len(files) == VOXELS.shape[2]


@pytest.mark.parametrize("which", [0, 2, 5])
@pytest.mark.parametrize("left", [-10, 400])
def test_a_truncated_file_is_named(tmp_path: Path, which: int, left: int) -> None:
    files = save_series(tmp_path)
    files[which].write_bytes(files[which].read_bytes()[:left])
    assert refusal(tmp_path).startswith(f"{files[which]}: expected pixels that GDCM can decode")


def test_a_report_beside_a_series_is_left_out_with_a_note(tmp_path: Path) -> None:
    save_series(tmp_path)
    report = bytes(128) + b"DICM" + b"\x02\0\x02\0UI\x1e\x001.2.840.10008.5.1.4.1.1.88.11\0"
    (tmp_path / "SR").write_bytes(report)
    volume = volume_scan(tmp_path).read()
    assert volume.notes == (
        "1 DICOM files of other series, or without an image, are left out, such as SR",
    )


def test_the_limit_on_voxels_is_respected(tmp_path: Path) -> None:
    save_series(tmp_path)
    assert "at most 119 voxels" in refusal(tmp_path, max_voxels=119)


def test_a_single_image_is_no_volume(tmp_path: Path) -> None:
    files = save_series(tmp_path, VOXELS[:, :, :1])
    assert "two or more slices" in refusal(files[0])
    assert "series 4 (1 image of 4 x 5" in refusal(tmp_path)


@pytest.mark.parametrize("reverse", [False, True], ids=["in order", "reversed"])
def test_the_frames_of_a_file_are_ordered_by_their_positions(tmp_path: Path, reverse: bool) -> None:
    voxels = VOXELS[:, :, ::-1] if reverse else VOXELS
    path = save_frames(tmp_path / "a.dcm", voxels, EVEN[::-1] if reverse else EVEN)
    volume = volume_scan(path).read()
    assert np.array_equal(volume.voxels, VOXELS)
    expected = np.diag([-0.7, -1.1, 2.5, 1.0])
    expected[:3, 3] = -10, -20, 30
    np.testing.assert_allclose(volume.geometry.affine, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("positions", "slopes", "said"),
    [
        (EVEN[:5], (), "5 positions of 6 frames"),
        (EVEN[:3] + EVEN[:3], (), "one image at each position"),
        (EVEN, (1, 1, 1, 2, 2, 2), "frames with intensities of several scales"),
    ],
    ids=["missing", "two times", "scales"],
)
def test_frames_that_make_no_volume_are_refused(
    tmp_path: Path,
    positions: list[tuple[float, ...]],
    slopes: tuple[float, ...],
    said: str,
) -> None:
    assert said in refusal(save_frames(tmp_path / "a.dcm", VOXELS, positions, slopes=slopes))


def test_no_field_of_a_patient_is_in_a_scan(tmp_path: Path) -> None:
    save_series(tmp_path)
    scan = volume_scan(tmp_path)
    said = f"{scan} {scan.read()}"
    assert PATIENT.partition("^")[0] not in said
