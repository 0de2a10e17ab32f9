"""Train the generator and the discriminator against each other."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import numpy as np
from oasis_gan_keras import (
    Arrays,
    ChosenPrecision,
    Losses,
    LossInputs,
    Replicas,
    TrainableNetwork,
    Trainer,
)
from oasis_gan_keras.backend import tf

from . import losses, networks
from .prediction import LinearPrediction
from .recipe import Recipe
from .schedules import make_discriminator_schedule, make_generator_schedule

Tensor = Any

GENERATOR = "generator"
DISCRIMINATOR = "discriminator"
SMOOTH_END = "smooth_end"
"""The name in checkpoints of the weights at the end of the stage before the adversarial loss."""
_PRETRAINING_STAGE = "pretraining"  # without the discriminator
_FULL_STAGE = "full"  # with the discriminator
_BLUR_PIXELS = 0.45  # standard deviation of a Gaussian
_OFFSETS = np.arange(-2, 3)  # pixels
_TAPS = np.exp(-(_OFFSETS**2) / (2 * _BLUR_PIXELS**2))
_GAUSSIAN = np.outer(_TAPS, _TAPS) / _TAPS.sum() ** 2
_KERNEL = _GAUSSIAN.astype(np.float32)
_BLUR = _KERNEL[:, :, np.newaxis, np.newaxis]


class Pix2PixTrainer(Trainer):
    """Trains both networks, and has their losses.

    Args:
        recipe: The settings of the networks and the weights of the losses.
        prediction: The linear prediction of the target from the source.
        steps: The number of updates, on which the learning rate depends.
        replicas: The devices that share every batch.
        precision: The precision to compute in; that of the recipe if not given.
    """

    snapshot_names: ClassVar[tuple[str, ...]] = (SMOOTH_END,)

    def __init__(
        self,
        recipe: Recipe,
        prediction: LinearPrediction,
        steps: int,
        replicas: Replicas | None = None,
        precision: ChosenPrecision | None = None,
    ) -> None:
        self.recipe = recipe
        self.prediction = prediction
        self.loss_names = losses.find_names(recipe.loss)
        self._weights = losses.find_weights(recipe.loss)
        channels_in, channels_out = prediction.weights.shape
        channels_shown = channels_in if recipe.loss.conditional else 0
        generator = TrainableNetwork(
            build=partial(
                networks.build_generator,
                recipe.generator,
                channels_in,
                channels_out,
            ),
            learning_rate=make_generator_schedule(recipe, steps),
        )
        discriminator = TrainableNetwork(
            build=partial(
                networks.build_discriminator,
                recipe.discriminator,
                channels_shown,
                channels_out,
            ),
            learning_rate=make_discriminator_schedule(recipe, steps),
        )
        super().__init__(
            {GENERATOR: generator, DISCRIMINATOR: discriminator},
            recipe,
            replicas,
            precision,
            # The weights of pretraining have no part in the average of the full one.
            average_from=recipe.pretraining.steps,
        )

    @property
    def discriminator(self) -> Any:  # noqa: ANN401 - Keras is untyped here
        """The network that tells real slices from generated ones."""
        return self.networks[DISCRIMINATOR]

    @property
    def smooth_end(self) -> Arrays:
        """The weights that pretraining has left; empty before its end, or without it."""
        return self.snapshots.get(SMOOTH_END, {})

    @property
    def reported(self) -> tuple[str, ...]:
        """The names of the losses that are in use."""
        return losses.find_names_in_use(self.recipe.loss)

    def choose_stage(self, step: int) -> str:
        """Return the stage of an update; only the full stage has a discriminator."""
        if step < self.recipe.pretraining.steps or not self.recipe.loss.adversarial:
            return _PRETRAINING_STAGE
        return _FULL_STAGE

    def update(
        self,
        step: int,
        source: Tensor,
        target: Tensor,
    ) -> dict[str, float]:
        """Update the networks once, and keep the weights at the end of pretraining."""
        if step == self.recipe.pretraining.steps and step > 0:
            self.snapshots[SMOOTH_END] = self.weights()
        return super().update(step, source, target)

    def compute_losses(self, stage: str, source: Tensor, target: Tensor) -> Losses:
        """Return the losses of both networks (equations 1 to 4)."""
        settings = self.recipe.loss
        is_full = stage == _FULL_STAGE
        inputs = self.make_loss_inputs(source, target)
        l1_target = self._find_l1_target(inputs) if settings.target_shrinkage else inputs.real
        terms = losses.compute_image_losses(
            settings,
            inputs,
            l1_target,
            adversarial=is_full,
        )
        if is_full:
            on_real = self._discriminate(source, inputs.real)
            on_generated = self._discriminate(source, inputs.generated)
            terms |= losses.compute_adversarial_losses(settings, on_real, on_generated)
        means = {name: tf.reduce_mean(term) for name, term in terms.items()}
        objectives = {GENERATOR: self._sum_weighted(means)}
        if is_full:
            objectives[DISCRIMINATOR] = means[losses.DISCRIMINATOR]
        return Losses(objectives=objectives, metrics=means)

    def _sum_weighted(self, means: dict[str, Tensor]) -> Tensor:
        """Return the loss of the generator: the weighted sum of its terms."""
        objective = tf.constant(0.0)
        for name, mean in means.items():
            if name in self._weights:
                objective += self._weights[name] * mean
        return objective

    def _find_l1_target(self, inputs: LossInputs) -> Tensor:
        """Return the target of the L1 loss: the real image, shrunk towards a linear prediction.

        Trained on few heads, a network learns peculiarities of these heads. The linear prediction
        from the source, blurred as by a scanner, contains none of them. A mixture of both is closer
        to other heads than either.
        """
        prediction = tf.tensordot(inputs.source, self.prediction.weights, 1)
        blurred = tf.nn.conv2d(prediction, _BLUR, 1, "SAME")
        # Pixels outside the head do not count in the mean of those around them.
        weight = tf.nn.conv2d(inputs.mask, _BLUR, 1, "SAME")
        mean = tf.math.divide_no_nan(blurred, weight)
        prediction = 2 * inputs.mask * mean - 1
        difference = prediction - inputs.real
        return inputs.real + self.recipe.loss.target_shrinkage * difference

    def _discriminate(self, source: Tensor, image: Tensor) -> Tensor:
        """Return the discriminator's logits for images in [-1, 1]."""
        if self.recipe.discriminator.input == "residual":
            prediction = tf.tensordot(source, self.prediction.weights, 1)
            residual = (image + 1) / 2 - prediction
            image = residual / self.prediction.deviation
        if self.recipe.loss.conditional:
            image = tf.concat([source, image], -1)
        return self.discriminator(image, training=True)
