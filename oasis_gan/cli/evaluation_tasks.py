"""Find what an output is compared with, by the options of ``oasis-gan evaluate``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import OasisGanError
from ..evaluation.outputs import Output
from ..evaluation.pairing import Counterparts, Pairs
from ..evaluation.provenance import find_source_file
from ..evaluation.reading import Task
from ..evaluation.segmentation_files import SegmentationFolder
from ..evaluation.segmenting import ModelSegmenter
from ..evaluation.sidecars import Sidecar
from ..image.labels import LabelSet
from ..image.volume import Content
from ..plugin.datasets import Scan, Selection, Subject
from ..plugin.label_meaning import LabelSetFinder
from ..plugin.registry import Registry
from .choosing import list_subjects
from .label_choices import advise_on_labels, choose_label_set
from .lines import log
from .opening import open_scan
from .segmenting import CommandSegmenter, load_segmenter

_LABEL_SET = "--label-set"
_SEGMENTATION_SET = "--segmentation-set"


@dataclass(frozen=True, kw_only=True)
class TaskOptions:
    """The options that say what outputs are compared with, and who reads it."""

    against: Path | None
    labels: Path | None
    label_set: str | None
    segmentation: Path | None
    segmentation_suffix: str
    segmentation_set: str | None
    segment: str | None
    segmenter: str | None
    dataset: str | None
    source_suffix: str
    target_suffix: str
    participants: tuple[str, ...]
    sessions: tuple[str, ...]
    spacing: tuple[float, float, float] | None
    max_voxels: int
    plugin_files: tuple[Path, ...]


class ListingError(OasisGanError):
    """The subjects of a folder cannot be listed; the message is complete already."""

    def __init__(self, line: str) -> None:
        # `OasisGanError` would join its parts to a sentence, but there are none here.
        Exception.__init__(self, line)


class NothingToCompareError(OasisGanError):
    """Outputs are to be compared with nothing."""

    def __init__(self) -> None:
        super().__init__(
            "--against",
            expected="something to compare outputs with",
            found="nothing",
            remedy="name the real scan, or segment the output "
            "(--segmenter, --segment or --segmentation)",
        )


class TwoSegmentationsError(OasisGanError):
    """A user asks for two segmentations at once."""

    def __init__(self, option: str, other: str) -> None:
        super().__init__(
            option,
            expected="one segmentation",
            found=f"{other} as well",
            remedy="leave one of the two out",
        )


class OneFileForManyError(OasisGanError):
    """One file is to be the counterpart of several outputs."""

    def __init__(self, option: str, outputs: int) -> None:
        super().__init__(
            option,
            expected="a folder",
            found=f"one file for {outputs} outputs",
            remedy="name the folder that holds them, or a table of pairs",
        )


class RealScanMissingError(OasisGanError):
    """There is no real scan of an output."""

    def __init__(self, output: Output, root: Path | None) -> None:
        super().__init__(
            output.path,
            expected=f"a real scan of {output.name} in {root}",
            found="none",
            remedy="say with --target-suffix how the names of scans end, "
            "or list the pairs in a table",
        )


def _require_one_segmentation(options: TaskOptions) -> None:
    """Raise `OasisGanError` if outputs are to be compared with two segmentations."""
    segmentations = _list_typed_segmentations(options)
    if len(segmentations) > 1:
        raise TwoSegmentationsError(segmentations[1], segmentations[0])


def _require_comparison(options: TaskOptions) -> None:
    """Raise `OasisGanError` if outputs are to be compared with nothing."""
    if options.against is None and not _list_typed_segmentations(options):
        raise NothingToCompareError


def _list_typed_segmentations(options: TaskOptions) -> list[str]:
    """Return the options that ask for a segmentation."""
    typed = {
        "--segmentation": options.segmentation,
        "--segment": options.segment,
        "--segmenter": options.segmenter,
    }
    return [option for option, value in typed.items() if value is not None]


class TaskFinder:
    """Finds the label map and the real scan of one output after the other.

    Args:
        options: What the user says.
        registry: The installed plugins.
        folder: An empty folder for what the user's segmenter writes.
        needs_comparison: Whether outputs must be compared with something else than the label maps
            of their sidecars.

    Raises:
        OasisGanError: If the options cannot be followed.
    """

    def __init__(
        self,
        options: TaskOptions,
        registry: Registry,
        folder: Path,
        *,
        needs_comparison: bool = True,
    ) -> None:
        self._options = options
        self.registry = registry
        # What can be refused at once is refused before files are opened.
        _require_one_segmentation(options)
        if needs_comparison:
            _require_comparison(options)
        self._advice = advise_on_labels(registry, _LABEL_SET)
        self._finder = LabelSetFinder(self._advice)
        self._label_set: LabelSet | None = None
        if options.label_set:
            self._label_set = choose_label_set(options.label_set, self._advice)
        self._real = self._open_single(options.against, "image")
        self._labels = self._open_single(options.labels, "labels")
        self._segmentations = _Segmentations(options, registry, folder)
        self._segmenter: ModelSegmenter | None = None
        if options.segmenter is not None:
            self._segmenter = load_segmenter(registry, options.segmenter, options.plugin_files)
        self._pairs = self._list_pairs()

    def require_enough(self, outputs: Sequence[Output]) -> None:
        """Raise `OasisGanError` if one file is to be the counterpart of several outputs."""
        if len(outputs) < 2:
            return
        single = {
            "--against": self._real,
            "--labels": self._labels,
            "--segmentation": self._segmentations.file,
        }
        for option, scan in single.items():
            if scan is not None:
                raise OneFileForManyError(option, len(outputs))

    def find_task(self, output: Output) -> Task:
        """Return what to compare with an output.

        Raises:
            OasisGanError: If something is missing, or not what it should be.
            OSError: If the file system fails.
        """
        if output.problem is not None:
            raise output.problem
        found = self._pairs.find(output) if self._pairs else Counterparts()
        real = self._real or found.real
        if real is None and self._options.against is not None:
            raise RealScanMissingError(output, self._options.against)
        labels = self._labels or found.labels or self._find_nearby_labels(output, real)
        return Task(
            subject=output.name,
            output=self._open(output.path, "image"),
            sidecar=output.sidecar,
            real=real.with_content("image") if real else None,
            labels=self._with_meaning(labels, output.sidecar) if labels else None,
            segmentation=self._segmentations.find(output),
            real_segmentation=self._segmentations.segment_real(real) if real else None,
            segmenter=self._segmenter,
        )

    @property
    def segmenter(self) -> str | None:
        """The command or the model that segments; None if none does."""
        return self._segmenter.name if self._segmenter else self._options.segment

    def _list_pairs(self) -> Pairs | None:
        """List the subjects among which counterparts are found; None if files are named instead.

        If label maps are in a folder, these are the label maps with their scans, else the scans.
        """
        options = self._options
        has_label_folder = options.labels is not None and self._labels is None
        if options.labels is not None and has_label_folder:
            selection = self._select_labels(options.labels)
        elif options.against is not None and self._real is None:
            selection = self._select_scans(options.against)
        else:
            return None
        return Pairs(
            selection.root,
            self._list_subjects(selection),
            options.source_suffix,
            holds_labels=has_label_folder,
        )

    def _list_subjects(self, selection: Selection) -> Sequence[Subject]:
        """List the subjects of a selection, and report those that cannot be used.

        Raises:
            ListingError: If none can be used.
        """
        subjects, broken = list_subjects(self.registry, [selection], self._options.dataset)
        if broken and not subjects:
            raise ListingError(broken[0].message)
        for outcome in broken:
            log(f"{outcome.subject}: {outcome.message}")
        return subjects

    def _select_labels(self, folder: Path) -> Selection:
        """Select the label maps in their folder, with the real scans beside them or elsewhere."""
        options = self._options
        return Selection(
            folder,
            target_root=options.against if self._real is None else None,
            source_suffix=options.source_suffix,
            target_suffix=options.target_suffix,
            participants=options.participants,
            sessions=options.sessions,
            spacing=options.spacing,
            max_voxels=options.max_voxels,
        )

    def _select_scans(self, folder: Path) -> Selection:
        """Select the real scans in their folder, or the pairs in their dataset or table."""
        options = self._options
        return Selection(
            folder,
            source_suffix=options.target_suffix,
            participants=options.participants,
            sessions=options.sessions,
            spacing=options.spacing,
            max_voxels=options.max_voxels,
        )

    def _find_nearby_labels(self, output: Output, real: Scan | None) -> Scan | None:
        """Return the label map that the sidecar names, if it lies near."""
        sidecar = output.sidecar
        if sidecar is None or not sidecar.was_made_from_labels:
            return None
        # Outputs often lie in a folder of their own, within that of their sources.
        folders = [output.path.parent, output.path.absolute().parent.parent]
        if real is not None:
            folders.append(real.path.parent)
        path = find_source_file(sidecar.source, folders)
        if path is None:
            name = sidecar.source.file
            remedy = "name it with --labels"
            log(f"warning: {name}, which the output was made from, is not near it: {remedy}")
            return None
        return self._open(path, "labels")

    def _with_meaning(self, labels: Scan, sidecar: Sidecar | None) -> Scan:
        """Return a label map that knows what its values mean, as far as anything says so."""
        # What the user says counts more than what the sidecar says.
        explicit = self._label_set
        if explicit is None and sidecar is not None and sidecar.source_labels:
            explicit = self._advice.label_sets.find_by_identity(sidecar.source_labels)
        described = self._finder.describe(labels, explicit=explicit)
        return described.with_content("labels")

    def _open_single(self, path: Path | None, content: Content) -> Scan | None:
        """Return the scan of a file; None for a folder or a table of pairs, which may hold many."""
        if path is None or path.is_dir() or path.suffix.lower() == ".tsv":
            return None
        return self._open(path, content)

    def _open(self, path: Path, content: Content) -> Scan:
        return _open_scan(self.registry, self._options, path, content)


class _Segmentations:
    """The segmentations of outputs: in one file, in a folder, or made by the user's command.

    Args:
        options: What the user says.
        registry: The installed plugins.
        folder: An empty folder for what the user's command writes.

    Raises:
        OasisGanError: If the options cannot be followed.
    """

    def __init__(self, options: TaskOptions, registry: Registry, folder: Path) -> None:
        self._options = options
        self._registry = registry
        self.file: Scan | None = None
        self._folder: SegmentationFolder | None = None
        self._command: CommandSegmenter | None = None
        path = options.segmentation
        if path is not None and path.is_dir():
            self._folder = SegmentationFolder(path, options.segmentation_suffix)
        elif path is not None:
            self.file = self._open(path)
        if options.segment is not None:
            self._command = CommandSegmenter(options.segment, folder)

    def find(self, output: Output) -> Scan | None:
        """Return the segmentation of an output; None if there is none."""
        if self._command is not None:
            path = self._command.segment(output.path, "segmentation")
            return self._open(path)
        if self._folder is not None:
            path = self._folder.find(output)
            return self._open(path)
        return self.file

    def segment_real(self, real: Scan) -> Scan | None:
        """Return what the user's command makes of the real scan: the best an output can reach."""
        if self._command is None:
            return None
        path = self._command.segment(real.path, "real_segmentation")
        return self._open(path)

    def _open(self, path: Path) -> Scan:
        """Return a segmentation that knows what its values mean, as far as anything says so."""
        options = self._options
        advice = advise_on_labels(self._registry, _SEGMENTATION_SET)
        explicit = None
        if options.segmentation_set:
            explicit = choose_label_set(options.segmentation_set, advice)
        scan = _open_scan(self._registry, options, path, "labels")
        described = LabelSetFinder(advice).describe(scan, explicit=explicit)
        return described.with_content("labels")


def _open_scan(
    registry: Registry,
    options: TaskOptions,
    path: Path,
    content: Content,
) -> Scan:
    """Return the scan in a file, which holds this content."""
    scan = open_scan(
        registry,
        path,
        content,
        dataset=options.dataset,
        spacing=options.spacing,
        max_voxels=options.max_voxels,
    )
    return scan.with_content(content)
