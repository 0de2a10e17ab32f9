"""Stop a training by a signal: at once if nothing would be lost, else after the current step."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType
from typing import Any

from .signals import Stopped

_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


class StopRequest:
    """Takes SIGINT, SIGTERM and SIGHUP during a training.

    A signal raises `Stopped` at once until `poll` is called for the first time. From then on, the
    training calls `poll` after each step, and ends in good order. A second signal ends the
    process at once, as it would without this. A signal that the process was started to ignore (by
    ``nohup``) stays ignored.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self._awaited = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopRequest:
        """Take the signals; only the main thread may."""
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                # None: a handler from outside Python, which could not be put back.
                if signal.getsignal(number) not in {signal.SIG_IGN, None}:
                    self._before[number] = signal.signal(number, self._take)
        return self

    def __exit__(self, *raised: object) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def poll(self) -> bool:
        """Return whether a signal has come; if so, the caller must stop soon."""
        self._awaited = True
        return self.signal is not None

    @property
    def exit_status(self) -> int:
        """The exit status a shell expects after this signal: 130 for SIGINT, 143 for SIGTERM."""
        return 128 + (self.signal or 0)

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self.signal is not None:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self.signal = number
        if not self._awaited:
            raise Stopped(number)
