"""Draw the random numbers with which an `Augmenter` changes a training slice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oasis_gan import LabelSet, Percentiles, Plane

from .augmentation_settings import AugmentationSettings

Factors = NDArray[np.float32]


@dataclass(frozen=True)
class Placement:
    """How a slice is placed on the canvas.

    Args:
        scale: The factors by which rows and columns are enlarged.
        shift: The pixels by which the slice is shifted along rows and columns.
        flip: Whether left and right are swapped.
    """

    scale: tuple[float, float] = (1.0, 1.0)
    shift: tuple[int, int] = (0, 0)
    flip: bool = False


@dataclass(frozen=True)
class Augmentation:
    """The random numbers that change one slice.

    Args:
        placement: How the slice is placed on the canvas.
        angle: The rotation, from -1 to 1 times the largest.
        gain: The gain of the first source, from -1 to 1 times the largest change.
        gamma: The gamma of the first source, from -1 to 1 times the largest change.
    """

    placement: Placement
    angle: float
    gain: float
    gamma: float


def draw_augmentation(
    settings: AugmentationSettings,
    plane: Plane,
    rng: np.random.Generator,
) -> Augmentation:
    """Draw the augmentation of a slice.

    All numbers are drawn whether or not the settings use them, so that a slice keeps its other
    numbers when one setting is changed.

    Args:
        settings: The largest changes.
        plane: The plane of the slice; a sagittal slice has no left and right to swap.
        rng: The generator to draw from.
    """
    reach = settings.shift
    rows, columns = rng.integers(-reach, reach + 1, 2)
    zoom = rng.uniform(-settings.zoom, settings.zoom, 2)
    is_zoomed = rng.random() < 0.5
    is_flipped = rng.random() < 0.5
    angle, gain, gamma = rng.uniform(-1, 1, 3)
    zoom_factors = 1 + zoom if is_zoomed else np.ones(2)
    row_scale, column_scale = settings.enlarge * zoom_factors
    placement = Placement(
        scale=(row_scale, column_scale),
        shift=(int(rows), int(columns)),
        flip=is_flipped and settings.flip and plane is not Plane.SAGITTAL,
    )
    return Augmentation(placement, angle, gain, gamma)


def draw_contrasts(
    drawn: Augmentation,
    encodings: Iterable[LabelSet | Percentiles],
    strength: float,
    rng: np.random.Generator,
) -> tuple[Factors, Factors]:
    """Return a random factor and exponent for each channel of a slice.

    Each image has a contrast of its own. Labels have the factor and the exponent 1.

    Args:
        drawn: The augmentation of the slice, which has the gain and gamma of the first source.
        encodings: The encoding of each source.
        strength: The largest change of gain and gamma.
        rng: The generator of the gains and gammas of further sources.
    """
    factors: list[float] = []
    exponents: list[float] = []
    gain = drawn.gain
    gamma = drawn.gamma
    for index, encoding in enumerate(encodings):
        if index:
            gain, gamma = rng.uniform(-1, 1, 2)
        own_strength = 0.0 if encoding.content == "labels" else strength
        factors += [1 + gain * own_strength] * encoding.channels
        exponents += [1 + gamma * own_strength] * encoding.channels
    # In 64 bits, which is NumPy's default, they would widen the slices too.
    return (
        np.array(factors, np.float32),
        np.array(exponents, np.float32),
    )
