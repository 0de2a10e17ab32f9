"""Run as a BIDS App: ``oasis-gan bids``."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import OasisGanError
from ..io.claims import sweep
from ..pipeline.bids_derivative import write_derivative_files
from ..pipeline.bids_layout import BidsLayout
from ..plugin.datasets import Subject
from .bids_citation import write_citation
from .bids_filter import filter_subjects
from .bids_group import summarise
from .bids_records import OutputRecord, read_records
from .lines import log
from .run import RunOptions, run

_RAW = "raw"
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9]")
_THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")
"""Variables that the libraries for computing read when they are loaded."""
_FIXED: Mapping[str, Any] = {
    "dataset": "bids",
    "exporter": "nifti",
    "spacing": None,
}
"""Options of `run` that BIDS leaves no choice in."""


class SourceIsOutputError(OasisGanError):
    """The output folder is the dataset itself."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            "OUT_DIR",
            expected="a folder of its own",
            found=f"BIDS_DIR, {folder}",
            remedy="name BIDS_DIR/derivatives/oasis-gan, for example",
        )


class NothingSelectedError(OasisGanError):
    """The folder has no output of the participants or sessions that the user chooses."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            folder,
            expected="outputs of these participants and sessions",
            found="none",
            remedy="translate them first, without --reports-only",
        )


@dataclass(frozen=True, kw_only=True)
class AppOptions:
    """The options of ``oasis-gan bids`` that ``oasis-gan run`` does not have."""

    bids_dir: Path
    out_dir: Path
    level: str
    filter_file: Path | None
    derivatives: tuple[str, ...]
    nprocs: int | None
    omp_nthreads: int | None
    mem: str | None
    work_dir: Path | None
    random_seed: int | None
    reports_only: bool
    stop_on_first_crash: bool

    @property
    def datasets(self) -> dict[str, Path]:
        """The datasets that hold the sources, by the names that BIDS URIs have for them."""
        named = dict(map(_parse_derivative, self.derivatives))
        return {_RAW: _make_absolute(self.bids_dir), **named}

    @property
    def sources(self) -> tuple[Path, ...]:
        """The folders that are searched for sources."""
        named = dict(map(_parse_derivative, self.derivatives))
        return tuple(named.values()) or (self.bids_dir,)

    @property
    def target_root(self) -> Path | None:
        """The folder with the real scans, where the sources do not tell."""
        raw = _make_absolute(self.bids_dir)
        is_inside = all(_make_absolute(path).is_relative_to(raw) for path in self.sources)
        return None if is_inside else self.bids_dir


@dataclass(frozen=True, kw_only=True)
class BidsRunOptions(RunOptions):
    """The options of a run whose output folder is a BIDS derivative."""

    app: AppOptions

    def make_layout(self) -> BidsLayout:
        """Return where the files of the run go."""
        return BidsLayout(self.out, self.app.datasets)

    def filter_subjects(self, subjects: list[Subject]) -> list[Subject]:
        """Return the subjects that pass the filters of the user."""
        if self.app.filter_file is None:
            return subjects
        return filter_subjects(subjects, self.app.filter_file)


def bids(app: AppOptions, options: Mapping[str, Any]) -> int:
    """Run one level of the BIDS App, and return its exit status.

    Args:
        app: The options that only this command has.
        options: The options that it shares with ``oasis-gan run``, by name.

    Raises:
        OasisGanError: If the options cannot be followed.
        OSError: If the file system fails.
    """
    if _make_absolute(app.bids_dir) == _make_absolute(app.out_dir):
        raise SourceIsOutputError(app.out_dir)
    if app.level == "group":
        return summarise(app.out_dir)
    _apply_resources(app)
    if app.reports_only:
        return _make_reports(app, options)
    return _translate(app, options)


def _translate(app: AppOptions, options: Mapping[str, Any]) -> int:
    """Translate the participants into a BIDS derivative."""
    run_options = BidsRunOptions(
        **options,
        **_FIXED,
        sources=app.sources,
        target_root=app.target_root,
        out=app.out_dir,
        app=app,
        stops_on_failure=app.stop_on_first_crash,
    )
    write_derivative_files(app.out_dir, app.datasets)
    for folder in run_options.make_layout().list_folders():
        sweep(folder)
    status = run(run_options)
    _cite(app.out_dir)
    return status


def _cite(folder: Path) -> None:
    """Write the text for a methods section, if there is an output to describe."""
    try:
        records = read_records(folder)
    # Every subject may have failed, and each has been reported.
    except OasisGanError:
        return
    write_citation(folder, records)


def _apply_resources(app: AppOptions) -> None:
    """Limit what the run uses, and name the options that have nothing to do."""
    if app.omp_nthreads is not None:
        os.environ.update(dict.fromkeys(_THREADS, str(app.omp_nthreads)))
    if app.work_dir is not None:
        app.work_dir.mkdir(parents=True, exist_ok=True)
        tempfile.tempdir = str(app.work_dir)
    idle = {
        "--nprocs": app.nprocs not in (None, 1),
        "--mem": app.mem is not None,
        "--random-seed": app.random_seed is not None,
    }
    for flag, is_given in idle.items():
        if is_given:
            log(f"{flag} has nothing to do here; see docs/bids-app.md")


def _make_reports(app: AppOptions, options: Mapping[str, Any]) -> int:
    """Make the pages of the outputs of the chosen participants."""
    from .report import ReportOptions, report_command

    return report_command(
        ReportOptions(
            outputs=_choose_outputs(app.out_dir, options["participants"], options["sessions"]),
            against=None,
            labels=None,
            label_set=None,
            segmentation=None,
            segmentation_suffix="",
            segmentation_set=None,
            segment=None,
            segmenter=None,
            dataset=None,
            source_suffix="",
            target_suffix="",
            participants=(),
            sessions=(),
            spacing=None,
            max_voxels=options["max_voxels"],
            plugin_files=options["plugin_files"],
        )
    )


def _choose_outputs(
    folder: Path, participants: Sequence[str], sessions: Sequence[str]
) -> tuple[Path, ...]:
    """Return the outputs of participants and sessions, or the folder itself for all of them."""
    if not participants and not sessions:
        return (folder,)
    records = read_records(folder)
    chosen = [
        record.path
        for record in records
        if _has_label(record, "sub", participants) and _has_label(record, "ses", sessions)
    ]
    if not chosen:
        raise NothingSelectedError(folder)
    return tuple(chosen)


def _has_label(record: OutputRecord, key: str, labels: Sequence[str]) -> bool:
    """Tell whether an output is of one of these labels; any is, if there are none."""
    return not labels or record.read_entity(key).removeprefix(f"{key}-") in labels


def _parse_derivative(text: str) -> tuple[str, Path]:
    """Return the name and the folder of a derivative that a user typed."""
    name, equals, folder = text.partition("=")
    path = _make_absolute(Path(folder if equals else text))
    typed = name if equals else path.name
    return _NOT_IN_NAMES.sub("", typed) or "derivative", path


def _make_absolute(path: Path) -> Path:
    """Return an absolute path that keeps links as they are."""
    return Path(os.path.abspath(path))  # noqa: PTH100
