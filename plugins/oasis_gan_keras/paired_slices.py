"""Drawing paired training slices from volumes: which ones, in what order, and how they are varied.

Which slices an update sees, and how they are varied, follows from the seed and the number of the update alone: a run
that is taken up again sees what it would have seen, and so does each of several machines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from oasis_gan import (
    Fit,
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
SAMPLE = 48
"""Slices that stand for all of them, where a number is measured."""


class PairedSlices:
    """The slices of all subjects, in memory: label values and normalised intensities, encoded when they are drawn.

    Args:
        subjects: Read once, here; one that cannot be used, whatever is raised, is reported and left out.
        recipe: Planes, canvas, contrasts and augmentation.
        report: Takes a line for each subject left out.
        needed: Whether there must be somebody.

    Raises:
        OasisGanError: If no subject is left and somebody is needed.
    """

    def __init__(
        self,
        subjects: Sequence[Subject],
        recipe: TrainingSettings,
        report: Callable[[str], None],
        *,
        needed: bool = True,
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
            # Readers may be anybody's.
            except Exception as error:  # noqa: BLE001
                report(f"left out {subject.name}: {one_line(error)}")
            else:
                self._add(prepared)
        if needed and not self._slices:
            expected = "a pair with something in it"
            remedy = "see the lines above"
            raise OasisGanError("training data", expected=expected, found="none", remedy=remedy)

    def __len__(self) -> int:
        return len(self._slices)

    @property
    def target_contrast(self) -> LabelSet | Window:
        """What the target's values mean: the label set, or the window half-way between those of all subjects."""
        return (
            self._recipe.label_set if self._recipe.target == "labels" else Window.mean(self.windows)
        )

    @property
    def histogram(self) -> Histogram | None:
        """What outputs are brought to: the mean distribution of the subjects that the recipe names, or of all.

        Raises:
            OasisGanError: If the recipe names one that is not there.
        """
        chosen = self._recipe.histogram.subjects or tuple(self._histograms)
        for name in chosen:
            if name not in self._histograms:
                expected = f"subjects that are learnt from: {', '.join(self.names)}"
                raise OasisGanError(
                    "recipe: histogram.subjects",
                    expected=expected,
                    found=name,
                    remedy="fix the recipe",
                )
        return Histogram.mean([self._histograms[name] for name in chosen]) if chosen else None

    def batch(self, step: int, share: tuple[int, int] = (0, 1)) -> Batch:
        """Return the slices of an update; in an epoch every slice is shown once, in an order of its own.

        Args:
            step: Number of the update, from 0.
            share: Which part of the batch, and of how many parts: several machines learn from one batch.

        Returns:
            Source and target (n, rows, columns, channels), both in [0, 1].
        """
        size = self._recipe.batch
        seed = self._recipe.seed
        epoch, position = divmod(step, max(len(self) // size, 1))
        order = np.resize(
            np.random.default_rng((seed, 0, epoch)).permutation(len(self)), max(len(self), size)
        )
        part, parts = share
        drawn = [
            self._vary(
                self._slices[order[position * size + place]],
                np.random.default_rng((seed, 1, step, place)),
            )
            for place in np.array_split(np.arange(size), parts)[part]
        ]
        return _stack(drawn)

    def sample(self, count: int = SAMPLE) -> Batch:
        """Return about ``count`` slices, evenly spaced over all of them, as they are."""
        every = self._slices[:: max(1, len(self._slices) // count)]
        return _stack([self._lay(one, (1.0, 1.0), (0, 0), flip=False) for one in every])

    def _add(self, prepared: PreparedSubject) -> None:
        self.names.append(prepared.name)
        self._slices += prepared.slices
        if prepared.window is not None:
            self.windows.append(prepared.window)
        if prepared.histogram is not None:
            self._histograms[prepared.name] = prepared.histogram

    def _vary(self, one: TrainingSlice, rng: np.random.Generator) -> Batch:
        """Move, scale and turn a slice, and turn left and right over, as the recipe says."""
        vary = self._recipe.augmentation
        rows, columns = rng.integers(-vary.shift, vary.shift + 1, 2)
        zoom = rng.uniform(-vary.zoom, vary.zoom, 2)
        zoomed = rng.random() < 0.5
        flip = rng.random() < 0.5 and vary.flip and one.plane is not Plane.SAGITTAL
        angle, gain, gamma = rng.uniform(-1, 1, 3)
        scale = vary.enlarge * (1 + zoom if zoomed else np.ones(2))
        source, target = self._lay(one, (scale[0], scale[1]), (int(rows), int(columns)), flip=flip)
        if vary.rotate:
            source = rotate(source, angle * vary.rotate)
            target = rotate(target, angle * vary.rotate)
        if vary.intensity and "image" in self._recipe.named_sources.values():
            factors, exponents = self._draw_contrasts(gain, gamma, rng)
            source = np.clip(source * factors, 0, 1) ** exponents
        return self._crop_patch(source, target, rng)

    def _draw_contrasts(
        self, gain: float, gamma: float, rng: np.random.Generator
    ) -> tuple[Slices, Slices]:
        """Return a factor and an exponent for each channel: each image has its own, and a slice's neighbours too.

        Args:
            gain: Between -1 and 1, for the first source.
            gamma: The same.
            rng: For further sources.
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
        # NumPy's own numbers of 64 bits would make the slices as wide.
        return np.tile(factors, slices).astype(np.float32), np.tile(exponents, slices).astype(
            np.float32
        )

    def _crop_patch(self, source: Slices, target: Slices, rng: np.random.Generator) -> Batch:
        """Return a random crop, where the recipe asks for one."""
        patch = self._recipe.patch
        if patch is None:
            return source, target
        top, left = (
            int(rng.integers(0, max(length - patch, 0) + 1)) for length in source.shape[1:3]
        )
        inside = np.s_[:, top : top + patch, left : left + patch]
        return source[inside], target[inside]

    def _lay(
        self, one: TrainingSlice, scale: tuple[float, float], shift: tuple[int, int], *, flip: bool
    ) -> Batch:
        """Return a slice on the canvas, in channels.

        Args:
            one: The slice.
            scale: By how much rows and columns are enlarged.
            shift: By how many pixels it is moved along rows and columns.
            flip: Whether left and right are turned over.
        """
        rows, columns = one.spacing
        # Around the whole stack, as when translating: a small slice keeps its place in the head.
        fit = Fit.around(one.footprint, (rows * scale[0], columns * scale[1]), self._canvas).moved(
            shift
        )
        source = fit.apply(self._encode_with_neighbours(one))
        target = fit.apply(_encode(one.target, one.index, self._target_set))
        # Rows run from left to right.
        return (source[:, ::-1], target[:, ::-1]) if flip else (source, target)

    def _encode_with_neighbours(self, one: TrainingSlice) -> Slices:
        """Return the channels of all sources, a slice between its neighbours, in the order that `slicewise` has."""
        shown = []
        for offset in range(-self._recipe.context, self._recipe.context + 1):
            for stack, label_set in zip(one.sources, self._source_sets, strict=True):
                shown.append(_encode(stack, one.index + offset, label_set))
        return shown[0] if len(shown) == 1 else np.concatenate(shown, axis=-1)


def _encode(stack: SliceStack, index: int, label_set: LabelSet | None) -> Slices:
    """Return the channels of a slice, (1, rows, columns, channels); beyond the volume there is background.

    Args:
        stack: Label values, or normalised intensities.
        index: Of the slice; it may lie beyond both ends.
        label_set: What the values mean; None for intensities.
    """
    if not 0 <= index < len(stack.slices):
        channels = 1 if label_set is None else label_set.channels
        return np.zeros((1, *stack.slices.shape[1:3], channels), np.float32)
    slices = stack.slices[index, np.newaxis]
    if label_set is not None:
        return label_set.encode(slices)
    return slices[..., np.newaxis].astype(np.float32)


def _stack(drawn: Sequence[Batch]) -> Batch:
    """Put slices into one batch, padded at the end to the largest."""
    sources = [source for source, _ in drawn]
    targets = [target for _, target in drawn]
    rows = max(source.shape[1] for source in sources)
    columns = max(source.shape[2] for source in sources)
    return _pad_all(sources, rows, columns), _pad_all(targets, rows, columns)


def _pad_all(slices: Sequence[Slices], rows: int, columns: int) -> Slices:
    """Put slices of several sizes into one array (n, rows, columns, channels)."""
    padded = [
        np.pad(one, ((0, 0), (0, rows - one.shape[1]), (0, columns - one.shape[2]), (0, 0)))
        for one in slices
    ]
    return np.concatenate(padded)
