"""Register and segment a synthetic volume with ANTs: SyN to the real scan, and Atropos for both.

    pip install antspyx
    python examples/downstream/ants_syn_atropos.py OUTPUT SEG REAL --out DIR

OUTPUT is what ``oasis-gan run`` made of the tissue map SEG; REAL is the scan that SEG belongs to.
ANTs draws samples at random in a registration, so that its figures differ a little between runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from comparison import Floats, Head, Row, arguments, compare, run, to_array, write_table

from oasis_gan import OASIS

try:
    import ants
except ImportError:
    raise SystemExit("ants: expected ANTsPy, found none; run pip install antspyx") from None


def to_ants(image: Any) -> Any:  # noqa: ANN401
    """Return a SimpleITK image as an image of ANTsPy."""
    return ants.from_numpy(
        to_array(image).astype(np.float32),
        origin=image.GetOrigin(),
        spacing=image.GetSpacing(),
        direction=np.reshape(image.GetDirection(), (3, 3)),
    )


def register(moving: Any, head: Head) -> Floats:  # noqa: ANN401
    """Return the displacement from the real scan to ``moving`` at each voxel, (x, y, z, 3), mm."""
    found = ants.registration(
        fixed=to_ants(head.real),
        moving=to_ants(moving),
        type_of_transform="SyN",
        random_seed=1,
        singleprecision=True,
    )
    whole = ants.apply_transforms(
        to_ants(head.real),
        to_ants(moving),
        found["fwdtransforms"],
        compose=f"{found['fwdtransforms'][0]}_",
    )
    return np.asarray(ants.image_read(whole).numpy())


def segment(image: Any, head: Head) -> dict[str, float]:  # noqa: ANN401
    """Return the volume of each tissue that Atropos finds in a brain, ml; tissues by their grey."""
    found = ants.atropos(to_ants(image), to_ants(head.brain), i="KMeans[3]", m="[0.2,1x1x1]")
    labels = found["segmentation"].numpy()
    voxel_ml = np.prod(image.GetSpacing()) / 1000
    counts = np.bincount(labels.astype(int).ravel(), minlength=4)
    return {
        label.name: float(counts[place] * voxel_ml)
        for place, label in enumerate(OASIS.labels, start=1)
    }


def compare_volumes(head: Head, out: Path) -> None:
    """Write ``volumes.tsv``: tissues in the label map, the real scan and the synthetic volume."""
    labels = to_array(head.labels)
    voxel_ml = np.prod(head.labels.GetSpacing()) / 1000
    real = segment(head.real, head)
    synthetic = segment(head.synthetic, head)
    rows: list[Row] = []
    for tissue, volume in real.items():
        labelled = np.count_nonzero(labels == OASIS.value_of(tissue)) * voxel_ml
        difference = 100 * (synthetic[tissue] / volume - 1)
        volumes = [f"{ml:.1f}" for ml in (labelled, volume, synthetic[tissue])]
        rows.append((tissue, *volumes, f"{difference:+.1f} %"))
    columns = ("tissue", "labels_ml", "real_ml", "synthetic_ml", "difference")
    write_table(columns, rows, out / "volumes.tsv")


def example(head: Head, out: Path) -> None:
    """Register and segment with ANTs."""
    compare(head, lambda image: register(image, head), out)
    compare_volumes(head, out)


@arguments
def main(output: Path, seg: Path, real: Path, out: Path) -> None:
    """Register OUTPUT and a noisy copy of REAL to REAL, and segment both.

    Writes tables and a figure into DIR.
    """
    run(example, output, seg, real, out)


if __name__ == "__main__":
    main()
