"""Compare tissue means found by intensity, as in `run --like`, with those of the tissue map.

    python tests/benchmarks/contrast.py HEADS

HEADS holds a folder for each head with ``seg.nii.gz`` and ``t1.nii.gz``. Means are in units of
white matter's mean.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from oasis_gan import ANCHORS, OASIS, read_nifti
from oasis_gan.pipeline.reference_contrast import estimate_tissues


@click.command()
@click.argument("heads", type=click.Path(path_type=Path, exists=True))
def main(heads: Path) -> None:
    """Print the means of the three tissues, both ways, and the largest difference."""
    worst = 0.0
    for path in sorted(heads.glob("*/t1.nii.gz")):
        voxels = read_nifti(path).voxels.astype(np.float64)
        labels = OASIS.clean(read_nifti(path.with_name("seg.nii.gz")), path).voxels
        estimated = estimate_tissues(voxels, OASIS)
        values = [OASIS.value_of(name) for name in ANCHORS]
        known, guessed = (
            np.array([voxels[by == value].mean() for value in values]) for by in (labels, estimated)
        )
        scale = known[-1]
        worst = max(worst, float(np.abs(known - guessed).max() / scale))
        pairs = "  ".join(
            f"{name} {a / scale:.3f} {b / scale:.3f}"
            for name, a, b in zip(ANCHORS, known, guessed, strict=True)
        )
        print(f"{path.parent.name:14} {pairs}")
    print(f"largest difference {worst:.3f}")


if __name__ == "__main__":
    main()
