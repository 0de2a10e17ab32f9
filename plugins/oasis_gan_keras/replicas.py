"""The devices that train together, in one machine or in several, by `tf.distribute`.

Each device gets its part of every batch. Gradients are averaged over all devices, so all of them
take the same step.
"""

from __future__ import annotations

import faulthandler
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .backend import compile_graph, tf
from .errors import LostWorkerError
from .rendezvous import find_workers, wait_for_workers

Tensor = Any
Arrays = Sequence[NDArray[Any]]
_PATIENCE = 300.0  # seconds to wait for the other workers
_ERRORS_OF_LOST_WORKERS = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)


class Replicas:
    """The devices that train together.

    Args:
        strategy: A strategy of `tf.distribute`; the default strategy for a single device.
        index: The index of this process among the workers. The first, 0, is the chief, which alone
            writes files.
        workers: The number of workers.
    """

    def __init__(
        self,
        strategy: Any,  # noqa: ANN401 - TensorFlow is untyped here
        index: int = 0,
        workers: int = 1,
    ) -> None:
        self.strategy = strategy
        self.index = index
        self.workers = workers
        self._reduce_in_graph = compile_graph(self._reduce)

    @classmethod
    def from_environment(cls, patience: float = _PATIENCE) -> Replicas:
        """Return the workers of ``TF_CONFIG``, all GPUs of this machine, or a single device.

        Call it before TensorFlow computes anything.

        Args:
            patience: The longest time to wait for other workers, in seconds.

        Raises:
            MissingWorkerError: If a worker has not started in time.
            BadClusterError: If ``TF_CONFIG`` cannot be understood.
        """
        addresses, index = find_workers()
        if len(addresses) > 1:
            wait_for_workers(addresses, index, patience)
            # If a worker dies now, TensorFlow waits forever and holds the GIL. Only this watchdog
            # still works then.
            with os.fdopen(os.dup(2), "w") as stderr:
                faulthandler.dump_traceback_later(patience, exit=True, file=stderr)
                strategy = tf.distribute.MultiWorkerMirroredStrategy()
                faulthandler.cancel_dump_traceback_later()
            return cls(strategy, index, len(addresses))
        if len(tf.config.list_physical_devices("GPU")) > 1:
            return cls(tf.distribute.MirroredStrategy())
        return cls(tf.distribute.get_strategy())

    @property
    def devices(self) -> int:
        """Return the number of devices, over all workers."""
        return int(self.strategy.num_replicas_in_sync)

    @property
    def is_chief(self) -> bool:
        """Whether this process writes the files."""
        return self.index == 0

    def distribute(self, *arrays: NDArray[Any]) -> Any:  # noqa: ANN401 - a value for each device
        """Give each device of this process its part of the slices of this worker."""
        devices_here = self.devices // self.workers
        # TensorFlow numbers the devices of all workers together.
        first = self.index * devices_here
        divided = [np.array_split(array, devices_here) for array in arrays]

        def select_part(context: Any) -> tuple[Tensor, ...]:  # noqa: ANN401
            number = context.replica_id_in_sync_group - first
            return tuple(tf.constant(parts[number]) for parts in divided)

        return self._place(select_part)

    def run(self, function: Callable[..., Tensor], *arguments: Tensor) -> Tensor:
        """Run a function on every device; call it inside a `tf.function`."""
        return self.strategy.run(function, args=arguments)

    def local_value(self, value: Any) -> NDArray[Any]:  # noqa: ANN401
        """Return a result that is the same on all devices."""
        return np.asarray(self.strategy.experimental_local_results(value)[0])

    def any_true(self, condition: bool) -> bool:
        """Return whether a condition holds on any worker.

        The answer is the same on all workers, and all of them have to ask at the same point.
        """
        if self.workers == 1:
            return condition

        def count(_: Any) -> Tensor:  # noqa: ANN401
            return tf.constant(int(condition), tf.int64)

        return bool(self._sum(count))

    def broadcast(self, arrays: Arrays) -> list[NDArray[Any]]:
        """Return the chief's arrays on every worker, bit for bit.

        Every worker has to call this at the same point, with arrays of the same shapes and types.
        """
        if self.workers == 1:
            return list(arrays)
        # The arrays become a row of whole numbers. Adding zeros keeps every bit, even those of NaN
        # and -0.
        whole = b"".join(array.tobytes() for array in arrays)
        padding = bytes(-len(whole) % 8)
        row = np.frombuffer(whole + padding, np.int64)

        def give_row(context: Any) -> Tensor:  # noqa: ANN401
            is_chief = context.replica_id_in_sync_group == 0
            return tf.constant(row if is_chief else np.zeros_like(row))

        data = self._sum(give_row).tobytes()
        received = []
        start = 0
        for array in arrays:
            end = start + array.nbytes
            flat = np.frombuffer(data[start:end], array.dtype)
            received.append(flat.reshape(array.shape))
            start = end
        return received

    @contextmanager
    def worker_failures_as_errors(self, remedy: str) -> Iterator[None]:
        """Report the loss of a worker in one line.

        Args:
            remedy: What the line says to do about it.

        Raises:
            LostWorkerError: If TensorFlow reports that a worker is gone.
        """
        try:
            yield
        except tf.errors.OpError as error:
            if self.workers == 1 or not _is_lost_worker(error):
                raise
            raise LostWorkerError(_find_lost_worker(error), remedy) from None

    def _sum(self, function: Callable[[Any], Tensor]) -> NDArray[Any]:
        """Return the sum over all devices of what each gets from a function of its context."""
        placed = self._place(function)
        return self.local_value(self._reduce_in_graph(placed))

    def _reduce(self, value: Any) -> Any:  # noqa: ANN401
        return self.run(partial(all_reduce, "SUM"), value)

    def _place(self, function: Callable[[Any], Any]) -> Any:  # noqa: ANN401
        """Return a value that each device of this process gets from a function of its context."""
        with tf.device("CPU:0"):
            return self.strategy.experimental_distribute_values_from_function(function)


def all_reduce(operation: str, values: Tensor) -> Tensor:
    """Return the "SUM" or "MEAN" of tensors of one type over all devices.

    Call it inside `Replicas.run`.
    """
    # Arguments and values read from variables have no device until they are copied.
    copied = tf.nest.map_structure(tf.identity, values)
    return tf.distribute.get_replica_context().all_reduce(operation, copied)


def _is_lost_worker(error: Any) -> bool:  # noqa: ANN401
    is_aborted = "Collective ops is aborted" in error.message
    return is_aborted or isinstance(error, _ERRORS_OF_LOST_WORKERS)


def _find_lost_worker(error: Any) -> str | None:  # noqa: ANN401
    """Return the number of the worker that TensorFlow reports as lost.

    With three or more workers it may be one that stopped because it had lost another.
    """
    message = error.message
    task = re.search(r"/job:\w+/(?:replica:\d+/)?task:(\d+)", message)
    if task:
        return task[1]
    # Only the heartbeat service notices a chief that hangs, and it does not name the chief.
    return "0" if "CoordinationService" in message else None
