"""The devices that learn together: one, several of one machine, or several machines, by `tf.distribute`.

Each gets its part of every batch; gradients are averaged over all, so that all take the same step.
"""

from __future__ import annotations

import faulthandler
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oasis_gan import OasisGanError

from .backend import compiled, tf
from .rendezvous import find_workers, wait_for_workers

Tensor = Any
Arrays = Sequence[NDArray[Any]]
_PATIENCE = 300.0  # seconds to wait for the other workers


class Replicas:
    """The devices that learn together.

    Args:
        strategy: Of `tf.distribute`; the default one for a single device.
        index: Which worker this process is; 0 is the chief, the only one that writes files.
        workers: How many there are.
    """

    def __init__(self, strategy: Any, index: int = 0, workers: int = 1) -> None:  # noqa: ANN401 - untyped
        self.strategy, self.index, self.workers = strategy, index, workers
        self.devices = strategy.num_replicas_in_sync
        self._sum = compiled(lambda x: strategy.run(lambda y: all_reduce("SUM", y), args=(x,)))

    @classmethod
    def from_environment(cls, patience: float = _PATIENCE) -> Replicas:
        """Return the replicas this process belongs to: by ``TF_CONFIG``, all its GPUs, or a single device.

        To be called before TensorFlow computes anything.

        Raises:
            OasisGanError: If a worker is not there in time, or ``TF_CONFIG`` cannot be understood.
        """
        addresses, index = find_workers()
        if len(addresses) > 1:
            wait_for_workers(addresses, index, patience)
            # Should one die now, TensorFlow waits for it without end and holds the GIL: only this gets through.
            with os.fdopen(os.dup(2), "w") as stderr:
                faulthandler.dump_traceback_later(patience, exit=True, file=stderr)
                strategy = tf.distribute.MultiWorkerMirroredStrategy()
                faulthandler.cancel_dump_traceback_later()
            return cls(strategy, index, len(addresses))
        if len(tf.config.list_physical_devices("GPU")) > 1:
            return cls(tf.distribute.MirroredStrategy())
        return cls(tf.distribute.get_strategy())

    @property
    def chief(self) -> bool:
        """Whether this process writes the files."""
        return self.index == 0

    def distribute(self, *arrays: NDArray[Any]) -> Any:  # noqa: ANN401 - a value for each device
        """Give each device of this process its part of what this worker learns from."""
        here = self.devices // self.workers

        def part(context: Any) -> tuple[Tensor, ...]:  # noqa: ANN401
            # Devices are counted over all workers.
            number = context.replica_id_in_sync_group - self.index * here
            return tuple(tf.constant(np.array_split(array, here)[number]) for array in arrays)

        with tf.device("CPU:0"):
            return self.strategy.experimental_distribute_values_from_function(part)

    def run(self, function: Callable[..., Tensor], *arguments: Tensor) -> Tensor:
        """Run ``function`` on every device; inside a `tf.function`."""
        return self.strategy.run(function, args=arguments)

    def local_value(self, value: Any) -> NDArray[Any]:  # noqa: ANN401
        """Return a result that is the same on all devices."""
        return np.asarray(self.strategy.experimental_local_results(value)[0])

    def any_true(self, says: bool) -> bool:
        """Return whether any worker says so, the same on all of them; every worker has to ask, at the same point."""
        if self.workers == 1:
            return says

        def part(context: Any) -> Tensor:  # noqa: ANN401
            return tf.constant(int(says), tf.int64)

        with tf.device("CPU:0"):
            spread = self.strategy.experimental_distribute_values_from_function(part)
        return bool(self.local_value(self._sum(spread)))

    def broadcast(self, arrays: Arrays) -> list[NDArray[Any]]:
        """Return the chief's arrays on every worker, to the bit; the others give arrays of the same shapes and types.

        Every worker has to call it, at the same point.
        """
        if self.workers == 1:
            return list(arrays)
        # As one row of whole numbers: summed with zeros, every bit stays, that of a NaN or of -0 too.
        whole = b"".join(array.tobytes() for array in arrays)
        row = np.frombuffer(whole + bytes(-len(whole) % 8), np.int64)

        def part(context: Any) -> Tensor:  # noqa: ANN401
            return tf.constant(row if context.replica_id_in_sync_group == 0 else np.zeros_like(row))

        with tf.device("CPU:0"):
            spread = self.strategy.experimental_distribute_values_from_function(part)
        data = self.local_value(self._sum(spread)).tobytes()
        ends = np.cumsum([array.nbytes for array in arrays])
        return [
            np.frombuffer(data[end - array.nbytes : end], array.dtype).reshape(array.shape)
            for array, end in zip(arrays, ends, strict=True)
        ]

    @contextmanager
    def worker_failures_as_errors(self, remedy: str) -> Iterator[None]:
        """Turn what TensorFlow raises when a worker is gone into one line.

        Raises:
            OasisGanError: If that is what it says.
        """
        try:
            yield
        except tf.errors.OpError as error:
            if self.workers == 1 or not _says_that_one_is_lost(error):
                raise
            # Of three or more, what is named may be one that stopped because it had lost another.
            named = re.search(r"/job:\w+/(?:replica:\d+/)?task:(\d+)", error.message)
            # A chief that hangs is missed by its heartbeat service, and named by nobody.
            number = named[1] if named else "0" if "CoordinationService" in error.message else None
            found = f"worker {number} gone" if number else "one gone"
            raise OasisGanError(
                "training", expected="all workers", found=found, remedy=remedy
            ) from None


def all_reduce(operation: str, values: Tensor) -> Tensor:
    """Return the "SUM" or "MEAN" of tensors of one type over all devices, the same on all; inside `Replicas.run`."""
    # Arguments, and what is read from variables, have no device until they are copied.
    copied = tf.nest.map_structure(tf.identity, values)
    return tf.distribute.get_replica_context().all_reduce(operation, copied)


def _says_that_one_is_lost(error: Any) -> bool:  # noqa: ANN401
    errors = tf.errors
    lost = (
        errors.UnavailableError,
        errors.AbortedError,
        errors.CancelledError,
        errors.DeadlineExceededError,
    )
    return isinstance(error, lost) or "Collective ops is aborted" in error.message
