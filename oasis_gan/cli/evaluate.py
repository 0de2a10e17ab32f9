"""``oasis-gan evaluate``."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import one_line, printable
from ..evaluation.evaluating import Evaluation, Task, evaluate
from ..evaluation.libraries import require_libraries
from ..evaluation.provenance import find_source_file
from ..evaluation.records import (
    describe_undefined,
    json_document,
    json_failure,
    json_record,
    tsv_header,
    tsv_rows,
)
from ..evaluation.sidecars import Sidecar, read_sidecar
from ..io.endings import stem_of
from ..plugin.datasets import Scan
from ..plugin.foreign import foreign_code
from ..plugin.label_meaning import LabelSetFinder
from ..plugin.registry import Registry
from .choosing import load_registry
from .evaluation_table import print_evaluation
from .flags import with_flags
from .label_choices import advise_on_labels, label_set_of
from .lines import say
from .opening import open_scan
from .streams import write_result

_LABEL_SET = "--label-set"


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions:
    """The options of ``oasis-gan evaluate``."""

    output: Path
    against: Path
    labels: Path | None
    label_set: str | None
    dataset: str | None
    spacing: tuple[float, float, float] | None
    max_voxels: int
    plugin_files: tuple[Path, ...]
    form: str


def evaluate_command(options: EvaluateOptions) -> int:
    """Evaluate an output and print what was found; return 0, or 1 if it could not be evaluated.

    Raises:
        OasisGanError: If the options cannot be followed.
        OSError: As the file system says.
    """
    require_libraries()
    registry = load_registry(options.plugin_files)
    task = _task(options, registry)
    try:
        with foreign_code(task.output.path):
            found = evaluate(task)
        found = replace(found, notes=tuple(with_flags(note) for note in found.notes))
    # Readers may be anybody's.
    except Exception as error:  # noqa: BLE001
        _print_failure(options, task.subject, with_flags(one_line(error)))
        return 1
    _print(options, found)
    return 0


def _task(options: EvaluateOptions, registry: Registry) -> Task:
    output = _open(options, registry, options.output, holds_labels=False)
    real = _open(options, registry, options.against, holds_labels=False)
    sidecar = read_sidecar(options.output)
    subject = sidecar.subject if sidecar else stem_of(options.output.name)
    return Task(subject, output, sidecar, real, _find_labels(options, registry, sidecar))


def _find_labels(
    options: EvaluateOptions, registry: Registry, sidecar: Sidecar | None
) -> Scan | None:
    """Return the label map that is named, or that the sidecar names and that lies near."""
    path = options.labels
    if path is None and sidecar is not None and sidecar.was_made_from_labels:
        folders = [
            options.output.parent,
            options.output.absolute().parent.parent,
            options.against.parent,
        ]
        path = find_source_file(sidecar, folders)
        if path is None:
            name = sidecar.source.file
            say(
                f"warning: {name}, which the output was made from, is not near it: name it with --labels"
            )
    if path is None:
        return None
    scan = _open(options, registry, path, holds_labels=True)
    advice = advise_on_labels(registry, _LABEL_SET)
    explicit = label_set_of(options.label_set, advice) if options.label_set else None
    if explicit is None and sidecar is not None and sidecar.source_labels:
        explicit = advice.label_sets.find_identity(sidecar.source_labels)
    return LabelSetFinder(advice).describe(scan, explicit=explicit)


def _open(options: EvaluateOptions, registry: Registry, path: Path, *, holds_labels: bool) -> Scan:
    content = "labels" if holds_labels else "image"
    scan = open_scan(
        registry,
        path,
        content,  # type: ignore[arg-type]
        dataset=options.dataset,
        spacing=options.spacing,
        max_voxels=options.max_voxels,
    )
    return scan.holding(content)  # type: ignore[arg-type]


def _print(options: EvaluateOptions, found: Evaluation) -> None:
    notes = [*found.notes, *describe_undefined(found)]
    if options.form == "json":
        write_result(json.dumps(json_document([json_record(found)]), indent=2))
    elif options.form == "tsv":
        for row in (tsv_header(), *tsv_rows(found)):
            write_result(row)
    else:
        print_evaluation(found)
    for note in notes:
        say(f"{printable(found.subject)}: {note}")


def _print_failure(options: EvaluateOptions, subject: str, message: str) -> None:
    if options.form == "json":
        write_result(json.dumps(json_document([json_failure(subject, message)]), indent=2))
    elif options.form == "tsv":
        write_result(tsv_header())
    say(f"{printable(subject)}: failed - {message}")
