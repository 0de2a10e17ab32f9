"""What can go wrong between a run and the processes that do its work."""

from __future__ import annotations

import signal

from ..errors import OasisGanError

_LOOK_AT_IT = "look at this subject, or translate it alone without `jobs`"


class WorkerLostError(OasisGanError):
    """A subject has ended the process that worked on it, more than once.

    Args:
        where: The subject.
        code: The exit code of the process, negative for a signal; None if it is not known.
    """

    def __init__(self, where: object, code: int | None) -> None:
        super().__init__(
            where,
            expected="a process that stays alive",
            found=f"two processes that ended, the second {_describe_end(code)}",
            remedy=_LOOK_AT_IT,
        )


class TimeLimitError(OasisGanError):
    """A subject takes longer than the time limit, more than once.

    Args:
        where: The subject.
        seconds: The time limit.
    """

    def __init__(self, where: object, seconds: float) -> None:
        super().__init__(
            where,
            expected=f"an end within {seconds:g} s",
            found="none in two attempts",
            remedy="raise `timeout`, or look at this subject",
        )


def _describe_end(code: int | None) -> str:
    """Return how a process has ended."""
    if code is None:
        return "for an unknown reason"
    if code >= 0:
        return f"with exit code {code}"
    name = _name_signal(-code)
    if name == "SIGKILL":
        return "by SIGKILL; perhaps the memory was full"
    return f"by {name}"


def _name_signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
