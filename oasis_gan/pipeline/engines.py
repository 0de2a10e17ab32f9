"""Engines do the work on the subjects of a run, in this process or elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Protocol

from .ledger import Outcome
from .work import Work
from .workers import Worker

Advance = Callable[[int, float], None]
"""Called with the index of the subject that is translated, and the fraction of it that is done."""
Ended = Callable[[Outcome], None]
"""Called with each outcome the moment it is known, perhaps in another thread."""
_PATIENCE = 0.2  # seconds that a thread gets to end when the user interrupts


class Engine(Protocol):
    """Does the work on subjects. A problem with one subject does not affect the others."""

    def run(
        self, works: Sequence[Work], advance: Advance, ended: Ended
    ) -> Generator[Outcome, None, None]:
        """Do the work and yield the outcome of each subject, once it is known.

        Subjects that another run is translating at that moment come last: this run waits for them
        when everything else is done. If the generator is closed, no further subject is begun.

        Args:
            works: The work on each subject; none of it has begun.
            advance: Is told how far the subject is that is translated, if the engine knows.
            ended: Takes each outcome.

        Raises:
            OasisGanError: If the engine cannot be used.
            KeyboardInterrupt: If the user interrupts. Outputs are complete or not there at all.
        """


class InProcess:
    """Works in this process: reads a subject and writes another while a third is translated.

    At most these three are in memory.
    """

    def run(
        self, works: Sequence[Work], advance: Advance, ended: Ended
    ) -> Generator[Outcome, None, None]:
        """Do the work; see `Engine`.

        After an interruption, the output that was being written is complete, unless the user
        interrupts again. A note on the interruption says what was being done.
        """
        pipeline = _Pipeline(advance, ended)
        try:
            yield from pipeline.run(works, wait=False)
            yield from pipeline.run([work for work in works if work.postponed], wait=True)
        except KeyboardInterrupt as interruption:
            if pipeline.doing:
                interruption.add_note(f"while {pipeline.doing}")
            try:
                yield from pipeline.finish_writing()
            except KeyboardInterrupt:
                # After a second interruption, do not wait for an exporter: the disk may not answer.
                pipeline.give_up_writing()
                raise interruption from None
            raise
        finally:
            pipeline.close()
            # Whatever was read but not written still keeps its name from other runs.
            for work in works:
                work.let_go()


class _Pipeline:
    """Reads one subject, translates another and writes a third at the same time."""

    def __init__(self, advance: Advance, ended: Ended) -> None:
        self._advance = advance
        self._ended = ended
        self._reader = Worker("reading")
        self._writer = Worker("writing")
        self._writing: list[tuple[Work, Future[Outcome]]] = []
        self._writer_patience: float | None = None
        self.doing = ""

    def run(self, works: Sequence[Work], *, wait: bool) -> Iterator[Outcome]:
        """Yield the outcome of each subject that no other run is translating."""
        for work, reading in zip(works, self._read_ahead(works, wait=wait), strict=True):
            self.doing = f"reading {work.label}"
            # This only waits: an error is part of the outcome of the work.
            reading.result()
            if work.postponed:
                continue
            self.doing = f"translating {work.label}"
            work.translate(partial(self._advance, work.index))
            writing = self._writer.submit(partial(self._finish, work))
            self._writing.append((work, writing))
            # One subject is written while another is translated; more would fill the memory.
            if len(self._writing) > 1:
                yield self._finish_next()
        yield from self.finish_writing()

    def finish_writing(self) -> Iterator[Outcome]:
        """Yield the outcomes of the subjects that are being written."""
        while self._writing:
            yield self._finish_next()

    def give_up_writing(self) -> None:
        """Stop waiting for the subjects that are being written."""
        self._writing.clear()
        self._writer_patience = _PATIENCE

    def close(self) -> None:
        """End the threads: wait for the exporter, but leave behind a reader that hangs."""
        self._reader.close(_PATIENCE)
        self._writer.close(self._writer_patience)

    def _finish_next(self) -> Outcome:
        work, writing = self._writing[0]
        self.doing = f"writing {work.label}"
        outcome = writing.result()
        # Only now: after an interruption, `finish_writing` has to wait for it again.
        del self._writing[0]
        return outcome

    def _finish(self, work: Work) -> Outcome:
        outcome = work.write()
        self._ended(outcome)
        return outcome

    def _read_ahead(self, works: Sequence[Work], *, wait: bool) -> Iterator[Future[None]]:
        """Yield the futures of reading in order, each once reading of the next has begun."""
        begun: list[Future[None]] = []
        for work in works:
            reading = self._reader.submit(partial(work.read, wait=wait))
            begun.append(reading)
            if len(begun) > 1:
                yield begun.pop(0)
        yield from begun
