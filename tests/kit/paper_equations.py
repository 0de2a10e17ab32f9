"""The losses of the Pix2Pix paper and their gradients, in plain TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from oasis_gan_keras.backend import tf
from oasis_gan_pix2pix.trainer import Pix2PixTrainer

from kit.tiny_training import PREDICTION

Tensor = Any
Gradients = Mapping[str, NDArray[Any]]


def expected_losses(trainer: Pix2PixTrainer, source: Tensor, target: Tensor) -> dict[str, Tensor]:
    """Return the losses of equations 1 to 4 of the paper, in plain TensorFlow and float64."""
    inside = tf.cast(tf.reduce_sum(source, -1, keepdims=True) > 0, tf.float32)
    real = (2 * target) * inside - 1
    generated = (trainer.generator(source, training=True) + 1) * inside - 1

    def probability(image: Tensor) -> Tensor:
        if trainer.recipe.discriminator.input == "residual":
            image = ((image + 1) / 2 - source @ PREDICTION.weights) / PREDICTION.deviation
        shown = tf.concat([source, image], -1) if trainer.recipe.loss.conditional else image
        return 1 / (1 + tf.exp(tf.cast(-trainer.discriminator(shown, training=True), tf.float64)))

    def minus_log(probabilities: Tensor) -> Tensor:
        return tf.reduce_mean(-tf.math.log(probabilities))

    losses = {"L1": tf.reduce_mean(abs(real - generated)), "adversarial": 0.0, "discriminator": 0.0}
    if trainer.recipe.loss.adversarial:
        losses["adversarial"] = minus_log(probability(generated))
        losses["discriminator"] = (
            minus_log(probability(real)) + minus_log(1 - probability(generated))
        ) / 2
    return losses


def expected_gradients(
    trainer: Pix2PixTrainer, source: Tensor, target: Tensor
) -> tuple[dict[str, Tensor], dict[str, Gradients]]:
    """Return the losses, and the gradients of the networks that are trained, by variable."""
    objective = trainer.recipe.loss.objective
    with tf.GradientTape(persistent=True) as tape:
        losses = expected_losses(trainer, source, target)
        l1 = 100 * losses["L1"] if "L1" in objective else 0.0
        generator_loss = tf.cast(l1, tf.float64) + tf.cast(losses["adversarial"], tf.float64)
    objectives = {"generator": generator_loss}
    if trainer.recipe.loss.adversarial:
        objectives["discriminator"] = losses["discriminator"]
    gradients: dict[str, Gradients] = {}
    for name, loss in objectives.items():
        variables = getattr(trainer, name).trainable_variables
        values = tape.gradient(loss, variables)
        paths = [variable.path for variable in variables]
        gradients[name] = dict(zip(paths, map(np.asarray, values), strict=True))
    return losses, gradients
