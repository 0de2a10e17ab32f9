"""A model's answer is checked before use; nothing is broadcast, cropped or cast silently."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from oasis_gan import (
    OASIS,
    Canvas,
    Channels,
    CleanVolume,
    Geometry,
    Mask,
    ModelCard,
    OasisGanError,
    Plane,
    Progress,
    Translation,
    Volume,
    Window,
    ignore_progress,
    slicewise,
    translate,
)
from oasis_gan.plugin.models import VOLUME

CARD = ModelCard(
    name="wild", version="1", sources={"labels": OASIS}, target=Window((0, 1), (0, 1)), output="T1w"
)


SHAPE = (6, 5, 4)
SOURCE = Volume(np.full(SHAPE, 2, np.int32), Geometry(SHAPE, np.eye(4)))


def translated(answer: Any) -> NDArray[Any]:  # noqa: ANN401
    """Return what becomes of a volume by a model of slices that answers as a test says."""

    def predict(slices: Channels, mask: Mask) -> Channels:
        answered: Channels = answer(slices.max(-1, keepdims=True))
        return answered

    model = slicewise(predict, CARD, planes=[Plane.AXIAL], canvas=Canvas(1.0, 1, 1))
    return translate({"labels": SOURCE}, model).volume.voxels


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda grey: grey[:, :1, :1], "expected an answer of shape (4, "),
        (lambda grey: grey[..., 0], "expected an answer of shape (4, "),
        (lambda grey: grey[:1], "expected an answer of shape (4, "),
        (lambda grey: np.repeat(grey, 3, -1), "expected an answer of shape (4, "),
        (lambda grey: 0.5, "found ()"),
        (lambda grey: None, "found ()"),
        (lambda grey: grey.astype(object), "expected an answer in real numbers, found object"),
        (lambda grey: grey.astype(complex), "expected an answer in real numbers, found complex128"),
        (lambda grey: grey.astype(str), "expected an answer in real numbers, found <U"),
    ],
)
def test_an_answer_of_the_wrong_shape_or_type_is_one_line_that_names_the_model(
    answer: Any,  # noqa: ANN401
    said: str,
) -> None:
    with pytest.raises(OasisGanError, match=r"^model wild: ") as caught:
        translated(answer)
    assert said in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.uint8])
def test_an_answer_in_any_real_numbers_is_accepted(dtype: Any) -> None:  # noqa: ANN401
    assert (translated(lambda grey: grey.astype(dtype)) == 1).all()


class Wild:
    """A model of volumes that answers as a test says."""

    card = CARD

    def __init__(self, answer: Any) -> None:  # noqa: ANN401
        self._answer = answer

    def translate(
        self, sources: Mapping[str, CleanVolume], progress: Progress = ignore_progress
    ) -> Translation:
        """Answer."""
        answer: Translation = self._answer(sources["labels"])
        return answer


def moved(volume: Volume) -> Volume:
    """Return a volume that lies elsewhere."""
    return replace(volume, geometry=Geometry(SHAPE, np.diag([2.0, 1, 1, 1])))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda source: source, "expected a Translation, found CleanVolume"),
        (lambda source: None, "expected a Translation, found NoneType"),
        (
            lambda source: Translation(volume=source.voxels),
            "expected a Volume as volume, found ndarray",
        ),
        (
            lambda source: Translation(volume=moved(source)),
            "expected volume on the grid of the source",
        ),
        (
            lambda source: Translation(volume=source, maps={"sd": moved(source)}),
            "expected sd on the grid",
        ),
        (lambda source: Translation(volume=source, maps={"../sd": source}), "found ../sd"),
        (
            lambda source: Translation(
                volume=replace(source, voxels=source.voxels.astype(complex))
            ),
            "found complex128",
        ),
    ],
)
def test_an_invalid_translation_is_one_line_that_names_the_model(
    answer: Any,  # noqa: ANN401
    said: str,
) -> None:
    with pytest.raises(OasisGanError, match=r"^model wild: ") as caught:
        translate({"labels": SOURCE}, Wild(answer))
    assert said in str(caught.value)


def test_voxels_that_are_no_number_name_the_subject() -> None:
    lost = Translation(volume=Volume(np.full(SHAPE, np.nan), SOURCE.geometry))
    with pytest.raises(
        OasisGanError, match=r"^sub-01: expected finite voxels from the model, found NaN"
    ):
        translate({"labels": SOURCE}, Wild(lambda source: lost), "sub-01")


def test_a_source_that_is_missing_is_named() -> None:
    with pytest.raises(
        OasisGanError, match=r"^sub-01: expected the source labels of wild, found none"
    ):
        translate({"image": SOURCE}, Wild(lambda source: None), "sub-01")


def test_what_a_model_refuses_about_its_volume_names_the_file() -> None:
    def refuse(source: CleanVolume) -> Translation:
        raise OasisGanError(VOLUME, expected="a head", found="a foot", remedy="scan again")

    with pytest.raises(OasisGanError, match=r"^sub-01: expected a head, found a foot; scan again$"):
        translate({"labels": SOURCE}, Wild(refuse), "sub-01")
