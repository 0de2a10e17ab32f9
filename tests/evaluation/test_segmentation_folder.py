"""Segmentations in a folder are found by the names of their outputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from oasis_gan import OasisGanError
from oasis_gan.evaluation.outputs import Output
from oasis_gan.evaluation.segmentation_files import SegmentationFolder

OUTPUT = Output("sub-01", Path("out/sub-01_synthT1w.nii.gz"))


def make_files(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


@pytest.mark.parametrize(
    "name",
    [
        "sub-01_synthT1w.nii.gz",
        "sub-01_synthT1w.mgz",
        "sub-01_synthT1w_dseg.nii.gz",
        "below/sub-01_synthT1w_seg.nii",
        "SUB-01_synthT1w_seg.nii.gz",
    ],
)
def test_the_name_of_the_output_begins_that_of_its_segmentation(tmp_path: Path, name: str) -> None:
    make_files(tmp_path, name, "sub-011_synthT1w.nii.gz", "sub-02_synthT1w.nii.gz", "notes.txt")
    assert SegmentationFolder(tmp_path, "").find(OUTPUT) == tmp_path / name


def test_a_suffix_tells_the_segmentation_from_other_files_of_a_segmenter(tmp_path: Path) -> None:
    make_files(tmp_path, "sub-01_synthT1w_pve_0.nii.gz", "sub-01_synthT1w_seg.nii.gz")
    with pytest.raises(OasisGanError, match="pve_0"):
        SegmentationFolder(tmp_path, "").find(OUTPUT)
    found = SegmentationFolder(tmp_path, "_seg.nii.gz").find(OUTPUT)
    assert found == tmp_path / "sub-01_synthT1w_seg.nii.gz"


def test_an_output_is_not_its_own_segmentation(tmp_path: Path) -> None:
    output = Output("sub-01", tmp_path / "sub-01_synthT1w.nii.gz")
    make_files(tmp_path, output.path.name)
    with pytest.raises(OasisGanError, match="none"):
        SegmentationFolder(tmp_path, "").find(output)


def test_a_missing_segmentation_names_the_output_and_the_folder(tmp_path: Path) -> None:
    make_files(tmp_path, "sub-02_synthT1w.nii.gz")
    with pytest.raises(OasisGanError, match=str(tmp_path)) as caught:
        SegmentationFolder(tmp_path, "").find(OUTPUT)
    assert str(caught.value).startswith(str(OUTPUT.path))
