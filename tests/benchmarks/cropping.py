"""Measure whether slices may be cropped to the brain: how much the model's answer then changes.

    python tests/benchmarks/cropping.py [--texture 0]

The example's label map is translated on the model's canvas, every pixel of it; as a run does, in
crops; and on the smallest canvas that holds the brain.
"""

from __future__ import annotations

from dataclasses import replace

import click
import numpy as np
from head import EXAMPLE
from oasis_gan_pix2pix.translator import StoredGenerator

from oasis_gan import CanvasTransform, Plane, cut, read_nifti
from oasis_gan.cli.choosing import choose_model, load_registry


@click.command()
@click.option("--texture", default=0.0, show_default=True, help="From 0, smooth, to 1, textured.")
def main(texture: float) -> None:
    """Print how far apart they are, in [0, 1], inside the brain."""
    _, folder = choose_model(load_registry(()), None)
    generator = StoredGenerator(folder, texture)
    volume = read_nifti(EXAMPLE)
    file = generator.file
    for plane in Plane:
        stack = cut(volume.voxels, volume.geometry, plane)
        inside = next(iter(file.named_sources.values())).find_mask(stack.slices)
        middle = np.flatnonzero(inside.any((1, 2)))[::10]
        encoded = (
            next(iter(file.named_sources.values())).fit(stack.slices).encode(stack.slices[middle])
        )

        transforms = [
            CanvasTransform.from_mask(inside, stack.spacing, canvas)
            for canvas in (file.canvas, replace(file.canvas, size=1))
        ]
        transform, tight = transforms
        laid = transform.apply(encoded)
        laid_tight = tight.apply(encoded)
        mask = transform.mask_on_canvas(inside[middle])
        whole = transform.apply_inverse(generator.generate(laid))[inside[middle]]
        others = {
            "in crops": transform.apply_inverse(generator.generate(laid, mask)),
            "on " + "x".join(map(str, laid_tight.shape[1:3])): tight.apply_inverse(
                generator.generate(laid_tight)
            ),
        }
        for name, other in others.items():
            apart = np.abs(other[inside[middle]] - whole)
            figures = f"at most {apart.max():.1e}, on average {apart.mean():.1e} apart"
            click.echo(f"{plane.value:9} {name:11} {figures}")


if __name__ == "__main__":
    main()
