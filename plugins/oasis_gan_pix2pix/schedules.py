"""The learning rates that both networks of Pix2Pix follow."""

from __future__ import annotations

from typing import Any

from oasis_gan_keras import ConsecutiveSchedules, ConstantThenLinear

from .recipe import Recipe


def generator_schedule(recipe: Recipe, steps: int) -> Any:  # noqa: ANN401 - Keras is untyped here
    """Return the generator's learning rate over ``steps`` updates, the smooth ones first."""
    rate, smooth = recipe.generator_learning_rate or recipe.learning_rate, recipe.smooth
    falling = ConstantThenLinear(rate, steps - smooth.steps, recipe.constant)
    if not smooth.steps:
        return falling
    return ConsecutiveSchedules(
        ConstantThenLinear(smooth.learning_rate, smooth.steps, recipe.constant),
        smooth.steps,
        falling,
    )


def discriminator_schedule(recipe: Recipe, steps: int) -> Any:  # noqa: ANN401
    """Return the discriminator's learning rate, which knows nothing of the smooth updates."""
    return ConstantThenLinear(recipe.learning_rate, steps - recipe.smooth.steps, recipe.constant)
