"""Measure how well the map of `oasis-gan run --uncertainty` foretells the default model's errors.

    python tests/benchmarks/uncertainty.py DATA [--texture T] [--plane PLANE] [--pictures DIR]

DATA holds a folder a head with ``t1.nii.gz`` and ``seg.nii.gz``, a T1-weighted volume and its
tissue map. Each head is translated in the contrast of its own scan, so that error and deviation are
in the same units and contrast is no error. The scale of a head is learnt on the others. Nothing is
drawn at random but the noise of the model, which is the same in each run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from oasis_gan import OASIS, read_nifti, translate
from oasis_gan.pipeline.reference_contrast import apply_contrast, find_contrast
from oasis_gan.plugin.models import UNCERTAINTY, ModelKind
from oasis_gan.plugin.registry import Registry

MODEL = "tissue-to-t1w"
SEEN = ("brainweb", "colin27")
"""The head that the model learnt from, and another scan of the same person."""
NO_PERSON = ("mni152_2009a",)
DEVIATIONS = (1, 2, 3)
WITHIN_ONE = 0.682689492
"""The share of a normal distribution within one deviation: the scale is set by it."""
LEFT_OUT = (0.05, 0.1, 0.2, 0.3, 0.5)
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Head:
    """The voxels of a head's brain.

    Args:
        name: The head.
        error: The absolute error of each voxel, by the mean of white matter in the scan.
        deviation: What the map says of it, unscaled, in the same unit.
    """

    name: str
    error: Numbers
    deviation: Numbers

    @property
    def scale(self) -> float:
        """The factor with which the right share of voxels lies within one deviation."""
        # Where the answers agree, no factor is large enough.
        ratio = np.full(self.error.shape, np.inf)
        np.divide(self.error, self.deviation, out=ratio, where=self.deviation > 0)
        return float(np.quantile(ratio, WITHIN_ONE, method="lower"))

    def coverage(self, scale: float) -> list[float]:
        """Return the share of voxels whose error is within 1, 2 and 3 deviations."""
        bounds = [k * scale * self.deviation for k in DEVIATIONS]
        return [float((self.error <= bound).mean()) for bound in bounds]

    def correlation(self) -> float:
        """Return Spearman's rank correlation of deviation and error."""
        return float(spearmanr(self.deviation, self.error).statistic)

    def remaining_error(self, order: Numbers) -> list[float]:
        """Return the mean error of the voxels that remain, by that of all.

        Args:
            order: The voxels with the highest numbers are left out first.
        """
        sorted_errors = self.error[np.argsort(order, kind="stable")]
        whole = self.error.mean()
        remaining = []
        for share in LEFT_OUT:
            count = round(len(sorted_errors) * (1 - share))
            remaining.append(float(sorted_errors[:count].mean() / whole))
        return remaining


def learn_scale(heads: Sequence[Head]) -> float:
    """Return the median of the scales of heads."""
    return float(np.median([head.scale for head in heads]))


def measure(
    folder: Path, kind: ModelKind, options: dict[str, object], pictures: Path | None
) -> Head:
    """Translate a head, and compare the map of the uncertainty with the error."""
    source = read_nifti(folder / "seg.nii.gz")
    scan = read_nifti(folder / "t1.nii.gz")
    labels = OASIS.clean(source, folder)
    model = kind.load(kind.shipped[MODEL], **options)
    contrast = find_contrast(model.card, scan, source, folder)
    translation = translate({"labels": source}, apply_contrast(model, contrast), folder)
    inside = labels.voxels > 0
    white = scan.voxels[labels.voxels == OASIS.value_of("WM")].mean(dtype=np.float64)
    # The file holds the calibrated deviation; here the scale is to be found.
    details = translation.details[UNCERTAINTY]
    assert isinstance(details, dict)
    deviation = translation.maps[UNCERTAINTY].voxels / (details["scale"] * white)
    error = np.abs(translation.volume.voxels - scan.voxels) / white
    if pictures is not None:
        views = (scan.voxels / white, translation.volume.voxels / white, error, deviation)
        draw(pictures / f"{folder.name}.png", views)
    return Head(folder.name, error[inside].astype(float), deviation[inside].astype(float))


def draw(path: Path, views: Sequence[NDArray[np.floating]]) -> None:
    """Draw a slice of the scan, the output, the error and the deviation in each plane."""
    from matplotlib import figure

    picture = figure.Figure(figsize=(14, 10))
    panels = picture.subplots(3, len(views))
    titles = ("scan", "output", "error", "deviation, unscaled")
    for row, axis in zip(panels, (2, 1, 0), strict=True):
        for panel, view, title in zip(row, views, titles, strict=True):
            middle = np.take(view, int(view.shape[axis] * 0.5), axis).T[::-1]
            top = {"error": 0.3, "deviation, unscaled": 0.12}.get(title, 1.3)
            panel.imshow(middle, cmap="gray" if top > 1 else "magma", vmin=0, vmax=top)
            panel.set_title(title)
            panel.axis("off")
    picture.tight_layout()
    picture.savefig(path, dpi=60)


def print_tables(heads: Sequence[Head]) -> None:
    """Print coverage and correlation, then the error that remains, as tables in Markdown."""
    print(
        "| head | mean error | scale | unscaled: within 1, 2, 3 | scaled: within 1, 2, 3 "
        "| rank correlation |"
    )
    print("|---|---|---|---|---|---|")
    rows = []
    for head in heads:
        scale = learn_scale([other for other in heads if other is not head])
        row = [*head.coverage(1), *head.coverage(scale), head.correlation()]
        rows.append(row)
        print_row(head.name, f"{head.error.mean():.3f}", f"{scale:.2f}", row)
    print_row("mean", "", "", np.mean(rows, axis=0).tolist())
    print(f"\nscale of all heads: {learn_scale(heads):.3f}\n")
    print("| left out | by deviation | by error itself |")
    print("|---|---|---|")
    by_deviation = np.mean([head.remaining_error(head.deviation) for head in heads], axis=0)
    by_error = np.mean([head.remaining_error(head.error) for head in heads], axis=0)
    for share, ours, best in zip(LEFT_OUT, by_deviation, by_error, strict=True):
        print(f"| {share:.0%} | {ours:.3f} | {best:.3f} |")


def print_row(name: str, error: str, scale: str, row: Sequence[float]) -> None:
    """Print what was measured of a head."""
    before = " ".join(f"{share:.3f}" for share in row[:3])
    after = " ".join(f"{share:.3f}" for share in row[3:6])
    print(f"| {name} | {error} | {scale} | {before} | {after} | {row[6]:.2f} |")


@click.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--texture", type=float, default=0.75, show_default=True)
@click.option("--plane", default="auto", show_default=True)
@click.option("--pictures", type=click.Path(file_okay=False, path_type=Path))
def main(data: Path, texture: float, plane: str, pictures: Path | None) -> None:
    """Translate the heads in DATA that the model has not seen, and print how good the maps are."""
    kind = Registry.discover()[ModelKind].get("pix2pix")
    options: dict[str, object] = {"texture": texture, "plane": plane, UNCERTAINTY: True}
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)
    heads = []
    for scan in sorted(data.glob("*/t1.nii.gz")):
        if scan.parent.name not in (*SEEN, *NO_PERSON):
            heads.append(measure(scan.parent, kind, options, pictures))
            click.echo(f"{scan.parent.name}: scale {heads[-1].scale:.3f}", err=True)
    print_tables(heads)


if __name__ == "__main__":
    main()
