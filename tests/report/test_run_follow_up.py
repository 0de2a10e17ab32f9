"""What ``oasis-gan run`` adds to each output: a preview, a page, and what goes with a real scan."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from kit.desk import make_head
from kit.thirds import THIRDS
from kit.tool import Painting, oasis_gan
from PIL import Image

NAMES = ("sub-01", "sub-02")
EVALUATE = ("--evaluate", "--segmenter", "thirds", "--plugin", "thirds.py")


@pytest.fixture
def heads(tmp_path: Path) -> Path:
    """Return a folder with two label maps, and a segmenter beside it."""
    heads = tmp_path / "heads"
    heads.mkdir()
    for seed, name in enumerate(NAMES):
        nib.save(nib.Nifti1Image(make_head(seed)[0], np.eye(4)), heads / f"{name}.nii.gz")
    (tmp_path / "thirds.py").write_text(THIRDS)
    return heads


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Return a BIDS dataset with a label map and the real scan of one participant."""
    anat = tmp_path / "ds" / "sub-01" / "anat"
    anat.mkdir(parents=True)
    (tmp_path / "ds" / "dataset_description.json").write_text(
        json.dumps({"Name": "heads", "BIDSVersion": "1.8.0"})
    )
    labels, scan = make_head(0)
    nib.save(nib.Nifti1Image(labels, np.eye(4)), anat / "sub-01_dseg.nii.gz")
    nib.save(nib.Nifti1Image(scan, np.eye(4)), anat / "sub-01_T1w.nii.gz")
    (tmp_path / "ds" / "dseg.tsv").write_text("index\tname\n1\tCSF\n2\tGM\n3\tWM\n")
    (tmp_path / "thirds.py").write_text(THIRDS)
    return tmp_path / "ds"


def height_of(path: Path) -> int:
    with Image.open(path) as picture:
        return picture.height


def test_each_output_has_a_preview_that_says_it_is_synthetic(heads: Path, paint: Painting) -> None:
    done = paint("heads", "--preview")
    assert done.returncode == 0, done.stderr
    for name in NAMES:
        with Image.open(heads.parent / "out" / f"{name}_synthT1w.png") as picture:
            assert picture.info["Description"] == "oasis-gan synthetic"
            assert np.asarray(picture.convert("L")).std() > 10
    assert len(done.stdout.split()) == len(NAMES)


def test_a_resumed_run_draws_only_what_is_missing(heads: Path, paint: Painting) -> None:
    paint("heads", "--preview")
    out = heads.parent / "out"
    (out / "sub-01_synthT1w.png").unlink()
    before = (out / "sub-02_synthT1w.png").stat().st_mtime_ns
    done = paint("heads", "--preview")
    assert done.returncode == 0, done.stderr
    assert (out / "sub-01_synthT1w.png").exists()
    assert (out / "sub-02_synthT1w.png").stat().st_mtime_ns == before


def test_a_replaced_output_keeps_no_picture_of_the_old_one(heads: Path, paint: Painting) -> None:
    paint("heads", "--preview", "--report")
    out = heads.parent / "out"
    (out / "sub-02_synthT1w.html").write_text("a page of somebody else's")
    done = paint("heads", "--overwrite")
    assert done.returncode == 0, done.stderr
    assert not (out / "sub-01_synthT1w.png").exists()
    assert not (out / "sub-01_synthT1w.html").exists()
    assert (out / "sub-02_synthT1w.html").exists()


@pytest.mark.parametrize("flag", ["--evaluate", "--preview", "--report"])
def test_a_format_that_is_not_read_back_is_refused_before_anything_is_made(
    heads: Path, paint: Painting, flag: str
) -> None:
    done = paint("heads", "--exporter", "oasis-png", flag)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"oasis-gan: {flag}: expected outputs in a format that can be read back")
    assert "found --exporter oasis-png" in line
    assert not (heads.parent / "out").exists()


@pytest.mark.parametrize(("exporter", "ending"), [("nrrd", ".nrrd"), ("metaimage", ".mha")])
def test_outputs_for_itk_are_read_back(
    heads: Path, paint: Painting, exporter: str, ending: str
) -> None:
    done = paint("heads", "--exporter", exporter, "--preview", "--report", *EVALUATE)
    assert done.returncode == 0, done.stderr
    out = heads.parent / "out"
    for name in NAMES:
        for kind in (ending, ".json", ".png", ".html"):
            assert (out / f"{name}_synthT1w{kind}").exists()
    listed = oasis_gan("evaluate", "out", "--against", "heads", "--format", "tsv", cwd=heads.parent)
    assert listed.returncode == 0, listed.stderr


def test_a_picture_of_somebody_elses_is_kept_and_the_others_are_drawn(
    heads: Path, paint: Painting
) -> None:
    paint("heads")
    out = heads.parent / "out"
    Image.new("RGB", (4, 4)).save(out / "sub-01_synthT1w.png")
    done = paint("heads", "--preview")
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if "not evaluated" in line]
    assert "sub-01_synthT1w.png: expected no file, or a preview of oasis-gan" in line
    assert height_of(out / "sub-01_synthT1w.png") == 4
    assert (out / "sub-02_synthT1w.png").exists()


def test_a_preview_shows_the_real_scan_that_a_dataset_has(dataset: Path, paint: Painting) -> None:
    assert paint("ds", "--preview").returncode == 0
    (preview,) = (dataset.parent / "out").glob("*.png")
    with_real = height_of(preview)
    (dataset / "sub-01" / "anat" / "sub-01_T1w.nii.gz").unlink()
    preview.unlink()
    assert paint("ds", "--preview").returncode == 0
    assert height_of(preview) < with_real


def test_a_preview_of_a_segmentation_has_a_colour_for_each_label(dataset: Path) -> None:
    # The segmenter cuts at 100, 425 and 650.
    bright = nib.Nifti1Image(make_head(0)[1] * 5, np.eye(4))
    nib.save(bright, dataset / "sub-01" / "anat" / "sub-01_T1w.nii.gz")
    words = ("run", "ds/sub-01/anat/sub-01_T1w.nii.gz", "--model", "thirds", "--out", "out")
    done = oasis_gan(*words, "--plugin", "thirds.py", "--preview", cwd=dataset.parent)
    assert done.returncode == 0, done.stderr
    (preview,) = (dataset.parent / "out").glob("*.png")
    with Image.open(preview) as picture:
        pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3).astype(int)
    saturated = pixels[np.ptp(pixels, axis=1) > 60]
    assert len(np.unique(saturated, axis=0)) >= 3


def test_a_run_makes_pages_and_an_index(heads: Path, paint: Painting) -> None:
    done = paint("heads", "--report", *EVALUATE)
    assert done.returncode == 0, done.stderr
    assert "report: out/index.html" in done.stderr
    out = heads.parent / "out"
    index = (out / "index.html").read_text("utf-8")
    for name in NAMES:
        page = (out / f"{name}_synthT1w.html").read_text("utf-8")
        assert "Dice, segmented again" in page
        assert f"{name}_synthT1w.html" in index
    assert (out / "evaluation.tsv").exists()


def test_a_page_shows_the_uncertainty_that_lies_beside_an_output(
    heads: Path, paint: Painting
) -> None:
    paint("heads/sub-01.nii.gz")
    out = heads.parent / "out"
    deviation = nib.Nifti1Image(make_head(0)[1] / 100, np.eye(4))
    nib.save(deviation, out / "sub-01_desc-synthT1w_stdmap.nii.gz")
    said = {"synthetic": True, "map": "uncertainty", "of": "sub-01_synthT1w.nii.gz"}
    (out / "sub-01_desc-synthT1w_stdmap.json").write_text(json.dumps(said))
    done = oasis_gan("report", "out", cwd=heads.parent)
    assert done.returncode == 0, done.stderr
    assert 'id="layer-uncertainty"' in (out / "sub-01_synthT1w.html").read_text("utf-8")


def test_a_page_of_label_maps_is_refused_before_anything_is_made(dataset: Path) -> None:
    words = ("run", "ds/sub-01/anat/sub-01_T1w.nii.gz", "--model", "thirds", "--out", "out")
    done = oasis_gan(*words, "--plugin", "thirds.py", "--report", cwd=dataset.parent)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("oasis-gan: --report: expected a model that makes an MRI")
    assert not (dataset.parent / "out").exists()


def test_a_certificate_compares_with_the_real_scan_that_a_dataset_has(
    dataset: Path, paint: Painting
) -> None:
    done = paint("ds", *EVALUATE)
    assert done.returncode == 0, done.stderr
    (sidecar,) = (dataset.parent / "out").glob("*_synthT1w.json")
    certificate = json.loads(sidecar.read_text())["evaluation"]
    assert certificate["tissues"]["GM"]["raw"]["ssim"] is not None


def test_a_real_scan_on_another_grid_is_a_note_in_the_certificate(
    dataset: Path, paint: Painting
) -> None:
    scan = nib.Nifti1Image(make_head(0)[1][:-2], np.eye(4))
    nib.save(scan, dataset / "sub-01" / "anat" / "sub-01_T1w.nii.gz")
    done = paint("ds", *EVALUATE)
    assert done.returncode == 0, done.stderr
    (sidecar,) = (dataset.parent / "out").glob("*_synthT1w.json")
    certificate = json.loads(sidecar.read_text())["evaluation"]
    assert any("not compared with the real scan" in note for note in certificate["notes"])
