"""Adam in one operation, and the learning rates it follows."""

from __future__ import annotations

from typing import Any

from .backend import keras, tf

Tensor = Any


class FusedAdam(keras.optimizers.Adam):  # type: ignore[misc]
    """Adam that is given gradients which are the mean over all devices already, and goes through memory once."""

    def update_step(self, gradient: Tensor, variable: Tensor, learning_rate: Tensor) -> None:
        """Update a variable and what is remembered of its gradients in one operation, where Keras takes ten."""
        index, step = self._get_variable_index(variable), tf.cast(self.iterations + 1, tf.float32)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=self.beta_1**step,
            beta2_power=self.beta_2**step,
            lr=tf.cast(learning_rate, tf.float32),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )

    def _all_reduce_sum_gradients(self, grads_and_vars: Any) -> Any:  # noqa: ANN401 - Keras' name, else it adds them up
        return grads_and_vars


class ConstantThenLinear(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """The paper's learning rate: constant, and then falling linearly to 0."""

    def __init__(self, rate: float, steps: int, constant: float) -> None:
        self.rate, self.steps, self.falling = rate, steps, max(steps - round(constant * steps), 1)

    def __call__(self, step: Tensor) -> Tensor:
        """Return the learning rate of an update, counted from 0."""
        return self.rate * tf.clip_by_value(
            (self.steps - tf.cast(step, tf.float32)) / self.falling, 0.0, 1.0
        )


class ConsecutiveSchedules(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """One schedule for the first steps, another from there on."""

    def __init__(self, first: ConstantThenLinear, steps: int, then: ConstantThenLinear) -> None:
        self.first, self.steps, self.then = first, steps, then

    def __call__(self, step: Tensor) -> Tensor:
        """Return the learning rate of an update, counted from 0."""
        return tf.where(step < self.steps, self.first(step), self.then(step - self.steps))
