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
    OasisGanError,
    Plane,
    SliceStack,
    Subject,
    Window,
    foreign_code,
    one_line,
)

from .rotation import rotate
from .training_settings import TrainingSettings
from .training_slices import PreparedSubject, TrainingSlice, prepare_subject

Slices = NDArray[np.float32]
Batch = tuple[Slices, Slices]
SAMPLE_SIZE = 48
"""The number of slices that stand for all of them when something is measured."""


class NoUsableSubjectsError(OasisGanError):
    """No subject has a slice that is fit for training."""

    def __init__(self) -> None:
        super().__init__(
            "training data",
            expected="at least one usable pair",
            found="none",
            remedy="see the lines above",
        )


class UnknownHistogramSubjectError(OasisGanError):
    """The recipe takes the histogram of a subject that is not among the training subjects.

    Args:
        name: The name of the subject.
        known: The names of the subjects that are trained on.
    """

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(
            "recipe: histogram.subjects",
            expected=f"one of the training subjects: {', '.join(known)}",
            found=name,
            remedy="fix the recipe",
        )


class PairedSlices:
    """The slices of all subjects, which memory holds as label values and normalised intensities.

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
        self._source_sets = [encoding.label_set for encoding in recipe.encodings.values()]
        self._target_set = recipe.label_set if recipe.target == "labels" else None
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
    def target_contrast(self) -> LabelSet | Window:
        """Return what the target's values mean: a label set, or the mean window of all subjects."""
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
        updates_per_epoch = max(len(self) // size, 1)
        epoch, position = divmod(step, updates_per_epoch)
        shuffled = np.random.default_rng((seed, 0, epoch)).permutation(len(self))
        order = np.resize(shuffled, max(len(self), size))
        part, parts = share
        drawn = []
        for place in np.array_split(np.arange(size), parts)[part]:
            item = self._slices[order[position * size + place]]
            rng = np.random.default_rng((seed, 1, step, place))
            drawn.append(self._augment(item, rng))
        return _make_batch(drawn)

    def sample(self, count: int = SAMPLE_SIZE) -> Batch:
        """Return about ``count`` slices without augmentation, evenly spaced over all of them."""
        every = max(1, len(self._slices) // count)
        drawn = [
            self._place_on_canvas(item, scale=(1.0, 1.0), shift=(0, 0), flip=False)
            for item in self._slices[::every]
        ]
        return _make_batch(drawn)

    def _add(self, prepared: PreparedSubject) -> None:
        self.names.append(prepared.name)
        self._slices += prepared.slices
        if prepared.window is not None:
            self.windows.append(prepared.window)
        if prepared.histogram is not None:
            self._histograms[prepared.name] = prepared.histogram

    def _augment(self, item: TrainingSlice, rng: np.random.Generator) -> Batch:
        """Shift, scale, rotate and flip a slice as the recipe says."""
        settings = self._recipe.augmentation
        rows, columns = rng.integers(-settings.shift, settings.shift + 1, 2)
        zoom = rng.uniform(-settings.zoom, settings.zoom, 2)
        is_zoomed = rng.random() < 0.5
        flip = rng.random() < 0.5 and settings.flip and item.plane is not Plane.SAGITTAL
        angle, gain, gamma = rng.uniform(-1, 1, 3)
        zoom_factor = 1 + zoom if is_zoomed else np.ones(2)
        scale = settings.enlarge * zoom_factor
        shift = (int(rows), int(columns))
        source, target = self._place_on_canvas(item, (scale[0], scale[1]), shift, flip=flip)
        if settings.rotate:
            degrees = angle * settings.rotate
            source = rotate(source, degrees)
            target = rotate(target, degrees)
        if settings.intensity and "image" in self._recipe.named_sources.values():
            factors, exponents = self._draw_contrasts(gain, gamma, rng)
            source = np.clip(source * factors, 0, 1) ** exponents
        return self._crop_patch(source, target, rng)

    def _draw_contrasts(
        self, gain: float, gamma: float, rng: np.random.Generator
    ) -> tuple[Slices, Slices]:
        """Return a random factor and exponent for each channel.

        Each image has its own contrast, which it shares with its neighbouring slices.

        Args:
            gain: The random gain of the first source, between -1 and 1.
            gamma: The random gamma of the first source, between -1 and 1.
            rng: The generator of the gains and gammas of further sources.
        """
        factors: list[float] = []
        exponents: list[float] = []
        for index, encoding in enumerate(self._recipe.encodings.values()):
            if index:
                gain, gamma = rng.uniform(-1, 1, 2)
            strength = 0.0 if encoding.content == "labels" else self._recipe.augmentation.intensity
            factors += [1 + gain * strength] * encoding.channels
            exponents += [1 + gamma * strength] * encoding.channels
        slices = 2 * self._recipe.context + 1
        # In 64 bits, which is NumPy's default, they would widen the slices too.
        return (
            np.tile(factors, slices).astype(np.float32),
            np.tile(exponents, slices).astype(np.float32),
        )

    def _crop_patch(self, source: Slices, target: Slices, rng: np.random.Generator) -> Batch:
        """Return a random crop if the recipe asks for one."""
        patch = self._recipe.patch
        if patch is None:
            return source, target
        _, rows, columns, _ = source.shape
        top = int(rng.integers(0, max(rows - patch, 0) + 1))
        left = int(rng.integers(0, max(columns - patch, 0) + 1))
        inside = np.s_[:, top : top + patch, left : left + patch]
        return source[inside], target[inside]

    def _place_on_canvas(
        self, item: TrainingSlice, scale: tuple[float, float], shift: tuple[int, int], *, flip: bool
    ) -> Batch:
        """Return a slice on the canvas, encoded as channels.

        Args:
            item: The slice.
            scale: The factors by which rows and columns are enlarged.
            shift: The pixels by which it is moved along rows and columns.
            flip: Whether to swap left and right.
        """
        rows, columns = item.spacing
        spacing = (rows * scale[0], columns * scale[1])
        # As when translating, the whole stack is centred, so that a small slice keeps its place in
        # the head.
        transform = CanvasTransform.from_support(item.footprint, spacing, self._canvas).shift(shift)
        source = transform.apply(self._encode_with_neighbours(item))
        target = transform.apply(_encode(item.target, item.index, self._target_set))
        if flip:
            # Rows run from left to right.
            return source[:, ::-1], target[:, ::-1]
        return source, target

    def _encode_with_neighbours(self, item: TrainingSlice) -> Slices:
        """Return the channels of a slice and its neighbours, in the order that `slicewise` uses."""
        encoded = []
        for offset in range(-self._recipe.context, self._recipe.context + 1):
            for stack, label_set in zip(item.sources, self._source_sets, strict=True):
                encoded.append(_encode(stack, item.index + offset, label_set))
        if len(encoded) == 1:
            return encoded[0]
        return np.concatenate(encoded, axis=-1)


def _encode(stack: SliceStack, index: int, label_set: LabelSet | None) -> Slices:
    """Return the channels of a slice, (1, rows, columns, channels).

    Slices beyond the volume are background.

    Args:
        stack: Slices of label values or of normalised intensities.
        index: The index of the slice, which may lie beyond either end.
        label_set: The meaning of label values; None for intensities.
    """
    if not 0 <= index < len(stack.slices):
        channels = 1 if label_set is None else label_set.channels
        return np.zeros((1, *stack.slices.shape[1:3], channels), np.float32)
    slices = stack.slices[index, np.newaxis]
    if label_set is not None:
        return label_set.encode(slices)
    return slices[..., np.newaxis].astype(np.float32)


def _make_batch(drawn: Sequence[Batch]) -> Batch:
    """Combine slices into one batch, padded at the end to the size of the largest."""
    sources = [source for source, _ in drawn]
    targets = [target for _, target in drawn]
    rows = max(source.shape[1] for source in sources)
    columns = max(source.shape[2] for source in sources)
    return _pad_all(sources, rows, columns), _pad_all(targets, rows, columns)


def _pad_all(slices: Sequence[Slices], rows: int, columns: int) -> Slices:
    """Return slices of several sizes as one array (n, rows, columns, channels)."""
    padded = []
    for item in slices:
        below = rows - item.shape[1]
        behind = columns - item.shape[2]
        margins = ((0, 0), (0, below), (0, behind), (0, 0))
        padded.append(np.pad(item, margins))
    return np.concatenate(padded)
