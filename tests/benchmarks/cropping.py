"""Measure whether slices may be cropped to the brain: how far what the model makes then is from what it makes now.

    python tests/benchmarks/cropping.py [--texture 0]

The example's label map is translated on the model's canvas, and on the smallest one that holds the brain.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
import numpy as np
from oasis_gan_pix2pix.translator import Pix2PixTranslator

from oasis_gan import Fit, Plane, cut, read_nifti
from oasis_gan.commands.choosing import choose_model, load_registry

EXAMPLE = Path(__file__).parents[2] / "examples" / "mni152_seg.nii.gz"


@click.command()
@click.option("--texture", default=0.0, show_default=True, help="From 0, smooth, to 1, textured.")
def main(texture: float) -> None:
    """Print how far apart both are, in [0, 1], inside the brain."""
    _, folder = choose_model(load_registry(()), None)
    translator, volume = Pix2PixTranslator(folder, texture), read_nifti(EXAMPLE)
    card = translator.card
    for plane in Plane:
        stack = cut(volume.voxels, volume.geometry, plane)
        support = card.source.support(stack.slices)
        middle = np.flatnonzero(support.any((1, 2)))[::10]
        encoded = card.source.fitted(stack.slices).encode(stack.slices[middle])

        sizes, outputs = [], []
        for canvas in (card.canvas, replace(card.canvas, size=1)):
            fit = Fit.around(support, stack.spacing, canvas)
            laid = fit.apply(encoded)
            sizes.append("x".join(map(str, laid.shape[1:3])))
            outputs.append(fit.undo(translator.translate(laid))[support[middle]])
        apart = np.abs(outputs[0] - outputs[1])
        click.echo(
            f"{plane.value:9} {' and '.join(sizes)}: at most {apart.max():.4f}, on average {apart.mean():.5f} apart"
        )


if __name__ == "__main__":
    main()
