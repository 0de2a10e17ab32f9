"""Train one or more networks, on one device or on many, one update at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .backend import compile_graph, keras, make_signature, tf
from .hardware import ChosenPrecision, choose_precision, compute_in
from .loss_inputs import LossInputs
from .optimizers import FusedAdam
from .replicas import Replicas, all_reduce
from .trainable import Losses, Network, Tensor, TrainableNetwork
from .training_settings import TrainingSettings
from .variables import assign, read_variables, read_weights

Arrays = dict[str, NDArray[Any]]
_BATCH = 8  # slices that are generated at once


class Trainer(ABC):
    """Networks and their optimizers, which are updated together.

    A plugin derives a class from this one, and says in `compute_losses` what each network
    minimises.

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
        self.networks: dict[str, Network] = {}
        self.optimizers: dict[str, Any] = {}
        self.snapshots: dict[str, Arrays] = {}
        self._settings = settings
        self._average_from = average_from
        self._generator_name = next(iter(networks))
        self._updates: dict[str, Callable[..., Tensor]] = {}
        with self.replicas.strategy.scope():
            self._build(networks)
        self._separate_seeds()

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

    @property
    def generator(self) -> Network:
        """The network that translates, as it is trained."""
        return self.networks[self._generator_name]

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
            signature = make_signature(parts)
            self._updates[stage] = compile_graph(update, input_signature=signature)
        update_all = self._updates[stage]
        values = self.replicas.local_value(update_all(*parts))
        return dict(zip(self.metrics, values.tolist(), strict=True))

    def state(self) -> Arrays:
        """Return everything that changes during training, by name."""
        state: Arrays = {}
        for part, owner in self._list_owners().items():
            for name, array in read_variables(owner).items():
                state[f"{part}/{name}"] = array
        for part, weights in self.snapshots.items():
            for name, array in weights.items():
                state[f"{part}/{name}"] = array
        return state

    def restore(self, state: Mapping[str, NDArray[Any]], where: object) -> None:
        """Restore the state that the chief is given, on all workers.

        Args:
            state: What `state` returned.
            where: Where the state comes from, for errors.

        Raises:
            WrongShapeError: If it is the state of other networks.
        """
        parts = _split_state(state)
        self.snapshots = {name: parts[name] for name in self.snapshot_names if name in parts}
        for name, owner in self._list_owners().items():
            arrays = parts.get(name, {})
            assign(owner, arrays, where)
            self._copy_from_chief(owner, where)
        self._separate_seeds()

    def weights(self) -> Arrays:
        """Return the weights for translating."""
        return read_weights(self.inference_network)

    def generate(self, source: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return translated slices (n, rows, columns, target channels) in [0, 1].

        They are 0 where the source is background.
        """
        batches = []
        for first in range(0, len(source), _BATCH):
            slices = tf.constant(source[first : first + _BATCH])
            generated = self._inference_graph(slices)
            batches.append(np.asarray(generated))
        images = np.concatenate(batches) / 2 + 0.5
        mask = self.find_mask(source)
        return np.asarray(images * mask[..., np.newaxis], np.float32)

    def find_mask(self, source: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return the pixels that are not background, (n, rows, columns).

        Only the first source counts, without its neighbouring slices: where it is background, so is
        the translation.

        Args:
            source: Slices (n, rows, columns, source channels).
        """
        first_source = source[..., self._settings.mask_channels]
        return np.asarray(first_source.max(-1) > 0)

    def make_loss_inputs(self, source: Tensor, target: Tensor) -> LossInputs:
        """Translate slices, and return the results beside the true translations.

        Both are background where the source is: what is generated there is discarded when a volume
        is translated, so no loss should depend on it.

        Args:
            source: The slices to translate, (n, rows, columns, source channels) in [0, 1].
            target: The true translations, (n, rows, columns, target channels) in [0, 1].
        """
        generated = self.generator(source, training=True)
        first_source = source[..., self._settings.mask_channels]
        brightest = tf.reduce_max(first_source, -1, keepdims=True)
        mask = tf.cast(brightest > 0, tf.float32)
        real = (target * 2) * mask - 1
        generated = (generated + 1) * mask - 1
        return LossInputs(
            source=source,
            real=real,
            generated=generated,
            mask=mask,
        )

    @cached_property
    def _inference_graph(self) -> Any:  # noqa: ANN401 - TensorFlow is untyped here
        """The inference network as a graph, which is faster."""
        shape = (None, None, None, self._settings.source_channels)
        return compile_graph(
            partial(self.inference_network, training=False),
            input_signature=[tf.TensorSpec(shape)],
        )

    def _build(self, networks: Mapping[str, TrainableNetwork]) -> None:
        """Build all networks in the precision of this trainer, and an optimizer for each."""
        with compute_in(self.precision):
            for name, network in networks.items():
                self.networks[name] = network.build()
            build_generator = networks[self._generator_name].build
            self.inference_network = self._build_inference_network(build_generator)
        for name, network in networks.items():
            self.optimizers[name] = self._build_adam(
                network.learning_rate,
                self.networks[name],
            )

    def _build_inference_network(self, build: Callable[[], Network]) -> Network:
        """Return the network that is validated and saved.

        It is the generator itself, or a second network for the moving average of its weights.
        """
        if not self._settings.ema_decay:
            return self.generator
        averaged = build()
        assign(averaged, read_weights(self.generator), self._generator_name)
        return averaged

    def _list_owners(self) -> dict[str, Any]:
        """Return the networks and optimizers that own variables, by their names in a checkpoint."""
        owners: dict[str, Any] = dict(self.networks)
        for name, optimizer in self.optimizers.items():
            owners[f"{name}_optimizer"] = optimizer
        if self._settings.ema_decay:
            owners["kept"] = self.inference_network
        return owners

    def _copy_from_chief(self, owner: Any, where: object) -> None:  # noqa: ANN401 - Keras is untyped here
        """Give a network or an optimizer the variables that it has on the chief."""
        variables = read_variables(owner)
        arrays = self.replicas.broadcast(list(variables.values()))
        assign(owner, dict(zip(variables, arrays, strict=True)), where)

    def _separate_seeds(self) -> None:
        """Give each device its own dropout: all of them start with the same seeds."""
        if self.replicas.devices == 1:
            return
        seeds = [variable for variable in self.generator.variables if "seed" in variable.path]

        def add_device_number() -> None:
            device = tf.distribute.get_replica_context().replica_id_in_sync_group
            for seed in seeds:
                first_only = tf.constant([1, 0], seed.dtype)
                offset = tf.cast(device, seed.dtype) * first_only
                seed.assign(seed.value + offset)

        add_to_all = partial(self.replicas.run, add_device_number)
        compile_graph(add_to_all)()

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
        losses, gradients = self._compute_gradients(stage, source, target)
        statistics = self._list_statistics(losses.objectives)
        on_this_device = (
            gradients,
            self._stack_metrics(losses.metrics),
            [variable.value for variable in statistics],
        )
        # All parts have the same size, so the mean of their means is that of the batch, and equal
        # on all devices.
        gradients, metrics, means = all_reduce("MEAN", on_this_device)
        for variable, mean in zip(statistics, means, strict=True):
            variable.assign(mean)
        for name in losses.objectives:
            variables = self.networks[name].trainable_variables
            self.optimizers[name].apply(gradients[name], variables)
        if self._settings.ema_decay:
            self._update_average()
        norms = self._compute_norms(gradients)
        return tf.concat([metrics, norms], 0)

    def _compute_gradients(
        self,
        stage: str,
        source: Tensor,
        target: Tensor,
    ) -> tuple[Losses, dict[str, list[Tensor]]]:
        """Return the losses of this device's slices, and each network's gradients, by its name.

        In float16 the gradients are scaled, as the optimizers expect.
        """
        scaled_losses = {}
        with tf.GradientTape(persistent=True) as tape:
            losses = self.compute_losses(stage, source, target)
            for name, objective in losses.objectives.items():
                scaled_losses[name] = self.optimizers[name].scale_loss(objective)
        gradients = {}
        for name, loss in scaled_losses.items():
            variables = self.networks[name].trainable_variables
            gradients[name] = tape.gradient(loss, variables)
        return losses, gradients

    def _list_statistics(self, names: Iterable[str]) -> list[Any]:
        """Return the moving statistics of the batch norms of networks."""
        variables: list[Any] = []
        for name in names:
            variables += self.networks[name].non_trainable_variables
        # The other variables that are not trained are seeds, which are whole numbers.
        return [variable for variable in variables if "float" in variable.dtype]

    def _stack_metrics(self, metrics: Mapping[str, Tensor]) -> Tensor:
        """Return the metrics in the order of their names, 0 where the stage has no such loss."""
        zero = tf.constant(0.0)
        return tf.stack([metrics.get(name, zero) for name in self.loss_names])

    def _compute_norms(self, gradients: Mapping[str, list[Tensor]]) -> Tensor:
        """Return the norm of each network's gradient, 0 for a network that is not updated."""
        norms = []
        for name in self.networks:
            gradient = gradients.get(name)
            if gradient is None:
                norms.append(tf.constant(0.0))
            else:
                norms.append(tf.linalg.global_norm(gradient))
        return tf.stack(norms)

    def _update_average(self) -> None:
        """Move the averaged weights towards the trained ones, faster in the first steps.

        Where a later stage starts the average again, earlier stages have no part in it.
        """
        step = self.optimizers[self._generator_name].iterations
        begun = tf.where(step > self._average_from, self._average_from, 0)
        averaged_steps = tf.cast(step - begun, tf.float32)
        first_decay = (1 + averaged_steps) / (10 + averaged_steps)
        decay = tf.minimum(self._settings.ema_decay, first_decay)
        averages = self.inference_network.variables
        for average, variable in zip(averages, self.generator.variables, strict=True):
            # Seeds, which are whole numbers, have no mean.
            if "float" in average.dtype:
                average.assign(decay * average + (1 - decay) * variable)


def _split_state(state: Mapping[str, NDArray[Any]]) -> dict[str, Arrays]:
    """Return the arrays of each network and optimizer, by its name in a checkpoint."""
    parts: dict[str, Arrays] = {}
    for name, array in state.items():
        part, _, rest = name.partition("/")
        parts.setdefault(part, {})[rest] = array
    return parts
