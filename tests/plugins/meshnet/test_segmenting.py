"""`run` makes a label map of a T1w: integers on its own grid, and a table of what they mean."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from kit.meshnet import LABELS, make_weights, save_model
from kit.tool import oasis_gan
from numpy.typing import NDArray

SHAPE = (20, 18, 16)
AFFINE = np.array([[-1.0, 0, 0, 9], [0, 1, 0, -8], [0, 0, 1, 3], [0, 0, 0, 1]])
NO_HEADS = {
    "empty": "expected some non-zero voxels, found none",
    "thin": "expected voxels of 0.05 to 20 mm, found",
    "giant": "expected a head of at most 33.6 litres, found",
}


def make_scan() -> NDArray[np.float32]:
    voxels = np.zeros(SHAPE, np.float32)
    voxels[2:-3, 3:-2, 2:-2] = np.random.default_rng(0).uniform(100, 900, (15, 13, 12))
    return voxels


def save(path: Path, voxels: NDArray[Any], affine: NDArray[Any] = AFFINE) -> None:
    nib.save(nib.Nifti1Image(voxels, affine), path)


def run(
    folder: Path,
    out: str,
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    words = ("run", "scans", "--model", "model", "--out", out)
    return oasis_gan(*words, cwd=folder, env={**os.environ, **environment})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with scans that can be segmented, some that cannot, and a small model."""
    folder = tmp_path_factory.mktemp("segmenting")
    scans = folder / "scans"
    scans.mkdir()
    scan = make_scan()
    save(scans / "straight.nii.gz", scan)
    turned_affine = AFFINE[:, [2, 0, 1, 3]].copy()
    turned_affine[:3, 3] += (SHAPE[0] - 1) * turned_affine[:3, 1]
    turned_affine[:3, 1] *= -1
    save(scans / "turned.nii.gz", np.transpose(scan, (2, 0, 1))[:, ::-1], turned_affine)
    save(scans / "coarse.nii.gz", scan, AFFINE @ np.diag([1.7, 0.8, 2.2, 1]))
    save(scans / "flat.nii.gz", scan[:, :, 8:9])
    save(scans / "empty.nii.gz", np.zeros(SHAPE, np.float32))
    save(scans / "thin.nii.gz", scan, AFFINE @ np.diag([1, 1, 0.001, 1]))
    save(scans / "giant.nii.gz", np.ones((60, 60, 60), np.uint8), np.diag([9, 9, 9, 1]))
    save_model(folder / "model", make_weights())
    return folder


@pytest.fixture(scope="module")
def done(folder: Path) -> subprocess.CompletedProcess[str]:
    """Return what became of them."""
    return run(folder, "out")


def read_output(folder: Path, name: str, out: str = "out") -> nib.Nifti1Image:
    return nib.Nifti1Image.from_filename(folder / out / f"{name}_synthdseg.nii.gz")


def labels_of(folder: Path, name: str, out: str = "out") -> NDArray[Any]:
    return np.asanyarray(read_output(folder, name, out).dataobj)


@pytest.mark.parametrize("name", ["straight", "turned", "coarse", "flat"])
def test_labels_are_integers_on_the_grid_of_the_scan(
    name: str,
    folder: Path,
    done: subprocess.CompletedProcess[str],
) -> None:
    source = nib.Nifti1Image.from_filename(folder / "scans" / f"{name}.nii.gz")
    output = read_output(folder, name)
    assert output.get_data_dtype() == np.uint8
    assert output.shape == source.shape
    np.testing.assert_array_equal(output.affine, source.affine)
    labels = labels_of(folder, name)
    assert len(np.unique(labels)) > 1
    assert labels.max() < len(LABELS)


def test_a_table_beside_each_output_says_what_the_values_mean(
    folder: Path,
    done: subprocess.CompletedProcess[str],
) -> None:
    table = (folder / "out" / "straight_synthdseg.tsv").read_text().splitlines()
    assert table == ["index\tname", *(f"{value}\t{name}" for value, name in enumerate(LABELS))]


def test_the_sidecar_says_how_it_was_computed(
    folder: Path,
    done: subprocess.CompletedProcess[str],
) -> None:
    sidecar = json.loads((folder / "out" / "straight_synthdseg.json").read_text())
    assert sidecar["precision"] == "float32"
    assert set(sidecar["computation"]["software"]) == {"tensorflow", "keras"}


def test_another_order_of_axes_changes_no_label(
    folder: Path,
    done: subprocess.CompletedProcess[str],
) -> None:
    straight = labels_of(folder, "straight")
    turned = labels_of(folder, "turned")
    np.testing.assert_array_equal(turned, np.transpose(straight, (2, 0, 1))[:, ::-1])


@pytest.mark.parametrize("name", NO_HEADS)
def test_a_scan_that_is_no_head_fails_in_one_line_that_names_it(
    name: str,
    folder: Path,
    done: subprocess.CompletedProcess[str],
) -> None:
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if NO_HEADS[name] in line]
    assert f"{name}.nii.gz: expected" in line
    assert "Traceback" not in done.stderr
    assert not list((folder / "out").glob(f"{name}*"))


def test_without_onednn_labels_are_the_same(
    folder: Path,
    done: subprocess.CompletedProcess[str],
) -> None:
    run(folder, "plain", TF_ENABLE_ONEDNN_OPTS="0")
    for name in ("straight", "coarse"):
        plain = labels_of(folder, name, "plain")
        # Where two labels are equally likely, rounding decides.
        assert np.count_nonzero(plain != labels_of(folder, name)) <= 1e-3 * plain.size
