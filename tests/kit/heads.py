"""Small heads of noise on the disk, and what a folder holds."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np

PAIRS = ("--source-suffix", "_seg.nii.gz", "--target-suffix", "_t1.nii.gz")
Files = dict[str, bytes]


def save_head(folder: Path, name: str, seed: int) -> None:
    """Write a small head, label map and image."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((20, 22, 18), np.uint8)
    labels[2:-2, 2:-2, 2:-2] = rng.integers(1, 4, (16, 18, 14))
    greys = np.array([0, 20, 45, 70])[labels]
    image = (greys + rng.normal(0, 1, labels.shape) * (labels > 0)).astype(np.float32)
    nib.save(nib.Nifti1Image(labels, np.eye(4)), folder / f"{name}_seg.nii.gz")
    nib.save(nib.Nifti1Image(image, np.eye(4)), folder / f"{name}_t1.nii.gz")


def files(folder: Path) -> Files:
    """Return the content of all files in a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
