"""The slices of a subject become a volume, or a line that says why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kit.png_slices import (
    COLUMNS,
    ROWS,
    Pixels,
    image_slice,
    label_slice,
    list_subjects,
    make_dataset,
    refusal,
    save_png,
)

from oasis_gan import (
    AssumptionNote,
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return the folder of the slices, as it is distributed."""
    return make_dataset(tmp_path / "in" / "keras_png_slices_data")


STEPS = {"0 to 3": (np.uint8, 1), "0 to 255": (np.uint8, 85), "16 bits": (np.uint16, 21845)}


def test_the_place_of_a_volume_is_assumed_and_said(data: Path) -> None:
    """Columns run to the right, rows from the top run to the back, slices upwards."""
    volume = list_subjects(data)["case_001"].source.read()
    assert volume.geometry.orientation == "RAS"
    np.testing.assert_array_equal(volume.geometry.affine, np.eye(4))
    (note,) = volume.notes
    assert isinstance(note, AssumptionNote)
    assert "1 x 1 x 1 mm" in note
    assert volume.voxels[0, ROWS - 1, 4] == label_slice(1, 4)[0, 0]


def test_the_spacing_may_be_given(data: Path) -> None:
    volume = list_subjects(data, spacing=(1.0, 1.5, 4.0))["case_001"].source.read()
    assert volume.geometry.spacing == (1.0, 1.5, 4.0)
    assert "1 x 1.5 x 4 mm" in volume.notes[0]


def test_a_missing_slice_is_a_gap_that_is_named(data: Path) -> None:
    """The slices above the gap stay where they are."""
    for number in (0, 10, 11):
        (data / "keras_png_slices_train" / f"case_001_slice_{number}.nii.png").unlink()
    source, target = list_subjects(data)["case_001"].read_both()
    assert source.voxels.shape == target.voxels.shape
    assert "slice 0, 10, 11 of 0 to 11 missing, left empty" in target.notes
    assert not target.voxels[..., [0, 10, 11]].any()
    np.testing.assert_array_equal(target.voxels[:, ::-1, 9].T, image_slice(1, 9))
    assert len(source.notes) == 1


@pytest.mark.parametrize("stored", STEPS)
def test_label_maps_in_any_greys_are_read_as_labels_of_oasis(tmp_path: Path, stored: str) -> None:
    dtype, step = STEPS[stored]
    for number in range(3):
        pixels = (label_slice(1, number).astype(dtype) * step).astype(dtype)
        save_png(tmp_path / f"seg_1_slice_{number}.png", pixels)
    voxels = list_subjects(tmp_path)["case_001"].source.read().voxels
    np.testing.assert_array_equal(voxels[:, ::-1, 2].T, label_slice(1, 2))


@pytest.mark.parametrize(
    "values", [(0, 1, 85), (0, 4), (0, 84, 170), (0, 128, 255), tuple(range(40))]
)
def test_other_values_are_no_labels(tmp_path: Path, values: tuple[int, ...]) -> None:
    save_png(
        tmp_path / "seg_017_slice_0.png", np.resize(np.array(values, np.uint8), (ROWS, COLUMNS))
    )
    said = refusal(list_subjects(tmp_path)["case_017"].source.read)
    assert "case_017" in said
    assert f"found {', '.join(map(str, values[:8]))}" in said


def test_16_bits_stay_16_bits(tmp_path: Path) -> None:
    pixels = np.arange(ROWS * COLUMNS, dtype=np.uint16).reshape(ROWS, COLUMNS) * 390
    save_png(tmp_path / "case_1_slice_0.png", pixels)
    voxels = list_subjects(tmp_path)["case_001"].source.read().voxels
    assert voxels.dtype == np.uint16
    np.testing.assert_array_equal(voxels[:, ::-1, 0].T, pixels)


@pytest.mark.parametrize(
    "odd", [np.zeros((ROWS, COLUMNS + 1), np.uint8), np.zeros((ROWS, COLUMNS), np.uint16)]
)
def test_slices_that_differ_are_refused_and_the_subject_is_named(data: Path, odd: Pixels) -> None:
    save_png(data / "keras_png_slices_seg_train" / "seg_002_slice_5.nii.png", odd)
    found = list_subjects(data)
    said = refusal(found["case_002"].source.read)
    assert "case_002: expected 12 x 14 pixels of 8 bits as in slice 0" in said
    assert "in slice 5" in said
    found["case_001"].source.read()


def test_two_files_for_a_slice_are_refused(data: Path) -> None:
    save_png(data / "keras_png_slices_seg_train" / "seg_1_slice_03.png", label_slice(7, 7))
    said = refusal(list_subjects(data)["case_001"].source.read)
    assert "seg_001_slice_3.nii.png" in said
    assert "seg_1_slice_03.png" in said


def test_a_subject_without_its_counterpart_is_refused_and_the_others_are_not(data: Path) -> None:
    for path in data.rglob("seg_001_*"):
        path.unlink()
    for path in data.rglob("case_002_*"):
        path.unlink()
    found = list_subjects(data)
    assert "case_001: expected slices of its label map, found none" in refusal(
        found["case_001"].source.read
    )
    assert found["case_002"].source.read().voxels.any()
    assert "case_002: expected slices of its MRI, found none" in refusal(
        found["case_002"].read_both
    )
    found["case_402"].read_both()


def test_a_slice_number_beyond_all_heads_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    save_png(tmp_path / "seg_1_slice_0.png", label_slice(1, 0))
    save_png(tmp_path / "seg_1_slice_999999999.png", label_slice(1, 1))
    assert "found slice number 999999999" in refusal(
        list_subjects(tmp_path)["case_001"].source.read
    )


def test_a_volume_of_too_many_voxels_is_refused(data: Path) -> None:
    limit = ROWS * COLUMNS * 12
    assert list_subjects(data, max_voxels=limit)["case_001"].source.read().voxels.any()
    said = refusal(list_subjects(data, max_voxels=limit - 1)["case_001"].source.read)
    assert "seg_001_slice_0.nii.png" in said
    assert "`max_voxels`" in said
