"""Local worker processes: a subject that crashes, hangs or fills the memory fails alone."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path

from ..errors import OasisGanError
from ..io.claims import sweep
from .engine_errors import TimeLimitError, WorkerLostError
from .engines import Advance, Ended
from .ledger import Outcome
from .remote import pack_plan, pack_task, work_on
from .work import Work

_SPAWN = multiprocessing.get_context("spawn")
_ATTEMPTS = 2
_POLL_SECONDS = 0.5  # between two looks at a subject that another run is translating
_PATIENCE = 5.0  # seconds that a process gets to end
# Where memory runs out, Linux ends a worker before the process that the user started.
_OOM_SCORE = "500"


class LocalProcesses:
    """Works in processes on this machine; each loads the model once.

    A subject that ends its process, or takes longer than the time limit, is tried once more in a
    new process. If that fails too, only this subject fails.

    Args:
        jobs: The number of processes.
        timeout: The time limit of a subject in seconds, if there is one. It includes the time to
            load the model.
    """

    def __init__(self, jobs: int, timeout: float | None = None) -> None:
        self._jobs = jobs
        self._timeout = timeout

    def run(
        self, works: Sequence[Work], advance: Advance, ended: Ended
    ) -> Generator[Outcome, None, None]:
        """Do the work; see `Engine`. Subjects end in any order.

        An interruption ends the processes at once; the subjects at work are done by the next run.
        """
        if not works:
            return
        first = works[0].index
        crew = _Crew(pack_plan(works[0].plan), min(self._jobs, len(works)), self._timeout)
        try:
            for count, outcome in enumerate(crew.do(works), 1):
                ended(outcome)
                advance(first + count, 0.0)
                yield outcome
        finally:
            if crew.dismiss():
                sweep(works[0].plan.job.layout.root)


class _Crew:
    """Worker processes, and the subjects that wait for one of them.

    Args:
        plan: What `pack_plan` returned.
        size: The number of processes.
        timeout: The time limit of a subject in seconds, if there is one.
    """

    def __init__(self, plan: bytes, size: int, timeout: float | None) -> None:
        self._members = [_Member(plan, timeout) for _ in range(size)]
        self._queue: deque[Work] = deque()
        self._postponed: list[Work] = []
        self._attempts: dict[int, int] = {}

    def do(self, works: Sequence[Work]) -> Iterator[Outcome]:
        """Do the work and yield outcomes as they are known."""
        self._queue.extend(works)
        while self._queue or self._postponed or self._busy:
            if not self._queue and not self._busy:
                # Another run is translating what is left.
                time.sleep(_POLL_SECONDS)
                self._queue.extend(self._postponed)
                self._postponed.clear()
            yield from self._hand_out()
            for member in _wait_for(self._busy):
                yield from self._take_answer(member)

    def dismiss(self) -> bool:
        """End all processes; return whether one of them may have left unfinished files."""
        lost = any(count for count in self._attempts.values())
        return any([lost, *[member.end() for member in self._members]])

    @property
    def _busy(self) -> list[_Member]:
        return [member for member in self._members if member.work is not None]

    def _hand_out(self) -> Iterator[Outcome]:
        """Give each idle member a subject; yield the outcomes of those that cannot be handed on."""
        for member in self._members:
            while member.work is None and self._queue:
                work = self._queue.popleft()
                try:
                    member.begin(work)
                # Its reader comes from a plugin, and another process cannot import it.
                except OasisGanError as error:
                    yield work.fail(error)

    def _take_answer(self, member: _Member) -> Iterator[Outcome]:
        work = member.work
        if work is None:
            return
        try:
            outcome = member.take_answer()
        except (TimeLimitError, WorkerLostError) as error:
            yield from self._retry(work, error)
            return
        if outcome is None:
            self._postponed.append(work)
        else:
            yield outcome

    def _retry(self, work: Work, error: OasisGanError) -> Iterator[Outcome]:
        """Put a subject that has lost its process back, or yield that it has failed."""
        attempts = self._attempts.get(work.index, 0) + 1
        self._attempts[work.index] = attempts
        if attempts < _ATTEMPTS:
            self._queue.append(work)
        else:
            yield work.fail(error)


class _Member:
    """A worker process, which is started when it is needed, and the subject that it works on."""

    def __init__(self, plan: bytes, timeout: float | None) -> None:
        self.work: Work | None = None
        self.deadline = float("inf")
        self._plan = plan
        self._timeout = timeout
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None

    @property
    def connection(self) -> Connection:
        """The connection to the process, which is started if there is none."""
        if self._connection is None:
            here, there = _SPAWN.Pipe()
            process = _SPAWN.Process(target=_serve, args=(there, self._plan), daemon=True)
            process.start()
            # Only the process itself holds its end, which closes when the process ends.
            there.close()
            self._process = process
            self._connection = here
        return self._connection

    def begin(self, work: Work) -> None:
        """Have the process work on a subject."""
        task = pack_task(work)
        connection = self.connection
        self.work = work
        if self._timeout is not None:
            self.deadline = time.monotonic() + self._timeout
        # If it has died meanwhile, the answer says so.
        with suppress(OSError):
            connection.send_bytes(task)

    def take_answer(self) -> Outcome | None:
        """Return the outcome of the subject, or None if another run is translating it.

        Raises:
            WorkerLostError: If the process ended instead.
            TimeLimitError: If it has not answered in time; it is ended then.
            OasisGanError: If the process cannot work at all.
        """
        work = self.work
        self.work = None
        name = work.label if work else ""
        if not self.connection.poll():
            self.end()
            raise TimeLimitError(name, self._timeout or 0.0)
        try:
            answer = self.connection.recv()
        except (EOFError, OSError):
            raise WorkerLostError(name, self._find_exit_code()) from None
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Outcome) else None

    def end(self) -> bool:
        """End the process; return whether it was at work."""
        was_busy = self.work is not None
        if self._connection is not None:
            # An idle process ends when its connection is closed.
            self._connection.close()
        if self._process is not None:
            if was_busy or self._process.is_alive():
                self._process.kill()
            self._process.join(_PATIENCE)
        self._process = None
        self._connection = None
        self.work = None
        return was_busy

    def _find_exit_code(self) -> int | None:
        process = self._process
        code = None
        if process is not None:
            process.join(_PATIENCE)
            code = process.exitcode
        self.end()
        return code


def _wait_for(members: Sequence[_Member]) -> list[_Member]:
    """Return the members that have answered, have died, or have used up their time."""
    if not members:
        return []
    nearest = min(member.deadline for member in members)
    seconds = None if nearest == float("inf") else max(0.0, nearest - time.monotonic())
    ready = wait([member.connection for member in members], seconds)
    now = time.monotonic()
    return [member for member in members if member.connection in ready or member.deadline <= now]


def _serve(connection: Connection, plan: bytes) -> None:
    """Work on one subject after the other, until the other end is closed."""
    # Ctrl-C reaches all processes of a terminal: the one that the user started ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE)
    answer: object
    # The process that the user started may be killed at any time.
    with suppress(EOFError, OSError):
        while True:
            task = connection.recv_bytes()
            try:
                answer = work_on(plan, task)
            except (OasisGanError, OSError) as error:
                answer = error
            connection.send(answer)
