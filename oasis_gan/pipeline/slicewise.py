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

from ..image.canvas import Canvas, CanvasTransform
from ..image.choices import Plane
from ..image.encoding import FittedEncoding
from ..image.label_sides import is_mirror_symmetric
from ..image.picture_planes import choose_picture_planes
from ..image.slicing import SliceStack, cut, join
from ..image.volume import Channels, CleanVolume, Mask, Volume, Voxels
from ..plugin.models import (
    UNCERTAINTY,
    VOLUME,
    Computation,
    ModelCard,
    Progress,
    Translation,
    ignore_progress,
)
from ..plugin.options import Option
from .errors import NoUncertaintyError, UnknownPlaneError, UnusableCanvasError, WrongAnswerError
from .passes import Pass, plan_passes
from .spread import Spread

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
        help=f"Slice in this plane: all averages every plane, {automatic}.",
        default=AUTO_PLANE,
        choices=(AUTO_PLANE, *names, ALL_PLANES),
    )


def uncertainty_option() -> Option:
    """Return the option by which a user asks a model of slices for a map of its uncertainty."""
    return Option(
        name=UNCERTAINTY,
        help="Also write the standard deviation of the answers in different planes, mirrored and with other noise.",
        default=False,
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
        uncertainty: Whether to return a map of the standard deviation of the model's answers too; see `plan_passes`
            for what these are.
        uncertainty_scale: The factor by which that deviation is multiplied: what a calibration says.
        redraw: The same model with another draw of its noise or dropout, if it has any.

    Raises:
        OasisGanError: If the canvas does not fit into memory, the plane is none of the planes, or the model has only
            one answer and is asked for its uncertainty.
    """

    card: ModelCard
    predict: Predict
    planes: tuple[Plane, ...]
    canvas: Canvas
    plane: str = AUTO_PLANE
    context: int = 0
    finish: Finish | None = None
    computation: Computation | None = None
    uncertainty: bool = False
    uncertainty_scale: float = 1.0
    redraw: Predict | None = None

    def __post_init__(self) -> None:
        _require_usable_canvas(self.canvas, self.card)
        if self.uncertainty:
            self._require_several_answers(self.planes, f"model {self.card.name}")
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
        passes = self._plan_passes(first, planes)
        support = self.card.source.support(first.voxels)
        inside = {name: volume.voxels[support] for name, volume in sources.items()}
        encodings = [self.card.sources[name].fit(volume.voxels) for name, volume in sources.items()]
        channels = np.zeros((*first.geometry.shape, self.card.target.channels), np.float32)
        spread = Spread()
        for index, one in enumerate(passes):
            part = partial(_report_part, progress, index, len(passes))
            answer = self._answer(one, sources, encodings, support, part)
            if one.in_result:
                channels += answer
            if self.uncertainty:
                spread.add(self._decode(answer[support], inside), one.weight)
        mean = channels[support] / np.float32(len(planes))
        decoded = self._decode(mean, inside)
        notes = (*first.notes, note) if note else first.notes
        volume = Volume(_fill(support, decoded), first.geometry, notes)
        details: dict[str, object] = {"planes": [plane.value for plane in planes]}
        maps = {}
        if self.uncertainty:
            maps[UNCERTAINTY] = self._make_map(spread, support, first)
            details[UNCERTAINTY] = self._describe_uncertainty(passes)
        return Translation(volume=volume, maps=maps, details=details)

    def _make_map(self, spread: Spread, support: Mask, first: CleanVolume) -> Volume:
        """Return the calibrated standard deviation of the answers, in the places of the voxels."""
        deviation = spread.deviation() * np.float32(self.uncertainty_scale)
        return Volume(_fill(support, deviation), first.geometry)

    def _decode(self, channels: Channels, inside: Mapping[str, Voxels]) -> Voxels:
        """Return the values of what the model made of the voxels inside the support."""
        if self.finish is not None:
            channels = self.finish(channels, inside)
        return self.card.target.decode(channels)

    def _plan_passes(self, first: CleanVolume, planes: Sequence[Plane]) -> list[Pass]:
        """Return the passes over a volume, the first of them those that make the result."""
        if not self.uncertainty:
            return [Pass(plane) for plane in planes]
        offered, _ = choose_picture_planes(
            first.geometry, self.planes, self.planes, VOLUME, requested=True
        )
        # A thin volume may be a picture in one plane only.
        self._require_several_answers(tuple(dict.fromkeys((*planes, *offered))), VOLUME)
        return plan_passes(
            planes,
            offered,
            can_mirror=self._can_mirror,
            can_redraw=self.redraw is not None,
            context=self.context,
        )

    @property
    def _can_mirror(self) -> bool:
        """Whether a head and its mirror image are equally good sources."""
        return all(is_mirror_symmetric(encoding) for encoding in self.card.sources.values())

    def _require_several_answers(self, planes: Sequence[Plane], where: object) -> None:
        """Raise `NoUncertaintyError` if there is nothing from which the uncertainty could be computed."""
        if self.card.target.content == "labels":
            expected = "a model that makes images for its uncertainty"
            raise NoUncertaintyError(where, expected, "one that makes labels")
        passes = plan_passes(
            planes[:1],
            planes,
            can_mirror=self._can_mirror,
            can_redraw=self.redraw is not None,
            context=self.context,
        )
        if len(passes) == 1:
            expected = "several planes, labels without sides, or noise for the uncertainty"
            raise NoUncertaintyError(where, expected, f"only the {planes[0]} plane")

    def _describe_uncertainty(self, passes: Sequence[Pass]) -> dict[str, object]:
        """Return what the map of the uncertainty was computed from, for the file beside the output."""
        return {
            "measure": "standard deviation",
            "passes": [one.describe() for one in passes],
            "scale": self.uncertainty_scale,
        }

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

    def _answer(
        self,
        one: Pass,
        sources: Mapping[str, CleanVolume],
        encodings: Sequence[FittedEncoding],
        support: Mask,
        progress: Progress,
    ) -> Channels:
        """Return the answers of one pass in their places: (I, J, K, target channels)."""
        geometry = next(iter(sources.values())).geometry
        stacks = [
            one.turn(cut(volume.voxels, volume.geometry, one.plane)) for volume in sources.values()
        ]
        mask = one.turn(cut(support, geometry, one.plane))
        predict = self.redraw if one.redrawn and self.redraw is not None else self.predict
        answers = self._predict_stack(stacks, encodings, mask, predict, progress)
        return join(one.turn(mask.with_slices(answers)))

    def _predict_stack(
        self,
        stacks: Sequence[SliceStack],
        encodings: Sequence[FittedEncoding],
        mask: SliceStack,
        predict: Predict,
        progress: Progress,
    ) -> Channels:
        """Return the answers for all slices of a plane: (slices, rows, columns, channels)."""
        support = mask.slices
        transform = CanvasTransform.from_support(support, mask.spacing, self.canvas, VOLUME)
        occupied = np.flatnonzero(support.any(axis=(1, 2)))
        answers = np.zeros((*support.shape, self.card.target.channels), np.float32)
        for start in range(0, len(occupied), BATCH):
            batch = occupied[start : start + BATCH]
            encoded = self._encode(stacks, encodings, batch)
            answers[batch] = self._predict_on_canvas(predict, encoded, support[batch], transform)
            predicted = start + len(batch)
            progress(predicted / len(occupied))
        return answers

    def _predict_on_canvas(
        self, predict: Predict, encoded: Channels, support: Mask, transform: CanvasTransform
    ) -> Channels:
        """Fit a batch of slices to the canvas, and return the answers on their own grid."""
        mask = transform.mask_on_canvas(support)
        predicted = self._predict(predict, transform.apply(encoded), mask)
        # Pixels outside the mask must not reach the result, not even as extremes to clip to.
        masked = np.where(mask[..., np.newaxis], predicted, 0)
        return transform.apply_inverse(masked)

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

    def _predict(self, predict: Predict, encoded: Channels, mask: Mask) -> Channels:
        """Return the answer of the model, and check its shape and its datatype.

        Raises:
            WrongAnswerError: If they are wrong. NumPy would silently spread a single number over a
                whole slice.
        """
        answer = np.asarray(predict(encoded, mask))
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
    uncertainty: bool = False,
    uncertainty_scale: float = 1.0,
    redraw: Predict | None = None,
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
        uncertainty=uncertainty,
        uncertainty_scale=uncertainty_scale,
        redraw=redraw,
    )


def _encode_slices(stack: SliceStack, encoding: FittedEncoding, indices: Indices) -> Channels:
    """Return the channels of some slices of a stack; those beyond its ends are background."""
    inside = (indices >= 0) & (indices < len(stack.slices))
    nearest = np.clip(indices, 0, len(stack.slices) - 1)
    encoded = encoding.encode(stack.slices[nearest])
    if inside.all():
        return encoded
    return np.where(inside[:, np.newaxis, np.newaxis, np.newaxis], encoded, 0)


def _fill(support: Mask, values: Voxels) -> Voxels:
    """Return the voxels of a volume that is 0 outside the support."""
    voxels = np.zeros(support.shape, np.float32)
    voxels[support] = values
    return voxels


def _report_part(progress: Progress, index: int, passes: int, fraction: float) -> None:
    """Report how far a pass is, as a part of all passes."""
    progress((index + fraction) / passes)


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
