"""Score a model on held-out heads, beside painting each tissue with its mean.

    python tests/benchmarks/quality.py HEADS [--model NAME|FOLDER] [--option NAME=VALUE ...]
        [--subject NAME ...] [--out DIR]

HEADS holds a folder for each head with ``seg.nii.gz`` (0 background, 1 CSF, 2 GM, 3 WM) and
``t1.nii.gz``. Each is translated in every plane of the model, through the pipeline of ``oasis-gan
run``, and compared with its T1 on the head's own grid, inside the brain, contrasts matched: both
volumes are mapped piecewise-linearly so that their tissue means land on 0.30, 0.55 and 0.75. PSNR
has a data range of 1; SSIM is 3-D with a uniform window of 7^3.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from oasis_gan import (
    ANCHORS,
    AUTO_PLANE,
    OASIS,
    Dataset,
    Exporter,
    Selection,
    Volume,
    Window,
    translate,
)
from oasis_gan.cli.choosing import (
    RequestedOption,
    choose_model,
    choose_options,
    load_registry,
    read_card,
)
from oasis_gan.cli.options import parse_named_values

try:
    from skimage.metrics import structural_similarity
except ModuleNotFoundError:
    raise SystemExit("expected scikit-image, found none; run pip install scikit-image") from None

Figures = dict[str, Any]
PAINT = np.array([0, *ANCHORS.values()], np.float32)


def matched(voxels: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.float32]:
    """Return the volume with its tissue means on the anchors, 0 outside the labels."""
    normal = Window.from_tissues(voxels, labels, OASIS).encode(voxels)[..., 0]
    return np.where(labels > 0, normal, 0).astype(np.float32)


def figures(
    real: NDArray[np.float32], made: NDArray[np.float32], mask: NDArray[np.bool_]
) -> Figures:
    """Compare two matched volumes inside the brain."""
    error = (real - made)[mask]
    similarity = structural_similarity(real, made, data_range=1, full=True)[1]
    histograms = [np.histogram(volume[mask], 64, (0, 1))[0] for volume in (real, made)]
    return {
        "MAE": float(np.abs(error).mean()),
        "PSNR": float(-10 * np.log10((error**2).mean())),
        "SSIM": float(similarity[mask].mean()),
        "gradients": [
            _gradient(made, mask, axis) / _gradient(real, mask, axis) for axis in range(3)
        ],
        "histogram": float(np.minimum(*histograms).sum() / mask.sum()),
    }


def _gradient(voxels: NDArray[np.float32], mask: NDArray[np.bool_], axis: int) -> float:
    """Return the mean absolute difference of neighbours that both lie in a mask."""
    first, second = ([slice(None)] * 3 for _ in range(2))
    first[axis] = slice(None, -1)
    second[axis] = slice(1, None)
    both = mask[tuple(first)] & mask[tuple(second)]
    return float(np.abs(np.diff(voxels, axis=axis))[both].mean())


def _line(name: str, plane: str, of: Figures) -> str:
    gradients = " ".join(f"{ratio:.2f}" for ratio in of["gradients"])
    return (
        f"{name:14} {plane:9} "
        f"MAE {of['MAE']:.4f}  PSNR {of['PSNR']:.2f} dB  SSIM {of['SSIM']:.3f}  "
        f"gradients {gradients}  histogram {of['histogram']:.2f}"
    )


@click.command()
@click.argument("heads", type=click.Path(path_type=Path, exists=True))
@click.option("--model", help="Name or folder; the default model if not given.")
@click.option(
    "--texture", type=float, help="From 0, smooth, to 1, textured; the model's own if not given."
)
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    callback=parse_named_values,
    help="Set an option of the model, as oasis-gan run does.",
)
@click.option("--subject", "names", multiple=True, help="Only this head.")
@click.option("--out", type=click.Path(path_type=Path), help="Keep the translated volumes here.")
def main(
    heads: Path,
    model: str | None,
    texture: float | None,
    options: tuple[tuple[str, str], ...],
    names: tuple[str, ...],
    out: Path | None,
) -> None:
    """Score a model on the heads in HEADS."""
    registry = load_registry(())
    kind, folder = choose_model(registry, model)
    card = read_card(kind, folder)
    plane_option = card.option("plane")
    assert plane_option is not None, "the model does not go slice by slice"
    planes = [name for name in plane_option.choices if name != AUTO_PLANE]
    requested = {name: RequestedOption(text, "--option") for name, text in options}
    if texture is not None:
        requested["texture"] = RequestedOption(str(texture), "--texture")
    chosen = choose_options(card, requested)
    translators = {plane: kind.load(folder, **chosen | {"plane": plane}) for plane in planes}
    selection = Selection(heads, source_suffix="seg.nii.gz", target_suffix="t1.nii.gz")
    for subject in registry[Dataset].get("nifti").open(selection):
        if names and subject.name not in names:
            continue
        source, target = subject.read_both()
        labels = OASIS.clean(source, subject.name).voxels
        real = matched(target.voxels, labels)
        mask = labels > 0
        print(_line(subject.name, "painted", figures(real, PAINT[labels], mask)), flush=True)
        for plane, translator in translators.items():
            made = translate({"labels": source}, translator, subject.name).volume
            found = figures(real, matched(made.voxels, labels), mask)
            print(_line(subject.name, plane, found), flush=True)
            _keep(out, made, f"{subject.name}_{plane}.nii.gz", registry)


def _keep(out: Path | None, volume: Volume, name: str, registry: Any) -> None:  # noqa: ANN401
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        registry[Exporter].get("nifti").write(volume, out / name)


if __name__ == "__main__":
    main()
