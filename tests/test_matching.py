"""`--like` gives an output the contrast of a reference, and moves nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from oasis_gan import OASIS, Canvas, Geometry, ModelCard, OasisGanError, Plane, Volume, Window, translate
from oasis_gan.intensity import ANCHORS
from oasis_gan.matching import Like, tissues_by_intensity

SHAPE = (12, 14, 10)
GEOMETRY = Geometry(SHAPE, np.eye(4))
MEANS = np.array([0, 210.0, 470.0, 800.0])


class Painter:
    """A model that paints each tissue with its anchor."""

    def __init__(self, target: Window | None = None) -> None:
        own = target or Window((0, 10, 20, 30, 45), (0, *ANCHORS.values(), 1))
        self.card = ModelCard("p", "1", OASIS, own, "T1w", (Plane.AXIAL,), Canvas(1, 16, 1), "0" * 64)

    def translate(self, slices: NDArray[np.float32], wanted: NDArray[np.bool_]) -> NDArray[np.float32]:
        return slices @ np.array([[anchor] for anchor in ANCHORS.values()], np.float32)


def labels(seed: int = 0) -> NDArray[np.int32]:
    return np.random.default_rng(seed).integers(0, 4, SHAPE).astype(np.int32)


def reference(tissues: NDArray[np.int32], spread: float = 10) -> Volume:
    noise = np.random.default_rng(1).normal(0, spread, SHAPE)
    return Volume(((MEANS[tissues] + noise) * (tissues > 0)).astype(np.float32), GEOMETRY)


@pytest.mark.parametrize("labelled", [True, False])
def test_tissues_get_the_means_of_the_reference(labelled: bool) -> None:
    there, ours = labels(1), labels()
    like = Like.reference(
        Painter(), reference(there), Volume(there, GEOMETRY) if labelled else None, Path("reference.nii")
    )
    made = translate(Volume(ours, GEOMETRY), like, (Plane.AXIAL,)).voxels
    for tissue in (1, 2, 3):
        assert made[ours == tissue].mean() == pytest.approx(MEANS[tissue], rel=0.02)
    assert not made[ours == 0].any()


def test_a_model_of_percentiles_takes_those_of_the_reference() -> None:
    scan = reference(labels(1))
    like = Like.reference(Painter(Window((0, 1), (0, 1))), scan, None, Path("reference.nii"))
    assert like.card.target == Window.robust(scan.voxels)


def test_tissues_are_told_by_intensity_alone() -> None:
    there = labels(2)
    told = tissues_by_intensity(reference(there, 40).voxels, OASIS)
    assert (told == there).mean() > 0.97


def test_labels_on_another_grid_are_refused() -> None:
    there = labels(1)
    moved = Volume(there, Geometry(SHAPE, np.diag([2.0, 1, 1, 1])))
    with pytest.raises(OasisGanError, match="same places"):
        Like.reference(Painter(), reference(there), moved, Path("reference.nii"))


def test_a_reference_of_another_contrast_is_refused() -> None:
    there = labels(1)
    scan = Volume((1000 - reference(there).voxels) * (there > 0), GEOMETRY)
    with pytest.raises(OasisGanError, match="rising from CSF to GM to WM"):
        Like.reference(Painter(), scan, Volume(there, GEOMETRY), Path("reference.nii"))


def test_more_planes_give_the_mean_of_each() -> None:
    class Uneven(Painter):
        def translate(self, slices: NDArray[np.float32], wanted: NDArray[np.bool_]) -> NDArray[np.float32]:
            ramp = np.linspace(0.2, 0.8, slices.shape[1], dtype=np.float32)[:, np.newaxis, np.newaxis]
            return np.ones((*slices.shape[:3], 1), np.float32) * ramp

    volume, planes = Volume(labels(), GEOMETRY), tuple(Plane)
    model = Uneven(Window((0, 1), (0, 1)))
    parts = [translate(volume, model, (plane,)).voxels for plane in planes]
    assert not np.allclose(parts[0], parts[2])
    np.testing.assert_allclose(translate(volume, model, planes).voxels, np.mean(parts, axis=0), atol=1e-6)
