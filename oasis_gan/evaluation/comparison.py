"""Compare two volumes: where, in which regions, and in which range of intensities.

Outside the mask both count as 0, so that a skull or noise around the head has no part in any
figure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..image.choices import Plane
from ..image.intensity import ANCHORS, Window
from ..image.label_sets import OASIS
from ..image.labels import Label, LabelSet
from ..image.volume import Geometry, Mask, Voxels
from .errors import ContrastsDifferError

TOTAL = "total"
"""The region that is the whole mask."""
RANGE_PERCENTILES = (0.5, 99.5)
"""Of the real scan in the mask: where the range of raw intensities begins and ends."""
_MARGIN = 3  # voxels around the mask, as far as a window of 7 reaches

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
        axes: By plane, the axis of the arrays across its slices.
        box: Where in the volumes the arrays were cut out.
        shape: Of the volumes.
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


def plane_axes(geometry: Geometry) -> dict[Plane, int]:
    """Return by plane the voxel axis that runs across its slices, the nearest of an oblique volume."""
    letters = geometry.orientation
    pairs = {Plane.SAGITTAL: "LR", Plane.CORONAL: "PA", Plane.AXIAL: "IS"}
    return {
        plane: next(axis for axis, letter in enumerate(letters) if letter in pair)
        for plane, pair in pairs.items()
    }


def regions_of(tissues: Voxels) -> dict[str, Mask]:
    """Return the mask of a map of tissues, and each tissue that it holds.

    Args:
        tissues: Values of `OASIS`.
    """
    found: dict[str, Mask] = {TOTAL: np.asarray(tissues != 0)}
    for label in OASIS.labels:
        mask = np.asarray(tissues == label.value)
        if mask.any():
            found[label.name] = mask
    return found


def compare_raw(
    real: Voxels, output: Voxels, regions: Regions, axes: Mapping[Plane, int]
) -> Comparison:
    """Compare intensities as they are stored, in the range of the real scan."""
    inside = real[regions[TOTAL]]
    low, high = (float(value) for value in np.percentile(inside, RANGE_PERCENTILES))
    return _comparison(real, output, regions, (low, high), axes)


def compare_matched(
    real: Voxels, output: Voxels, tissues: Voxels, regions: Regions, axes: Mapping[Plane, int]
) -> Comparison:
    """Compare anatomy instead of contrast: both volumes with the means of their tissues in the same places.

    Each volume is mapped piecewise-linearly: 0 to 0, the mean of its darkest tissue to .30, of the
    next to .55, of the brightest to .75, and 1.5 times the brightest mean to 1.

    Raises:
        OasisGanError: If a tissue is missing, or the tissues of the two come in different orders of
            brightness.
    """
    means = [_tissue_means(voxels, tissues) for voxels in (real, output)]
    order = _common_order(*means)
    matched_real = _matched(real, tissues, order)
    matched_output = _matched(output, tissues, order)
    return _comparison(matched_real, matched_output, regions, (0.0, 1.0), axes)


def _tissue_means(voxels: Voxels, tissues: Voxels) -> list[float]:
    samples = [(label.name, voxels[tissues == label.value]) for label in OASIS.labels]
    missing = [name for name, sample in samples if not sample.size]
    if missing:
        raise ContrastsDifferError(f"no {' and no '.join(missing)} in the label map")
    return [float(sample.mean(dtype=np.float64)) for _, sample in samples]


def _common_order(real: list[float], output: list[float]) -> list[int]:
    """Return the tissues from the darkest to the brightest, as indices."""
    order = np.argsort(real)
    for which, means in (("the real scan", real), ("the output", output)):
        # Written so that NaN is refused too.
        if not (np.diff(np.array(means)[order]) > 0).all():
            shown = ", ".join(
                f"{label.name} {mean:.4g}" for label, mean in zip(OASIS.labels, means, strict=True)
            )
            raise ContrastsDifferError(f"means of {shown} in {which}")
    return [int(index) for index in order]


def _matched(voxels: Voxels, tissues: Voxels, order: list[int]) -> Voxels:
    # By brightness: what the darkest tissue is called does not matter here.
    values = [OASIS.labels[index].value for index in order]
    ranked = LabelSet(name="by brightness", labels=tuple(map(Label, values, ANCHORS)))
    window = Window.from_tissues(voxels, tissues, ranked)
    return np.interp(voxels, window.values, window.anchors)


def _comparison(
    real: Voxels, output: Voxels, regions: Regions, bounds: Bounds, axes: Mapping[Plane, int]
) -> Comparison:
    """Return the volumes around the mask, 0 outside it, and the regions there."""
    mask = regions[TOTAL]
    box = box_around(mask, _MARGIN)
    with np.errstate(over="ignore"):
        images = [
            np.where(mask[box], voxels[box], 0).astype(np.float32) for voxels in (real, output)
        ]
    cropped = {name: region[box] for name, region in regions.items()}
    return Comparison(images[0], images[1], cropped, bounds, axes, box, mask.shape)


def box_around(mask: Mask, margin: int = 0) -> Box:
    """Return the smallest box with a mask in it, wider by a margin on all sides."""
    box = []
    for others in ((1, 2), (0, 2), (0, 1)):
        occupied = np.flatnonzero(mask.any(axis=others))
        start = max(0, int(occupied[0]) - margin)
        box.append(slice(start, int(occupied[-1]) + margin + 1))
    return tuple(box)
