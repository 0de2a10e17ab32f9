"""End early on request: finished work stays, and the exit status names the signal."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_REQUESTS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
"""How a scheduler, a shutdown and a closed terminal ask a program to end; Windows has no SIGHUP."""


class Stopped(KeyboardInterrupt):
    """A signal asks the program to end. It is handled as Ctrl-C is.

    Args:
        number: The number of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def stopping_on_signals() -> Iterator[None]:
    """Raise `Stopped` in the main thread when SIGTERM or SIGHUP arrives within the block.

    A signal that the caller ignores stays ignored, as SIGHUP is under ``nohup``.
    """
    # Python lets only the main thread set handlers.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heeded = [number for number in _REQUESTS if signal.getsignal(number) is signal.SIG_DFL]
    for number in heeded:
        signal.signal(number, _stop)
    try:
        yield
    finally:
        for number in heeded:
            signal.signal(number, signal.SIG_DFL)


def exit_status(interruption: KeyboardInterrupt) -> int:
    """Return the exit status after an interruption: 130 (Ctrl-C), 143 (SIGTERM), 129 (SIGHUP)."""
    return 128 + _find_number(interruption)


def describe_interruption(interruption: KeyboardInterrupt) -> str:
    """Return one line that names the signal and holds the notes added to the exception."""
    number = _find_number(interruption)
    first = (
        "interrupted" if number == signal.SIGINT else f"stopped by {signal.Signals(number).name}"
    )
    return "; ".join([first, *getattr(interruption, "__notes__", ())])


def _find_number(interruption: KeyboardInterrupt) -> int:
    return interruption.number if isinstance(interruption, Stopped) else signal.SIGINT


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped(number)
