"""Measuring side by side: each contestant in a process of its own, a round of each in turn, medians and spread."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from oasis_gan import OasisGanError

_WORKER = Path(__file__).with_name("speed_worker.py")


@dataclass(frozen=True)
class Work:
    """What a worker is to do again and again.

    Args:
        side: Who does it: ``tutorial``, ``ours``, ``pytorch-float32``...
        what: ``inference``, ``training`` or ``product``.
        size: Rows and columns of a slice, or of the matrices of a product.
        filters: Of the outermost level of both networks.
        levels: Of the generator.
        batch: Slices at once; the tutorial takes one.
        seed: Of slices and weights.
    """

    side: str
    what: str
    size: int = 256
    filters: int = 64
    levels: int = 8
    batch: int = 16
    seed: int = 0


@dataclass(frozen=True)
class Prepared:
    """Work that is ready to be done.

    Args:
        call: Does it once, to the end.
        units: What it does then: slices, images, or GFLOP.
        precision: In which it computes.
        gflop: That the networks need for a unit; 0 where nobody asks.
    """

    call: Callable[[], object]
    units: float
    precision: str
    gflop: float = 0.0

    def round(self, seconds: float) -> float:
        """Do it for at least so many seconds, and at least once; return the seconds a unit."""
        start = time.perf_counter()
        calls = 0
        passed = 0.0
        while not calls or passed < seconds:
            self.call()
            calls = calls + 1
            passed = time.perf_counter() - start
        return passed / calls / self.units


@dataclass(frozen=True)
class Measured:
    """What became of a contestant.

    Args:
        values: Seconds a unit, of each round.
        precision: In which it computed.
        gflop: That a unit needs; 0 where nobody asks.
        peak: Most memory that was in use, MB; 0 where it was not measured.
        once: Whether its first call took so long that there was no other.
    """

    values: tuple[float, ...]
    precision: str = ""
    gflop: float = 0.0
    peak: float = 0.0
    once: bool = False

    @property
    def median(self) -> float:
        """Of all rounds, seconds a unit."""
        return statistics.median(self.values)

    @property
    def low(self) -> float:
        """The fastest round."""
        return min(self.values)

    @property
    def high(self) -> float:
        """The slowest round."""
        return max(self.values)


@dataclass(frozen=True)
class Entry:
    """A contestant.

    Args:
        work: What it does.
        process: Contestants that name the same one share a process.
        cores: That it may use; all if not given.
        variant_of: A contestant before it that differs in its precision alone: left out where both compute in the same.
    """

    work: Work
    process: str
    cores: int | None = None
    variant_of: str | None = None


@dataclass(frozen=True)
class Effort:
    """How long is measured.

    Args:
        rounds: Of each contestant.
        seconds: That a round takes at least.
        patience: Seconds; a contestant whose first call takes longer is measured by that call alone.
    """

    rounds: int
    seconds: float
    patience: float = 30.0


class Worker:
    """A process that waits for what it is to measure, and takes no processor time until then."""

    def __init__(self, cores: int | None) -> None:
        command = [sys.executable, str(_WORKER), *([str(cores)] if cores else [])]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def ask(self, question: Mapping[str, object]) -> dict[str, Any]:
        """Return the answer to a question.

        Raises:
            OasisGanError: If the process has ended.
        """
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            where = str(question.get("prepare") or question.get("measure"))
            found = f"its process ended with {self._process.wait()}"
            remedy = "see above, or leave it out"
            raise OasisGanError(where, expected="a measurement", found=found, remedy=remedy)
        answer: dict[str, Any] = json.loads(line)
        return answer


def compete(
    entries: Mapping[str, Entry], effort: Effort, report: Callable[[str], None] = lambda line: None
) -> dict[str, Measured]:
    """Return what became of each contestant: all are made ready first, and then take turns."""
    with ExitStack() as stack:
        workers: dict[tuple[str, int | None], Worker] = {}
        ready: dict[str, dict[str, Any]] = {}
        for name, entry in entries.items():
            key = entry.process, entry.cores
            if key not in workers:
                workers[key] = stack.enter_context(Worker(entry.cores))
            ready[name] = workers[key].ask({"prepare": name, **asdict(entry.work)})
            if (
                entry.variant_of
                and ready[name]["precision"] == ready[entry.variant_of]["precision"]
            ):
                del ready[name]
                continue
            report(f"{name}: ready, {ready[name]['precision']}")
        once = {
            name: [answer["unit"]]
            for name, answer in ready.items()
            if answer["call"] > effort.patience
        }
        values: dict[str, list[float]] = {name: [] for name in ready} | once
        for number in range(effort.rounds):
            for name in ready:
                if name in once:
                    continue
                worker = workers[entries[name].process, entries[name].cores]
                values[name].append(
                    worker.ask({"measure": name, "seconds": effort.seconds})["unit"]
                )
                report(f"{name}: round {number + 1}, {values[name][-1] * 1000:.4g} ms")
    return {
        name: Measured(tuple(values[name]), answer["precision"], answer["gflop"], once=name in once)
        for name, answer in ready.items()
    }
