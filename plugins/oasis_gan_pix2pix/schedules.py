"""Change the learning rates of the networks of Pix2Pix by schedules."""

from __future__ import annotations

from typing import Any

from oasis_gan_keras import ConsecutiveSchedules, ConstantThenLinear

from .recipe import Recipe


def make_generator_schedule(recipe: Recipe, steps: int) -> Any:  # noqa: ANN401 - Keras is untyped here
    """Return the generator's learning rate over ``steps`` updates, pretraining first."""
    pretraining = recipe.pretraining
    rate = recipe.generator_learning_rate or recipe.learning_rate
    adversarial_stage = ConstantThenLinear(rate, steps - pretraining.steps, recipe.decay_start)
    if not pretraining.steps:
        return adversarial_stage
    first_stage = ConstantThenLinear(
        pretraining.learning_rate, pretraining.steps, recipe.decay_start
    )
    return ConsecutiveSchedules(first_stage, pretraining.steps, adversarial_stage)


def make_discriminator_schedule(recipe: Recipe, steps: int) -> Any:  # noqa: ANN401
    """Return the discriminator's learning rate, which begins after pretraining."""
    adversarial_steps = steps - recipe.pretraining.steps
    return ConstantThenLinear(recipe.learning_rate, adversarial_steps, recipe.decay_start)
