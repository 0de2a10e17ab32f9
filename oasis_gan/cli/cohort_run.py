"""Run the work on many subjects, and report the outcome of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from ..errors import one_line
from ..pipeline.cohort import do_all
from ..pipeline.engines import Engine, InProcess
from ..pipeline.ledger import Ledger, Outcome, Row, Status
from ..pipeline.processes import LocalProcesses
from ..pipeline.work import Work
from .cohort_options import CohortOptions
from .flags import with_flags
from .progress import OutcomeFormatter, Reporter


class CohortRun:
    """A run writes a line, a row of the table and a path for each outcome.

    Args:
        reporter: Shows the lines and takes the paths.
        ledger: The table.
        total: How many subjects there are.
    """

    def __init__(self, reporter: Reporter, ledger: Ledger, total: int) -> None:
        self._reporter = reporter
        self._ledger = ledger
        self._formatter = OutcomeFormatter(total)
        self._total = total
        self._ended = 0
        self.failed = False
        self.outputs: list[Path] = []

    def add(self, outcome: Outcome) -> None:
        """Report the next outcome."""
        outcome = replace(outcome, message=with_flags(outcome.message))
        self._ended += 1
        self.failed |= outcome.status is Status.FAILED
        # A row that cannot be written now is written with the next; `finish` reports what is left.
        with suppress(OSError):
            self._ledger.add(outcome)
        self._reporter.log(self._formatter.format(outcome))
        # Outputs that were there already are results of the command, too.
        if outcome.output is not None:
            self._reporter.write_result(outcome.output)
            self.outputs.append(outcome.output)

    def translate(self, works: Sequence[Work], engine: Engine, *, stop: bool) -> None:
        """Do the work on subjects.

        Args:
            works: The work on each subject.
            engine: Does the work.
            stop: Whether to stop at the first subject that fails.

        Raises:
            KeyboardInterrupt: If the user interrupts; a note says how far the run has come.
        """
        earlier = self._ledger.earlier
        try:
            with closing(do_all(works, engine, self._advance, self.add, earlier)) as outcomes:
                for _ in outcomes:
                    # They are reported as soon as they are known, which is earlier.
                    if stop and self.failed:
                        break
        except KeyboardInterrupt as interruption:
            interruption.add_note(self._describe_progress())
            self.finish()
            raise
        if stop and self.failed:
            self._reporter.log(f"stopped after a failure: {self._describe_progress()}")

    def finish(self) -> int:
        """Write what is left of the table, and return the exit status."""
        try:
            self._ledger.write()
        except OSError as error:
            self._reporter.log(one_line(error))
            return 1
        return int(self.failed)

    def _advance(self, index: int, fraction: float) -> None:
        """Show how far the subject at work is."""
        self._reporter.advance(index + fraction, self._total, "translating")

    def _describe_progress(self) -> str:
        """Return how far the run is, and how to go on."""
        return (
            f"{self._ended} of {self._total} subjects are finished, "
            "and the same command goes on with the others"
        )


def choose_works(
    works: Sequence[Work], options: CohortOptions, earlier: Mapping[str, Row]
) -> list[Work]:
    """Return the work on the subjects that the user chooses.

    Args:
        works: The work on all subjects, so that each has the same name in every part of them.
        options: What the user chooses.
        earlier: What the table of earlier runs says about subjects, by their tag.
    """
    chosen = list(works)
    if options.batch is not None:
        chosen = [work for work in chosen if options.batch.includes(work.index)]
    if options.retry_failed:
        chosen = [work for work in chosen if _has_failed(work, earlier)]
    return chosen


def choose_engine(options: CohortOptions) -> Engine:
    """Return what does the work."""
    if options.jobs is None and options.timeout is None:
        return InProcess()
    return LocalProcesses(options.jobs or 1, options.timeout)


def _has_failed(work: Work, earlier: Mapping[str, Row]) -> bool:
    row = earlier.get(work.naming.tag)
    return row is not None and row.status == Status.FAILED
