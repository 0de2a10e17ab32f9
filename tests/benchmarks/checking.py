"""Measure what the checks of `oasis-gan check` find on real heads, and what they let pass.

    python tests/benchmarks/checking.py HEADS

HEADS holds a folder for each head with ``seg.nii.gz`` (0 background, 1 CSF, 2 GM, 3 WM),
``t1.nii.gz``, and maybe ``t2.nii.gz`` and ``pd.nii.gz``. Printed is, for each MRI, how much of its
variance the labels explain; how many of 12 shifts (one and two voxels, either way, along each axis)
are found to the voxel, and the smallest gain among them, to be compared with the threshold; then
the similarity of every two heads, and of each with itself after what happens to copies.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
from nibabel import eulerangles

from oasis_gan import Geometry, Volume, read_nifti
from oasis_gan.checks.alignment import GAIN, Alignment, Shift, align, judge
from oasis_gan.checks.findings import Verdict
from oasis_gan.checks.similarity import SAME_HEAD, Fingerprint, compute_similarity, make_fingerprint
from oasis_gan.image.volume import Voxels


@click.command()
@click.argument("heads", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(heads: Path) -> None:
    """Measure the checks on the pairs in HEADS."""
    print(
        "head and MRI                explained  accepted  shifts found  "
        f"smallest gain (> {GAIN})  mirrored"
    )
    for folder in sorted(path for path in heads.iterdir() if path.is_dir()):
        labels = read_nifti(folder / "seg.nii.gz").voxels.astype(np.int32)
        for path in sorted(folder.glob("[tp][12d].nii.gz")):
            name = f"{folder.name} {path.name.split('.')[0]}"
            print(f"{name:26}  {_shifts(labels, read_nifti(path))}")
    prints = dict(_prints(heads))
    print(f"\nsimilarity (one head above {SAME_HEAD})")
    for (one, ours), (other, theirs) in itertools.combinations(prints.items(), 2):
        print(f"{one:16} {other:16} {compute_similarity(ours, theirs):.2f}")
    print("\nsimilarity of a head with itself, changed")
    for folder in sorted(path for path in heads.iterdir() if path.is_dir()):
        volume = read_nifti(folder / "t1.nii.gz")
        found = (
            f"{name} {compute_similarity(_print(volume), _print(copy)):.2f}"
            for name, copy in _copies(volume)
        )
        print(f"{folder.name:16} {', '.join(found)}")


def _shifts(labels: Voxels, mri: Volume) -> str:
    still = _aligned(labels, mri)
    steps = [(axis, size) for axis in range(3) for size in (-2, -1, 1, 2)]
    shifts: list[Shift] = [
        (size * (axis == 0), size * (axis == 1), size * (axis == 2)) for axis, size in steps
    ]
    found = 0
    gains = []
    for shift in shifts:
        alignment = _aligned(_moved(labels, shift), mri)
        found += judge(alignment).verdict is Verdict.REJECT and alignment.shift == tuple(
            -step for step in shift
        )
        gains.append((1 - alignment.explained) / (1 - alignment.explained_shifted))
    mirrored = judge(_aligned(labels[::-1], mri)).message
    accepted = judge(still).verdict is Verdict.ACCEPT
    verdict = "found" if "swapped" in mirrored else "not found"
    return f"{still.explained:9.2f}  {accepted!s:8}  {found:6} of 12  {min(gains):20.2f}  {verdict}"


def _aligned(labels: Voxels, mri: Volume) -> Alignment:
    alignment = align(labels, mri.voxels, left_right=0)
    if alignment is None:
        raise click.ClickException("a head without labels or intensities")
    return alignment


def _moved(labels: Voxels, by: Shift) -> Voxels:
    """Return labels moved by whole voxels; what leaves the grid is lost."""
    moved = np.zeros_like(labels)
    to = tuple(
        slice(max(0, step), size + min(0, step))
        for step, size in zip(by, labels.shape, strict=True)
    )
    of = tuple(
        slice(max(0, -step), size + min(0, -step))
        for step, size in zip(by, labels.shape, strict=True)
    )
    moved[to] = labels[of]
    return moved


def _prints(heads: Path) -> Iterator[tuple[str, Fingerprint]]:
    for path in sorted(heads.glob("*/[tp][12d].nii.gz")):
        name = path.parent.name + (
            "" if path.name.startswith("t1") else f" {path.name.split('.')[0]}"
        )
        yield name, _print(read_nifti(path))


def _print(volume: Volume) -> Fingerprint:
    taken = make_fingerprint(volume)
    if taken is None:
        raise click.ClickException("an empty volume")
    return taken


def _copies(volume: Volume) -> Iterator[tuple[str, Volume]]:
    """Yield a volume as it may come again."""
    voxels = volume.voxels.astype(np.float32)
    affine = volume.geometry.affine
    noise = np.random.default_rng(0).normal(0, 0.05 * voxels.max(), voxels.shape)
    yield "noise of 5 %", replace(volume, voxels=np.where(voxels > 0, voxels + noise, 0))
    yield "gamma 1.5", replace(volume, voxels=(voxels / voxels.max()) ** 1.5)
    bias = np.linspace(0.6, 1.4, voxels.shape[0])[:, np.newaxis, np.newaxis]
    yield "bias of 40 %", replace(volume, voxels=voxels * bias)
    half = voxels[::2, ::2, ::2]
    yield "every other voxel", Volume(half, Geometry(half.shape, affine @ np.diag([2, 2, 2, 1])))
    for degrees in (2, 5):
        turn = np.eye(4)
        turn[:3, :3] = eulerangles.euler2mat(np.radians(degrees))
        yield f"turned by {degrees} degrees", Volume(voxels, Geometry(voxels.shape, turn @ affine))
    cropped = voxels[:, :-25]
    yield "25 slices cropped", Volume(cropped, Geometry(cropped.shape, affine))


if __name__ == "__main__":
    main()
