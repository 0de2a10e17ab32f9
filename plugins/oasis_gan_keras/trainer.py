"""One update of one or more networks, the same on one device and on many, and all that has to be kept of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
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
_BATCH = 8  # slices that are validated at once


@dataclass(frozen=True, kw_only=True)
class TrainableNetwork:
    """A network to train.

    Args:
        build: Makes the network, its weights new.
        learning_rate: A number, or a Keras schedule.
    """

    build: Callable[[], Network]
    learning_rate: Any


@dataclass(frozen=True, kw_only=True)
class Losses:
    """What an update of the networks goes by.

    Args:
        objectives: What each network minimises, a scalar by the name of the network. A network that is not named does
            not learn in this update.
        metrics: What is reported of the update: scalars by name.
    """

    objectives: Mapping[str, Tensor]
    metrics: Mapping[str, Tensor]


class Trainer(ABC):
    """Networks, their optimizers, and one update of all of them.

    A plugin derives from it and says in `losses` what the networks are trained for.

    Args:
        networks: The networks by name. The first is the one that translates; its answers are in [-1, 1].
        settings: Precision, and the moving average of weights.
        replicas: The devices that share every batch; one if not given.
        precision: To compute in; that of the settings if not given.
        average_from: The step at which the moving average of weights begins anew.
    """

    loss_names: tuple[str, ...]
    """The names of the metrics that `losses` returns, in the order of the table of losses; set before `__init__`."""
    headline: ClassVar[str] = "L1"
    """The metric that is shown while a training runs."""
    snapshot_names: ClassVar[tuple[str, ...]] = ()
    """The `snapshots` that there may be: weights that are kept as they were at some step."""

    def __init__(
        self,
        networks: Mapping[str, TrainableNetwork],
        settings: TrainingSettings,
        replicas: Replicas | None = None,
        precision: ChosenPrecision | None = None,
        average_from: int = 0,
    ) -> None:
        self.replicas = replicas or Replicas(tf.distribute.get_strategy())
        self.precision = (precision or choose_precision(settings.precision)).precision
        self.snapshots: dict[str, Arrays] = {}
        self._support = settings.support_channels
        self._decay = settings.averaging
        self._average_from = average_from
        self._generator_name = next(iter(networks))
        with self.replicas.strategy.scope(), computing_in(self.precision):
            self.networks = {name: network.build() for name, network in networks.items()}
            # What is validated and kept: the network itself, or the moving average of its weights.
            self.inference_network = self.networks[self._generator_name]
            if self._decay:
                self.inference_network = networks[self._generator_name].build()
                assign(
                    self.inference_network,
                    read_weights(self.networks[self._generator_name]),
                    self._generator_name,
                )
        with self.replicas.strategy.scope():
            self.optimizers = {
                name: self._adam(network.learning_rate, self.networks[name])
                for name, network in networks.items()
            }
        self._part_seeds()
        self._updates: dict[str, Callable[..., Tensor]] = {}
        self._generate: Callable[[Tensor], Tensor] | None = None

    @abstractmethod
    def losses(self, stage: str, source: Tensor, target: Tensor) -> Losses:
        """Return what the networks minimise, for slices (n, rows, columns, channels) in [0, 1].

        Called on each device with its part of the batch, within a `tf.GradientTape` and a `tf.function`.

        Args:
            stage: The stage of the training, see `stage`.
            source: What goes in.
            target: What should come out.
        """

    def stage(self, step: int) -> str:
        """Return the stage of the training that an update belongs to; each has losses of its own."""
        return ""

    @property
    def reported(self) -> tuple[str, ...]:
        """The metrics that the log shows; the table holds all of them."""
        return self.loss_names

    @cached_property
    def gradients(self) -> tuple[str, ...]:
        """The metrics that are the Euclidean norms of the networks' gradients."""
        return tuple(f"{name}_gradient" for name in self.networks)

    @property
    def metrics(self) -> tuple[str, ...]:
        """What each update is measured by; 0 where it has no such loss."""
        return self.loss_names + self.gradients

    def update(self, step: int, source: Tensor, target: Tensor) -> dict[str, float]:
        """Update all networks of the stage once.

        Args:
            step: Number of the update, from 0.
            source: This worker's part of the batch, (n, rows, columns, source channels) in [0, 1].
            target: (n, rows, columns, target channels) in [0, 1].

        Returns:
            The `metrics` before the update.
        """
        stage = self.stage(step)
        spread = self.replicas.distribute(source, target)
        if stage not in self._updates:
            update = partial(self._shared_update, stage)
            self._updates[stage] = compiled(update, input_signature=for_any_size(spread))
        values = self.replicas.local_value(self._updates[stage](*spread))
        return dict(zip(self.metrics, values.tolist(), strict=True))

    def state(self) -> Arrays:
        """Return all that changes while training, by name."""
        parts = {name: read_variables(owner) for name, owner in self._owners().items()}
        for name in self.snapshot_names:
            parts[name] = self.snapshots.get(name, {})
        return {
            f"{part}/{name}": array
            for part, arrays in parts.items()
            for name, array in arrays.items()
        }

    def restore(self, state: Mapping[str, NDArray[Any]], where: object) -> None:
        """Go back to a state: that of the chief, whatever the others give.

        Raises:
            OasisGanError: If it is that of other networks.
        """
        parts: dict[str, Arrays] = {}
        for name, array in state.items():
            part, _, rest = name.partition("/")
            parts.setdefault(part, {})[rest] = array
        self.snapshots = {name: parts[name] for name in self.snapshot_names if name in parts}
        for name, owner in self._owners().items():
            assign(owner, parts.get(name, {}), where)
            shared = self.replicas.broadcast(list(read_variables(owner).values()))
            assign(owner, dict(zip(read_variables(owner), shared, strict=True)), where)
        self._part_seeds()

    def weights(self) -> Arrays:
        """Return the weights to translate with."""
        return read_weights(self.inference_network)

    def generate(self, source: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return translated slices (n, rows, columns, target channels) in [0, 1], 0 where the source is background."""
        if self._generate is None:
            signature = [tf.TensorSpec((None, None, None, source.shape[-1]), tf.float32)]
            self._generate = compiled(
                partial(self.inference_network, training=False), input_signature=signature
            )
        parts = [
            np.asarray(self._generate(tf.constant(source[first : first + _BATCH])))
            for first in range(0, len(source), _BATCH)
        ]
        inside = self.find_inside(source)[..., np.newaxis]
        return np.asarray((np.concatenate(parts) / 2 + 0.5) * inside, np.float32)

    def find_inside(self, source: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return where slices (n, rows, columns, source channels) are not background, (n, rows, columns).

        What neighbours and further sources hold does not count: a translation is background where the first source is.
        """
        return np.asarray(source[..., self._support].max(-1) > 0)

    def compare(self, source: Tensor, target: Tensor) -> LossInputs:
        """Return real and generated slices, both of them background where the source is.

        What is made there is thrown away when a volume is translated, so nothing is to be learnt from it.

        Args:
            source: (n, rows, columns, source channels) in [0, 1].
            target: (n, rows, columns, target channels) in [0, 1].
        """
        generated = self.networks[self._generator_name](source, training=True)
        inside = tf.cast(
            tf.reduce_max(source[..., self._support], -1, keepdims=True) > 0, tf.float32
        )
        real = (target * 2) * inside - 1
        generated = (generated + 1) * inside - 1
        return LossInputs(source=source, real=real, generated=generated, inside=inside)

    def _owners(self) -> dict[str, Any]:
        """Return what has variables, by what a checkpoint calls it."""
        optimizers = {f"{name}_optimizer": optimizer for name, optimizer in self.optimizers.items()}
        owners = {**self.networks, **optimizers}
        return owners | ({"kept": self.inference_network} if self._decay else {})

    def _part_seeds(self) -> None:
        """Give each device a dropout of its own: they were made alike."""
        variables = self.networks[self._generator_name].variables
        seeds = [variable for variable in variables if "seed" in variable.path]

        def part() -> None:
            device = tf.distribute.get_replica_context().replica_id_in_sync_group
            for seed in seeds:
                seed.assign(
                    seed.value + tf.cast(device, seed.dtype) * tf.constant([1, 0], seed.dtype)
                )

        if seeds and self.replicas.devices > 1:
            compiled(lambda: self.replicas.run(part))()

    def _adam(self, learning_rate: Any, network: Network) -> Any:  # noqa: ANN401 - Keras is untyped here
        # Named: the names Keras gives tell how many optimizers the process has made.
        optimizer = FusedAdam(learning_rate, beta_1=0.5, name="adam")
        if self.precision == "float16":
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer, name="loss_scale")
        optimizer.build(network.trainable_variables)
        return optimizer

    def _shared_update(self, stage: str, source: Tensor, target: Tensor) -> Tensor:
        return self.replicas.run(partial(self._update, stage), source, target)

    def _update(self, stage: str, source: Tensor, target: Tensor) -> Tensor:
        """Update the networks of a stage by what all devices find in their parts of the batch."""
        with tf.GradientTape(persistent=True) as tape:
            losses = self.losses(stage, source, target)
            scaled = {
                name: self.optimizers[name].scale_loss(objective)
                for name, objective in losses.objectives.items()
            }
        learning = {name: self.networks[name] for name in losses.objectives}
        gradients = {
            name: tape.gradient(scaled[name], network.trainable_variables)
            for name, network in learning.items()
        }
        # Batch norm's moving statistics; the seeds of dropout are whole numbers.
        moving = [
            variable
            for network in learning.values()
            for variable in network.non_trainable_variables
            if "float" in variable.dtype
        ]
        figures = tf.stack([losses.metrics.get(name, tf.constant(0.0)) for name in self.loss_names])
        # The parts are of one size: the mean of their means is that of the batch, and the same on all devices.
        shared = (gradients, figures, [variable.value for variable in moving])
        gradients, figures, means = all_reduce("MEAN", shared)
        for variable, mean in zip(moving, means, strict=True):
            variable.assign(mean)
        for name, network in learning.items():
            self.optimizers[name].apply(gradients[name], network.trainable_variables)
        if self._decay:
            self._average()
        return tf.concat([figures, self._norms(gradients)], 0)

    def _norms(self, gradients: Mapping[str, list[Tensor]]) -> Tensor:
        """Return the Euclidean norm of each network's gradient, 0 where it has none."""
        norms = [
            tf.linalg.global_norm(gradients[name]) if name in gradients else tf.constant(0.0)
            for name in self.networks
        ]
        return tf.stack(norms)

    def _average(self) -> None:
        """Move the averaged weights towards those that are trained; faster at first, when there is little to average.

        Where a later stage begins the average anew, the stages before it have no part in it.
        """
        step = self.optimizers[self._generator_name].iterations
        begun = self._average_from
        step = tf.cast(step - tf.where(step > begun, begun, 0), tf.float32)
        decay = tf.minimum(self._decay, (1 + step) / (10 + step))
        trained = self.networks[self._generator_name]
        for average, variable in zip(
            self.inference_network.variables, trained.variables, strict=True
        ):
            if "float" in average.dtype:
                average.assign(decay * average + (1 - decay) * variable)
