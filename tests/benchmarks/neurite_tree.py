"""Make a small stand-in for the Neurite OASIS release, with its layout and the names of its files.

    python tests/benchmarks/neurite_tree.py DIR [--subjects N]

Each head is a ball of shells, which are divided into the structures of ``seg35``.
"""

from __future__ import annotations

from pathlib import Path

import click
import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from oasis_gan import NEURITE_SEG35

SHAPE = (40, 48, 44)
"""Of the common space; in the release it is 160 x 192 x 224."""
LIA = np.array([[-1.0, 0, 0, 20], [0, 0, 1, -22], [0, -1, 0, 24], [0, 0, 0, 1]])
_GREYS = {"White-Matter": 0.7, "Ventricle": 0.2, "Vent": 0.2, "CSF": 0.2, "Brain-Stem": 0.65}
_GREY_MATTER = 0.5
Labels = NDArray[np.uint8]


def make_tree(root: Path, subjects: int) -> list[str]:
    """Save heads of noise, each with a seed of its own, and return the names of their folders."""
    names = [f"OASIS_OAS1_{number:04}_MR1" for number in range(1, subjects + 1)]
    root.mkdir(parents=True)
    (root / "subjects.txt").write_text("\n".join(names) + "\n")
    for seed, name in enumerate(names):
        save_head(root / name, seed)
    return names


def save_head(folder: Path, seed: int) -> None:
    """Save a head as scanned and in the common space."""
    folder.mkdir()
    rng = np.random.default_rng(seed)
    seg35 = make_structures(rng)
    grain = rng.normal(0, 0.02, SHAPE)
    norm = np.where(seg35 > 0, paint(seg35) + grain, 0).clip(0, 1).astype(np.float32)
    seg4 = np.where(seg35 > 0, 1 + seg35 % 4, 0).astype(np.uint8)
    images = {"seg35": seg35, "seg4": seg4, "norm": norm, "orig": norm + np.float32(0.1)}
    for space in ("", "aligned_"):
        for image, voxels in images.items():
            nib.save(nib.Nifti1Image(voxels, LIA), folder / f"{space}{image}.nii.gz")


def make_structures(rng: np.random.Generator) -> Labels:
    """Return a ball that holds every structure of ``seg35``."""
    middle = np.array(SHAPE).reshape(3, 1, 1, 1) / 2
    place = np.indices(SHAPE) - middle
    radius = np.sqrt((place**2).sum(axis=0)) + rng.normal(0, 0.3, SHAPE)
    around = np.arctan2(place[0], place[1]) / np.pi
    sector = np.floor((around + 1) * 3.5).clip(0, 6)
    shell = np.floor(radius / 4)
    value = 1 + (shell * 7 + sector) % NEURITE_SEG35.channels
    return np.where(radius < 18, value, 0).astype(np.uint8)


def paint(labels: Labels) -> NDArray[np.float64]:
    """Return an image in which each structure has a grey of its own."""
    greys = np.zeros(NEURITE_SEG35.channels + 1)
    for value, name in NEURITE_SEG35.names.items():
        tissue = [grey for word, grey in _GREYS.items() if name.endswith(word)]
        greys[value] = (tissue or [_GREY_MATTER])[0] + value / 500
    return greys[labels]


@click.command()
@click.argument("root", type=click.Path(path_type=Path))
@click.option("--subjects", default=10, show_default=True, help="Make this many heads.")
def main(root: Path, subjects: int) -> None:
    """Make the tree in a new folder ROOT."""
    make_tree(root, subjects)


if __name__ == "__main__":
    main()
