"""Write a model folder with random weights, as large as asked for, to measure speed with.

    python tests/benchmarks/random_model.py OUT [--size 256] [--filters 64] [--levels 8]

The generator is that of the preset `paper`, but for translating as in training: it goes by moving
statistics, without dropout, as a model for use does.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import click
import oasis_gan_pix2pix
from oasis_gan_pix2pix.recipe import Recipe, parse_recipe

from oasis_gan import OASIS, Canvas, Plane, Window

_RECIPES = Path(oasis_gan_pix2pix.__file__).parent / "recipes"
T1W = Window((0.0, 1000.0), (0.0, 1.0))


def preset(name: str, size: int, filters: int, levels: int, **changes: Any) -> Recipe:  # noqa: ANN401
    """Return a preset with networks of another size."""
    settings = tomllib.loads((_RECIPES / f"{name}.toml").read_text("utf-8"))
    settings["generator"] |= {"filters": filters, "levels": levels}
    settings["discriminator"] |= {"filters": filters}
    return parse_recipe(settings | {"size": size} | changes)


def write(folder: Path, size: int, filters: int, levels: int, target: Any, seed: int = 0) -> None:  # noqa: ANN401
    """Write a model from tissue to ``target``: a `Window` has one channel, a `LabelSet` many."""
    from oasis_gan_keras.backend import keras
    from oasis_gan_keras.variables import read_weights
    from oasis_gan_pix2pix import model_folder, networks

    keras.utils.set_random_seed(seed)
    settings = preset("paper", size, filters, levels).generator.model_copy(
        update={"inference_in_training_mode": False}
    )
    model_folder.write_model(
        folder,
        read_weights(networks.build_generator(settings, OASIS.channels, target.channels)),
        {},
        name="random",
        version="1",
        output="T1w",
        source=OASIS,
        target=target,
        planes=(Plane.AXIAL,),
        canvas=Canvas(1.0, size, 2**levels),
        generator=settings,
        training={},
        software={},
    )


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--size", default=256, show_default=True)
@click.option("--filters", default=64, show_default=True)
@click.option("--levels", default=8, show_default=True)
def main(out: Path, size: int, filters: int, levels: int) -> None:
    """Write a model with random weights to the folder OUT."""
    write(out, size, filters, levels, T1W)


if __name__ == "__main__":
    main()
