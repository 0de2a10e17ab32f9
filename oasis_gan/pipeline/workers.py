"""Threads that do one thing after another, and that nobody has to wait for when they hang."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")
_Step = Callable[[], None]


class Worker:
    """A thread that does what it is given, in order.

    Unlike that of a `ThreadPoolExecutor` it does not keep the program from ending.

    Args:
        name: Of the thread.
    """

    def __init__(self, name: str) -> None:
        self._steps: SimpleQueue[_Step | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, function: Callable[[], T]) -> Future[T]:
        """Have something done, and return what will hold its answer."""
        future: Future[T] = Future()

        def step() -> None:
            try:
                answer = function()
            except BaseException as error:  # noqa: BLE001 - whoever asks for the answer gets it
                future.set_exception(error)
            else:
                future.set_result(answer)

        self._steps.put(step)
        return future

    def close(self, timeout: float | None = None) -> None:
        """Take nothing more, and wait until everything is done, or until ``timeout`` seconds are over."""
        self._steps.put(None)
        self._thread.join(timeout)

    def _work(self) -> None:
        while (step := self._steps.get()) is not None:
            step()
