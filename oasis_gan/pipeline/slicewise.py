"""Make a translator of volumes from a model of slices.

It cuts a volume into slices, encodes them, fits them to the canvas, predicts, and goes all the way
back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ..image.canvas import Canvas, CanvasTransform
from ..image.choices import Plane
from ..image.encoding import FittedEncoding
from ..image.label_sides import is_mirror_symmetric
from ..image.picture_planes import choose_picture_planes
from ..image.slicing import SliceStack, cut, join
from ..image.volume import Channels, CleanVolume, Geometry, Mask, Voxels
from ..plugin.models import (
    UNCERTAINTY,
    VOLUME,
    Computation,
    ModelCard,
    Progress,
    Translation,
    ignore_progress,
)
from .errors import (
    NoMirrorImageError,
    NoUncertaintyError,
    UnknownPlaneError,
    UnusableCanvasError,
    WrongAnswerError,
)
from .fitted_sources import EncodedStack, FittedSources, Indices
from .passes import Pass, plan_passes
from .slice_options import ALL_PLANES, AUTO_PLANE, plane_option
from .spread import Spread

Predict = Callable[[Channels, Mask], Channels]
"""A model of slices.

It takes slices (n, rows, columns, source channels) in [0, 1] and a mask (n, rows, columns) of the
pixels whose answer is kept, and returns (n, rows, columns, target channels) in [0, 1]. The answer
for a slice must not depend on the other slices in the batch. Outside the mask, any finite number
will do.
"""
Finish = Callable[[Channels, Mapping[str, Voxels]], Channels]
"""A last step over the whole volume.

It takes the answer of the model for the voxels inside the mask, (voxels, target channels) in
[0, 1], and the values of the sources there, (voxels,) by name. It returns the channels to decode.
"""
BATCH = 8
"""Slices that are predicted at once: enough to keep the cores busy, few enough for the memory."""
_MIN_MM = 0.1
_MAX_MM = 100
_MAX_PIXELS = 4096  # rows or columns of a canvas
_NO_REAL_NUMBERS = "OcSUMm"  # kinds of NumPy: objects, complex numbers, text, dates


@dataclass(frozen=True)
class FurtherWeights:
    """A model of slices can have further weights, whose answers count as much as the first ones.

    Args:
        predict: The model with these weights.
        redraw: The same with another draw of its noise or dropout, if it has any.
    """

    predict: Predict
    redraw: Predict | None = None


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
        uncertainty: Whether to return a map of the standard deviation of the model's answers too;
            see `plan_passes` for what these are.
        uncertainty_scale: The factor by which that deviation is multiplied, from a calibration.
        redraw: The same model with another draw of its noise or dropout, if it has any.
        flip: Whether the result is the mean of the answers for the head and for its mirror image;
            see `plan_passes`.
        further_weights: The same model with other weights; the result is the mean of all answers.

    Raises:
        OasisGanError: If the canvas does not fit into memory, the plane is none of the planes, the
            model has only one answer and is asked for its uncertainty, or left and right matter to
            the model and the head should be mirrored.
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
    flip: bool = False
    further_weights: tuple[FurtherWeights, ...] = ()

    def __post_init__(self) -> None:
        _require_usable_canvas(self.canvas, self.card)
        if self.flip:
            self._require_no_sides()
        if self.uncertainty:
            where = f"model {self.card.name}"
            self._require_images(where)
            self._require_several_answers(self.planes, where)
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
        fitted = FittedSources.fit(self.card, sources)
        planes, note = self._choose_planes(fitted.grid)
        passes = self._plan_passes(planes, fitted.grid)
        values, spread = self._run_passes(passes, fitted, progress)
        notes = (*fitted.first.notes, note) if note else fitted.first.notes
        details: dict[str, object] = {"planes": [plane.value for plane in planes]}
        if self.flip:
            details["mirrored"] = [
                one.plane.value for one in passes if one.mirrored and one.share > 0
            ]
        maps = {}
        if self.uncertainty:
            deviation = spread.compute_deviation() * np.float32(self.uncertainty_scale)
            maps[UNCERTAINTY] = fitted.make_volume(deviation)
            details[UNCERTAINTY] = self._describe_uncertainty(passes)
        return Translation(
            volume=fitted.make_volume(values, notes),
            maps=maps,
            details=details,
        )

    def _choose_planes(self, grid: Geometry) -> tuple[tuple[Plane, ...], str]:
        """Return the planes to slice a volume in, and a note on them or an empty string."""
        if self.plane == ALL_PLANES:
            planes = self.planes
        elif self.plane == AUTO_PLANE:
            planes = self.planes[:1]
        else:
            planes = (Plane(self.plane),)
        requested = self.plane != AUTO_PLANE
        return choose_picture_planes(grid, planes, self.planes, VOLUME, requested=requested)

    def _plan_passes(self, planes: Sequence[Plane], grid: Geometry) -> list[Pass]:
        """Return the passes over a volume; those that make the result come first."""
        if not self.uncertainty:
            every_pass = self._plan_all_passes(planes, planes)
            return [one for one in every_pass if one.share > 0]
        every = self.planes
        pictures, _ = choose_picture_planes(grid, every, every, VOLUME, requested=True)
        offered = tuple(dict.fromkeys((*planes, *pictures)))
        # A thin volume may have large enough slices in one plane only.
        self._require_several_answers(offered, VOLUME)
        return self._plan_all_passes(planes, offered)

    def _plan_all_passes(self, planes: Sequence[Plane], offered: Sequence[Plane]) -> list[Pass]:
        """Return the passes for a result and its uncertainty; see `plan_passes`."""
        sources = self.card.sources.values()
        return plan_passes(
            planes,
            offered,
            can_mirror=all(is_mirror_symmetric(encoding) for encoding in sources),
            can_redraw=self.redraw is not None,
            context=self.context,
            flip=self.flip,
            weights=1 + len(self.further_weights),
        )

    def _require_no_sides(self) -> None:
        """Raise `NoMirrorImageError` if left and right mean different things to the model."""
        encodings = (*self.card.sources.values(), self.card.target)
        if not all(is_mirror_symmetric(encoding) for encoding in encodings):
            raise NoMirrorImageError(self.card.name)

    def _require_images(self, where: object) -> None:
        """Raise `NoUncertaintyError` if the answers are labels, which have no deviation."""
        if self.card.target.content == "labels":
            expected = "a model that makes images for its uncertainty"
            raise NoUncertaintyError(where, expected, "one that makes labels")

    def _require_several_answers(self, planes: Sequence[Plane], where: object) -> None:
        """Raise `NoUncertaintyError` if the model has only one answer for a volume."""
        passes = self._plan_all_passes(planes[:1], planes)
        if len(passes) == 1:
            expected = "several planes or weights, labels without sides, or noise"
            raise NoUncertaintyError(where, expected, f"only the {planes[0]} plane")

    def _describe_uncertainty(self, passes: Sequence[Pass]) -> dict[str, object]:
        """Return how the map of the uncertainty was computed, for its sidecar."""
        return {
            "measure": "standard deviation",
            "passes": [one.describe() for one in passes],
            "scale": self.uncertainty_scale,
        }

    def _run_passes(
        self, passes: Sequence[Pass], sources: FittedSources, progress: Progress
    ) -> tuple[Voxels, Spread]:
        """Return the result inside the mask, and the spread of the answers if it is needed."""
        total = np.zeros((*sources.grid.shape, self.card.target.channels), np.float32)
        spread = Spread()
        for index, one in enumerate(passes):
            part = partial(_report_part, progress, index, len(passes))
            answer = self._run_pass(one, sources, part)
            if one.share > 0:
                total += answer * np.float32(one.share)
            if self.uncertainty:
                # Decoded one by one, answers differ in the units of the target.
                values = self._decode(answer[sources.mask], sources)
                spread.add(values, one.weight)
        shares = sum(one.share for one in passes)
        mean = total[sources.mask] / np.float32(shares)
        return self._decode(mean, sources), spread

    def _decode(self, channels: Channels, sources: FittedSources) -> Voxels:
        """Return the intensities or labels of an answer inside the mask."""
        if self.finish is not None:
            channels = self.finish(channels, sources.values_inside)
        return self.card.target.decode(channels)

    def _run_pass(self, one: Pass, sources: FittedSources, progress: Progress) -> Channels:
        """Return the answers of one pass in their places: (I, J, K, target channels)."""
        stacks = sources.cut(one)
        mask = one.turn(cut(sources.mask, sources.grid, one.plane))
        weights = (FurtherWeights(self.predict, self.redraw), *self.further_weights)
        chosen = weights[one.weights]
        redraw = chosen.redraw if one.redrawn else None
        predict = chosen.predict if redraw is None else redraw
        answers = self._predict_stack(predict, stacks, mask, progress)
        return join(one.turn(mask.with_slices(answers)))

    def _predict_stack(
        self,
        predict: Predict,
        stacks: Sequence[EncodedStack],
        mask: SliceStack,
        progress: Progress,
    ) -> Channels:
        """Return the answers for all slices of a plane: (slices, rows, columns, channels)."""
        pixels = mask.slices
        transform = CanvasTransform.from_mask(pixels, mask.spacing, self.canvas, VOLUME)
        filled = np.flatnonzero(pixels.any(axis=(1, 2)))
        answers = np.zeros((*pixels.shape, self.card.target.channels), np.float32)
        for start in range(0, len(filled), BATCH):
            batch = filled[start : start + BATCH]
            encoded = self._encode(stacks, batch)
            answers[batch] = self._predict_on_canvas(predict, encoded, pixels[batch], transform)
            predicted = start + len(batch)
            progress(predicted / len(filled))
        return answers

    def _encode(self, stacks: Sequence[EncodedStack], batch: Indices) -> Channels:
        """Return the channels of slices and of their neighbours: (n, rows, columns, channels)."""
        shown = []
        for offset in range(-self.context, self.context + 1):
            shown += [stack.encode(batch + offset) for stack in stacks]
        # Most models see one slice of one source, which need not be copied.
        return shown[0] if len(shown) == 1 else np.concatenate(shown, axis=-1)

    def _predict_on_canvas(
        self, predict: Predict, encoded: Channels, mask: Mask, transform: CanvasTransform
    ) -> Channels:
        """Fit a batch of slices to the canvas, and return the answers on their own grid."""
        needed = transform.mask_on_canvas(mask)
        predicted = self._predict(predict, transform.apply(encoded), needed)
        # Pixels outside the mask must not reach the result, not even as extremes to clip to.
        masked = np.where(needed[..., np.newaxis], predicted, 0)
        return transform.apply_inverse(masked)

    def _predict(self, predict: Predict, encoded: Channels, mask: Mask) -> Channels:
        """Return the answer of the model, and check its shape and its datatype.

        Raises:
            WrongAnswerError: If they are wrong. NumPy would silently spread a single number over a
                whole slice.
        """
        answer = np.asarray(predict(encoded, mask))
        shape = (*encoded.shape[:3], self.card.target.channels)
        name = self.card.name
        if answer.shape != shape:
            raise WrongAnswerError(name, f"an answer of shape {shape}", str(answer.shape))
        if answer.dtype.kind in _NO_REAL_NUMBERS:
            raise WrongAnswerError(name, "an answer in real numbers", str(answer.dtype))
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
    flip: bool = False,
    further_weights: Sequence[FurtherWeights] = (),
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
        flip=flip,
        further_weights=tuple(further_weights),
    )


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
