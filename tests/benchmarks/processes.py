"""Measure whole processes, from start to end: seconds on the clock, and most memory in use."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rounds import Measured

from oasis_gan import OasisGanError


@dataclass(frozen=True)
class Command:
    """What is run.

    Args:
        words: The program, and what it is given.
        exit_code: It is to end with.
        large: Whether its memory is of interest; a process that is small cannot be distinguished
            from the one that started it.
    """

    words: Sequence[str]
    exit_code: int = 0
    large: bool = False


def ran(command: Command) -> tuple[float, float]:
    """Return how long a process took, in seconds, and the most memory it used, in MB.

    Linux counts as a process's own what this one holds when it starts it: this one has to be the
    smaller.

    Raises:
        OasisGanError: If it ends otherwise than it should.
    """
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            command.words, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != command.exit_code:
            output.seek(0)
            last = output.read().decode(errors="replace").strip().splitlines()[-1:]
            found = f"{process.returncode}: {''.join(last)}"
            where = " ".join(command.words)
            expected = f"exit code {command.exit_code}"
            raise OasisGanError(where, expected=expected, found=found, remedy="run it by hand")
    return seconds, used.ru_maxrss * 1024 / 1e6


def in_turns(
    commands: Mapping[str, Command], rounds: int, report: Callable[[str], None] = lambda line: None
) -> dict[str, Measured]:
    """Return what each command took in rounds in which they take turns."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for number in range(rounds):
        for name, command in commands.items():
            taken[name].append(ran(command))
            report(f"{name}: round {number + 1}, {taken[name][-1][0]:.2f} s")
    measured = {}
    for name, figures in taken.items():
        seconds, peaks = zip(*figures, strict=True)
        measured[name] = Measured(tuple(seconds), peak=max(peaks) if commands[name].large else 0.0)
    return measured


def python(*words: object) -> list[str]:
    """Return a command of this Python."""
    return [sys.executable, *map(str, words)]


def imports(module: str, words: Sequence[str]) -> bool:
    """Return whether a module is imported by the Python program that ``words`` run."""
    environment = {**os.environ, "PYTHONPROFILEIMPORTTIME": "1"}
    output = subprocess.run(
        words, env=environment, capture_output=True, text=True, check=False
    ).stderr
    return re.search(rf"\| +{re.escape(module)}$", output, re.MULTILINE) is not None
