"""Compare outputs with real scans or label maps: ``oasis-gan evaluate``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from ..errors import one_line
from ..evaluation.cohort import Cohort
from ..evaluation.evaluating import Evaluation, evaluate
from ..evaluation.libraries import require_libraries
from ..evaluation.outputs import Output, list_outputs
from ..evaluation.records import describe_undefined
from ..plugin.foreign import foreign_code
from .choosing import load_registry
from .evaluation_forms import FORMS, Form
from .evaluation_tasks import TaskFinder, TaskOptions
from .flags import with_flags
from .progress import Reporter, reporting


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(TaskOptions):
    """The options that ``oasis-gan evaluate`` takes."""

    outputs: tuple[Path, ...]
    form: str


def evaluate_command(options: EvaluateOptions) -> int:
    """Evaluate outputs and print what was found; return 0, or 1 if some could not be evaluated.

    Raises:
        OasisGanError: If the options cannot be followed.
        OSError: If the file system fails.
    """
    require_libraries()
    outputs = list_outputs(options.outputs)
    registry = load_registry(options.plugin_files)
    with TemporaryDirectory(prefix="oasis-gan-") as folder:
        finder = TaskFinder(options, registry, Path(folder))
        finder.require_enough(outputs)
        form = FORMS[options.form](finder.segmenter)
        return _evaluate_all(outputs, finder, form)


def _evaluate_all(outputs: Sequence[Output], finder: TaskFinder, form: Form) -> int:
    """Evaluate outputs one after the other; return 0, or 1 if some could not be evaluated."""
    cohort = Cohort()
    with reporting("evaluating", len(outputs)) as reporter:
        for index, output in enumerate(outputs):
            reporter.advance(index, len(outputs), f"evaluating {output.name}")
            evaluation = _evaluate_one(output, finder, form, reporter)
            if evaluation is not None:
                cohort.add(evaluation)
    form.finish(cohort)
    return int(cohort.subjects < len(outputs))


def _evaluate_one(
    output: Output,
    finder: TaskFinder,
    form: Form,
    reporter: Reporter,
) -> Evaluation | None:
    """Evaluate an output and print what was found; None if it could not be evaluated."""
    try:
        with foreign_code(output.path):
            evaluation = evaluate(finder.find_task(output))
    # Readers may come from any plugin.
    except Exception as error:  # noqa: BLE001
        message = with_flags(one_line(error))
        reporter.log(f"{output.name}: failed - {message}")
        form.add_failure(output.name, message)
        return None
    notes = [with_flags(note) for note in evaluation.notes]
    evaluation = replace(evaluation, notes=tuple(notes))
    for note in (*notes, *describe_undefined(evaluation)):
        reporter.log(f"{output.name}: {note}")
    form.add(evaluation)
    return evaluation
