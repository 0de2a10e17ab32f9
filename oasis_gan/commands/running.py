"""``oasis-gan run``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..cohort import Job, translate_all
from ..datasets import Selection
from ..ledger import Status, write_ledger
from ..progress import Clock, reporting
from .choosing import choose_model, choose_plane, list_subjects, load_registry, loaded


@dataclass(frozen=True)
class RunOptions:
    """The options of ``oasis-gan run``."""

    sources: tuple[Path, ...]
    out: Path
    model: str | None
    dataset: str | None
    exporter: str
    plane: str | None
    source_suffix: str
    plugin_files: tuple[Path, ...]
    overwrite: bool


def run(options: RunOptions) -> int:
    """Translate subjects; return 0 if all are done or were there already, 1 if some failed.

    Raises:
        OasisGanError: If the options cannot be followed; nothing has been translated then.
        OSError: If the output folder cannot be written to.
    """
    registry = load_registry(options.plugin_files)
    kind, folder = choose_model(registry, options.model)
    plane = choose_plane(kind, folder, options.plane)
    exporter = registry.exporters.get(options.exporter)
    selections = [Selection(source, source_suffix=options.source_suffix) for source in options.sources]
    subjects, outcomes = list_subjects(registry, selections, options.dataset)
    options.out.mkdir(parents=True, exist_ok=True)
    clock = Clock(len(subjects) + len(outcomes))
    try:
        with reporting(len(subjects)) as reporter:
            for outcome in outcomes:
                reporter.say(clock.line(outcome))
            if not subjects:
                return 1
            job = Job(loaded(kind, folder), exporter, plane, options.out, options.overwrite)
            for outcome in translate_all(subjects, job, reporter.advance):
                outcomes.append(outcome)
                reporter.say(clock.line(outcome))
                if outcome.output is not None:
                    reporter.give(outcome.output)
    finally:
        # Also of a run that is interrupted.
        write_ledger(options.out, outcomes)
    return int(any(outcome.status is Status.FAILED for outcome in outcomes))
