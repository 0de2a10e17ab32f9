"""The contract that every model keeps, with further checks for models of slices."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from ..errors import OasisGanError
from ..image.encoding import Encoding
from ..image.volume import Channels, CleanVolume, Geometry, Volume, Voxels
from ..pipeline.slicewise import SlicewiseTranslator
from ..plugin.models import (
    UNCERTAINTY,
    ModelCard,
    ModelKind,
    Translation,
    Translator,
    computation_of,
    kind_of,
)
from .cards import assert_card, skip_if_unusable
from .checks import assert_listed
from .contract import Case, Contract, Samples

T = TypeVar("T")
Sources = Mapping[str, CleanVolume]

SAME = 1e-4
"""Largest difference between two answers for the same slices: sums may run in another order."""
SAME_IN_OTHER_PRECISIONS = 2e-2
"""Largest difference in other precisions than float32: bfloat16 has 8 significant bits."""
SLACK = 1e-3
"""An answer in channels may exceed [0, 1] by this much."""
SHAPE = (9, 10, 8)
AFFINE = np.diag([-1.25, 1.0, 1.5, 1.0])
_SEED = 20161121


class ModelContract(Contract):
    """Check a model.

    A subclass provides the fixtures ``kind`` and ``folder``, the folder of a trained model; or only
    ``translator``. To load a model once for all checks, load it in a fixture of your module with
    ``scope="module"`` and another name, and return that from ``translator``.
    """

    given = ("kind", "folder")
    needed = "a folder with a trained model of it"

    @classmethod
    def cases(cls, offer: ModelKind, samples: Samples) -> Iterator[Case]:
        """Yield the trained models that are shipped with a kind, and those among the samples."""
        # A model takes long to load: its checks share one, and one with an option.
        kind = replace(offer, load=lru_cache(maxsize=2)(offer.load))
        folders = [sample for sample in samples.paths if _is_model(sample, offer.name)]
        for folder in (*offer.shipped.values(), *folders):
            yield Case({"kind": kind, "folder": folder}, folder)

    @pytest.fixture
    def kind(self) -> ModelKind | None:
        """Return the kind of model to check."""
        return None

    @pytest.fixture
    def folder(self) -> Path | None:
        """Return the folder of a trained model of that kind."""
        return None

    @pytest.fixture
    def translator(self, kind: ModelKind | None, folder: Path | None) -> Translator:
        """Return the model to check."""
        if kind is None or folder is None:
            pytest.fail(
                "give fixtures `kind` and `folder` that return your ModelKind"
                " and a trained model's folder"
            )
        return kind.load(folder)

    @pytest.fixture
    def sources(self, translator: Translator) -> Sources:
        """Return a volume for each source of the model, with background around it."""
        skip_if_unusable(translator.card)
        rng = np.random.default_rng(_SEED)
        volumes = {}
        for name, encoding in translator.card.sources.items():
            voxels = np.zeros(SHAPE, np.float32)
            inside = tuple(size - 2 for size in SHAPE)
            voxels[1:-1, 1:-1, 1:-1] = _values(encoding, inside, rng)
            volumes[name] = encoding.clean(Volume(voxels, Geometry(SHAPE, AFFINE)), name)
        return volumes

    @pytest.fixture
    def slices(self, translator: Translator) -> Channels:
        """Return four slices (4, rows, columns, channels) on the canvas of a model of slices."""
        model = _slicewise(translator)
        # Not square, if the canvas allows it, so that swapped rows and columns are noticed.
        shape = (4, model.canvas.round_up(1), model.canvas.round_up(model.canvas.size + 1))
        rng = np.random.default_rng(_SEED)
        encoded = []
        for _ in range(2 * model.context + 1):
            for encoding in model.card.sources.values():
                voxels = _values(encoding, shape, rng)
                encoded.append(encoding.fit(voxels).encode(voxels))
        return np.concatenate(encoded, axis=-1)

    def test_the_card_tells_what_the_tool_needs(self, translator: Translator) -> None:
        """The names, the sources, the target and the options of the card are valid."""
        assert_card(translator.card)

    def test_the_answer_lies_on_the_grid_of_the_first_source(
        self, translator: Translator, sources: Sources
    ) -> None:
        """The answer and its further maps have the shape and the affine of the first source."""
        translation = _translate(translator, sources)
        first = next(iter(sources.values()))
        expected = first.geometry.shape
        volumes = {"volume": translation.volume, **translation.maps}
        for name, volume in volumes.items():
            shape = volume.voxels.shape
            assert shape == expected, (
                f"{name}: {expected} voxels became {shape}: return the grid of the first source"
            )
            same = np.array_equal(volume.geometry.affine, first.geometry.affine)
            assert same, (
                f"{name}: the affine is another one: return the geometry of the first source"
            )

    def test_the_answer_holds_values_of_the_target(
        self, translator: Translator, sources: Sources
    ) -> None:
        """The answer is finite, and has only labels of the card's target."""
        translation = _translate(translator, sources)
        assert np.isfinite(translation.volume.voxels).all(), "the answer holds NaN or Inf"
        for name, volume in translation.maps.items():
            assert np.isfinite(volume.voxels).all(), f"the map {name} holds NaN or Inf"
        try:
            translator.card.target.clean(translation.volume, "the answer")
        except OasisGanError as error:
            raise AssertionError(str(error)) from error

    def test_the_sources_stay_as_they_are(self, translator: Translator, sources: Sources) -> None:
        """The tool may still need them."""
        before = {name: volume.voxels.copy() for name, volume in sources.items()}
        _translate(translator, sources)
        changed = []
        for name, volume in sources.items():
            if not np.array_equal(volume.voxels, before[name]):
                changed.append(name)
        assert not changed, f"`translate` changed its source {', '.join(changed)}: work on a copy"

    def test_the_same_sources_give_the_same_answer_again(
        self, translator: Translator, sources: Sources
    ) -> None:
        """Translation is deterministic: no dropout, no noise, no state."""
        first = _translate(translator, sources).volume.voxels
        second = _translate(translator, sources).volume.voxels
        assert np.array_equal(first, second), (
            "asked twice, it answers twice: fix the seed, keep no state"
        )

    def test_the_uncertainty_lies_beside_the_same_volume(
        self,
        kind: ModelKind | None,
        folder: Path | None,
        translator: Translator,
        sources: Sources,
    ) -> None:
        """The option ``uncertainty`` adds a map of deviations and does not change the volume."""
        option = translator.card.option(UNCERTAINTY)
        if option is None:
            pytest.skip("the model says nothing about its uncertainty")
        assert option.default is False, "the uncertainty takes time: let its option be false"
        certain = _translate(translator, sources)
        kind = _require(kind)
        uncertain = _translate(kind.load(_require(folder), **{UNCERTAINTY: True}), sources)
        assert UNCERTAINTY not in certain.maps, "there is a map though nobody asks for one"
        assert UNCERTAINTY in uncertain.maps, "the map is missing: see oasis_gan.UNCERTAINTY"
        assert (uncertain.maps[UNCERTAINTY].voxels >= 0).all(), "a deviation is negative"
        assert np.array_equal(certain.volume.voxels, uncertain.volume.voxels), (
            "with a map the volume is another one: add passes, change none"
        )

    def test_the_progress_goes_from_0_to_1(self, translator: Translator, sources: Sources) -> None:
        """The reported fractions never decrease."""
        fractions: list[float] = []
        translator.translate(sources, fractions.append)
        assert fractions == sorted(fractions), f"the progress goes back: {fractions}"
        assert all(0 <= fraction <= 1 for fraction in fractions), (
            f"the progress leaves 0 to 1: {fractions}"
        )

    def test_empty_sources_give_a_finite_answer(
        self, translator: Translator, sources: Sources
    ) -> None:
        """Normalisation does not divide by zero; an encoding may also refuse an empty source."""
        empty = {}
        for name, volume in sources.items():
            encoding = translator.card.sources[name]
            zeros = Volume(np.zeros_like(volume.voxels), volume.geometry)
            try:
                empty[name] = encoding.clean(zeros, name)
            except OasisGanError:
                return
        answer = _translate(translator, empty).volume.voxels
        assert np.isfinite(answer).all(), "empty sources became NaN or Inf"

    def test_slices_are_answered_in_channels_of_the_target(
        self, translator: Translator, slices: Channels
    ) -> None:
        """The answer is float32 (n, rows, columns, target channels)."""
        answer = _predict(translator, slices)
        expected = (*slices.shape[:3], translator.card.target.channels)
        assert answer.shape == expected, f"{slices.shape} became {answer.shape}: return {expected}"
        assert answer.dtype == np.float32, f"the answer is {answer.dtype}: convert it to float32"

    def test_slices_are_answered_between_0_and_1(
        self, translator: Translator, slices: Channels
    ) -> None:
        """The target's encoding cannot decode other values."""
        answer = _predict(translator, slices)
        assert np.isfinite(answer).all(), "the answer holds NaN or Inf"
        low = float(answer.min())
        high = float(answer.max())
        remedy = "scale what the network gives, a tanh for example by x / 2 + 0.5"
        assert low >= -SLACK and high <= 1 + SLACK, (
            f"the answer reaches from {low:.3g} to {high:.3g}: {remedy}"
        )

    def test_slices_stay_as_they_are(self, translator: Translator, slices: Channels) -> None:
        """The tool may still need them."""
        before = slices.copy()
        _predict(translator, slices)
        assert np.array_equal(slices, before), "`predict` changed its input: work on a copy"

    def test_neighbours_in_the_batch_change_nothing(
        self, translator: Translator, slices: Channels
    ) -> None:
        """The answer to a slice does not depend on the other slices of its batch."""
        answer = _predict(translator, slices)
        reversed_slices = np.ascontiguousarray(slices[::-1])
        reversed_answer = _predict(translator, reversed_slices)
        otherwise = "in another order the same slices look different: use no batch statistics"
        _assert_same(translator, answer, reversed_answer[::-1], otherwise)
        among_zeros = np.zeros_like(slices)
        among_zeros[1] = slices[1]
        alone = _predict(translator, among_zeros)[1]
        otherwise = "among empty slices a slice looks different: use no batch statistics"
        _assert_same(translator, answer[1], alone, otherwise)

    def test_pixels_outside_the_mask_change_nothing_inside(
        self, translator: Translator, slices: Channels
    ) -> None:
        """A model may skip pixels outside the mask, but must not change those inside."""
        mask = np.zeros(slices.shape[:3], bool)
        mask[:2, slices.shape[1] // 3 :, : slices.shape[2] // 2 + 1] = True
        # As in a volume: it is empty around the mask.
        masked = slices * mask[..., np.newaxis]
        answer = _slicewise(translator).predict(masked, mask)
        assert np.isfinite(answer).all(), "outside the mask there is NaN or Inf"
        otherwise = (
            "inside the mask the answer depends on the mask: skip pixels outside it, or none"
        )
        whole = _predict(translator, masked)
        _assert_same(translator, whole[mask], answer[mask], otherwise)

    def test_a_batch_may_be_one_slice(self, translator: Translator, slices: Channels) -> None:
        """The last batch of a volume often is."""
        one = _predict(translator, slices[:1])
        assert one.shape[0] == 1, f"one slice became {one.shape[0]}"
        otherwise = "a slice by itself looks different: use no batch statistics"
        _assert_same(translator, one, _predict(translator, slices)[:1], otherwise)

    def test_empty_slices_give_finite_answers(
        self, translator: Translator, slices: Channels
    ) -> None:
        """Normalisation does not divide by zero."""
        answer = _predict(translator, np.zeros_like(slices))
        assert np.isfinite(answer).all(), "empty slices became NaN or Inf"

    def test_the_kind_can_be_named_and_listed(self, kind: ModelKind | None) -> None:
        """The names of the kind and its trained models are single words; the summary is a line."""
        kind = _require(kind)
        assert_listed(kind.name, kind.summary)
        for name in kind.shipped:
            assert_listed(name, "a trained model")

    def test_load_takes_the_options_of_the_card(
        self, kind: ModelKind | None, folder: Path | None
    ) -> None:
        """`ModelKind.load` accepts each `Option` of the card as a keyword, but needs none."""
        kind = _require(kind)
        folder = _require(folder)
        signature = inspect.signature(kind.load)
        defaults = {option.name: option.default for option in kind.card(folder).options}
        for options in ({}, defaults):
            try:
                signature.bind(folder, **options)
            except TypeError as error:
                arguments = ["folder", *(f"{name}=..." for name in options)]
                call = f"load({', '.join(arguments)})"
                message = f"{call} is not possible ({error}): see ModelCard.options"
                raise AssertionError(message) from error

    def test_the_folder_says_what_the_model_says(
        self, kind: ModelKind | None, folder: Path | None, translator: Translator
    ) -> None:
        """`ModelKind.card` returns the same as the card of the loaded model."""
        kind = _require(kind)
        folder = _require(folder)
        described = asdict(kind.card(folder))
        loaded = asdict(translator.card)
        different = [key for key in loaded if described[key] != loaded[key]]
        assert not different, f"`card` and the loaded model disagree about {', '.join(different)}"

    def test_a_folder_without_a_model_is_no_crash(
        self, kind: ModelKind | None, tmp_path: Path
    ) -> None:
        """A kind that needs a folder raises `OasisGanError` with a remedy."""
        kind = _require(kind)
        for function in (kind.card, kind.load):
            try:
                function(tmp_path)
            except OasisGanError:
                continue
            except Exception as error:
                found = f"{type(error).__name__} ({error})"
                message = f"an empty folder raised {found}: raise OasisGanError with a remedy"
                raise AssertionError(message) from error

    def test_shipped_models_can_be_described(self, kind: ModelKind | None) -> None:
        """`oasis-gan models` shows the card of each."""
        kind = _require(kind)
        for name, folder in kind.shipped.items():
            card = kind.card(folder)
            assert isinstance(card, ModelCard), (
                f"the card of {name} is a {type(card).__name__}: return a ModelCard"
            )


def _is_model(folder: Path, kind: str) -> bool:
    """Tell whether a folder holds a model of one kind."""
    try:
        return kind_of(folder) == kind
    except OasisGanError:
        return False


def _require(value: T | None) -> T:
    """Return the value of a fixture, or skip the check if the test class does not provide it."""
    if value is None:
        pytest.skip("there are no fixtures `kind` and `folder`")
    return value


def _slicewise(translator: Translator) -> SlicewiseTranslator:
    """Return a model of slices, or skip the check if the model is another one."""
    skip_if_unusable(translator.card)
    if not isinstance(translator, SlicewiseTranslator):
        pytest.skip("the model does not go slice by slice")
    return translator


def _values(encoding: Encoding, shape: tuple[int, ...], rng: np.random.Generator) -> Voxels:
    """Return random labels or intensities that an encoding can encode."""
    intensities = rng.uniform(1, 100, shape).astype(np.float32)
    fitted = encoding.fit(intensities)
    channels = rng.uniform(size=(*shape, encoding.channels)).astype(np.float32)
    return fitted.decode(channels)


def _translate(translator: Translator, sources: Sources) -> Translation:
    """Translate sources, and check that the answer is a `Translation`."""
    answer: object = translator.translate(sources)
    found = type(answer).__name__
    assert isinstance(answer, Translation), f"the answer is a {found}: return Translation(volume)"
    return answer


def _predict(translator: Translator, slices: Channels) -> Channels:
    """Translate slices with every pixel inside the mask."""
    mask = np.ones(slices.shape[:3], bool)
    return _slicewise(translator).predict(slices, mask)


def _assert_same(translator: Translator, one: Channels, other: Channels, otherwise: str) -> None:
    """Check that two answers of a translator differ only by rounding."""
    computation = computation_of(translator)
    is_float32 = computation is None or computation.precision == "float32"
    bound = SAME if is_float32 else SAME_IN_OTHER_PRECISIONS
    assert one.shape == other.shape, f"{otherwise} (shapes {one.shape} and {other.shape})"
    apart = float(np.abs(one - other).max())
    assert apart <= bound, f"{otherwise} (up to {apart:.2g} apart)"
