"""The map of the uncertainty is the standard deviation of a model's answers in several passes."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from kit.painting import GREYS
from nibabel import orientations

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
    SlicewiseTranslator,
    Voxels,
    Window,
    slicewise,
)
from oasis_gan.pipeline.reference_contrast import apply_contrast
from oasis_gan.pipeline.slicewise import Predict
from oasis_gan.pipeline.spread import Spread

SHAPE = (9, 11, 10)
HUNDRED = Window((0, 100), (0, 1))


def labels() -> CleanVolume:
    voxels = np.random.default_rng(0).integers(1, 4, SHAPE).astype(np.int32)
    voxels[0] = 0
    return CleanVolume(voxels, Geometry(SHAPE, np.eye(4)), content="labels")


def model(
    predict: Predict,
    *,
    planes: tuple[Plane, ...] = tuple(Plane),
    plane: str = "auto",
    source: Encoding = OASIS,
    target: FittedEncoding = HUNDRED,
    uncertainty: bool = True,
    redraw: Predict | None = None,
    scale: float = 1.0,
) -> SlicewiseTranslator:
    card = ModelCard(name="m", version="1", sources={"labels": source}, target=target, output="T1w")
    return slicewise(
        predict,
        card,
        planes=planes,
        canvas=Canvas(1.0, size=1, multiple=1),
        plane=plane,
        uncertainty=uncertainty,
        uncertainty_scale=scale,
        redraw=redraw,
    )


def deviation(translator: SlicewiseTranslator, source: CleanVolume | None = None) -> Voxels:
    source = labels() if source is None else source
    return translator.translate({"labels": source}).maps[UNCERTAINTY].voxels


def paint(slices: Channels, mask: Mask) -> Channels:
    return np.asarray(slices @ GREYS)


def constant(grey: float) -> Predict:
    return lambda slices, mask: np.full((*slices.shape[:3], 1), grey, np.float32)


def grey_by_plane(slices: Channels, mask: Mask) -> Channels:
    """Answer 0.2 in axial slices, which have 11 columns, and 0.6 in coronal ones, which have 10."""
    grey = 0.2 if slices.shape[2] == 11 else 0.6
    return np.full((*slices.shape[:3], 1), grey, np.float32)


def ramp(slices: Channels, mask: Mask) -> Channels:
    """Answer with a ramp along the rows: in axial slices it rises from left to right."""
    rising = np.linspace(0, 1, slices.shape[1], dtype=np.float32)[:, np.newaxis, np.newaxis]
    return np.ones((*slices.shape[:3], 1), np.float32) * rising


def test_a_model_that_answers_alike_in_every_way_has_a_map_of_zeros() -> None:
    assert np.array_equal(deviation(model(paint)), np.zeros(SHAPE))


def test_planes_that_differ_by_a_known_amount_have_that_deviation() -> None:
    """20 in one plane, 60 in the other: each is 20 from their mean, in the units of the target."""
    source = labels()
    found = deviation(model(grey_by_plane, planes=(Plane.AXIAL, Plane.CORONAL)), source)
    np.testing.assert_allclose(found, np.where(source.voxels > 0, 20, 0), rtol=1e-5)


def test_noise_that_differs_by_a_known_amount_has_that_deviation() -> None:
    source = labels()
    noisy = model(constant(0.5), planes=(Plane.SAGITTAL,), redraw=constant(0.3))
    found = deviation(noisy, source)
    np.testing.assert_allclose(found, np.where(source.voxels > 0, 10, 0), rtol=1e-5)


@pytest.mark.parametrize("codes", ["RAS", "LPI", "ASL", "SRP"])
def test_left_and_right_are_exchanged_in_the_world_whatever_the_order_of_voxels(codes: str) -> None:
    """A ramp of 100 from left to right, and its mirror image: they agree in the middle."""
    image = nib.Nifti1Image(np.ones(SHAPE, np.uint8), np.eye(4))
    to = orientations.axcodes2ornt(codes)
    turned = image.as_reoriented(orientations.ornt_transform(orientations.axcodes2ornt("RAS"), to))
    voxels = np.asarray(turned.dataobj, np.int32)
    source = CleanVolume(voxels, Geometry(voxels.shape, turned.affine), content="labels")
    found = deviation(model(ramp, planes=(Plane.AXIAL,)), source)
    back = orientations.ornt_transform(to, orientations.axcodes2ornt("RAS"))
    upright = orientations.apply_orientation(found, back)
    expected = np.abs(np.linspace(0, 100, SHAPE[0]) - 50)
    spread = np.broadcast_to(expected[:, np.newaxis, np.newaxis], SHAPE)
    np.testing.assert_allclose(upright, spread, atol=1e-4)


@pytest.mark.parametrize("plane", ["auto", "axial", "all"])
def test_the_volume_is_the_same_to_the_last_bit_with_and_without_a_map(plane: str) -> None:
    source = {"labels": labels()}
    certain = model(ramp, plane=plane, uncertainty=False).translate(source)
    uncertain = model(ramp, plane=plane).translate(source)
    assert np.array_equal(certain.volume.voxels, uncertain.volume.voxels)
    assert not certain.maps
    assert certain.details == {"planes": uncertain.details["planes"]}


def test_the_passes_are_recorded() -> None:
    translation = model(paint, redraw=paint, scale=2.5).translate({"labels": labels()})
    assert translation.details["uncertainty"] == {
        "measure": "standard deviation",
        "passes": [
            "axial",
            "coronal",
            "sagittal",
            "axial, mirrored, other noise",
            "coronal, mirrored, other noise",
            "sagittal, other noise",
        ],
        "scale": 2.5,
    }


def test_a_calibration_multiplies_the_deviation() -> None:
    once = deviation(model(ramp))
    np.testing.assert_allclose(deviation(model(ramp, scale=3)), 3 * once, rtol=1e-6)


def test_labels_that_tell_left_from_right_are_not_mirrored() -> None:
    voxels = np.full(SHAPE, 17, np.int32)
    source = CleanVolume(voxels, Geometry(SHAPE, np.eye(4)), content="labels")
    answered = model(constant(0.5), source=FREESURFER).translate({"labels": source})
    details = answered.details["uncertainty"]
    assert isinstance(details, dict)
    assert details["passes"] == ["axial", "coronal", "sagittal"]


def test_a_model_with_a_single_answer_is_refused_in_one_line() -> None:
    with pytest.raises(
        OasisGanError, match=r"^model m: expected several planes.*only the axial"
    ) as e:
        model(paint, planes=(Plane.AXIAL,), source=FREESURFER)
    assert "\n" not in str(e.value)


def test_a_model_of_labels_is_refused_in_one_line() -> None:
    with pytest.raises(OasisGanError, match=r"^model m: expected a model that makes images"):
        model(lambda slices, mask: slices, target=OASIS)


def test_in_another_contrast_the_map_is_in_its_units() -> None:
    source = {"labels": labels()}
    double = Window((0, 200), (0, 1))
    own = model(ramp).translate(source).maps[UNCERTAINTY].voxels
    found = model(ramp).with_target(double).translate(source).maps[UNCERTAINTY].voxels
    np.testing.assert_allclose(found, 2 * own, rtol=1e-5)


class Opaque:
    """A model that is not known to give its answers in another contrast."""

    def __init__(self, translator: SlicewiseTranslator) -> None:
        self.card = translator.card
        self.translate = translator.translate


def test_a_contrast_that_is_changed_afterwards_changes_the_map_too() -> None:
    middling = model(constant(0.5), redraw=constant(0.4))
    recoloured = apply_contrast(Opaque(middling), Window((0, 300), (0, 1)))
    source = labels()
    found = recoloured.translate({"labels": source}).maps[UNCERTAINTY].voxels
    np.testing.assert_allclose(found, np.where(source.voxels > 0, 15, 0), rtol=1e-4)


def test_the_spread_is_the_weighted_standard_deviation() -> None:
    values = np.random.default_rng(0).normal(1000, 1, (4, 50))
    weights = [1.0, 0.5, 0.5, 2.0]
    spread = Spread()
    for value, weight in zip(values, weights, strict=True):
        spread.add(value, weight)
    mean = np.average(values, axis=0, weights=weights)
    variance = np.average((values - mean) ** 2, axis=0, weights=weights)
    np.testing.assert_allclose(spread.compute_deviation(), np.sqrt(variance), rtol=1e-6)
