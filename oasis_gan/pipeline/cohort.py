"""Translate many subjects; a problem with one subject does not affect the others."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from types import MappingProxyType

from ..plugin.datasets import Subject
from .engines import Advance, Ended, Engine, InProcess
from .job import Job
from .ledger import Outcome, Row
from .naming import plan_names
from .places import Reservations
from .work import Plan, Work


def translate_all(
    subjects: Sequence[Subject],
    job: Job,
    advance: Advance = lambda index, fraction: None,
    ended: Ended = lambda outcome: None,
) -> Generator[Outcome, None, None]:
    """Translate subjects one after the other and yield the outcome of each, in their order.

    Args:
        subjects: The subjects to translate.
        job: How they are translated, and where outputs go.
        advance: Called with the index of the subject that is translated, and the fraction of it
            that is done.
        ended: Called with each outcome the moment it is known, in another thread.

    Raises:
        OasisGanError: If the model cannot be loaded.
        KeyboardInterrupt: If the user interrupts; see `InProcess`.
    """
    yield from do_all(plan_works(subjects, job), InProcess(), advance, ended)


def plan_works(subjects: Sequence[Subject], job: Job) -> list[Work]:
    """Return the work on each subject, with names for the outputs that do not collide."""
    namings = plan_names(subjects)
    plan = Plan(job, Reservations(namings))
    works = []
    for index, (subject, naming) in enumerate(zip(subjects, namings, strict=True)):
        works.append(Work(index, subject, naming, plan))
    return works


def do_all(
    works: Sequence[Work],
    engine: Engine,
    advance: Advance,
    ended: Ended,
    earlier: Mapping[str, Row] = MappingProxyType({}),
) -> Generator[Outcome, None, None]:
    """Do the work on all subjects and yield the outcome of each.

    Subjects that an earlier run has finished come first. Nothing of them is read if the table and
    the state of their files on the disk tell that they are finished.

    Args:
        works: The work on each subject; its index becomes its place in the order of work.
        engine: Does the work.
        advance: Called with the index of the subject that is translated, and the fraction of it
            that is done.
        ended: Called with each outcome the moment it is known, perhaps in another thread.
        earlier: What the table of earlier runs says about subjects, by their tag.

    Raises:
        OasisGanError: If the model cannot be loaded, or the engine cannot be used.
        KeyboardInterrupt: If the user interrupts; see the engine.
    """
    left: list[Work] = []
    for work in works:
        outcome = work.recognise(earlier)
        if outcome is None:
            left.append(work)
            continue
        ended(outcome)
        yield outcome
    for index, work in enumerate(left, start=len(works) - len(left)):
        work.index = index
    yield from engine.run(left, advance, ended)
