"""Draw paired training slices from volumes, and augment them.

Which slices an update sees, and how they are augmented, depends on the seed and the number of the
update alone. A resumed training therefore sees the same slices as one that never stopped, and so
does each of several machines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oasis_gan import (
    CanvasTransform,
    Histogram,
    LabelSet,
    Subject,
    Window,
    foreign_code,
    one_line,
)

from .augmentation import Placement, draw_augmentation
from .augmenter import Augmenter
from .cache_errors import (
    CacheRoomError,
    CacheWriteError,
)
from .errors import (
    NoUsableSubjectsError,
    UnknownHistogramSubjectError,
)
from .slice_cache import Store, keep_in_memory
from .slice_files import Pixels, StoredPlane, StoredSubject
from .training_settings import TrainingSettings
from .training_slices import SliceSettings

Slices = NDArray[np.float32]
Batch = tuple[Slices, Slices]
Integers = NDArray[np.integer[Any]]
SAMPLE_SIZE = 48
"""The number of slices that stand for all of them when something is measured."""


@dataclass(frozen=True, eq=False)
class _TrainingSlice:
    """One slice to train on, which is read when it is drawn.

    Args:
        plane: The slices that it belongs to; neighbouring slices are read from them.
        index: The index of the slice among them.
    """

    plane: StoredPlane
    index: int


class PairedSlices:
    """The slices of all subjects, which are stored as label values and normalised intensities.

    Slices are read from where they are stored, and encoded as channels, when they are drawn.

    Args:
        subjects: The subjects to read. Those that cannot be used, for whatever reason, are reported
            and left out.
        recipe: The planes, the canvas, the contrasts and the augmentation.
        report: A function that takes a line for each subject that is left out.
        required: Whether there must be at least one slice.
        store: A function that returns the stored slices of a subject; by default it keeps them in
            memory.
        first: The index of the subject to begin with. Workers that share a store begin at
            different ones, so that each finds what the others have made.

    Raises:
        NoUsableSubjectsError: If no subject can be used although one is required.
        CacheRoomError: If the slices of all subjects would not fit on the disk of the store.
        CacheWriteError: If the store cannot be written to.
    """

    def __init__(
        self,
        subjects: Sequence[Subject],
        recipe: TrainingSettings,
        report: Callable[[str], None],
        *,
        required: bool = True,
        store: Store = keep_in_memory,
        first: int = 0,
    ) -> None:
        self._recipe = recipe
        self._slice_settings = SliceSettings.from_recipe(recipe)
        self._canvas = recipe.canvas
        self._encodings = tuple(recipe.encodings.values())
        self._target_set = recipe.label_set if recipe.target == "labels" else None
        self._augmenter = Augmenter(recipe)
        self.names: list[str] = []
        self.windows: list[Window] = []
        self._histograms: dict[str, Histogram] = {}
        self._planes: list[StoredPlane] = []
        self._epoch: tuple[int, Integers] = (-1, np.zeros(0, np.int64))
        stored = self._store_all(subjects, store, report, first)
        self._index_slices(subjects, stored)
        if required and not len(self):
            raise NoUsableSubjectsError

    def _store_all(
        self,
        subjects: Sequence[Subject],
        store: Store,
        report: Callable[[str], None],
        first: int,
    ) -> dict[int, StoredSubject]:
        """Return the stored subjects by their number, without those that cannot be used.

        Args:
            subjects: The subjects to read.
            store: The function that stores a subject.
            report: A function that takes a line for each subject that is left out.
            first: The number of the subject to begin with.
        """
        stored = {}
        for number in np.roll(np.arange(len(subjects)), -first).tolist():
            subject = subjects[number]
            try:
                with foreign_code(subject.source.path):
                    stored[number] = self._store(subject, store)
            except (CacheRoomError, CacheWriteError):
                raise
            # A reader of a plugin may raise anything.
            except Exception as error:  # noqa: BLE001
                report(f"left out {subject.name}: {one_line(error)}")
        return stored

    def _index_slices(
        self,
        subjects: Sequence[Subject],
        stored: Mapping[int, StoredSubject],
    ) -> None:
        """Give each slice of all stored subjects a number, in the order of the subjects."""
        chosen: list[NDArray[np.int32]] = []
        for number in sorted(stored):
            self._add(subjects[number].name, stored[number])
            chosen += stored[number].chosen
        # A number for each slice, instead of an object: there may be millions.
        counts = [len(indices) for indices in chosen]
        self._plane_of = np.repeat(np.arange(len(chosen), dtype=np.int32), counts)
        self._index_of = np.concatenate([np.zeros(0, np.int32), *chosen])

    def __len__(self) -> int:
        return len(self._index_of)

    @property
    def target_encoding(self) -> LabelSet | Window:
        """Return the encoding of the target: its label set, or the mean window of all subjects."""
        if self._recipe.target == "labels":
            return self._recipe.label_set
        return Window.average(self.windows)

    @property
    def histogram(self) -> Histogram | None:
        """The distribution to match outputs to: the mean over the subjects of the recipe, or all.

        Raises:
            UnknownHistogramSubjectError: If the recipe names a subject that is not trained on.
        """
        chosen = self._recipe.histogram.subjects or tuple(self._histograms)
        for name in chosen:
            if name not in self._histograms:
                raise UnknownHistogramSubjectError(name, self.names)
        if not chosen:
            return None
        return Histogram.average([self._histograms[name] for name in chosen])

    def batch(self, step: int, share: tuple[int, int] = (0, 1)) -> Batch:
        """Return the slices of an update.

        Each epoch shows every slice once, in a new order.

        Args:
            step: The number of the update, from 0.
            share: Which part of the batch to return, and into how many parts it is divided among
                machines.

        Returns:
            Source and target (n, rows, columns, channels), both in [0, 1].
        """
        size = self._recipe.batch
        seed = self._recipe.seed
        updates_per_epoch = self._recipe.updates_per_epoch(len(self))
        epoch, position = divmod(step, updates_per_epoch)
        order = self._shuffle(epoch)
        part, parts = share
        places = np.array_split(np.arange(size), parts)
        augmented = []
        for place in places[part]:
            item = self._find(order[position * size + place])
            rng = np.random.default_rng((seed, 1, step, place))
            augmented.append(self._augment(item, rng))
        return _make_batch(augmented)

    def sample(self, count: int = SAMPLE_SIZE) -> Batch:
        """Return about ``count`` slices without augmentation, evenly spaced over all of them."""
        every = max(1, len(self) // count)
        chosen = map(self._find, range(0, len(self), every))
        placed = [self._place_on_canvas(item, Placement()) for item in chosen]
        return _make_batch(placed)

    def _store(self, subject: Subject, store: Store) -> StoredSubject:
        """Return the stored slices of a subject, if they fit on the canvas."""
        stored = store(subject, self._slice_settings)
        where = subject.target.path if subject.target else subject.name
        for plane in stored.planes:
            _require_canvas(plane, self._recipe, where)
        return stored

    def _add(self, name: str, stored: StoredSubject) -> None:
        self.names.append(name)
        self._planes += stored.planes
        if stored.window is not None:
            self.windows.append(stored.window)
        if stored.histogram is not None:
            self._histograms[name] = stored.histogram

    def _find(self, number: int) -> _TrainingSlice:
        """Return one of the slices of all subjects."""
        plane = self._planes[self._plane_of[number]]
        return _TrainingSlice(plane, int(self._index_of[number]))

    def _shuffle(self, epoch: int) -> Integers:
        """Return the numbers of all slices in the order of an epoch."""
        last_epoch, order = self._epoch
        if epoch != last_epoch:
            rng = np.random.default_rng((self._recipe.seed, 0, epoch))
            shuffled = rng.permutation(len(self))
            # A batch that is larger than the epoch repeats its slices.
            order = np.resize(shuffled, max(len(self), self._recipe.batch))
            self._epoch = (epoch, order)
        return order

    def _augment(self, item: _TrainingSlice, rng: np.random.Generator) -> Batch:
        """Vary the place, the shape and the contrast of a slice, as the recipe says."""
        drawn = draw_augmentation(self._recipe.augmentation, item.plane.plane, rng)
        placed = self._place_on_canvas(item, drawn.placement)
        return self._augmenter.augment(placed, drawn, rng)

    def _place_on_canvas(self, item: _TrainingSlice, placement: Placement) -> Batch:
        """Return a slice on the canvas, encoded as channels."""
        row_spacing, column_spacing = item.plane.spacing
        row_scale, column_scale = placement.scale
        spacing = (row_spacing * row_scale, column_spacing * column_scale)
        # As when translating, the whole stack is centred, so that a small slice keeps its place in
        # the head.
        centred = CanvasTransform.from_mask(item.plane.mask, spacing, self._canvas)
        transform = centred.shift(placement.shift)
        source = transform.apply(self._encode_with_neighbours(item))
        target_slice = item.plane.read_target(item.index)
        target = transform.apply(_encode(target_slice, self._target_set))
        if not placement.flip:
            return source, target
        # Rows run from left to right.
        return source[:, ::-1], target[:, ::-1]

    def _encode_with_neighbours(self, item: _TrainingSlice) -> Slices:
        """Return the channels of a slice and its neighbours, in the order that `slicewise` uses."""
        context = self._recipe.context
        plane = item.plane
        count, rows, columns = plane.shape
        encoded = []
        for index in range(item.index - context, item.index + context + 1):
            for number, encoding in enumerate(self._encodings):
                # Slices beyond the volume are background.
                pixels = np.zeros((rows, columns), np.uint8)
                if 0 <= index < count:
                    pixels = plane.read_source(number, index)
                encoded.append(_encode(pixels, encoding.label_set))
        if len(encoded) == 1:
            return encoded[0]
        return np.concatenate(encoded, axis=-1)


def _encode(pixels: Pixels, label_set: LabelSet | None) -> Slices:
    """Return the channels of a slice, (1, rows, columns, channels).

    Args:
        pixels: Label values or normalised intensities, (rows, columns).
        label_set: The meaning of label values; None for intensities.
    """
    slices = pixels[np.newaxis]
    if label_set is None:
        return slices[..., np.newaxis].astype(np.float32)
    return label_set.encode(slices)


def _require_canvas(plane: StoredPlane, recipe: TrainingSettings, where: object) -> None:
    """Raise `OasisGanError` now if a slice could be too large in the middle of the training."""
    largest = recipe.augmentation.enlarge * (1 + recipe.augmentation.zoom)
    rows, columns = plane.spacing
    CanvasTransform.from_mask(
        plane.mask,
        (rows * largest, columns * largest),
        recipe.canvas,
        where,
    )


def _make_batch(pairs: Sequence[Batch]) -> Batch:
    """Combine pairs of slices into one batch."""
    sources, targets = zip(*pairs, strict=True)
    return _concatenate(sources), _concatenate(targets)


def _concatenate(slices: Sequence[Slices]) -> Slices:
    """Return slices as one array, padded below and to the right to the size of the largest."""
    rows = max(item.shape[1] for item in slices)
    columns = max(item.shape[2] for item in slices)
    padded = []
    for item in slices:
        below = rows - item.shape[1]
        right = columns - item.shape[2]
        margins = (
            (0, 0),
            (0, below),
            (0, right),
            (0, 0),
        )
        padded.append(np.pad(item, margins))
    return np.concatenate(padded)
