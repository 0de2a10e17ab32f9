"""A folder with small stand-ins for what the documentation names lets its commands run as printed.

What a page calls ``heads`` or ``scan_brain.nii.gz`` is there under that name. Heads are small and
made of noise: tests hold that a command does what the page says, not how well.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK
from numpy.typing import NDArray

from kit.dicom_files import save_series
from kit.places import ROOT
from kit.tool import TINY, oasis_gan

SUBJECTS = ("sub-01", "sub-02", "sub-07")
SHAPE = (32, 36, 30)
_AFFINE = np.diag([-1.0, 1.0, 1.0, 1.0])
_BIDS = {
    "Name": "Label maps",
    "BIDSVersion": "1.8.0",
    "DatasetType": "derivative",
    "GeneratedBy": [{"Name": "test"}],
}
_TISSUES = "index\tname\n1\tCSF\n2\tGM\n3\tWM\n"


def make_desk(folder: Path) -> Path:
    """Make everything that the pages name in ``folder``, and return it.

    The checkout itself is there too as far as commands name it: ``examples``, and ``.venv`` with
    these tests' Python.
    """
    folder.mkdir(parents=True)
    _make_heads(folder)
    _make_derivatives(folder / "derivatives")
    _make_map_with_a_table(folder)
    (folder / "recipe.toml").write_text(TINY)
    _save_arrays(folder)
    _save_other_formats(folder)
    shutil.copytree(
        ROOT / "examples",
        folder / "examples",
        ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"),
    )
    (folder / ".venv").mkdir()
    (folder / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    _train(folder / "my-model", cwd=folder)
    return folder


def environment() -> dict[str, str]:
    """Return the environment of somebody who has the tool installed."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "COLUMNS": "80"}


def make_head(seed: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return the tissues of a head and its scan without a skull."""
    rng = np.random.default_rng(seed)
    middle = (np.array(SHAPE) - 1) / 2
    distance = np.linalg.norm((np.indices(SHAPE).T - middle) / (0.45 * np.array(SHAPE)), axis=-1).T
    # Blocks of two voxels, so that one head does not look like another.
    blocks = rng.integers(1, 4, [-(-size // 2) for size in SHAPE])
    tissues = np.kron(blocks, np.ones((2, 2, 2), int))[tuple(slice(size) for size in SHAPE)]
    labels = np.where(distance < 1, tissues, 0).astype(np.uint8)
    noise = rng.normal(0, 2, SHAPE)
    scan = np.where(labels > 0, np.array([0, 60, 110, 160])[labels] + noise, 0).astype(np.float32)
    return labels, scan


def _save(voxels: NDArray[np.uint8] | NDArray[np.float32], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(voxels, _AFFINE), path)


def _make_heads(folder: Path) -> None:
    """Save heads in one folder by their suffixes, and in two folders under one name."""
    for seed, name in enumerate(SUBJECTS):
        labels, scan = make_head(seed)
        _save(labels, folder / "heads" / f"{name}_seg.nii.gz")
        _save(scan, folder / "heads" / f"{name}_t1.nii.gz")
        _save(labels, folder / "labels" / f"{name}.nii.gz")
        _save(scan, folder / "images" / f"{name}.nii.gz")
    shutil.copy(folder / "heads" / "sub-01_seg.nii.gz", folder)
    shutil.copy(folder / "heads" / "sub-01_seg.nii.gz", folder / "sub-01_fast_seg.nii.gz")
    shutil.copy(folder / "heads" / "sub-02_t1.nii.gz", folder / "scan_brain.nii.gz")


def _make_derivatives(folder: Path) -> None:
    """Save label maps as BIDS has them, with the table that says what their values mean."""
    for seed, name in enumerate(SUBJECTS[:2]):
        _save(make_head(seed)[0], folder / name / "anat" / f"{name}_dseg.nii.gz")
    (folder / "dataset_description.json").write_text(json.dumps(_BIDS))
    (folder / "dseg.tsv").write_text(_TISSUES)


def _make_map_with_a_table(folder: Path) -> None:
    """Save a label map, and the table of labels that the page on them shows."""
    _save(make_head(0)[0], folder / "map.nii.gz")
    page = (ROOT / "docs" / "labels.md").read_text("utf-8")
    (table,) = re.findall(r"^```tsv\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (folder / "my-labels.tsv").write_text(table)


def _save_arrays(folder: Path) -> None:
    """Save what the readers of the examples read."""
    labels = make_head(0)[0]
    np.save(folder / "brain.npy", labels)
    np.save(folder / "scan.npy", labels)
    np.savez(folder / "brain.npz", voxels=labels, affine=_AFFINE)


def _save_other_formats(folder: Path) -> None:
    """Save a head as NRRD, MetaImage and DICOM."""
    heads = folder / "heads"
    SimpleITK.WriteImage(SimpleITK.ReadImage(heads / "sub-01_seg.nii.gz"), folder / "seg.nrrd")
    SimpleITK.WriteImage(SimpleITK.ReadImage(heads / "sub-01_t1.nii.gz"), folder / "scan.mha")
    shutil.copy(heads / "sub-01_seg.nii.gz", folder / "seg.nii.gz")
    scan = make_head(0)[1]
    save_series(folder / "scans" / "t1", scan.astype(np.int16))


def _train(model: Path, cwd: Path) -> None:
    done = oasis_gan(
        "train",
        "labels",
        "--target",
        "images",
        "--recipe",
        "recipe.toml",
        "--out",
        model.name,
        cwd=cwd,
    )
    assert done.returncode == 0, done.stderr
