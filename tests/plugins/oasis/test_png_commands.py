"""Slices are trained on, translated and written by the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from kit.png_slices import (
    COLUMNS,
    ROWS,
    label_slice,
    list_subjects,
    make_dataset,
    make_zip,
    save_png,
)
from kit.tool import Painting, oasis_gan

from oasis_gan import (
    is_nifti_name,
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return the folder of the slices, as it is distributed."""
    return make_dataset(tmp_path / "in" / "keras_png_slices_data")


def test_trained_on_the_folder_it_translates_the_zip_and_a_slice(
    data: Path, tmp_path: Path
) -> None:
    itk = pytest.importorskip("SimpleITK")
    (tmp_path / "tiny.toml").write_text(
        "steps = 2\nsize = 16\ncontrast = 'robust'\nplanes = ['axial']\n[generator]\nlevels = 2\n"
        "filters = 4\n[discriminator]\nreceptive_field = 16\n"
    )
    process = oasis_gan(
        "train", data, "--spacing", "2,2,2", "--recipe", "tiny.toml", "--out", "m", cwd=tmp_path
    )
    assert process.returncode == 0, process.stderr
    path = make_zip(data, tmp_path / "all.zip")
    seg = data / "keras_png_slices_seg_test" / "seg_441_slice_7.nii.png"
    process = oasis_gan(
        "run", path, seg, "--model", "m", "--out", "out", "--spacing", "1,1,4", cwd=tmp_path
    )
    assert process.returncode == 0, process.stderr
    names = ["case_001", "case_002", "case_402", "case_441", "seg_441_slice_7"]
    assert process.stdout.split() == [f"out/{name}_synthimage.nii.gz" for name in names]
    for line in process.stdout.split():
        assert is_nifti_name(Path(line))
        picture = itk.ReadImage(str(tmp_path / line))
        assert picture.GetSpacing() == (1, 1, 4)
        assert picture.GetSize() == (COLUMNS, ROWS, 1 if "slice" in line else 12)
    made = itk.GetArrayFromImage(itk.ReadImage(str(tmp_path / "out/case_001_synthimage.nii.gz")))
    for number in range(12):
        assert not made[number, ::-1][label_slice(1, number) == 0].any()
    record = json.loads((tmp_path / "out/seg_441_slice_7_synthimage.json").read_text())
    assert "assumed" in record["notes"][0]


def test_slices_become_slices(data: Path, tmp_path: Path, paint: Painting) -> None:
    """A model that needs no training translates a folder into a zip."""
    seg = data / "keras_png_slices_seg_test"
    process = paint(seg, "--exporter", "oasis-png")
    assert process.stdout.split() == ["out/case_441_synthT1w.zip"], process.stderr
    voxels = list_subjects(tmp_path / "out/case_441_synthT1w.zip")["case_441"].source.read().voxels
    np.testing.assert_array_equal(
        voxels[:, ::-1, 5].T, np.array([0, 102, 187, 255])[label_slice(441, 5)]
    )
    record = json.loads((tmp_path / "out/case_441_synthT1w.json").read_text())
    assert len(record["source"]["parts"]) == 11
    save_png(seg / "seg_441_slice_8.nii.png", label_slice(7, 7) * np.uint8(85))
    process = paint(seg, "--exporter", "oasis-png")
    assert "one with another source" in process.stderr
