"""Find the subjects of a BIDS dataset: its label maps, their label sets, and the T1w of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from oasis_gan import (
    BIDS,
    LabelSetFinder,
    OasisGanError,
    Scan,
    Selection,
    Subject,
    fold_case,
    has_suffix,
    read_volume,
    stem_of,
    strip_suffix,
    unreadable,
)

from .bids_file import LABELS, T1W, BidsFile
from .errors import NoAnatomyError, NoSourcesError, SeveralDerivativesError, UnknownLabelError
from .layout import DESCRIPTION, list_images
from .matching import find_counterpart, group_by_visit


def recognises(path: Path) -> bool:
    """Whether ``path`` describes itself as a BIDS dataset with participants or derivatives."""
    if not _is_described(path):
        return False
    return any(path.glob("sub-*")) or any(path.glob("derivatives"))


def _is_described(folder: Path) -> bool:
    return (folder / DESCRIPTION).is_file()


def list_subjects(selection: Selection) -> Iterator[Subject]:
    """List the label maps (``dseg``) of a dataset, each with its T1w; suffixes select other files.

    Files of the dataset itself come before those of its derivatives. Copies beside functional or
    other data are skipped, unless their folder is named, or a suffix that only they have. A subject
    is named after its file: ``sub-01_ses-1_dseg.nii.gz`` is ``sub-01_ses-1``.

    Raises:
        OasisGanError: If there is no such file, or several derivatives hold it.
    """
    dataset = _Dataset(selection)
    for source in dataset.list_sources():
        yield Subject(
            dataset.name_subject(source),
            dataset.make_scan(source),
            dataset.find_target(source),
            entities=source.entities,
        )
    # They come last: a folder that cannot be listed does not stop the subjects in the others.
    for error in dataset.errors:
        yield unreadable(selection.root, error)


class _Dataset:
    """The files of a dataset, and which of them are requested.

    Args:
        selection: What the user requests; its target root may be another dataset.
    """

    def __init__(self, selection: Selection) -> None:
        self.errors: list[OSError] = []
        self._selection = selection
        self._images = list_images(selection.root, report=self.errors.append)
        self._label_sets = LabelSetFinder()
        self._raw = selection.target_root or _find_raw_dataset(selection.root)
        self._targets = group_by_visit(self._list_targets())

    def _list_targets(self) -> list[BidsFile]:
        """Return the files that may be the target of a source."""
        suffix = self._selection.target_suffix
        targets = [file for file in self._list_target_images() if _matches(file, suffix, T1W)]
        return _prefer_anatomy(targets)

    def _list_target_images(self) -> list[BidsFile]:
        """Return the images among which targets are searched."""
        if self._selection.target_root is not None:
            return list_images(self._selection.target_root)
        # The images of the raw dataset are then listed already.
        if self._raw == self._selection.root:
            return self._images
        return self._images + list_images(self._raw, derivatives=False)

    def list_sources(self) -> list[BidsFile]:
        """Return the files to translate."""
        root = self._selection.root
        suffix = self._selection.source_suffix
        files = self._select_sources()
        if not files:
            raise NoSourcesError(root, suffix, self._images)
        anatomy = _prefer_anatomy(files)
        # A suffix may ask for files beside other data on purpose.
        if not suffix and not anatomy[0].is_anatomy:
            raise NoAnatomyError(root, files)
        return _prefer_dataset(anatomy, root)

    def _select_sources(self) -> list[BidsFile]:
        """Return the files with the requested suffix, participants and sessions."""
        selection = self._selection
        suffix = selection.source_suffix
        files = [file for file in self._images if _matches(file, suffix, LABELS)]
        files = self._select(files, "`participants`", "sub", selection.participants)
        return self._select(files, "`sessions`", "ses", selection.sessions)

    def _select(
        self, files: list[BidsFile], option: str, key: str, labels: tuple[str, ...]
    ) -> list[BidsFile]:
        """Return the files whose entity has one of these labels; all files if there are none."""
        if not labels:
            return files
        known = {file.entity(key) for file in self._images} - {""}
        # What the user writes may differ from the dataset in case.
        selected = {_find_label(option, label, known) for label in labels}
        return [file for file in files if file.entity(key) in selected]

    def name_subject(self, source: BidsFile) -> str:
        """Return the file's name without its ending, and without the suffix of all sources."""
        suffix = self._selection.source_suffix
        name = strip_suffix(source.name, suffix) or stem_of(source.name)
        if not suffix:
            name = name.removesuffix(f"_{LABELS}")
        return stem_of(name).rstrip("_-.")

    def make_scan(self, file: BidsFile) -> Scan:
        """Return the scan of a file, with its label set if it is a label map."""
        scan = Scan(file.path, partial(read_volume, max_voxels=self._selection.max_voxels))
        return self._label_sets.describe(scan, default=BIDS)

    def find_target(self, source: BidsFile) -> Scan | None:
        """Return the target of a source; an ambiguous one raises its error when it is read."""
        if source.suffix != LABELS and not self._selection.wants_targets:
            return None
        try:
            target = self._find_counterpart(source)
        except OasisGanError as error:
            return Scan.from_error(source.path, error)
        return self.make_scan(target) if target else None

    def _find_counterpart(self, source: BidsFile) -> BidsFile | None:
        files = self._targets.get(source.visit, [])
        candidates = [file for file in files if file.path != source.path]
        return find_counterpart(source, candidates, self._find_target_homes(source))

    def _find_target_homes(self, source: BidsFile) -> list[Path]:
        """Return the datasets that may hold the target of a source, the preferred one first."""
        if self._selection.target_root is not None:
            return [self._raw]
        # A derivative may hold a T1w on the grid of its label map.
        return [source.home, self._raw]


def _matches(file: BidsFile, ending: str, suffix: str) -> bool:
    """Whether a file's name ends in ``ending``, or, without one, its BIDS suffix is ``suffix``."""
    return has_suffix(file.name, ending) if ending else file.suffix == suffix


def _prefer_anatomy(files: list[BidsFile]) -> list[BidsFile]:
    """Return the files that lie with no functional or other data; all if there are no others."""
    return [file for file in files if file.is_anatomy] or files


def _find_raw_dataset(root: Path) -> Path:
    """Return the dataset that a derivative lies in; any other dataset is its own."""
    # A derivative seldom has copies of the T1w; they lie in the dataset that it was made from.
    folder = root.absolute().parent
    if folder.name == "derivatives" and _is_described(folder.parent):
        return folder.parent
    return root


def _find_label(option: str, label: str, known: set[str]) -> str:
    """Return the label of a participant or session as the dataset spells it, ignoring case.

    Raises:
        UnknownLabelError: If the dataset does not have it, or has several that differ only in case.
    """
    if label in known:
        return label
    alike = sorted(other for other in known if fold_case(other) == fold_case(label))
    if len(alike) == 1:
        return alike[0]
    raise UnknownLabelError(option, label, alike or sorted(known))


def _prefer_dataset(files: list[BidsFile], root: Path) -> list[BidsFile]:
    """Return the files of the dataset itself, or of the one derivative that holds them.

    Raises:
        SeveralDerivativesError: If several derivatives hold files of a participant.
    """
    own = [file for file in files if file.home == root]
    chosen = own or files
    for participant, homes in _group_homes_by_participant(chosen).items():
        if len(homes) > 1:
            raise SeveralDerivativesError(root, participant, homes)
    return chosen


def _group_homes_by_participant(files: list[BidsFile]) -> Mapping[str, set[Path]]:
    """Return the datasets and derivatives that hold the files of each participant."""
    homes = defaultdict[str, set[Path]](set)
    for file in files:
        homes[file.participant].add(file.home)
    return homes
