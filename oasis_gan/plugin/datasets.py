"""What a dataset plugin describes: where subjects come from, and how to read one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..errors import OasisGanError
from ..image.axis_order import in_axis_order_of
from ..image.choices import MAX_VOXELS
from ..image.cleaning import clean, require_volume
from ..image.label_advice import ADVICE, LabelAdvice
from ..image.label_conversion import convert
from ..image.labels import LabelSet
from ..image.volume import CleanVolume, Content, V, Volume
from ..io.label_doubt import presume
from .description import Description
from .foreign import reading
from .portable import Portable


def _wrong_field(fields: Iterable[tuple[str, object, bool]]) -> str | None:
    """Return the first field that is wrong, with the type that it has."""
    for name, value, right in fields:
        if not right:
            return f"{name}: {type(value).__name__}"
    return None


def _is_tuple_of_paths(parts: object) -> bool:
    return isinstance(parts, tuple) and all(isinstance(part, Path) for part in parts)


def _is_mapping_of_scans(scans: object) -> bool:
    if not isinstance(scans, Mapping):
        return False
    return all(isinstance(name, str) and isinstance(scan, Scan) for name, scan in scans.items())


def _is_mapping_of_texts(texts: object) -> bool:
    if not isinstance(texts, Mapping):
        return False
    return all(isinstance(text, str) for pair in texts.items() for text in pair)


@dataclass(frozen=True)
class Refusal:
    """A reader of a file that cannot be used: it raises why.

    Args:
        error: What it raises.
    """

    error: Exception

    def __call__(self, path: Path) -> Volume:
        """Raise the error."""
        raise self.error


@dataclass(frozen=True)
class Scan(Portable):
    """A volume that has not been read yet.

    It can be pickled if its reader can be: if that is a function of a module, or `functools.partial` of one.

    Args:
        path: The file it is read from (hashed for the provenance).
        reader: Reads that file.
        labels: What the values that `read` returns mean, where the volume is a label map and that is known.
        parts: The other files that are read with it (hashed too): further slices, the voxels that go with a header.
        content: Whether the volume holds labels or an image, where somebody has said so; else its values decide.
        stored_labels: What the values in the file mean, where `read` converts them.
        plugin: The name of the dataset plugin that brought the reader, for errors.
        presumed_labels: What the values are taken to mean where nothing says so; what makes it doubtful is refused.
        advice: How a user says what the values mean, for errors.
    """

    path: Path
    reader: Callable[[Path], Volume]
    labels: LabelSet | None = None
    parts: tuple[Path, ...] = ()
    content: Content | None = None
    stored_labels: LabelSet | None = None
    plugin: str = ""
    presumed_labels: LabelSet | None = None
    advice: LabelAdvice = ADVICE

    @classmethod
    def refused(cls, path: Path, error: Exception) -> Scan:
        """Return the scan of a file that cannot be used: reading it raises why, and stops no other subject."""
        return cls(path, Refusal(error))

    def wrong_field(self) -> str | None:
        """Return which field does not have the type that it should, such as ``path: str``; None if all have."""
        return _wrong_field(
            (
                ("path", self.path, isinstance(self.path, Path)),
                ("reader", self.reader, callable(self.reader)),
                ("labels", self.labels, self.labels is None or isinstance(self.labels, LabelSet)),
                ("parts", self.parts, _is_tuple_of_paths(self.parts)),
            )
        )

    def read(self) -> CleanVolume:
        """Read the volume, check that it is one, and clean its voxels: nothing else enters, and nobody cleans again.

        Returns:
            A 3-D volume of finite numbers, 0 outside the head, whose ``content`` says what it holds.

        Raises:
            OasisGanError: If the file cannot be trusted, or its reader.
        """
        with reading(self.path, self.plugin):
            answer = self.reader(self.path)
        raw = require_volume(answer, self.path, self.plugin)
        volume = clean(raw, self.path, self.known_content)
        if volume.content != "labels":
            return volume
        if self.labels and self.stored_labels:
            return convert(volume, self.stored_labels, self.labels, self.path, self.advice)
        if self.presumed_labels and self.content == "labels":
            return presume(volume, self.presumed_labels, self.path, self.advice)
        return volume

    @property
    def known_content(self) -> Content | None:
        """Whether the volume holds labels or an image, where that is known before it is read."""
        return self.content or ("labels" if self.labels else None)

    def in_labels(self, wanted: LabelSet) -> Scan:
        """Return this scan so that it reads values of ``wanted``; where nothing says what its values mean, as it is.

        Reading it raises `OasisGanError` if it holds a label without a counterpart there, or if nothing says what its
        values mean and there are two ways to read them.
        """
        if self.content == "image":
            return self
        if self.labels is None:
            return replace(self, presumed_labels=wanted)
        if self.labels.labels == wanted.labels:
            return self
        return replace(self, labels=wanted, stored_labels=self.stored_labels or self.labels)

    def holding(self, content: Content) -> Scan:
        """Return this scan, known to hold labels or an image."""
        return replace(self, content=content)

    def _not_portable(self, found: str) -> OasisGanError:
        expected = "a reader that another process can import: a function of a module, or functools.partial of one"
        remedy = f"fix the dataset plugin {self.plugin}".rstrip()
        return OasisGanError(self.path, expected=expected, found=found, remedy=remedy)


@dataclass(frozen=True)
class Subject:
    """One thing to translate, or one pair to learn from.

    Args:
        name: Tells it from the others of its source; output files carry it.
        source: What is translated.
        target: What it should become, where that is known.
        split: The side it is on, ``train``, ``validate`` or ``test``, where the data say so.
        further: What is translated together with the source, by name, for models of several sources.
        entities: Whose it is and of which visit and run, where the data say so, by the keys that BIDS has:
            ``{"sub": "01", "ses": "2"}``. Where outputs go can depend on it.
    """

    name: str
    source: Scan
    target: Scan | None = None
    split: str = ""
    further: Mapping[str, Scan] = field(default_factory=dict)
    entities: Mapping[str, str] = field(default_factory=dict)

    def wrong_field(self) -> str | None:
        """Return which field does not have the type that it should, such as ``source.path: str``; None if all have."""
        wrong = _wrong_field(
            (
                ("name", self.name, isinstance(self.name, str)),
                ("source", self.source, isinstance(self.source, Scan)),
                ("target", self.target, self.target is None or isinstance(self.target, Scan)),
                ("split", self.split, isinstance(self.split, str)),
                ("further", self.further, _is_mapping_of_scans(self.further)),
                ("entities", self.entities, _is_mapping_of_texts(self.entities)),
            )
        )
        if wrong is not None:
            return wrong
        for role, scan in {"source": self.source, "target": self.target, **self.further}.items():
            wrong = scan.wrong_field() if scan is not None else None
            if wrong is not None:
                return f"{role}.{wrong}"
        return None

    def holding(self, source: Content, target: Content) -> Subject:
        """Return this subject, its source and its target known to hold labels or an image."""
        counterpart = self.target.holding(target) if self.target else None
        return replace(self, source=self.source.holding(source), target=counterpart)

    def paired(self) -> tuple[CleanVolume, CleanVolume]:
        """Read source and target, which must lie on one grid.

        Raises:
            OasisGanError: If there is no target, or the grids differ.
        """
        if self.target is None:
            remedy = "name the targets, for example with `target_root` or `target_suffix`"
            raise OasisGanError(
                self.source.path, expected="a target beside it", found="none", remedy=remedy
            )
        source, target = self.aligned(self.source.read(), self.target.read())
        source.geometry.require_same_grid(target.geometry, self.target.path)
        return source, target

    @staticmethod
    def aligned(source: V, target: V) -> tuple[V, V]:
        """Return both volumes along the axes of the source, where they lie on one grid; a note says what was done.

        A target that is stored in another order of axes is turned, without resampling. A volume whose header does not
        say where it lies takes the place of the other, if it has the same number and size of voxels.
        """
        ours, theirs = source.geometry, target.geometry
        if ours.placed == theirs.placed or not ours.has_voxels_of(theirs):
            return source, in_axis_order_of(target, ours)
        note = "its header does not say where it lies: taken to lie where its mate does"
        if ours.placed:
            return source, replace(target, geometry=ours, notes=(*target.notes, note))
        return replace(source, geometry=theirs, notes=(*source.notes, note)), target


@dataclass(frozen=True)
class Selection:
    """What a user asks a dataset for.

    Args:
        root: A file, or a folder to search with all its subfolders.
        target_root: The folder that holds the targets under the same names, if it is another one.
        source_suffix: How the names of sources end (``_seg.nii.gz``); empty: any.
        target_suffix: How the names of targets end (``_t1.nii.gz``).
        participants: Only these, by BIDS label (``01``, without ``sub-``); empty: all.
        sessions: Only these, by BIDS label (``d0129``, without ``ses-``); empty: all.
        spacing: Of voxels along the axes of a volume whose files do not say it, in mm.
        max_voxels: A volume with more is refused before it is read.
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
        """Whether pairs are asked for."""
        return self.target_root is not None or bool(self.target_suffix)


@dataclass(frozen=True, kw_only=True)
class Dataset(Description):
    """A reader plugin: one way in which volumes lie on a disk.

    Args:
        name: What the user types after ``--dataset``.
        summary: One line for ``oasis-gan plugins``.
        open: Lists the subjects of a selection in a stable order, lazily: no voxel is read before `Scan.read`.
            Raises `OasisGanError` where the selection holds nothing that it reads.
        recognises: Whether a file or folder looks like this layout; the tool asks when ``--dataset`` is not given.
        generic: Whether it reads a file format wherever it lies: it is then chosen only where no reader of a
            particular layout recognises anything.
        by_participant: Whether it heeds the participants and sessions of a selection.
    """

    open: Callable[[Selection], Iterable[Subject]]
    recognises: Callable[[Path], bool]
    generic: bool = False
    by_participant: bool = False
