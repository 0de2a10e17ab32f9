"""Making a translator of volumes out of a model of slices: cut, encode, fit, predict, bring back, join, decode."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ..errors import OasisGanError
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

Indices = NDArray[np.intp]
Predict = Callable[[Channels, Mask], Channels]
"""A model of slices.

It takes slices (n, rows, columns, source channels) in [0, 1] and a mask (n, rows, columns) of the pixels whose answer
is kept, and returns (n, rows, columns, target channels) in [0, 1]. The same slices give the same answer, whatever their
neighbours in the batch. Outside the mask any finite number will do.
"""
Finish = Callable[[Channels, Mapping[str, Voxels]], Channels]
"""A last step over the whole volume.

It takes what the model made of the voxels inside the support, (voxels, target channels) in [0, 1], and the values of
the sources there, (voxels,) by name, and returns the channels to decode.
"""
BATCH = 8
"""Slices that are predicted at once: enough to keep the cores busy, few enough to stay small."""
AUTO_PLANE = "auto"
"""The first plane of the model, or of a thin volume the one in which it is a picture."""
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
    return Option(
        name="plane",
        help=f"Slicing plane: all averages every plane, auto is {names[0]} unless a volume is too thin for it.",
        default=AUTO_PLANE,
        choices=(AUTO_PLANE, *names, ALL_PLANES),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class SlicewiseTranslator:
    """A model of slices that translates volumes.

    What is background in the first source is exactly 0 in the result. Slices without anything in them are not
    predicted.

    Args:
        card: What goes into the model, and what comes out.
        predict: The model.
        planes: The planes that the model was trained in.
        canvas: The grid of a slice that the model sees.
        plane: The plane to slice in, `AUTO_PLANE` or `ALL_PLANES`; see `plane_option`.
        context: How many neighbouring slices on each side the model sees too. Their channels stand before and behind
            those of the slice itself, in the order of the slices; beyond the volume they are 0.
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
            where = f"model {self.card.name}"
            remedy = "name a plane that the model was trained in"
            raise OasisGanError(
                where, expected=f"plane: {option.expected}", found=self.plane, remedy=remedy
            ) from None

    def with_target(self, target: FittedEncoding) -> SlicewiseTranslator:
        """Return this translator with answers in another encoding, such as another scan's contrast."""
        return replace(self, card=replace(self.card, target=target))

    def translate(
        self, sources: Mapping[str, CleanVolume], progress: Progress = ignore_progress
    ) -> Translation:
        """Return the volume that the model makes of its sources, on the grid of the first one."""
        first = next(iter(sources.values()))
        planes, note = self._choose_planes(first)
        support = self.card.source.support(first.voxels)
        channels = self._sum_over_planes(planes, sources, support, progress)
        made = channels[support] / np.float32(len(planes))
        if self.finish is not None:
            inside = {name: volume.voxels[support] for name, volume in sources.items()}
            made = self.finish(made, inside)
        voxels = np.zeros(first.geometry.shape, np.float32)
        voxels[support] = self.card.target.decode(made)
        notes = (*first.notes, note) if note else first.notes
        details = {"planes": [plane.value for plane in planes]}
        return Translation(volume=Volume(voxels, first.geometry, notes), details=details)

    def _choose_planes(self, first: CleanVolume) -> tuple[tuple[Plane, ...], str]:
        """Return the planes to slice a volume in, and what is to be said of them."""
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
        """Return the answers for all slices of a plane: (slices, rows, columns, target channels)."""
        support = mask.slices
        fit = Fit.around(support, mask.spacing, self.canvas, VOLUME)
        occupied = np.flatnonzero(support.any(axis=(1, 2)))
        answers = np.zeros((*support.shape, self.card.target.channels), np.float32)
        for first in range(0, len(occupied), BATCH):
            batch = occupied[first : first + BATCH]
            encoded = fit.apply(self._encode(stacks, encodings, batch))
            kept = fit.wanted(support[batch])
            predicted = self._predict(encoded, kept)
            # Pixels outside the mask must not reach the result, not even as the extremes that `undo` clips to.
            answers[batch] = fit.undo(np.where(kept[..., np.newaxis], predicted, 0))
            progress(min(first + BATCH, len(occupied)) / len(occupied))
        return answers

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
        """Return the model's answer, once it has the shape and the type that it should.

        Raises:
            OasisGanError: If it has not: NumPy would spread a single number over a whole slice without a word.
        """
        answer = np.asarray(self.predict(encoded, mask))
        expected = (*encoded.shape[:3], self.card.target.channels)
        if answer.shape != expected:
            raise _wrong_answer(self.card, f"an answer of shape {expected}", str(answer.shape))
        if answer.dtype.kind in "OcSUMm":
            raise _wrong_answer(self.card, "an answer in real numbers", str(answer.dtype))
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
    """Return a translator of volumes that applies a model slice by slice; see `SlicewiseTranslator`."""
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
    """Report how far a plane is, as a part of all planes."""
    progress((index + fraction) / planes)


def _require_usable_canvas(canvas: Canvas, card: ModelCard) -> None:
    """Raise `OasisGanError` unless slices on a canvas fit into memory: the model may be anybody's."""
    sizes = (canvas.size, canvas.multiple)
    in_reach = min(sizes) >= 1 and max(sizes) <= _MAX_PIXELS
    if in_reach and _MIN_MM <= canvas.spacing <= _MAX_MM:
        return
    expected = f"a canvas of up to {_MAX_PIXELS} pixels, {_MIN_MM} to {_MAX_MM} mm apart"
    found = f"one of {canvas.size} pixels in multiples of {canvas.multiple}, {canvas.spacing:g} mm apart"
    raise OasisGanError(
        f"model {card.name}", expected=expected, found=found, remedy="take another model"
    )


def _wrong_answer(card: ModelCard, expected: str, found: str) -> OasisGanError:
    remedy = "fix the model, or its plugin"
    return OasisGanError(f"model {card.name}", expected=expected, found=found, remedy=remedy)
