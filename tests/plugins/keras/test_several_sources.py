"""A network with several sources sees the same input in training as when it translates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kit.tiny_training import head, subject
from numpy.typing import NDArray
from oasis_gan_keras import parse_settings
from oasis_gan_keras.paired_slices import PairedSlices
from oasis_gan_keras.training_settings import TrainingSettings

from oasis_gan import Channels, Mask, ModelCard, OasisGanError, Plane, Subject, Window, slicewise

STILL: dict[str, Any] = {
    "size": 16,
    "batch": 2,
    "contrast": "robust",
    "augmentation": {"shift": 0, "flip": False},
}
LABELS, T1 = head()
T2 = ((100 - T1) * (LABELS > 0)).astype(np.float32)
FLAIR = (T1 * T2 / 50).astype(np.float32)
EVERY = 10_000


def make_subject(name: str = "a") -> Subject:
    return subject(name, T1, FLAIR, tissues=LABELS, t2=T2)


def make_settings(**more: Any) -> TrainingSettings:  # noqa: ANN401
    sources = {"t1": "image", "tissues": "labels", "t2": "image"}
    return parse_settings(TrainingSettings, {**STILL, "sources": sources, **more})


def encode_for_translating(given: Subject, chosen: TrainingSettings) -> NDArray[np.float32]:
    """Return the slices that a translator gives its model, without those too small to train on."""
    seen = []

    def predict(slices: Channels, mask: Mask) -> Channels:
        seen.append(slices[mask.sum((1, 2)) >= 200])
        return slices[..., :1]

    window = Window((0, 1), (0, 1))
    card = ModelCard(name="m", version="1", sources=chosen.encodings, target=window, output="T1w")
    model = slicewise(
        predict, card, planes=chosen.planes, canvas=chosen.canvas, context=chosen.context
    )
    scans = dict(zip(chosen.named_sources, (given.source, *given.further.values()), strict=True))
    model.translate(
        {name: chosen.encodings[name].clean(scan.read(), name) for name, scan in scans.items()}
    )
    return np.concatenate(seen)


@pytest.mark.parametrize("context", [0, 1])
@pytest.mark.parametrize("plane", Plane)
def test_training_encodes_several_sources_as_translating_does(plane: Plane, context: int) -> None:
    chosen = make_settings(planes=[plane], context=context)
    source, target = PairedSlices([make_subject()], chosen, pytest.fail).sample(EVERY)
    assert source.shape[-1] == chosen.source_channels == (2 * context + 1) * 5
    assert target.shape[-1] == 1
    # Training keeps images in 16 bits.
    np.testing.assert_allclose(source, encode_for_translating(make_subject(), chosen), atol=1e-3)


def test_channels_are_in_the_order_of_the_recipe_not_of_the_data() -> None:
    chosen = make_settings(context=1)
    reordered = subject("a", T1, FLAIR, t2=T2, tissues=LABELS)
    expected, _ = PairedSlices([make_subject()], chosen, pytest.fail).sample(8)
    source, _ = PairedSlices([reordered], chosen, pytest.fail).sample(8)
    np.testing.assert_array_equal(source, expected)
    assert chosen.middle_channels == {"t1": slice(5, 6), "tissues": slice(6, 9), "t2": slice(9, 10)}
    assert chosen.mask_channels == slice(5, 6)


def test_labels_may_come_first_and_anchor_the_contrast() -> None:
    chosen = make_settings(sources={"tissues": "labels", "t2": "image"}, contrast="anchored")
    assert chosen.source == "labels"
    given = subject("a", LABELS, T1, t2=T2)
    source, target = PairedSlices([given], chosen, pytest.fail).sample(EVERY)
    inside = source[..., chosen.mask_channels].sum(-1) > 0.99
    painted = source[..., :3] @ np.array([0.30, 0.55, 0.75], np.float32)
    assert np.abs(painted - target[..., 0])[inside].mean() < 0.05


def test_each_image_varies_in_intensity_by_itself_and_labels_do_not() -> None:
    varied = {"shift": 0, "flip": False, "intensity": 0.5}
    chosen = make_settings(
        sources={"t1": "image", "again": "image", "tissues": "labels"},
        augmentation=varied,
        context=1,
    )
    source, _ = PairedSlices(
        [subject("a", T1, FLAIR, again=T1, tissues=LABELS)], chosen, pytest.fail
    ).batch(0)
    t1, again, tissues = (source[..., place] for place in chosen.middle_channels.values())
    assert source.dtype == np.float32
    assert not np.allclose(t1, again, atol=0.01)
    assert np.corrcoef(t1.ravel(), again.ravel())[0, 1] > 0.7
    assert set(np.unique(tissues)) == {0, 1}


def test_sources_are_cut_at_other_resolutions_too() -> None:
    own = PairedSlices([make_subject()], make_settings(), pytest.fail)
    both = PairedSlices([make_subject()], make_settings(resolutions=[2.0]), pytest.fail)
    assert len(own) < len(both)
    source, _ = both.sample(EVERY)
    assert source.shape[-1] == 5


def test_a_subject_that_lacks_a_source_is_named_and_left_out() -> None:
    lines: list[str] = []
    pairs = PairedSlices(
        [subject("poor", T1, FLAIR, t2=T2), make_subject("rich")], make_settings(), lines.append
    )
    assert pairs.names == ["rich"]
    assert lines == [
        "left out poor: poor.nii: expected a source tissues beside it, found none; add the file"
    ]


def test_a_source_on_another_grid_is_named_and_left_out() -> None:
    lines: list[str] = []
    coarse = subject("coarse", T1, FLAIR, 2.0)
    mixed = subject("mixed", T1, FLAIR, tissues=LABELS, t2=T2)
    mixed.further["t2"] = coarse.source  # type: ignore[index]
    pairs = PairedSlices([mixed, make_subject("good")], make_settings(), lines.append)
    assert pairs.names == ["good"]
    (line,) = lines
    assert line.startswith("left out mixed: coarse.nii: expected ")


def test_a_source_with_strange_labels_is_named_and_left_out() -> None:
    lines: list[str] = []
    strange = subject("strange", T1, FLAIR, tissues=LABELS * 40, t2=T2)
    assert PairedSlices([strange, make_subject("good")], make_settings(), lines.append).names == [
        "good"
    ]
    assert "strange_tissues.nii" in lines[0]


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (
            {"t 1": "image"},
            r"^recipe: sources: expected names of up to 100 letters, .* found 't 1'; rename it$",
        ),
        ({"": "image"}, r"^recipe: sources: expected names of up to 100 letters"),
        ({"t1": "mri"}, r"^recipe: sources.t1: expected one of 'labels' or 'image', found 'mri'; "),
        (
            "image",
            r"^recipe: sources: expected a table of settings, found 'image'; "
            r"name a setting in it: sources.NAME",
        ),
        ({"t1": 3}, r"^recipe: sources.t1: expected one of"),
    ],
)
def test_a_wrong_table_of_sources_is_refused_in_one_line(sources: object, expected: str) -> None:
    with pytest.raises(OasisGanError, match=expected):
        make_settings(sources=sources)


def test_source_and_the_first_of_sources_cannot_differ() -> None:
    with pytest.raises(
        OasisGanError,
        match=r"^recipe: source: expected what the first of sources is, found labels; ",
    ):
        make_settings(source="labels")
    assert make_settings(source="image").source == "image"


def test_label_maps_alone_cannot_become_a_label_map() -> None:
    maps = {"tissues": "labels", "regions": "labels"}
    with pytest.raises(
        OasisGanError, match=r"^recipe: target: expected an image, where the source is labels"
    ):
        make_settings(sources=maps, target="labels")
    assert make_settings(target="labels").output == "dseg"


def test_without_sources_a_single_source_is_named_after_its_kind() -> None:
    assert TrainingSettings().named_sources == {"labels": "labels"}
    assert TrainingSettings(source="image", target="labels").named_sources == {"image": "image"}
