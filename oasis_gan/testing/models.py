"""What every model keeps to, and what every model of slices keeps to besides."""

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
from ..plugin.models import ModelCard, ModelKind, Translation, Translator, computation_of, kind_of
from .cards import assert_card, skip_if_unusable
from .checks import assert_listed
from .contract import Case, Contract, Samples

T = TypeVar("T")
Sources = Mapping[str, CleanVolume]

SAME = 1e-4
"""How far two answers for the same slices may lie apart: a batch of another size may be summed in another order."""
SAME_IN_OTHER_PRECISIONS = 2e-2
"""The same for a model that says it computes in another precision than float32: bfloat16 has 8 significant bits."""
SLACK = 1e-3
"""How far an answer in channels may leave [0, 1]."""
SHAPE = (9, 10, 8)
AFFINE = np.diag([-1.25, 1.0, 1.5, 1.0])
_SEED = 20161121


class ModelContract(Contract):
    """Give the fixtures ``kind`` and ``folder``, a trained model; or ``translator``, if you have no more than that.

    To load a model once for all checks, let ``translator`` return what a fixture of your module has loaded, one of
    another name and with ``scope="module"``.
    """

    given = ("kind", "folder")
    needed = "a folder with a trained model of it"

    @classmethod
    def cases(cls, offer: ModelKind, samples: Samples) -> Iterator[Case]:
        """Yield the trained models that come with a kind, and those among the samples."""
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
                "give fixtures `kind` and `folder` that return your ModelKind and a trained model's folder"
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
        # Not square, where the canvas allows it, so that rows and columns are not mistaken for each other.
        shape = (4, model.canvas.pixels(1), model.canvas.pixels(model.canvas.size + 1))
        rng = np.random.default_rng(_SEED)
        encoded = []
        for _ in range(2 * model.context + 1):
            for encoding in model.card.sources.values():
                voxels = _values(encoding, shape, rng)
                encoded.append(encoding.fit(voxels).encode(voxels))
        return np.concatenate(encoded, axis=-1)

    def test_the_card_tells_what_the_tool_needs(self, translator: Translator) -> None:
        """Names can be shown and typed, sources, target and options are what they claim to be."""
        assert_card(translator.card)

    def test_the_answer_lies_on_the_grid_of_the_first_source(
        self, translator: Translator, sources: Sources
    ) -> None:
        """A `Translation`, whose volume and further maps have a voxel for each of the source's, in the same place."""
        translation = _translate(translator, sources)
        first = next(iter(sources.values()))
        for name, volume in {"volume": translation.volume, **translation.maps}.items():
            shape, expected = volume.voxels.shape, first.geometry.shape
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
        """Finite numbers, and only labels that the card's target has."""
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
        changed = [
            name
            for name, volume in sources.items()
            if not np.array_equal(volume.voxels, before[name])
        ]
        assert not changed, f"`translate` changed its source {', '.join(changed)}: work on a copy"

    def test_the_same_sources_give_the_same_answer_again(
        self, translator: Translator, sources: Sources
    ) -> None:
        """There is no chance in it: no dropout, no noise, no state."""
        first = _translate(translator, sources).volume.voxels
        second = _translate(translator, sources).volume.voxels
        assert np.array_equal(first, second), (
            "asked twice, it answers twice: fix the seed, keep no state"
        )

    def test_the_progress_goes_from_0_to_1(self, translator: Translator, sources: Sources) -> None:
        """Fractions that are done, none smaller than the one before."""
        fractions: list[float] = []
        translator.translate(sources, fractions.append)
        assert fractions == sorted(fractions), f"the progress goes back: {fractions}"
        assert all(0 <= fraction <= 1 for fraction in fractions), (
            f"the progress leaves 0 to 1: {fractions}"
        )

    def test_empty_sources_give_a_finite_answer(
        self, translator: Translator, sources: Sources
    ) -> None:
        """Normalising nothing must not divide by nothing; a source that cannot be empty refuses it in one line."""
        empty = {
            name: Volume(np.zeros_like(volume.voxels), volume.geometry)
            for name, volume in sources.items()
        }
        try:
            cleaned = {
                name: translator.card.sources[name].clean(volume, name)
                for name, volume in empty.items()
            }
        except OasisGanError:
            return
        assert np.isfinite(_translate(translator, cleaned).volume.voxels).all(), (
            "empty sources became NaN or Inf"
        )

    def test_slices_are_answered_in_channels_of_the_target(
        self, translator: Translator, slices: Channels
    ) -> None:
        """(n, rows, columns, source channels) become float32 (n, rows, columns, target channels)."""
        answer = _predict(translator, slices)
        expected = (*slices.shape[:3], translator.card.target.channels)
        assert answer.shape == expected, f"{slices.shape} became {answer.shape}: return {expected}"
        assert answer.dtype == np.float32, f"the answer is {answer.dtype}: convert it to float32"

    def test_slices_are_answered_between_0_and_1(
        self, translator: Translator, slices: Channels
    ) -> None:
        """The target's encoding has no meaning for anything else."""
        answer = _predict(translator, slices)
        assert np.isfinite(answer).all(), "the answer holds NaN or Inf"
        low, high = float(answer.min()), float(answer.max())
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
        """A slice is translated the same way in any company: no statistics over the batch."""
        answer = _predict(translator, slices)
        turned = _predict(translator, np.ascontiguousarray(slices[::-1]))[::-1]
        _assert_same(
            translator,
            answer,
            turned,
            "in another order the same slices look different: use no batch statistics",
        )
        among_zeros = np.zeros_like(slices)
        among_zeros[1] = slices[1]
        alone = _predict(translator, among_zeros)[1]
        _assert_same(
            translator,
            answer[1],
            alone,
            "among empty slices a slice looks different: use no batch statistics",
        )

    def test_pixels_outside_the_mask_change_nothing_inside(
        self, translator: Translator, slices: Channels
    ) -> None:
        """A model may skip pixels outside the mask, and nothing else."""
        mask = np.zeros(slices.shape[:3], bool)
        mask[:2, slices.shape[1] // 3 :, : slices.shape[2] // 2 + 1] = True
        # As in a volume, where there is nothing around the mask.
        masked = slices * mask[..., np.newaxis]
        answer = _slicewise(translator).predict(masked, mask)
        assert np.isfinite(answer).all(), "outside the mask there is NaN or Inf"
        otherwise = (
            "inside the mask the answer depends on the mask: skip pixels outside it, or none"
        )
        _assert_same(translator, _predict(translator, masked)[mask], answer[mask], otherwise)

    def test_a_batch_may_be_one_slice(self, translator: Translator, slices: Channels) -> None:
        """The last batch of a volume often is."""
        one = _predict(translator, slices[:1])
        assert one.shape[0] == 1, f"one slice became {one.shape[0]}"
        otherwise = "a slice by itself looks different: use no batch statistics"
        _assert_same(translator, one, _predict(translator, slices)[:1], otherwise)

    def test_empty_slices_give_finite_answers(
        self, translator: Translator, slices: Channels
    ) -> None:
        """Normalising nothing must not divide by nothing."""
        assert np.isfinite(_predict(translator, np.zeros_like(slices))).all(), (
            "empty slices became NaN or Inf"
        )

    def test_the_kind_can_be_named_and_listed(self, kind: ModelKind | None) -> None:
        """Its name and those of its trained models are words to type, its summary is a line."""
        kind = _needed(kind)
        assert_listed(kind.name, kind.summary)
        for name in kind.shipped:
            assert_listed(name, "a trained model")

    def test_load_takes_the_options_of_the_card(
        self, kind: ModelKind | None, folder: Path | None
    ) -> None:
        """Each `Option` of the card is a keyword argument of `ModelKind.load`, and the folder alone is enough."""
        kind, folder = _needed(kind), _needed(folder)
        signature = inspect.signature(kind.load)
        for options in ({}, {option.name: option.default for option in kind.card(folder).options}):
            try:
                signature.bind(folder, **options)
            except TypeError as error:
                called = ", ".join(["folder", *(f"{name}=..." for name in options)])
                raise AssertionError(
                    f"load({called}) is not possible ({error}): see ModelCard.options"
                ) from error

    def test_the_folder_says_what_the_model_says(
        self, kind: ModelKind | None, folder: Path | None, translator: Translator
    ) -> None:
        """`ModelKind.card` tells the same as the loaded model's card."""
        kind, folder = _needed(kind), _needed(folder)
        described = asdict(kind.card(folder))
        loaded = asdict(translator.card)
        different = [key for key in loaded if described[key] != loaded[key]]
        assert not different, f"`card` and the loaded model disagree about {', '.join(different)}"

    def test_a_folder_without_a_model_is_no_crash(
        self, kind: ModelKind | None, tmp_path: Path
    ) -> None:
        """Unless the kind needs no folder it raises `OasisGanError`, with a remedy."""
        kind = _needed(kind)
        for function in (kind.card, kind.load):
            try:
                function(tmp_path)
            except OasisGanError:
                continue
            except Exception as error:
                found = f"{type(error).__name__} ({error})"
                raise AssertionError(
                    f"an empty folder raised {found}: raise OasisGanError with a remedy"
                ) from error

    def test_shipped_models_can_be_described(self, kind: ModelKind | None) -> None:
        """`oasis-gan models` shows the card of each."""
        for name, folder in _needed(kind).shipped.items():
            card = _needed(kind).card(folder)
            assert isinstance(card, ModelCard), (
                f"the card of {name} is a {type(card).__name__}: return a ModelCard"
            )


def _is_model(folder: Path, kind: str) -> bool:
    try:
        return kind_of(folder) == kind
    except OasisGanError:
        return False


def _needed(value: T | None) -> T:
    if value is None:
        pytest.skip("there are no fixtures `kind` and `folder`")
    return value


def _slicewise(translator: Translator) -> SlicewiseTranslator:
    """Return a model of slices, or skip what is checked of those alone."""
    skip_if_unusable(translator.card)
    if not isinstance(translator, SlicewiseTranslator):
        pytest.skip("the model does not go slice by slice")
    return translator


def _values(encoding: Encoding, shape: tuple[int, ...], rng: np.random.Generator) -> Voxels:
    """Return labels or intensities that an encoding was made for."""
    fitted = encoding.fit(rng.uniform(1, 100, shape).astype(np.float32))
    return fitted.decode(rng.uniform(size=(*shape, encoding.channels)).astype(np.float32))


def _translate(translator: Translator, sources: Sources) -> Translation:
    """Return the answer to sources, once it is a `Translation`."""
    answer: object = translator.translate(sources)
    found = type(answer).__name__
    assert isinstance(answer, Translation), f"the answer is a {found}: return Translation(volume)"
    return answer


def _predict(translator: Translator, slices: Channels) -> Channels:
    """Return the answer to slices, with nothing outside the mask."""
    return _slicewise(translator).predict(slices, np.ones(slices.shape[:3], bool))


def _assert_same(translator: Translator, one: Channels, other: Channels, otherwise: str) -> None:
    """Raise `AssertionError` unless two answers of a translator differ by rounding alone."""
    computation = computation_of(translator)
    bound = (
        SAME
        if computation is None or computation.precision == "float32"
        else SAME_IN_OTHER_PRECISIONS
    )
    assert one.shape == other.shape, f"{otherwise} (shapes {one.shape} and {other.shape})"
    apart = float(np.abs(one - other).max())
    assert apart <= bound, f"{otherwise} (up to {apart:.2g} apart)"
