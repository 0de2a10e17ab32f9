"""Measure contestants side by side, each in a process of its own, in rounds that take turns."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from oasis_gan import OasisGanError

_WORKER = Path(__file__).with_name("speed_worker.py")


@dataclass(frozen=True)
class Work:
    """The work that a worker repeats.

    Args:
        side: Whose code does it: ``tutorial``, ``ours``, ``pytorch-float32``...
        what: ``inference``, ``training`` or ``product``.
        size: Rows and columns of a slice, or of the matrices of a product.
        filters: Number of filters of the outermost level of both networks.
        levels: Number of levels of the generator.
        batch: Slices at once; the tutorial takes one.
        seed: Seed of the slices and the weights.
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
    """Work that is prepared.

    Args:
        call: Does the work once.
        units: How much a call does: slices, images, or GFLOP.
        precision: The precision in which it computes.
        gflop: GFLOP that the networks need for a unit; 0 if unknown.
    """

    call: Callable[[], object]
    units: float
    precision: str
    gflop: float = 0.0

    def round(self, seconds: float) -> float:
        """Repeat the work for ``seconds`` or more, and at least once; return the seconds a unit."""
        start = time.perf_counter()
        calls = 0
        passed = 0.0
        while not calls or passed < seconds:
            self.call()
            calls += 1
            passed = time.perf_counter() - start
        return passed / calls / self.units


@dataclass(frozen=True)
class Measured:
    """The measurements of a contestant.

    Args:
        values: Seconds a unit in each round.
        precision: The precision in which it computed.
        gflop: GFLOP that a unit needs; 0 if unknown.
        peak: Peak memory, MB; 0 if it was not measured.
        once: Whether its first call took so long that there was no other.
    """

    values: tuple[float, ...]
    precision: str = ""
    gflop: float = 0.0
    peak: float = 0.0
    once: bool = False

    @property
    def median(self) -> float:
        """Median of all rounds, seconds a unit."""
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
        process: Contestants with the same name here share a process.
        cores: How many cores it may use; all by default.
        variant_of: An earlier contestant that differs only in precision. If both compute in the
            same precision, this one is left out.
    """

    work: Work
    process: str
    cores: int | None = None
    variant_of: str | None = None


@dataclass(frozen=True)
class Effort:
    """How long to measure.

    Args:
        rounds: Number of rounds of each contestant.
        seconds: Shortest duration of a round.
        patience: Seconds; if the first call of a contestant takes longer, there is no other.
    """

    rounds: int
    seconds: float
    patience: float = 30.0


class Worker:
    """A process that waits for questions, without taking processor time."""

    def __init__(self, cores: int | None) -> None:
        command = [sys.executable, str(_WORKER)]
        if cores:
            command.append(str(cores))
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
            raise OasisGanError(
                str(question.get("prepare") or question.get("measure")),
                expected="a measurement",
                found=f"its process ended with {self._process.wait()}",
                remedy="see above, or leave it out",
            )
        answer: dict[str, Any] = json.loads(line)
        return answer


Answers = dict[str, dict[str, Any]]
"""What the worker of each contestant says of it, by the contestant's name."""


class Contest:
    """Contestants that are prepared first, and then take turns.

    Args:
        entries: The contestants by name.
        effort: How long to measure.
        report: Called with a line about each step.
        stack: Closes the workers.
    """

    def __init__(
        self,
        entries: Mapping[str, Entry],
        effort: Effort,
        report: Callable[[str], None],
        stack: ExitStack,
    ) -> None:
        self._entries = entries
        self._effort = effort
        self._report = report
        self._stack = stack
        self._workers: dict[tuple[str, int | None], Worker] = {}

    def prepare(self) -> Answers:
        """Return the answers of all contestants, without variants that turn out to be the same."""
        answers: Answers = {}
        for name, entry in self._entries.items():
            answer = self._worker_of(entry).ask({"prepare": name, **asdict(entry.work)})
            original = answers[entry.variant_of] if entry.variant_of else None
            if original and original["precision"] == answer["precision"]:
                continue
            answers[name] = answer
            self._report(f"{name}: ready, {answer['precision']}")
        return answers

    def measure(self, names: Iterable[str]) -> dict[str, list[float]]:
        """Return the seconds a unit of each contestant, a value a round."""
        values: dict[str, list[float]] = {name: [] for name in names}
        for number in range(1, self._effort.rounds + 1):
            for name in values:
                question = {"measure": name, "seconds": self._effort.seconds}
                seconds = self._worker_of(self._entries[name]).ask(question)["unit"]
                values[name].append(seconds)
                self._report(f"{name}: round {number}, {seconds * 1000:.4g} ms")
        return values

    def _worker_of(self, entry: Entry) -> Worker:
        key = (entry.process, entry.cores)
        if key not in self._workers:
            self._workers[key] = self._stack.enter_context(Worker(entry.cores))
        return self._workers[key]


def compete(
    entries: Mapping[str, Entry], effort: Effort, report: Callable[[str], None] = lambda line: None
) -> dict[str, Measured]:
    """Return the measurements of each contestant: all are prepared first, and then take turns."""
    with ExitStack() as stack:
        contest = Contest(entries, effort, report, stack)
        answers = contest.prepare()
        slow = {name for name, answer in answers.items() if answer["call"] > effort.patience}
        values = contest.measure(name for name in answers if name not in slow)
    for name in slow:
        values[name] = [answers[name]["unit"]]
    return {
        name: Measured(
            tuple(values[name]),
            answer["precision"],
            answer["gflop"],
            once=name in slow,
        )
        for name, answer in answers.items()
    }
