"""A network with neighbouring slices sees the same input in training as when it translates."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from kit.tiny_training import SHAPE, head, subject
from numpy.typing import NDArray
from oasis_gan_keras import parse_settings
from oasis_gan_keras.paired_slices import PairedSlices
from oasis_gan_keras.training_settings import TrainingSettings

from oasis_gan import (
    OASIS,
    Channels,
    Encoding,
    Mask,
    ModelCard,
    OasisGanError,
    Percentiles,
    Plane,
    Window,
    slicewise,
)

STILL: dict[str, Any] = {"size": 16, "batch": 2, "augmentation": {"shift": 0, "flip": False}}
LIVELY: dict[str, Any] = {"shift": 3, "zoom": 0.3, "rotate": 30, "flip": True, "intensity": 0.4}
LABELS, IMAGE = head()
EVERY = 10_000


def encode_for_translating(
    values: NDArray[Any],
    encoding: Encoding,
    settings: TrainingSettings,
) -> NDArray[np.float32]:
    """Return the slices that a translator gives its model, without those too small to train on."""
    seen = []

    def predict(slices: Channels, mask: Mask) -> Channels:
        seen.append(slices[mask.sum((1, 2)) >= 200])
        return slices[..., :1]

    card = ModelCard(
        name="m",
        version="1",
        sources={"source": encoding},
        target=Window((0, 1), (0, 1)),
        output="T1w",
    )
    model = slicewise(
        predict, card, planes=settings.planes, canvas=settings.canvas, context=settings.context
    )
    volume = subject("a", values, IMAGE).source.read()
    model.translate({"source": encoding.clean(volume, "a")})
    return np.concatenate(seen)


@pytest.mark.parametrize("context", [0, 1, 3])
@pytest.mark.parametrize("plane", Plane)
def test_training_encodes_labels_as_translating_does(plane: Plane, context: int) -> None:
    settings = TrainingSettings(**STILL, planes=(plane,), context=context)
    source, _ = PairedSlices([subject("a", LABELS, IMAGE)], settings, pytest.fail).sample(EVERY)
    assert source.shape[-1] == settings.source_channels == (2 * context + 1) * 3
    np.testing.assert_array_equal(source, encode_for_translating(LABELS, OASIS, settings))


@pytest.mark.parametrize("plane", Plane)
def test_training_encodes_images_as_translating_does(plane: Plane) -> None:
    settings = TrainingSettings(
        **STILL, planes=(plane,), context=2, source="image", target="labels"
    )
    source, _ = PairedSlices([subject("a", IMAGE, LABELS)], settings, pytest.fail).sample(EVERY)
    assert source.shape[-1] == 5
    # Training keeps images in 16 bits.
    np.testing.assert_allclose(
        source, encode_for_translating(IMAGE, Percentiles(), settings), atol=1e-3
    )


def test_slices_beyond_the_volume_are_background() -> None:
    full = np.full(SHAPE, 2, np.uint8)
    full[0] = 1
    full[-1] = 3
    settings = TrainingSettings(**STILL, planes=(Plane.SAGITTAL,), context=1)
    source, _ = PairedSlices([subject("a", full, full * 30.0)], settings, pytest.fail).sample(EVERY)
    assert len(source) == len(full)
    for index, neighbours in ((0, source[0, ..., :3]), (-1, source[-1, ..., 6:])):
        assert source[index, ..., settings.mask_channels].any()
        assert not neighbours.any()
    assert source[1, ..., :3].any()


@pytest.mark.parametrize("side", ["labels", "image"])
def test_neighbours_are_shifted_rotated_and_flipped_with_their_slice(side: str) -> None:
    """In a head with equal slices, an augmented slice equals its neighbours."""
    column_of_labels = np.repeat(LABELS[:, :, 10:11], SHAPE[2], axis=2)
    column_of_labels[:5] = 0
    column = np.repeat(IMAGE[:, :, 10:11], SHAPE[2], axis=2) * (column_of_labels > 0)
    recipe = {
        "size": 32,
        "patch": 24,
        "batch": 4,
        "augmentation": LIVELY,
        "planes": ["axial"],
        "context": 1,
    }
    settings = TrainingSettings(**recipe, source=side, contrast="robust")
    values = column_of_labels if side == "labels" else column
    pairs = PairedSlices([subject("a", values, column)], settings, pytest.fail)
    channels = settings.source_channels // 3
    for step in range(5):
        source, _ = pairs.batch(step)
        middle = source[..., settings.mask_channels]
        for neighbour in (source[..., :channels], source[..., 2 * channels :]):
            for one, other in zip(neighbour, middle, strict=True):
                # Only the first and the last slice lack a neighbour.
                assert not one.any() or np.array_equal(one, other)


def test_neighbours_take_no_memory_until_they_are_drawn() -> None:
    def measure(context: int) -> int:
        settings = TrainingSettings(**STILL, context=context)
        tracemalloc.start()
        pairs = PairedSlices([subject("a", LABELS, IMAGE)], settings, pytest.fail)
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(pairs)
        return held

    measure(0)
    assert measure(16) < 1.1 * measure(0)


@pytest.mark.parametrize("context", [-1, 17, 1.5, "two"])
def test_a_context_that_is_no_small_number_is_refused(context: object) -> None:
    with pytest.raises(OasisGanError, match=r"^recipe: context: expected a"):
        parse_settings(TrainingSettings, {"context": context})
