"""Update weights by Adam in a single operation, with schedules of the learning rate."""

from __future__ import annotations

from typing import Any

from .backend import keras, tf

Tensor = Any


class FusedAdam(keras.optimizers.Adam):  # type: ignore[misc]
    """Adam in one pass through memory, for gradients that are already averaged over all devices."""

    def update_step(
        self,
        gradient: Tensor,
        variable: Tensor,
        learning_rate: Tensor,
    ) -> None:
        """Update a variable and its moments in one operation, where Keras needs ten."""
        index = self._get_variable_index(variable)
        step = tf.cast(self.iterations + 1, tf.float32)
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

    def _all_reduce_sum_gradients(self, grads_and_vars: Any) -> Any:  # noqa: ANN401
        # Overrides a method of Keras that would add up the gradients of all devices.
        return grads_and_vars


class ConstantThenLinear(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """The learning rate of the paper, which is constant at first and then falls linearly to 0.

    Args:
        rate: The learning rate at first.
        steps: The number of updates.
        constant: The fraction of them at the constant rate.
    """

    def __init__(self, rate: float, steps: int, constant: float) -> None:
        self.rate = rate
        self.steps = steps
        self.falling_steps = max(steps - round(constant * steps), 1)

    def __call__(self, step: Tensor) -> Tensor:
        """Return the learning rate of an update, counted from 0."""
        remaining = (self.steps - tf.cast(step, tf.float32)) / self.falling_steps
        return self.rate * tf.clip_by_value(remaining, 0.0, 1.0)


class ConsecutiveSchedules(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """Two schedules, of which the second takes over after the first steps.

    Args:
        first: The schedule of the first steps.
        steps: The number of steps it is used for.
        then: The schedule of the steps after them, which it counts from 0.
    """

    def __init__(self, first: ConstantThenLinear, steps: int, then: ConstantThenLinear) -> None:
        self.first = first
        self.steps = steps
        self.then = then

    def __call__(self, step: Tensor) -> Tensor:
        """Return the learning rate of an update, counted from 0."""
        return tf.where(
            step < self.steps,
            self.first(step),
            self.then(step - self.steps),
        )
