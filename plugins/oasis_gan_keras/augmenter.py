"""Change the shapes and contrasts of training slices, and crop them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .augmentation import Augmentation, draw_contrasts
from .deformation import deform, draw_deformation
from .degradation import degrade
from .rotation import rotate
from .training_settings import TrainingSettings

Slices = NDArray[np.float32]
Pair = tuple[Slices, Slices]


class Augmenter:
    """Changes pairs of slices, (1, rows, columns, channels), as a recipe says.

    Args:
        recipe: The sources, the strength of each change, and the size of crops.
    """

    def __init__(self, recipe: TrainingSettings) -> None:
        self._recipe = recipe
        self._encodings = tuple(recipe.encodings.values())
        self._image_channels = _list_image_channels(recipe)

    def augment(self, pair: Pair, drawn: Augmentation, rng: np.random.Generator) -> Pair:
        """Return source and target after all changes.

        Args:
            pair: Source and target on the canvas.
            drawn: The random numbers of the slice that are drawn already.
            rng: The generator of further ones.
        """
        # These numbers come from generators of their own, so that a slice keeps its other numbers
        # when a setting is changed.
        shape_rng, scanner_rng = rng.spawn(2)
        source, target = self._vary_shapes(pair, drawn, shape_rng)
        if self._image_channels:
            source = self._vary_contrasts(source, drawn, rng)
            source = self._degrade_images(source, scanner_rng)
        return self._crop_patch(source, target, rng)

    def _vary_shapes(self, pair: Pair, drawn: Augmentation, rng: np.random.Generator) -> Pair:
        """Return a slice rotated and deformed."""
        settings = self._recipe.augmentation
        source, target = pair
        if settings.rotate:
            degrees = drawn.angle * settings.rotate
            source = rotate(source, degrees)
            target = rotate(target, degrees)
        if settings.deform and rng.random() < 0.5:
            _, rows, columns, _ = source.shape
            displacements = draw_deformation(rng, rows, columns, settings.deform)
            source = deform(source, displacements)
            target = deform(target, displacements)
        return source, target

    def _vary_contrasts(
        self,
        source: Slices,
        drawn: Augmentation,
        rng: np.random.Generator,
    ) -> Slices:
        """Return a source slice with a random contrast in each of its images."""
        strength = self._recipe.augmentation.intensity
        if not strength:
            return source
        factors, exponents = draw_contrasts(drawn, self._encodings, strength, rng)
        # Neighbouring slices have the same contrasts.
        slices = 2 * self._recipe.context + 1
        brighter = source * np.tile(factors, slices)
        return np.clip(brighter, 0, 1) ** np.tile(exponents, slices)

    def _degrade_images(self, source: Slices, rng: np.random.Generator) -> Slices:
        """Return a source slice whose images have a bias field and noise."""
        settings = self._recipe.augmentation
        if not (settings.bias or settings.noise):
            return source
        return degrade(source, self._image_channels, settings, rng)

    def _crop_patch(
        self,
        source: Slices,
        target: Slices,
        rng: np.random.Generator,
    ) -> Pair:
        """Return a random crop if the recipe asks for one."""
        patch = self._recipe.patch
        if patch is None:
            return source, target
        _, rows, columns, _ = source.shape
        top = int(rng.integers(0, max(rows - patch, 0) + 1))
        left = int(rng.integers(0, max(columns - patch, 0) + 1))
        bottom = top + patch
        right = left + patch
        return (
            source[:, top:bottom, left:right],
            target[:, top:bottom, left:right],
        )


def _list_image_channels(recipe: TrainingSettings) -> list[list[int]]:
    """Return the channels of each source image, in a slice and its neighbours."""
    images = []
    for name, side in recipe.named_sources.items():
        if side == "image":
            first = recipe.middle_channels[name].start % recipe.slice_channels
            images.append(list(range(first, recipe.source_channels, recipe.slice_channels)))
    return images
