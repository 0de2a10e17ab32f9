"""Training a generator against a discriminator, with `tf.GradientTape`."""

from __future__ import annotations

import importlib.metadata
import time
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from oasis_gan import Canvas, OasisGanError, TrainingRequest, Window

from . import losses, networks, store
from .backend import keras, tf
from .pairs import LinearPrediction, Pairs
from .recipe import Recipe
from .translator import get_weights

Tensor = Any
_REPORT_EVERY = 100  # steps
_SAVE_EVERY = 500  # steps: a run that is stopped leaves a model that works
_SAMPLE = 48  # slices to measure on


def train(request: TrainingRequest) -> None:
    """Train on ``request.subjects`` and write the model folder ``request.out``.

    Raises:
        OasisGanError: If the recipe or the data do not do, or the loss is no longer finite.
        OSError: As the file system says.
    """
    recipe = parse_recipe(request.recipe)
    keras.utils.set_random_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    pairs = Pairs(request.subjects, recipe, request.report)
    held_out = Pairs(request.validation, recipe, request.report) if request.validation else None
    request.report(f"{len(pairs)} slices of {', '.join(pairs.names)}")
    trainer = Trainer(recipe, LinearPrediction.of(pairs.sample(_SAMPLE)))
    started, sums = time.monotonic(), np.zeros(3)
    for step, (source, target) in zip(range(1, recipe.steps + 1), pairs.epochs(rng), strict=False):
        sums += trainer.step(source, target)
        if not np.isfinite(sums).all():
            remedy = "lower the learning rate; the last saved model is kept"
            raise OasisGanError(f"step {step}", expected="finite losses", found=f"{sums}", remedy=remedy)
        if step % _REPORT_EVERY == 0 or step == recipe.steps:
            request.report(
                _line(step, recipe.steps, started, sums / ((step - 1) % _REPORT_EVERY + 1), trainer, held_out)
            )
            sums[:] = 0
        if step % _SAVE_EVERY == 0 or step == recipe.steps:
            _save(request.out, recipe, trainer, pairs, held_out, step)


def parse_recipe(settings: Any) -> Recipe:  # noqa: ANN401 - whatever a TOML file holds
    """Return checked settings, or raise `OasisGanError` naming the first that is wrong."""
    try:
        return Recipe.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        where = "recipe: " + ".".join(str(part) for part in first["loc"])
        found = f"{first['input']!r}"
        raise OasisGanError(where, expected=first["msg"], found=found, remedy="mend the recipe") from None


class Trainer:
    """Both networks, both optimizers, and one step of the game between them.

    Args:
        recipe: How they are built, and what their losses weigh.
        prediction: What the discriminator is not shown, because the source tells it.
    """

    def __init__(self, recipe: Recipe, prediction: LinearPrediction) -> None:
        channels_in, channels_out = prediction.weights.shape
        self.recipe, self.prediction = recipe, prediction
        self.generator = networks.generator(recipe.generator, channels_in, channels_out)
        self.discriminator = networks.discriminator(recipe.discriminator, channels_in, channels_out)
        self._generator_optimizer = _optimizer(recipe, recipe.generator_learning_rate or recipe.learning_rate)
        self._discriminator_optimizer = _optimizer(recipe, recipe.learning_rate)
        self._generator_optimizer.build(self.generator.trainable_variables)
        self._discriminator_optimizer.build(self.discriminator.trainable_variables)
        self._step = tf.function(self._traced_step, reduce_retracing=True)
        self._l1 = tf.function(lambda x, y: losses.l1(*_inside(x, y, self.generator(x, training=False))))

    def step(self, source: Tensor, target: Tensor) -> Tensor:
        """Update both networks once.

        Args:
            source: (n, rows, columns, channels_in) in [0, 1].
            target: (n, rows, columns, channels_out) in [0, 1].

        Returns:
            The L1, adversarial and discriminator losses before the update.
        """
        return self._step(tf.constant(source), tf.constant(target)).numpy()

    def validation_l1(self, source: Tensor, target: Tensor) -> float:
        """Return the mean absolute difference of [0, 1] intensities over these slices, as `step` takes them."""
        parts = [
            self._l1(tf.constant(source[i : i + 8]), tf.constant(target[i : i + 8])) for i in range(0, len(source), 8)
        ]
        return float(np.mean(parts)) / 2

    def _traced_step(self, source: Tensor, target: Tensor) -> Tensor:
        recipe, nothing = self.recipe, tf.constant(0.0)
        adversarial, discrimination = nothing, nothing
        with tf.GradientTape(persistent=True) as tape:
            real, generated = _inside(source, target, self.generator(source, training=True))
            l1 = losses.l1(real, generated)
            if recipe.adversarial_weight:
                judged_generated = self._judge(source, generated)
                adversarial = losses.adversarial(judged_generated)
                discrimination = losses.discrimination(self._judge(source, real), judged_generated)
            objective = recipe.l1_weight * l1 + recipe.adversarial_weight * adversarial
        _apply(self._generator_optimizer, tape, objective, self.generator)
        if recipe.adversarial_weight:
            _apply(self._discriminator_optimizer, tape, discrimination, self.discriminator)
        return tf.stack([l1, adversarial, discrimination])

    def _judge(self, source: Tensor, image: Tensor) -> Tensor:
        """Return the discriminator's logits for images in [-1, 1]: what the source does not tell, at unit scale."""
        left = (image + 1) / 2 - tf.tensordot(source, self.prediction.weights, 1)
        return self.discriminator(tf.concat([source, left / self.prediction.deviation], -1), training=True)


def _inside(source: Tensor, target: Tensor, generated: Tensor) -> tuple[Tensor, Tensor]:
    """Return target and generated slices in [-1, 1], both of them background where the source is.

    What is made there is thrown away when a volume is translated, so nothing is to be learnt from it.
    """
    inside = tf.cast(tf.reduce_max(source, -1, keepdims=True) > 0, tf.float32)
    return (target * 2) * inside - 1, (generated + 1) * inside - 1


def _apply(optimizer: Any, tape: Any, loss: Tensor, network: Any) -> None:  # noqa: ANN401 - Keras is untyped here
    variables = network.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))


def _optimizer(recipe: Recipe, learning_rate: float) -> Any:  # noqa: ANN401
    """Return Adam as in the paper; its learning rate is constant and then falls linearly to 0."""
    constant = round(recipe.constant * recipe.steps)

    class ConstantThenLinear(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
        def __call__(self, step: Tensor) -> Tensor:
            left = (recipe.steps - tf.cast(step, tf.float32)) / max(recipe.steps - constant, 1)
            return learning_rate * tf.clip_by_value(left, 0.0, 1.0)

    return keras.optimizers.Adam(ConstantThenLinear(), beta_1=0.5)


def _line(step: int, steps: int, started: float, means: Any, trainer: Trainer, held_out: Pairs | None) -> str:  # noqa: ANN401
    left = (time.monotonic() - started) / step * (steps - step)
    l1, adversarial, discrimination = means
    line = f"step {step}/{steps}  L1 {l1 / 2:.4f}  adversarial {adversarial:.3f}  discriminator {discrimination:.3f}"
    if held_out is not None:
        line += f"  held-out L1 {trainer.validation_l1(*held_out.sample(_SAMPLE)):.4f}"
    return f"{line}  {left / 60:.1f} min left"


def _save(out: Path, recipe: Recipe, trainer: Trainer, pairs: Pairs, held_out: Pairs | None, step: int) -> None:
    software = ("oasis-gan", "tensorflow", "keras", "numpy")
    store.write_model(
        out,
        get_weights(trainer.generator),
        name=recipe.name,
        version=recipe.version,
        output=recipe.output,
        source=recipe.label_set,
        target=Window.mean(pairs.windows),
        planes=recipe.planes,
        canvas=Canvas(recipe.spacing, recipe.size, recipe.multiple),
        generator=recipe.generator,
        training={
            "step": step,
            "subjects": pairs.names,
            "held_out": held_out.names if held_out else [],
            "slices": len(pairs),
            "recipe": recipe.model_dump(mode="json"),
        },
        software={name: importlib.metadata.version(name) for name in software},
    )
