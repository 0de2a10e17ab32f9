"""A model of slices becomes a translator of volumes, with planes, context, sources and a mask."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from oasis_gan import (
    OASIS,
    Canvas,
    Channels,
    CleanVolume,
    Encoding,
    Geometry,
    Mask,
    ModelCard,
    OasisGanError,
    Plane,
    Voxels,
    Window,
    slicewise,
)
from oasis_gan.image.volume import Content

SHAPE = (6, 7, 5)
CANVAS = Canvas(1.0, size=1, multiple=1)
UNIT = Window((0, 1), (0, 1))
GREYS = np.array([[0.30], [0.55], [0.75]], np.float32)


def card(**sources: Encoding) -> ModelCard:
    return ModelCard(
        name="m", version="1", sources=sources or {"labels": OASIS}, target=UNIT, output="T1w"
    )


def volume(voxels: NDArray[np.generic], content: Content = "image") -> CleanVolume:
    return CleanVolume(voxels, Geometry(voxels.shape, np.eye(4)), content=content)


def labels(seed: int = 0) -> CleanVolume:
    return volume(np.random.default_rng(seed).integers(0, 4, SHAPE).astype(np.int32), "labels")


def image(seed: int) -> CleanVolume:
    return volume(np.random.default_rng(seed).uniform(0.1, 1, SHAPE).astype(np.float32))


def paint(slices: Channels, mask: Mask) -> Channels:
    return np.asarray(slices @ GREYS)


@pytest.mark.parametrize("plane", ["auto", "axial", "coronal", "sagittal", "all"])
def test_each_voxel_is_painted_in_any_plane(plane: str) -> None:
    source = labels()
    model = slicewise(paint, card(), planes=list(Plane), canvas=CANVAS, plane=plane)
    expected = np.array([0, 0.30, 0.55, 0.75], np.float32)[source.voxels]
    np.testing.assert_allclose(
        model.translate({"labels": source}).volume.voxels, expected, atol=1e-6
    )


def slope(slices: Channels, mask: Mask) -> Channels:
    """Answer with a ramp along the rows, another one in each plane."""
    ramp = np.linspace(0.2, 0.8, slices.shape[1], dtype=np.float32)[:, np.newaxis, np.newaxis]
    return np.ones((*slices.shape[:3], 1), np.float32) * ramp


def test_all_planes_give_the_mean_of_each() -> None:
    source = {"labels": labels()}

    def made(plane: str) -> Voxels:
        model = slicewise(slope, card(), planes=list(Plane), canvas=CANVAS, plane=plane)
        return model.translate(source).volume.voxels

    parts = [made(plane) for plane in Plane]
    assert not np.allclose(parts[0], parts[2])
    np.testing.assert_allclose(made("all"), np.mean(parts, axis=0), atol=1e-6)


def test_the_planes_that_were_used_are_on_record() -> None:
    model = slicewise(paint, card(), planes=[Plane.CORONAL, Plane.AXIAL], canvas=CANVAS)
    assert model.translate({"labels": labels()}).details == {"planes": ["coronal"]}


@pytest.mark.parametrize("plane", ["axail", "sagittal", ""])
def test_a_plane_that_the_model_was_not_trained_in_is_refused(plane: str) -> None:
    expected = r"^model m: expected plane: auto, coronal, axial or all, found "
    with pytest.raises(OasisGanError, match=expected):
        slicewise(paint, card(), planes=[Plane.CORONAL, Plane.AXIAL], canvas=CANVAS, plane=plane)


@pytest.mark.parametrize(
    "canvas", [Canvas(0.0, 8, 8), Canvas(1.0, 8, 0), Canvas(1.0, 10**9, 1), Canvas(np.nan, 8, 8)]
)
def test_a_canvas_that_no_machine_can_hold_is_refused(canvas: Canvas) -> None:
    with pytest.raises(OasisGanError, match=r"^model m: expected a canvas of up to 4096 pixels"):
        slicewise(paint, card(), planes=[Plane.AXIAL], canvas=canvas)


def test_background_of_the_first_source_is_exactly_0_whatever_the_model_says() -> None:
    source = labels()
    made = slicewise(
        lambda slices, mask: slices[..., :1] * 0 + 1, card(), planes=[Plane.AXIAL], canvas=CANVAS
    )
    voxels = made.translate({"labels": source}).volume.voxels
    assert np.array_equal(voxels, (source.voxels > 0).astype(np.float32))


def test_a_model_with_context_sees_the_slices_beside_and_background_beyond_the_ends() -> None:
    """One source, one channel: the channels are the slice before, the slice, and the one behind."""
    source = image(0)
    seen = []

    def predict(slices: Channels, mask: Mask) -> Channels:
        seen.append(slices)
        return slices[..., 1:2]

    model = slicewise(predict, card(t1=UNIT), planes=[Plane.AXIAL], canvas=CANVAS, context=1)
    made = model.translate({"t1": source}).volume
    np.testing.assert_allclose(made.voxels, source.voxels, atol=1e-6)
    shown = np.concatenate(seen)
    slices = np.moveaxis(source.voxels, 2, 0)
    beside = np.pad(slices, ((1, 1), (0, 0), (0, 0)))
    for channel in range(3):
        np.testing.assert_allclose(
            shown[..., channel], beside[channel : channel + len(slices)], atol=1e-6
        )


def test_the_mask_is_that_of_the_slice_itself_not_of_its_neighbours() -> None:
    voxels = np.zeros(SHAPE, np.float32)
    voxels[1:5, 1:5, 1:4] = 0.5
    voxels[2, 2, 2] = 0
    masks = []

    def predict(slices: Channels, mask: Mask) -> Channels:
        masks.append(mask)
        return slices[..., 1:2]

    slicewise(predict, card(t1=UNIT), planes=[Plane.AXIAL], canvas=CANVAS, context=1).translate(
        {"t1": volume(voxels)}
    )
    assert int(np.concatenate(masks).sum()) == int((voxels != 0).sum())


def test_several_sources_are_channels_in_the_order_of_the_card() -> None:
    sources = {"t1": image(1), "t2": image(2)}

    def predict(slices: Channels, mask: Mask) -> Channels:
        return slices[..., 1:2]

    model = slicewise(predict, card(t1=UNIT, t2=UNIT), planes=[Plane.CORONAL], canvas=CANVAS)
    np.testing.assert_allclose(
        model.translate(sources).volume.voxels, sources["t2"].voxels, atol=1e-6
    )


def test_the_last_step_sees_the_whole_volume_inside_the_mask() -> None:
    source = labels()

    def brighten(made: Channels, sources: Mapping[str, Voxels]) -> Channels:
        assert len(made) == (source.voxels > 0).sum() == len(sources["labels"])
        return made + 0.1

    model = slicewise(paint, card(), planes=[Plane.AXIAL], canvas=CANVAS, finish=brighten)
    expected = np.array([0, 0.40, 0.65, 0.85], np.float32)[source.voxels]
    np.testing.assert_allclose(
        model.translate({"labels": source}).volume.voxels, expected, atol=1e-6
    )


def test_another_target_changes_what_the_answers_mean() -> None:
    model = slicewise(paint, card(), planes=[Plane.AXIAL], canvas=CANVAS).with_target(
        Window((0, 200), (0, 1))
    )
    expected = np.array([0, 60, 110, 150], np.float32)[labels().voxels]
    np.testing.assert_allclose(
        model.translate({"labels": labels()}).volume.voxels, expected, atol=1e-3
    )


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (lambda slices, mask: np.zeros((len(slices), 1, 1, 1)), "(5, 1, 1, 1)"),
        (lambda slices, mask: slices, "(5, 6, 7, 3)"),
        (lambda slices, mask: slices[..., :1].astype(complex), "complex"),
    ],
)
def test_an_answer_of_another_shape_or_type_names_the_model(answer: object, found: str) -> None:
    model = slicewise(answer, card(), planes=[Plane.AXIAL], canvas=CANVAS)  # type: ignore[arg-type]
    full = volume(np.ones(SHAPE, np.int32))
    with pytest.raises(OasisGanError, match="model m: expected an answer") as error:
        model.translate({"labels": full})
    assert found in str(error.value)
