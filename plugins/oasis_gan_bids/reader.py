"""Find the subjects of a BIDS dataset: its label maps, their label sets, and the T1w of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from oasis_gan import (
    BIDS,
    LabelSetFinder,
    OasisGanError,
    Scan,
    Selection,
    Subject,
    caseless,
    has_suffix,
    lies_with_other_data,
    read_volume,
    stem_of,
    unreadable,
    without_suffix,
)

from .layout import DESCRIPTION, BidsFile, list_images
from .matching import find_counterpart, group_by_visit, visit_of

_LABELS = "dseg"
"""BIDS suffix of the sources, unless the user gives a suffix."""
_IMAGE = "T1w"
"""BIDS suffix of the targets, unless the user gives a suffix."""
_SHOWN = 8
"""How many participants or sessions an error lists."""
_EXAMPLES = 3
"""How many files an error names."""


class NoSourcesError(OasisGanError):
    """A dataset holds no file that was requested.

    Args:
        root: The dataset.
        suffix: How the names of the requested files end; empty for label maps.
        others: The images that are there.
    """

    def __init__(self, root: Path, suffix: str, others: Sequence[BidsFile]) -> None:
        found = "none"
        if others:
            found += ", but " + ", ".join(file.path.name for file in others[:_EXAMPLES])
        if len(others) > _EXAMPLES:
            found += f" and {len(others) - _EXAMPLES} more"
        super().__init__(
            root,
            expected=f"files named *{suffix or f'_{_LABELS}.nii or .nii.gz'}",
            found=found,
            remedy="choose others with `source_suffix`, or other participants or sessions",
        )


class NoAnatomyError(OasisGanError):
    """All label maps of a dataset lie with functional or other data.

    Args:
        root: The dataset.
        files: The label maps.
    """

    def __init__(self, root: Path, files: Sequence[BidsFile]) -> None:
        example = files[0].path.relative_to(root)
        super().__init__(
            root,
            expected=f"{_LABELS} of the anatomy",
            found=f"{len(files)} with other data, such as {example}",
            remedy="name that folder, or choose with `source_suffix`",
        )


class UnknownLabelError(OasisGanError):
    """A dataset has no such participant or session, or several that differ only in case.

    Args:
        option: The option that names it.
        label: What the user wrote.
        choices: What the dataset has.
    """

    def __init__(self, option: str, label: str, choices: Sequence[str]) -> None:
        shown = ", ".join(choices[:_SHOWN]) or "none"
        if len(choices) > _SHOWN:
            shown += ", ..."
        super().__init__(
            option,
            expected=f"one of {shown}",
            found=label,
            remedy="use the names in the dataset",
        )


class SeveralDerivativesError(OasisGanError):
    """Several derivatives hold the requested files of a participant.

    Args:
        root: The dataset.
        participant: The participant, without ``sub-``.
        homes: The derivatives.
    """

    def __init__(self, root: Path, participant: str, homes: set[Path]) -> None:
        names = sorted(str(home.relative_to(root)) for home in homes)
        super().__init__(
            root,
            expected=f"one derivative with such files of sub-{participant}",
            found=" and ".join(names),
            remedy="name one of them as the SOURCE",
        )


def recognises(path: Path) -> bool:
    """Whether ``path`` describes itself as a BIDS dataset with participants or derivatives."""
    if not (path / DESCRIPTION).is_file():
        return False
    return any(path.glob("sub-*")) or any(path.glob("derivatives"))


def list_subjects(selection: Selection) -> Iterator[Subject]:
    """List the label maps (``dseg``) of a dataset, each with its T1w; suffixes select other files.

    Files of the dataset itself come before those of its derivatives. Copies beside functional or
    other data are skipped, unless their folder is named, or a suffix that only they have. A subject
    is named after its file: ``sub-01_ses-1_dseg.nii.gz`` is ``sub-01_ses-1``.

    Raises:
        OasisGanError: If there is no such file, or several derivatives hold it.
    """
    dataset = _Dataset(selection)
    for source in dataset.sources():
        yield Subject(
            dataset.name_of(source),
            dataset.make_scan(source),
            dataset.find_target(source),
            entities=source.entities,
        )
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
        self._raw = selection.target_root or _raw_dataset_of(selection.root)
        targets = [file for file in self._target_images() if self._is_target(file)]
        self._targets = group_by_visit(_prefer_anatomy(targets))

    def _target_images(self) -> list[BidsFile]:
        """Return the images among which targets are searched."""
        if self._selection.target_root is not None:
            return list_images(self._selection.target_root)
        if self._raw == self._selection.root:
            return self._images
        return self._images + list_images(self._raw, derivatives=False)

    def _is_target(self, file: BidsFile) -> bool:
        return _matches(file, self._selection.target_suffix, _IMAGE)

    def sources(self) -> list[BidsFile]:
        """Return the files to translate."""
        selection = self._selection
        suffix = selection.source_suffix
        files = [file for file in self._images if _matches(file, suffix, _LABELS)]
        files = self._select(files, "`participants`", "sub", selection.participants)
        files = self._select(files, "`sessions`", "ses", selection.sessions)
        if not files:
            raise NoSourcesError(selection.root, suffix, self._images)
        anatomy = _prefer_anatomy(files)
        if not suffix and lies_with_other_data(anatomy[0].path, anatomy[0].home):
            raise NoAnatomyError(selection.root, files)
        return _prefer_dataset(anatomy, selection.root)

    def _select(
        self, files: list[BidsFile], option: str, key: str, labels: tuple[str, ...]
    ) -> list[BidsFile]:
        """Return the files whose entity has one of these labels; all files if there are none."""
        if not labels:
            return files
        known = {file.entity(key) for file in self._images} - {""}
        selected = {_find_label(option, label, known) for label in labels}
        return [file for file in files if file.entity(key) in selected]

    def name_of(self, source: BidsFile) -> str:
        """Return the file's name without its ending, and without the suffix of all sources."""
        suffix = self._selection.source_suffix
        name = without_suffix(source.path.name, suffix) or stem_of(source.path.name)
        if not suffix:
            name = name.removesuffix(f"_{_LABELS}")
        return stem_of(name).rstrip("_-.")

    def make_scan(self, file: BidsFile) -> Scan:
        """Return the scan of a file, with its label set if it is a label map."""
        scan = Scan(file.path, partial(read_volume, max_voxels=self._selection.max_voxels))
        return self._label_sets.describe(scan, default=BIDS)

    def find_target(self, source: BidsFile) -> Scan | None:
        """Return the target of a source; an ambiguous one raises its error when it is read."""
        if source.suffix != _LABELS and not self._selection.wants_targets:
            return None
        files = self._targets.get(visit_of(source), [])
        candidates = [file for file in files if file.path != source.path]
        homes = [self._raw] if self._selection.target_root else [source.home, self._raw]
        try:
            target = find_counterpart(source, candidates, homes)
        except OasisGanError as error:
            return Scan.refused(source.path, error)
        return self.make_scan(target) if target else None


def _matches(file: BidsFile, ending: str, suffix: str) -> bool:
    """Whether a file's name ends in ``ending``, or, without one, its BIDS suffix is ``suffix``."""
    return has_suffix(file.path.name, ending) if ending else file.suffix == suffix


def _prefer_anatomy(files: list[BidsFile]) -> list[BidsFile]:
    """Return the files that lie with no functional or other data; all if there are no others."""
    anatomy = [file for file in files if not lies_with_other_data(file.path, file.home)]
    return anatomy or files


def _raw_dataset_of(root: Path) -> Path:
    """Return the dataset that a derivative lies in; any other dataset is its own."""
    folder = root.absolute().parent
    dataset = folder.parent
    is_derivative = folder.name == "derivatives" and (dataset / DESCRIPTION).is_file()
    return dataset if is_derivative else root


def _find_label(option: str, label: str, known: set[str]) -> str:
    """Return the label of a participant or session as the dataset spells it, ignoring case.

    Raises:
        OasisGanError: If the dataset does not have it, or has several that differ only in case.
    """
    if label in known:
        return label
    alike = sorted(other for other in known if caseless(other) == caseless(label))
    if len(alike) == 1:
        return alike[0]
    raise UnknownLabelError(option, label, alike or sorted(known))


def _prefer_dataset(files: list[BidsFile], root: Path) -> list[BidsFile]:
    """Return the files of the dataset itself, or of the one derivative that holds them.

    Raises:
        OasisGanError: If several derivatives hold files of a participant.
    """
    own = [file for file in files if file.home == root]
    homes: dict[str, set[Path]] = {}
    for file in own or files:
        homes.setdefault(file.entity("sub"), set()).add(file.home)
    for participant, folders in homes.items():
        if len(folders) > 1:
            raise SeveralDerivativesError(root, participant, folders)
    return own or files
