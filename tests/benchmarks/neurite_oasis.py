"""Train structures to MRI on the Neurite OASIS release, and score the heads that were left out.

    python tests/benchmarks/neurite_oasis.py DATA_DIR --out DIR [--recipe FILE]
        [--set KEY=VALUE ...]

DATA_DIR holds the release as it is unpacked, with a folder such as OASIS_OAS1_0001_MR1 for each of
its 414 subjects: https://github.com/adalca/medical-datasets/blob/master/neurite-oasis.md. A model
learns ``aligned_seg35`` to ``aligned_norm``, and translates the heads of the test side as it would
by default, and smooth. DIR keeps the model and ``scores.tsv``. Run again, the command resumes.

- Split: by name, every tenth subject is in the test, the others in the training. Each subject of
  the release is another person. The recipe was not tuned on them, and nothing is chosen on the
  test side.
- ``slices``: whole axial slices with brain in them. Each is stretched from its own lowest to its
  own highest intensity and rounded down to 8 bits, as ``test.py`` in AnatoMaskGAN's repository
  does before images are saved. PSNR and SSIM (2-D, a window of 7 x 7) have a range of 255, and are
  means over the slices of a head, then over heads.
- ``brain``: the voxels that have a structure, in 3-D, as `quality` compares them, but contrasts are
  not matched. The range is from 0 to the highest intensity of the real head.

Painting gives each structure its mean in the real head.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from cross_validate import OUTPUTS, load, train_or_resume, write_table
from numpy.typing import NDArray
from page import machine, versions
from quality import figures
from skimage.metrics import structural_similarity

from oasis_gan import (
    NEURITE_SEG35,
    Dataset,
    Geometry,
    Plane,
    Selection,
    Subject,
    cut,
    translate,
)
from oasis_gan.cli.choosing import load_registry

READER = "neurite-oasis"
SOURCE = "aligned_seg35"
TARGET = "aligned_norm"
EVERY = 10
"""One subject in so many is in the test."""
RECIPE = Path(__file__).with_suffix(".toml")
PACKAGES = ("oasis-gan", "tensorflow", "keras", "numpy", "scikit-image")
PUBLISHED = "| AnatoMaskGAN, as published (arXiv 2508.11375) | | 26.50 | 0.857 | | | |"
Image = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Score:
    """How an image of a test head compares with its ``norm``.

    Args:
        head: The subject.
        output: ``painted``, or a key of `cross_validate.OUTPUTS`.
        slice_psnr: In dB, of whole slices.
        slice_ssim: 2-D, of whole slices.
        mae: In the brain, as a fraction of the range.
        psnr: In dB, in the brain.
        ssim: 3-D, in the brain.
    """

    head: str
    output: str
    slice_psnr: float
    slice_ssim: float
    mae: float
    psnr: float
    ssim: float


@click.command()
@click.argument("data", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Work in this folder.")
@click.option(
    "--recipe",
    default=RECIPE,
    type=click.Path(path_type=Path, exists=True),
    help="Train this recipe instead of the one beside the command.",
)
@click.option("--set", "settings", multiple=True, help="Change a setting, as oasis-gan train does.")
def main(data: Path, out: Path, recipe: Path, settings: tuple[str, ...]) -> None:
    """Train on the Neurite OASIS release in DATA, and score the test heads."""
    training, test = split(list_subjects(data))
    model = out / "model"
    words = [f"--recipe={recipe}", *(f"--set={setting}" for setting in settings)]
    words += ["--dataset", READER, "--source-suffix", SOURCE, "--target-suffix", TARGET]
    train_or_resume([subject.source.path.parent for subject in training], model, words)
    scores: list[Score] = []
    for subject in test:
        scores += score_head(subject, model)
        write_table(scores, out / "scores.tsv")
    for line in format_rows(scores):
        click.echo(line)
    for line in describe(model, len(training), len(test)):
        click.echo(line)


def list_subjects(data: Path) -> list[Subject]:
    """Return the subjects of the release in the order of their names."""
    reader = load_registry(())[Dataset].get(READER)
    selection = Selection(data, source_suffix=SOURCE, target_suffix=TARGET)
    return sorted(reader.open(selection), key=lambda subject: subject.name)


def split(subjects: Sequence[Subject]) -> tuple[list[Subject], list[Subject]]:
    """Return the subjects to learn from, and every tenth one, to score.

    Raises:
        click.ClickException: If there are fewer than ten.
    """
    test = list(subjects[EVERY - 1 :: EVERY])
    if not test:
        raise click.ClickException(f"expected {EVERY} subjects or more, found {len(subjects)}")
    return [subject for subject in subjects if subject not in test], test


def score_head(subject: Subject, model: Path) -> list[Score]:
    """Compare what a model makes of a head, and its painted structures, with its scan."""
    source, target = subject.read_both()
    labels = NEURITE_SEG35.clean(source, subject.name).voxels
    real = target.voxels.astype(np.float32)
    images = {"painted": paint(real, labels)}
    for output, options in OUTPUTS.items():
        translator = load(model, options)
        made = translate({"labels": source}, translator, subject.name).volume
        images[output] = made.voxels.astype(np.float32)
    return [
        compare(subject.name, output, real, image, labels > 0, target.geometry)
        for output, image in images.items()
    ]


def paint(real: Image, labels: NDArray[Any]) -> Image:
    """Return the image in which each structure has its mean in a real head."""
    structures = labels.astype(np.intp)
    sums = np.bincount(structures.ravel(), weights=real.ravel())
    sizes = np.bincount(structures.ravel())
    means = sums / np.maximum(sizes, 1)
    means[0] = 0
    return means[structures].astype(np.float32)


def compare(
    head: str,
    output: str,
    real: Image,
    made: Image,
    mask: Mask,
    geometry: Geometry,
) -> Score:
    """Compare an image with a real head, in whole slices and in the brain."""
    pairs = list_slices(real, made, mask, geometry)
    slice_psnr, slice_ssim = np.mean([compare_slices(*pair) for pair in pairs], axis=0)
    highest = real[mask].max()
    real_brain = np.where(mask, real / highest, 0).clip(0, 1)
    made_brain = np.where(mask, made / highest, 0).clip(0, 1)
    found = figures(real_brain, made_brain, mask)
    return Score(
        head=head,
        output=output,
        slice_psnr=float(slice_psnr),
        slice_ssim=float(slice_ssim),
        mae=found["MAE"],
        psnr=found["PSNR"],
        ssim=found["SSIM"],
    )


def list_slices(
    real: Image,
    made: Image,
    mask: Mask,
    geometry: Geometry,
) -> Iterable[tuple[Image, Image]]:
    """Return the axial slices with brain in them of two images, in pairs."""
    slices = [cut(voxels, geometry, Plane.AXIAL).slices for voxels in (real, made)]
    shown = cut(mask, geometry, Plane.AXIAL).slices.any(axis=(1, 2))
    return zip(slices[0][shown], slices[1][shown], strict=True)


def compare_slices(real: Image, made: Image) -> tuple[float, float]:
    """Return PSNR and SSIM of two slices as pictures of 8 bits."""
    stored_real = stretch(real)
    stored_made = stretch(made)
    error = stored_real.astype(float) - stored_made
    # A slice of a single voxel may be equal in both.
    squared = max(float((error**2).mean()), 1e-10)
    psnr = 10 * np.log10(255**2 / squared)
    return float(psnr), float(structural_similarity(stored_real, stored_made, data_range=255))


def stretch(image: Image) -> NDArray[np.uint8]:
    """Return an image of 8 bits that reaches from 0 to 255."""
    low = image.min()
    height = max(float(image.max() - low), 1e-8)
    stretched = (image - low) / height
    return np.asarray(stretched * 255, np.uint8)


def format_rows(scores: Sequence[Score]) -> list[str]:
    """Return the means over heads as a table in Markdown, below the published figures."""
    lines = [
        "| | heads | slices: PSNR | SSIM | brain: MAE | PSNR | SSIM |",
        "|---|---|---|---|---|---|---|",
        PUBLISHED,
    ]
    for output in ("painted", *OUTPUTS):
        chosen = [score for score in scores if score.output == output]
        lines.append(format_row(output, chosen))
    return lines


def format_row(output: str, scores: Sequence[Score]) -> str:
    """Return the means of some scores as a row."""
    figures_by_head = [list(asdict(score).values())[2:] for score in scores]
    slice_psnr, slice_ssim, mae, psnr, ssim = np.mean(figures_by_head, axis=0)
    name = "structures painted with their means" if output == "painted" else f"oasis-gan, {output}"
    return (
        f"| {name} | {len(scores)} | {slice_psnr:.2f} | {slice_ssim:.3f} "
        f"| {mae:.4f} | {psnr:.2f} | {ssim:.3f} |"
    )


def describe(model: Path, training: int, test: int) -> list[str]:
    """Return what the figures depend on."""
    description = json.loads((model / "model.json").read_text("utf-8"))
    made = description["training"]
    digest = description["weights"]["sha256"][:12]
    return [
        f"Split: {training} subjects in the training, {test} in the test; every tenth by name",
        f"Training: {made['step']} steps, seed {made['recipe']['seed']}; weights {digest}",
        f"Machine: {machine()}, {made['precision']}",
        f"Software: {versions(PACKAGES)}",
    ]


if __name__ == "__main__":
    main()
