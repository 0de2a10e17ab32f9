"""Change the learning rates of the networks of Pix2Pix by schedules."""

from __future__ import annotations

from typing import Any

from oasis_gan_keras import ConsecutiveSchedules, ConstantThenLinear

from .recipe import Recipe


def make_generator_schedule(recipe: Recipe, steps: int) -> Any:  # noqa: ANN401 - Keras is untyped here
    """Return the generator's learning rate over ``steps`` updates, the smooth stage first."""
    smooth = recipe.smooth
    rate = recipe.generator_learning_rate or recipe.learning_rate
    adversarial_stage = ConstantThenLinear(rate, steps - smooth.steps, recipe.constant)
    if not smooth.steps:
        return adversarial_stage
    smooth_stage = ConstantThenLinear(smooth.learning_rate, smooth.steps, recipe.constant)
    return ConsecutiveSchedules(smooth_stage, smooth.steps, adversarial_stage)


def make_discriminator_schedule(recipe: Recipe, steps: int) -> Any:  # noqa: ANN401
    """Return the discriminator's learning rate, which begins after the smooth stage."""
    adversarial_steps = steps - recipe.smooth.steps
    return ConstantThenLinear(recipe.learning_rate, adversarial_steps, recipe.constant)
