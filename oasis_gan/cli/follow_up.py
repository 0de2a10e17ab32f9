"""What ``oasis-gan run`` adds to its outputs at the end: certificates, previews and pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import OasisGanError, one_line, printable
from ..evaluation.certificates import (
    CertificateTable,
    evaluate_once,
    read_certificate,
    write_certificate,
)
from ..evaluation.evaluating import Evaluation
from ..evaluation.label_maps import place_on_grid
from ..evaluation.outputs import Output
from ..evaluation.pairing import Pairs
from ..evaluation.reading import Task, Volumes, read_files
from ..evaluation.segmenting import ModelSegmenter
from ..evaluation.sidecars import read_sidecar
from ..io.publishing import identify
from ..pipeline.sources import choose_scans
from ..plugin.datasets import Scan, Subject
from ..plugin.exporters import Exporter
from ..plugin.foreign import foreign_code
from ..plugin.models import ModelCard
from ..plugin.registry import Registry
from .flags import with_flags
from .opening import open_scan
from .progress import Reporter, reporting
from .readers import find_readers
from .uncertainty_map import read_uncertainty

if TYPE_CHECKING:
    from ..report.reporting import IndexRow


class NothingToReportError(OasisGanError):
    """A model makes label maps, but a report shows only MRI."""

    def __init__(self, card: ModelCard) -> None:
        super().__init__(
            "--report",
            expected="a model that makes an MRI",
            found=f"{card.name}, which makes {card.target.content}",
            remedy="leave it out; --preview draws label maps too",
        )


class UnreadableOutputsError(OasisGanError):
    """Outputs are to be read back, but no plugin reads the format of their exporter."""

    def __init__(self, flag: str, exporter: Exporter) -> None:
        super().__init__(
            flag,
            expected="outputs in a format that can be read back",
            found=f"--exporter {exporter.name}, which writes {exporter.suffix}",
            remedy=f"leave --exporter out, or {flag}",
        )


def require_readable_outputs(registry: Registry, exporter: Exporter, flag: str) -> None:
    """Raise `UnreadableOutputsError` if no plugin reads what an exporter writes."""
    # Readers know a file of their format by its name, before it is there.
    if not find_readers(registry, Path(f"output{exporter.suffix}")):
        raise UnreadableOutputsError(flag, exporter)


@dataclass(frozen=True, eq=False, kw_only=True)
class FollowUp:
    """Adds to each output what the user asks for; a problem with one does not stop the others.

    Args:
        registry: The installed plugins.
        card: The card of the model that made the outputs.
        segmenter: The model that segments outputs for their certificates; None for no certificates.
        preview: Whether each output gets a picture.
        report: Whether each output gets a page, and the folder an index.
    """

    registry: Registry
    card: ModelCard
    segmenter: ModelSegmenter | None = None
    preview: bool = False
    report: bool = False

    def add_to_all(self, outputs: Sequence[Path], subjects: Sequence[Subject], out: Path) -> bool:
        """Add to each output what it lacks; return whether all have it then.

        Args:
            outputs: The volumes.
            subjects: The subjects that they were made from.
            out: The output folder.
        """
        sources = Pairs(out, subjects, "", holds_labels=True)
        work = _Work(self, sources, out)
        with reporting("evaluating", len(outputs)) as reporter:
            for index, path in enumerate(outputs):
                reporter.advance(index, len(outputs), f"evaluating {path.name}")
                work.add_to(path, reporter)
            if self.report:
                reporter.log(f"report: {work.write_index()}")
        return work.complete


@dataclass(eq=False)
class _Work:
    """The work on the outputs of one run."""

    asked: FollowUp
    sources: Pairs
    out: Path
    complete: bool = True
    rows: list[IndexRow] = field(default_factory=list)

    def add_to(self, path: Path, reporter: Reporter) -> None:
        """Add to one output what is asked for, and say what could not be added."""
        try:
            with foreign_code(path):
                output, subject = self._find(path)
                if self.asked.preview:
                    self._add_preview(output, subject)
                if self.asked.report or self.asked.segmenter:
                    self._add_evaluation(output, subject)
        # Readers and models may come from any plugin.
        except Exception as error:  # noqa: BLE001
            message = with_flags(one_line(error))
            reporter.log(f"{path.name}: not evaluated - {message}")
            self._add_row_without_page(path.name, message)
            self.complete = False

    def write_index(self) -> Path:
        """Write the index of the pages, and return its path."""
        # Imported where it is used: Jinja is an extra, which only pages need.
        from ..report.reporting import write_index

        return write_index(self.out, self.rows)

    def _find(self, path: Path) -> tuple[Output, Subject]:
        """Return an output with its provenance, and the subject that it was made from."""
        sidecar = read_sidecar(path)
        output = Output(sidecar.subject if sidecar else path.name, path, sidecar)
        return output, self.sources.find_subject(output)

    def _add_preview(self, output: Output, subject: Subject) -> None:
        from ..report.preview import is_current, make_volume_row, write_preview

        digest = identify(output.path)["sha256"]
        # The same command again must not draw all pictures again.
        if is_current(output.path, digest):
            return
        card = self.asked.card
        made = self._open(output.path).read()
        made_row = make_volume_row("output (synthetic)", made, card.target.label_set)
        source = next(iter(choose_scans(subject, card).values()))
        given = place_on_grid(made, source.read(), source.path)
        rows = [
            make_volume_row(f"source: {source.path.name}", given, card.source.label_set),
            made_row,
        ]
        if subject.target is not None and card.target.content == "image":
            real = subject.target.with_content("image")
            shown = place_on_grid(made, real.read(), real.path)
            rows.append(make_volume_row("real scan", shown, None))
        write_preview(output.path, rows, made, output.name, digest)

    def _add_evaluation(self, output: Output, subject: Subject) -> None:
        """Add the certificate and the page of an output, from one evaluation."""
        segmenter = self.asked.segmenter
        certificate = read_certificate(output.path, segmenter.name) if segmenter else None
        # Segmenting takes minutes: without a page, a certificate that is still valid will do.
        if self.asked.report or certificate is None:
            task = self._make_task(output, subject)
            volumes = _read_as_far_as_possible(task)
            evaluation = evaluate_once(task, volumes)
            if segmenter is not None and certificate is None:
                certificate = write_certificate(output.path, evaluation, segmenter.name)
            if self.asked.report:
                self._add_page(output.path, volumes, evaluation)
        if certificate is not None:
            CertificateTable(self.out).add(certificate)

    def _add_page(self, path: Path, volumes: Volumes, evaluation: Evaluation) -> None:
        from ..report.reporting import make_index_row, write_page

        uncertainty = read_uncertainty(self.asked.registry, path, volumes.output)
        page = write_page(path, volumes, evaluation, uncertainty)
        self.rows.append(make_index_row(self.out, page, evaluation))

    def _add_row_without_page(self, name: str, message: str) -> None:
        if not self.asked.report:
            return
        from ..report.reporting import IndexRow

        self.rows.append(IndexRow(printable(name), message=printable(message)))

    def _make_task(self, output: Output, subject: Subject) -> Task:
        labels = None
        if self.asked.card.source.content == "labels":
            labels = subject.source.with_content("labels")
        return Task(
            output.name,
            self._open(output.path),
            output.sidecar,
            subject.target.with_content("image") if subject.target else None,
            labels,
            segmenter=self.asked.segmenter,
        )

    def _open(self, path: Path) -> Scan:
        content = self.asked.card.target.content
        return open_scan(self.asked.registry, path, content).with_content(content)


def _read_as_far_as_possible(task: Task) -> Volumes:
    """Read the volumes of a task, without the real scan if that does not fit the output.

    The run has not used the real scan, so that nobody has asked for one that fits.
    """
    try:
        return read_files(task)
    except OasisGanError as error:
        if task.real is None:
            raise
        volumes = read_files(replace(task, real=None))
        note = f"not compared with the real scan: {one_line(error)}"
        return replace(volumes, notes=(*volumes.notes, note))
