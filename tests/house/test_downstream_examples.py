"""The examples that compare an analysis of a synthetic volume with one of the real scan."""

from __future__ import annotations

import csv
import importlib.util
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from kit.places import EXAMPLES
from PIL import Image

DOWNSTREAM = EXAMPLES / "downstream"
SIMPLEITK = "bspline_simpleitk"
EXTRA = {"bspline_elastix": "itk", "ants_syn_atropos": "ants"}
NAMES = [
    SIMPLEITK,
    *(pytest.param(name, marks=pytest.mark.downstream) for name in EXTRA),
]
PAINT = np.array([0, 300, 550, 750], np.float32)
Head = tuple[Path, Path, Path]


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Head:
    """Save a painted output, a tissue map and a scan of the sample head, on voxels of 4 mm."""
    folder = tmp_path_factory.mktemp("head")
    coarse = [
        nib.Nifti1Image.from_filename(EXAMPLES / name).slicer[::4, ::4, ::4]
        for name in ("mni152_seg.nii.gz", "mni152_t1.nii.gz")
    ]
    seg = folder / "seg.nii.gz"
    real = folder / "t1.nii.gz"
    nib.save(coarse[0], seg)
    nib.save(coarse[1], real)
    labels = np.asarray(coarse[0].dataobj).astype(int)
    # Atropos cannot model a tissue of one grey alone.
    noise = np.random.default_rng(0).normal(0, 20, labels.shape)
    painted = np.where(labels > 0, PAINT[labels] + noise, 0).astype(np.float32)
    output = folder / "seg_synthT1w.nii.gz"
    nib.save(nib.Nifti1Image(painted, coarse[0].affine), output)
    return output, seg, real


def run(name: str, *words: object) -> subprocess.CompletedProcess[str]:
    package = EXTRA.get(name)
    if package is not None and importlib.util.find_spec(package) is None:
        pytest.skip("needs pip install 'oasis-gan[downstream]'")
    command = [sys.executable, str(DOWNSTREAM / f"{name}.py"), *map(str, words)]
    folder = Path(str(words[-1])).parent
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=600, check=False
    )


def read_table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.mark.parametrize("name", NAMES)
def test_voxels_of_the_same_head_hardly_move(name: str, head: Head, tmp_path: Path) -> None:
    done = run(name, *head, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    rows = read_table(tmp_path / "out" / "displacement.tsv")
    assert {row["image"] for row in rows} == {"noisy real", "synthetic"}
    assert {row["region"] for row in rows} == {"brain", "CSF", "GM", "WM"}
    for row in rows:
        assert 0 <= float(row["median_mm"]) < 1.5, row
        assert row["p95_mm"] in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    with Image.open(tmp_path / "out" / "displacement.png") as figure:
        assert figure.width > 2 * figure.height


@pytest.mark.parametrize("name", NAMES)
def test_a_displacement_that_is_there_is_found(name: str, head: Head, tmp_path: Path) -> None:
    output, seg, real = head
    image = nib.Nifti1Image.from_filename(output)
    shifted = np.roll(np.asarray(image.dataobj), 1, axis=1)
    nib.save(nib.Nifti1Image(shifted, image.affine), tmp_path / "shifted.nii.gz")
    done = run(name, tmp_path / "shifted.nii.gz", seg, real, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    (row,) = (
        row
        for row in read_table(tmp_path / "out" / "displacement.tsv")
        if (row["image"], row["region"]) == ("synthetic", "brain")
    )
    # A voxel of 4 mm.
    assert float(row["median_mm"]) == pytest.approx(4, abs=1)


@pytest.mark.downstream
def test_atropos_segments_both_scans(head: Head, tmp_path: Path) -> None:
    done = run("ants_syn_atropos", *head, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    rows = read_table(tmp_path / "out" / "volumes.tsv")
    assert [row["tissue"] for row in rows] == ["CSF", "GM", "WM"]
    # What is painted is segmented as it was painted.
    for row in rows:
        assert float(row["synthetic_ml"]) == pytest.approx(float(row["labels_ml"]), rel=0.05)


def test_a_scan_on_another_grid_is_refused_in_one_line(head: Head, tmp_path: Path) -> None:
    output, seg, real = head
    image = nib.Nifti1Image.from_filename(real)
    moved = image.affine.copy()
    moved[0, 3] += 5
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj), moved), tmp_path / "moved.nii.gz")
    done = run(SIMPLEITK, output, seg, tmp_path / "moved.nii.gz", "--out", tmp_path / "out")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "moved.nii.gz: expected voxels in the same places" in line
