"""Finding subjects in a BIDS dataset: its label maps, what their values mean, and the T1w of each."""

from __future__ import annotations

from collections.abc import Iterator
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

from .layout import DESCRIPTION, BidsFile, listed
from .matching import by_visit, mate, visit

# What is translated, and what it should become, unless suffixes say otherwise.
_LABELS = "dseg"
_IMAGE = "T1w"
_SHOWN = 8  # participants or sessions that an error lists
_EXAMPLES = 3  # files that an error names


def recognises(path: Path) -> bool:
    """Whether ``path`` is a folder that describes itself as a BIDS dataset and holds participants or derivatives."""
    holds = (path / DESCRIPTION).is_file() and (*path.glob("sub-*"), *path.glob("derivatives"))
    return bool(holds)


def subjects(selection: Selection) -> Iterator[Subject]:
    """List the label maps (``dseg``) of a dataset, each with its T1w if there is one; suffixes choose others.

    Files of the dataset itself are taken before those of its derivatives. Copies that lie with functional or other data
    are left out, unless their folder is named, or a suffix that only they have. A subject is named by its file:
    ``sub-01_ses-1_dseg.nii.gz`` is ``sub-01_ses-1``.

    Raises:
        OasisGanError: If there is nothing of the kind, or several derivatives hold it.
    """
    dataset = _Dataset(selection)
    for source in dataset.sources():
        yield Subject(
            dataset.name(source),
            dataset.scan(source),
            dataset.target(source),
            entities=source.entities,
        )
    yield from (unreadable(selection.root, error) for error in dataset.errors)


class _Dataset:
    """The files of a dataset, and which of them a user wants.

    Args:
        selection: What is asked for; its target root may be another dataset.
    """

    def __init__(self, selection: Selection) -> None:
        root = selection.root
        self.errors: list[OSError] = []
        files = listed(root, report=self.errors.append)
        self._selection = selection
        self._images = files
        self._label_sets = LabelSetFinder()
        self._raw = selection.target_root or _raw_of(root)
        if selection.target_root is not None:
            others = listed(selection.target_root)
        elif self._raw == root:
            others = self._images
        else:
            others = self._images + listed(self._raw, derivatives=False)
        others = [file for file in others if _is(file, selection.target_suffix, _IMAGE)]
        self._targets = by_visit(_of_anatomy(others))

    def sources(self) -> list[BidsFile]:
        """Return the files to translate."""
        selection = self._selection
        found = [file for file in self._images if _is(file, selection.source_suffix, _LABELS)]
        found = self._chosen(found, "`participants`", "sub", selection.participants)
        found = self._chosen(found, "`sessions`", "ses", selection.sessions)
        if not found:
            expected = f"files named *{selection.source_suffix or f'_{_LABELS}.nii or .nii.gz'}"
            remedy = "choose others with `source_suffix`, or other participants or sessions"
            raise OasisGanError(
                selection.root, expected=expected, found=self._there(), remedy=remedy
            )
        anatomy = _of_anatomy(found)
        if not selection.source_suffix and lies_with_other_data(anatomy[0].path, anatomy[0].home):
            shown = (
                f"{len(found)} with other data, such as {found[0].path.relative_to(selection.root)}"
            )
            remedy = "name that folder, or choose with `source_suffix`"
            raise OasisGanError(
                selection.root, expected=f"{_LABELS} of the anatomy", found=shown, remedy=remedy
            )
        return _of_one_home(anatomy, selection.root)

    def _chosen(
        self, files: list[BidsFile], option: str, key: str, labels: tuple[str, ...]
    ) -> list[BidsFile]:
        """Return the files with one of these labels, all of them if there are none."""
        if not labels:
            return files
        there = {file.entity(key) for file in self._images} - {""}
        chosen = {_as_in_dataset(option, label, there) for label in labels}
        return [file for file in files if file.entity(key) in chosen]

    def _there(self) -> str:
        """Return what an error says that is there instead of what was looked for."""
        names = [file.path.name for file in self._images]
        shown = ", ".join(names[:_EXAMPLES]) + (
            f" and {len(names) - _EXAMPLES} more" if len(names) > _EXAMPLES else ""
        )
        return f"none, but {shown}" if names else "none"

    def name(self, source: BidsFile) -> str:
        """Return the file's name without its ending, and without the suffix that all sources have."""
        name = source.path.name
        suffix = self._selection.source_suffix
        name = without_suffix(name, suffix) or stem_of(name)
        if not suffix:
            name = name.removesuffix(f"_{_LABELS}")
        return stem_of(name).rstrip("_-.")

    def scan(self, file: BidsFile) -> Scan:
        """Return a file that is to be read, with what its values mean if it is a label map."""
        scan = Scan(file.path, partial(read_volume, max_voxels=self._selection.max_voxels))
        return self._label_sets.describe(scan, default=BIDS)

    def target(self, source: BidsFile) -> Scan | None:
        """Return what a source should become; what is doubtful is refused when it is read."""
        asked = self._selection.wants_targets
        if source.suffix != _LABELS and not asked:
            return None
        candidates = [
            file for file in self._targets.get(visit(source), []) if file.path != source.path
        ]
        homes = [self._raw] if self._selection.target_root else [source.home, self._raw]
        try:
            found = mate(source, candidates, homes)
        except OasisGanError as error:
            return Scan.refused(source.path, error)
        return self.scan(found) if found else None


def _is(file: BidsFile, ending: str, suffix: str) -> bool:
    """Whether a file's name ends so, or where nothing is said, whether its BIDS suffix is this one."""
    return has_suffix(file.path.name, ending) if ending else file.suffix == suffix


def _of_anatomy(files: list[BidsFile]) -> list[BidsFile]:
    """Return the files that lie with no functional or other data; all of them if there are no others."""
    anatomy = [file for file in files if not lies_with_other_data(file.path, file.home)]
    return anatomy or files


def _raw_of(root: Path) -> Path:
    """Return the dataset that a derivative was made of, by where it lies; any other is its own."""
    parent = root.absolute().parent
    return (
        parent.parent
        if parent.name == "derivatives" and (parent.parent / DESCRIPTION).is_file()
        else root
    )


def _as_in_dataset(option: str, label: str, there: set[str]) -> str:
    """Return a label of a participant or session as the dataset has it, also where a user wrote it in other letters.

    Raises:
        OasisGanError: If the dataset does not have it, or has several that differ by case alone.
    """
    if label in there:
        return label
    alike = sorted(other for other in there if caseless(other) == caseless(label))
    if len(alike) == 1:
        return alike[0]
    names = alike or sorted(there)
    expected = (
        f"one of {', '.join(names[:_SHOWN]) or 'none'}{', ...' if len(names) > _SHOWN else ''}"
    )
    raise OasisGanError(option, expected=expected, found=label, remedy="name those of the dataset")


def _of_one_home(found: list[BidsFile], root: Path) -> list[BidsFile]:
    """Return the files of the dataset itself, or of the one derivative that has them for each participant."""
    own = [file for file in found if file.home == root]
    homes: dict[str, set[Path]] = {}
    for file in own or found:
        homes.setdefault(file.entity("sub"), set()).add(file.home)
    for participant, several in homes.items():
        if len(several) > 1:
            shown = " and ".join(sorted(str(home.relative_to(root)) for home in several))
            expected = f"one derivative with such files of sub-{participant}"
            remedy = "name one of them as the SOURCE"
            raise OasisGanError(root, expected=expected, found=shown, remedy=remedy)
    return own or found
