"""Make a translator of volumes from a model of slices.

It cuts a volume into slices, encodes them, fits them to the canvas, predicts, and goes all the way
back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ..image.canvas import Canvas, Fit
from ..image.choices import Plane
from ..image.encoding import FittedEncoding
from ..image.picture_planes import choose_picture_planes
from ..image.slicing import SliceStack, cut, join
from ..image.volume import Channels, CleanVolume, Mask, Volume, Voxels
from ..plugin.models import (
    VOLUME,
    Computation,
    ModelCard,
    Progress,
    Translation,
    ignore_progress,
)
from ..plugin.options import Option
from .errors import UnknownPlaneError, UnusableCanvasError, WrongAnswerError

Indices = NDArray[np.intp]
Predict = Callable[[Channels, Mask], Channels]
"""A model of slices.

It takes slices (n, rows, columns, source channels) in [0, 1] and a mask (n, rows, columns) of the
pixels whose answer is kept, and returns (n, rows, columns, target channels) in [0, 1]. The answer
for a slice must not depend on the other slices in the batch. Outside the mask, any finite number
will do.
"""
Finish = Callable[[Channels, Mapping[str, Voxels]], Channels]
"""A last step over the whole volume.

It takes the answer of the model for the voxels inside the support, (voxels, target channels) in
[0, 1], and the values of the sources there, (voxels,) by name. It returns the channels to decode.
"""
BATCH = 8
"""Slices that are predicted at once: enough to keep the cores busy, few enough for the memory."""
AUTO_PLANE = "auto"
"""The first plane of the model, or, for a thin volume, the plane with the largest slices."""
ALL_PLANES = "all"
"""The mean over all planes of the model."""
_MIN_MM = 0.1
_MAX_MM = 100
_MAX_PIXELS = 4096  # rows or columns of a canvas


def plane_option(planes: Sequence[Plane]) -> Option:
    """Return the option by which a user chooses among the planes of a model of slices.

    Args:
        planes: The planes that the model was trained in; the first is the default.
    """
    names = [plane.value for plane in planes]
    automatic = f"auto is {names[0]} unless a volume is too thin for it"
    return Option(
        name="plane",
        help=f"Slicing plane: all averages every plane, {automatic}.",
        default=AUTO_PLANE,
        choices=(AUTO_PLANE, *names, ALL_PLANES),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class SlicewiseTranslator:
    """A model of slices that translates volumes.

    The background of the first source is exactly 0 in the result. Empty slices are not predicted.

    Args:
        card: The card of the model.
        predict: The model.
        planes: The planes that the model was trained in.
        canvas: The grid of a slice that the model sees.
        plane: The plane to slice in, `AUTO_PLANE` or `ALL_PLANES`; see `plane_option`.
        context: How many neighbouring slices on each side the model sees too. The channels are in
            the order of the slices; beyond the volume they are 0.
        finish: The last step over the whole volume, if there is one.
        computation: How the answers are computed, if the model says so.

    Raises:
        OasisGanError: If the canvas does not fit into memory, or the plane is none of the planes.
    """

    card: ModelCard
    predict: Predict
    planes: tuple[Plane, ...]
    canvas: Canvas
    plane: str = AUTO_PLANE
    context: int = 0
    finish: Finish | None = None
    computation: Computation | None = None

    def __post_init__(self) -> None:
        _require_usable_canvas(self.canvas, self.card)
        option = plane_option(self.planes)
        try:
            option.parse(self.plane)
        except ValueError:
            raise UnknownPlaneError(self.card.name, option.expected, self.plane) from None

    def with_target(self, target: FittedEncoding) -> SlicewiseTranslator:
        """Return a translator with answers in another encoding, such as another contrast."""
        return replace(self, card=replace(self.card, target=target))

    def translate(
        self, sources: Mapping[str, CleanVolume], progress: Progress = ignore_progress
    ) -> Translation:
        """Return the volume that the model makes of its sources, on the grid of the first one."""
        first = next(iter(sources.values()))
        planes, note = self._choose_planes(first)
        support = self.card.source.support(first.voxels)
        channels = self._sum_over_planes(planes, sources, support, progress)
        mean = channels[support] / np.float32(len(planes))
        voxels = np.zeros(first.geometry.shape, np.float32)
        voxels[support] = self.card.target.decode(self._finish(mean, sources, support))
        notes = (*first.notes, note) if note else first.notes
        details = {"planes": [plane.value for plane in planes]}
        return Translation(volume=Volume(voxels, first.geometry, notes), details=details)

    def _finish(
        self, channels: Channels, sources: Mapping[str, CleanVolume], support: Mask
    ) -> Channels:
        """Apply the last step, if there is one, to the channels of the voxels in the support."""
        if self.finish is None:
            return channels
        inside = {name: volume.voxels[support] for name, volume in sources.items()}
        return self.finish(channels, inside)

    def _choose_planes(self, first: CleanVolume) -> tuple[tuple[Plane, ...], str]:
        """Return the planes to slice a volume in, and a note on them or an empty string."""
        if self.plane == ALL_PLANES:
            planes = self.planes
        elif self.plane == AUTO_PLANE:
            planes = self.planes[:1]
        else:
            planes = (Plane(self.plane),)
        requested = self.plane != AUTO_PLANE
        return choose_picture_planes(
            first.geometry, planes, self.planes, VOLUME, requested=requested
        )

    def _sum_over_planes(
        self,
        planes: Sequence[Plane],
        sources: Mapping[str, CleanVolume],
        support: Mask,
        progress: Progress,
    ) -> Channels:
        """Return the sum of the answers in each plane: (I, J, K, target channels)."""
        encodings = [self.card.sources[name].fit(volume.voxels) for name, volume in sources.items()]
        geometry = next(iter(sources.values())).geometry
        channels = np.zeros((*geometry.shape, self.card.target.channels), np.float32)
        for index, plane in enumerate(planes):
            stacks = [cut(volume.voxels, volume.geometry, plane) for volume in sources.values()]
            mask = cut(support, geometry, plane)
            part = partial(_report_plane, progress, index, len(planes))
            answers = self._predict_stack(stacks, encodings, mask, part)
            channels += join(mask.with_slices(answers))
        return channels

    def _predict_stack(
        self,
        stacks: Sequence[SliceStack],
        encodings: Sequence[FittedEncoding],
        mask: SliceStack,
        progress: Progress,
    ) -> Channels:
        """Return the answers for all slices of a plane: (slices, rows, columns, channels)."""
        support = mask.slices
        fit = Fit.around(support, mask.spacing, self.canvas, VOLUME)
        occupied = np.flatnonzero(support.any(axis=(1, 2)))
        answers = np.zeros((*support.shape, self.card.target.channels), np.float32)
        for start in range(0, len(occupied), BATCH):
            batch = occupied[start : start + BATCH]
            encoded = self._encode(stacks, encodings, batch)
            answers[batch] = self._predict_on_canvas(encoded, support[batch], fit)
            predicted = start + len(batch)
            progress(predicted / len(occupied))
        return answers

    def _predict_on_canvas(self, encoded: Channels, support: Mask, fit: Fit) -> Channels:
        """Fit a batch of slices to the canvas, and return the answers on their own grid."""
        mask = fit.wanted(support)
        predicted = self._predict(fit.apply(encoded), mask)
        # Pixels outside the mask must not reach the result, not even as extremes to clip to.
        masked = np.where(mask[..., np.newaxis], predicted, 0)
        return fit.undo(masked)

    def _encode(
        self,
        stacks: Sequence[SliceStack],
        encodings: Sequence[FittedEncoding],
        batch: Indices,
    ) -> Channels:
        """Return the channels of slices and of their neighbours: (n, rows, columns, channels)."""
        shown = []
        for offset in range(-self.context, self.context + 1):
            for stack, encoding in zip(stacks, encodings, strict=True):
                shown.append(_encode_slices(stack, encoding, batch + offset))
        return shown[0] if len(shown) == 1 else np.concatenate(shown, axis=-1)

    def _predict(self, encoded: Channels, mask: Mask) -> Channels:
        """Return the answer of the model, and check its shape and its datatype.

        Raises:
            WrongAnswerError: If they are wrong. NumPy would silently spread a single number over a
                whole slice.
        """
        answer = np.asarray(self.predict(encoded, mask))
        expected = (*encoded.shape[:3], self.card.target.channels)
        if answer.shape != expected:
            shape = f"an answer of shape {expected}"
            raise WrongAnswerError(self.card.name, shape, str(answer.shape))
        if answer.dtype.kind in "OcSUMm":
            numbers = "an answer in real numbers"
            raise WrongAnswerError(self.card.name, numbers, str(answer.dtype))
        return answer.astype(np.float32, copy=False)


def slicewise(
    predict: Predict,
    card: ModelCard,
    *,
    planes: Sequence[Plane],
    canvas: Canvas,
    plane: str = AUTO_PLANE,
    context: int = 0,
    finish: Finish | None = None,
    computation: Computation | None = None,
) -> SlicewiseTranslator:
    """Return a `SlicewiseTranslator`, which applies a model slice by slice."""
    return SlicewiseTranslator(
        card=card,
        predict=predict,
        planes=tuple(planes),
        canvas=canvas,
        plane=plane,
        context=context,
        finish=finish,
        computation=computation,
    )


def _encode_slices(stack: SliceStack, encoding: FittedEncoding, indices: Indices) -> Channels:
    """Return the channels of some slices of a stack; those beyond its ends are background."""
    inside = (indices >= 0) & (indices < len(stack.slices))
    nearest = np.clip(indices, 0, len(stack.slices) - 1)
    encoded = encoding.encode(stack.slices[nearest])
    if inside.all():
        return encoded
    return np.where(inside[:, np.newaxis, np.newaxis, np.newaxis], encoded, 0)


def _report_plane(progress: Progress, index: int, planes: int, fraction: float) -> None:
    """Report the progress in one plane as a part of all planes."""
    progress((index + fraction) / planes)


def _require_usable_canvas(canvas: Canvas, card: ModelCard) -> None:
    """Raise `UnusableCanvasError` unless slices on a canvas fit into memory.

    The model may come from anybody.
    """
    sizes = (canvas.size, canvas.multiple)
    has_usable_size = min(sizes) >= 1 and max(sizes) <= _MAX_PIXELS
    has_usable_spacing = _MIN_MM <= canvas.spacing <= _MAX_MM
    if has_usable_size and has_usable_spacing:
        return
    pixels = f"{canvas.size} pixels in multiples of {canvas.multiple}"
    raise UnusableCanvasError(
        card.name,
        expected=f"a canvas of up to {_MAX_PIXELS} pixels, {_MIN_MM} to {_MAX_MM} mm apart",
        found=f"one of {pixels}, {canvas.spacing:g} mm apart",
    )
