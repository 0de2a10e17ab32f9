"""The option ``flip`` averages the answers of a model for a head and for its mirror image."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from oasis_gan import (
    FREESURFER,
    OASIS,
    UNCERTAINTY,
    Canvas,
    Channels,
    CleanVolume,
    Encoding,
    FittedEncoding,
    Geometry,
    Mask,
    ModelCard,
    OasisGanError,
    Plane,
    Translation,
    Window,
    slicewise,
)

SHAPE = (9, 11, 10)
HUNDRED = Window((0, 100), (0, 1))


def head(*axes: int) -> CleanVolume:
    """Return a head of noise, whose voxels run from left to right, or backwards along some axes."""
    voxels = np.random.default_rng(0).integers(1, 4, SHAPE).astype(np.int32)
    signs = np.ones(4)
    signs[list(axes)] = -1
    geometry = Geometry(SHAPE, np.diag(signs))
    return CleanVolume(np.flip(voxels, axes), geometry, content="labels")


def ramp(slices: Channels, mask: Mask) -> Channels:
    """Answer with a ramp along the rows: in axial slices it rises from left to right."""
    rising = np.linspace(0, 1, slices.shape[1], dtype=np.float32)[:, np.newaxis, np.newaxis]
    return np.ones((*slices.shape[:3], 1), np.float32) * rising


def uneven(slices: Channels, mask: Mask) -> Channels:
    """Answer with numbers that depend on the place in the slice and on the size of the slice."""
    numbers = np.random.default_rng(slices.shape[2]).random(slices.shape[1:3], np.float32)
    return np.broadcast_to(numbers[..., np.newaxis], (len(slices), *numbers.shape, 1)).copy()


def grey_by_plane(slices: Channels, mask: Mask) -> Channels:
    """Answer 0.2, 0.5 or 0.8, the same in all slices of a plane, which have a size of their own."""
    grey = {(9, 11): 0.2, (9, 10): 0.5, (11, 10): 0.8}[slices.shape[1:3]]
    return np.full((*slices.shape[:3], 1), grey, np.float32)


def translate(
    predict: Any,  # noqa: ANN401 - any of the above
    source: CleanVolume | None = None,
    encoding: Encoding = OASIS,
    target: FittedEncoding = HUNDRED,
    **options: Any,  # noqa: ANN401
) -> Translation:
    sources = {"labels": encoding}
    card = ModelCard(name="m", version="1", sources=sources, target=target, output="T1w")
    canvas = Canvas(1.0, size=1, multiple=1)
    model = slicewise(predict, card, planes=tuple(Plane), canvas=canvas, **options)
    return model.translate({"labels": head() if source is None else source})


@pytest.mark.parametrize("axes", [(), (0,), (0, 1), (2,)])
def test_a_ramp_from_left_to_right_and_its_mirror_image_are_level(axes: tuple[int, ...]) -> None:
    made = translate(ramp, head(*axes), flip=True)
    np.testing.assert_allclose(made.volume.voxels, np.full(SHAPE, 50), rtol=1e-5)


def test_without_it_the_answer_of_the_model_is_the_result_to_the_last_bit() -> None:
    made = translate(uneven)
    numbers = np.random.default_rng(SHAPE[1]).random(SHAPE[:2], np.float32)
    everywhere = np.repeat(numbers[..., np.newaxis], SHAPE[2], axis=2)
    assert np.array_equal(made.volume.voxels, HUNDRED.decode(everywhere[..., np.newaxis]))
    assert made.details == {"planes": ["axial"]}


def test_all_planes_keep_the_same_weight() -> None:
    """A mirrored sagittal stack has the same slices, so that plane is answered once."""
    made = translate(grey_by_plane, plane="all", flip=True)
    np.testing.assert_allclose(made.volume.voxels, np.full(SHAPE, 50), rtol=1e-5)
    assert made.details["mirrored"] == ["axial", "coronal"]


@pytest.mark.parametrize("plane", ["auto", "coronal", "sagittal", "all"])
def test_a_map_of_the_uncertainty_does_not_change_the_result(plane: str) -> None:
    certain = translate(uneven, plane=plane, flip=True)
    uncertain = translate(uneven, plane=plane, flip=True, uncertainty=True)
    assert np.array_equal(certain.volume.voxels, uncertain.volume.voxels)


def test_the_uncertainty_is_that_of_the_same_answers() -> None:
    once = translate(uneven, uncertainty=True)
    flipped = translate(uneven, flip=True, uncertainty=True)
    assert np.array_equal(once.maps[UNCERTAINTY].voxels, flipped.maps[UNCERTAINTY].voxels)
    assert once.details[UNCERTAINTY] == flipped.details[UNCERTAINTY]


@pytest.mark.parametrize(
    "encodings", [{"encoding": FREESURFER}, {"target": FREESURFER}], ids=["source", "target"]
)
def test_a_model_that_tells_left_from_right_is_refused_in_one_line(
    encodings: dict[str, Any],
) -> None:
    with pytest.raises(OasisGanError, match=r"^model m: .*without sides.*leave `flip` out") as e:
        translate(ramp, flip=True, **encodings)
    assert "\n" not in str(e.value)
