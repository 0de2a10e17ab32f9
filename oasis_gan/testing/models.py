"""What every model keeps to."""

from __future__ import annotations

import inspect
import re
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from ..errors import OasisGanError
from ..image.choices import Plane
from ..image.intensity import Percentiles, Window
from ..image.labels import LabelSet
from ..image.volume import Channels, Geometry, Volume, Voxels
from ..pipeline.translation import translate
from ..plugin.models import ModelCard, ModelKind, Translator, computation_of
from .checks import assert_listed

T = TypeVar("T")

SAME = 1e-4
"""How far two answers for the same slices may lie apart: a batch of another size may be summed in another order."""
SAME_IN_OTHER_PRECISIONS = 2e-2
"""The same for a model that says it computes in another precision than float32: bfloat16 has 8 significant bits."""
SLACK = 1e-3
"""How far an answer may leave [0, 1]."""
_SOURCES = (LabelSet, Percentiles, Window)
_TARGETS = (LabelSet, Window)


class ModelContract:
    """Give the fixtures ``kind`` and ``folder``, a trained model; or ``translator``, if you have no more than that.

    To load a model once for all checks, let ``translator`` return what a fixture of your module has loaded, one of
    another name and with ``scope="module"``.
    """

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
            pytest.fail("give fixtures `kind` and `folder` that return your ModelKind and a trained model's folder")
        return kind.load(folder)

    @pytest.fixture
    def batch(self, translator: Translator) -> Channels:
        """Return four slices (4, rows, columns, source channels) on the model's canvas."""
        _skip_if_unusable(translator.card)
        canvas = translator.card.canvas
        # Not square, where the canvas allows it, so that rows and columns are not mistaken for each other.
        shape = (4, canvas.pixels(1), canvas.pixels(canvas.size + 1))
        voxels = _voxels(translator.card, shape)
        return translator.card.source.fitted(voxels).encode(voxels)

    def test_the_card_tells_what_the_tool_needs(self, translator: Translator) -> None:
        """Names can be shown and typed, contrasts, planes and canvas are what they claim to be."""
        card: object = translator.card
        assert isinstance(card, ModelCard), f"the card is a {type(card).__name__}: make it a ModelCard"
        assert_listed(card.name, f"version {card.version}")
        assert re.fullmatch(r"[A-Za-z0-9]+", card.output), f"output {card.output!r}: use letters and digits, as in T1w"
        _assert_contrast("source", card.source, _SOURCES)
        _assert_contrast("target", card.target, _TARGETS)
        assert card.planes, "the card names no plane: name those that the model was trained in"
        assert all(isinstance(plane, Plane) for plane in card.planes), f"planes {card.planes!r}: use Plane"
        assert len(set(card.planes)) == len(card.planes), f"planes {card.planes} name one twice"
        assert re.fullmatch(r"([0-9a-f]{64})?", card.weights_sha256), "weights_sha256: 64 hex digits, or empty if none"
        canvas = card.canvas
        assert 0 < canvas.spacing < np.inf, f"canvas.spacing is {canvas.spacing}: give millimetres"
        assert min(canvas.size, canvas.multiple) >= 1, f"canvas {canvas}: size and multiple are at least 1"

    def test_answers_have_the_shape_of_the_target(self, translator: Translator, batch: Channels) -> None:
        """(n, rows, columns, source channels) become float32 (n, rows, columns, target channels)."""
        answer = _answer(translator, batch)
        expected = (*batch.shape[:3], translator.card.target.channels)
        assert answer.shape == expected, f"{batch.shape} became {answer.shape}: return {expected}"
        assert answer.dtype == np.float32, f"the answer is {answer.dtype}: convert it to float32"

    def test_answers_are_between_0_and_1(self, translator: Translator, batch: Channels) -> None:
        """The target contrast has no meaning for anything else."""
        answer = _answer(translator, batch)
        assert np.isfinite(answer).all(), "the answer holds NaN or Inf"
        low, high = float(answer.min()), float(answer.max())
        remedy = "scale what the network gives, a tanh for example by x / 2 + 0.5"
        assert low >= -SLACK and high <= 1 + SLACK, f"the answer reaches from {low:.3g} to {high:.3g}: {remedy}"

    def test_the_input_stays_as_it_is(self, translator: Translator, batch: Channels) -> None:
        """The tool may still need it."""
        before = batch.copy()
        _answer(translator, batch)
        assert np.array_equal(batch, before), "`translate` changed its input: work on a copy"

    def test_the_same_slices_give_the_same_answer_again(self, translator: Translator, batch: Channels) -> None:
        """There is no chance in it: no dropout, no noise, no state."""
        _assert_same(
            translator, _answer(translator, batch), _answer(translator, batch), "asked twice, it answers twice"
        )

    def test_neighbours_in_the_batch_change_nothing(self, translator: Translator, batch: Channels) -> None:
        """A slice is translated the same way in any company: no statistics over the batch."""
        answer = _answer(translator, batch)
        turned = _answer(translator, np.ascontiguousarray(batch[::-1]))[::-1]
        _assert_same(
            translator, answer, turned, "in another order the same slices look different: use no batch statistics"
        )
        among_zeros = np.zeros_like(batch)
        among_zeros[1] = batch[1]
        alone = _answer(translator, among_zeros)[1]
        _assert_same(
            translator, answer[1], alone, "among empty slices a slice looks different: use no batch statistics"
        )

    def test_what_is_wanted_does_not_depend_on_what_is_not(self, translator: Translator, batch: Channels) -> None:
        """A model may leave out what nobody wants, and nothing else."""
        wanted = np.zeros(batch.shape[:3], bool)
        wanted[:2, batch.shape[1] // 3 :, : batch.shape[2] // 2 + 1] = True
        # As in a volume, where there is nothing around what is wanted.
        there = batch * wanted[..., np.newaxis]
        answer = translator.translate(there, wanted)
        assert np.isfinite(answer).all(), "what is not wanted holds NaN or Inf"
        otherwise = "where it is wanted the answer depends on what else is: leave out what is not wanted, or nothing"
        _assert_same(translator, _answer(translator, there)[wanted], answer[wanted], otherwise)

    def test_a_batch_may_be_one_slice(self, translator: Translator, batch: Channels) -> None:
        """The last batch of a volume often is."""
        one = _answer(translator, batch[:1])
        assert one.shape[0] == 1, f"one slice became {one.shape[0]}"
        first = _answer(translator, batch)[:1]
        _assert_same(translator, one, first, "a slice by itself looks different: use no batch statistics")

    def test_empty_slices_give_finite_answers(self, translator: Translator, batch: Channels) -> None:
        """Normalising nothing must not divide by nothing."""
        assert np.isfinite(_answer(translator, np.zeros_like(batch))).all(), "empty slices became NaN or Inf"

    def test_it_translates_a_volume(self, translator: Translator) -> None:
        """All that `oasis-gan run` does between reading and writing works with it."""
        _skip_if_unusable(translator.card)
        voxels = np.zeros((9, 10, 8), np.float32)
        voxels[1:-1, 1:-1, 1:-1] = _voxels(translator.card, (7, 8, 6))
        volume = Volume(voxels, Geometry(voxels.shape, np.diag([-1.25, 1.0, 1.5, 1.0])))
        result = translate(volume, translator, translator.card.planes[:1])
        assert result.voxels.shape == voxels.shape
        assert np.isfinite(result.voxels).all(), "a volume became NaN or Inf"

    def test_the_kind_can_be_named_and_listed(self, kind: ModelKind | None) -> None:
        """Its name and those of its trained models are words to type, its summary is a line."""
        kind = _needed(kind)
        assert_listed(kind.name, kind.summary)
        for name in kind.shipped:
            assert_listed(name, "a trained model")

    def test_load_takes_the_options_it_is_said_to_take(self, kind: ModelKind | None, folder: Path | None) -> None:
        """Each of `ModelKind.options` is a keyword argument of `ModelKind.load`, and the folder alone is enough."""
        kind, folder = _needed(kind), _needed(folder)
        signature = inspect.signature(kind.load)
        for names in ((), *((name,) for name in kind.options)):
            try:
                signature.bind(folder, **dict.fromkeys(names))
            except TypeError as error:
                called = ", ".join(["folder", *(f"{name}=..." for name in names)])
                raise AssertionError(f"load({called}) is not possible ({error}): see ModelKind.options") from error

    def test_the_folder_says_what_the_model_says(
        self, kind: ModelKind | None, folder: Path | None, translator: Translator
    ) -> None:
        """`ModelKind.card` tells the same as the loaded model's card."""
        kind, folder = _needed(kind), _needed(folder)
        said, loaded = asdict(kind.card(folder)), asdict(translator.card)
        strange = [key for key in loaded if said[key] != loaded[key]]
        assert not strange, f"`card` and the loaded model disagree about {', '.join(strange)}"

    def test_a_folder_without_a_model_is_no_crash(self, kind: ModelKind | None, tmp_path: Path) -> None:
        """Unless the kind needs no folder it raises `OasisGanError`, with a remedy."""
        kind = _needed(kind)
        for function in (kind.card, kind.load):
            try:
                function(tmp_path)
            except OasisGanError:
                continue
            except Exception as error:
                found = f"{type(error).__name__} ({error})"
                raise AssertionError(f"an empty folder raised {found}: raise OasisGanError with a remedy") from error

    def test_shipped_models_can_be_described(self, kind: ModelKind | None) -> None:
        """`oasis-gan models` shows the card of each."""
        for name, folder in _needed(kind).shipped.items():
            card = _needed(kind).card(folder)
            assert isinstance(card, ModelCard), f"the card of {name} is a {type(card).__name__}: return a ModelCard"


def _needed(value: T | None) -> T:
    if value is None:
        pytest.skip("there are no fixtures `kind` and `folder`")
    return value


def _assert_contrast(role: str, contrast: object, kinds: tuple[type, ...]) -> None:
    """Check the source or the target of a card."""
    one_of = " or ".join(kind.__name__ for kind in kinds)
    remedy = f"make it one {one_of}; a model translates one volume into one volume"
    assert isinstance(contrast, kinds), f"the card's {role} is a {type(contrast).__name__}: {remedy}"


def _skip_if_unusable(card: ModelCard) -> None:
    """Skip a check that cannot make slices for the model, since another check says what is wrong with the card."""
    usable = isinstance(card, ModelCard) and isinstance(card.source, _SOURCES) and isinstance(card.target, _TARGETS)
    if not usable:
        pytest.skip("the card is broken: fix it first")


def _voxels(card: ModelCard, shape: tuple[int, int, int]) -> Voxels:
    """Return labels or intensities that the model was made for."""
    rng = np.random.default_rng(20161121)
    if isinstance(card.source, LabelSet):
        values = [0, *(label.value for label in card.source.labels)]
        return rng.choice(np.array(values, np.float32), shape)
    low, high = (card.source.values[0], card.source.values[-1]) if isinstance(card.source, Window) else (1.0, 100.0)
    return rng.uniform(low, high, shape).astype(np.float32)


def _answer(translator: Translator, slices: Channels) -> Channels:
    """Return the answer to slices, all of it wanted."""
    return translator.translate(slices, np.ones(slices.shape[:3], bool))


def _assert_same(translator: Translator, one: Channels, other: Channels, otherwise: str) -> None:
    """Raise `AssertionError` unless two answers of a translator differ by rounding alone."""
    computation = computation_of(translator)
    bound = SAME if computation is None or computation.precision == "float32" else SAME_IN_OTHER_PRECISIONS
    assert one.shape == other.shape, f"{otherwise} (shapes {one.shape} and {other.shape})"
    apart = float(np.abs(one - other).max())
    assert apart <= bound, f"{otherwise} (up to {apart:.2g} apart)"
