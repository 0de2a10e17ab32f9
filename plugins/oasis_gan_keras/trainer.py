"""Train one or more networks, on one device or on many, one update at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .backend import compiled, for_any_size, keras, tf
from .hardware import ChosenPrecision, choose_precision, computing_in
from .loss_inputs import LossInputs
from .optimizers import FusedAdam
from .replicas import Replicas, all_reduce
from .training_settings import TrainingSettings
from .variables import assign, read_variables, read_weights

Tensor = Any
Network = Any
Arrays = dict[str, NDArray[Any]]
_BATCH = 8  # slices that are generated at once


@dataclass(frozen=True, kw_only=True)
class TrainableNetwork:
    """A network that can be trained.

    Args:
        build: A function that builds the network with new weights.
        learning_rate: A number, or a Keras schedule.
    """

    build: Callable[[], Network]
    learning_rate: Any


@dataclass(frozen=True, kw_only=True)
class Losses:
    """The losses that one update computes.

    Args:
        objectives: The scalar that each network minimises, by the name of the network. A network
            without one is not updated.
        metrics: The scalars to report, by name.
    """

    objectives: Mapping[str, Tensor]
    metrics: Mapping[str, Tensor]


class Trainer(ABC):
    """Networks and their optimizers, which are updated together.

    A plugin derives a class from it, whose `compute_losses` says what each network minimises.

    Args:
        networks: The networks by name. The first is the one that translates; its outputs are in
            [-1, 1].
        settings: The precision, and the decay of the moving average of weights.
        replicas: The devices that share every batch; a single device if not given.
        precision: The precision to compute in; that of the settings if not given.
        average_from: The step at which the moving average of weights starts again.
    """

    loss_names: tuple[str, ...]
    """The names of the metrics of `compute_losses`, in the order of the table of losses.

    Set them before calling `__init__`.
    """
    headline: ClassVar[str] = "L1"
    """The metric that is shown beside the progress of a training."""
    snapshot_names: ClassVar[tuple[str, ...]] = ()
    """The names that `snapshots` may have, which hold the weights of an earlier step."""

    def __init__(
        self,
        networks: Mapping[str, TrainableNetwork],
        settings: TrainingSettings,
        replicas: Replicas | None = None,
        precision: ChosenPrecision | None = None,
        average_from: int = 0,
    ) -> None:
        chosen = precision or choose_precision(settings.precision)
        self.replicas = replicas or Replicas(tf.distribute.get_strategy())
        self.precision = chosen.precision
        self.snapshots: dict[str, Arrays] = {}
        self._support = settings.support_channels
        self._decay = settings.averaging
        self._average_from = average_from
        self._generator_name = next(iter(networks))
        with self.replicas.strategy.scope(), computing_in(self.precision):
            self.networks = {name: network.build() for name, network in networks.items()}
            # The network that is validated and saved: the generator itself, or the moving average
            # of its weights.
            self.inference_network = self.networks[self._generator_name]
            if self._decay:
                self.inference_network = self._copy_generator(networks[self._generator_name])
        with self.replicas.strategy.scope():
            self.optimizers = {
                name: self._build_adam(network.learning_rate, self.networks[name])
                for name, network in networks.items()
            }
        self._separate_seeds()
        self._updates: dict[str, Callable[..., Tensor]] = {}
        self._generate: Callable[[Tensor], Tensor] | None = None

    @abstractmethod
    def compute_losses(self, stage: str, source: Tensor, target: Tensor) -> Losses:
        """Return what the networks minimise, for slices (n, rows, columns, channels) in [0, 1].

        It is called on each device with its part of the batch, inside a `tf.GradientTape` and a
        `tf.function`.

        Args:
            stage: The stage of the training, as `choose_stage` returns it.
            source: The slices to translate.
            target: The true translations.
        """

    def choose_stage(self, step: int) -> str:
        """Return the stage of the training that contains an update.

        Each stage has its own losses.
        """
        return ""

    @property
    def reported(self) -> tuple[str, ...]:
        """The names of the metrics that the log shows; the table has all of them."""
        return self.loss_names

    @cached_property
    def gradients(self) -> tuple[str, ...]:
        """Return the names of the Euclidean norms of the networks' gradients."""
        return tuple(f"{name}_gradient" for name in self.networks)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of all metrics of an update; a metric is 0 where the stage has no such loss."""
        return self.loss_names + self.gradients

    def update(self, step: int, source: Tensor, target: Tensor) -> dict[str, float]:
        """Update all networks of the stage once.

        Args:
            step: The number of the update, from 0.
            source: This worker's part of the batch, (n, rows, columns, source channels) in [0, 1].
            target: The true translations, (n, rows, columns, target channels) in [0, 1].

        Returns:
            The `metrics` before the update, by name.
        """
        stage = self.choose_stage(step)
        parts = self.replicas.distribute(source, target)
        if stage not in self._updates:
            update = partial(self._update_on_all_devices, stage)
            self._updates[stage] = compiled(update, input_signature=for_any_size(parts))
        values = self.replicas.local_value(self._updates[stage](*parts))
        return dict(zip(self.metrics, values.tolist(), strict=True))

    def state(self) -> Arrays:
        """Return everything that changes during training, by name."""
        parts = {name: read_variables(owner) for name, owner in self._list_owners().items()}
        for name in self.snapshot_names:
            parts[name] = self.snapshots.get(name, {})
        return {
            f"{part}/{name}": array
            for part, arrays in parts.items()
            for name, array in arrays.items()
        }

    def restore(self, state: Mapping[str, NDArray[Any]], where: object) -> None:
        """Restore a state on all workers: the one that the chief is given.

        Raises:
            WrongShapeError: If it is the state of other networks.
        """
        parts: dict[str, Arrays] = {}
        for name, array in state.items():
            part, _, rest = name.partition("/")
            parts.setdefault(part, {})[rest] = array
        self.snapshots = {name: parts[name] for name in self.snapshot_names if name in parts}
        for name, owner in self._list_owners().items():
            assign(owner, parts.get(name, {}), where)
            variables = read_variables(owner)
            shared = self.replicas.broadcast(list(variables.values()))
            assign(owner, dict(zip(variables, shared, strict=True)), where)
        self._separate_seeds()

    def weights(self) -> Arrays:
        """Return the weights for translating."""
        return read_weights(self.inference_network)

    def generate(self, source: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return translated slices (n, rows, columns, target channels) in [0, 1].

        They are 0 where the source is background.
        """
        if self._generate is None:
            translate = partial(self.inference_network, training=False)
            signature = [tf.TensorSpec((None, None, None, source.shape[-1]), tf.float32)]
            self._generate = compiled(translate, input_signature=signature)
        parts = []
        for first in range(0, len(source), _BATCH):
            slices = tf.constant(source[first : first + _BATCH])
            parts.append(np.asarray(self._generate(slices)))
        inside = self.find_inside(source)[..., np.newaxis]
        return np.asarray((np.concatenate(parts) / 2 + 0.5) * inside, np.float32)

    def find_inside(self, source: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return the pixels that are not background, (n, rows, columns).

        Only the first source counts, without its neighbouring slices: where it is background, so is
        the translation.

        Args:
            source: Slices (n, rows, columns, source channels).
        """
        return np.asarray(source[..., self._support].max(-1) > 0)

    def make_loss_inputs(self, source: Tensor, target: Tensor) -> LossInputs:
        """Translate slices, and return them beside the true translations.

        Both are background where the source is: what is generated there is discarded when a volume
        is translated, so no loss should depend on it.

        Args:
            source: The slices to translate, (n, rows, columns, source channels) in [0, 1].
            target: The true translations, (n, rows, columns, target channels) in [0, 1].
        """
        generated = self.networks[self._generator_name](source, training=True)
        support = tf.reduce_max(source[..., self._support], -1, keepdims=True)
        inside = tf.cast(support > 0, tf.float32)
        real = (target * 2) * inside - 1
        generated = (generated + 1) * inside - 1
        return LossInputs(source=source, real=real, generated=generated, inside=inside)

    def _copy_generator(self, network: TrainableNetwork) -> Network:
        """Return a network with the weights of the generator."""
        copy = network.build()
        assign(copy, read_weights(self.networks[self._generator_name]), self._generator_name)
        return copy

    def _list_owners(self) -> dict[str, Any]:
        """Return the networks and optimizers that own variables, by their names in a checkpoint."""
        owners: dict[str, Any] = dict(self.networks)
        for name, optimizer in self.optimizers.items():
            owners[f"{name}_optimizer"] = optimizer
        if self._decay:
            owners["kept"] = self.inference_network
        return owners

    def _separate_seeds(self) -> None:
        """Give each device its own dropout: all of them start with the same seeds."""
        variables = self.networks[self._generator_name].variables
        seeds = [variable for variable in variables if "seed" in variable.path]

        def add_device_number() -> None:
            device = tf.distribute.get_replica_context().replica_id_in_sync_group
            for seed in seeds:
                offset = tf.cast(device, seed.dtype) * tf.constant([1, 0], seed.dtype)
                seed.assign(seed.value + offset)

        if seeds and self.replicas.devices > 1:
            compiled(lambda: self.replicas.run(add_device_number))()

    def _build_adam(self, learning_rate: Any, network: Network) -> Any:  # noqa: ANN401 - Keras is untyped here
        # Without a name, Keras would number the optimizers of the process.
        optimizer = FusedAdam(learning_rate, beta_1=0.5, name="adam")
        if self.precision == "float16":
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer, name="loss_scale")
        optimizer.build(network.trainable_variables)
        return optimizer

    def _update_on_all_devices(self, stage: str, source: Tensor, target: Tensor) -> Tensor:
        return self.replicas.run(partial(self._update, stage), source, target)

    def _update(self, stage: str, source: Tensor, target: Tensor) -> Tensor:
        """Update the networks of a stage by the mean gradients of all devices; return metrics."""
        with tf.GradientTape(persistent=True) as tape:
            losses = self.compute_losses(stage, source, target)
            scaled_losses = {
                name: self.optimizers[name].scale_loss(objective)
                for name, objective in losses.objectives.items()
            }
        trained = {name: self.networks[name] for name in losses.objectives}
        gradients = {
            name: tape.gradient(scaled_losses[name], network.trainable_variables)
            for name, network in trained.items()
        }
        statistics = _list_statistics(trained.values())
        metrics = tf.stack([losses.metrics.get(name, tf.constant(0.0)) for name in self.loss_names])
        # All parts have the same size, so the mean of their means is that of the batch, and equal
        # on all devices.
        on_this_device = (gradients, metrics, [variable.value for variable in statistics])
        gradients, metrics, means = all_reduce("MEAN", on_this_device)
        for variable, mean in zip(statistics, means, strict=True):
            variable.assign(mean)
        for name, network in trained.items():
            self.optimizers[name].apply(gradients[name], network.trainable_variables)
        if self._decay:
            self._update_average()
        return tf.concat([metrics, self._compute_norms(gradients)], 0)

    def _compute_norms(self, gradients: Mapping[str, list[Tensor]]) -> Tensor:
        """Return the norm of each network's gradient, 0 for a network that is not updated."""
        norms = [
            tf.linalg.global_norm(gradients[name]) if name in gradients else tf.constant(0.0)
            for name in self.networks
        ]
        return tf.stack(norms)

    def _update_average(self) -> None:
        """Move the averaged weights towards the trained ones, faster in the first steps.

        Where a later stage starts the average again, earlier stages have no part in it.
        """
        step = self.optimizers[self._generator_name].iterations
        begun = self._average_from
        step = tf.cast(step - tf.where(step > begun, begun, 0), tf.float32)
        decay = tf.minimum(self._decay, (1 + step) / (10 + step))
        averaged = self.inference_network.variables
        trained = self.networks[self._generator_name].variables
        for average, variable in zip(averaged, trained, strict=True):
            if "float" in average.dtype:
                average.assign(decay * average + (1 - decay) * variable)


def _list_statistics(networks: Iterable[Network]) -> list[Any]:
    """Return the moving statistics of batch norm.

    The other variables that are not trained are seeds, which are whole numbers.
    """
    return [
        variable
        for network in networks
        for variable in network.non_trainable_variables
        if "float" in variable.dtype
    ]
