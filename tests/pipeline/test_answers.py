"""What a model answers is checked before it is used; nothing is broadcast, cut or cast without a word."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from oasis_gan import OASIS, Canvas, Geometry, ModelCard, OasisGanError, Plane, Volume, Window, translate
from oasis_gan.image.volume import Channels, Mask

CARD = ModelCard(
    name="wild",
    version="1",
    source=OASIS,
    target=Window((0, 1), (0, 1)),
    output="T1w",
    planes=(Plane.AXIAL,),
    canvas=Canvas(1.0, 1, 1),
    weights_sha256="",
)


class Wild:
    """A model that answers as a test says."""

    card = CARD

    def __init__(self, answer: Any) -> None:  # noqa: ANN401
        self._answer = answer

    def translate(self, slices: Channels, wanted: Mask) -> Channels:
        """Answer."""
        answer: Channels = self._answer(slices.max(-1, keepdims=True))
        return answer


def translated(answer: Any) -> NDArray[Any]:  # noqa: ANN401
    shape = (6, 5, 4)
    volume = Volume(np.full(shape, 2, np.int32), Geometry(shape, np.eye(4)))
    return translate(volume, Wild(answer), (Plane.AXIAL,)).voxels


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
def test_an_answer_in_any_real_numbers_is_taken(dtype: Any) -> None:  # noqa: ANN401
    assert (translated(lambda grey: grey.astype(dtype)) == 1).all()
