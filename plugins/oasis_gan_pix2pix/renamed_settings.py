"""The names that the settings of Pix2Pix had in earlier versions."""

from __future__ import annotations

from collections.abc import Mapping

import oasis_gan_keras

RENAMED_SETTINGS: Mapping[str, str] = {
    **oasis_gan_keras.RENAMED_SETTINGS,
    "generator.leak": "generator.leaky_relu_slope",
    "generator.widest": "generator.max_filter_multiple",
    "generator.test_as_training": "generator.inference_in_training_mode",
    "discriminator.leak": "discriminator.leaky_relu_slope",
    "discriminator.sees": "discriminator.input",
    "loss.halved": "loss.halve_discriminator_loss",
    "loss.prior": "loss.target_shrinkage",
    "loss.roughness": "loss.texture_gain",
    "smooth.steps": "pretraining.steps",
    "smooth.learning_rate": "pretraining.learning_rate",
    "smooth.texture": "pretraining.default_texture",
}
"""The present names of settings, by their earlier ones, which recipes and models can still have."""
