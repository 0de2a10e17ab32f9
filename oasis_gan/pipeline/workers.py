"""Threads that do one thing after another and do not keep the program from ending."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")
_Step = Callable[[], None]


class Worker:
    """A thread that calls the functions it is given, in order.

    Unlike a thread of `ThreadPoolExecutor`, it does not keep the program from ending.

    Args:
        name: The name of the thread.
    """

    def __init__(self, name: str) -> None:
        self._steps: SimpleQueue[_Step | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, function: Callable[[], T]) -> Future[T]:
        """Have a function called, and return the future of its result."""
        future: Future[T] = Future()

        self._steps.put(partial(_fulfil, future, function))
        return future

    def close(self, timeout: float | None = None) -> None:
        """Accept no more functions, and wait at most ``timeout`` seconds for the last to end."""
        self._steps.put(None)
        self._thread.join(timeout)

    def _work(self) -> None:
        """Call the functions in order, until `close` puts None behind the last one."""
        while (step := self._steps.get()) is not None:
            step()


def _fulfil(future: Future[T], function: Callable[[], T]) -> None:
    """Call a function, and set the result of a future, or the exception that was raised."""
    try:
        answer = function()
    # Whoever asks the future for its result gets the exception.
    except BaseException as error:  # noqa: BLE001
        future.set_exception(error)
    else:
        future.set_result(answer)
