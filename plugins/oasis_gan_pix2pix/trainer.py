"""The game between generator and discriminator: one update of both, with `tf.GradientTape`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from oasis_gan_keras.backend import compiled, keras, tf
from oasis_gan_keras.hardware import ChosenPrecision, choose_precision, computing_in
from oasis_gan_keras.optimizers import FusedAdam
from oasis_gan_keras.team import Team, all_reduced
from oasis_gan_keras.variables import assign, read, weights

from . import losses, networks
from .prediction import LinearPrediction
from .recipe import Recipe
from .schedules import discriminator_schedule, generator_schedule

Tensor = Any
Arrays = dict[str, NDArray[Any]]

FIGURES = ("L1", "texture", "adversarial", "discriminator", "generator_gradient", "discriminator_gradient")
"""What an update is watched by: four losses, and the Euclidean norm of each network's gradient."""
_BATCH = 8  # slices that are validated at once
_TAPS = np.exp(-(np.arange(-2, 3) ** 2) / (2 * 0.45**2))  # a Gaussian of 0.45 pixels
_BLUR = (np.outer(_TAPS, _TAPS) / _TAPS.sum() ** 2).astype(np.float32)[:, :, np.newaxis, np.newaxis]


class Trainer:
    """Both networks, both optimizers, and one update of them.

    Args:
        recipe: How they are built, and what their losses weigh.
        prediction: What the source tells of the target by a linear guess.
        steps: How many updates there will be; the learning rate follows it.
        team: The devices that share every batch.
        precision: To compute in; the recipe's if not given.
    """

    def __init__(
        self,
        recipe: Recipe,
        prediction: LinearPrediction,
        steps: int,
        team: Team | None = None,
        precision: ChosenPrecision | None = None,
    ) -> None:
        channels_in, channels_out = prediction.weights.shape
        self.recipe, self.prediction, self.team = recipe, prediction, team or Team(tf.distribute.get_strategy())
        self.precision = (precision or choose_precision(recipe.precision)).precision
        self.smooth_end: Arrays = {}
        self._criterion = losses.CRITERIA[recipe.loss.gan]
        judged = channels_in if recipe.loss.conditional else 0
        with self.team.strategy.scope(), computing_in(self.precision):
            self.generator = networks.generator(recipe.generator, channels_in, channels_out)
            self.discriminator = networks.discriminator(recipe.discriminator, judged, channels_out)
            # What is validated and kept: the generator itself, or the moving average of its weights.
            self.kept = self.generator
            if recipe.averaging:
                self.kept = networks.generator(recipe.generator, channels_in, channels_out)
                assign(self.kept, weights(self.generator), "generator")
        with self.team.strategy.scope():
            self._generator_optimizer = self._adam(generator_schedule(recipe, steps), self.generator)
            self._discriminator_optimizer = self._adam(discriminator_schedule(recipe, steps), self.discriminator)
        self._part_seeds()
        self._smooth_update, self._full_update = (
            compiled(partial(self._shared_update, adversarial)) for adversarial in (False, recipe.loss.adversarial)
        )
        self._generate = compiled(lambda source: self.kept(source, training=False))

    def update(self, step: int, source: Tensor, target: Tensor) -> NDArray[np.float32]:
        """Update both networks once.

        Args:
            step: Number of the update, from 0.
            source: This worker's part of the batch, (n, rows, columns, channels_in) in [0, 1].
            target: (n, rows, columns, channels_out) in [0, 1].

        Returns:
            The `FIGURES` before the update.
        """
        if step == self.recipe.smooth.steps and step > 0:
            self.smooth_end = weights(self.kept)
        update = self._smooth_update if step < self.recipe.smooth.steps else self._full_update
        return self.team.one(update(*self.team.spread(source, target)))

    def generate(self, source: Tensor) -> NDArray[np.float32]:
        """Return generated slices (n, rows, columns, channels_out) in [0, 1], 0 where the source is background."""
        parts = [
            np.asarray(self._generate(tf.constant(source[first : first + _BATCH])))
            for first in range(0, len(source), _BATCH)
        ]
        return np.asarray((np.concatenate(parts) / 2 + 0.5) * (source.max(-1, keepdims=True) > 0), np.float32)

    def state(self) -> Arrays:
        """Return all that changes while training, by name."""
        parts = {name: read(owner) for name, owner in self._owners().items()}
        parts["smooth_end"] = self.smooth_end
        return {f"{part}/{name}": array for part, arrays in parts.items() for name, array in arrays.items()}

    def restore(self, state: Mapping[str, NDArray[Any]], where: object) -> None:
        """Go back to a state: that of the chief, whatever the others give.

        Raises:
            OasisGanError: If it is that of other networks.
        """
        parts: dict[str, Arrays] = {}
        for name, array in state.items():
            part, _, rest = name.partition("/")
            parts.setdefault(part, {})[rest] = array
        self.smooth_end = parts.pop("smooth_end", {})
        for name, owner in self._owners().items():
            assign(owner, parts.get(name, {}), where)
            shared = self.team.from_chief(list(read(owner).values()))
            assign(owner, dict(zip(read(owner), shared, strict=True)), where)
        self._part_seeds()

    def _part_seeds(self) -> None:
        """Give each device a dropout of its own: they were made alike."""
        seeds = [variable for variable in self.generator.variables if "seed" in variable.path]

        def part() -> None:
            device = tf.distribute.get_replica_context().replica_id_in_sync_group
            for seed in seeds:
                seed.assign(seed.value + tf.cast(device, seed.dtype) * tf.constant([1, 0], seed.dtype))

        if seeds and self.team.devices > 1:
            compiled(lambda: self.team.run(part))()

    def _owners(self) -> dict[str, Any]:
        owners = {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "generator_optimizer": self._generator_optimizer,
            "discriminator_optimizer": self._discriminator_optimizer,
        }
        return owners | ({"kept": self.kept} if self.recipe.averaging else {})

    def _shared_update(self, adversarial: bool, source: Tensor, target: Tensor) -> Tensor:
        return self.team.run(partial(self._update, adversarial), source, target)

    def _update(self, adversarial: bool, source: Tensor, target: Tensor) -> Tensor:
        """Update both networks by what all devices find in their parts of the batch."""
        weigh, zero = self.recipe.loss, tf.constant(0.0)
        texture, fooling, discrimination = zero, zero, zero
        with tf.GradientTape(persistent=True) as tape:
            real, generated = _inside(source, target, self.generator(source, training=True))
            wanted = self._wanted(source, real) if weigh.prior else real
            l1 = tf.reduce_mean(losses.l1(wanted, generated))
            objective = weigh.l1_weight * l1 if weigh.pixelwise else zero
            if adversarial:
                if weigh.texture_weight:
                    texture = tf.reduce_mean(losses.texture(real, generated, weigh.roughness))
                    objective += weigh.texture_weight * texture
                on_real, on_generated = self._judge(source, real), self._judge(source, generated)
                fooling = tf.reduce_mean(losses.adversarial(self._criterion, on_generated))
                discrimination = tf.reduce_mean(
                    losses.discrimination(self._criterion, on_real, on_generated, weigh.halved)
                )
                objective += weigh.gan_weight * fooling
            scaled = [
                self._generator_optimizer.scale_loss(objective),
                self._discriminator_optimizer.scale_loss(discrimination),
            ]
        learning = [
            (self._generator_optimizer, self.generator, scaled[0]),
            (self._discriminator_optimizer, self.discriminator, scaled[1]),
        ][: 1 + adversarial]
        gradients = [tape.gradient(loss, network.trainable_variables) for _, network, loss in learning]
        # Batch norm's moving statistics; the seeds of dropout are whole numbers.
        moving = [v for _, network, _ in learning for v in network.non_trainable_variables if "float" in v.dtype]
        figures = tf.stack([l1, texture, fooling, discrimination])
        # The parts are of one size: the mean of their means is that of the batch, and the same on all devices.
        gradients, figures, means = all_reduced("MEAN", (gradients, figures, [v.value for v in moving]))
        for variable, mean in zip(moving, means, strict=True):
            variable.assign(mean)
        for (optimizer, network, _), gradient in zip(learning, gradients, strict=True):
            optimizer.apply(gradient, network.trainable_variables)
        if self.recipe.averaging:
            self._average()
        norms = [tf.linalg.global_norm(gradient) for gradient in gradients]
        return tf.concat([figures, tf.stack([*norms, zero][:2])], 0)

    def _wanted(self, source: Tensor, real: Tensor) -> Tensor:
        """Return what generated images are to come near: the real one, drawn to a guess that no head has taught.

        From few heads a network learns what is theirs alone. The linear guess from the source, blurred as a scanner
        does, knows nothing of that; half-way between the two is nearer to other heads than either.
        """
        inside = tf.cast(tf.reduce_max(source, -1, keepdims=True) > 0, tf.float32)
        blurred, weight = (
            tf.nn.conv2d(image, _BLUR, 1, "SAME")
            for image in (tf.tensordot(source, self.prediction.weights, 1), inside)
        )
        guess = 2 * inside * tf.math.divide_no_nan(blurred, weight) - 1
        return real + self.recipe.loss.prior * (guess - real)

    def _judge(self, source: Tensor, image: Tensor) -> Tensor:
        """Return the discriminator's logits for images in [-1, 1]."""
        if self.recipe.discriminator.sees == "residual":
            left = (image + 1) / 2 - tf.tensordot(source, self.prediction.weights, 1)
            image = left / self.prediction.deviation
        shown = tf.concat([source, image], -1) if self.recipe.loss.conditional else image
        return self.discriminator(shown, training=True)

    def _average(self) -> None:
        """Move the kept weights towards those of the generator; faster at first, when there is little to average.

        Where the adversarial loss sets in it begins anew: the smooth end has no part in the textured one.
        """
        step, smooth = self._generator_optimizer.iterations, self.recipe.smooth.steps
        step = tf.cast(step - tf.where(step > smooth, smooth, 0), tf.float32)
        decay = tf.minimum(self.recipe.averaging, (1 + step) / (10 + step))
        for kept, trained in zip(self.kept.variables, self.generator.variables, strict=True):
            if "float" in kept.dtype:
                kept.assign(decay * kept + (1 - decay) * trained)

    def _adam(self, schedule: Any, network: Any) -> Any:  # noqa: ANN401 - Keras is untyped here
        # Named: the names Keras gives tell how many optimizers the process has made.
        optimizer = FusedAdam(schedule, beta_1=0.5, name="adam")
        if self.precision == "float16":
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer, name="loss_scale")
        optimizer.build(network.trainable_variables)
        return optimizer


def _inside(source: Tensor, target: Tensor, generated: Tensor) -> tuple[Tensor, Tensor]:
    """Return target and generated slices in [-1, 1], both of them background where the source is.

    What is made there is thrown away when a volume is translated, so nothing is to be learnt from it.
    """
    inside = tf.cast(tf.reduce_max(source, -1, keepdims=True) > 0, tf.float32)
    return (target * 2) * inside - 1, (generated + 1) * inside - 1
