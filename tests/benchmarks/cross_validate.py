"""Train a recipe several times, each time without some people, and score it on those people.

    python tests/benchmarks/cross_validate.py HEADS --out DIR [--recipe FILE] [--set KEY=VALUE ...]
        [--folds N] [--fold K ...] [--same-person HEAD=HEAD ...] [--no-person HEAD ...]

HEADS holds a folder for each head with ``seg.nii.gz`` (0 background, 1 CSF, 2 GM, 3 WM) and
``t1.nii.gz``. The people are divided into folds, in turn. Each fold is left out once: a model
learns from all other people with `oasis-gan train`, in a process of its own, and translates the
heads of the fold in two ways: at its default texture and plane, and smooth in all planes. Each
output is compared with the T1 as `quality` does. The slice discontinuity is that of `oasis-gan
evaluate`.

DIR keeps a model folder for each fold and ``scores.tsv``. Run again, the command resumes: it
trains only what is missing. The seed is that of the recipe.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import click
import numpy as np
from quality import PAINT, figures, matched

from oasis_gan import OASIS, Translator, Volume, read_nifti, translate
from oasis_gan.cli.choosing import choose_model, load_registry, read_card
from oasis_gan.evaluation.comparison import TOTAL, compare_matched, find_regions, plane_axes
from oasis_gan.evaluation.discontinuity import measure_discontinuity
from oasis_gan.evaluation.measures import AXES

PAIRS = ("--source-suffix", "seg.nii.gz", "--target-suffix", "t1.nii.gz")
OUTPUTS: Mapping[str, Mapping[str, object]] = {
    "default": {},
    "smooth": {"texture": 0.0, "plane": "all"},
}
"""The options of each translation; a model without the texture option has the planes only."""


@dataclass(frozen=True)
class Score:
    """What one translation of a head that was left out is like.

    Args:
        head: The head.
        output: A key of `OUTPUTS`.
        psnr: In dB, contrasts matched, inside the brain.
        psnr_gain: The same, less that of painting each tissue with its mean.
        ssim: 3-D.
        ssim_gain: The same, less that of painting.
        gradient_x: The gradient along the first axis, divided by that of the scan.
        gradient_y: Likewise along the second axis.
        gradient_z: Likewise along the third axis.
        histogram: The intersection of the two histograms.
        discontinuity: The largest of the three directions, relative to the scan.
    """

    head: str
    output: str
    psnr: float
    psnr_gain: float
    ssim: float
    ssim_gain: float
    gradient_x: float
    gradient_y: float
    gradient_z: float
    histogram: float
    discontinuity: float


@click.command()
@click.argument("heads", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Work in this folder.")
@click.option("--recipe", type=click.Path(path_type=Path, exists=True), help="Train this recipe.")
@click.option("--set", "settings", multiple=True, help="Change a setting, as oasis-gan train does.")
@click.option("--folds", default=4, show_default=True, help="Divide the people into this many.")
@click.option("--fold", "chosen", multiple=True, type=int, help="Leave out only this fold, from 0.")
@click.option("--same-person", multiple=True, help="HEAD=HEAD: two scans of one person.")
@click.option("--no-person", multiple=True, help="Train on this head; it belongs to no person.")
def main(
    heads: Path,
    out: Path,
    recipe: Path | None,
    settings: tuple[str, ...],
    folds: int,
    chosen: tuple[int, ...],
    same_person: tuple[str, ...],
    no_person: tuple[str, ...],
) -> None:
    """Cross-validate a recipe over the people in HEADS."""
    names = sorted(path.parent.name for path in heads.glob("*/seg.nii.gz"))
    people = group_by_person(names, same_person, no_person)
    words = [f"--recipe={recipe}"] if recipe else []
    words += [f"--set={setting}" for setting in settings]
    scores: list[Score] = []
    for number in chosen or range(folds):
        left_out = [head for person in people[number::folds] for head in person]
        model = out / f"fold{number}"
        learnt = [heads / name for name in names if name not in left_out]
        train_or_resume(learnt, model, [*PAIRS, *words])
        for head in left_out:
            scores += score_head(heads / head, model)
            write_table(scores, out / "scores.tsv")
    print_summary(scores)


def group_by_person(
    names: Iterable[str],
    same_person: Iterable[str],
    no_person: Iterable[str],
) -> list[list[str]]:
    """Return the heads of each person, in the order of their first names."""
    twins = dict(pair.split("=") for pair in same_person)
    groups: dict[str, list[str]] = {}
    for name in names:
        if name not in no_person:
            groups.setdefault(twins.get(name, name), []).append(name)
    return list(groups.values())


def train_or_resume(folders: Sequence[Path], model: Path, words: Sequence[str]) -> None:
    """Train a model on the heads in some folders, or resume its training."""
    if (model / "model.json").exists():
        return
    command = [sys.executable, "-m", "oasis_gan", "train"]
    if (model / "checkpoints").exists():
        command += ["--resume", str(model)]
    else:
        command += [*map(str, folders), "--out", str(model), *words]
    subprocess.run(command, check=True)


def score_head(folder: Path, model: Path) -> list[Score]:
    """Translate a head in both ways, and compare the results with its scan."""
    source = read_nifti(folder / "seg.nii.gz")
    target = read_nifti(folder / "t1.nii.gz")
    labels = OASIS.clean(source, folder.name).voxels
    real = matched(target.voxels, labels)
    inside = labels > 0
    painted = figures(real, PAINT[labels], inside)
    scores = []
    for output, options in OUTPUTS.items():
        translator = load(model, options)
        made = translate({"labels": source}, translator, folder.name).volume
        found = figures(real, matched(made.voxels, labels), inside)
        gradient_x, gradient_y, gradient_z = found["gradients"]
        score = Score(
            head=folder.name,
            output=output,
            psnr=found["PSNR"],
            psnr_gain=found["PSNR"] - painted["PSNR"],
            ssim=found["SSIM"],
            ssim_gain=found["SSIM"] - painted["SSIM"],
            gradient_x=gradient_x,
            gradient_y=gradient_y,
            gradient_z=gradient_z,
            histogram=found["histogram"],
            discontinuity=find_discontinuity(target, made, source),
        )
        scores.append(score)
    return scores


def load(model: Path, options: Mapping[str, object]) -> Translator:
    """Load a model with the options that it has."""
    kind, folder = choose_model(load_registry(()), str(model))
    card = read_card(kind, folder)
    known = {name: value for name, value in options.items() if card.option(name)}
    return kind.load(folder, **known)


def find_discontinuity(real: Volume, made: Volume, labels: Volume) -> float:
    """Return the slice discontinuity of the direction in which it is largest."""
    tissues = labels.voxels
    regions = find_regions(tissues)
    axes = plane_axes(real.geometry)
    comparison = compare_matched(real.voxels, made.voxels, tissues, regions, axes)
    scores = measure_discontinuity(comparison).regions[TOTAL]
    return max(float(scores[direction]) for direction in AXES.values())


def write_table(scores: Sequence[Any], path: Path) -> None:
    """Write a row for each score, which are of one dataclass."""
    with path.open("w", newline="", encoding="utf-8") as file:
        columns = [field.name for field in fields(scores[0])]
        writer = csv.DictWriter(file, columns, delimiter="\t")
        writer.writeheader()
        for score in scores:
            writer.writerow(asdict(score))


def print_summary(scores: Sequence[Score]) -> None:
    """Print each score, and the mean and the lowest gain of each output."""
    for output in OUTPUTS:
        chosen = [score for score in scores if score.output == output]
        for score in chosen:
            print(
                f"{score.head:14} {output:8} PSNR {score.psnr:.2f} ({score.psnr_gain:+.2f}) dB  "
                f"SSIM {score.ssim:.3f} ({score.ssim_gain:+.3f})  gradients {score.gradient_x:.2f} "
                f"{score.gradient_y:.2f} {score.gradient_z:.2f}  histogram {score.histogram:.2f}  "
                f"discontinuity {score.discontinuity:.2f}"
            )
        gains = [score.psnr_gain for score in chosen]
        print(
            f"{'mean':14} {output:8} {np.mean(gains):+.2f} dB (lowest {min(gains):+.2f}), "
            f"SSIM {np.mean([score.ssim_gain for score in chosen]):+.3f}, "
            f"histogram {np.mean([score.histogram for score in chosen]):.2f}"
        )


if __name__ == "__main__":
    main()
