"""A model of the registry segments each output, and the real scan, without a file in between."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from kit.desk import make_head
from kit.thirds import THIRDS
from kit.tool import Painting, oasis_gan

NAMES = ("sub-01", "sub-02")
OPTIONS = ("--labels", "heads", "--source-suffix", "_seg.nii.gz", "--plugin", "thirds.py")


@pytest.fixture
def made(tmp_path: Path, paint: Painting, paint_plugin: Path) -> Path:
    """Return a folder with two label maps, their scans, and the translations in ``out``."""
    heads = tmp_path / "heads"
    heads.mkdir()
    for seed, name in enumerate(NAMES):
        labels = make_head(seed)[0]
        nib.save(nib.Nifti1Image(labels, np.eye(4)), heads / f"{name}_seg.nii.gz")
        scan = np.array([0, 200, 550, 750], np.float32)[labels]
        # A slice of the scan that the segmenter takes for something else.
        scan[:, :, 15] = np.where(labels[:, :, 15] == 2, 750, scan[:, :, 15])
        nib.save(nib.Nifti1Image(scan, np.eye(4)), heads / f"{name}_t1.nii.gz")
    done = paint("heads", "--source-suffix", "_seg.nii.gz")
    assert done.returncode == 0, done.stderr
    (tmp_path / "thirds.py").write_text(THIRDS)
    shutil.copy(paint_plugin, tmp_path / "paint.py")
    return tmp_path


def evaluate(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return oasis_gan("evaluate", "out", *OPTIONS, *words, cwd=folder)


def read_rows(done: subprocess.CompletedProcess[str]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(done.stdout), dialect="excel-tab"))


def test_a_model_segments_each_output_and_is_named(made: Path) -> None:
    done = evaluate(made, "--segmenter", "thirds", "--format", "json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout, parse_constant=pytest.fail)
    assert document["settings"]["segmenter"] == "thirds 2"
    for subject in document["subjects"]:
        assert subject["tissues"]["GM"]["faithfulness"]["dice"] == 1
        assert subject["structures"] == {}


def test_output_and_real_scan_are_compared_structure_by_structure(made: Path) -> None:
    against = ("--against", "heads", "--target-suffix", "_t1.nii.gz")
    done = evaluate(made, "--segmenter", "thirds", *against, "--format", "tsv")
    assert done.returncode == 0, done.stderr
    thalamus = next(row for row in read_rows(done) if row["tissue"] == "Thalamus")
    # The real scan has lost a slice of it.
    assert 0.9 < float(thalamus["agreement_dice"]) < 1
    assert float(thalamus["agreement_volume_bias_ml"]) > 0
    assert thalamus["faithfulness_dice"] == "n/a"
    matter = next(row for row in read_rows(done) if row["tissue"] == "GM")
    assert float(matter["ceiling_dice"]) < float(matter["faithfulness_dice"]) == 1


def test_tables_of_a_cohort_have_a_row_for_each_structure(made: Path) -> None:
    against = ("--against", "heads", "--target-suffix", "_t1.nii.gz")
    done = evaluate(made, "--segmenter", "thirds", *against)
    assert done.returncode == 0, done.stderr
    _, structures = done.stdout.split("output against the real scan, both segmented")[-2:]
    assert "Lateral-Ventricle" in structures


def test_a_single_output_has_a_table_of_structures(made: Path) -> None:
    words = ("--segmenter", "thirds", "--plugin", "thirds.py")
    done = oasis_gan(
        "evaluate",
        "out/sub-01_synthT1w.nii.gz",
        "--against",
        "heads/sub-01_t1.nii.gz",
        *words,
        cwd=made,
    )
    assert done.returncode == 0, done.stderr
    assert "Thalamus" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--segmenter", "paint", "--plugin", "paint.py"), "one that makes an MRI"),
        (("--segmenter", "no-such-model"), "no-such-model"),
        (("--segmenter", "thirds", "--segment", "x {input} {output}"), "one segmentation"),
    ],
    ids=["makes an MRI", "unknown", "two segmenters"],
)
def test_a_model_that_cannot_segment_is_one_line(
    made: Path, words: tuple[str, ...], said: str
) -> None:
    done = evaluate(made, *words)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert said in line


def test_segmentations_in_a_folder_are_found_and_a_missing_one_does_not_stop_the_others(
    made: Path,
) -> None:
    (made / "segs").mkdir()
    image = nib.Nifti1Image(make_head(0)[0], np.eye(4))
    nib.save(image, made / "segs" / "sub-01_synthT1w_dseg.nii.gz")
    words = ("--segmentation", "segs", "--segmentation-set", "oasis")
    done = evaluate(made, *words, "--format", "tsv")
    assert done.returncode == 1, done.stderr
    assert {row["subject"] for row in read_rows(done)} == {"sub-01"}, done.stderr
    assert {row["faithfulness_dice"] for row in read_rows(done)} == {"1"}
    (line,) = [line for line in done.stderr.splitlines() if "failed" in line]
    assert "sub-02" in line
    assert "--segmentation-suffix" in line


def test_a_segmentation_on_another_grid_is_one_line(made: Path) -> None:
    (made / "segs").mkdir()
    image = nib.Nifti1Image(make_head(0)[0], np.diag([2.0, 2, 2, 1]))
    nib.save(image, made / "segs" / "sub-01_synthT1w.nii.gz")
    done = evaluate(made, "--segmentation", "segs", "--format", "tsv")
    assert done.returncode == 1
    assert "corner" in done.stderr
    assert "Traceback" not in done.stderr
