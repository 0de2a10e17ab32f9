"""Draw paired training slices from volumes, and augment them.

Which slices an update sees, and how they are augmented, depends on the seed and the number of the
update alone. A resumed training therefore sees the same slices as one that never stopped, and so
does each of several machines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from oasis_gan import (
    CanvasTransform,
    Histogram,
    LabelSet,
    SliceStack,
    Subject,
    Window,
    foreign_code,
    one_line,
)

from .augmentation import Augmentation, Placement, draw_augmentation, draw_contrasts
from .errors import NoUsableSubjectsError, UnknownHistogramSubjectError
from .rotation import rotate
from .training_settings import TrainingSettings
from .training_slices import PreparedSubject, TrainingSlice, prepare_subject

Slices = NDArray[np.float32]
Batch = tuple[Slices, Slices]
SAMPLE_SIZE = 48
"""The number of slices that stand for all of them when something is measured."""


class PairedSlices:
    """The slices of all subjects, which are kept as label values and normalised intensities.

    Slices are encoded as channels when they are drawn.

    Args:
        subjects: The subjects to read. Those that cannot be used, for whatever reason, are reported
            and left out.
        recipe: The planes, the canvas, the contrasts and the augmentation.
        report: A function that takes a line for each subject that is left out.
        required: Whether there must be at least one slice.

    Raises:
        NoUsableSubjectsError: If no subject can be used although one is required.
    """

    def __init__(
        self,
        subjects: Sequence[Subject],
        recipe: TrainingSettings,
        report: Callable[[str], None],
        *,
        required: bool = True,
    ) -> None:
        self._recipe = recipe
        self._canvas = recipe.canvas
        self._encodings = tuple(recipe.encodings.values())
        self._target_set = recipe.label_set if recipe.target == "labels" else None
        self._has_images = "image" in recipe.named_sources.values()
        self._slices: list[TrainingSlice] = []
        self.names: list[str] = []
        self.windows: list[Window] = []
        self._histograms: dict[str, Histogram] = {}
        for subject in subjects:
            try:
                with foreign_code(subject.source.path):
                    prepared = prepare_subject(subject, recipe)
            # A reader of a plugin may raise anything.
            except Exception as error:  # noqa: BLE001
                report(f"left out {subject.name}: {one_line(error)}")
            else:
                self._add(prepared)
        if required and not self._slices:
            raise NoUsableSubjectsError

    def __len__(self) -> int:
        return len(self._slices)

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
        epoch_rng = np.random.default_rng((seed, 0, epoch))
        shuffled = epoch_rng.permutation(len(self))
        # A batch that is larger than the epoch repeats its slices.
        order = np.resize(shuffled, max(len(self), size))
        part, parts = share
        places = np.array_split(np.arange(size), parts)
        augmented = []
        for place in places[part]:
            item = self._slices[order[position * size + place]]
            rng = np.random.default_rng((seed, 1, step, place))
            augmented.append(self._augment(item, rng))
        return _make_batch(augmented)

    def sample(self, count: int = SAMPLE_SIZE) -> Batch:
        """Return about ``count`` slices without augmentation, evenly spaced over all of them."""
        every = max(1, len(self) // count)
        chosen = self._slices[::every]
        placed = [self._place_on_canvas(item, Placement()) for item in chosen]
        return _make_batch(placed)

    def _add(self, prepared: PreparedSubject) -> None:
        self.names.append(prepared.name)
        self._slices += prepared.slices
        if prepared.window is not None:
            self.windows.append(prepared.window)
        if prepared.histogram is not None:
            self._histograms[prepared.name] = prepared.histogram

    def _augment(self, item: TrainingSlice, rng: np.random.Generator) -> Batch:
        """Shift, scale, rotate and flip a slice as the recipe says, and vary its contrast."""
        settings = self._recipe.augmentation
        drawn = draw_augmentation(settings, item.plane, rng)
        source, target = self._place_on_canvas(item, drawn.placement)
        if settings.rotate:
            degrees = drawn.angle * settings.rotate
            source = rotate(source, degrees)
            target = rotate(target, degrees)
        if settings.intensity and self._has_images:
            source = self._vary_contrasts(source, drawn, rng)
        return self._crop_patch(source, target, rng)

    def _vary_contrasts(
        self,
        source: Slices,
        drawn: Augmentation,
        rng: np.random.Generator,
    ) -> Slices:
        """Return a source slice with a random contrast in each of its images."""
        strength = self._recipe.augmentation.intensity
        factors, exponents = draw_contrasts(drawn, self._encodings, strength, rng)
        # Neighbouring slices have the same contrasts.
        slices = 2 * self._recipe.context + 1
        brighter = source * np.tile(factors, slices)
        return np.clip(brighter, 0, 1) ** np.tile(exponents, slices)

    def _crop_patch(
        self,
        source: Slices,
        target: Slices,
        rng: np.random.Generator,
    ) -> Batch:
        """Return a random crop if the recipe asks for one."""
        patch = self._recipe.patch
        if patch is None:
            return source, target
        _, rows, columns, _ = source.shape
        top = int(rng.integers(0, max(rows - patch, 0) + 1))
        left = int(rng.integers(0, max(columns - patch, 0) + 1))
        bottom = top + patch
        right = left + patch
        return (
            source[:, top:bottom, left:right],
            target[:, top:bottom, left:right],
        )

    def _place_on_canvas(self, item: TrainingSlice, placement: Placement) -> Batch:
        """Return a slice on the canvas, encoded as channels."""
        row_spacing, column_spacing = item.spacing
        row_scale, column_scale = placement.scale
        spacing = (row_spacing * row_scale, column_spacing * column_scale)
        # As when translating, the whole stack is centred, so that a small slice keeps its place in
        # the head.
        centred = CanvasTransform.from_mask(item.mask, spacing, self._canvas)
        transform = centred.shift(placement.shift)
        source = transform.apply(self._encode_with_neighbours(item))
        target_slice = _encode(item.target, item.index, self._target_set)
        target = transform.apply(target_slice)
        if not placement.flip:
            return source, target
        # Rows run from left to right.
        return source[:, ::-1], target[:, ::-1]

    def _encode_with_neighbours(self, item: TrainingSlice) -> Slices:
        """Return the channels of a slice and its neighbours, in the order that `slicewise` uses."""
        context = self._recipe.context
        first = item.index - context
        last = item.index + context
        encoded = []
        for index in range(first, last + 1):
            for stack, encoding in zip(item.sources, self._encodings, strict=True):
                encoded.append(_encode(stack, index, encoding.label_set))
        if len(encoded) == 1:
            return encoded[0]
        return np.concatenate(encoded, axis=-1)


def _encode(
    stack: SliceStack,
    index: int,
    label_set: LabelSet | None,
) -> Slices:
    """Return the channels of a slice, (1, rows, columns, channels).

    Slices beyond the volume are background.

    Args:
        stack: Slices of label values or of normalised intensities.
        index: The index of the slice, which may lie beyond either end.
        label_set: The meaning of label values; None for intensities.
    """
    count, rows, columns = stack.slices.shape
    if not 0 <= index < count:
        channels = 1 if label_set is None else label_set.channels
        return np.zeros((1, rows, columns, channels), np.float32)
    slices = stack.slices[index, np.newaxis]
    if label_set is None:
        return slices[..., np.newaxis].astype(np.float32)
    return label_set.encode(slices)


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
