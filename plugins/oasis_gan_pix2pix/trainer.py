"""The game between generator and discriminator: what each of them is trained for."""

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
from .schedules import discriminator_schedule, generator_schedule

Tensor = Any

GENERATOR, DISCRIMINATOR = "generator", "discriminator"
SMOOTH_END = "smooth_end"
"""What a checkpoint calls the weights that the stage before the adversarial loss ended with."""
_SMOOTH, _FULL = "smooth", "full"  # stages: without and with the discriminator
_TAPS = np.exp(-(np.arange(-2, 3) ** 2) / (2 * 0.45**2))  # a Gaussian of 0.45 pixels
_BLUR = (np.outer(_TAPS, _TAPS) / _TAPS.sum() ** 2).astype(np.float32)[:, :, np.newaxis, np.newaxis]


class Pix2PixTrainer(Trainer):
    """Both networks, and what they are trained for.

    Args:
        recipe: How they are built, and what their losses weigh.
        prediction: What the source tells of the target by a linear guess.
        steps: How many updates there will be; the learning rate follows it.
        replicas: The devices that share every batch.
        precision: To compute in; the recipe's if not given.
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
        judged = channels_in if recipe.loss.conditional else 0
        generator = TrainableNetwork(
            build=partial(networks.generator, recipe.generator, channels_in, channels_out),
            learning_rate=generator_schedule(recipe, steps),
        )
        discriminator = TrainableNetwork(
            build=partial(networks.discriminator, recipe.discriminator, judged, channels_out),
            learning_rate=discriminator_schedule(recipe, steps),
        )
        both = {GENERATOR: generator, DISCRIMINATOR: discriminator}
        # The smooth end has no part in the average of the textured one.
        super().__init__(both, recipe, replicas, precision, average_from=recipe.smooth.steps)

    @property
    def generator(self) -> Any:  # noqa: ANN401 - Keras is untyped here
        """The generator that learns."""
        return self.networks[GENERATOR]

    @property
    def discriminator(self) -> Any:  # noqa: ANN401
        """The discriminator."""
        return self.networks[DISCRIMINATOR]

    @property
    def smooth_end(self) -> Arrays:
        """The weights that the smooth stage ended with; none before that, or without such a stage."""
        return self.snapshots.get(SMOOTH_END, {})

    @property
    def reported(self) -> tuple[str, ...]:
        """The losses that the recipe has."""
        return losses.find_names_in_use(self.recipe.loss)

    def choose_stage(self, step: int) -> str:
        """Return whether the discriminator takes part in an update."""
        smooth = step < self.recipe.smooth.steps or not self.recipe.loss.adversarial
        return _SMOOTH if smooth else _FULL

    def update(self, step: int, source: Tensor, target: Tensor) -> dict[str, float]:
        """Update the networks once; where the smooth stage ends, its weights are kept."""
        if step == self.recipe.smooth.steps and step > 0:
            self.snapshots[SMOOTH_END] = self.weights()
        return super().update(step, source, target)

    def compute_losses(self, stage: str, source: Tensor, target: Tensor) -> Losses:
        """Return what both networks minimise (equations 1 to 4)."""
        settings = self.recipe.loss
        inputs = self.make_loss_inputs(source, target)
        goal = self._find_l1_target(inputs) if settings.prior else inputs.real
        terms = losses.compare(settings, inputs, goal, adversarial=stage == _FULL)
        if stage == _FULL:
            on_real = self._discriminate(source, inputs.real)
            on_generated = self._discriminate(source, inputs.generated)
            terms |= losses.judge(settings, on_real, on_generated)
        means = {name: tf.reduce_mean(term) for name, term in terms.items()}
        objectives = {GENERATOR: self._sum_weighted(means)}
        if stage == _FULL:
            objectives[DISCRIMINATOR] = means[losses.DISCRIMINATOR]
        return Losses(objectives=objectives, metrics=means)

    def _sum_weighted(self, means: dict[str, Tensor]) -> Tensor:
        """Return what the generator minimises: its terms, each times its weight."""
        objective = tf.constant(0.0)
        for name, mean in means.items():
            if name in self._weights:
                objective += self._weights[name] * mean
        return objective

    def _find_l1_target(self, inputs: LossInputs) -> Tensor:
        """Return what generated images should come near: the real one, drawn to a guess that no head has taught.

        From few heads a network learns what is theirs alone. The linear guess from the source, blurred as a scanner
        does, knows nothing of that; half-way between the two is nearer to other heads than either.
        """
        guess = tf.tensordot(inputs.source, self.prediction.weights, 1)
        blurred = tf.nn.conv2d(guess, _BLUR, 1, "SAME")
        weight = tf.nn.conv2d(inputs.inside, _BLUR, 1, "SAME")
        guess = 2 * inputs.inside * tf.math.divide_no_nan(blurred, weight) - 1
        return inputs.real + self.recipe.loss.prior * (guess - inputs.real)

    def _discriminate(self, source: Tensor, image: Tensor) -> Tensor:
        """Return the discriminator's logits for images in [-1, 1]."""
        if self.recipe.discriminator.sees == "residual":
            left = (image + 1) / 2 - tf.tensordot(source, self.prediction.weights, 1)
            image = left / self.prediction.deviation
        shown = tf.concat([source, image], -1) if self.recipe.loss.conditional else image
        return self.discriminator(shown, training=True)
