"""Compare two volumes: where, in which regions, and in which range of intensities.

Outside the mask both count as 0, so that a skull or noise around the head has no part in any
figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..image.choices import Plane
from ..image.intensity import ANCHORS, Window
from ..image.label_sets import OASIS
from ..image.labels import Label, LabelSet
from ..image.volume import Geometry, Mask, Voxels
from .errors import TissueMissingError, TissueOrderError
from .steps import StepPair, add_up_steps

TOTAL = "total"
"""The region that is the whole mask."""
RANGE_PERCENTILES = (0.5, 99.5)
"""Of the real scan in the mask: where the range of raw intensities begins and ends."""
_MARGIN = 3  # voxels around the mask, as far as a window of 7 reaches

# By plane, the letters of the voxel axis that runs across its slices.
_DIRECTIONS = {
    Plane.SAGITTAL: "LR",
    Plane.CORONAL: "PA",
    Plane.AXIAL: "IS",
}

Image = NDArray[np.float32]
Regions = Mapping[str, Mask]
Bounds = tuple[float, float]
Box = tuple[slice, ...]


@dataclass(frozen=True, eq=False)
class Comparison:
    """A real scan and an output that lie on one grid.

    Args:
        real: Intensities of the real scan, 0 outside the mask.
        output: Those of the output, likewise.
        regions: The mask as `TOTAL`, and the tissues within it by name.
        bounds: The range of intensities; both ends are equal where the real scan is constant.
        axes: The axis of the arrays that runs across the slices, by plane.
        box: Where in the volumes the arrays were cut out.
        shape: The shape of the whole volumes.
    """

    real: Image
    output: Image
    regions: Regions
    bounds: Bounds
    axes: Mapping[Plane, int]
    box: Box
    shape: tuple[int, ...]

    @property
    def data_range(self) -> float:
        """Return the length of the range of intensities."""
        low, high = self.bounds
        return high - low

    @cached_property
    def steps(self) -> Mapping[str, StepPair]:
        """Return the steps between neighbouring voxels, by region."""
        return add_up_steps(self.real, self.output, self.regions)


def plane_axes(geometry: Geometry) -> dict[Plane, int]:
    """Return the voxel axis that runs across the slices of each plane."""
    axes = {}
    for plane, letters in _DIRECTIONS.items():
        for axis, letter in enumerate(geometry.orientation):
            if letter in letters:
                axes[plane] = axis
    return axes


def find_regions(tissues: Voxels) -> dict[str, Mask]:
    """Return the mask of a map of tissues, and each tissue that it holds.

    Args:
        tissues: Values of `OASIS`.
    """
    # The mask comes first: the rows of tables keep this order.
    found: dict[str, Mask] = {}
    found[TOTAL] = np.asarray(tissues != 0)
    for label in OASIS.labels:
        mask = np.asarray(tissues == label.value)
        if mask.any():
            found[label.name] = mask
    return found


def compare_raw(
    real: Voxels,
    output: Voxels,
    regions: Regions,
    axes: Mapping[Plane, int],
) -> Comparison:
    """Compare intensities as they are stored, in the range of the real scan."""
    inside = real[regions[TOTAL]]
    low, high = np.percentile(inside, RANGE_PERCENTILES).tolist()
    return _make_comparison(real, output, regions, (low, high), axes)


def compare_matched(
    real: Voxels,
    output: Voxels,
    tissues: Voxels,
    regions: Regions,
    axes: Mapping[Plane, int],
) -> Comparison:
    """Compare anatomy instead of contrast: in both volumes the means of the tissues become equal.

    Each volume is mapped piecewise-linearly: 0 to 0, the mean of its darkest tissue to .30, of the
    next to .55, of the brightest to .75, and 1.5 times the brightest mean to 1.

    Raises:
        OasisGanError: If a tissue is missing, or the tissues of the two come in different orders of
            brightness.
    """
    real_means = _measure_tissues(real, tissues)
    output_means = _measure_tissues(output, tissues)
    order = sorted(real_means, key=lambda name: real_means[name])
    _require_order("the real scan", real_means, order)
    _require_order("the output", output_means, order)
    matched_real = _match(real, tissues, order)
    matched_output = _match(output, tissues, order)
    return _make_comparison(matched_real, matched_output, regions, (0.0, 1.0), axes)


def _measure_tissues(voxels: Voxels, tissues: Voxels) -> dict[str, float]:
    """Return the mean intensity of each tissue by its name."""
    means = {}
    for label in OASIS.labels:
        sample = voxels[tissues == label.value]
        if sample.size:
            mean = sample.mean(dtype=np.float64)
            means[label.name] = float(mean)
    names = [label.name for label in OASIS.labels]
    missing = [name for name in names if name not in means]
    if missing:
        raise TissueMissingError(missing)
    return means


def _require_order(
    which: str,
    means: Mapping[str, float],
    order: Sequence[str],
) -> None:
    """Raise `TissueOrderError` unless the means of tissues increase in an order."""
    ordered = [means[name] for name in order]
    # Written so that NaN is refused too.
    if not (np.diff(ordered) > 0).all():
        raise TissueOrderError(which, means)


def _match(
    voxels: Voxels,
    tissues: Voxels,
    order: Sequence[str],
) -> Voxels:
    """Return a volume with the means of its tissues in the places of `ANCHORS`, by brightness.

    Where there is no tissue it is 0.
    """
    values = {label.name: label.value for label in OASIS.labels}
    # The darkest tissue takes the name of the first anchor, whatever it is.
    labels = []
    for name, anchor in zip(order, ANCHORS, strict=True):
        labels.append(Label(values[name], anchor))
    ranked = LabelSet(name="by brightness", labels=tuple(labels))
    window = Window.from_tissues(voxels, tissues, ranked)
    inside = tissues != 0
    matched = np.zeros(voxels.shape)
    matched[inside] = np.interp(voxels[inside], window.values, window.anchors)
    return matched


def _make_comparison(
    real: Voxels,
    output: Voxels,
    regions: Regions,
    bounds: Bounds,
    axes: Mapping[Plane, int],
) -> Comparison:
    """Return the volumes around the mask, 0 outside it, and the regions there."""
    mask = regions[TOTAL]
    box = find_box(mask, _MARGIN)
    return Comparison(
        real=_crop(real, mask, box),
        output=_crop(output, mask, box),
        regions={name: region[box] for name, region in regions.items()},
        bounds=bounds,
        axes=axes,
        box=box,
        shape=mask.shape,
    )


def _crop(voxels: Voxels, mask: Mask, box: Box) -> Image:
    """Return the voxels in a box, 0 outside the mask."""
    inside = np.where(mask[box], voxels[box], 0)
    # What overflows becomes infinite, and every figure of it undefined.
    with np.errstate(over="ignore"):
        return inside.astype(np.float32)


def find_box(mask: Mask, margin: int = 0) -> Box:
    """Return the smallest box with a mask in it, wider by a margin on all sides."""
    sides = []
    for other_axes in ((1, 2), (0, 2), (0, 1)):
        indices = np.flatnonzero(mask.any(axis=other_axes))
        first = int(indices[0])
        last = int(indices[-1])
        # A slice may end beyond the array, but not begin before it.
        start = max(0, first - margin)
        sides.append(slice(start, last + margin + 1))
    return tuple(sides)
