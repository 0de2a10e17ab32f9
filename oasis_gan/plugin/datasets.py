"""Describe dataset plugins: where subjects come from, and how a scan is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..errors import OasisGanError
from ..image.axis_order import reorder_axes
from ..image.choices import MAX_VOXELS
from ..image.cleaning import clean, require_volume
from ..image.label_advice import ADVICE, LabelAdvice
from ..image.label_conversion import convert
from ..image.labels import LabelSet
from ..image.volume import CleanVolume, Content, V, Volume
from ..io.label_doubt import assume_label_set
from .description import Description
from .errors import NoTargetError, NotImportableError
from .foreign import reading
from .portable import Portable


def _find_wrong_field(fields: Iterable[tuple[str, object, bool]]) -> str | None:
    """Return the first field of a wrong type, with its actual type.

    Args:
        fields: The name and the value of each field, and whether the value has the right type.
    """
    for name, value, is_right in fields:
        if not is_right:
            return f"{name}: {type(value).__name__}"
    return None


def _is_tuple_of_paths(parts: object) -> bool:
    return isinstance(parts, tuple) and all(isinstance(part, Path) for part in parts)


def _is_mapping_of(kind: type, things: object) -> bool:
    """Tell whether something is a mapping from names to objects of a class."""
    if not isinstance(things, Mapping):
        return False
    names_are_text = all(isinstance(name, str) for name in things)
    return names_are_text and all(isinstance(thing, kind) for thing in things.values())


@dataclass(frozen=True)
class Refusal:
    """A reader for a file that cannot be used: it raises an error that says why.

    Args:
        error: The error to raise.
    """

    error: Exception

    def __call__(self, path: Path) -> Volume:
        """Raise the error."""
        raise self.error


@dataclass(frozen=True)
class Scan(Portable):
    """A volume that has not been read yet.

    A scan can be pickled if its reader can: if that is a function of a module, or a
    `functools.partial` of one.

    Args:
        path: The file of the volume; the provenance holds its hash.
        reader: The function that reads that file.
        labels: What the values that `read` returns mean, where the volume is a label map and that
            is known.
        parts: The other files of the volume, hashed too: further slices, or voxels apart from their
            header.
        content: Whether the volume holds labels or an image, if that is known; else its values
            decide.
        stored_labels: What the values in the file mean, where `read` converts them.
        plugin: The name of the dataset plugin that the reader belongs to, for errors.
        assumed_labels: What the values are assumed to mean if nothing says so; a volume that
            contradicts this is refused.
        advice: How a user can say what the values mean, for errors.
    """

    path: Path
    reader: Callable[[Path], Volume]
    labels: LabelSet | None = None
    parts: tuple[Path, ...] = ()
    content: Content | None = None
    stored_labels: LabelSet | None = None
    plugin: str = ""
    assumed_labels: LabelSet | None = None
    advice: LabelAdvice = ADVICE

    @classmethod
    def from_error(cls, path: Path, error: Exception) -> Scan:
        """Return a scan that raises ``error`` when it is read, so that other subjects continue."""
        return cls(path, Refusal(error))

    def find_wrong_field(self) -> str | None:
        """Return the first field of a wrong type, such as ``path: str``, or None."""
        return _find_wrong_field(
            (
                ("path", self.path, isinstance(self.path, Path)),
                ("reader", self.reader, callable(self.reader)),
                ("labels", self.labels, self.labels is None or isinstance(self.labels, LabelSet)),
                ("parts", self.parts, _is_tuple_of_paths(self.parts)),
            )
        )

    def read(self) -> CleanVolume:
        """Read, check and clean the volume; all volumes enter the tool this way.

        Returns:
            A 3-D volume of finite numbers, 0 outside the head, whose ``content`` says what it
            holds.

        Raises:
            OasisGanError: If the file cannot be used, or its reader is broken.
        """
        with reading(self.path, self.plugin):
            answer = self.reader(self.path)
        raw = require_volume(answer, self.path, self.plugin)
        volume = clean(raw, self.path, self.known_content)
        if volume.content != "labels":
            return volume
        if self.labels and self.stored_labels:
            return convert(
                volume,
                self.stored_labels,
                self.labels,
                self.path,
                self.advice,
            )
        # Values that merely look like labels may be intensities, and are left as they are.
        if self.assumed_labels and self.content == "labels":
            return assume_label_set(volume, self.assumed_labels, self.path, self.advice)
        return volume

    @property
    def known_content(self) -> Content | None:
        """Whether the volume holds labels or an image, or None if only its values can tell."""
        if self.content:
            return self.content
        return "labels" if self.labels else None

    def in_labels(self, label_set: LabelSet) -> Scan:
        """Return a scan that converts the labels it reads to ``label_set``.

        If nothing says what its values mean, they are assumed to be of ``label_set`` already.
        Reading the scan raises `OasisGanError` if a label has no counterpart in ``label_set``, or
        if the meaning of its values is not known and ambiguous.
        """
        if self.content == "image":
            return self
        if self.labels is None:
            return replace(self, assumed_labels=label_set)
        if self.labels.labels == label_set.labels:
            return self
        stored_labels = self.stored_labels or self.labels
        return replace(self, labels=label_set, stored_labels=stored_labels)

    def with_content(self, content: Content) -> Scan:
        """Return a copy of this scan that is known to hold labels or an image."""
        return replace(self, content=content)

    def _make_portability_error(self, found: str) -> OasisGanError:
        remedy = f"fix the dataset plugin {self.plugin}".rstrip()
        return NotImportableError(self.path, "a reader", found, remedy)


@dataclass(frozen=True)
class Subject:
    """A source to translate; with a target, a pair that a training can use.

    Args:
        name: The name of the subject, unique in its source; names of outputs contain it.
        source: The scan to translate.
        target: The real scan that the translation should resemble, if there is one.
        split: Its side of the split, ``train``, ``validate`` or ``test``, if the data say so.
        further: Further sources by name, for models that need several.
        entities: The participant, session and run, if the data say so, under BIDS keys:
            ``{"sub": "01", "ses": "2"}``. The path of an output can depend on them.
    """

    name: str
    source: Scan
    target: Scan | None = None
    split: str = ""
    further: Mapping[str, Scan] = field(default_factory=dict)
    entities: Mapping[str, str] = field(default_factory=dict)

    def find_wrong_field(self) -> str | None:
        """Return the first field of a wrong type, such as ``source.path: str``, or None."""
        wrong = _find_wrong_field(
            (
                ("name", self.name, isinstance(self.name, str)),
                ("source", self.source, isinstance(self.source, Scan)),
                ("target", self.target, self.target is None or isinstance(self.target, Scan)),
                ("split", self.split, isinstance(self.split, str)),
                ("further", self.further, _is_mapping_of(Scan, self.further)),
                ("entities", self.entities, _is_mapping_of(str, self.entities)),
            )
        )
        if wrong is not None:
            return wrong
        scans = [("source", self.source)]
        if self.target is not None:
            scans.append(("target", self.target))
        scans.extend(self.further.items())
        for role, scan in scans:
            wrong = scan.find_wrong_field()
            if wrong is not None:
                return f"{role}.{wrong}"
        return None

    def with_content(self, source: Content, target: Content) -> Subject:
        """Return a copy whose source and target are known to hold these contents."""
        target_scan = self.target.with_content(target) if self.target else None
        return replace(self, source=self.source.with_content(source), target=target_scan)

    def read_both(self) -> tuple[CleanVolume, CleanVolume]:
        """Read the source and the target, which must be on the same grid.

        Raises:
            OasisGanError: If there is no target, or the grids differ.
        """
        if self.target is None:
            raise NoTargetError(self.source.path)
        source, target = self.align(
            self.source.read(),
            self.target.read(),
        )
        source.geometry.require_same_grid(target.geometry, self.target.path)
        return source, target

    @staticmethod
    def align(source: V, target: V) -> tuple[V, V]:
        """Return both volumes with the axes of the source, and a note on what was changed.

        A target that is stored with its axes in another order is reordered, without resampling. A
        volume whose header does not give its position takes that of the other, if both have the
        same number and size of voxels.
        """
        grid = source.geometry
        other = target.geometry
        # Only a position that one header gives and the other lacks can be copied.
        if grid.has_position == other.has_position or not grid.has_same_shape_and_spacing(other):
            return source, reorder_axes(target, grid)
        note = "its header does not say where it lies: taken to lie where its counterpart does"
        if grid.has_position:
            return source, replace(target, geometry=grid, notes=(*target.notes, note))
        return replace(source, geometry=other, notes=(*source.notes, note)), target


@dataclass(frozen=True)
class Selection:
    """A selection says which subjects to use.

    Args:
        root: A file, or a folder to search with all its subfolders.
        target_root: The folder that holds targets of the same names, if it is another folder.
        source_suffix: The end of the names of sources (``_seg.nii.gz``); empty for any.
        target_suffix: The end of the names of targets (``_t1.nii.gz``).
        participants: The BIDS labels of the participants (``01``, without ``sub-``); empty for all.
        sessions: The BIDS labels of the sessions (``d0129``, without ``ses-``); empty for all.
        spacing: The size of voxels along each axis in mm, for volumes whose files do not say it.
        max_voxels: Volumes with more voxels are refused before they are read.
    """

    root: Path
    target_root: Path | None = None
    source_suffix: str = ""
    target_suffix: str = ""
    participants: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    spacing: tuple[float, float, float] | None = None
    max_voxels: int = MAX_VOXELS

    @property
    def wants_targets(self) -> bool:
        """Whether the user asks for pairs of source and target."""
        return self.target_root is not None or bool(self.target_suffix)


@dataclass(frozen=True, kw_only=True)
class Dataset(Description):
    """A reader plugin, which knows one layout of files.

    Args:
        name: What the user types after ``--dataset``.
        summary: One line for ``oasis-gan plugins``.
        open: Lists the subjects of a selection lazily, in a stable order; voxels are read only by
            `Scan.read`. It raises `OasisGanError` if the selection holds no subject.
        recognises: Tells whether a file or folder has this layout; the tool asks if ``--dataset``
            is not given.
        generic: Whether the reader accepts a file format in any layout; it is then chosen only if
            no reader of a specific layout recognises the data.
        by_participant: Whether the reader uses the participants and sessions of a selection.
    """

    open: Callable[[Selection], Iterable[Subject]]
    recognises: Callable[[Path], bool]
    generic: bool = False
    by_participant: bool = False
